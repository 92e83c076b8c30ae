//! A static member that comes back under a new member id (KIP-345, KIP-814).
//!
//! Owns: the exchange of ids. **Invariant**: of two members with one instance id the older is fenced at once, its waiting
//! requests included.

use super::{ClassicGroup, ClassicState};
use crate::group::answer::Answer;
use crate::group::error::{GroupError, PersistError};
use crate::group::machine::Turn;
use crate::group::machine::turn::{Replaced, Then};
use crate::group::name::MemberId;
use crate::group::request::JoinRequest;
use crate::state::RequestId;

impl ClassicGroup {
    pub(super) fn replace_static(
        &mut self,
        request: RequestId,
        old: &MemberId,
        join: JoinRequest,
        turn: &mut Turn<'_>,
    ) {
        let old_leader = self.leader.clone();
        let skip_supported = join.skip_assignment_supported;
        let fresh = join.fresh_member.clone();
        self.exchange(old, &fresh, turn);
        self.update_member(&fresh, join);
        self.renew_session(&fresh, turn.now.monotonic);
        let same_protocol = self.select_protocol() == self.protocol;
        if self.state != ClassicState::Stable || !same_protocol {
            // While shares are being computed the leader's answer will name the old id, so the new one would get
            // nothing: everybody joins again. In the join phase the member simply waits with the others.
            self.await_join(&fresh, request, turn);
            return self.rebalance_or_complete(turn);
        }
        let mut joined = self.joined(&fresh);
        if skip_supported {
            joined.skip_assignment = self.is_leader(&fresh);
        } else {
            // Told that it leads, an older client would compute shares for a generation that has them. So it is told
            // the leader's former id, which is nobody's.
            joined.leader = old_leader;
            joined.members = Vec::new();
        }
        let record = self.metadata_record(|member| member.assignment.clone());
        let replaced = Replaced {
            request,
            generation: self.generation,
            joined,
        };
        self.base
            .persist(vec![record], Then::Replaced(Box::new(replaced)), turn);
    }

    /// The exchange is durable, or is not. If not, what is stored names the old id and what members see the new one: a new
    /// generation, stored whole, ends that. Going back to the old id instead would unfence a process that was told to stop.
    pub(in crate::group::machine) fn replaced(
        &mut self,
        replaced: Replaced,
        outcome: Result<(), PersistError>,
        turn: &mut Turn<'_>,
    ) {
        match outcome {
            Ok(()) => turn.reply(replaced.request, Answer::Join(Ok(replaced.joined))),
            Err(error) => {
                turn.refuse_join(replaced.request, error.for_group(), None);
                if self.state == ClassicState::Stable && self.generation == replaced.generation {
                    self.rebalance_or_complete(turn);
                }
            }
        }
    }

    fn exchange(&mut self, old: &MemberId, fresh: &MemberId, turn: &mut Turn<'_>) {
        let led = self.is_leader(old);
        let owed_sync = self.pending_sync.contains(old);
        let protocol_type = self.protocol_type.clone();
        let Some(mut member) = self.remove_member(old, GroupError::FencedInstanceId, turn) else {
            return;
        };
        member.id = fresh.clone();
        if let Some(protocol_type) = protocol_type {
            self.insert_member(member, &protocol_type);
        }
        if led {
            self.leader = Some(fresh.clone());
        }
        if owed_sync {
            self.pending_sync.insert(fresh.clone());
        }
    }
}
