//! DescribeTransactions and ListTransactions.

use super::{Now, Shard};
use crate::transaction::answer::{DescribedTransaction, ListedTransaction};
use crate::transaction::name::TransactionalId;
use crate::transaction::request::ListFilter;
use crate::transaction::state::TransactionState;

impl Shard {
    pub(super) fn describe(&self, id: &TransactionalId) -> Option<DescribedTransaction> {
        let state = &self.ids.get(id)?.state;
        Some(DescribedTransaction {
            phase: state.phase,
            timeout_ms: state.timeout_ms,
            started_ms: state.started_ms,
            producer: state.producer,
            partitions: state.partitions.clone(),
        })
    }

    pub(super) fn list(&self, filter: &ListFilter, now: Now) -> Vec<ListedTransaction> {
        let all = self.ids.iter();
        let wanted = all.filter(|(id, live)| matches(filter, id, &live.state, now));
        wanted
            .map(|(id, live)| ListedTransaction {
                id: id.clone(),
                producer_id: live.state.producer.id,
                phase: live.state.phase,
            })
            .collect()
    }
}

fn matches(filter: &ListFilter, id: &TransactionalId, state: &TransactionState, now: Now) -> bool {
    let in_phase = filter
        .phases
        .as_ref()
        .is_none_or(|phases| phases.contains(&state.phase));
    let of_producer = filter.producer_ids.is_empty() || filter.producer_ids.contains(&state.producer.id);
    let age_ms = now.wall_ms.saturating_sub(state.started_ms);
    let is_old = filter.older_than_ms < 0 || age_ms > filter.older_than_ms;
    let is_named = filter
        .pattern
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(id.as_str()));
    in_phase && of_producer && is_old && is_named
}
