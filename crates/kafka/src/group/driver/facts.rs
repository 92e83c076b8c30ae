//! The broker's topics and settings as the state machine asks for them.
//!
//! Owns: the adapter. Never: a copy; every answer is the broker's present one.

use crate::group::facts::{Facts, GroupOverrides, TopicView};
use crate::group::name::{GroupId, TopicId, TopicName};
use crate::group::record::PatternReader;
use millstream_broker::Broker;
use millstream_broker::security::{Asker, Operation, Principal, Resource};
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

    fn each_topic(&self, reader: Option<&PatternReader>, each: &mut dyn FnMut(&str)) {
        // Internal ones too: Kafka's broker assigns what an expression matches, and leaves it to the client to skip them.
        let topics = self.0.topics();
        let names = topics.iter().map(|topic| topic.name());
        if !self.0.authorizes() {
            return names.for_each(each);
        }
        // Who it is was not written down as long as nobody asked; the next heartbeat says so.
        let principal = reader.and_then(|reader| reader.principal.parse::<Principal>().ok());
        let Some((reader, principal)) = reader.zip(principal) else {
            return;
        };
        let asker = Asker {
            principal: &principal,
            host: reader.host,
        };
        names
            .filter(|name| {
                let topic = Resource::Topic(name);
                self.0.authorize(asker, Operation::Describe, topic)
            })
            .for_each(each);
    }

    fn overrides(&self, group: &GroupId) -> GroupOverrides {
        let settings = self.0.consumer_group_overrides(group.as_str());
        GroupOverrides {
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.heartbeat_interval,
        }
    }
}
