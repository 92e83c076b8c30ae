//! ListGroups, DescribeGroups, DeleteGroups.
//!
//! Owns: what administrators see, and the end of a group. **Invariant**: a group is gone only when its tombstones are durable;
//! until then it is `Dead` and accepts nothing.

use super::group::Group;
use super::turn::Then;
use super::{Shard, Turn};
use crate::group::answer::{Answer, CLASSIC_GROUP_TYPE, DescribedGroup, GroupState, ListedGroup};
use crate::group::error::{GroupError, PersistError};
use crate::group::record::Record;
use crate::group::request::{ListRequest, RequestId};

impl Shard {
    pub(super) fn list(&self, list: &ListRequest) -> Vec<ListedGroup> {
        let named = |wanted: &[String], name: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        if !named(&list.types, CLASSIC_GROUP_TYPE) {
            return Vec::new();
        }
        let groups = self
            .groups
            .values()
            .filter(|group| group.state != GroupState::Dead);
        let groups = groups.filter(|group| named(&list.states, group.state.name()));
        groups
            .map(|group| ListedGroup {
                group: group.id.clone(),
                protocol_type: group.protocol_type.clone(),
                state: group.state,
            })
            .collect()
    }
}

impl Group {
    pub(super) fn describe(&self) -> Option<DescribedGroup> {
        let stable = self.state == GroupState::Stable;
        let protocol = self.protocol.as_ref().filter(|_| stable);
        (self.state != GroupState::Dead).then(|| DescribedGroup {
            group: self.id.clone(),
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            protocol: protocol.cloned(),
            members: self
                .members
                .values()
                .map(|member| member.described(protocol))
                .collect(),
        })
    }

    pub(super) fn delete(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        let refusal = match self.state {
            GroupState::Empty => None,
            GroupState::Dead => Some(GroupError::GroupIdNotFound),
            _ => Some(GroupError::NonEmptyGroup),
        };
        if let Some(error) = refusal {
            return turn.reply(request, Answer::Delete(Err(error)));
        }
        self.invited.clear();
        let records = self.tombstones(turn);
        if records.is_empty() {
            // It lived in memory only (members were invited and none came).
            return turn.reply(request, Answer::Delete(Ok(())));
        }
        self.state = GroupState::Dead;
        self.persist_tombstones(records, Then::Deleted(request), turn);
    }

    /// Deletes everything that is durable or about to be.
    fn tombstones(&self, turn: &Turn<'_>) -> Vec<Record> {
        let mut after = self.durable.clone();
        if self.writes_in_flight > 0 {
            for pending in turn.pending.iter().filter(|pending| pending.group == self.id) {
                // Some of these writes may fail; a tombstone for what was never there does no harm, so what was there
                // before them is kept as well.
                let adds = pending.records.iter().filter(|record| !record.is_tombstone());
                adds.cloned().for_each(|record| after.apply(record));
            }
        }
        let offsets = after.offsets.iter().flat_map(|(topic, partitions)| {
            partitions
                .keys()
                .map(|&partition| Record::Offset(self.id.clone(), topic.clone(), partition, None))
        });
        let transactional = after
            .transactional
            .iter()
            .flat_map(|(&producer_id, of_producer)| {
                of_producer.keys().map(move |(topic, partition)| {
                    Record::TransactionalOffset(self.id.clone(), producer_id, topic.clone(), *partition, None)
                })
            });
        let metadata = after
            .metadata
            .iter()
            .map(|_| Record::Group(self.id.clone(), None));
        offsets.chain(transactional).chain(metadata).collect()
    }

    pub(super) fn deleted(
        &mut self,
        request: RequestId,
        outcome: Result<(), PersistError>,
        turn: &mut Turn<'_>,
    ) {
        // Back to empty in both cases: if the tombstones are durable nothing is left, and the shard drops what is vacant.
        self.state = GroupState::Empty;
        // One write of several may have failed: then a part of the offsets is gone, and the rest waits for the next attempt.
        let all_gone = self.durable.is_empty();
        let outcome = match outcome {
            Ok(()) if !all_gone => Err(GroupError::CoordinatorNotAvailable),
            other => other.map_err(PersistError::for_group),
        };
        turn.reply(request, Answer::Delete(outcome));
    }
}
