//! Why the coordinator refuses, and what became of a write that failed.
//!
//! Owns: the two enums. Never: numbers of the wire; `api/` maps each variant to its Kafka code in one `match`.

use super::answer::GroupKind;
use std::fmt;

/// A refusal, named as Kafka names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupError {
    /// Another broker, or nobody yet, coordinates the group: look the coordinator up again.
    NotCoordinator,
    /// Cannot be served now; nothing was changed. Retry.
    CoordinatorNotAvailable,
    /// The group's state is still being read from its stream. Retry.
    CoordinatorLoadInProgress,
    /// The group's id is missing or malformed.
    InvalidGroupId,
    /// No such group.
    GroupIdNotFound,
    /// The group still has members.
    NonEmptyGroup,
    /// The group has as many members as it may have.
    GroupMaxSizeReached,
    /// The member's kind of group or its assignment protocols do not fit the group.
    InconsistentGroupProtocol,
    /// The session timeout lies outside the allowed range.
    InvalidSessionTimeout,
    /// Join again with the member id that comes with this answer (KIP-394).
    MemberIdRequired,
    /// No such member.
    UnknownMemberId,
    /// The static member was replaced by a newer one of the same instance id.
    FencedInstanceId,
    /// The member speaks of another generation.
    IllegalGeneration,
    /// A rebalance is under way: join again.
    RebalanceInProgress,
    /// The text stored with the offset is too long.
    OffsetMetadataTooLarge,
    /// The commit is larger than one write may be.
    InvalidCommitOffsetSize,
    /// A transaction that has not ended yet holds an offset of this partition (KIP-447).
    UnstableOffsetCommit,
    /// A transaction of a newer epoch of the producer has ended.
    StaleProducerEpoch,
    /// The group consumes the topic, so its offsets stay (KIP-496).
    GroupSubscribedToTopic,
    /// The member speaks of an epoch that is not its own: it must give up all it has and join again (KIP-848).
    FencedMemberEpoch,
    /// The member's epoch has changed meanwhile: it asks again with the new one (KIP-848).
    StaleMemberEpoch,
    /// The instance id belongs to a member that has not left (KIP-848).
    UnreleasedInstanceId,
    /// The pattern of topics is none.
    InvalidRegularExpression,
    /// The topology contradicts itself.
    InvalidTopology(&'static str),
    /// The members of the group run another topology.
    TopologyUpdate,
    /// The group is of another kind than the request.
    NotOfKind(GroupKind),
    /// Members of consumer groups need a later version of the request.
    UnsupportedVersion,
    /// Our own fault.
    UnknownServerError,
}

/// Why records did not become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistError {
    /// The stream is owned elsewhere, or closing.
    NotOwner,
    /// Certainly not written: no room, or the medium refused.
    Unavailable,
    /// More than one write may hold.
    TooLarge,
}

impl PersistError {
    /// What a member or an administrator is told when group metadata could not be written.
    #[must_use]
    pub fn for_group(self) -> GroupError {
        match self {
            Self::NotOwner => GroupError::NotCoordinator,
            Self::Unavailable => GroupError::CoordinatorNotAvailable,
            Self::TooLarge => GroupError::UnknownServerError,
        }
    }

    /// What a committer is told when its offsets could not be written.
    #[must_use]
    pub fn for_commit(self) -> GroupError {
        match self {
            Self::NotOwner => GroupError::NotCoordinator,
            Self::Unavailable => GroupError::CoordinatorNotAvailable,
            Self::TooLarge => GroupError::InvalidCommitOffsetSize,
        }
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCoordinator => "this broker does not coordinate the group",
            Self::CoordinatorNotAvailable => "the coordinator cannot serve the group now",
            Self::CoordinatorLoadInProgress => "the group's state is being loaded",
            Self::InvalidGroupId => "the group id is missing or malformed",
            Self::GroupIdNotFound => "no such group",
            Self::NonEmptyGroup => "the group still has members",
            Self::GroupMaxSizeReached => "the group has as many members as it may have",
            Self::InconsistentGroupProtocol => "the member's protocols do not fit the group's",
            Self::InvalidSessionTimeout => "the session timeout lies outside the allowed range",
            Self::MemberIdRequired => "join again with the given member id",
            Self::UnknownMemberId => "no such member",
            Self::FencedInstanceId => "a newer member has the same instance id",
            Self::IllegalGeneration => "another generation of the group is current",
            Self::RebalanceInProgress => "a rebalance is under way",
            Self::OffsetMetadataTooLarge => "the offset's metadata is too long",
            Self::InvalidCommitOffsetSize => "the commit is too large",
            Self::UnstableOffsetCommit => "an open transaction holds an offset of the partition",
            Self::StaleProducerEpoch => "a newer epoch of the producer has ended its transaction",
            Self::GroupSubscribedToTopic => "the group consumes the topic",
            Self::FencedMemberEpoch => "the member must give up its partitions and join again",
            Self::StaleMemberEpoch => "the member's epoch has changed",
            Self::UnreleasedInstanceId => "the instance id belongs to a member that has not left",
            Self::InvalidRegularExpression => "the pattern of topics is not a regular expression",
            Self::InvalidTopology(what) => what,
            // In Kafka's words, which clients log.
            Self::TopologyUpdate => "Topology updates are not supported yet.",
            Self::NotOfKind(kind) => return write!(f, "the group is not a {} group", kind.name()),
            Self::UnsupportedVersion => "members of consumer groups need a later version of the request",
            Self::UnknownServerError => "the coordinator failed",
        })
    }
}

impl std::error::Error for GroupError {}
