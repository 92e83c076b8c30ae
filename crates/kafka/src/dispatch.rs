//! The table of APIs. ApiVersions, the documentation and the dispatch of a frame all come from it.
//!
//! **Invariant**: what is advertised decodes, and is answered.

use crate::api;
use crate::connection::{Peer, is_large};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use crate::telemetry::subscription::ClientFacts;
use crate::throttle::{Muting, Toll, metered, millis};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_broker::security::Principal;
use millstream_kafka_wire::{
    ApiKey, DecodeError, EncodeError, Frame, Reader, Request, RequestHeader, Response, Str, Uuid,
    decode_request, encode_response,
};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, watch};

/// One request as an API sees it, beside its message.
pub(crate) struct Call {
    /// From where, and to which address of ours.
    pub peer: Arc<Peer>,
    /// Who they have proved to be.
    pub principal: Arc<Principal>,
    /// Whether they proved it with a delegation token.
    pub by_token: bool,
    /// Version of the request and of its answer.
    pub version: i16,
    /// The client's own name for itself.
    pub client_id: Option<millstream_kafka_wire::Str>,
    /// When the connection ends.
    pub leaving: Leaving,
    /// The request's share of the memory for requests; goes back with the call.
    pub memory: Option<OwnedSemaphorePermit>,
    /// What the client says that it is, once it has said so.
    pub software: Software,
    /// The silence of the connection.
    pub muting: Muting,
    /// What the request owes, where anybody is limited.
    pub toll: Option<Arc<Toll>>,
}

/// Name and version of a client's software, as its connection's ApiVersions told them (KIP-511).
pub(crate) type Software = Arc<OnceLock<(String, String)>>;

impl Call {
    /// What subscriptions of client metrics choose by.
    pub fn client_facts(&self, instance: Uuid) -> ClientFacts {
        let (software_name, software_version) = self.software.get().cloned().unwrap_or_default();
        ClientFacts {
            instance_id: instance.to_string(),
            client_id: self.client_id.as_deref().unwrap_or_default().to_owned(),
            software_name,
            software_version,
            address: self.peer.address.ip().to_canonical().to_string(),
            port: self.peer.address.port().to_string(),
        }
    }

    /// The name of the principal that asks, without its type.
    pub fn user(&self) -> Str {
        Str::from(self.principal.name().to_owned())
    }
}

/// The end of a connection, which cuts long polls short.
#[derive(Clone)]
pub(crate) struct Leaving(Arc<watch::Sender<bool>>);

impl Default for Leaving {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Leaving {
    /// From now on nobody waits for news.
    pub fn leave(&self) {
        self.0.send_replace(true);
    }

    /// Resolves when the connection ends.
    pub async fn left(self) {
        let mut left = self.0.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = left.wait_for(|left| *left).await;
    }
}

/// How far an API has come once its requests may overtake it no more.
pub(crate) enum Begun<R> {
    /// Answered.
    Done(R),
    /// Its effect has its place; the answer comes later. The next request of the connection may begin.
    Pending(BoxFuture<'static, R>),
    /// The protocol wants no answer (produce with acks=0).
    Silent,
    /// The protocol has no answer, and the client must learn that something failed: the connection ends (produce with acks=0).
    HangUp(ErrorCode),
}

/// When the next request of a connection may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// At once: the effect does not depend on it.
    Concurrent,
    /// After `begin` has returned: effects happen in the order of the requests.
    Sequenced,
    /// As `Concurrent` for the requests that follow, but it begins only when every earlier answer was written: a connection whose
    /// peer takes nothing holds one large answer, not one for each request that it sends (fetch).
    AfterAnswers,
}

/// One API. The implementing file reads like a recipe: decode, ask, map, encode.
pub(crate) trait Api: 'static {
    /// What is asked.
    type Request: Request + Send;
    /// Versions served: all whose layout is final, unless there is a reason.
    const VERSIONS: RangeInclusive<i16> = <Self::Request as Request>::KEY.stable_versions();
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
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The frame does not decode.
    #[error("the request does not decode: {0}")]
    Malformed(DecodeError),
    /// The answer does not encode at the version asked for: a fault of ours.
    #[error("the answer does not encode: {0}")]
    Unencodable(EncodeError),
    /// A request that wants no answer failed.
    #[error("a request without an answer failed: {0:?}")]
    Failed(ErrorCode),
    /// A request that only who has logged in is answered.
    #[error("the peer has not logged in")]
    NotLoggedIn,
    /// The login has ended and was not renewed (KIP-368).
    #[error("the peer's login has ended")]
    SessionEnded,
    /// No such API, or not at that version (Kafka closes the connection).
    #[error("API {key} is not served in version {version}")]
    Unsupported {
        /// Number of the API.
        key: i16,
        /// Version asked for.
        version: i16,
    },
}

type Start = fn(Arc<Kafka>, Call, i32, Bytes, usize) -> Result<BoxFuture<'static, Started>, CallError>;

type Refused = fn(ErrorCode, &RequestHeader) -> Option<Answer>;

/// One row of the table.
pub(crate) struct ApiRow {
    pub key: ApiKey,
    pub versions: RangeInclusive<i16>,
    pub order: Order,
    start: Start,
    refused: Refused,
}

const fn row<A: Api>() -> ApiRow {
    ApiRow {
        key: <A::Request as Request>::KEY,
        versions: A::VERSIONS,
        order: A::ORDER,
        start: start::<A>,
        refused: refused::<A>,
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
    row::<api::sasl_handshake::SaslHandshake>(),
    row::<api::api_versions::ApiVersions>(),
    row::<api::create_topics::CreateTopics>(),
    row::<api::delete_topics::DeleteTopics>(),
    row::<api::delete_records::DeleteRecords>(),
    row::<api::init_producer_id::InitProducerId>(),
    row::<api::offset_for_leader_epoch::OffsetForLeaderEpoch>(),
    row::<api::add_partitions_to_txn::AddPartitionsToTxn>(),
    row::<api::add_offsets_to_txn::AddOffsetsToTxn>(),
    row::<api::end_txn::EndTxn>(),
    row::<api::write_txn_markers::WriteTxnMarkers>(),
    row::<api::txn_offset_commit::TxnOffsetCommit>(),
    row::<api::describe_acls::DescribeAcls>(),
    row::<api::create_acls::CreateAcls>(),
    row::<api::delete_acls::DeleteAcls>(),
    row::<api::describe_configs::DescribeConfigs>(),
    row::<api::alter_configs::AlterConfigs>(),
    row::<api::alter_replica_log_dirs::AlterReplicaLogDirs>(),
    row::<api::describe_log_dirs::DescribeLogDirs>(),
    row::<api::sasl_authenticate::SaslAuthenticate>(),
    row::<api::create_partitions::CreatePartitions>(),
    row::<api::create_delegation_token::CreateDelegationToken>(),
    row::<api::renew_delegation_token::RenewDelegationToken>(),
    row::<api::expire_delegation_token::ExpireDelegationToken>(),
    row::<api::describe_delegation_token::DescribeDelegationToken>(),
    row::<api::delete_groups::DeleteGroups>(),
    row::<api::elect_leaders::ElectLeaders>(),
    row::<api::incremental_alter_configs::IncrementalAlterConfigs>(),
    row::<api::alter_partition_reassignments::AlterPartitionReassignments>(),
    row::<api::list_partition_reassignments::ListPartitionReassignments>(),
    row::<api::offset_delete::OffsetDelete>(),
    row::<api::describe_client_quotas::DescribeClientQuotas>(),
    row::<api::alter_client_quotas::AlterClientQuotas>(),
    row::<api::describe_quorum::DescribeQuorum>(),
    row::<api::update_features::UpdateFeatures>(),
    row::<api::describe_user_scram_credentials::DescribeUserScramCredentials>(),
    row::<api::alter_user_scram_credentials::AlterUserScramCredentials>(),
    row::<api::describe_cluster::DescribeCluster>(),
    row::<api::unregister_broker::UnregisterBroker>(),
    row::<api::consumer_group_heartbeat::ConsumerGroupHeartbeat>(),
    row::<api::consumer_group_describe::ConsumerGroupDescribe>(),
    row::<api::get_telemetry_subscriptions::GetTelemetrySubscriptions>(),
    row::<api::push_telemetry::PushTelemetry>(),
    row::<api::list_config_resources::ListConfigResources>(),
    row::<api::describe_producers::DescribeProducers>(),
    row::<api::describe_transactions::DescribeTransactions>(),
    row::<api::list_transactions::ListTransactions>(),
    row::<api::describe_topic_partitions::DescribeTopicPartitions>(),
    row::<api::share_group_heartbeat::ShareGroupHeartbeat>(),
    row::<api::share_group_describe::ShareGroupDescribe>(),
    row::<api::share_fetch::ShareFetch>(),
    row::<api::share_acknowledge::ShareAcknowledge>(),
    row::<api::streams_group_heartbeat::StreamsGroupHeartbeat>(),
    row::<api::streams_group_describe::StreamsGroupDescribe>(),
    row::<api::describe_share_group_offsets::DescribeShareGroupOffsets>(),
    row::<api::alter_share_group_offsets::AlterShareGroupOffsets>(),
    row::<api::delete_share_group_offsets::DeleteShareGroupOffsets>(),
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
    ) -> Result<BoxFuture<'static, Started>, CallError> {
        (self.start)(kafka, call, correlation_id, frame, body_at)
    }

    /// The answer to a request whose message is not looked at; `None` where the answer has no place for an error of its own.
    pub fn refused(&self, code: ErrorCode, header: &RequestHeader) -> Option<Answer> {
        (self.refused)(code, header)
    }
}

fn refused<A: Api>(code: ErrorCode, header: &RequestHeader) -> Option<Answer> {
    let version = header.api_version;
    let response = <A::Request as Request>::Response::refused(code.0, version)?;
    let encoded = encode_response(&response, version, header.correlation_id);
    Some(encoded.map(Some).map_err(CallError::Unencodable))
}

fn start<A: Api>(
    kafka: Arc<Kafka>,
    mut call: Call,
    correlation_id: i32,
    frame: Bytes,
    body_at: usize,
) -> Result<BoxFuture<'static, Started>, CallError> {
    let version = call.version;
    let toll = Toll::of(&kafka, &call);
    call.toll.clone_from(&toll);
    let body = frame.slice(body_at..);
    let detaches = A::Request::KEY == ApiKey::Produce && is_large(frame.len());
    let request =
        decode_request::<A::Request>(reader(&body, detaches), version).map_err(CallError::Malformed)?;
    let encode = encoder::<A>(kafka.clone(), version, correlation_id, toll.clone());
    let measured = toll.clone();
    let started = Box::pin(async move {
        match A::begin(kafka, call, request).await {
            Begun::Done(response) => Started::Finished(encode(response)),
            Begun::Silent => {
                // Nobody can be told how long it takes; the connection is muted all the same.
                if let Some(toll) = &toll {
                    toll.settle();
                }
                Started::Finished(Ok(None))
            }
            Begun::HangUp(code) => Started::Finished(Err(CallError::Failed(code))),
            Begun::Pending(response) => {
                let answer = Box::pin(async move { encode(response.await) });
                Started::Pending(metered(answer, toll))
            }
        }
    });
    Ok(metered(started, measured))
}

/// Encodes the answer, tells in it how long the client will not be read, and notes how long it took from here on.
fn encoder<A: Api>(
    kafka: Arc<Kafka>,
    version: i16,
    correlation_id: i32,
    toll: Option<Arc<Toll>>,
) -> impl FnOnce(<A::Request as Request>::Response) -> Answer + Send + 'static {
    let begun_at = kafka.monotonic();
    move |mut response| {
        if let Some(toll) = toll {
            let wait = toll.settle();
            if !wait.is_zero() {
                response.throttle(millis(wait));
            }
        }
        let took = kafka.monotonic().saturating_sub(begun_at);
        kafka.metrics.record(<A::Request as Request>::KEY, took);
        encode_response(&response, version, correlation_id)
            .map(Some)
            .map_err(CallError::Unencodable)
    }
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
            versions: advertised(row),
        })
        .collect()
}

/// Versions named in ApiVersions. Produce is named from 0 on, because librdkafka turns compression off when 0 is missing
/// (KAFKA-18659); a request below 3 ends the connection, as with Kafka 4.
pub(crate) fn advertised(row: &ApiRow) -> RangeInclusive<i16> {
    let lowest = *row.key.advertised_versions().start();
    lowest.min(*row.versions.start())..=*row.versions.end()
}

/// Strings that were not copied would pin all of a large frame, and a batch in it could not stay where it is.
fn reader(bytes: &Bytes, detaches: bool) -> Reader<'_> {
    let reader = Reader::new(bytes);
    match detaches {
        true => reader.detaching_strings(),
        false => reader,
    }
}

/// The header of a frame and where its message begins.
pub(crate) fn read_header(frame: &Bytes) -> Result<(RequestHeader, usize), DecodeError> {
    // Of any request: the client's name is one string, and no API is known yet.
    let mut reader = reader(frame, is_large(frame.len()));
    let header = RequestHeader::read(&mut reader)?;
    Ok((header, frame.len() - reader.remaining()))
}
