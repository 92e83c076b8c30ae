//! Members of a consumer group that still speak the classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
//!
//! Owns: the translation. A generation is a member epoch, a join is a step of reconciliation, a sync hands out what the member
//! has, and "a rebalance is under way" tells it to join again. Never: a rebalance that stops the others.
//!
//! **Invariant**: a member that was told to join again does so within its rebalance timeout, or goes.

use super::ConsumerGroup;
use crate::group::answer::{Answer, JoinRefused, Joined, Synced};
use crate::group::assignor::Assignment;
use crate::group::error::{GroupError, PersistError};
use crate::group::machine::Turn;
use crate::group::name::{InstanceId, MemberId, ProtocolName, TopicId, TopicName};
use crate::group::record::{ClassicTraits, ConsumerMember, Current, MemberState, Record, Subscription};
use crate::group::request::{HeartbeatRequest, JoinRequest, Leaver, Protocol, SyncRequest};
use crate::state::RequestId;
use bytes::Bytes;
use millstream_kafka_wire::consumer_protocol::{
    AssignedPartition, ConsumerProtocolAssignment, ConsumerProtocolSubscription, decode_versioned,
    encode_versioned,
};
use millstream_kafka_wire::{Message, Str};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The only kind of classic group that a consumer group can speak for.
pub(super) const PROTOCOL_TYPE: &str = "consumer";

fn sync_failed(error: PersistError) -> Answer {
    Answer::Sync(Err(error.for_group()))
}

impl ConsumerGroup {
    /// Takes the joining member in; the caller answers, or turns the group into a classic one first.
    pub fn classic_join(
        &mut self,
        join: &JoinRequest,
        records: &mut Vec<Record>,
        turn: &mut Turn<'_>,
    ) -> Result<MemberId, JoinRefused> {
        let refused = |error| JoinRefused {
            error,
            member: join.member.clone(),
        };
        let id = join.member.clone().unwrap_or_else(|| join.fresh_member.clone());
        self.check_room(&id, turn).map_err(refused)?;
        let subscription = self
            .accepted(join)
            .ok_or_else(|| refused(GroupError::InconsistentGroupProtocol))?;
        if join.member.is_none() && join.instance.is_none() && join.member_id_required {
            return Err(JoinRefused {
                error: GroupError::MemberIdRequired,
                member: Some(id),
            });
        }
        let replaced = self.replaced_by(join, &id).map_err(refused)?;
        if let Some(old) = &replaced {
            self.replace_static(old, &id, records, turn);
            self.has_lost = true;
        }
        let before = self.member(&id).cloned();
        let after = classic_member(join, &subscription);
        self.put_member(&id, before.as_deref(), after, records, turn);
        self.retarget(records, turn);
        let owned = self.owned(&subscription, turn);
        self.reconcile(&id, Some(&owned), records, turn);
        self.renew_session(&id, turn);
        let due = turn.now.monotonic + self.rebalance_timeout(&id);
        self.set_timer(&id, due, |timers| &mut timers.sync);
        if let Some(timers) = self.timers.get_mut(&id) {
            timers.join = None;
        }
        Ok(id)
    }

    /// What a member is told that has joined.
    pub fn joined(&self, id: MemberId) -> Joined {
        let member = self.member(&id);
        let classic = member.and_then(|member| member.classic.as_ref());
        Joined {
            generation: self.current(&id).epoch,
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol: classic.and_then(|classic| Some(classic.protocols.first()?.name.clone())),
            leader: None,
            skip_assignment: false,
            members: Vec::new(),
            member: id,
        }
    }

    /// The subscription of a join that fits; `None`: it is of another kind, or shares no protocol with the others.
    fn accepted(&self, join: &JoinRequest) -> Option<ConsumerProtocolSubscription> {
        if join.protocol_type.as_str() != PROTOCOL_TYPE {
            return None;
        }
        let others = self
            .state
            .members
            .iter()
            .filter(|(id, _)| Some(*id) != join.member.as_ref());
        let mut common: Vec<&ProtocolName> = join.protocols.iter().map(|protocol| &protocol.name).collect();
        for classic in others.filter_map(|(_, member)| member.classic.as_ref()) {
            common.retain(|name| classic.protocols.iter().any(|protocol| protocol.name == **name));
        }
        if common.is_empty() {
            return None;
        }
        let metadata = &join.protocols.first()?.metadata;
        decode_versioned::<ConsumerProtocolSubscription>(metadata)
            .ok()
            .map(|(_, subscription)| subscription)
    }

    fn replaced_by(&self, join: &JoinRequest, id: &MemberId) -> Result<Option<MemberId>, GroupError> {
        let Some(instance) = &join.instance else {
            return Ok(None);
        };
        match (self.statics.get(instance), &join.member) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(GroupError::UnknownMemberId),
            (Some(holder), None) => Ok(Some(holder.clone())),
            (Some(holder), Some(_)) if holder == id => Ok(None),
            (Some(_), Some(_)) => Err(GroupError::FencedInstanceId),
        }
    }

    /// What the embedded subscription says that the member has.
    fn owned(&self, subscription: &ConsumerProtocolSubscription, turn: &Turn<'_>) -> Assignment {
        let mut owned = Assignment::new();
        for topic in &subscription.owned_partitions {
            if let Some(view) = turn.facts.topic(&topic.topic) {
                owned
                    .entry(view.id)
                    .or_default()
                    .extend(topic.partitions.iter().copied());
            }
        }
        owned
    }

    fn validate_classic(
        &self,
        id: &MemberId,
        instance: Option<&InstanceId>,
    ) -> Result<&ConsumerMember, GroupError> {
        if let Some(instance) = instance {
            match self.statics.get(instance) {
                None => return Err(GroupError::UnknownMemberId),
                Some(holder) if holder != id => return Err(GroupError::FencedInstanceId),
                Some(_) => {}
            }
        }
        let member = self.member(id).ok_or(GroupError::UnknownMemberId)?;
        match member.classic {
            Some(_) => Ok(member),
            None => Err(GroupError::UnknownMemberId),
        }
    }

    pub fn classic_sync(&mut self, request: RequestId, sync: &SyncRequest, turn: &mut Turn<'_>) {
        let answer = Answer::Sync(self.accept_sync(sync, turn));
        self.base.answer(request, Vec::new(), answer, sync_failed, turn);
    }

    fn accept_sync(&mut self, sync: &SyncRequest, turn: &mut Turn<'_>) -> Result<Synced, GroupError> {
        let member = self.validate_classic(&sync.member, sync.instance.as_ref())?;
        let protocols = member
            .classic
            .as_ref()
            .map_or(&[][..], |classic| &classic.protocols);
        let protocol = protocols.first().cloned();
        let current = self.current(&sync.member);
        if current.epoch != sync.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let other_type = sync
            .protocol_type
            .as_ref()
            .is_some_and(|kind| kind.as_str() != PROTOCOL_TYPE);
        let named = protocol.as_ref().map(|protocol| &protocol.name);
        if other_type || sync.protocol.as_ref().is_some_and(|asked| Some(asked) != named) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        // One that gives partitions back has joined already; it is told to come again by its heartbeats.
        if self.epoch() > current.epoch && current.state != MemberState::Unrevoked {
            self.await_join(&sync.member, turn);
            return Err(GroupError::RebalanceInProgress);
        }
        if let Some(timers) = self.timers.get_mut(&sync.member) {
            timers.sync = None;
        }
        self.renew_session(&sync.member, turn);
        Ok(Synced {
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol: named.cloned(),
            assignment: encode_assignment(&current.assigned, protocol.as_ref(), turn),
        })
    }

    pub fn classic_heartbeat(&mut self, request: RequestId, beat: &HeartbeatRequest, turn: &mut Turn<'_>) {
        let outcome = self.accept_classic_heartbeat(beat, turn);
        turn.reply(request, Answer::Heartbeat(outcome));
    }

    fn accept_classic_heartbeat(
        &mut self,
        beat: &HeartbeatRequest,
        turn: &mut Turn<'_>,
    ) -> Result<(), GroupError> {
        self.validate_classic(&beat.member, beat.instance.as_ref())?;
        let current = self.current(&beat.member);
        if current.epoch != beat.generation {
            return Err(GroupError::IllegalGeneration);
        }
        self.renew_session(&beat.member, turn);
        let behind = current.epoch < self.epoch();
        let gives_back = current.state == MemberState::Unrevoked;
        let may_go_on =
            current.state == MemberState::Unreleased && !self.waits_for_others(&beat.member, &current);
        if behind || gives_back || may_go_on {
            self.await_join(&beat.member, turn);
            return Err(GroupError::RebalanceInProgress);
        }
        Ok(())
    }

    /// Whether a partition of its target is still somebody else's.
    fn waits_for_others(&self, id: &MemberId, current: &Current) -> bool {
        let target = self.target(id);
        target.iter().any(|(topic, partitions)| {
            let missing = partitions
                .iter()
                .filter(|&&partition| !super::reconcile::contains(&current.assigned, *topic, partition));
            missing
                .into_iter()
                .any(|partition| self.held.contains(&(*topic, *partition)))
        })
    }

    fn await_join(&mut self, id: &MemberId, turn: &Turn<'_>) {
        let absent = self.timers.get(id).is_some_and(|timers| timers.join.is_none());
        if absent {
            let due = turn.now.monotonic + self.rebalance_timeout(id);
            self.set_timer(id, due, |timers| &mut timers.join);
        }
    }

    /// Whoever of them is a member of the classic protocol goes. The caller writes, and answers with the results.
    pub fn classic_leave(
        &mut self,
        leavers: Vec<Leaver>,
        records: &mut Vec<Record>,
        turn: &mut Turn<'_>,
    ) -> Answer {
        let mut results = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let found = self.classic_leaver(&leaver);
            if let Ok(id) = &found {
                self.remove_member(id, records, turn);
            }
            results.push((leaver, found.map(|_| ())));
        }
        if !records.is_empty() {
            self.raise_epoch(records, turn);
        }
        Answer::Leave(Ok(results))
    }

    fn classic_leaver(&self, leaver: &Leaver) -> Result<MemberId, GroupError> {
        let id = match (&leaver.member, &leaver.instance) {
            (Some(id), _) => id.clone(),
            // An administrator removes a static member by the only name he knows.
            (None, Some(instance)) => self
                .statics
                .get(instance)
                .cloned()
                .ok_or(GroupError::UnknownMemberId)?,
            (None, None) => return Err(GroupError::UnknownMemberId),
        };
        self.validate_classic(&id, leaver.instance.as_ref())?;
        Ok(id)
    }
}

fn classic_member(join: &JoinRequest, subscription: &ConsumerProtocolSubscription) -> ConsumerMember {
    let ms = |ms: i32| u32::try_from(ms).unwrap_or(0);
    let names = subscription
        .topics
        .iter()
        .map(|name| TopicName::from(name.as_str()));
    ConsumerMember {
        instance: join.instance.clone(),
        rack: subscription.rack_id.as_deref().map(Arc::from),
        client: join.client.clone(),
        rebalance_timeout_ms: ms(join.rebalance_timeout_ms),
        assignor: None,
        subscription: Arc::new(Subscription {
            names: names.collect(),
            pattern: None,
            reader: None,
        }),
        classic: Some(ClassicTraits {
            session_timeout_ms: ms(join.session_timeout_ms),
            protocols: join.protocols.clone(),
        }),
    }
}

/// An assignment as members of the classic protocol read it, in the version of the member's own subscription.
pub(super) fn encode_assignment(
    assigned: &Assignment,
    protocol: Option<&Protocol>,
    turn: &Turn<'_>,
) -> Bytes {
    let mut by_name: BTreeMap<TopicName, Vec<i32>> = BTreeMap::new();
    for (topic, partitions) in assigned {
        if let Some(name) = turn.facts.topic_name(*topic) {
            by_name.insert(name, partitions.iter().copied().collect());
        }
    }
    let topics = by_name.into_iter().map(|(name, partitions)| AssignedPartition {
        topic: Str::from(name.as_str()),
        partitions,
    });
    let message = ConsumerProtocolAssignment {
        assigned_partitions: topics.collect(),
        user_data: None,
    };
    let version = protocol.map_or(0, |protocol| embedded_version(&protocol.metadata));
    let newest = <ConsumerProtocolAssignment as Message>::VERSION_MAX;
    encode_versioned(&message, version.clamp(0, newest)).unwrap_or_default()
}

fn embedded_version(metadata: &[u8]) -> i16 {
    metadata
        .first_chunk::<2>()
        .map_or(0, |version| i16::from_be_bytes(*version))
}

/// The partitions of an assignment that a classic leader has made; `None`: it cannot be read, or holds what only the leader's
/// own assignor understands.
pub(super) fn decode_assignment(bytes: &Bytes, turn: &Turn<'_>) -> Option<Assignment> {
    let mut assignment = Assignment::new();
    if bytes.is_empty() {
        return Some(assignment);
    }
    let (_, message) = decode_versioned::<ConsumerProtocolAssignment>(bytes).ok()?;
    if message.user_data.is_some_and(|own| !own.is_empty()) {
        return None;
    }
    for topic in &message.assigned_partitions {
        let id: Option<TopicId> = turn.facts.topic(&topic.topic).map(|view| view.id);
        if let Some(id) = id.filter(|_| !topic.partitions.is_empty()) {
            assignment
                .entry(id)
                .or_default()
                .extend(topic.partitions.iter().copied());
        }
    }
    Some(assignment)
}
