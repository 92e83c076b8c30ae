//! The broker's topics and settings as the state machine asks for them.
//!
//! Owns: the adapter. Never: a copy; every answer is the broker's present one.

use crate::group::facts::{Eyes, Facts, GroupOverrides, TopicView, Versions};
use crate::group::name::{GroupId, TopicId, TopicName};
use crate::group::record::PatternReader;
use millstream_broker::Broker;
use millstream_broker::security::{Asker, Operation, Principal, Regard, Resource, ResourceType};
use std::collections::BTreeSet;
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
        // Internal ones too: Kafka's broker assigns what an expression matches, and leaves it to the client to skip them.
        self.0.topics().iter().for_each(|topic| each(topic.name()));
    }

    fn versions(&self) -> Versions {
        Versions {
            topics: self.0.topic_names_changed(),
            rights: self.0.rules_changed(),
        }
    }

    fn eyes(&self, reader: Option<&PatternReader>) -> Eyes {
        if !self.0.authorizes() {
            return Eyes::Every;
        }
        let Some((reader, principal)) = known(reader) else {
            return Eyes::Closed;
        };
        match self.0.regard(asker(reader, &principal), ResourceType::Topic) {
            Regard::Trusted => Eyes::Every,
            Regard::Ruled {
                principal: names_it,
                host,
            } => Eyes::Ruled(
                names_it.then(|| reader.principal.clone()),
                host.then(|| reader.host.to_canonical()),
            ),
        }
    }

    fn seen(&self, reader: Option<&PatternReader>, names: &BTreeSet<TopicName>) -> BTreeSet<TopicName> {
        if !self.0.authorizes() {
            return names.clone();
        }
        let Some((reader, principal)) = known(reader) else {
            return BTreeSet::new();
        };
        let may_see = |name: &&TopicName| {
            let topic = Resource::Topic(name.as_str());
            self.0
                .authorize(asker(reader, &principal), Operation::Describe, topic)
        };
        names.iter().filter(may_see).cloned().collect()
    }

    fn overrides(&self, group: &GroupId) -> GroupOverrides {
        let settings = self.0.consumer_group_overrides(group.as_str());
        GroupOverrides {
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.heartbeat_interval,
        }
    }
}

/// Who a reader is. It was not written down as long as nobody asked; the next heartbeat says so.
fn known(reader: Option<&PatternReader>) -> Option<(&PatternReader, Principal)> {
    let reader = reader?;
    Some((reader, reader.principal.parse().ok()?))
}

fn asker<'a>(reader: &PatternReader, principal: &'a Principal) -> Asker<'a> {
    Asker {
        principal,
        host: reader.host,
    }
}
