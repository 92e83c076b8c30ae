//! Port: what the state machine asks about the rest of the broker. Topics and the settings of single groups.
//!
//! Owns: the port. Never: a topic or a setting. **Invariant**: an answer costs no wait; whoever changes an answer also tells the
//! machine to look again (`Input::TopicsChanged`).

use super::name::{GroupId, TopicId, TopicName};
use super::record::PatternReader;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
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

/// Two that are equal: nothing has changed in between. They mean nothing to another life of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Of the names of topics.
    pub topics: u64,
    /// Of who may see which.
    pub rights: u64,
}

/// A sort of readers: they may see the same topics, so that rights are asked once for all of them. There are about as many as
/// principals and addresses that rules name, however many clients there are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Eyes {
    /// They see every topic.
    Every,
    /// They see none: nobody knows who they are.
    Closed,
    /// Rules decide. `None`: no rule names the principal, or the address.
    Ruled(Option<Arc<str>>, Option<IpAddr>),
}

/// The rest of the broker.
pub trait Facts: Send + Sync + std::fmt::Debug {
    /// The topic of that name.
    fn topic(&self, name: &str) -> Option<TopicView>;

    /// The name of a topic.
    fn topic_name(&self, id: TopicId) -> Option<TopicName>;

    /// Calls `each` with the name of every topic that a pattern may match, the broker's own too.
    fn each_topic(&self, each: &mut dyn FnMut(&str));

    /// Of which topics and which rights the answers are now.
    fn versions(&self) -> Versions;

    /// Which sort of reader this is, by the present rights.
    fn eyes(&self, reader: Option<&PatternReader>) -> Eyes;

    /// Those of these topics that the reader may see: the same for all readers with the same eyes.
    fn seen(&self, reader: Option<&PatternReader>, names: &BTreeSet<TopicName>) -> BTreeSet<TopicName>;

    /// Settings made on the group.
    fn overrides(&self, group: &GroupId) -> GroupOverrides;
}
