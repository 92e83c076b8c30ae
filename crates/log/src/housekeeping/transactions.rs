//! Transactions as compaction sees them: which batches were aborted, and of which transactions no record is left.
//!
//! Pure; fed with batches in the order of their offsets. Never decides what stays: it answers.
//!
//! **Invariant**: everything it is asked about lies below the stable end, so every transaction in it has ended, and whether it was
//! aborted is in the stream's list.

use crate::batch::BatchHeader;
use crate::ids::{AbortedTransaction, Offset};
use std::collections::{BTreeMap, BTreeSet};

/// What is left of a transaction when its marker comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// At least one record: a reader needs the marker.
    Records,
    /// None: the marker may go once every reader has had time to see it.
    Nothing,
}

/// See the module.
pub(crate) struct Transactions {
    /// First offset by producer and marker.
    aborted: BTreeMap<(i64, Offset), Offset>,
    /// Producers of which a record stays since their last marker.
    with_records: BTreeSet<i64>,
}

impl Transactions {
    pub(crate) fn new(aborted: &[AbortedTransaction]) -> Self {
        let by_marker = aborted
            .iter()
            .map(|one| ((one.producer_id, one.marker), one.first));
        Self {
            aborted: by_marker.collect(),
            with_records: BTreeSet::new(),
        }
    }

    /// Whether the batch belongs to an aborted transaction.
    pub(crate) fn is_aborted(&self, header: &BatchHeader) -> bool {
        if !header.is_transactional() || header.is_control() {
            return false;
        }
        let producer = header.producer_id;
        // The first of its transactions that ends behind the batch.
        let from = (producer, header.base_offset);
        let next = self.aborted.range(from..).next();
        next.is_some_and(|((of, _), first)| *of == producer && *first <= header.base_offset)
    }

    /// A batch with records stays.
    pub(crate) fn keep(&mut self, header: &BatchHeader) {
        if header.is_transactional() && !header.is_control() {
            self.with_records.insert(header.producer_id);
        }
    }

    /// A marker comes.
    pub(crate) fn end(&mut self, header: &BatchHeader) -> Left {
        if self.with_records.remove(&header.producer_id) {
            Left::Records
        } else {
            Left::Nothing
        }
    }

    /// Whether readers are still told of the transaction that this marker aborted: then they wait for the marker.
    pub(crate) fn is_told(&self, marker: &BatchHeader) -> bool {
        self.aborted
            .contains_key(&(marker.producer_id, marker.base_offset))
    }
}
