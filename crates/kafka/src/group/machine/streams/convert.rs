//! Streams groups among the others: who becomes one, and who stops being one.
//!
//! Owns: the way of a question to its group. **Invariant**: a group with members keeps its kind; its offsets stay whatever it becomes,
//! so an application moves from one protocol to the other by stopping and starting.

use super::StreamsGroup;
use crate::group::answer::{Answer, GroupKind, GroupState, Output};
use crate::group::error::{GroupError, PersistError};
use crate::group::machine::group::Group;
use crate::group::machine::turn::Then;
use crate::group::machine::{Now, Shard, Turn};
use crate::group::name::GroupId;
use crate::group::record::Record;
use crate::group::request::JoinRequest;
use crate::group::streams::StreamsHeartbeat;
use crate::state::RequestId;

fn failed(error: PersistError) -> Answer {
    Answer::StreamsHeartbeat(Err(error.for_group()))
}

impl Shard {
    pub(in crate::group::machine) fn streams_heartbeat(
        &mut self,
        id: RequestId,
        beat: &StreamsHeartbeat,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        // Only who joins brings a group into being.
        if let Err(error) = self.ensure_group(&beat.group, beat.epoch == 0, now) {
            return out.push(Output::Reply(id, Answer::StreamsHeartbeat(Err(error))));
        }
        self.with_group(&beat.group, now, out, |group, turn| {
            group.streams_heartbeat(id, beat, turn);
        });
    }

    pub(in crate::group::machine) fn describe_streams(
        &self,
        id: RequestId,
        group: &GroupId,
        out: &mut Vec<Output>,
    ) {
        let described = match self.groups.get(group) {
            Some(Group::Streams(group)) => Ok(group.describe()),
            None => Err(GroupError::GroupIdNotFound),
            Some(_) => Err(GroupError::NotOfKind(GroupKind::Streams)),
        };
        out.push(Output::Reply(id, Answer::DescribeStreams(described)));
    }
}

impl Group {
    fn streams_heartbeat(&mut self, request: RequestId, beat: &StreamsHeartbeat, turn: &mut Turn<'_>) {
        let refuse = |error, turn: &mut Turn<'_>| turn.reply(request, Answer::StreamsHeartbeat(Err(error)));
        if self.is_dead() {
            return refuse(GroupError::CoordinatorNotAvailable, turn);
        }
        let mut records = Vec::new();
        if beat.epoch == 0 && self.may_become_streams_group() {
            // What is refused leaves the group what it was.
            if let Err(error) = StreamsGroup::check_founder(beat) {
                return refuse(error, turn);
            }
            self.become_streams_group(&mut records, turn);
        }
        let Self::Streams(group) = self else {
            return refuse(GroupError::NotOfKind(GroupKind::Streams), turn);
        };
        let answer = Answer::StreamsHeartbeat(group.beat(beat, &mut records, turn));
        group.base.answer(request, records, answer, failed, turn);
    }

    /// A group in which nobody is, nor anybody is on the way to, takes the kind of the first who joins.
    fn may_become_streams_group(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_idle(),
            Self::Consumer(group) => group.is_empty(),
            // It has no offsets that could go over, and what it has consumed is not kept here.
            Self::Share(_) => self.is_vacant(),
            Self::Streams(_) => false,
        }
    }

    fn become_streams_group(&mut self, records: &mut Vec<Record>, turn: &Turn<'_>) {
        let base = self.take_base();
        records.extend(base.durable_and_pending(turn).membership_tombstones(&base.id));
        *self = Self::Streams(Box::new(StreamsGroup::new(base)));
    }

    /// JoinGroup of a member of the classic protocol: an empty group becomes a classic one.
    pub(in crate::group::machine) fn join_streams_group(
        &mut self,
        request: RequestId,
        join: JoinRequest,
        turn: &mut Turn<'_>,
    ) {
        if self.state() != GroupState::Empty {
            return turn.refuse_join(request, GroupError::InconsistentGroupProtocol, join.member);
        }
        let base = self.base();
        let records = base.durable_and_pending(turn).membership_tombstones(&base.id);
        self.become_nobodys(turn);
        let then = Then::Join(request, Box::new(join));
        self.base_mut().persist(records, then, turn);
    }
}
