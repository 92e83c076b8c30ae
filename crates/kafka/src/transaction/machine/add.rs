//! Partitions of a transaction: added by the producer, or asked about on behalf of a produce request.
//!
//! Owns: who may add what. **Invariant**: a partition is part of a transaction durably before a batch of the transaction is taken there;
//! else an abort would not find it.

use super::{Now, Shard, Then, reply};
use crate::state::RequestId;
use crate::transaction::answer::{Answer, Output};
use crate::transaction::config::PARTITIONS_PER_TRANSACTION_MAX;
use crate::transaction::error::TransactionError;
use crate::transaction::name::{Partitions, TransactionalId};
use crate::transaction::request::{AddRequest, Request, VerifyRequest};
use crate::transaction::state::{Phase, ProducerEpoch, TransactionState};
use std::time::Duration;

impl Shard {
    pub(super) fn add(&mut self, request: RequestId, add: AddRequest, now: Now, out: &mut Vec<Output>) {
        let state = match self.of_producer(&add.id, add.producer) {
            Ok(state) => state,
            Err(error) => return reply(out, request, Answer::Add(Err(error))),
        };
        let id = add.id.clone();
        if state.phase.is_prepared() {
            return self.park(&id, request, Request::Add(add), now, out);
        }
        let has_all = state.phase == Phase::Ongoing && state.partitions.covers(&add.partitions);
        if add.partitions.is_empty() || has_all {
            return self.answer_in_order(&id, request, Answer::Add(Ok(())), out);
        }
        let begins = state.phase != Phase::Ongoing;
        let added = state.with_partitions(
            &add.partitions,
            add.policy,
            now.wall_ms,
            PARTITIONS_PER_TRANSACTION_MAX,
        );
        let next = match added {
            Ok(next) => next,
            Err(error) => return reply(out, request, Answer::Add(Err(error))),
        };
        let timeout = Duration::from_millis(u64::try_from(next.timeout_ms).unwrap_or(0));
        let then = Then {
            reply: Some((request, Answer::Add(Ok(())))),
            ..Then::default()
        };
        self.change(&id, next, then, out);
        if begins && let Some(live) = self.ids.get_mut(&id) {
            live.aborts_at = Some(now.monotonic + timeout);
        }
        self.arm(&id);
    }

    /// Waits for nobody but the writes under way: what is not part of the transaction yet was not promised to anybody.
    pub(super) fn verify(&mut self, request: RequestId, verify: &VerifyRequest, out: &mut Vec<Output>) {
        let found = self.of_producer(&verify.id, verify.producer).and_then(|state| {
            if state.phase.is_prepared() {
                return Err(TransactionError::ConcurrentTransactions);
            }
            let asked = verify.partitions.iter();
            let part = asked.filter(|(topic, partition)| state.partitions.contains(topic, *partition));
            Ok(part
                .map(|(topic, partition)| (topic.clone(), partition))
                .collect::<Partitions>())
        });
        self.answer_in_order(&verify.id, request, Answer::Verify(found), out);
    }

    /// The state of an id, if it is `producer` who asks.
    fn of_producer(
        &self,
        id: &TransactionalId,
        producer: ProducerEpoch,
    ) -> Result<&TransactionState, TransactionError> {
        let known = self.ids.get(id).map(|live| &live.state);
        let state = known
            .filter(|state| state.producer.id == producer.id)
            .ok_or(TransactionError::InvalidProducerIdMapping)?;
        if state.producer.epoch == producer.epoch {
            Ok(state)
        } else {
            Err(TransactionError::ProducerFenced)
        }
    }
}
