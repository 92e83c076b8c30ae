//! Names in transactions: the transactional id, and the partitions that a transaction covers.
//!
//! Owns: how they are held. Never: what a name may contain; the API files check that.

use crate::group::TopicName;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// What a producer calls itself over restarts (Kafka: transactional.id).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionalId(Arc<str>);

impl TransactionalId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TransactionalId {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl fmt::Display for TransactionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TransactionalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Partitions by topic, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partitions(BTreeMap<TopicName, BTreeSet<i32>>);

impl Partitions {
    /// Adds one; false if it was there.
    pub fn insert(&mut self, topic: TopicName, partition: i32) -> bool {
        self.0.entry(topic).or_default().insert(partition)
    }

    /// Adds all of `more`.
    pub fn extend(&mut self, more: &Partitions) {
        for (topic, partitions) in &more.0 {
            self.0.entry(topic.clone()).or_default().extend(partitions);
        }
    }

    /// Whether it is among them.
    #[must_use]
    pub fn contains(&self, topic: &TopicName, partition: i32) -> bool {
        self.0.get(topic).is_some_and(|known| known.contains(&partition))
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn covers(&self, others: &Partitions) -> bool {
        others
            .iter()
            .all(|(topic, partition)| self.contains(topic, partition))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = (&TopicName, i32)> {
        self.0
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(move |partition| (topic, *partition)))
    }

    /// By topic.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = (&TopicName, &BTreeSet<i32>)> {
        self.0.iter()
    }
}

impl FromIterator<(TopicName, i32)> for Partitions {
    fn from_iter<I: IntoIterator<Item = (TopicName, i32)>>(all: I) -> Self {
        let mut partitions = Self::default();
        for (topic, partition) in all {
            partitions.insert(topic, partition);
        }
        partitions
    }
}
