//! Who may commit and fetch the offsets of a streams group.
//!
//! Owns: the fencing. **Invariant**: a member commits for a task only under an epoch in which the task was its own, and has been ever
//! since: an epoch that rose meanwhile is no reason to throw away a transaction, a task that moved is.

use super::StreamsGroup;
use crate::group::error::GroupError;
use crate::group::name::{MemberId, TopicName};
use crate::group::record::{StreamsCurrent, Task};
use crate::group::request::CommitRequest;

impl StreamsGroup {
    /// Whether this committer may commit now.
    pub fn admit_commit(&self, commit: &CommitRequest) -> Result<(), GroupError> {
        if commit.generation < 0 && self.is_empty() || commit.is_nobodys_in_transaction() {
            return Ok(());
        }
        let (member, in_transaction) = (commit.member.as_ref(), commit.transaction.is_some());
        let id = member.ok_or(GroupError::UnknownMemberId)?;
        self.member(id).ok_or(GroupError::UnknownMemberId)?;
        if !commit.group_not_found_supported && !in_transaction {
            return Err(GroupError::UnsupportedVersion);
        }
        let current = self.current(id);
        let epoch = commit.generation;
        let mut places = commit.topics.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|asked| (&topic.topic, asked.partition))
        });
        let may = epoch == current.epoch
            || (epoch >= 0
                && epoch < current.epoch
                && places.all(|(topic, partition)| self.has_had(&current, topic, partition, epoch)));
        may.then_some(()).ok_or(GroupError::StaleMemberEpoch)
    }

    /// Whether the task that reads a partition has been the member's since an epoch of its.
    fn has_had(&self, current: &StreamsCurrent, topic: &TopicName, partition: i32, epoch: i32) -> bool {
        let parts = self.state.topology.iter().flat_map(|all| &all.subtopologies);
        let mut readers = parts
            .filter(|(_, part)| part.sources.contains(topic) || part.repartition_sources.contains_key(topic));
        readers.any(|(id, _)| {
            let task = Task {
                subtopology: id.clone(),
                partition,
            };
            current.since.get(&task).is_some_and(|since| *since <= epoch)
        })
    }

    /// Whether this reader may see offsets. Whoever claims nothing may.
    pub fn admit_fetch(&self, member: Option<&MemberId>, epoch: i32) -> Result<(), GroupError> {
        if member.is_none() && epoch < 0 {
            return Ok(());
        }
        let id = member.ok_or(GroupError::UnknownMemberId)?;
        self.member(id).ok_or(GroupError::UnknownMemberId)?;
        let is_its_own = epoch == self.current(id).epoch;
        is_its_own.then_some(()).ok_or(GroupError::StaleMemberEpoch)
    }
}
