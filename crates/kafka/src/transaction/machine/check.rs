//! What must hold of a shard after every step; tests and the simulator call it.

use super::Shard;
use crate::transaction::name::TransactionalId;
use crate::transaction::state::{NO_EPOCH, Phase, TransactionState};
use std::collections::BTreeMap;

impl Shard {
    /// Asserts every named invariant.
    ///
    /// # Panics
    /// With the name of the invariant that is broken.
    pub fn check(&self) {
        for (id, live) in &self.ids {
            let state = &live.state;
            assert!(state.producer.epoch > NO_EPOCH, "an_id_has_an_epoch: {id}");
            assert_eq!(
                state.phase == Phase::Ongoing,
                live.aborts_at.is_some(),
                "an_ongoing_transaction_has_an_end: {id}"
            );
            let covers = !state.partitions.is_empty();
            let may_cover = state.phase == Phase::Ongoing || state.phase.is_prepared();
            assert!(!covers || may_cover, "a_settled_id_covers_nothing: {id}");
            assert!(
                live.parked.is_empty() || state.phase.is_prepared(),
                "requests_wait_only_for_markers: {id}"
            );
            if let Some(deadline) = live.earliest_deadline() {
                assert!(
                    live.armed_at.is_some_and(|armed| armed <= deadline),
                    "a_deadline_is_never_missed: {id}"
                );
            }
        }
        let in_flight: usize = self.ids.values().map(|live| live.writes_in_flight).sum();
        assert!(in_flight <= self.pending.len(), "writes_in_flight_are_pending");
    }

    /// The state of every id: what a restart would find once nothing is under way.
    #[must_use]
    pub fn states(&self) -> BTreeMap<TransactionalId, TransactionState> {
        let all = self.ids.iter();
        all.map(|(id, live)| (id.clone(), live.state.clone())).collect()
    }

    /// Writes that have no outcome yet.
    #[must_use]
    pub fn writes_in_flight(&self) -> usize {
        self.pending.len()
    }
}
