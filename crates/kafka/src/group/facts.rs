//! Port: what the state machine asks about the rest of the broker. Topics and the settings of single groups.
//!
//! Owns: the port. Never: a topic or a setting. **Invariant**: an answer costs no wait; whoever changes an answer also tells the
//! machine to look again (`Input::TopicsChanged`).

use super::name::{GroupId, TopicId, TopicName};
use super::record::PatternReader;
use std::time::Duration;

/// A topic as groups see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicView {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partitions: u32,
}

/// Settings made on one group; `None`: the broker's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupOverrides {
    /// `consumer.session.timeout.ms`.
    pub session_timeout: Option<Duration>,
    /// `consumer.heartbeat.interval.ms`.
    pub heartbeat_interval: Option<Duration>,
}

/// The rest of the broker.
pub trait Facts: Send + Sync + std::fmt::Debug {
    /// The topic of that name.
    fn topic(&self, name: &str) -> Option<TopicView>;

    /// The name of a topic.
    fn topic_name(&self, id: TopicId) -> Option<TopicName>;

    /// Calls `each` with the name of every topic that a pattern may match, the broker's own too: those that the reader may see.
    fn each_topic(&self, reader: Option<&PatternReader>, each: &mut dyn FnMut(&str));

    /// Settings made on the group.
    fn overrides(&self, group: &GroupId) -> GroupOverrides;
}
