//! When a subscription's state is written as a change and when as a snapshot, and how it is read back.
//!
//! Owns: the slots of changes. Each change behind a snapshot takes the next slot, and the next snapshot frees them all; so the
//! compacted stream holds one snapshot and at most `CHANGES_MAX` changes of a subscription, in an order that replay can prove.
//!
//! **Invariant** (trap T12): replay folds changes by `Ledger::apply`, as the live machine does, each exactly once, by its version.

use super::format::{FormatError, Key, decode_change, decode_snapshot, encode_change, encode_snapshot};
use super::id::SubscriptionId;
use super::ledger::{Change, Ledger};
use crate::state_stream::StateRecord;
use std::collections::BTreeMap;

/// Changes behind one snapshot: replay and deletion touch no more records than this.
const CHANGES_MAX: u16 = 512;

/// A snapshot is due once the changes take so many times its own bytes: then it costs a fraction of what was written anyway.
const CHANGES_TO_SNAPSHOT_BYTES: usize = 4;

/// Below so many bytes of changes a snapshot is not worth its while.
const CHANGES_BYTES_MIN: usize = 16 << 10;

/// What the stream holds of one subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stored {
    /// The next free slot; `None`: no snapshot yet.
    slots: Option<u16>,
    /// Slots that some change has ever used: what a deletion has to clear.
    slots_used: u16,
    changes_bytes: usize,
    snapshot_bytes: usize,
}

impl Stored {
    /// The record that makes `change` durable, on top of `ledger`.
    pub fn record(&mut self, id: &SubscriptionId, ledger: &Ledger, change: &Change) -> StateRecord {
        let is_large =
            self.changes_bytes >= CHANGES_BYTES_MIN.max(self.snapshot_bytes * CHANGES_TO_SNAPSHOT_BYTES);
        match self.slots {
            Some(slot) if slot < CHANGES_MAX && !is_large => {
                let value = encode_change(change, ledger.version() + 1);
                self.slots = Some(slot + 1);
                self.slots_used = self.slots_used.max(slot + 1);
                self.changes_bytes += value.len();
                StateRecord {
                    key: Key::Change(id.clone(), slot).encode(),
                    value: Some(value),
                }
            }
            _ => {
                let mut next = ledger.clone();
                next.apply(change);
                self.snapshot(id, &next)
            }
        }
    }

    /// The record of a whole ledger.
    pub fn snapshot(&mut self, id: &SubscriptionId, ledger: &Ledger) -> StateRecord {
        let value = encode_snapshot(ledger);
        self.slots = Some(0);
        self.changes_bytes = 0;
        self.snapshot_bytes = value.len();
        StateRecord {
            key: Key::Snapshot(id.clone()).encode(),
            value: Some(value),
        }
    }

    /// A write failed: the stream may lack what this believes it has, so the next write is a snapshot.
    pub fn distrust(&mut self) {
        self.slots = None;
    }

    /// The records that delete everything of a subscription.
    pub fn deletion(self, id: &SubscriptionId) -> Vec<StateRecord> {
        let changes = (0..self.slots_used).map(|slot| Key::Change(id.clone(), slot));
        let keys = std::iter::once(Key::Snapshot(id.clone())).chain(changes);
        keys.map(|key| StateRecord {
            key: key.encode(),
            value: None,
        })
        .collect()
    }
}

/// Subscriptions of one state stream while it is replayed.
#[derive(Default)]
pub(super) struct Loader {
    found: BTreeMap<SubscriptionId, Found>,
    failed: Option<FormatError>,
}

#[derive(Default)]
struct Found {
    ledger: Option<Ledger>,
    stored: Stored,
    /// A change was met whose predecessor is missing. A snapshot behind it heals that: compaction takes changes that it covers.
    has_hole: bool,
}

impl Loader {
    /// Folds the next record in. The first one that cannot be read decides the outcome of `finish`.
    pub fn replay(&mut self, key: &[u8], value: Option<&[u8]>) {
        if let Err(error) = self.fold(key, value) {
            self.failed = self.failed.or(Some(error));
        }
    }

    fn fold(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), FormatError> {
        let key = Key::decode(key)?;
        let found = self.found.entry(key.id().clone()).or_default();
        match (key, value) {
            (Key::Snapshot(_), Some(value)) => {
                found.ledger = Some(decode_snapshot(value)?);
                found.has_hole = false;
                found.stored.slots = Some(0);
                found.stored.changes_bytes = 0;
                found.stored.snapshot_bytes = value.len();
            }
            (Key::Snapshot(_), None) => {
                found.ledger = None;
                found.has_hole = false;
            }
            (Key::Change(_, slot), Some(value)) => {
                let (change, version) = decode_change(value)?;
                found.stored.slots_used = found.stored.slots_used.max(slot + 1);
                found.apply(slot, &change, version, value.len());
            }
            (Key::Change(..), None) => {}
        }
        Ok(())
    }

    /// Every subscription that is there, with what the stream holds of it.
    pub fn finish(self) -> Result<BTreeMap<SubscriptionId, (Ledger, Stored)>, FormatError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut whole = BTreeMap::new();
        for (id, found) in self.found {
            let Some(ledger) = found.ledger else { continue };
            if found.has_hole {
                return Err(FormatError::Hole);
            }
            whole.insert(id, (ledger, found.stored));
        }
        Ok(whole)
    }
}

impl Found {
    fn apply(&mut self, slot: u16, change: &Change, version: u64, bytes: usize) {
        // Without a snapshot, or older than it: a later snapshot, or the present one, covers it.
        let Some(ledger) = &mut self.ledger else { return };
        if version <= ledger.version() {
            return;
        }
        if version > ledger.version() + 1 {
            self.has_hole = true;
            return;
        }
        ledger.apply(change);
        self.stored.slots = Some(slot + 1);
        self.stored.changes_bytes += bytes;
    }
}
