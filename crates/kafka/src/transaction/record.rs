//! The records that a shard keeps in its stream: one a transactional id, keyed, versioned, little-endian.
//!
//! Owns: the bytes, drawn in docs/format/transaction.md. Never: when to write them. No checksum of its own: the batch that holds them
//! has one.
//!
//! **Invariant**: `decode(encode(r)) == r`; a length is compared with the bytes that remain before anything is allocated.

use super::name::{Partitions, TransactionalId};
use super::state::{EpochPolicy, Phase, ProducerEpoch, TransactionState};
use crate::group::TopicName;
use crate::state::RecordError;
use crate::state::codec::{Reader, VALUE_VERSION, put_length, put_text, read_value};
use bytes::Bytes;
use millstream_broker::StateRecord;

/// First byte of a key: which record it names.
const KEY_TRANSACTION: u8 = 1;

/// One change of a shard's durable state; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub id: TransactionalId,
    /// Its state from here on.
    pub state: Option<TransactionState>,
}

impl Record {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> StateRecord {
        let mut key = vec![KEY_TRANSACTION];
        put_text(&mut key, self.id.as_str());
        StateRecord {
            key: Bytes::from(key),
            value: self.state.as_ref().map(|state| Bytes::from(encode_state(state))),
        }
    }

    /// The record that the bytes hold.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Record, RecordError> {
        let mut key = Reader::new(key);
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
    read_value(value, |reader| {
        let phase = phase_of(reader.u8()?)?;
        let policy = match reader.u8()? {
            0 => EpochPolicy::PerProducer,
            1 => EpochPolicy::PerTransaction,
            other => return Err(RecordError::UnknownVersion(other)),
        };
        Ok(TransactionState {
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
            partitions: decode_partitions(reader)?,
        })
    })
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
