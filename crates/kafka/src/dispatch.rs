//! The table of APIs. ApiVersions, the documentation and the dispatch of a frame all come from it.
//!
//! **Invariant**: what is advertised decodes, and is answered.

use crate::api;
use crate::connection::Peer;
use crate::node::Kafka;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_kafka_wire::{
    ApiKey, DecodeError, EncodeError, Frame, Message, Reader, Request, RequestHeader, decode_request,
    encode_response,
};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// One request as an API sees it, beside its message.
pub(crate) struct Call {
    /// Who asks.
    pub peer: Arc<Peer>,
    /// Version of the request and of its answer.
    pub version: i16,
    /// The client's own name for itself.
    pub client_id: Option<millstream_kafka_wire::Str>,
}

/// How far an API has come once its requests may overtake it no more.
pub(crate) enum Begun<R> {
    /// Answered.
    Done(R),
    /// Its effect has its place; the answer comes later. The next request of the connection may begin.
    Pending(BoxFuture<'static, R>),
    /// The protocol wants no answer (produce with acks=0).
    Silent,
}

/// When the next request of a connection may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// At once: the effect does not depend on it.
    Concurrent,
    /// After `begin` has returned: effects happen in the order of the requests.
    Sequenced,
}

/// One API. The implementing file reads like a recipe: decode, ask, map, encode.
pub(crate) trait Api: 'static {
    /// What is asked.
    type Request: Request + Send;
    /// Versions advertised; `Request`'s own versions unless there is a reason.
    const VERSIONS: RangeInclusive<i16> = Self::Request::VERSION_MIN..=Self::Request::VERSION_MAX;
    /// Whether later requests wait for `begin`.
    const ORDER: Order = Order::Concurrent;
    /// Takes the request as far as it goes without waiting for anybody but the log's byte permit (`Sequenced`), or to its
    /// answer (`Concurrent`).
    fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: Self::Request,
    ) -> impl Future<Output = Begun<<Self::Request as Request>::Response>> + Send;
}

/// The answer on its way: `None` when the protocol wants none.
pub(crate) type Answer = Result<Option<Frame>, CallError>;

/// A request that has begun.
pub(crate) enum Started {
    Finished(Answer),
    Pending(BoxFuture<'static, Answer>),
}

/// Why a connection is closed instead of answered.
#[derive(Debug)]
pub enum CallError {
    /// The frame does not decode.
    Malformed(DecodeError),
    /// The answer does not encode at the version asked for: a fault of ours.
    Unencodable(EncodeError),
    /// No such API, or not at that version (Kafka closes the connection).
    Unsupported {
        /// Number of the API.
        key: i16,
        /// Version asked for.
        version: i16,
    },
}

/// One row of the table.
pub(crate) struct ApiRow {
    pub key: ApiKey,
    pub versions: RangeInclusive<i16>,
    pub order: Order,
    start: fn(Arc<Kafka>, Call, i32, Bytes, usize) -> BoxFuture<'static, Started>,
}

const fn row<A: Api>() -> ApiRow {
    ApiRow {
        key: <A::Request as Request>::KEY,
        versions: A::VERSIONS,
        order: A::ORDER,
        start: start::<A>,
    }
}

/// Every API that is served, in the order of their numbers.
pub(crate) const TABLE: &[ApiRow] = &[
    row::<api::produce::Produce>(),
    row::<api::fetch::Fetch>(),
    row::<api::list_offsets::ListOffsets>(),
    row::<api::metadata::Metadata>(),
    row::<api::offset_commit::OffsetCommit>(),
    row::<api::offset_fetch::OffsetFetch>(),
    row::<api::find_coordinator::FindCoordinator>(),
    row::<api::join_group::JoinGroup>(),
    row::<api::heartbeat::Heartbeat>(),
    row::<api::leave_group::LeaveGroup>(),
    row::<api::sync_group::SyncGroup>(),
    row::<api::describe_groups::DescribeGroups>(),
    row::<api::list_groups::ListGroups>(),
    row::<api::api_versions::ApiVersions>(),
    row::<api::create_topics::CreateTopics>(),
    row::<api::delete_topics::DeleteTopics>(),
    row::<api::delete_records::DeleteRecords>(),
    row::<api::init_producer_id::InitProducerId>(),
    row::<api::offset_for_leader_epoch::OffsetForLeaderEpoch>(),
    row::<api::describe_configs::DescribeConfigs>(),
    row::<api::alter_configs::AlterConfigs>(),
    row::<api::describe_log_dirs::DescribeLogDirs>(),
    row::<api::create_partitions::CreatePartitions>(),
    row::<api::delete_groups::DeleteGroups>(),
    row::<api::incremental_alter_configs::IncrementalAlterConfigs>(),
    row::<api::offset_delete::OffsetDelete>(),
    row::<api::describe_cluster::DescribeCluster>(),
    row::<api::describe_topic_partitions::DescribeTopicPartitions>(),
];

pub(crate) fn find(key: i16) -> Option<&'static ApiRow> {
    TABLE.iter().find(|row| row.key.code() == key)
}

impl ApiRow {
    /// Decodes the message and lets the API begin. The future is 'static: it may outlive the read of the next frame.
    pub fn start(
        &self,
        kafka: Arc<Kafka>,
        call: Call,
        correlation_id: i32,
        frame: Bytes,
        body_at: usize,
    ) -> BoxFuture<'static, Started> {
        (self.start)(kafka, call, correlation_id, frame, body_at)
    }
}

fn start<A: Api>(
    kafka: Arc<Kafka>,
    call: Call,
    correlation_id: i32,
    frame: Bytes,
    body_at: usize,
) -> BoxFuture<'static, Started> {
    Box::pin(async move {
        let version = call.version;
        let body = frame.slice(body_at..);
        let request = match decode_request::<A::Request>(Reader::new(&body), version) {
            Ok(request) => request,
            Err(error) => return Started::Finished(Err(CallError::Malformed(error))),
        };
        drop(frame);
        drop(body);
        let key = <A::Request as Request>::KEY;
        let metrics = kafka.metrics.clone();
        let begun_at = kafka.monotonic();
        let clock = kafka.clock();
        let encode = move |response: &<A::Request as Request>::Response| -> Answer {
            let took: Duration = clock.monotonic().saturating_sub(begun_at);
            metrics.record(key, took);
            encode_response(response, version, correlation_id)
                .map(Some)
                .map_err(CallError::Unencodable)
        };
        match A::begin(kafka, call, request).await {
            Begun::Done(response) => Started::Finished(encode(&response)),
            Begun::Silent => Started::Finished(Ok(None)),
            Begun::Pending(response) => Started::Pending(Box::pin(async move { encode(&response.await) })),
        }
    })
}

/// One line of the table of supported APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiListing {
    /// Number.
    pub key: i16,
    /// Name.
    pub name: &'static str,
    /// Versions advertised.
    pub versions: RangeInclusive<i16>,
}

/// What ApiVersions tells, for the documentation.
#[must_use]
pub fn supported_apis() -> Vec<ApiListing> {
    TABLE
        .iter()
        .map(|row| ApiListing {
            key: row.key.code(),
            name: row.key.name(),
            versions: row.versions.clone(),
        })
        .collect()
}

/// The header of a frame and where its message begins.
pub(crate) fn read_header(frame: &Bytes) -> Result<(RequestHeader, usize), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = RequestHeader::read(&mut reader)?;
    Ok((header, frame.len() - reader.remaining()))
}
