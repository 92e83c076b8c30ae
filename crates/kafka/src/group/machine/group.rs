//! A group of any kind, and what every kind answers.
//!
//! Owns: the list of kinds, and the questions that all of them must answer. Never: a decision; those lie with the kinds.
//!
//! **Invariant**: one id names one group of one kind. The kind may change, the base (offsets, writes under way) stays.
//!
//! A new kind is a variant here, a folder beside `classic/`, its records (`record/`) and its half of `DurableGroup`; then the
//! compiler names every place that has to tell the kinds apart.

use super::Turn;
use super::base::Base;
use super::classic::{ClassicGroup, ClassicState};
use super::consumer::ConsumerGroup;
use super::share::ShareGroup;
use super::streams::StreamsGroup;
use super::turn::{Assigned, Replaced};
use crate::group::answer::{Answer, DescribedConsumerGroup, DescribedGroup, GroupKind, GroupState};
use crate::group::error::{GroupError, PersistError};
use crate::group::name::{ProtocolName, TopicName};
use crate::group::record::CommittedOffset;
use crate::group::request::{
    CommitRequest, FetchRequest, HeartbeatRequest, JoinRequest, Leaver, SyncRequest,
};
use crate::state::RequestId;
use std::time::Duration;

/// What the members of a consumer group do together.
const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// What the members of a share group do together.
const SHARE_PROTOCOL_TYPE: &str = "share";

/// What the members of a streams group do together.
const STREAMS_PROTOCOL_TYPE: &str = "streams";

#[derive(Debug)]
pub(super) enum Group {
    /// Members agree among themselves; groups that only hold offsets are of this kind too.
    Classic(Box<ClassicGroup>),
    /// The coordinator assigns (KIP-848).
    Consumer(Box<ConsumerGroup>),
    /// Members share partitions, and records one by one (KIP-932).
    Share(Box<ShareGroup>),
    /// The coordinator deals out the tasks of an application (KIP-1071).
    Streams(Box<StreamsGroup>),
}

impl Group {
    /// A group of nobody, over what `base` holds: it takes the kind of the first who joins.
    pub fn empty(base: Base, wall_ms: i64) -> Self {
        Self::Classic(Box::new(ClassicGroup::new(base, wall_ms)))
    }

    pub fn base(&self) -> &Base {
        match self {
            Self::Classic(group) => &group.base,
            Self::Consumer(group) => &group.base,
            Self::Share(group) => &group.base,
            Self::Streams(group) => &group.base,
        }
    }

    pub fn base_mut(&mut self) -> &mut Base {
        match self {
            Self::Classic(group) => &mut group.base,
            Self::Consumer(group) => &mut group.base,
            Self::Share(group) => &mut group.base,
            Self::Streams(group) => &mut group.base,
        }
    }

    pub fn kind(&self) -> GroupKind {
        match self {
            Self::Classic(_) => GroupKind::Classic,
            Self::Consumer(_) => GroupKind::Consumer,
            Self::Share(_) => GroupKind::Share,
            Self::Streams(_) => GroupKind::Streams,
        }
    }

    pub fn state(&self) -> GroupState {
        match self {
            Self::Classic(group) => group.state.shown(),
            Self::Consumer(group) => group.state(),
            Self::Share(group) => group.state(),
            Self::Streams(group) => group.state(),
        }
    }

    /// What its members do together, as lists show it.
    pub fn protocol_type(&self) -> Option<ProtocolName> {
        match self {
            Self::Classic(group) => group.protocol_type.clone(),
            Self::Consumer(_) => Some(CONSUMER_PROTOCOL_TYPE.into()),
            Self::Share(_) => Some(SHARE_PROTOCOL_TYPE.into()),
            Self::Streams(_) => Some(STREAMS_PROTOCOL_TYPE.into()),
        }
    }

    pub fn is_dead(&self) -> bool {
        self.state() == GroupState::Dead
    }

    /// No members, none on the way, nothing under way: it may be forgotten once nothing durable is left of it.
    pub fn is_idle(&self) -> bool {
        let idle = match self {
            Self::Classic(group) => group.is_idle(),
            Self::Consumer(group) => group.is_empty(),
            Self::Share(group) => group.is_empty(),
            Self::Streams(group) => group.is_empty(),
        };
        idle && self.base().writes_in_flight == 0
    }

    /// Nothing of it would be found after a restart, and nobody counts on it.
    pub fn is_vacant(&self) -> bool {
        self.is_idle() && self.base().durable.is_empty()
    }

    /// Its deletion begins: from now on it accepts nothing. Only empty groups are deleted, and lose their kind first.
    pub fn set_dead(&mut self, turn: &Turn<'_>) {
        if !matches!(self, Self::Classic(_)) {
            self.become_nobodys(turn);
        }
        if let Self::Classic(group) = self {
            group.set_dead();
        }
    }

    /// Its deletion has ended, well or not.
    pub fn set_empty(&mut self) {
        if let Self::Classic(group) = self {
            group.state = ClassicState::Empty;
        }
    }

    /// Whether members consume the topic; if nobody can tell, they do.
    pub fn consumes(&self, topic: &TopicName) -> bool {
        match self {
            Self::Classic(group) => group.state != ClassicState::Empty && group.consumes(topic),
            Self::Consumer(group) => group.consumes(topic),
            Self::Share(group) => group.consumes(topic),
            Self::Streams(group) => group.consumes(topic),
        }
    }

    /// Whether anybody can tell which topics the members consume.
    pub fn knows_its_topics(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_consumer_group(),
            Self::Consumer(_) | Self::Share(_) | Self::Streams(_) => true,
        }
    }

    /// Whether offsets that nobody consumes age now.
    pub fn offsets_age(&self) -> bool {
        match self {
            Self::Classic(group) => group.offsets_age(),
            Self::Consumer(_) | Self::Streams(_) => true,
            // It has none, and stays until it is deleted.
            Self::Share(_) => false,
        }
    }

    /// Wall time from which an offset ages, milliseconds.
    pub fn ages_from_ms(&self, offset: &CommittedOffset) -> i64 {
        match self {
            Self::Classic(group) => group.ages_from_ms(offset),
            Self::Consumer(_) | Self::Share(_) | Self::Streams(_) => offset.committed_ms,
        }
    }

    /// Whether this committer may commit now. A commit is a sign of life of the member.
    pub fn admit_commit(&mut self, commit: &CommitRequest, turn: &Turn<'_>) -> Result<(), GroupError> {
        match self {
            Self::Classic(group) => group.admit_commit(commit, turn),
            Self::Consumer(group) => group.admit_commit(commit),
            Self::Streams(group) => group.admit_commit(commit),
            // What its members consumed is not said by commits.
            Self::Share(_) => Err(GroupError::NotOfKind(GroupKind::Classic)),
        }
    }

    /// Whether this reader may see offsets.
    pub fn admit_fetch(&self, fetch: &FetchRequest) -> Result<(), GroupError> {
        match self {
            Self::Classic(_) => Ok(()),
            Self::Consumer(group) => group.admit_fetch(fetch.member.as_ref(), fetch.member_epoch),
            Self::Streams(group) => group.admit_fetch(fetch.member.as_ref(), fetch.member_epoch),
            Self::Share(_) => Err(GroupError::NotOfKind(GroupKind::Classic)),
        }
    }

    /// DescribeGroups.
    pub fn describe(&self) -> Result<DescribedGroup, GroupError> {
        match self {
            Self::Classic(group) => group.describe().ok_or(GroupError::GroupIdNotFound),
            Self::Consumer(_) | Self::Share(_) | Self::Streams(_) => {
                Err(GroupError::NotOfKind(GroupKind::Classic))
            }
        }
    }

    /// ConsumerGroupDescribe.
    pub fn describe_consumer(&self, turn: &Turn<'_>) -> Result<DescribedConsumerGroup, GroupError> {
        match self {
            Self::Consumer(group) => Ok(group.describe_consumer(turn)),
            Self::Classic(_) | Self::Share(_) | Self::Streams(_) => {
                Err(GroupError::NotOfKind(GroupKind::Consumer))
            }
        }
    }

    /// Whether a change of topics may concern it.
    pub fn follows_topics(&self) -> bool {
        match self {
            // Share groups and streams groups look at their topics with each heartbeat.
            Self::Classic(_) | Self::Share(_) | Self::Streams(_) => false,
            Self::Consumer(group) => !group.is_empty(),
        }
    }

    /// Topics came, went or grew.
    pub fn topics_changed(&mut self, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(_) | Self::Share(_) | Self::Streams(_) => {}
            Self::Consumer(group) => group.topics_changed(turn),
        }
    }

    /// Everything of this group that is due.
    pub fn run_deadlines(&mut self, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.run_deadlines(turn),
            Self::Consumer(_) => self.expire_members(turn),
            Self::Share(group) => group.expire(turn),
            Self::Streams(group) => group.run_deadlines(turn),
        }
    }

    pub fn earliest_deadline(&self) -> Option<Duration> {
        match self {
            Self::Classic(group) => group.earliest_deadline(),
            Self::Consumer(group) => group.earliest_deadline(),
            Self::Share(group) => group.earliest_deadline(),
            Self::Streams(group) => group.earliest_deadline(),
        }
    }

    /// The invariants of the kind.
    pub fn check(&self) {
        match self {
            Self::Classic(group) => group.check(),
            Self::Consumer(group) => group.check(),
            Self::Share(group) => group.check(),
            Self::Streams(group) => group.check(),
        }
    }
}

/// Members of the classic protocol.
impl Group {
    pub fn join(&mut self, request: RequestId, join: JoinRequest, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.join(request, join, turn),
            Self::Consumer(_) => self.join_consumer_group(request, join, turn),
            Self::Streams(_) => self.join_streams_group(request, join, turn),
            Self::Share(_) => turn.refuse_join(request, GroupError::InconsistentGroupProtocol, join.member),
        }
    }

    pub fn sync(&mut self, request: RequestId, sync: SyncRequest, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.sync(request, sync, turn),
            Self::Consumer(group) => group.classic_sync(request, &sync, turn),
            Self::Share(_) | Self::Streams(_) => {
                turn.reply(request, Answer::Sync(Err(GroupError::UnknownMemberId)))
            }
        }
    }

    pub fn heartbeat(&mut self, request: RequestId, beat: &HeartbeatRequest, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.heartbeat(request, beat, turn),
            Self::Consumer(group) => group.classic_heartbeat(request, beat, turn),
            Self::Share(_) | Self::Streams(_) => {
                turn.reply(request, Answer::Heartbeat(Err(GroupError::UnknownMemberId)))
            }
        }
    }

    pub fn leave(&mut self, request: RequestId, leavers: Vec<Leaver>, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.leave(request, leavers, turn),
            Self::Consumer(_) => self.leave_consumer_group(request, leavers, turn),
            Self::Share(_) | Self::Streams(_) => {
                turn.reply(request, Answer::Leave(Err(GroupError::UnknownMemberId)))
            }
        }
    }

    /// A static member's new id is durable, or is not.
    pub fn replaced(&mut self, replaced: Replaced, outcome: Result<(), PersistError>, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.replaced(replaced, outcome, turn),
            // Only a group that nobody is in takes one of these kinds: no such write of its is under way.
            Self::Share(_) | Self::Streams(_) => {}
            // The group has changed its kind meanwhile; the member is one of it under the same epoch.
            Self::Consumer(_) => match outcome {
                Ok(()) => turn.reply(replaced.request, Answer::Join(Ok(replaced.joined))),
                Err(error) => turn.refuse_join(replaced.request, error.for_group(), None),
            },
        }
    }

    /// A generation's shares are durable, or are not.
    pub fn assigned(&mut self, assigned: Assigned, outcome: Result<(), PersistError>, turn: &mut Turn<'_>) {
        match self {
            Self::Classic(group) => group.assigned(assigned, outcome, turn),
            // The group has changed its kind meanwhile, and whoever waited was told so.
            Self::Consumer(_) | Self::Share(_) | Self::Streams(_) => {}
        }
    }
}
