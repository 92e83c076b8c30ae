//! Bytes of what the manifest knows of transactions, behind a record or a snapshot that would be whole without it
//! (docs/format/manifest.md).
//!
//! Owns: the layout. Written only where there is anything to say, under a kind of its own: a log without transactions keeps the bytes
//! that it always had, and software that does not know transactions refuses what it would misread.

use super::record::ProducerSnapshot;
use super::record_format::{put_list, take_list};
use crate::ids::{AbortedTransaction, Offset, StreamId};
use crate::le::{FormatError, LeReader, put_count};
use crate::producers::NO_COORDINATOR;
use bytes::{BufMut, BytesMut};

const ABORTED_BYTES: usize = 32;
const MARKED_BYTES: usize = 12;
/// Bytes of one stream without its lists.
const STREAM_BYTES_MIN: usize = 16;

/// What one stream has to say.
#[derive(Clone, Copy)]
pub(super) struct OfStream<'a> {
    pub(super) stream: StreamId,
    pub(super) aborted: &'a [AbortedTransaction],
    pub(super) producers: &'a [ProducerSnapshot],
}

impl OfStream<'_> {
    fn marked(&self) -> Vec<(i64, i32)> {
        let marked = self
            .producers
            .iter()
            .filter(|producer| producer.coordinator_epoch != NO_COORDINATOR);
        marked
            .map(|producer| (producer.producer_id, producer.coordinator_epoch))
            .collect()
    }

    /// Whether anything has to be written of it.
    pub(super) fn is_silent(&self) -> bool {
        let unmarked = |producer: &ProducerSnapshot| producer.coordinator_epoch == NO_COORDINATOR;
        self.aborted.is_empty() && self.producers.iter().all(unmarked)
    }
}

/// What was read of one stream.
pub(super) struct Taken {
    pub(super) stream: StreamId,
    pub(super) aborted: Vec<AbortedTransaction>,
    marked: Vec<(i64, i32)>,
}

impl Taken {
    /// Puts the epochs of markers where the producers stand.
    pub(super) fn mark(&self, producers: &mut [ProducerSnapshot]) -> Result<(), FormatError> {
        for (producer_id, coordinator_epoch) in &self.marked {
            let found = producers
                .iter_mut()
                .find(|producer| producer.producer_id == *producer_id);
            let found = found.ok_or(FormatError::Inconsistent(
                "a marker of a producer that is not known",
            ))?;
            found.coordinator_epoch = *coordinator_epoch;
        }
        Ok(())
    }
}

/// Writes the streams that have anything to say, in their order.
pub(super) fn put_transactions(out: &mut BytesMut, streams: &[OfStream<'_>]) {
    put_count(out, streams.len());
    for of_stream in streams {
        out.put_u64_le(of_stream.stream.0);
        put_list(out, of_stream.aborted, |out, aborted| {
            out.put_i64_le(aborted.producer_id);
            out.put_u64_le(aborted.first.0);
            out.put_u64_le(aborted.marker.0);
            out.put_u64_le(aborted.stable_after.0);
        });
        put_list(
            out,
            &of_stream.marked(),
            |out, (producer_id, coordinator_epoch)| {
                out.put_i64_le(*producer_id);
                out.put_i32_le(*coordinator_epoch);
            },
        );
    }
}

pub(super) fn take_transactions(reader: &mut LeReader<'_>) -> Result<Vec<Taken>, FormatError> {
    take_list(reader, STREAM_BYTES_MIN, |r| {
        let taken = Taken {
            stream: StreamId(r.u64()?),
            aborted: take_list(r, ABORTED_BYTES, |r| {
                Ok(AbortedTransaction {
                    producer_id: r.i64()?,
                    first: Offset(r.u64()?),
                    marker: Offset(r.u64()?),
                    stable_after: Offset(r.u64()?),
                })
            })?,
            marked: take_list(r, MARKED_BYTES, |r| Ok((r.i64()?, r.i32()?)))?,
        };
        let sorted = taken.aborted.is_sorted_by(|a, b| a.marker < b.marker);
        if sorted {
            Ok(taken)
        } else {
            Err(FormatError::Inconsistent("aborted transactions are out of order"))
        }
    })
}
