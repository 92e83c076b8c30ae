//! A streams group (KIP-1071): members tell the topology of their application, and the coordinator deals out its tasks; each member
//! moves towards its share by itself, and who is not concerned goes on.
//!
//! Owns: what is derived from the records (the topology over the topics of now, sessions). Never: a topic is made here (who asked is
//! told which are missing), nor is a choice (`assign`).
//!
//! **Invariant** (trap T12): `state` changes by records only, each of which is also written; it is the fold of the stream and of the
//! writes under way. If a write fails, the group is ahead of its stream for good, and the shard is read anew (`Output::Reload`).

mod assign;
mod check;
mod convert;
mod describe;
mod endpoints;
mod heartbeat;
mod offsets;
mod reconcile;
mod target;
#[cfg(test)]
mod tests;
mod timers;
mod topology;

use super::Turn;
use super::base::Base;
use crate::group::answer::GroupState;
use crate::group::name::{MemberId, TopicName};
use crate::group::record::{
    MemberState, Record, StreamsCurrent, StreamsMember, StreamsRecord, StreamsState, Tasks,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use timers::Timers;
use topology::Laid;

#[derive(Debug)]
pub(super) struct StreamsGroup {
    pub base: Base,
    /// What the records say, those under way included.
    state: StreamsState,
    timers: BTreeMap<MemberId, Timers>,
    /// The topology over the topics as they were when the epoch was last looked at; `None`: nobody has looked yet.
    laid: Option<Laid>,
    /// When the targets of the present epoch are computed, if they are not yet.
    assigns_at: Option<Duration>,
    /// When targets were last computed.
    assigned_at: Option<Duration>,
    /// The member that has asked the whole application to end. Not stored: it goes on asking.
    shut_down_by: Option<MemberId>,
}

impl StreamsGroup {
    /// A group without members.
    fn new(base: Base) -> Self {
        Self {
            base,
            state: StreamsState::default(),
            timers: BTreeMap::new(),
            laid: None,
            assigns_at: None,
            assigned_at: None,
            shut_down_by: None,
        }
    }

    /// The group that the base's records hold. Each member has a fresh session.
    pub fn restore(base: Base, turn: &Turn<'_>) -> Self {
        let mut group = Self::new(base);
        group.state = group.base.durable.streams.clone();
        group.lay(turn.facts);
        let members: Vec<MemberId> = group.state.members.keys().cloned().collect();
        for member in &members {
            group.renew_session(member, timers::RESTORED_SESSION_TIMEOUT, turn);
            group.watch_revocation(member, turn);
        }
        // If the group was read anew since its targets could not be written, they are not tried without a pause.
        group.assigned_at = Some(turn.now.monotonic);
        if group.epoch() > group.state.target_epoch && !group.is_empty() {
            let at = turn.now.monotonic + timers::RESTORED_ASSIGNMENT_WAIT;
            group.assigns_at = Some(at);
            group.base.note(at);
        }
        group
    }

    pub fn state(&self) -> GroupState {
        let target_epoch = self.state.target_epoch;
        let is_there = |id: &MemberId| {
            let current = self.state.currents.get(id);
            current
                .is_some_and(|current| current.state == MemberState::Stable && current.epoch == target_epoch)
        };
        match () {
            () if self.is_empty() => GroupState::Empty,
            () if !self.laid.as_ref().is_some_and(Laid::is_ready) => GroupState::NotReady,
            () if self.epoch() > target_epoch => GroupState::Assigning,
            () if !self.state.members.keys().all(is_there) => GroupState::Reconciling,
            () => GroupState::Stable,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state.members.is_empty()
    }

    /// Whether members consume the topic.
    pub fn consumes(&self, topic: &TopicName) -> bool {
        let parts = self
            .state
            .topology
            .iter()
            .flat_map(|all| all.subtopologies.values());
        let mut reads =
            parts.map(|part| part.sources.contains(topic) || part.repartition_sources.contains_key(topic));
        !self.is_empty() && reads.any(|reads| reads)
    }

    fn epoch(&self) -> i32 {
        self.state.epoch.map_or(0, |epoch| epoch.epoch)
    }

    fn member(&self, id: &MemberId) -> Option<&Arc<StreamsMember>> {
        self.state.members.get(id)
    }

    fn current(&self, id: &MemberId) -> Arc<StreamsCurrent> {
        self.state.currents.get(id).cloned().unwrap_or_default()
    }

    fn target(&self, id: &MemberId) -> Arc<Tasks> {
        self.state.targets.get(id).cloned().unwrap_or_default()
    }

    /// Puts a record into force and among those to be written.
    fn emit(&mut self, record: StreamsRecord, records: &mut Vec<Record>) {
        records.push(Record::Streams(self.base.id.clone(), record.clone()));
        self.state.apply(record);
    }

    /// Deletes what is stored of a member: its tasks are free in the same write.
    fn remove_member(&mut self, id: &MemberId, records: &mut Vec<Record>) {
        self.emit(StreamsRecord::Current(id.clone(), None), records);
        self.emit(StreamsRecord::Target(id.clone(), None), records);
        self.emit(StreamsRecord::Member(id.clone(), None), records);
        self.timers.remove(id);
        if self.is_empty() {
            self.shut_down_by = None;
            self.assigns_at = None;
        }
    }
}
