//! JoinGroup: who may join, under which id, and whether that starts a rebalance.
//!
//! Owns: admission. Never: how a rebalance runs (`rebalance`) or how a static member is replaced (`replace`).
//! **Invariant**: every path answers the request or leaves it waiting in its member.

use super::member::{Member, distinct, millis};
use super::{ClassicGroup, ClassicState, JoinPhase};
use crate::group::answer::{Answer, Joined};
use crate::group::config::{NEW_MEMBER_JOIN_TIMEOUT, PENDING_MEMBERS_MAX};
use crate::group::error::GroupError;
use crate::group::machine::{Shard, Turn};
use crate::group::name::MemberId;
use crate::group::request::{JoinRequest, Protocol};
use crate::state::RequestId;

impl Shard {
    pub(in crate::group::machine) fn check_session_timeout(
        &self,
        join: &JoinRequest,
    ) -> Result<(), GroupError> {
        let allowed = self.config.session_timeout_min..=self.config.session_timeout_max;
        if join.session_timeout_ms >= 0 && allowed.contains(&millis(join.session_timeout_ms)) {
            Ok(())
        } else {
            Err(GroupError::InvalidSessionTimeout)
        }
    }
}

impl ClassicGroup {
    pub(in crate::group::machine) fn join(
        &mut self,
        request: RequestId,
        mut join: JoinRequest,
        turn: &mut Turn<'_>,
    ) {
        join.protocols = distinct(join.protocols);
        if self.state == ClassicState::Dead {
            return turn.refuse_join(request, GroupError::CoordinatorNotAvailable, join.member);
        }
        if !self.has_room_for(join.member.as_ref(), turn) {
            if let Some(member) = &join.member {
                self.forget(member, turn);
            }
            return turn.refuse_join(request, GroupError::GroupMaxSizeReached, None);
        }
        if !self.supports(&join.protocol_type, &join.protocols) {
            return turn.refuse_join(request, GroupError::InconsistentGroupProtocol, join.member);
        }
        match join.member.clone() {
            None => self.join_as_new(request, join, turn),
            Some(member) => self.join_as_known(request, member, join, turn),
        }
    }

    /// While members join, those that have joined count: the size is unreliable if the limit was lowered meanwhile, and
    /// this way the last to come back are the ones that find no room.
    fn has_room_for(&self, member: Option<&MemberId>, turn: &Turn<'_>) -> bool {
        let known = member.and_then(|member| self.members.get(member));
        let size_max = turn.config.group_size_max;
        match self.state {
            ClassicState::Empty | ClassicState::Dead => true,
            ClassicState::PreparingRebalance => {
                known.is_some_and(|member| member.awaiting_join.is_some()) || self.awaiting_join < size_max
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                known.is_some() || self.members.len() < size_max
            }
        }
    }

    fn forget(&mut self, member: &MemberId, turn: &mut Turn<'_>) {
        if self.invited.remove(member).is_some() {
            self.after_lapse(turn);
        }
        if self
            .remove_member(member, GroupError::GroupMaxSizeReached, turn)
            .is_some()
        {
            self.after_removal(turn);
        }
    }

    fn join_as_new(&mut self, request: RequestId, join: JoinRequest, turn: &mut Turn<'_>) {
        let fresh = join.fresh_member.clone();
        if let Some(instance) = &join.instance {
            return match self.statics.get(instance).cloned() {
                Some(old) => self.replace_static(request, &old, join, turn),
                None => self.admit(request, fresh, join, turn),
            };
        }
        if !join.member_id_required {
            return self.admit(request, fresh, join, turn);
        }
        if self.invited.len() >= PENDING_MEMBERS_MAX {
            return turn.refuse_join(request, GroupError::GroupMaxSizeReached, None);
        }
        let lapses = turn.now.monotonic + millis(join.session_timeout_ms);
        self.invited.insert(fresh.clone(), lapses);
        self.base.note(lapses);
        turn.refuse_join(request, GroupError::MemberIdRequired, Some(fresh));
    }

    fn join_as_known(
        &mut self,
        request: RequestId,
        member: MemberId,
        join: JoinRequest,
        turn: &mut Turn<'_>,
    ) {
        if join.instance.is_none() && self.invited.remove(&member).is_some() {
            return self.admit(request, member, join, turn);
        }
        if let Err(error) = self.validate(Some(&member), join.instance.as_ref()) {
            return turn.refuse_join(request, error, Some(member));
        }
        let same = self.members[&member].protocols == join.protocols;
        match self.state {
            ClassicState::PreparingRebalance => self.rejoin(request, &member, join, turn),
            // The answer to its join got lost: it gets it again, the generation stays.
            ClassicState::CompletingRebalance if same => self.reply_current(request, &member, turn),
            // A leader that joins again has seen something that its metadata does not show (a topic grew): rebalance.
            ClassicState::Stable if same && !self.is_leader(&member) => {
                self.reply_current(request, &member, turn)
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                self.rejoin(request, &member, join, turn)
            }
            ClassicState::Empty | ClassicState::Dead => {
                turn.refuse_join(request, GroupError::UnknownMemberId, Some(member));
            }
        }
    }

    /// Takes in a member that was none before.
    fn admit(&mut self, request: RequestId, id: MemberId, join: JoinRequest, turn: &mut Turn<'_>) {
        if let JoinPhase::Initial { extended, .. } = &mut self.phase {
            *extended = true;
        }
        let protocol_type = join.protocol_type.clone();
        let mut member = Member::new(id, join, request);
        // Its session cannot be watched yet; but a client that gave up must not stay for ever.
        let deadline = turn.now.monotonic + NEW_MEMBER_JOIN_TIMEOUT;
        member.deadline = Some(deadline);
        self.base.note(deadline);
        self.insert_member(member, &protocol_type);
        self.rebalance_or_complete(turn);
    }

    fn rejoin(&mut self, request: RequestId, id: &MemberId, join: JoinRequest, turn: &mut Turn<'_>) {
        self.update_member(id, join);
        self.await_join(id, request, turn);
        self.rebalance_or_complete(turn);
    }

    pub(super) fn update_member(&mut self, id: &MemberId, join: JoinRequest) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        member.session_timeout = millis(join.session_timeout_ms);
        member.rebalance_timeout = millis(join.rebalance_timeout_ms);
        member.client = join.client;
        let old: Vec<Protocol> = std::mem::replace(&mut member.protocols, join.protocols);
        for protocol in &member.protocols {
            *self.support.entry(protocol.name.clone()).or_default() += 1;
        }
        self.withdraw_support(&old);
    }

    fn reply_current(&self, request: RequestId, id: &MemberId, turn: &mut Turn<'_>) {
        let joined = self.joined(id);
        turn.reply(request, Answer::Join(Ok(joined)));
    }

    /// The member's place in the present generation; the leader gets the list of members.
    pub(super) fn joined(&self, id: &MemberId) -> Joined {
        let protocol = self.protocol.as_ref();
        let members = self.members.values().filter(|_| self.is_leader(id));
        Joined {
            member: id.clone(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            members: members.map(|member| member.joined(protocol)).collect(),
        }
    }
}
