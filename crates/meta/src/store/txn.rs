//! Transactions of the metadata store: compares, operations, their validation.
//!
//! Owns: what a transaction may hold. Never: carries one out (`state` does, or etcd).
//! **Invariant**: `Txn::check` refuses whatever one implementation could not do, so that all refuse the same.

use super::{
    Entry, KEY_BYTES_MAX, KeyRange, Revision, SessionId, TXN_BYTES_MAX, TXN_COMPARES_MAX, TXN_OPS_MAX,
    TxnRefusal, VALUE_BYTES_MAX,
};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What must hold for a transaction to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The key was last written at exactly this revision.
    ModifiedAt {
        /// Which key.
        key: Arc<str>,
        /// Its revision.
        revision: Revision,
    },
    /// The key holds nothing.
    Absent(Arc<str>),
    /// The key holds something.
    Present(Arc<str>),
    /// The session has not expired.
    SessionAlive(SessionId),
}

/// One change. The keys of a transaction's operations must not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Writes the key.
    Put {
        /// Which key.
        key: Arc<str>,
        /// What it holds from now on.
        value: Bytes,
        /// The session with which it vanishes; must be alive.
        session: Option<SessionId>,
    },
    /// Deletes the key if it is there.
    Delete(Arc<str>),
    /// Deletes every key of the range.
    DeleteRange(KeyRange),
}

/// A transaction. Built up, then handed to the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Txn {
    /// All must hold.
    pub compares: Vec<Compare>,
    /// All are carried out at one revision, or none.
    pub ops: Vec<Op>,
}

/// The answer to a transaction that reached the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnOutcome {
    /// Carried out and durable.
    Committed {
        /// The revision of its changes; the present one if it changed nothing.
        revision: Revision,
    },
    /// Nothing was changed: a compare did not hold.
    CompareFailed {
        /// What each compare looked at, in their order.
        current: Vec<Current>,
    },
}

/// What a compare found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Current {
    /// The key's present content.
    Key(Option<Entry>),
    /// Whether the session lives.
    Session {
        /// It has not expired.
        alive: bool,
    },
}

impl Txn {
    /// A transaction without compares and operations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a compare.
    #[must_use]
    pub fn when(mut self, compare: Compare) -> Self {
        self.compares.push(compare);
        self
    }

    /// Adds the compare that the key still is as it was read.
    #[must_use]
    pub fn when_unchanged(self, key: &str, read: Option<Revision>) -> Self {
        self.when(match read {
            Some(revision) => Compare::ModifiedAt {
                key: key.into(),
                revision,
            },
            None => Compare::Absent(key.into()),
        })
    }

    /// Adds the compare that the writer's session lives.
    #[must_use]
    pub fn when_alive(self, session: Option<SessionId>) -> Self {
        match session {
            Some(session) => self.when(Compare::SessionAlive(session)),
            None => self,
        }
    }

    /// Adds a write.
    #[must_use]
    pub fn put(mut self, key: &str, value: Bytes) -> Self {
        self.ops.push(Op::Put {
            key: key.into(),
            value,
            session: None,
        });
        self
    }

    /// Adds a write that vanishes with the session.
    #[must_use]
    pub fn put_bound(mut self, key: &str, value: Bytes, session: SessionId) -> Self {
        self.ops.push(Op::Put {
            key: key.into(),
            value,
            session: Some(session),
        });
        self
    }

    /// Adds a deletion.
    #[must_use]
    pub fn delete(mut self, key: &str) -> Self {
        self.ops.push(Op::Delete(key.into()));
        self
    }

    /// Adds the deletion of a range.
    #[must_use]
    pub fn delete_range(mut self, range: KeyRange) -> Self {
        self.ops.push(Op::DeleteRange(range));
        self
    }

    /// Keys and values, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let compares = self.compares.iter().map(|compare| match compare {
            Compare::ModifiedAt { key, .. } | Compare::Absent(key) | Compare::Present(key) => key.len(),
            Compare::SessionAlive(_) => size_of::<SessionId>(),
        });
        let ops = self.ops.iter().map(|op| match op {
            Op::Put { key, value, .. } => key.len() + value.len(),
            Op::Delete(key) => key.len(),
            Op::DeleteRange(range) => range.from.len() + range.to.len(),
        });
        compares.chain(ops).sum()
    }

    /// Whether any store would take it. Every implementation calls this first.
    ///
    /// # Errors
    /// The limit or rule that it breaks.
    pub fn check(&self) -> Result<(), TxnRefusal> {
        if self.ops.len() > TXN_OPS_MAX || self.compares.len() > TXN_COMPARES_MAX {
            return Err(TxnRefusal::TooManyOps);
        }
        for compare in &self.compares {
            match compare {
                Compare::ModifiedAt { key, .. } | Compare::Absent(key) | Compare::Present(key) => {
                    check_key(key)?;
                }
                Compare::SessionAlive(_) => {}
            }
        }
        let mut keys = BTreeSet::new();
        for op in &self.ops {
            match op {
                Op::Put { key, value, .. } => {
                    if value.len() > VALUE_BYTES_MAX {
                        return Err(TxnRefusal::ValueTooLarge);
                    }
                    check_key(key)?;
                    if !keys.insert(&**key) {
                        return Err(TxnRefusal::OverlappingKeys);
                    }
                }
                Op::Delete(key) => {
                    check_key(key)?;
                    if !keys.insert(&**key) {
                        return Err(TxnRefusal::OverlappingKeys);
                    }
                }
                Op::DeleteRange(range) => check_range(range)?,
            }
        }
        self.check_ranges(&keys)?;
        if self.bytes() > TXN_BYTES_MAX {
            return Err(TxnRefusal::TxnTooLarge);
        }
        Ok(())
    }

    /// No range holds a key of another operation, nor meets another range.
    fn check_ranges(&self, keys: &BTreeSet<&str>) -> Result<(), TxnRefusal> {
        let mut ranges: Vec<&KeyRange> = Vec::new();
        for op in &self.ops {
            let Op::DeleteRange(range) = op else { continue };
            let holds_key = keys.iter().any(|key| range.contains(key));
            let meets = ranges
                .iter()
                .any(|other| other.from < range.to && range.from < other.to);
            if holds_key || meets {
                return Err(TxnRefusal::OverlappingKeys);
            }
            ranges.push(range);
        }
        Ok(())
    }
}

/// Whether `key` can be a key: printable ASCII, not empty, not too long.
pub(crate) fn check_key(key: &str) -> Result<(), TxnRefusal> {
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !printable {
        return Err(TxnRefusal::InvalidKey);
    }
    Ok(())
}

/// Bounds of a range may also be empty or end in the byte after the last printable one.
fn check_range(range: &KeyRange) -> Result<(), TxnRefusal> {
    let bound = |key: &str| key.len() <= KEY_BYTES_MAX + 1 && key.bytes().all(|b| (0x21..=0x7f).contains(&b));
    if bound(&range.from) && bound(&range.to) {
        Ok(())
    } else {
        Err(TxnRefusal::InvalidKey)
    }
}
