//! Names: which subscription, which consumer.
//!
//! Owns: the words. **Invariant**: two protocols never mean each other's subscriptions: their spaces differ.

use millstream_meta::catalog::TopicId;
use std::sync::Arc;

/// Whose names they are: each front end has its own space. Numbers are part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub u8);

/// One subscription over one partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId {
    /// Whose name.
    pub space: Space,
    /// The name that the front end gave it; consumers that share it share the records.
    pub name: Arc<str>,
    /// The topic. A topic of the same name that is made later is another one.
    pub topic: TopicId,
    /// Its partition.
    pub partition: u32,
}

/// One consumer, as its front end numbers it: who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(pub u64);
