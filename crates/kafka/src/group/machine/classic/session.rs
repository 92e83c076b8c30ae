//! Heartbeat, LeaveGroup, and members that fall silent.
//!
//! Owns: the end of a membership. **Invariant**: a member whose join or sync waits is never taken for silent; one that is
//! new is, after `NEW_MEMBER_JOIN_TIMEOUT`. The last one's leave is answered once it is durable.

use super::{ClassicGroup, ClassicState};
use crate::group::answer::Answer;
use crate::group::error::{GroupError, PersistError};
use crate::group::machine::Turn;
use crate::group::name::MemberId;
use crate::group::request::{HeartbeatRequest, Leaver};
use crate::state::RequestId;

fn leave_failed(error: PersistError) -> Answer {
    Answer::Leave(Err(error.for_group()))
}

impl ClassicGroup {
    pub(in crate::group::machine) fn heartbeat(
        &mut self,
        request: RequestId,
        beat: &HeartbeatRequest,
        turn: &mut Turn<'_>,
    ) {
        let outcome = self.accept_heartbeat(beat, turn);
        turn.reply(request, Answer::Heartbeat(outcome));
    }

    fn accept_heartbeat(&mut self, beat: &HeartbeatRequest, turn: &Turn<'_>) -> Result<(), GroupError> {
        if self.state == ClassicState::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.validate(Some(&beat.member), beat.instance.as_ref())?;
        if beat.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        match self.state {
            ClassicState::Empty | ClassicState::Dead => Err(GroupError::UnknownMemberId),
            ClassicState::PreparingRebalance => {
                self.renew_session(&beat.member, turn.now.monotonic);
                Err(GroupError::RebalanceInProgress)
            }
            // Clients begin to send heartbeats once their join is answered, before they have their share.
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                self.renew_session(&beat.member, turn.now.monotonic);
                Ok(())
            }
        }
    }

    pub(in crate::group::machine) fn leave(
        &mut self,
        request: RequestId,
        leavers: Vec<Leaver>,
        turn: &mut Turn<'_>,
    ) {
        if self.state == ClassicState::Dead {
            return turn.reply(request, Answer::Leave(Err(GroupError::CoordinatorNotAvailable)));
        }
        let members_before = self.members.len();
        let mut results = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            let outcome = self.remove_leaver(&leaver, turn);
            results.push((leaver, outcome));
        }
        if self.members.len() < members_before {
            self.after_removal(turn);
        } else {
            self.after_lapse(turn);
        }
        let answer = Answer::Leave(Ok(results));
        if self.state == ClassicState::Empty {
            // Who left last and was told so is not to be a member again after a crash: the group would be taken for a living one
            // until its session ran out, and its offsets could not be reset meanwhile.
            self.base.answer(request, Vec::new(), answer, leave_failed, turn);
        } else {
            turn.reply(request, answer);
        }
    }

    fn remove_leaver(&mut self, leaver: &Leaver, turn: &mut Turn<'_>) -> Result<(), GroupError> {
        let id = match (&leaver.member, &leaver.instance) {
            (Some(member), instance) => {
                if self.invited.remove(member).is_some() {
                    return Ok(());
                }
                self.validate(Some(member), instance.as_ref())?;
                member.clone()
            }
            // An administrator removes a static member by the only name he knows.
            (None, Some(instance)) => self
                .statics
                .get(instance)
                .cloned()
                .ok_or(GroupError::UnknownMemberId)?,
            (None, None) => return Err(GroupError::UnknownMemberId),
        };
        self.remove_member(&id, GroupError::UnknownMemberId, turn);
        Ok(())
    }

    /// Everything of this group that is due.
    pub(in crate::group::machine) fn run_deadlines(&mut self, turn: &mut Turn<'_>) {
        self.lapse_invitations(turn);
        self.expire_sessions(turn);
        self.run_sync_deadline(turn);
        self.run_phase_deadline(turn);
    }

    fn lapse_invitations(&mut self, turn: &mut Turn<'_>) {
        let before = self.invited.len();
        self.invited.retain(|_, lapses| *lapses > turn.now.monotonic);
        if self.invited.len() < before {
            self.after_lapse(turn);
        }
    }

    fn expire_sessions(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic;
        let mut silent: Vec<MemberId> = Vec::new();
        for member in self.members.values_mut() {
            if member.deadline.is_none_or(|deadline| deadline > now) {
                continue;
            }
            let waits = member.awaiting_join.is_some() || member.awaiting_sync.is_some();
            if waits && !member.is_new {
                // Its session starts anew with the answer it waits for.
                member.deadline = None;
            } else {
                silent.push(member.id.clone());
            }
        }
        for id in &silent {
            self.remove_member(id, GroupError::UnknownMemberId, turn);
        }
        if !silent.is_empty() {
            self.after_removal(turn);
        }
    }
}
