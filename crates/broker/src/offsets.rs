//! Questions about offsets: by time, earliest, latest, end of an epoch; and raising the start (delete records).

use crate::Broker;
use crate::fetch::{FetchError, Isolation, check_epoch, read_error};
use crate::topics::Topic;
use millstream_log::{Epoch, Offset, StreamError, TimestampMs};
use thiserror::Error;

/// Which offset is asked for (Kafka: the special timestamps of ListOffsets).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// The start of the partition (-2).
    Earliest,
    /// The end, as far as the reader may see (-1).
    Latest,
    /// The record with the largest timestamp (-3, KIP-734).
    MaxTimestamp,
    /// The first offset in the local log (-4, KIP-405).
    EarliestLocal,
    /// The last offset in the object store (-5, KIP-1005).
    LatestTiered,
    /// The first offset not yet in the object store (-6, KIP-1023).
    EarliestPendingUpload,
    /// The first record at or after a time.
    AtOrAfter(TimestampMs),
}

/// The answer. `offset` is `None` where no such record exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetAnswer {
    /// The offset.
    pub offset: Option<Offset>,
    /// The record's timestamp, for questions by time.
    pub timestamp: Option<TimestampMs>,
    /// The epoch of that place.
    pub epoch: Epoch,
}

/// Why records were not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrimError {
    /// No such partition.
    #[error("the topic has no such partition")]
    UnknownPartition,
    /// Clients may not delete records there.
    #[error("records of an internal topic are not for clients to delete")]
    InternalTopic,
    /// Only where cleanup.policy contains delete.
    #[error("records can be deleted only where cleanup.policy contains delete")]
    Policy,
    /// Above the high watermark.
    #[error("the offset lies above the high watermark")]
    OffsetOutOfRange,
    /// The store failed.
    #[error("{0}")]
    Storage(String),
}

impl Broker {
    /// Finds an offset of one partition.
    pub async fn list_offset(
        &self,
        topic: &Topic,
        partition: u32,
        believed: Option<Epoch>,
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<OffsetAnswer, FetchError> {
        let stream = topic.stream(partition).ok_or(FetchError::UnknownPartition)?;
        check_epoch(stream.epoch(), believed)?;
        let bounds = stream.bounds();
        let readable_end = isolation.end_of(&bounds);
        let place = |offset: Option<Offset>| OffsetAnswer {
            offset,
            timestamp: None,
            epoch: stream.epoch(),
        };
        let found = match query {
            OffsetQuery::Earliest => return Ok(place(Some(bounds.start))),
            OffsetQuery::Latest => return Ok(place(Some(readable_end))),
            OffsetQuery::EarliestLocal | OffsetQuery::EarliestPendingUpload => {
                return Ok(place(Some(stream.local_start())));
            }
            OffsetQuery::LatestTiered => {
                let local = stream.local_start();
                return Ok(place((local > bounds.start).then(|| Offset(local.0 - 1))));
            }
            OffsetQuery::MaxTimestamp => stream.find_max_time().await,
            OffsetQuery::AtOrAfter(timestamp) => stream.find_by_time(timestamp).await,
        };
        let found = found
            .map_err(read_error)?
            .filter(|found| found.offset < readable_end);
        Ok(found.map_or(place(None), |found| OffsetAnswer {
            offset: Some(found.offset),
            timestamp: Some(found.timestamp),
            epoch: found.epoch,
        }))
    }

    /// End of the largest epoch not above `epoch` (KIP-101, KIP-320).
    pub fn epoch_end(
        &self,
        topic: &Topic,
        partition: u32,
        believed: Option<Epoch>,
        epoch: Epoch,
    ) -> Result<Option<(Epoch, Offset)>, FetchError> {
        let stream = topic.stream(partition).ok_or(FetchError::UnknownPartition)?;
        check_epoch(stream.epoch(), believed)?;
        Ok(stream.epoch_end(epoch))
    }

    /// Raises the partition's start to `before`, or to the high watermark; answers the start that holds then.
    pub async fn delete_records(
        &self,
        topic: &Topic,
        partition: u32,
        before: Option<Offset>,
    ) -> Result<Offset, TrimError> {
        let stream = topic.stream(partition).ok_or(TrimError::UnknownPartition)?;
        if topic.is_internal() {
            return Err(TrimError::InternalTopic);
        }
        if !topic.settings().policy.delete {
            return Err(TrimError::Policy);
        }
        let before = before.unwrap_or_else(|| stream.bounds().end);
        stream.trim(before).await.map_err(|error| match error {
            StreamError::StreamGone => TrimError::UnknownPartition,
            StreamError::OffsetOutOfRange => TrimError::OffsetOutOfRange,
            StreamError::Storage { .. } => TrimError::Storage(error.to_string()),
        })
    }
}
