//! InitProducerId with a transactional id: a producer comes, or comes back.
//!
//! Owns: who gets which epoch (KIP-98, KIP-360). **Invariant**: a producer that has been given an epoch is fenced by the next one that
//! is given out, and what it left open is aborted before the next one begins.

use super::{Now, Shard, Then, reply};
use crate::state::RequestId;
use crate::transaction::answer::{Answer, Output};
use crate::transaction::config::TRANSACTIONS_PER_SHARD_MAX;
use crate::transaction::error::TransactionError;
use crate::transaction::request::{InitRequest, Request};
use crate::transaction::state::{Phase, TransactionState};

impl Shard {
    pub(super) fn init(&mut self, request: RequestId, init: InitRequest, now: Now, out: &mut Vec<Output>) {
        if let Err(error) = self.check_init(&init) {
            return reply(out, request, Answer::Init(Err(error)));
        }
        let id = init.id.clone();
        let fresh = TransactionState::new(init.fresh_id, init.timeout_ms, now.wall_ms);
        let present = self.ids.get(&id).map_or(&fresh, |live| &live.state);
        if init.expected.is_some_and(|expected| !present.knows(expected)) {
            return reply(out, request, Answer::Init(Err(TransactionError::ProducerFenced)));
        }
        match present.phase {
            Phase::PrepareCommit | Phase::PrepareAbort => {
                self.park(&id, request, Request::Init(init), now, out)
            }
            Phase::Ongoing => {
                // The present producer's own wish: it may take up the epoch that the markers carry.
                let may_return = init.expected.is_some();
                self.fence(&id, may_return, now, out);
                self.park(&id, request, Request::Init(init), now, out);
            }
            Phase::Empty | Phase::CompleteCommit | Phase::CompleteAbort => {
                let next = present.bumped(init.expected, init.fresh_id, init.timeout_ms, now.wall_ms);
                let then = Then {
                    reply: Some((request, Answer::Init(Ok(next.producer)))),
                    ..Then::default()
                };
                self.change(&id, next, then, out);
            }
        }
    }

    fn check_init(&self, init: &InitRequest) -> Result<(), TransactionError> {
        let timeout = u128::try_from(init.timeout_ms).unwrap_or(0);
        if timeout == 0 || timeout > self.config.timeout_max.as_millis() {
            return Err(TransactionError::InvalidTimeout);
        }
        let is_full = self.ids.len() >= TRANSACTIONS_PER_SHARD_MAX;
        if is_full && !self.ids.contains_key(&init.id) {
            return Err(TransactionError::CoordinatorNotAvailable);
        }
        Ok(())
    }
}
