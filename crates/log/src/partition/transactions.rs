//! The partition's part of transactions: which batch may join one, and which were aborted.
//!
//! Never decides when a transaction ends: a coordinator does, and says so with a marker.

use super::{Partition, State};
use crate::batch::BatchHeader;
use crate::error::AppendError;
use crate::ids::{AbortedTransaction, Offset, TransactionGuard};

impl Partition {
    /// What the producer's transaction is here, now.
    pub(crate) fn transaction_guard(&self, producer_id: i64, producer_epoch: i16) -> TransactionGuard {
        let state = self.state.lock();
        let producers = state.producers.as_ref();
        let unknown = TransactionGuard {
            is_open: false,
            markers: 0,
        };
        producers.map_or(unknown, |producers| producers.guard(producer_id, producer_epoch))
    }

    /// Compaction has left nothing of aborted transactions below `through`, and whoever read there before it is gone. False: a part of
    /// that is in the tail, where nothing is compacted.
    pub(crate) fn forget_compacted(&self, through: Offset) -> bool {
        let mut state = self.state.lock();
        let below = through.min(state.tail_start());
        state.trim_aborted(below);
        below == through
    }

    /// See `AbortedList::overlapping`.
    pub(crate) fn aborted_between(&self, from: Offset, below: Offset) -> Vec<AbortedTransaction> {
        let state = self.state.lock();
        let aborted = state.aborted.as_ref();
        aborted.map_or_else(Vec::new, |aborted| aborted.overlapping(from, below))
    }
}

impl State {
    /// Whether a fresh data batch fits the transaction that its producer has, or has not, open here.
    pub(super) fn check_transaction(
        &self,
        header: &BatchHeader,
        guard: Option<TransactionGuard>,
    ) -> Result<(), AppendError> {
        if header.is_control() {
            return Ok(());
        }
        let producers = self.producers.as_ref();
        let now = producers.map(|producers| producers.guard(header.producer_id, header.producer_epoch));
        let is_open = now.is_some_and(|now| now.is_open);
        if !header.is_transactional() {
            // A transaction is not left for a moment.
            return if is_open {
                Err(AppendError::NotInTransaction)
            } else {
                Ok(())
            };
        }
        let markers = now.map_or(0, |now| now.markers);
        if guard.is_some_and(|guard| guard.markers != markers) {
            return Err(AppendError::NotInTransaction);
        }
        let is_full = self.aborted.as_ref().is_some_and(|aborted| aborted.is_full());
        if !is_open && is_full {
            return Err(AppendError::TooManyAborted);
        }
        Ok(())
    }

    /// A marker became durable, or was replayed, and aborted this.
    pub(super) fn note_aborted(&mut self, aborted: Option<AbortedTransaction>) {
        if let Some(aborted) = aborted.filter(|aborted| aborted.marker >= self.start) {
            self.aborted.get_or_insert_default().push(aborted);
        }
    }

    /// Whatever ended below the start is not read any more.
    pub(super) fn forget_aborted(&mut self) {
        self.trim_aborted(self.start);
    }

    fn trim_aborted(&mut self, below: Offset) {
        if let Some(aborted) = &mut self.aborted {
            aborted.trim(below);
            if aborted.is_empty() {
                self.aborted = None;
            }
        }
    }
}
