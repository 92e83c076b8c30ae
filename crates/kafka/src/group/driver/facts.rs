//! The broker's topics and settings as the state machine asks for them.
//!
//! Owns: the adapter. Never: a copy; every answer is the broker's present one.

use crate::group::facts::{Facts, GroupOverrides, TopicView};
use crate::group::name::{GroupId, TopicId, TopicName};
use millstream_broker::Broker;
use std::fmt;

/// The facts of a broker.
pub(super) struct BrokerFacts(pub Broker);

impl fmt::Debug for BrokerFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrokerFacts")
    }
}

impl Facts for BrokerFacts {
    fn topic(&self, name: &str) -> Option<TopicView> {
        self.0.topic(name).map(|topic| TopicView {
            id: TopicId(topic.id().0),
            partitions: topic.partitions(),
        })
    }

    fn topic_name(&self, id: TopicId) -> Option<TopicName> {
        let topic = self.0.topic_by_id(&millstream_broker::TopicId(id.0));
        topic.map(|topic| TopicName::from(topic.name()))
    }

    fn each_topic(&self, each: &mut dyn FnMut(&str)) {
        let topics = self.0.topics();
        topics
            .iter()
            .filter(|topic| !topic.is_internal())
            .for_each(|topic| each(topic.name()));
    }

    fn overrides(&self, group: &GroupId) -> GroupOverrides {
        let settings = self.0.consumer_group_overrides(group.as_str());
        GroupOverrides {
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.heartbeat_interval,
        }
    }
}
