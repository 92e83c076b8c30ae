//! What others want to know of a consumer group: administrators, committers, the sweep over old offsets, replay.
//!
//! Owns: the answers. Never: a change of membership.

use super::ConsumerGroup;
use crate::group::answer::{DescribedConsumerGroup, DescribedConsumerMember};
use crate::group::error::GroupError;
use crate::group::machine::Turn;
use crate::group::machine::base::Base;
use crate::group::name::{MemberId, TopicName};
use crate::group::record::ConsumerRecord;
use crate::group::request::CommitRequest;

impl ConsumerGroup {
    /// The group that the base's records hold. Each member has a fresh session.
    pub fn restore(base: Base, turn: &Turn<'_>) -> Self {
        let stored = base.durable.consumer.clone();
        let mut group = Self::new(base);
        let members = stored.members.into_iter();
        members.for_each(|(id, value)| group.apply(ConsumerRecord::Member(id, Some(value)), turn.facts));
        let targets = stored.targets.into_iter();
        targets.for_each(|(id, value)| group.apply(ConsumerRecord::Target(id, Some(value)), turn.facts));
        let currents = stored.currents.into_iter();
        currents.for_each(|(id, value)| group.apply(ConsumerRecord::Current(id, Some(value)), turn.facts));
        group.apply(ConsumerRecord::TargetEpoch(Some(stored.target_epoch)), turn.facts);
        group.apply(ConsumerRecord::Epoch(stored.epoch), turn.facts);
        let ids: Vec<MemberId> = group.state.members.keys().cloned().collect();
        for id in &ids {
            group.renew_session(id, turn);
            group.watch_revocation(id, turn);
        }
        group
    }

    /// ConsumerGroupDescribe.
    pub fn describe_consumer(&self, turn: &Turn<'_>) -> DescribedConsumerGroup {
        let members = self.state.members.iter().map(|(id, member)| {
            let current = self.current(id);
            DescribedConsumerMember {
                member: id.clone(),
                instance: member.instance.clone(),
                rack: member.rack.clone(),
                epoch: current.epoch,
                client: member.client.clone(),
                subscription: member.subscription.clone(),
                assigned: current.assigned.clone(),
                target: self.target(id),
                is_classic: member.classic.is_some(),
            }
        });
        DescribedConsumerGroup {
            group: self.base.id.clone(),
            state: self.state(),
            epoch: self.epoch(),
            target_epoch: self.state.target_epoch,
            assignor: self.assignor(turn),
            members: members.collect(),
        }
    }

    /// Whether this committer may commit now.
    pub fn admit_commit(&self, commit: &CommitRequest) -> Result<(), GroupError> {
        if commit.generation < 0 && self.is_empty() || commit.is_nobodys_in_transaction() {
            return Ok(());
        }
        let (member, in_transaction) = (commit.member.as_ref(), commit.transaction.is_some());
        let is_classic = member
            .and_then(|id| self.member(id))
            .is_some_and(|member| member.classic.is_some());
        if member.is_some_and(|id| self.member(id).is_some())
            && !is_classic
            && !commit.group_not_found_supported
            // The other API has no version for members of consumer groups: every one of its versions is theirs.
            && !in_transaction
        {
            return Err(GroupError::UnsupportedVersion);
        }
        self.check_member_epoch(member, commit.generation)
    }

    /// Whether this reader may see offsets. Whoever claims nothing may.
    pub fn admit_fetch(&self, member: Option<&MemberId>, epoch: i32) -> Result<(), GroupError> {
        if member.is_none() && epoch < 0 {
            return Ok(());
        }
        self.check_member_epoch(member, epoch)
    }

    pub(super) fn check_member_epoch(&self, id: Option<&MemberId>, epoch: i32) -> Result<(), GroupError> {
        let id = id.ok_or(GroupError::UnknownMemberId)?;
        let member = self.member(id).ok_or(GroupError::UnknownMemberId)?;
        match (epoch == self.current(id).epoch, &member.classic) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(GroupError::IllegalGeneration),
            (false, None) => Err(GroupError::StaleMemberEpoch),
        }
    }

    /// Whether members consume the topic.
    pub fn consumes(&self, topic: &TopicName) -> bool {
        self.subscriptions.contains(topic)
    }
}
