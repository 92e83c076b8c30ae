//! Offsets that open transactions will commit (KIP-98, KIP-447), and the ends of those transactions.
//!
//! Owns: what of a group belongs to which transaction, and what its end makes of it. Never: when a transaction ends; its coordinator says
//! so.
//!
//! **Invariant**: an end is answered once no durable offset of the transaction is pending any more, so a coordinator that asks again
//! after a crash finds either what it left or nothing.

use super::base::Base;
use super::turn::Then;
use super::{Now, Shard, Turn};
use crate::group::answer::{Answer, Output};
use crate::group::durable::Partition;
use crate::group::error::{GroupError, PersistError};
use crate::group::name::GroupId;
use crate::group::record::{CommittedOffset, Record};
use crate::group::request::{EndOffsetsRequest, OffsetProducer};
use crate::state::RequestId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the epoch of an ended transaction is remembered: longer than any request of its producer can be on its way inside this
/// process.
const EPOCH_REMEMBERED: Duration = Duration::from_secs(300);

/// Producers beyond which those that lapsed are looked for.
const EPOCHS_KEPT: usize = 10_000;

/// Offsets of one write; two records each.
const OFFSETS_PER_WRITE_MAX: usize = 5_000;

/// The transactions that touch this shard.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// By producer id: groups that hold, or may hold, offsets of its open transaction.
    open: BTreeMap<i64, BTreeSet<GroupId>>,
    /// By producer id: the epoch of the last end, and when it came.
    ended: BTreeMap<i64, (i16, Duration)>,
    /// Ends whose writes are under way. Until those are durable their groups hold the offsets still.
    ending: BTreeMap<RequestId, Ending>,
}

#[derive(Debug)]
struct Ending {
    producer_id: i64,
    groups: BTreeSet<GroupId>,
    writes_left: usize,
    failed: Option<GroupError>,
}

impl Transactions {
    /// Notes what a replayed group holds.
    pub fn loaded(&mut self, group: &Base) {
        for producer_id in group.durable.transactional.keys() {
            let groups = self.open.entry(*producer_id).or_default();
            groups.insert(group.id.clone());
        }
    }

    /// Whether the producer may add offsets: not after the end of a transaction under a higher epoch, which would leave them pending
    /// for ever.
    pub fn admit(&mut self, producer: OffsetProducer, group: &GroupId) -> Result<(), GroupError> {
        let ended = self.ended.get(&producer.id);
        if ended.is_some_and(|(epoch, _)| producer.epoch < *epoch) {
            return Err(GroupError::StaleProducerEpoch);
        }
        self.open.entry(producer.id).or_default().insert(group.clone());
        Ok(())
    }

    /// Whether any transaction holds, or may hold, offsets here.
    pub fn are_open(&self) -> bool {
        !self.open.is_empty() || !self.ending.is_empty()
    }

    /// The groups that hold, or may hold, offsets of the producer's transaction; also of one that is just being ended.
    fn groups_of(&self, producer_id: i64) -> BTreeSet<GroupId> {
        let mut groups = self.open.get(&producer_id).cloned().unwrap_or_default();
        let ending = self.ending.values().filter(|end| end.producer_id == producer_id);
        groups.extend(ending.flat_map(|end| &end.groups).cloned());
        groups
    }

    fn note_end(&mut self, end: &EndOffsetsRequest, now: Duration) {
        if self.ended.len() >= EPOCHS_KEPT {
            self.ended.retain(|_, (_, at)| *at + EPOCH_REMEMBERED > now);
        }
        self.ended.insert(end.producer_id, (end.producer_epoch, now));
    }
}

impl Shard {
    /// The end of a transaction, for all groups that have offsets of it.
    pub(super) fn end_offsets(
        &mut self,
        request: RequestId,
        end: &EndOffsetsRequest,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        self.transactions.note_end(end, now.monotonic);
        let groups = self.transactions.groups_of(end.producer_id);
        for id in &groups {
            let mut waits = false;
            self.with_group(id, now, out, |group, turn| {
                waits = group.base_mut().waits_for_removal(request, end, turn);
            });
            if waits {
                return;
            }
        }
        self.transactions.open.remove(&end.producer_id);
        let mut writes_left = 0;
        for id in &groups {
            self.with_group(id, now, out, |group, turn| {
                writes_left += group.base_mut().end_transaction(request, end, turn);
            });
        }
        if writes_left == 0 {
            return out.push(Output::Reply(request, Answer::EndOffsets(Ok(()))));
        }
        let ending = Ending {
            producer_id: end.producer_id,
            groups,
            writes_left,
            failed: None,
        };
        self.transactions.ending.insert(request, ending);
    }

    /// A write of an end has an outcome; the last one answers.
    pub(super) fn offsets_ended(
        &mut self,
        request: RequestId,
        outcome: Result<(), PersistError>,
        out: &mut Vec<Output>,
    ) {
        let transactions = &mut self.transactions;
        let Some(ending) = transactions.ending.get_mut(&request) else {
            return;
        };
        ending.writes_left -= 1;
        if let Err(error) = outcome {
            ending.failed = Some(error.for_group());
        }
        if ending.writes_left > 0 {
            return;
        }
        let ending = transactions.ending.remove(&request).expect("it was just seen");
        let result = match ending.failed {
            None => Ok(()),
            Some(error) => {
                // Whoever asks again finds the groups again.
                let open = transactions.open.entry(ending.producer_id).or_default();
                open.extend(ending.groups);
                Err(error)
            }
        };
        out.push(Output::Reply(request, Answer::EndOffsets(result)));
    }
}

impl Base {
    /// Whether something of the transaction's offsets is being removed: by an end that came before, or by a commit that overtook it.
    /// Then nobody can tell yet what there is to end, and this end is looked at again behind that write.
    fn waits_for_removal(
        &mut self,
        request: RequestId,
        end: &EndOffsetsRequest,
        turn: &mut Turn<'_>,
    ) -> bool {
        let removes = |record: &Record| record.is_tombstone() && producer_of(record) == Some(end.producer_id);
        let mut own = turn.pending.iter().filter(|write| write.group == self.id);
        let waits = self.writes_in_flight > 0 && own.any(|write| write.records.iter().any(removes));
        if waits {
            self.persist(Vec::new(), Then::EndOffsets(request, *end), turn);
        }
        waits
    }

    /// Writes what the end of a transaction makes of its offsets; answers how many writes that takes.
    fn end_transaction(&mut self, request: RequestId, end: &EndOffsetsRequest, turn: &mut Turn<'_>) -> usize {
        let pending: Vec<(Partition, CommittedOffset)> =
            self.pending_offsets(end.producer_id, turn).into_iter().collect();
        let mut writes = 0;
        for offsets in pending.chunks(OFFSETS_PER_WRITE_MAX) {
            let mut records = Vec::with_capacity(2 * offsets.len());
            for ((topic, partition), offset) in offsets {
                if end.commit {
                    let (group, topic, offset) = (self.id.clone(), topic.clone(), offset.clone());
                    records.push(Record::Offset(group, topic, *partition, Some(offset)));
                }
                let (group, topic) = (self.id.clone(), topic.clone());
                records.push(Record::TransactionalOffset(
                    group,
                    end.producer_id,
                    topic,
                    *partition,
                    None,
                ));
            }
            self.persist(records, Then::EndedOffsets(request), turn);
            writes += 1;
        }
        writes
    }

    /// Of several commits of a partition the one that was written last holds. So what open transactions have pending of these offsets,
    /// which are committed by nobody's transaction, goes: a later commit of theirs must not bring back an older offset. What an end
    /// that is being written removes goes once more: should that write fail, the end that is asked for again would find it.
    pub(super) fn overtaken(&self, committed: &[Record], turn: &Turn<'_>) -> Vec<Record> {
        let mut producers: BTreeSet<i64> = self.durable.transactional.keys().copied().collect();
        if self.writes_in_flight > 0 {
            let own = turn.pending.iter().filter(|write| write.group == self.id);
            producers.extend(own.flat_map(|write| &write.records).filter_map(producer_of));
        }
        let mut gone = Vec::new();
        for producer_id in producers {
            let pending = self.pending_offsets(producer_id, turn);
            for record in committed {
                if let Record::Offset(group, topic, partition, Some(_)) = record
                    && pending.contains_key(&(topic.clone(), *partition))
                {
                    let (group, topic) = (group.clone(), topic.clone());
                    gone.push(Record::TransactionalOffset(
                        group,
                        producer_id,
                        topic,
                        *partition,
                        None,
                    ));
                }
            }
        }
        gone
    }

    /// All that may be pending when the writes under way have their outcomes: what is durable, and what they add. What they remove
    /// counts still, for they may fail; an end that must know better waits for them.
    fn pending_offsets(&self, producer_id: i64, turn: &Turn<'_>) -> BTreeMap<Partition, CommittedOffset> {
        let durable = self.durable.transactional.get(&producer_id);
        let mut pending = durable.cloned().unwrap_or_default();
        if self.writes_in_flight == 0 {
            return pending;
        }
        let own = turn.pending.iter().filter(|write| write.group == self.id);
        for record in own.flat_map(|write| &write.records) {
            if let Record::TransactionalOffset(_, id, topic, partition, Some(offset)) = record
                && *id == producer_id
            {
                pending.insert((topic.clone(), *partition), offset.clone());
            }
        }
        pending
    }
}

fn producer_of(record: &Record) -> Option<i64> {
    match record {
        Record::TransactionalOffset(_, producer_id, ..) => Some(*producer_id),
        _ => None,
    }
}
