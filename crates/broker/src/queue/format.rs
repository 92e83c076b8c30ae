//! Subscriptions as records of a state stream: snapshots, and changes behind them. Drawn in docs/format/subscription.md.
//!
//! Owns: keys and values, both ways. Never: which record is written when (`kept.rs`).
//!
//! **Invariant**: every length is compared with the bytes that follow before anything is made of it.

use super::id::{Space, SubscriptionId};
use super::ledger::{Cause, Change, Ledger, Mark};
use super::runs::{Range, Runs};
use bytes::{BufMut, Bytes, BytesMut};
use millstream_meta::catalog::TopicId;
use std::sync::Arc;
use thiserror::Error;

const KEY_SNAPSHOT: u8 = 1;
const KEY_CHANGE: u8 = 2;
const VERSION: u8 = 1;

const MARK_DONE: u8 = 0;
const MARK_RETURNED: u8 = 1;
const MARK_REJECTED: u8 = 2;
const MARK_UNDELIVERED: u8 = 3;

const FLAG_RESTART: u8 = 1;
const FLAG_TRIM: u8 = 2;

/// Why a record of state cannot be read. Serving a part of what was stored would hand out again what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// Written by a later version.
    #[error("a record of subscription state has the unknown version or kind {0}")]
    Unknown(u8),
    /// Ends too early, or goes on too long.
    #[error("a record of subscription state is damaged")]
    Damaged,
    /// A change is missing between two that are there.
    #[error("a change of a subscription is missing")]
    Hole,
}

/// Which record a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Snapshot(SubscriptionId),
    /// The change in this slot; slots are used again after the next snapshot.
    Change(SubscriptionId, u16),
}

impl Key {
    pub fn id(&self) -> &SubscriptionId {
        match self {
            Key::Snapshot(id) | Key::Change(id, _) => id,
        }
    }

    pub fn encode(&self) -> Bytes {
        let id = self.id();
        let mut out = BytesMut::with_capacity(id.name.len() + 28);
        out.put_u8(match self {
            Key::Snapshot(_) => KEY_SNAPSHOT,
            Key::Change(..) => KEY_CHANGE,
        });
        out.put_u8(id.space.0);
        out.put_slice(&id.topic.0);
        out.put_u32_le(id.partition);
        if let Key::Change(_, slot) = self {
            out.put_u16_le(*slot);
        }
        out.put_slice(id.name.as_bytes());
        out.freeze()
    }

    pub fn decode(bytes: &[u8]) -> Result<Key, FormatError> {
        let mut reader = Reader(bytes);
        let kind = reader.u8()?;
        let space = Space(reader.u8()?);
        let topic = TopicId(reader.array()?);
        let partition = u32::from_le_bytes(reader.array()?);
        let slot = match kind {
            KEY_SNAPSHOT => None,
            KEY_CHANGE => Some(u16::from_le_bytes(reader.array()?)),
            other => return Err(FormatError::Unknown(other)),
        };
        let name = std::str::from_utf8(reader.0).map_err(|_| FormatError::Damaged)?;
        let id = SubscriptionId {
            space,
            name: Arc::from(name),
            topic,
            partition,
        };
        Ok(slot.map_or(Key::Snapshot(id.clone()), |slot| Key::Change(id, slot)))
    }
}

pub(super) fn encode_snapshot(ledger: &Ledger) -> Bytes {
    let mut out = BytesMut::with_capacity(32 + ledger.marks().len() * 4);
    out.put_u8(VERSION);
    out.put_u64_le(ledger.version());
    out.put_u64_le(ledger.start());
    put_marks(&mut out, ledger.start(), ledger.marks());
    out.freeze()
}

pub(super) fn decode_snapshot(bytes: &[u8]) -> Result<Ledger, FormatError> {
    let mut reader = Reader::of_version(bytes)?;
    let version = reader.u64()?;
    let start = reader.u64()?;
    let marks = reader.marks(start)?;
    reader.end()?;
    Ok(Ledger::restore(version, start, marks))
}

/// `version` is that of the ledger once the change is applied.
pub(super) fn encode_change(change: &Change, version: u64) -> Bytes {
    let mut out = BytesMut::with_capacity(40 + change.marks.len() * 4);
    out.put_u8(VERSION);
    out.put_u64_le(version);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.put_u8(flag(change.restart.is_some(), FLAG_RESTART) | flag(change.trim.is_some(), FLAG_TRIM));
    out.put_u64_le(change.restart.unwrap_or(0));
    out.put_u64_le(change.trim.unwrap_or(0));
    let from = change.marks.first().map_or(0, |(range, _)| *range.start());
    out.put_u64_le(from);
    put_marks(&mut out, from, &change.marks);
    out.freeze()
}

/// The change, and the version that it makes.
pub(super) fn decode_change(bytes: &[u8]) -> Result<(Change, u64), FormatError> {
    let mut reader = Reader::of_version(bytes)?;
    let version = reader.u64()?;
    let flags = reader.u8()?;
    if flags & !(FLAG_RESTART | FLAG_TRIM) != 0 {
        return Err(FormatError::Unknown(flags));
    }
    let restart = reader.u64()?;
    let trim = reader.u64()?;
    let from = reader.u64()?;
    let marks = reader.marks(from)?;
    reader.end()?;
    let change = Change {
        restart: (flags & FLAG_RESTART != 0).then_some(restart),
        marks,
        trim: (flags & FLAG_TRIM != 0).then_some(trim),
    };
    Ok((change, version))
}

/// Runs as distances, so that the usual one takes three bytes.
fn put_marks(out: &mut BytesMut, from: u64, marks: &Runs<Mark>) {
    put_varint(out, marks.len() as u64);
    let mut next = from;
    for (range, mark) in marks.iter() {
        put_varint(out, range.start() - next);
        put_varint(out, range.end() - range.start());
        next = range.end() + 1;
        let (kind, deliveries) = match mark {
            Mark::Done => (MARK_DONE, None),
            Mark::Returned(deliveries) => (MARK_RETURNED, Some(deliveries)),
            Mark::Condemned { deliveries, cause } => {
                let kind = match cause {
                    Cause::Rejected => MARK_REJECTED,
                    Cause::Undelivered => MARK_UNDELIVERED,
                };
                (kind, Some(deliveries))
            }
        };
        out.put_u8(kind);
        if let Some(deliveries) = deliveries {
            put_varint(out, u64::from(deliveries));
        }
    }
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn of_version(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut reader = Self(bytes);
        match reader.u8()? {
            VERSION => Ok(reader),
            other => Err(FormatError::Unknown(other)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(FormatError::Damaged)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(self.array::<1>()?[0])
    }

    fn u64(&mut self) -> Result<u64, FormatError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn varint(&mut self) -> Result<u64, FormatError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(FormatError::Damaged);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(FormatError::Damaged)
    }

    fn marks(&mut self, from: u64) -> Result<Runs<Mark>, FormatError> {
        let count = self.varint()?;
        // A run takes three bytes at least: a count that the bytes cannot hold is found before the loop.
        if count > self.0.len() as u64 {
            return Err(FormatError::Damaged);
        }
        let mut marks = Runs::default();
        let mut next = from;
        for _ in 0..count {
            let first = next.checked_add(self.varint()?).ok_or(FormatError::Damaged)?;
            let last = first.checked_add(self.varint()?).ok_or(FormatError::Damaged)?;
            next = last.checked_add(1).ok_or(FormatError::Damaged)?;
            let mark = self.mark()?;
            let range: Range = first..=last;
            marks.set(range, mark);
        }
        Ok(marks)
    }

    fn mark(&mut self) -> Result<Mark, FormatError> {
        let kind = self.u8()?;
        if kind == MARK_DONE {
            return Ok(Mark::Done);
        }
        let deliveries = u16::try_from(self.varint()?).map_err(|_| FormatError::Damaged)?;
        match kind {
            MARK_RETURNED => Ok(Mark::Returned(deliveries)),
            MARK_REJECTED => Ok(Mark::Condemned {
                deliveries,
                cause: Cause::Rejected,
            }),
            MARK_UNDELIVERED => Ok(Mark::Condemned {
                deliveries,
                cause: Cause::Undelivered,
            }),
            other => Err(FormatError::Unknown(other)),
        }
    }

    fn end(&self) -> Result<(), FormatError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(FormatError::Damaged)
        }
    }
}
