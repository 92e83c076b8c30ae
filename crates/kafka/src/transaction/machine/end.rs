//! EndTxn, and ends that the broker decides: a timeout, a newer producer.
//!
//! Owns: which end is right in which phase (KIP-98; KIP-890 for retries and for aborts of nothing). **Invariant**: an end is answered
//! once it is durable, and markers are asked for then, not before.

use super::{Now, Shard, Then, reply};
use crate::state::RequestId;
use crate::transaction::answer::{Answer, MarkerJob, Output};
use crate::transaction::error::TransactionError;
use crate::transaction::name::TransactionalId;
use crate::transaction::request::EndRequest;
use crate::transaction::state::{EpochPolicy, Phase, ProducerEpoch, TransactionState};

/// What is right for an end that a producer asks for.
enum Verdict {
    /// The transaction is prepared.
    Prepare,
    /// It was ended so before: the same answer again.
    Again(ProducerEpoch),
}

impl Shard {
    pub(super) fn end(&mut self, request: RequestId, end: &EndRequest, now: Now, out: &mut Vec<Output>) {
        let Some(live) = self.ids.get(&end.id) else {
            let unknown = Err(TransactionError::InvalidProducerIdMapping);
            return reply(out, request, Answer::End(unknown));
        };
        let state = &live.state;
        match judge(state, end) {
            Err(error) => self.answer_in_order(&end.id, request, Answer::End(Err(error)), out),
            Ok(Verdict::Again(producer)) => {
                self.answer_in_order(&end.id, request, Answer::End(Ok(producer)), out);
            }
            Ok(Verdict::Prepare) => {
                let next = state.prepared(end.commit, end.policy, end.fresh_id, now.wall_ms);
                let answer = Answer::End(Ok(next.successor()));
                self.prepare(&end.id, next, Some((request, answer)), out);
            }
        }
    }

    /// Aborts an ongoing transaction against its producer's will.
    pub(super) fn fence(&mut self, id: &TransactionalId, may_return: bool, now: Now, out: &mut Vec<Output>) {
        let Some(live) = self.ids.get(id) else { return };
        // Epochs that rise with each transaction let a producer go on behind one that took too long; the others cannot
        // tell whether the abort was theirs.
        let may_return = may_return && live.state.policy == EpochPolicy::PerTransaction;
        let next = live.state.fenced(may_return, now.wall_ms);
        self.prepare(id, next, None, out);
    }

    fn prepare(
        &mut self,
        id: &TransactionalId,
        next: TransactionState,
        reply: Option<(RequestId, Answer)>,
        out: &mut Vec<Output>,
    ) {
        let markers = Some(job(id, &next));
        self.change(id, next, Then { reply, markers }, out);
    }
}

/// The markers of a prepared transaction.
pub(super) fn job(id: &TransactionalId, state: &TransactionState) -> MarkerJob {
    MarkerJob {
        id: id.clone(),
        producer: state.producer,
        commit: state.phase == Phase::PrepareCommit,
        partitions: state.partitions.clone(),
    }
}

fn judge(state: &TransactionState, end: &EndRequest) -> Result<Verdict, TransactionError> {
    let per_transaction = end.policy == EpochPolicy::PerTransaction;
    // A producer that has begun its next transaction has heard of the end of the last.
    let is_retry = per_transaction && state.phase != Phase::Ongoing && state.is_retry_of_end(end.producer);
    if !is_retry {
        if state.producer.id != end.producer.id {
            return Err(TransactionError::InvalidProducerIdMapping);
        }
        if state.producer.epoch != end.producer.epoch {
            return Err(TransactionError::ProducerFenced);
        }
    }
    let invalid = Err(TransactionError::InvalidTransactionState);
    match (state.phase, end.commit) {
        (Phase::Ongoing, _) => Ok(Verdict::Prepare),
        // Whatever is asked for: it may be the end of the producer's next transaction, of which nothing is known before this
        // one has ended. As Kafka, which judges nothing while markers are under way.
        (Phase::PrepareCommit | Phase::PrepareAbort, _) => Err(TransactionError::ConcurrentTransactions),
        (Phase::CompleteCommit, true) | (Phase::CompleteAbort, false) if !per_transaction || is_retry => {
            Ok(Verdict::Again(state.producer))
        }
        // It took too long, and was aborted: the producer's part in it is over, and it comes back with a new epoch.
        (Phase::CompleteAbort, true) if is_retry => Err(TransactionError::ProducerFenced),
        // Partitions are added by the first batch, so a producer whose first batch failed does not know whether there is a
        // transaction: it aborts to be sure, and gets its next epoch.
        (Phase::Empty | Phase::CompleteCommit | Phase::CompleteAbort, false)
            if per_transaction && !is_retry =>
        {
            Ok(Verdict::Prepare)
        }
        (Phase::Empty | Phase::CompleteCommit | Phase::CompleteAbort, _) => invalid,
    }
}
