//! A share group (KIP-932): the coordinator spreads members over partitions, several to one where there are more members, and
//! nobody has to give anything back before another one begins.
//!
//! Owns: members, their sessions, the group's epoch, the spreading. Never: records and their locks; those are the queues'.
//!
//! **Invariant** (trap T12): `state` changes by records only, each of which is also written; it is the fold of the stream and of the
//! writes under way. Who has which partitions is a function of `state` and of the topics, so it needs no record. If a write fails, the
//! group is ahead of its stream for good, and the shard is read anew (`Output::Reload`).

mod assign;
mod heartbeat;

use super::base::Base;
use super::fnv::Fnv1a;
use super::group::Group;
use super::turn::Then;
use super::{Now, Shard, Turn};
use crate::group::answer::{
    Answer, DescribedShareGroup, DescribedShareMember, GroupKind, GroupState, Output,
};
use crate::group::assignor::Assignment;
use crate::group::error::{GroupError, PersistError};
use crate::group::facts::Facts;
use crate::group::name::{GroupId, MemberId, TopicName};
use crate::group::record::{Record, ShareEpoch, ShareMember, ShareRecord, ShareState};
use crate::group::request::ShareHeartbeat;
use crate::state::RequestId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long a member may be silent after a restart, until its next heartbeat brings the group's own setting. Kafka's default.
const RESTORED_SESSION_TIMEOUT: Duration = Duration::from_secs(45);

#[derive(Debug)]
pub(super) struct ShareGroup {
    pub base: Base,
    /// What the records say, those under way included.
    state: ShareState,
    sessions: BTreeMap<MemberId, MemberSession>,
}

/// When a member is taken for gone, and the epoch that it was told last.
#[derive(Clone, Copy, Debug)]
struct MemberSession {
    ends: Duration,
    told: i32,
}

impl ShareGroup {
    fn new(base: Base) -> Self {
        Self {
            base,
            state: ShareState::default(),
            sessions: BTreeMap::new(),
        }
    }

    /// The group that the base's records hold. Each member has a fresh session.
    pub fn restore(base: Base, now: Now) -> Self {
        let mut group = Self::new(base);
        group.state = group.base.durable.share.clone();
        let members: Vec<MemberId> = group.state.members.keys().cloned().collect();
        for member in &members {
            group.renew_session(member, now.monotonic + RESTORED_SESSION_TIMEOUT);
        }
        group
    }

    pub fn state(&self) -> GroupState {
        if self.is_empty() {
            GroupState::Empty
        } else {
            GroupState::Stable
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state.members.is_empty()
    }

    /// Whether members consume the topic.
    pub fn consumes(&self, topic: &TopicName) -> bool {
        self.state
            .members
            .values()
            .any(|member| member.subscribed.contains(topic))
    }

    fn epoch(&self) -> i32 {
        self.state.epoch.map_or(0, |epoch| epoch.epoch)
    }

    /// Puts a record into force and among those to be written.
    fn emit(&mut self, record: ShareRecord, records: &mut Vec<Record>) {
        records.push(Record::Share(self.base.id.clone(), record.clone()));
        self.state.apply(record);
    }

    /// Members, subscriptions or topics have changed: a new epoch.
    fn raise_epoch(&mut self, topics: u64, records: &mut Vec<Record>) {
        let epoch = self.epoch().saturating_add(1);
        self.emit(ShareRecord::Epoch(Some(ShareEpoch { epoch, topics })), records);
    }

    /// The hash, which is stored, over names, ids and partition counts of what the members subscribe to.
    fn hash_topics(&self, facts: &dyn Facts) -> u64 {
        let subscribed: BTreeSet<&TopicName> = self
            .state
            .members
            .values()
            .flat_map(|member| &member.subscribed)
            .collect();
        let mut hash = Fnv1a::default();
        for name in subscribed {
            if let Some(topic) = facts.topic(name.as_str()) {
                hash.add(name.as_str().as_bytes());
                hash.add(&topic.id.0);
                hash.add(&topic.partitions.to_le_bytes());
            }
        }
        hash.finish()
    }

    fn share_of(&self, member: &MemberId, facts: &dyn Facts) -> Arc<Assignment> {
        Arc::new(assign::share_of(member, &self.state.members, facts))
    }

    fn renew_session(&mut self, id: &MemberId, ends: Duration) {
        let told = self.epoch();
        self.sessions.insert(id.clone(), MemberSession { ends, told });
        self.base.note(ends);
    }

    pub fn earliest_deadline(&self) -> Option<Duration> {
        self.sessions.values().map(|session| session.ends).min()
    }

    /// Silent members go.
    pub fn expire(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic;
        let silent = self.sessions.iter().filter(|(_, session)| session.ends <= now);
        let silent: Vec<MemberId> = silent.map(|(id, _)| id.clone()).collect();
        if silent.is_empty() {
            return;
        }
        let mut records = Vec::new();
        for id in &silent {
            tracing::info!(group = %self.base.id, member = %id, "a silent member is removed");
            self.remove_member(id, &mut records);
        }
        let topics = self.state.epoch.map_or(0, |epoch| epoch.topics);
        self.raise_epoch(topics, &mut records);
        self.base.persist(records, Then::Nothing, turn);
    }

    fn remove_member(&mut self, id: &MemberId, records: &mut Vec<Record>) {
        self.sessions.remove(id);
        self.emit(ShareRecord::Member(id.clone(), None), records);
    }

    fn describe(&self, facts: &dyn Facts) -> DescribedShareGroup {
        let member = |(id, told): (&MemberId, &Arc<ShareMember>)| DescribedShareMember {
            member: id.clone(),
            epoch: self.sessions.get(id).map_or(0, |session| session.told),
            told: told.clone(),
            assigned: self.share_of(id, facts),
        };
        DescribedShareGroup {
            group: self.base.id.clone(),
            state: self.state(),
            epoch: self.epoch(),
            members: self.state.members.iter().map(member).collect(),
        }
    }

    fn share_heartbeat(&mut self, request: RequestId, beat: &ShareHeartbeat, turn: &mut Turn<'_>) {
        let mut records = Vec::new();
        let answer = Answer::ShareHeartbeat(self.beat(beat, &mut records, turn.now, turn.facts));
        self.base.answer(request, records, answer, failed, turn);
    }

    /// Says whether it has no members. One that was just made is stored: it stays when nobody joins.
    fn answer_empty(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        if !self.is_empty() {
            return turn.reply(request, Answer::EmptyShare(Err(GroupError::NonEmptyGroup)));
        }
        let mut records = Vec::new();
        if self.state.epoch.is_none() {
            let topics = self.hash_topics(turn.facts);
            self.emit(
                ShareRecord::Epoch(Some(ShareEpoch { epoch: 0, topics })),
                &mut records,
            );
        }
        let failed = |error: PersistError| Answer::EmptyShare(Err(error.for_group()));
        self.base
            .answer(request, records, Answer::EmptyShare(Ok(())), failed, turn);
    }

    /// The invariants of a share group, each with a name.
    pub fn check(&self) {
        let id = &self.base.id;
        if self.base.writes_in_flight == 0 {
            assert_eq!(
                self.state, self.base.durable.share,
                "what_lives_is_what_is_written: {id}"
            );
        }
        assert!(
            self.state.members.keys().eq(self.sessions.keys()),
            "members_have_sessions_and_nobody_else: {id}"
        );
        for session in self.sessions.values() {
            assert!(
                session.told <= self.epoch(),
                "nobody_was_told_of_the_future: {id}"
            );
        }
    }
}

fn failed(error: PersistError) -> Answer {
    Answer::ShareHeartbeat(Err(error.for_group()))
}

impl Shard {
    pub(super) fn share_heartbeat(
        &mut self,
        id: RequestId,
        beat: &ShareHeartbeat,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        // Only who joins brings a group into being.
        if let Err(error) = self.ensure_group(&beat.group, beat.epoch == 0, now) {
            return out.push(Output::Reply(id, Answer::ShareHeartbeat(Err(error))));
        }
        self.with_group(&beat.group, now, out, |group, turn| {
            group.become_share_group(beat.epoch == 0);
            match group {
                Group::Share(group) => group.share_heartbeat(id, beat, turn),
                _ => {
                    // In Kafka's way: a group of another kind is no share group.
                    let error = GroupError::NotOfKind(GroupKind::Share);
                    turn.reply(id, Answer::ShareHeartbeat(Err(error)));
                }
            }
        });
    }

    /// See `Request::EmptyShare`.
    pub(super) fn empty_share(&mut self, id: RequestId, group: &GroupId, now: Now, out: &mut Vec<Output>) {
        if let Err(error) = self.ensure_group(group, true, now) {
            return out.push(Output::Reply(id, Answer::EmptyShare(Err(error))));
        }
        self.with_group(group, now, out, |group, turn| {
            group.become_share_group(true);
            match group {
                Group::Share(group) => group.answer_empty(id, turn),
                _ => {
                    let error = GroupError::NotOfKind(GroupKind::Share);
                    turn.reply(id, Answer::EmptyShare(Err(error)));
                }
            }
        });
    }

    pub(super) fn describe_share(&self, id: RequestId, group: &GroupId, out: &mut Vec<Output>) {
        let described = match self.groups.get(group) {
            Some(Group::Share(group)) => Ok(group.describe(&*self.facts)),
            None => Err(GroupError::GroupIdNotFound),
            Some(_) => Err(GroupError::NotOfKind(GroupKind::Share)),
        };
        out.push(Output::Reply(id, Answer::DescribeShare(described)));
    }
}

impl Group {
    /// A group that is nobody's takes the kind of the first who joins.
    fn become_share_group(&mut self, joins: bool) {
        if joins && !matches!(self, Self::Share(_)) && self.is_vacant() {
            let base = self.take_base();
            *self = Self::Share(Box::new(ShareGroup::new(base)));
        }
    }
}
