//! The records that a shard keeps in its stream: one a transactional id, keyed, versioned, little-endian.
//!
//! Owns: the bytes, drawn in docs/format/transaction.md. Never: when to write them. No checksum of its own: the batch that holds them
//! has one.
//!
//! **Invariant**: `decode(encode(r)) == r`; a length is compared with the bytes that remain before anything is allocated.

use super::answer::EncodedRecord;
use super::name::{Partitions, TransactionalId};
use super::state::{EpochPolicy, Phase, ProducerEpoch, TransactionState};
use crate::group::TopicName;
use bytes::Bytes;
use std::fmt;

/// First byte of a key: which record it names.
const KEY_TRANSACTION: u8 = 1;
/// First byte of every value. A reader refuses what it does not know.
const VALUE_VERSION: u8 = 1;

/// One change of a shard's durable state; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub id: TransactionalId,
    /// Its state from here on.
    pub state: Option<TransactionState>,
}

/// Bytes that are no record of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Ends too early, holds too much, or holds text that is not UTF-8.
    Malformed,
    /// Written by a later version.
    UnknownVersion(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "a transaction record is malformed"),
            Self::UnknownVersion(version) => {
                write!(
                    f,
                    "a transaction record has the unknown version or kind {version}"
                )
            }
        }
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> EncodedRecord {
        let mut key = vec![KEY_TRANSACTION];
        put_text(&mut key, self.id.as_str());
        EncodedRecord {
            key: Bytes::from(key),
            value: self.state.as_ref().map(|state| Bytes::from(encode_state(state))),
        }
    }

    /// The record that the bytes hold.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Record, RecordError> {
        let mut key = Reader(key);
        match key.u8()? {
            KEY_TRANSACTION => {}
            other => return Err(RecordError::UnknownVersion(other)),
        }
        let id = TransactionalId::from(key.text()?);
        key.finish()?;
        let state = value.map(decode_state).transpose()?;
        Ok(Record { id, state })
    }
}

fn encode_state(state: &TransactionState) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 32 * state.partitions.topics().len());
    out.push(VALUE_VERSION);
    out.push(phase_code(state.phase));
    out.push(match state.policy {
        EpochPolicy::PerProducer => 0,
        EpochPolicy::PerTransaction => 1,
    });
    out.extend_from_slice(&state.producer.id.to_le_bytes());
    out.extend_from_slice(&state.producer.epoch.to_le_bytes());
    out.extend_from_slice(&state.last_epoch.to_le_bytes());
    out.extend_from_slice(&state.previous_id.to_le_bytes());
    out.extend_from_slice(&state.next_id.to_le_bytes());
    out.extend_from_slice(&state.timeout_ms.to_le_bytes());
    out.extend_from_slice(&state.started_ms.to_le_bytes());
    out.extend_from_slice(&state.updated_ms.to_le_bytes());
    put_length(&mut out, state.partitions.topics().len());
    for (topic, partitions) in state.partitions.topics() {
        put_text(&mut out, topic.as_str());
        put_length(&mut out, partitions.len());
        for partition in partitions {
            out.extend_from_slice(&partition.to_le_bytes());
        }
    }
    out
}

fn decode_state(value: &[u8]) -> Result<TransactionState, RecordError> {
    let mut reader = Reader(value);
    match reader.u8()? {
        VALUE_VERSION => {}
        other => return Err(RecordError::UnknownVersion(other)),
    }
    let phase = phase_of(reader.u8()?)?;
    let policy = match reader.u8()? {
        0 => EpochPolicy::PerProducer,
        1 => EpochPolicy::PerTransaction,
        other => return Err(RecordError::UnknownVersion(other)),
    };
    let state = TransactionState {
        phase,
        policy,
        producer: ProducerEpoch {
            id: reader.i64()?,
            epoch: reader.i16()?,
        },
        last_epoch: reader.i16()?,
        previous_id: reader.i64()?,
        next_id: reader.i64()?,
        timeout_ms: reader.i32()?,
        started_ms: reader.i64()?,
        updated_ms: reader.i64()?,
        partitions: decode_partitions(&mut reader)?,
    };
    reader.finish()?;
    Ok(state)
}

/// No capacity is taken from a count: the bytes that follow bound the loops.
fn decode_partitions(reader: &mut Reader<'_>) -> Result<Partitions, RecordError> {
    let mut all = Partitions::default();
    for _ in 0..reader.u32()? {
        let topic = TopicName::from(reader.text()?);
        for _ in 0..reader.u32()? {
            all.insert(topic.clone(), reader.i32()?);
        }
    }
    Ok(all)
}

fn phase_code(phase: Phase) -> u8 {
    match phase {
        Phase::Empty => 0,
        Phase::Ongoing => 1,
        Phase::PrepareCommit => 2,
        Phase::PrepareAbort => 3,
        Phase::CompleteCommit => 4,
        Phase::CompleteAbort => 5,
    }
}

fn phase_of(code: u8) -> Result<Phase, RecordError> {
    let known = Phase::ALL.into_iter().find(|phase| phase_code(*phase) == code);
    known.ok_or(RecordError::UnknownVersion(code))
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a frame, and so every part of it, is below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        Ok(self.take(N)?.try_into().expect("exactly N bytes were taken"))
    }

    fn u8(&mut self) -> Result<u8, RecordError> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn i16(&mut self) -> Result<i16, RecordError> {
        Ok(i16::from_le_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, RecordError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, RecordError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<&'a str, RecordError> {
        let length = self.u32()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| RecordError::Malformed)
    }

    fn finish(self) -> Result<(), RecordError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Malformed)
        }
    }
}
