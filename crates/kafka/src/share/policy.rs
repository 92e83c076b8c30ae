//! The terms of share groups: settings of the broker, and of the group where it has its own.
//!
//! Owns: which setting says what to the queues. Never: where settings are kept (the broker's).

use crate::group::ShareTerms;
use millstream_broker::queue::{DeadLetters, Labels, Policy, PolicySource, StartAt, SubscriptionId};
use millstream_broker::share_settings::start_at;
use millstream_broker::{Broker, Isolation, NamedKind};
use std::sync::Arc;
use std::time::Duration;

/// Headers of a dead letter (KIP-1191).
const LABELS: Labels = Labels {
    topic: "__dlq.errors.topic",
    partition: "__dlq.errors.partition",
    offset: "__dlq.errors.offset",
    subscription: "__dlq.errors.group",
    deliveries: "__dlq.errors.delivery.count",
    reason: "__dlq.errors.message",
    rejected: "Offset rejected by client.",
    undelivered: "Offset delivery count exceeded the threshold.",
};

pub(super) struct SharePolicies {
    broker: Broker,
}

impl SharePolicies {
    pub fn new(broker: Broker) -> Self {
        Self { broker }
    }

    /// A setting of the group itself.
    fn of_group(&self, group: &str, name: &str) -> Option<String> {
        self.broker.named(NamedKind::Group, group).remove(name)
    }

    /// What the coordinator needs of the group's settings.
    pub fn terms(&self, group: &str) -> ShareTerms {
        let settings = self.broker.settings();
        let own = |name: &str| self.whole(group, name).map(Duration::from_millis);
        ShareTerms {
            session_timeout: own("share.session.timeout.ms").unwrap_or(settings.queues.session_timeout),
            heartbeat_interval: own("share.heartbeat.interval.ms")
                .unwrap_or(settings.queues.heartbeat_interval),
            size_max: settings.queues.members_max,
        }
    }

    fn whole(&self, group: &str, name: &str) -> Option<u64> {
        self.of_group(group, name)?.trim().parse().ok()
    }

    pub fn lock(&self, group: &str) -> Duration {
        let own = self.whole(group, "share.record.lock.duration.ms");
        own.map_or(self.broker.settings().queues.lock, Duration::from_millis)
    }

    pub fn may_renew(&self, group: &str) -> bool {
        self.of_group(group, "share.renew.acknowledge.enable")
            .is_none_or(|text| text.trim() != "false")
    }

    fn dead_letters(&self, group: &str) -> Option<Arc<DeadLetters>> {
        let topic = self.of_group(group, "errors.deadletterqueue.topic.name")?;
        let settings = self.broker.settings();
        let queues = &settings.queues;
        if topic.is_empty() {
            return None;
        }
        let is_named_well = !topic.starts_with("__") && topic.starts_with(&queues.dead_letter_prefix);
        let refused = match self.broker.topic(&topic) {
            _ if !is_named_well => Some("its name lacks errors.deadletterqueue.topic.name.prefix"),
            Some(found) if found.settings().takes_dead_letters => None,
            Some(_) => Some("errors.deadletterqueue.group.enable is not set for it"),
            None if queues.creates_dead_letter_topics => None,
            None => {
                Some("it does not exist, and errors.deadletterqueue.auto.create.topics.enable is not set")
            }
        };
        let create = vec![
            (
                "errors.deadletterqueue.group.enable".to_owned(),
                Some("true".to_owned()),
            ),
            ("message.timestamp.type".to_owned(), Some("CreateTime".to_owned())),
        ];
        let copies = self.of_group(group, "errors.deadletterqueue.copy.record.enable");
        Some(Arc::new(DeadLetters {
            topic,
            create: queues.creates_dead_letter_topics.then_some(create),
            refused,
            copies_record: copies.is_some_and(|text| text.trim() == "true"),
            labels: LABELS,
        }))
    }
}

impl PolicySource for SharePolicies {
    fn policy(&self, subscription: &SubscriptionId) -> Arc<Policy> {
        let group = &*subscription.name;
        let settings = self.broker.settings();
        let queues = &settings.queues;
        let deliveries_max = self.whole(group, "share.delivery.count.limit");
        let isolation = match self.of_group(group, "share.isolation.level").as_deref() {
            Some("read_committed") => Isolation::ReadCommitted,
            _ => Isolation::ReadUncommitted,
        };
        Arc::new(Policy {
            lock: self.lock(group),
            deliveries_max: deliveries_max
                .and_then(|limit| u16::try_from(limit).ok())
                .unwrap_or(queues.deliveries_max),
            unsettled_max: self
                .whole(group, "share.partition.max.record.locks")
                .unwrap_or(queues.unsettled_max),
            start: self
                .of_group(group, "share.auto.offset.reset")
                .and_then(|text| start_at(&text))
                .unwrap_or(StartAt::Latest),
            isolation,
            dead_letters: self.dead_letters(group),
        })
    }
}
