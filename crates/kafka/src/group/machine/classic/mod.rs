//! A classic group: its state, its members, and the bookkeeping that keeps every question about them cheap.
//!
//! Owns: the counts (who waits, which protocol everybody supports). Never: decisions; those lie in `join`, `rebalance`,
//! `sync`, `session`, each an `impl ClassicGroup`.
//!
//! **Invariant**: see `check`.

mod check;
mod describe;
mod join;
mod member;
mod rebalance;
mod replace;
mod restore;
mod session;
mod sync;

use super::Turn;
use super::base::Base;
use crate::group::answer::{Answer, GroupState, JoinRefused};
use crate::group::error::GroupError;
use crate::group::name::{InstanceId, MemberId, ProtocolName, TopicName};
use crate::group::record::{GroupMetadata, Record};
use crate::group::request::Protocol;
use crate::state::RequestId;
use bytes::Bytes;
pub(super) use member::Member;
use millstream_kafka_wire::consumer_protocol::{ConsumerProtocolSubscription, decode_versioned};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The kind of group whose metadata names topics.
const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Where a classic group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassicState {
    /// No members; offsets may be kept.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Everybody has an assignment.
    Stable,
    /// Being deleted.
    Dead,
}

impl ClassicState {
    /// As others see it.
    pub fn shown(self) -> GroupState {
        match self {
            Self::Empty => GroupState::Empty,
            Self::PreparingRebalance => GroupState::PreparingRebalance,
            Self::CompletingRebalance => GroupState::CompletingRebalance,
            Self::Stable => GroupState::Stable,
            Self::Dead => GroupState::Dead,
        }
    }
}

/// What ends the phase in which members join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinPhase {
    /// No such phase.
    Closed,
    /// The first rebalance of an empty group: it waits a fixed delay for more members, again and again as they come.
    Initial {
        ends: Duration,
        latest: Duration,
        extended: bool,
    },
    /// Every other rebalance: it ends when all have joined.
    Rejoin { ends: Duration },
}

#[derive(Debug)]
pub(super) struct ClassicGroup {
    pub base: Base,
    pub state: ClassicState,
    /// Wall time of the change to `state`, milliseconds.
    pub since_ms: i64,
    pub generation: i32,
    pub protocol_type: Option<ProtocolName>,
    pub protocol: Option<ProtocolName>,
    pub leader: Option<MemberId>,
    pub members: BTreeMap<MemberId, Member>,
    /// Static members by instance id.
    pub statics: BTreeMap<InstanceId, MemberId>,
    /// Member ids given out and not used yet (KIP-394), with the time at which they lapse.
    pub invited: BTreeMap<MemberId, Duration>,
    /// Members of this generation that have not asked for their share.
    pub pending_sync: BTreeSet<MemberId>,
    pub sync_deadline: Option<Duration>,
    pub phase: JoinPhase,
    /// How many members wait for the end of the join phase.
    pub awaiting_join: usize,
    /// How many members support each protocol.
    pub support: BTreeMap<ProtocolName, usize>,
    /// The topics that members consume; `None`: not known, or no group of consumers.
    pub subscribed: Option<BTreeSet<TopicName>>,
    /// The generation whose assignment is being written.
    pub assigning: Option<i32>,
}

impl ClassicGroup {
    /// An empty group over what `base` holds.
    pub fn new(base: Base, wall_ms: i64) -> Self {
        Self {
            base,
            state: ClassicState::Empty,
            since_ms: wall_ms,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            statics: BTreeMap::new(),
            invited: BTreeMap::new(),
            pending_sync: BTreeSet::new(),
            sync_deadline: None,
            phase: JoinPhase::Closed,
            awaiting_join: 0,
            support: BTreeMap::new(),
            subscribed: None,
            assigning: None,
        }
    }

    /// Nobody counts on it: no members, and none is about to come.
    pub fn is_idle(&self) -> bool {
        self.state == ClassicState::Empty && self.invited.is_empty()
    }

    pub fn transition(&mut self, to: ClassicState, turn: &Turn<'_>) {
        self.state = to;
        self.since_ms = turn.now.wall_ms;
    }

    pub fn earliest_deadline(&self) -> Option<Duration> {
        let members = self.members.values().filter_map(|member| member.deadline);
        let phase = match self.phase {
            JoinPhase::Closed => None,
            JoinPhase::Initial { ends, .. } | JoinPhase::Rejoin { ends } => Some(ends),
        };
        let invited = self.invited.values().copied();
        members
            .chain(invited)
            .chain(phase)
            .chain(self.sync_deadline)
            .min()
    }

    /// The member's session starts anew.
    pub fn renew_session(&mut self, id: &MemberId, now: Duration) {
        if let Some(member) = self.members.get_mut(id) {
            let deadline = now + member.session_timeout;
            member.deadline = Some(deadline);
            self.base.note(deadline);
        }
    }

    pub fn is_leader(&self, id: &MemberId) -> bool {
        self.leader.as_ref() == Some(id)
    }

    pub fn is_consumer_group(&self) -> bool {
        self.protocol_type
            .as_ref()
            .is_some_and(|kind| kind.as_str() == CONSUMER_PROTOCOL_TYPE)
    }

    pub fn rebalance_timeout(&self) -> Duration {
        let timeouts = self.members.values().map(|member| member.rebalance_timeout);
        timeouts.max().unwrap_or_default()
    }

    /// Whether `member` speaks for itself: known, and not replaced under its instance id.
    pub fn validate(
        &self,
        member: Option<&MemberId>,
        instance: Option<&InstanceId>,
    ) -> Result<(), GroupError> {
        if let Some(instance) = instance {
            match self.statics.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(current) if Some(current) != member => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        match member {
            Some(member) if self.members.contains_key(member) => Ok(()),
            _ => Err(GroupError::UnknownMemberId),
        }
    }

    /// Whether a member of this kind with these protocols can be in one generation with the present ones.
    pub fn supports(&self, protocol_type: &ProtocolName, protocols: &[Protocol]) -> bool {
        if self.state == ClassicState::Empty {
            return !protocol_type.as_str().is_empty() && !protocols.is_empty();
        }
        let everybody = self.members.len();
        let common =
            |protocol: &Protocol| self.support.get(&protocol.name).copied().unwrap_or(0) == everybody;
        self.protocol_type.as_ref() == Some(protocol_type) && protocols.iter().any(common)
    }

    /// Each member votes for its favourite among the protocols that all support; most votes win, then the smaller name.
    pub fn select_protocol(&self) -> Option<ProtocolName> {
        let everybody = self.members.len();
        let common = |name: &ProtocolName| self.support.get(name) == Some(&everybody);
        let mut votes: BTreeMap<&ProtocolName, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(favourite) = member.protocols.iter().find(|protocol| common(&protocol.name)) {
                *votes.entry(&favourite.name).or_default() += 1;
            }
        }
        let winner = votes
            .into_iter()
            .max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
        winner.map(|(name, _)| name.clone())
    }

    /// The topics of all members, as far as they can be read.
    pub fn read_subscriptions(&self) -> Option<BTreeSet<TopicName>> {
        if !self.is_consumer_group() {
            return None;
        }
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            let metadata = member.metadata(self.protocol.as_ref());
            let (_, subscription) = decode_versioned::<ConsumerProtocolSubscription>(&metadata).ok()?;
            topics.extend(
                subscription
                    .topics
                    .iter()
                    .map(|topic| TopicName::from(topic.as_str())),
            );
        }
        Some(topics)
    }

    /// Whether members consume the topic. A group of consumers whose metadata cannot be read counts as consuming everything.
    pub fn consumes(&self, topic: &TopicName) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer_group(),
        }
    }

    pub fn insert_member(&mut self, member: Member, protocol_type: &ProtocolName) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        if let Some(instance) = &member.instance {
            self.statics.insert(instance.clone(), member.id.clone());
        }
        for protocol in &member.protocols {
            *self.support.entry(protocol.name.clone()).or_default() += 1;
        }
        self.awaiting_join += usize::from(member.awaiting_join.is_some());
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        let earlier = self.members.insert(member.id.clone(), member);
        assert!(
            earlier.is_none(),
            "member ids are 128 random bits and never given twice"
        );
    }

    /// Takes a member out; whatever waits for it is answered with `error`.
    pub fn remove_member(&mut self, id: &MemberId, error: GroupError, turn: &mut Turn<'_>) -> Option<Member> {
        let mut member = self.members.remove(id)?;
        if let Some(instance) = &member.instance {
            self.statics.remove(instance);
        }
        self.withdraw_support(&member.protocols);
        self.pending_sync.remove(id);
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        if let Some(request) = member.awaiting_join.take() {
            self.awaiting_join -= 1;
            // A fenced member is told its own id; one that timed out must come as a new one.
            let told = (error == GroupError::FencedInstanceId).then(|| id.clone());
            turn.refuse_join(request, error, told);
        }
        if let Some(request) = member.awaiting_sync.take() {
            turn.reply(request, Answer::Sync(Err(error)));
        }
        Some(member)
    }

    pub fn withdraw_support(&mut self, protocols: &[Protocol]) {
        for protocol in protocols {
            if let Some(count) = self.support.get_mut(&protocol.name) {
                *count -= 1;
                if *count == 0 {
                    self.support.remove(&protocol.name);
                }
            }
        }
    }

    /// The request waits for the end of the join phase; an earlier one of the same member is told to come again.
    pub fn await_join(&mut self, id: &MemberId, request: RequestId, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        match member.awaiting_join.replace(request) {
            None => self.awaiting_join += 1,
            Some(earlier) => turn.reply(
                earlier,
                Answer::Join(Err(JoinRefused {
                    error: GroupError::RebalanceInProgress,
                    member: Some(id.clone()),
                })),
            ),
        }
    }

    /// The group's record, with the given shares.
    pub fn metadata_record(&self, share: impl Fn(&Member) -> Bytes) -> Record {
        let protocol = self.protocol.as_ref();
        let members = self.members.values();
        let metadata = GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since_ms: self.since_ms,
            members: members
                .map(|member| member.stored(protocol, share(member)))
                .collect(),
        };
        Record::Group(self.base.id.clone(), Some(metadata))
    }
}
