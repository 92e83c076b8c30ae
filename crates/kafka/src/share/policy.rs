//! The terms of share groups: settings of the broker, and of the group where it has its own.
//!
//! Owns: which setting says what to the queues. Never: where settings are kept (the broker's).

use crate::group::ShareTerms;
use millstream_broker::queue::{DeadLetters, Labels, Policy, PolicySource, StartAt, SubscriptionId};
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
        let is_named_well =
            !topic.is_empty() && !topic.starts_with("__") && topic.starts_with(&queues.dead_letter_prefix);
        let is_open = match self.broker.topic(&topic) {
            Some(found) => found.settings().takes_dead_letters,
            None => queues.creates_dead_letter_topics,
        };
        if !is_named_well || !is_open {
            tracing::warn!(
                group,
                topic,
                "this topic may not take dead letters; records that are given up are dropped"
            );
            return None;
        }
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
            start: start_at(self.of_group(group, "share.auto.offset.reset").as_deref()),
            isolation,
            dead_letters: self.dead_letters(group),
        })
    }
}

/// share.auto.offset.reset: "earliest", "latest", "by_duration:" and a duration in the form of ISO 8601.
fn start_at(text: Option<&str>) -> StartAt {
    match text {
        Some("earliest") => StartAt::Earliest,
        Some(text) => match text.strip_prefix("by_duration:").and_then(iso_duration) {
            Some(age) => StartAt::Ago(age),
            None => StartAt::Latest,
        },
        None => StartAt::Latest,
    }
}

/// PnDTnHnMn.nS, as Java's Duration reads it; no part may be negative.
pub(super) fn iso_duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_uppercase();
    let (days, time) = text.strip_prefix('P')?.split_once('T').map_or_else(
        || (text[1..].to_owned(), String::new()),
        |(days, time)| (days.to_owned(), time.to_owned()),
    );
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    if !days.is_empty() {
        let days: u64 = days.strip_suffix('D')?.parse().ok()?;
        total += Duration::from_secs(days.checked_mul(86_400)?);
    }
    let mut rest = time.as_str();
    for (unit, seconds) in [('H', 3_600), ('M', 60)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            let number: u64 = number.parse().ok()?;
            total = total.checked_add(Duration::from_secs(number.checked_mul(seconds)?))?;
            rest = behind;
        }
    }
    if !rest.is_empty() {
        let seconds: f64 = rest.strip_suffix('S')?.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    }
    Some(total)
}
