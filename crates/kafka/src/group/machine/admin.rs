//! ListGroups, DescribeGroups, DeleteGroups.
//!
//! Owns: what administrators see, and the end of a group. **Invariant**: a group is gone only when its tombstones are durable;
//! until then it is `Dead` and accepts nothing.

use super::group::Group;
use super::turn::Then;
use super::{Shard, Turn};
use crate::group::answer::{Answer, GroupState, ListedGroup};
use crate::group::error::{GroupError, PersistError};
use crate::group::request::ListRequest;
use crate::state::RequestId;

impl Shard {
    pub(super) fn list(&self, list: &ListRequest) -> Vec<ListedGroup> {
        let named = |wanted: &[String], name: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let mut listed = Vec::new();
        for group in self.groups.values() {
            let (kind, state) = (group.kind(), group.state());
            if state != GroupState::Dead
                && named(&list.types, kind.name())
                && named(&list.states, state.name())
            {
                listed.push(ListedGroup {
                    group: group.base().id.clone(),
                    protocol_type: group.protocol_type(),
                    state,
                    kind,
                });
            }
        }
        listed
    }
}

impl Group {
    pub(super) fn delete(&mut self, request: RequestId, turn: &mut Turn<'_>) {
        let refusal = match self.state() {
            GroupState::Empty => None,
            GroupState::Dead => Some(GroupError::GroupIdNotFound),
            _ => Some(GroupError::NonEmptyGroup),
        };
        if let Some(error) = refusal {
            return turn.reply(request, Answer::Delete(Err(error)));
        }
        self.set_dead(turn);
        let base = self.base_mut();
        // Some of the writes under way may fail; a tombstone for what was never there does no harm.
        let records = base.durable_and_pending(turn).tombstones(&base.id);
        if records.is_empty() {
            // It lived in memory only (members were invited and none came).
            self.set_empty();
            return turn.reply(request, Answer::Delete(Ok(())));
        }
        base.persist_tombstones(records, Then::Deleted(request), turn);
    }

    pub(super) fn deleted(
        &mut self,
        request: RequestId,
        outcome: Result<(), PersistError>,
        turn: &mut Turn<'_>,
    ) {
        // Back to empty in both cases: if the tombstones are durable nothing is left, and the shard drops what is vacant.
        self.set_empty();
        // One write of several may have failed: then a part of the offsets is gone, and the rest waits for the next attempt.
        let all_gone = self.base().durable.is_empty();
        let outcome = match outcome {
            Ok(()) if !all_gone => Err(GroupError::CoordinatorNotAvailable),
            other => other.map_err(PersistError::for_group),
        };
        turn.reply(request, Answer::Delete(outcome));
    }
}
