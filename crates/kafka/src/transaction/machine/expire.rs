//! Transactional ids that nobody uses any more (transactional.id.expiration.ms).
//!
//! Owns: the sweep, in steps of bounded length. **Invariant**: an id with a transaction, or with a write under way, never expires.

use super::{Live, Now, Shard, Then};
use crate::transaction::answer::Output;
use crate::transaction::name::TransactionalId;
use crate::transaction::record::Record;
use std::ops::Bound;
use std::time::Duration;

/// Ids looked at in one step, so that no question waits for a long sweep.
const SWEEP_IDS_MAX: usize = 1_000;

/// Where the sweep stands.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// When to go on.
    pub due: Duration,
    /// The last id that was looked at; `None`: between two sweeps.
    pub after: Option<TransactionalId>,
}

impl Shard {
    pub(super) fn run_sweep(&mut self, now: Now, out: &mut Vec<Output>) {
        if now.monotonic < self.sweep.due {
            return;
        }
        let from = self.sweep.after.take().map_or(Bound::Unbounded, Bound::Excluded);
        let looked_at: Vec<(TransactionalId, bool)> = self
            .ids
            .range::<TransactionalId, _>((from, Bound::Unbounded))
            .take(SWEEP_IDS_MAX)
            .map(|(id, live)| (id.clone(), self.is_expired(live, now)))
            .collect();
        for (id, _) in looked_at.iter().filter(|(_, is_expired)| *is_expired) {
            if let Some(armed) = self.ids.remove(id).and_then(|live| live.armed_at) {
                self.timers.remove(&(armed, id.clone()));
            }
            let gone = Record {
                id: id.clone(),
                state: None,
            };
            self.persist(id, Some(&gone), Then::default(), out);
        }
        if looked_at.len() == SWEEP_IDS_MAX {
            self.sweep.after = looked_at.last().map(|(id, _)| id.clone());
        } else {
            self.sweep.due = now.monotonic + self.config.expiry_check_interval;
        }
    }

    fn is_expired(&self, live: &Live, now: Now) -> bool {
        let expiration_ms = i64::try_from(self.config.id_expiration.as_millis()).unwrap_or(i64::MAX);
        live.state.phase.is_settled()
            && live.writes_in_flight == 0
            && live.parked.is_empty()
            && now.wall_ms.saturating_sub(live.state.updated_ms) >= expiration_ms
    }
}
