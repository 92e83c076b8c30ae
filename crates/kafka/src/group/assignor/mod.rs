//! Who gets which partitions: the assignors of KIP-848, pure functions of the members, their subscriptions and the topics.
//!
//! Owns: the choice. Never: who is a member, epochs, the way from one assignment to the next.
//!
//! **Invariant**: every partition of a topic that somebody subscribes to is given to exactly one of its subscribers, and the
//! same question gets the same answer.

mod balance;
mod range;
#[cfg(test)]
mod tests;
mod uniform;

use super::name::{InstanceId, MemberId, TopicId};
use std::collections::{BTreeMap, BTreeSet};

/// Partitions by topic; no topic without partitions.
pub type Assignment = BTreeMap<TopicId, BTreeSet<i32>>;

/// How partitions are spread over members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assignor {
    /// Evenly, with as few moves as evenness allows.
    Uniform,
    /// Contiguous ranges of each topic, so that topics of equal size are split alike.
    Range,
}

impl Assignor {
    /// Every assignor.
    pub const ALL: [Assignor; 2] = [Self::Uniform, Self::Range];

    /// As clients name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The assignor of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }
}

/// One member, as an assignor sees it.
#[derive(Clone, Debug)]
pub struct MemberSpec<'a> {
    /// Its id.
    pub id: &'a MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<&'a InstanceId>,
    /// Which of the subscriptions is its own.
    pub subscription: usize,
    /// What it was to have before.
    pub present: &'a Assignment,
}

/// The whole question.
#[derive(Clone, Debug)]
pub struct Spec<'a> {
    /// In the order of their ids.
    pub members: Vec<MemberSpec<'a>>,
    /// The distinct subscriptions: topics that exist.
    pub subscriptions: Vec<BTreeSet<TopicId>>,
    /// How many partitions each topic has.
    pub topics: BTreeMap<TopicId, u32>,
}

impl Spec<'_> {
    fn subscribes(&self, member: usize, topic: &TopicId) -> bool {
        self.subscriptions[self.members[member].subscription].contains(topic)
    }

    fn partitions(&self, topic: &TopicId) -> i32 {
        let count = self.topics.get(topic).copied().unwrap_or(0);
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// Members by topic, for each topic that somebody subscribes to; in the order of the members.
    fn subscribers(&self) -> BTreeMap<TopicId, Vec<usize>> {
        let mut subscribers: BTreeMap<TopicId, Vec<usize>> = BTreeMap::new();
        for (index, member) in self.members.iter().enumerate() {
            for topic in &self.subscriptions[member.subscription] {
                subscribers.entry(*topic).or_default().push(index);
            }
        }
        subscribers
    }
}

/// The assignment of each member, in the order of the members.
#[must_use]
pub fn assign(assignor: Assignor, spec: &Spec<'_>) -> Vec<Assignment> {
    match assignor {
        Assignor::Range => range::assign(spec),
        Assignor::Uniform if spec.subscriptions.len() <= 1 => uniform::assign(spec),
        Assignor::Uniform => balance::assign(spec),
    }
}

/// Partitions that nobody has taken yet.
struct Free(BTreeMap<TopicId, Vec<bool>>);

impl Free {
    /// Every partition of the topics that somebody subscribes to.
    fn all(spec: &Spec<'_>) -> Self {
        let subscribed: BTreeSet<&TopicId> = spec.subscriptions.iter().flatten().collect();
        let topics = subscribed.into_iter().map(|topic| {
            let count = usize::try_from(spec.partitions(topic)).unwrap_or(0);
            (*topic, vec![true; count])
        });
        Self(topics.collect())
    }

    /// Takes a partition; false: it is not there, or was taken.
    fn take(&mut self, topic: &TopicId, partition: i32) -> bool {
        let found = self.0.get_mut(topic).zip(usize::try_from(partition).ok());
        let slot = found.and_then(|(partitions, index)| partitions.get_mut(index));
        slot.is_some_and(|free| std::mem::replace(free, false))
    }

    /// What is left, in order.
    fn rest(&self) -> impl Iterator<Item = (TopicId, i32)> + '_ {
        self.0.iter().flat_map(|(topic, partitions)| {
            let free = (0_i32..).zip(partitions).filter(|(_, free)| **free);
            free.map(|(partition, _)| (*topic, partition))
        })
    }
}
