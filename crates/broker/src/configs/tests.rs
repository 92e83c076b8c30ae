//! The tables are sound and the precedence is Kafka's.

use super::alter::{AlterError, BROKER_TABLE, ConfigChange, TOPIC_TABLE};
use super::resolve::{BrokerLayers, ConfigMap, ConfigSource, describe_topic};
use super::row::Effect;
use super::settings::{BrokerSettings, TopicSettings};
use super::{BROKER_ROWS, TOPIC_ROWS, broker_row, topic_row};
use millstream_log::batch::Codec;
use std::time::Duration;

fn map(values: &[(&str, &str)]) -> ConfigMap {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const NONE: &ConfigMap = &ConfigMap::new();

fn layers<'a>(dynamic: &'a ConfigMap, fixed: &'a ConfigMap) -> BrokerLayers<'a> {
    BrokerLayers {
        dynamic,
        dynamic_default: NONE,
        fixed,
    }
}

#[test]
fn every_row_is_found_by_name_and_its_default_is_valid() {
    for row in TOPIC_ROWS {
        assert_eq!(topic_row(row.name).expect("sorted").name, row.name);
        row.validate(row.default.expect("topic settings have defaults"))
            .or_else(|e| if row.default == Some("") { Ok(()) } else { Err(e) })
            .expect("valid default");
        if let Some(synonym) = row.synonym {
            assert!(
                broker_row(synonym).is_some(),
                "{synonym} is missing from the broker's table"
            );
        }
    }
    for row in BROKER_ROWS {
        assert_eq!(broker_row(row.name).expect("sorted").name, row.name);
    }
}

#[test]
fn a_topics_value_wins_over_the_brokers_and_all_synonyms_are_told() {
    let topic = map(&[("retention.ms", "5")]);
    let fixed = map(&[("log.retention.hours", "1")]);
    let dynamic = map(&[("log.retention.ms", "7")]);
    let entries = describe_topic(&topic, layers(&dynamic, &fixed));
    let entry = entries
        .iter()
        .find(|entry| entry.row.name == "retention.ms")
        .expect("there");
    let told: Vec<_> = entry
        .synonyms
        .iter()
        .map(|c| (c.name, c.value.as_deref(), c.source))
        .collect();
    assert_eq!(
        told,
        [
            ("retention.ms", Some("5"), ConfigSource::DynamicTopic),
            ("log.retention.ms", Some("7"), ConfigSource::DynamicBroker),
            ("log.retention.hours", Some("3600000"), ConfigSource::StaticBroker),
            ("log.retention.ms", Some("604800000"), ConfigSource::Default),
        ]
    );
}

#[test]
fn typed_settings_follow_the_text() {
    let topic = map(&[
        ("cleanup.policy", "compact,delete"),
        ("compression.type", "zstd"),
        ("retention.ms", "-1"),
    ]);
    let settings = TopicSettings::resolve(&topic, layers(NONE, NONE));
    assert!(settings.policy.compact && settings.policy.delete && settings.compacted);
    assert_eq!(settings.policy.retention, None);
    assert_eq!(settings.codec, Some((Codec::Zstd, Some(3))));
    assert_eq!(settings.batch_bytes_max, 1_048_588);
    assert_eq!(settings.policy.tombstone_retention, Duration::from_secs(86_400));
    assert!(BrokerSettings::resolve(layers(NONE, NONE)).auto_create_topics);
}

#[test]
fn append_and_subtract_edit_lists_from_the_value_in_force() {
    let changes = [(
        "cleanup.policy".to_owned(),
        ConfigChange::Append("compact".to_owned()),
    )];
    let next = TOPIC_TABLE
        .apply(NONE, &changes, |_| Some("delete".to_owned()))
        .expect("applies");
    assert_eq!(next, map(&[("cleanup.policy", "delete,compact")]));
    let changes = [(
        "cleanup.policy".to_owned(),
        ConfigChange::Subtract("delete".to_owned()),
    )];
    let next = TOPIC_TABLE
        .apply(&next, &changes, |_| Some("delete,compact".to_owned()))
        .expect("applies");
    assert_eq!(next, map(&[("cleanup.policy", "compact")]));
}

#[test]
fn a_bad_change_is_refused_whole() {
    let set = |name: &str, value: &str| (name.to_owned(), ConfigChange::Set(value.to_owned()));
    let apply = |changes: &[(String, ConfigChange)]| TOPIC_TABLE.apply(NONE, changes, |_| None);
    assert!(matches!(
        apply(&[set("retention.ms", "x")]),
        Err(AlterError::Invalid(_))
    ));
    assert!(matches!(
        apply(&[set("retention.ms", "-2")]),
        Err(AlterError::Invalid(_))
    ));
    assert!(matches!(
        apply(&[set("retention", "1")]),
        Err(AlterError::Unknown { .. })
    ));
    assert!(matches!(
        apply(&[set("cleanup.policy", "shred")]),
        Err(AlterError::Invalid(_))
    ));
    let append = ("retention.ms".to_owned(), ConfigChange::Append("1".to_owned()));
    assert!(matches!(apply(&[append]), Err(AlterError::NotAList(_))));
    assert!(matches!(
        apply(&[set("retention.ms", "1"), set("retention.ms", "2")]),
        Err(AlterError::Duplicate(_))
    ));
    let fixed = [set("num.partitions", "3")];
    assert!(matches!(
        BROKER_TABLE.apply(NONE, &fixed, |_| None),
        Err(AlterError::Static(_))
    ));
}

/// Read into `BrokerSettings` or a topic's view.
const READ_BY_BROKER: &[&str] = &[
    "allow.everyone.if.no.acl.found",
    "authorizer.class.name",
    "auto.create.topics.enable",
    "controller.quota.window.num",
    "controller.quota.window.size.seconds",
    "delete.topic.enable",
    "errors.deadletterqueue.auto.create.topics.enable",
    "errors.deadletterqueue.topic.name.prefix",
    "fetch.max.bytes",
    "group.consumer.assignors",
    "group.consumer.heartbeat.interval.ms",
    "group.consumer.max.heartbeat.interval.ms",
    "group.consumer.max.session.timeout.ms",
    "group.consumer.max.size",
    "group.consumer.migration.policy",
    "group.consumer.min.heartbeat.interval.ms",
    "group.consumer.min.session.timeout.ms",
    "group.consumer.session.timeout.ms",
    "group.initial.rebalance.delay.ms",
    "group.max.session.timeout.ms",
    "group.max.size",
    "group.min.session.timeout.ms",
    "group.share.delivery.count.limit",
    "group.share.heartbeat.interval.ms",
    "group.share.max.delivery.count.limit",
    "group.share.max.heartbeat.interval.ms",
    "group.share.max.partition.max.record.locks",
    "group.share.max.record.lock.duration.ms",
    "group.share.max.session.timeout.ms",
    "group.share.max.share.sessions",
    "group.share.max.size",
    "group.share.min.delivery.count.limit",
    "group.share.min.heartbeat.interval.ms",
    "group.share.min.partition.max.record.locks",
    "group.share.min.record.lock.duration.ms",
    "group.share.min.session.timeout.ms",
    "group.share.partition.max.record.locks",
    "group.share.record.lock.duration.ms",
    "group.share.session.timeout.ms",
    "group.streams.assignment.interval.ms",
    "group.streams.heartbeat.interval.ms",
    "group.streams.initial.rebalance.delay.ms",
    "group.streams.max.assignment.interval.ms",
    "group.streams.max.heartbeat.interval.ms",
    "group.streams.max.session.timeout.ms",
    "group.streams.max.size",
    "group.streams.max.standby.replicas",
    "group.streams.min.assignment.interval.ms",
    "group.streams.min.heartbeat.interval.ms",
    "group.streams.min.session.timeout.ms",
    "group.streams.num.standby.replicas",
    "group.streams.session.timeout.ms",
    "log.cleaner.enable",
    "log.retention.hours",
    "log.retention.minutes",
    "max.connection.creation.rate",
    "max.connections.per.ip",
    "max.connections.per.ip.overrides",
    "num.partitions",
    "offset.metadata.max.bytes",
    "offsets.retention.check.interval.ms",
    "offsets.retention.minutes",
    "offsets.topic.num.partitions",
    "quota.window.num",
    "quota.window.size.seconds",
    "share.coordinator.state.topic.num.partitions",
    "super.users",
    "telemetry.max.bytes",
    "transaction.max.timeout.ms",
    "transaction.remove.expired.transaction.cleanup.interval.ms",
    "transaction.state.log.num.partitions",
    "transactional.id.expiration.ms",
];

#[test]
fn every_broker_setting_that_is_said_to_work_is_read_by_somebody() {
    for row in BROKER_ROWS.iter().filter(|row| row.effect == Effect::Works) {
        let topic = TOPIC_ROWS.iter().find(|topic| topic.synonym == Some(row.name));
        let read = READ_BY_BROKER.contains(&row.name);
        assert!(
            topic.map_or(read, |topic| topic.effect == Effect::Works),
            "{} is said to work, and nobody reads it",
            row.name
        );
    }
}

#[test]
fn without_a_cleaner_nothing_is_compacted_and_keys_are_still_asked_for() {
    let topic = map(&[("cleanup.policy", "compact")]);
    let fixed = map(&[("log.cleaner.enable", "false")]);
    let settings = TopicSettings::resolve(&topic, layers(NONE, &fixed));
    assert!(settings.compacted && !settings.policy.compact);
}

#[test]
fn what_is_set_under_another_name_is_refused_under_kafkas_and_says_which() {
    let start =
        |name: &str, value: &str| BROKER_TABLE.check_start(&[(name.to_owned(), Some(value.to_owned()))]);
    assert_eq!(start("num.partitions", "3"), Ok(map(&[("num.partitions", "3")])));
    let refused = start("max.connections", "3").unwrap_err().to_string();
    assert!(refused.contains("limits.connections_max"), "{refused}");
}
