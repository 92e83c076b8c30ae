//! Typed views of the settings, parsed once per change, read on every request.

use crate::quota::QuotaWindows;
use crate::quota::connections::{ConnectionSettings, parse_overrides};
use crate::streams_settings::StreamsGroupSettings;

use super::resolve::{BrokerLayers, ConfigEntry, ConfigMap, describe_topic};
use crate::security::AuthorizerSettings;
use millstream_log::StreamPolicy;
use millstream_log::batch::{Codec, TimestampType};
use std::time::Duration;

/// What the append and fetch paths need of a topic's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicSettings {
    /// max.message.bytes.
    pub batch_bytes_max: usize,
    /// message.timestamp.type.
    pub timestamp_type: TimestampType,
    /// message.timestamp.before.max.ms.
    pub timestamp_before_max_ms: i64,
    /// message.timestamp.after.max.ms.
    pub timestamp_after_max_ms: i64,
    /// compression.type; `None` keeps the producer's.
    pub codec: Option<(Codec, Option<i32>)>,
    /// cleanup.policy contains compact.
    pub compacted: bool,
    /// errors.deadletterqueue.group.enable.
    pub takes_dead_letters: bool,
    /// What the log is told.
    pub policy: StreamPolicy,
}

impl TopicSettings {
    /// From the topic's own map and the broker's layers. Values were validated when they were set; one that does not parse
    /// (written by a later version) counts as its default.
    #[must_use]
    pub fn resolve(topic: &ConfigMap, broker: BrokerLayers<'_>) -> TopicSettings {
        let entries = Entries(describe_topic(topic, broker));
        let cleanup = entries.text("cleanup.policy");
        let listed = |word: &str| cleanup.split(',').any(|item| item.trim() == word);
        let compacted = listed("compact");
        let cleaner = broker.flag("log.cleaner.enable");
        let policy = StreamPolicy {
            retention: duration_unless_negative(entries.whole("retention.ms")),
            retention_bytes: u64::try_from(entries.whole("retention.bytes")).ok(),
            delete: listed("delete"),
            compact: compacted && cleaner,
            tombstone_retention: duration_unless_negative(entries.whole("delete.retention.ms"))
                .unwrap_or_default(),
            compaction_lag_min: duration_unless_negative(entries.whole("min.compaction.lag.ms"))
                .unwrap_or_default(),
            compaction_lag_max: Some(entries.whole("max.compaction.lag.ms"))
                .filter(|ms| *ms != i64::MAX)
                .and_then(duration_unless_negative),
            dirty_percent_min: entries.percent("min.cleanable.dirty.ratio"),
        };
        TopicSettings {
            batch_bytes_max: usize::try_from(entries.whole("max.message.bytes")).unwrap_or(0),
            timestamp_type: match entries.text("message.timestamp.type") {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: entries.whole("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: entries.whole("message.timestamp.after.max.ms"),
            codec: entries.codec(),
            compacted,
            takes_dead_letters: entries.text("errors.deadletterqueue.group.enable").trim() == "true",
            policy,
        }
    }
}

struct Entries(Vec<ConfigEntry>);

impl Entries {
    fn entry(&self, name: &str) -> &ConfigEntry {
        self.0
            .iter()
            .find(|entry| entry.row.name == name)
            .expect("the name stands in the table of topic settings")
    }

    fn text(&self, name: &str) -> &str {
        self.entry(name).value.as_deref().unwrap_or_default()
    }

    fn whole(&self, name: &str) -> i64 {
        let entry = self.entry(name);
        let parse = |text: &str| text.trim().parse::<i64>().ok();
        let value = entry
            .value
            .as_deref()
            .and_then(parse)
            .or_else(|| entry.row.default.and_then(parse));
        value.expect("whole-number rows have whole-number defaults")
    }

    fn percent(&self, name: &str) -> u8 {
        let ratio = self
            .text(name)
            .trim()
            .parse::<f64>()
            .unwrap_or(0.5)
            .clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=100"
        )]
        let percent = (ratio * 100.0).round() as u8;
        percent
    }

    fn level(&self, name: &str) -> Option<i32> {
        i32::try_from(self.whole(name)).ok()
    }

    fn codec(&self) -> Option<(Codec, Option<i32>)> {
        match self.text("compression.type") {
            "uncompressed" => Some((Codec::None, None)),
            "gzip" => Some((
                Codec::Gzip,
                self.level("compression.gzip.level").filter(|level| *level >= 0),
            )),
            "snappy" => Some((Codec::Snappy, None)),
            "lz4" => Some((Codec::Lz4, None)),
            "zstd" => Some((Codec::Zstd, self.level("compression.zstd.level"))),
            _ => None,
        }
    }
}

fn duration_unless_negative(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

/// What the broker reads of its own settings on request paths.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerSettings {
    /// auto.create.topics.enable.
    pub auto_create_topics: bool,
    /// delete.topic.enable.
    pub delete_topics: bool,
    /// num.partitions.
    pub partitions_default: u32,
    /// offsets.topic.num.partitions.
    pub offsets_partitions: u32,
    /// fetch.max.bytes.
    pub fetch_bytes_max: usize,
    /// telemetry.max.bytes.
    pub telemetry_bytes_max: usize,
    /// How long the bursts of quotas are.
    pub quota_windows: QuotaWindows,
    /// Bounds on connections.
    pub connections: ConnectionSettings,
    /// What a coordinator of groups reads.
    pub groups: GroupSettings,
    /// What queues read.
    pub queues: QueueSettings,
    /// What a coordinator of transactions reads.
    pub transactions: TransactionSettings,
    /// Who is asked for rights, and who has them all.
    pub authorizer: AuthorizerSettings,
}

/// The settings of queues, and Kafka's share groups as far as they follow from the broker; all are fixed at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// share.coordinator.state.topic.num.partitions.
    pub state_partitions: u32,
    /// group.share.record.lock.duration.ms.
    pub lock: Duration,
    /// group.share.delivery.count.limit.
    pub deliveries_max: u16,
    /// group.share.partition.max.record.locks.
    pub unsettled_max: u64,
    /// group.share.max.share.sessions.
    pub sessions_max: usize,
    /// group.share.session.timeout.ms.
    pub session_timeout: Duration,
    /// group.share.heartbeat.interval.ms.
    pub heartbeat_interval: Duration,
    /// group.share.max.size.
    pub members_max: usize,
    /// errors.deadletterqueue.topic.name.prefix.
    pub dead_letter_prefix: String,
    /// errors.deadletterqueue.auto.create.topics.enable.
    pub creates_dead_letter_topics: bool,
}

/// The settings of transactions; all are fixed at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionSettings {
    /// transaction.state.log.num.partitions.
    pub state_partitions: u32,
    /// transaction.max.timeout.ms.
    pub timeout_max: Duration,
    /// transactional.id.expiration.ms.
    pub id_expiration: Duration,
    /// transaction.remove.expired.transaction.cleanup.interval.ms.
    pub expiry_check_interval: Duration,
}

/// The settings of consumer groups; all are fixed at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// group.min.session.timeout.ms.
    pub session_timeout_min: Duration,
    /// group.max.session.timeout.ms.
    pub session_timeout_max: Duration,
    /// group.initial.rebalance.delay.ms.
    pub initial_rebalance_delay: Duration,
    /// group.max.size.
    pub group_size_max: usize,
    /// offset.metadata.max.bytes.
    pub offset_metadata_bytes_max: usize,
    /// offsets.retention.minutes.
    pub offsets_retention: Duration,
    /// offsets.retention.check.interval.ms.
    pub offsets_retention_check_interval: Duration,
    /// Consumer groups (KIP-848).
    pub consumer: ConsumerGroupSettings,
    /// Streams groups (KIP-1071).
    pub streams: StreamsGroupSettings,
}

/// The settings of consumer groups; all are fixed at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroupSettings {
    /// group.consumer.session.timeout.ms.
    pub session_timeout: Duration,
    /// group.consumer.min.session.timeout.ms.
    pub session_timeout_min: Duration,
    /// group.consumer.max.session.timeout.ms.
    pub session_timeout_max: Duration,
    /// group.consumer.heartbeat.interval.ms.
    pub heartbeat_interval: Duration,
    /// group.consumer.min.heartbeat.interval.ms.
    pub heartbeat_interval_min: Duration,
    /// group.consumer.max.heartbeat.interval.ms.
    pub heartbeat_interval_max: Duration,
    /// group.consumer.max.size.
    pub size_max: usize,
    /// group.consumer.assignors, in order.
    pub assignors: Vec<String>,
    /// group.consumer.migration.policy.
    pub migration_policy: String,
}

impl ConsumerGroupSettings {
    fn resolve(layers: BrokerLayers<'_>, millis: impl Fn(&str) -> Duration, size_max: usize) -> Self {
        let text = |name: &str| layers.value(name).unwrap_or_default();
        let assignors = text("group.consumer.assignors").split(',').map(str::trim);
        Self {
            session_timeout: millis("group.consumer.session.timeout.ms"),
            session_timeout_min: millis("group.consumer.min.session.timeout.ms"),
            session_timeout_max: millis("group.consumer.max.session.timeout.ms"),
            heartbeat_interval: millis("group.consumer.heartbeat.interval.ms"),
            heartbeat_interval_min: millis("group.consumer.min.heartbeat.interval.ms"),
            heartbeat_interval_max: millis("group.consumer.max.heartbeat.interval.ms"),
            size_max,
            assignors: assignors
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            migration_policy: text("group.consumer.migration.policy").trim().to_owned(),
        }
    }
}

impl BrokerSettings {
    /// From the broker's layers.
    #[must_use]
    pub fn resolve(layers: BrokerLayers<'_>) -> BrokerSettings {
        let whole = |name: &str, floor: u32| {
            layers
                .value(name)
                .and_then(|text| text.trim().parse::<u32>().ok())
                .unwrap_or(floor)
                .max(floor)
        };
        let seconds = |windows: &str, size: &str, beside: u32| {
            f64::from(whole(windows, 1).saturating_sub(beside).max(1)) * f64::from(whole(size, 1))
        };
        let millis = |name: &str| Duration::from_millis(u64::from(whole(name, 0)));
        let queues = QueueSettings {
            state_partitions: whole("share.coordinator.state.topic.num.partitions", 1),
            lock: millis("group.share.record.lock.duration.ms"),
            deliveries_max: u16::try_from(whole("group.share.delivery.count.limit", 1)).unwrap_or(u16::MAX),
            unsettled_max: u64::from(whole("group.share.partition.max.record.locks", 1)),
            sessions_max: whole("group.share.max.share.sessions", 1) as usize,
            session_timeout: millis("group.share.session.timeout.ms"),
            heartbeat_interval: millis("group.share.heartbeat.interval.ms"),
            members_max: whole("group.share.max.size", 1) as usize,
            dead_letter_prefix: layers
                .value("errors.deadletterqueue.topic.name.prefix")
                .unwrap_or_default()
                .to_owned(),
            creates_dead_letter_topics: layers.flag("errors.deadletterqueue.auto.create.topics.enable"),
        };
        BrokerSettings {
            auto_create_topics: layers.flag("auto.create.topics.enable"),
            delete_topics: layers.flag("delete.topic.enable"),
            partitions_default: whole("num.partitions", 1),
            offsets_partitions: whole("offsets.topic.num.partitions", 1),
            fetch_bytes_max: whole("fetch.max.bytes", 1024) as usize,
            telemetry_bytes_max: whole("telemetry.max.bytes", 1) as usize,
            quota_windows: QuotaWindows {
                // As Kafka's rates: the window that is being filled does not count.
                usual_seconds: seconds("quota.window.num", "quota.window.size.seconds", 1),
                mutation_seconds: seconds(
                    "controller.quota.window.num",
                    "controller.quota.window.size.seconds",
                    0,
                ),
                request_wait_max: Duration::from_secs(u64::from(whole("quota.window.size.seconds", 1))),
            },
            connections: connections(layers),
            groups: GroupSettings {
                session_timeout_min: millis("group.min.session.timeout.ms"),
                session_timeout_max: millis("group.max.session.timeout.ms"),
                initial_rebalance_delay: millis("group.initial.rebalance.delay.ms"),
                group_size_max: whole("group.max.size", 1) as usize,
                offset_metadata_bytes_max: whole("offset.metadata.max.bytes", 0) as usize,
                offsets_retention: Duration::from_secs(60) * whole("offsets.retention.minutes", 1),
                offsets_retention_check_interval: millis("offsets.retention.check.interval.ms"),
                consumer: ConsumerGroupSettings::resolve(
                    layers,
                    millis,
                    whole("group.consumer.max.size", 1) as usize,
                ),
                streams: StreamsGroupSettings::resolve(layers),
            },
            queues,
            transactions: transactions(whole),
            authorizer: authorizer(layers),
        }
    }
}

fn transactions(whole: impl Fn(&str, u32) -> u32) -> TransactionSettings {
    let millis = |name: &str| Duration::from_millis(u64::from(whole(name, 0)));
    TransactionSettings {
        state_partitions: whole("transaction.state.log.num.partitions", 1),
        timeout_max: millis("transaction.max.timeout.ms"),
        id_expiration: millis("transactional.id.expiration.ms"),
        expiry_check_interval: millis("transaction.remove.expired.transaction.cleanup.interval.ms"),
    }
}

fn authorizer(layers: BrokerLayers<'_>) -> AuthorizerSettings {
    let text = |name: &str| layers.value(name).unwrap_or_default().trim();
    // Semicolons, because distinguished names have commas. What is no principal was refused at start.
    let users = text("super.users").split(';').map(str::trim);
    AuthorizerSettings {
        enabled: !text("authorizer.class.name").is_empty(),
        super_users: users.filter_map(|user| user.parse().ok()).collect(),
        allow_without_rule: layers.flag("allow.everyone.if.no.acl.found"),
    }
}

fn connections(layers: BrokerLayers<'_>) -> ConnectionSettings {
    let count = |name: &str| {
        layers
            .value(name)
            .and_then(|text| text.trim().parse::<u32>().ok())
    };
    ConnectionSettings {
        max: count("max.connections").unwrap_or(u32::MAX),
        per_address_max: count("max.connections.per.ip").unwrap_or(u32::MAX),
        overrides: layers
            .value("max.connections.per.ip.overrides")
            .and_then(|text| parse_overrides(text).ok())
            .unwrap_or_default(),
        rate: count("max.connection.creation.rate").unwrap_or(u32::MAX),
    }
}
