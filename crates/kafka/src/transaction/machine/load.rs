//! From the stream's records to a running shard.
//!
//! Owns: replay. **Invariant** (trap T12): the newest record of an id is its state; whatever was prepared is ended now.

use super::end::job;
use super::expire::Sweep;
use super::{Live, Now, Shard};
use crate::state::{PersistToken, RecordError};
use crate::transaction::answer::Output;
use crate::transaction::config::TransactionConfig;
use crate::transaction::name::TransactionalId;
use crate::transaction::record::Record;
use crate::transaction::state::{Phase, TransactionState};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A shard that is still being read.
#[derive(Debug, Default)]
pub struct ShardLoader {
    states: BTreeMap<TransactionalId, TransactionState>,
    failed: Option<RecordError>,
}

impl ShardLoader {
    /// Folds the next record in. The first record that cannot be read decides the outcome of `finish`.
    pub fn replay(&mut self, key: &[u8], value: Option<&[u8]>) {
        match Record::decode(key, value) {
            Ok(Record {
                id,
                state: Some(state),
            }) => {
                self.states.insert(id, state);
            }
            Ok(Record { id, state: None }) => {
                self.states.remove(&id);
            }
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    /// Starts the shard; what is to be done first is added to `out`: the markers of every transaction that was prepared. Serving a part
    /// of what was stored could leave a transaction without an end, so a record that cannot be read is an error for the whole shard.
    pub fn finish(
        self,
        config: TransactionConfig,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<Shard, RecordError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut shard = Shard {
            sweep: Sweep {
                due: now.monotonic + config.expiry_check_interval,
                after: None,
            },
            config,
            ids: BTreeMap::new(),
            timers: BTreeSet::new(),
            pending: VecDeque::new(),
            next_token: PersistToken(0),
        };
        for (id, state) in self.states {
            if state.phase.is_prepared() {
                out.push(Output::Mark(job(&id, &state)));
            }
            let mut live = Live::new(state);
            if live.state.phase == Phase::Ongoing {
                live.aborts_at = Some(now.monotonic + time_left(&live.state, now.wall_ms));
            }
            shard.ids.insert(id.clone(), live);
            shard.arm(&id);
        }
        Ok(shard)
    }
}

/// Of the transaction's time; never more than all of it, whatever the wall clock did meanwhile.
fn time_left(state: &TransactionState, wall_ms: i64) -> Duration {
    let timeout_ms = i64::from(state.timeout_ms).max(0);
    let spent_ms = wall_ms.saturating_sub(state.started_ms).clamp(0, timeout_ms);
    Duration::from_millis(u64::try_from(timeout_ms - spent_ms).unwrap_or(0))
}
