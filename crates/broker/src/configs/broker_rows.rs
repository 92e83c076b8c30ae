//! The table of broker settings that Kafka's tools show and change: names, defaults, bounds, one row each.

use super::row::{Check::*, ConfigKind::*, ConfigRow, Effect, Effect::*, Mutability, Mutability::*};

const fn row(
    name: &'static str,
    kind: super::row::ConfigKind,
    default: Option<&'static str>,
    check: super::row::Check,
    mutability: Mutability,
    effect: Effect,
    doc: &'static str,
) -> ConfigRow {
    ConfigRow {
        name,
        kind,
        default,
        check,
        synonym: None,
        mutability,
        effect,
        doc,
    }
}

/// The most records of a partition that may be out at a time: a hundred times Kafka's bound. What is out costs a range, not a record,
/// as a rule; in the worst case this takes some 60 MB.
const RECORD_LOCKS_MAX: i64 = 1_000_000;
fn overrides(text: &str) -> Result<(), std::string::String> {
    crate::quota::connections::parse_overrides(text).map(drop)
}

fn principals(text: &str) -> Result<(), std::string::String> {
    let given = text.split(';').map(str::trim).filter(|one| !one.is_empty());
    given
        .map(str::parse::<crate::security::Principal>)
        .try_for_each(|one| one.map(drop).map_err(|error| error.to_string()))
}

/// Every broker setting, sorted by name.
#[rustfmt::skip]
pub const BROKER_ROWS: &[ConfigRow] = &[
    row("advertised.listeners", String, Some(""), Any, Static, SetAs("kafka.advertised"), "What clients are told to connect to."),
    row("allow.everyone.if.no.acl.found", Boolean, Some("false"), Any, Static, Works, "Whether everybody may use what no access rule names."),
    row("authorizer.class.name", String, Some(""), Any, Static, Works, "Any name turns the built-in authoriser on, e.g. org.apache.kafka.metadata.authorizer.StandardAuthorizer; empty: everybody may do everything."),
    row("auto.create.topics.enable", Boolean, Some("true"), Any, Static, Works, "Whether Metadata and produce create a missing topic."),
    row("background.threads", Int, Some("10"), Range(1, i32::MAX as i64), Dynamic, NoMeaning("the runtime sizes itself"), "Background threads."),
    row("broker.id", Int, Some("1"), Any, Static, NoMeaning("the only broker has the id 1"), "This broker's id."),
    row("broker.rack", String, None, Any, Static, SetAs("kafka.rack"), "The rack of this broker."),
    row("compression.gzip.level", Int, Some("-1"), Range(-1, 9), Dynamic, Works, "Default of the topic setting compression.gzip.level."),
    row("compression.lz4.level", Int, Some("9"), Range(1, 17), Dynamic, NoMeaning("the lz4 encoder has one level"), "Default of the topic setting compression.lz4.level."),
    row("compression.type", String, Some("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Dynamic, Works, "Default of the topic setting compression.type."),
    row("compression.zstd.level", Int, Some("3"), Range(-131_072, 22), Dynamic, Works, "Default of the topic setting compression.zstd.level."),
    row("connections.max.idle.ms", Long, Some("600000"), Any, Static, SetAs("limits.idle_max"), "Idle time after which a connection is closed."),
    row("controller.quota.window.num", Int, Some("11"), Range(1, i32::MAX as i64), Static, Works, "Windows whose partitions may be created and deleted at once under controller_mutation_rate."),
    row("controller.quota.window.size.seconds", Int, Some("1"), Range(1, i32::MAX as i64), Static, Works, "Seconds of such a window."),
    row("default.replication.factor", Int, Some("1"), Range(1, 32_767), Static, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Replication factor of a topic created without one."),
    row("delete.topic.enable", Boolean, Some("true"), Any, Static, Works, "Whether topics can be deleted."),
    row("errors.deadletterqueue.auto.create.topics.enable", Boolean, Some("false"), Any, Static, Works, "Whether a missing dead-letter topic is made (KIP-1191)."),
    row("errors.deadletterqueue.topic.name.prefix", String, Some("dlq."), Any, Static, Works, "How names of dead-letter topics must begin; empty: any (KIP-1191)."),
    row("fetch.max.bytes", Int, Some("57671680"), Range(1024, i32::MAX as i64), Static, Works, "The most one fetch answer holds."),
    row("follower.replication.throttled.rate", Long, Some("9223372036854775807"), Range(0, i64::MAX), Dynamic, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Bytes a second of throttled follower replicas."),
    row("group.consumer.assignors", List, Some("uniform,range"), ListOf(&["uniform", "range"]), Static, Works, "The assignors that members of consumer groups may ask for; the first is taken if nobody asks."),
    row("group.consumer.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "How often members of consumer groups send heartbeats."),
    row("group.consumer.max.heartbeat.interval.ms", Int, Some("15000"), Range(1, i32::MAX as i64), Static, Works, "The longest heartbeat interval that a group may have of its own."),
    row("group.consumer.max.session.timeout.ms", Int, Some("60000"), Range(1, i32::MAX as i64), Static, Works, "The longest session timeout that a consumer group may have of its own."),
    row("group.consumer.max.size", Int, Some("2147483647"), Range(1, i32::MAX as i64), Static, Works, "Members a consumer group may have."),
    row("group.consumer.migration.policy", String, Some("bidirectional"), OneOf(&["bidirectional", "upgrade", "downgrade", "disabled"]), Static, Works, "Which groups change their kind while they have members: classic to consumer, back, both, none."),
    row("group.consumer.min.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "The shortest heartbeat interval that a group may have of its own."),
    row("group.consumer.min.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "The shortest session timeout that a consumer group may have of its own."),
    row("group.consumer.regex.refresh.interval.ms", Int, Some("600000"), Range(10_000, i32::MAX as i64), Static, NoMeaning("patterns are matched again whenever topics change"), "How often patterns of topics are matched again."),
    row("group.consumer.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "How long a member of a consumer group may be silent."),
    row("group.coordinator.rebalance.protocols", List, Some("classic,consumer"), ListOf(&["classic", "consumer", "share", "streams"]), Static, NoMeaning("every protocol that ApiVersions names is served"), "The kinds of groups that are served."),
    row("group.initial.rebalance.delay.ms", Int, Some("3000"), Any, Static, Works, "How long the first rebalance of an empty group waits for more members."),
    row("group.max.session.timeout.ms", Int, Some("1800000"), Any, Static, Works, "The longest session timeout."),
    row("group.max.size", Int, Some("2147483647"), Range(1, i32::MAX as i64), Static, Works, "Members a group may have."),
    row("group.min.session.timeout.ms", Int, Some("6000"), Any, Static, Works, "The shortest session timeout."),
    row("group.share.delivery.count.limit", Int, Some("5"), Range(2, 10), Static, Works, "How often a record is delivered to a share group before it is given up."),
    row("group.share.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "How often members of a share group heartbeat."),
    row("group.share.max.delivery.count.limit", Int, Some("10"), Range(5, 25), Static, Works, "The largest share.delivery.count.limit of a group."),
    row("group.share.max.heartbeat.interval.ms", Int, Some("15000"), Range(1, i32::MAX as i64), Static, Works, "The longest share.heartbeat.interval.ms of a group."),
    row("group.share.max.partition.max.record.locks", Int, Some("4000"), Range(2000, RECORD_LOCKS_MAX), Static, Works, "The largest share.partition.max.record.locks of a group."),
    row("group.share.max.record.lock.duration.ms", Int, Some("60000"), Range(30_000, 3_600_000), Static, Works, "The longest share.record.lock.duration.ms of a group."),
    row("group.share.max.session.timeout.ms", Int, Some("60000"), Range(1, i32::MAX as i64), Static, Works, "The longest share.session.timeout.ms of a group."),
    row("group.share.max.share.sessions", Int, Some("2000"), Range(1, i32::MAX as i64), Static, Works, "Share sessions kept."),
    row("group.share.max.size", Int, Some("200"), Range(1, 1000), Static, Works, "Members a share group may have."),
    row("group.share.min.delivery.count.limit", Int, Some("2"), Range(2, 5), Static, Works, "The smallest share.delivery.count.limit of a group."),
    row("group.share.min.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "The shortest share.heartbeat.interval.ms of a group."),
    row("group.share.min.partition.max.record.locks", Int, Some("100"), Range(100, 2000), Static, Works, "The smallest share.partition.max.record.locks of a group."),
    row("group.share.min.record.lock.duration.ms", Int, Some("15000"), Range(1000, 30_000), Static, Works, "The shortest share.record.lock.duration.ms of a group."),
    row("group.share.min.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "The shortest share.session.timeout.ms of a group."),
    row("group.share.partition.max.record.locks", Int, Some("2000"), Range(100, RECORD_LOCKS_MAX), Static, Works, "Records of a partition that may be out, or be back and wait, at a time; Kafka's bound is 10000."),
    row("group.share.record.lock.duration.ms", Int, Some("30000"), Range(1000, 3_600_000), Static, Works, "How long a record is locked for the member that acquired it."),
    row("group.share.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "How long a member of a share group may be silent."),
    row("group.streams.assignment.interval.ms", Int, Some("1000"), Range(0, i32::MAX as i64), Static, Works, "The shortest time between two assignments of a streams group."),
    row("group.streams.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "How often members of streams groups send heartbeats."),
    row("group.streams.initial.rebalance.delay.ms", Int, Some("3000"), Range(0, i32::MAX as i64), Static, Works, "How long the first assignment of an empty streams group waits for more members."),
    row("group.streams.max.assignment.interval.ms", Int, Some("15000"), Range(0, i32::MAX as i64), Static, Works, "The longest streams.assignment.interval.ms of a group."),
    row("group.streams.max.heartbeat.interval.ms", Int, Some("15000"), Range(1, i32::MAX as i64), Static, Works, "The longest streams.heartbeat.interval.ms of a group."),
    row("group.streams.max.session.timeout.ms", Int, Some("60000"), Range(1, i32::MAX as i64), Static, Works, "The longest streams.session.timeout.ms of a group."),
    row("group.streams.max.size", Int, Some("2147483647"), Range(1, i32::MAX as i64), Static, Works, "Members a streams group may have."),
    row("group.streams.max.standby.replicas", Int, Some("2"), Range(0, i32::MAX as i64), Static, Works, "The largest streams.num.standby.replicas of a group."),
    row("group.streams.min.assignment.interval.ms", Int, Some("0"), Range(0, i32::MAX as i64), Static, Works, "The shortest streams.assignment.interval.ms of a group."),
    row("group.streams.min.heartbeat.interval.ms", Int, Some("5000"), Range(1, i32::MAX as i64), Static, Works, "The shortest streams.heartbeat.interval.ms of a group."),
    row("group.streams.min.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "The shortest streams.session.timeout.ms of a group."),
    row("group.streams.num.standby.replicas", Int, Some("0"), Range(0, i32::MAX as i64), Static, Works, "How many members beside the active one keep a copy of a task's state."),
    row("group.streams.session.timeout.ms", Int, Some("45000"), Range(1, i32::MAX as i64), Static, Works, "How long a member of a streams group may be silent."),
    row("leader.replication.throttled.rate", Long, Some("9223372036854775807"), Range(0, i64::MAX), Dynamic, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Bytes a second of throttled leader replicas."),
    row("listeners", String, Some(""), Any, Static, SetAs("kafka.listen"), "Where the broker listens."),
    row("log.cleaner.delete.retention.ms", Long, Some("86400000"), Range(0, i64::MAX), Dynamic, Works, "Default of the topic setting delete.retention.ms."),
    row("log.cleaner.enable", Boolean, Some("true"), Any, Static, Works, "Whether compacted topics are compacted."),
    row("log.cleaner.max.compaction.lag.ms", Long, Some("9223372036854775807"), Range(1, i64::MAX), Dynamic, Works, "Default of the topic setting max.compaction.lag.ms."),
    row("log.cleaner.min.cleanable.ratio", Double, Some("0.5"), Fraction(0.0, 1.0), Dynamic, Works, "Default of the topic setting min.cleanable.dirty.ratio."),
    row("log.cleaner.min.compaction.lag.ms", Long, Some("0"), Range(0, i64::MAX), Dynamic, Works, "Default of the topic setting min.compaction.lag.ms."),
    row("log.cleaner.threads", Int, Some("1"), Range(0, i32::MAX as i64), Dynamic, NoMeaning("compaction runs as one task with its own IO budget"), "Compaction threads."),
    row("log.cleanup.policy", List, Some("delete"), ListOf(&["compact", "delete"]), Dynamic, Works, "Default of the topic setting cleanup.policy."),
    row("log.dir", String, Some(""), Any, Static, SetAs("data.dir"), "The data directory."),
    row("log.dirs", String, Some(""), Any, Static, SetAs("data.dir"), "The data directory."),
    row("log.flush.interval.messages", Long, Some("9223372036854775807"), Range(1, i64::MAX), Dynamic, NoMeaning("every acknowledged batch is durable before the answer"), "Default of the topic setting flush.messages."),
    row("log.flush.interval.ms", Long, Some("9223372036854775807"), Range(0, i64::MAX), Dynamic, NoMeaning("every acknowledged batch is durable before the answer"), "Default of the topic setting flush.ms."),
    row("log.index.interval.bytes", Int, Some("4096"), Range(0, i32::MAX as i64), Dynamic, NoMeaning("indexes live inside objects"), "Default of the topic setting index.interval.bytes."),
    row("log.index.size.max.bytes", Int, Some("10485760"), Range(4, i32::MAX as i64), Dynamic, NoMeaning("indexes live inside objects"), "Default of the topic setting segment.index.bytes."),
    row("log.local.retention.bytes", Long, Some("-2"), Range(-2, i64::MAX), Dynamic, NoMeaning("all data is tiered; there is no local copy to configure"), "Default of the topic setting local.retention.bytes."),
    row("log.local.retention.ms", Long, Some("-2"), Range(-2, i64::MAX), Dynamic, NoMeaning("all data is tiered; there is no local copy to configure"), "Default of the topic setting local.retention.ms."),
    row("log.message.timestamp.after.max.ms", Long, Some("3600000"), Range(0, i64::MAX), Dynamic, Works, "Default of the topic setting message.timestamp.after.max.ms."),
    row("log.message.timestamp.before.max.ms", Long, Some("9223372036854775807"), Range(0, i64::MAX), Dynamic, Works, "Default of the topic setting message.timestamp.before.max.ms."),
    row("log.message.timestamp.type", String, Some("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]), Dynamic, Works, "Default of the topic setting message.timestamp.type."),
    row("log.preallocate", Boolean, Some("false"), Any, Dynamic, NoMeaning("the write-ahead log always allocates ahead"), "Default of the topic setting preallocate."),
    row("log.retention.bytes", Long, Some("-1"), Range(-1, i64::MAX), Dynamic, Works, "Default of the topic setting retention.bytes."),
    row("log.retention.check.interval.ms", Long, Some("300000"), Range(1, i64::MAX), Static, NoMeaning("housekeeping has its own interval, log.housekeeping_interval"), "How often retention is applied."),
    row("log.retention.hours", Int, Some("168"), Any, Static, Works, "Retention in hours where neither milliseconds nor minutes are set."),
    row("log.retention.minutes", Int, None, Any, Static, Works, "Retention in minutes where log.retention.ms is not set."),
    row("log.retention.ms", Long, None, Range(-1, i64::MAX), Dynamic, Works, "Default of the topic setting retention.ms."),
    row("log.roll.hours", Int, Some("168"), Range(1, i32::MAX as i64), Static, NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Hours after which a segment is rolled."),
    row("log.roll.jitter.ms", Long, Some("0"), Range(0, i64::MAX), Dynamic, NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Default of the topic setting segment.jitter.ms."),
    row("log.roll.ms", Long, None, Range(1, i64::MAX), Dynamic, NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Default of the topic setting segment.ms."),
    row("log.segment.bytes", Int, Some("1073741824"), Range(1_048_576, i32::MAX as i64), Dynamic, NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Default of the topic setting segment.bytes."),
    row("log.segment.delete.delay.ms", Long, Some("60000"), Range(0, i64::MAX), Dynamic, NoMeaning("objects are collected once nothing reads them"), "Default of the topic setting file.delete.delay.ms."),
    row("max.connection.creation.rate", Int, Some("2147483647"), Range(0, i32::MAX as i64), Dynamic, Works, "Connections accepted a second."),
    row("max.connections", Int, Some("2147483647"), Range(0, i32::MAX as i64), Dynamic, SetAs("limits.connections_max"), "Connections accepted at once; while the broker runs it can be lowered."),
    row("max.connections.per.ip", Int, Some("2147483647"), Range(0, i32::MAX as i64), Dynamic, Works, "Connections accepted at once from one address."),
    row("max.connections.per.ip.overrides", String, Some(""), By(overrides), Dynamic, Works, "The same for single addresses: ADDRESS:COUNT,ADDRESS:COUNT."),
    row("max.incremental.fetch.session.cache.slots", Int, Some("1000"), Range(0, i32::MAX as i64), Static, SetAs("limits.fetch_sessions_max"), "Fetch sessions kept."),
    row("message.max.bytes", Int, Some("1048588"), Range(0, i32::MAX as i64), Dynamic, Works, "Default of the topic setting max.message.bytes."),
    row("min.insync.replicas", Int, Some("1"), Range(1, i32::MAX as i64), Dynamic, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Default of the topic setting min.insync.replicas."),
    row("node.id", Int, Some("1"), Any, Static, NoMeaning("the only broker has the id 1"), "This broker's id."),
    row("num.io.threads", Int, Some("8"), Range(1, i32::MAX as i64), Dynamic, NoMeaning("the runtime sizes itself"), "IO threads."),
    row("num.network.threads", Int, Some("3"), Range(1, i32::MAX as i64), Dynamic, NoMeaning("the runtime sizes itself"), "Network threads."),
    row("num.partitions", Int, Some("1"), Range(1, i32::MAX as i64), Static, Works, "Partitions of a topic created without a count."),
    row("offset.metadata.max.bytes", Int, Some("4096"), Any, Static, Works, "The longest metadata of a committed offset."),
    row("offsets.retention.check.interval.ms", Long, Some("600000"), Range(1, i64::MAX), Static, Works, "How often expired offsets are looked for."),
    row("offsets.retention.minutes", Int, Some("10080"), Range(1, i32::MAX as i64), Static, Works, "How long the offsets of an empty group are kept."),
    row("offsets.topic.num.partitions", Int, Some("50"), Range(1, i32::MAX as i64), Static, Works, "Partitions of __consumer_offsets."),
    row("offsets.topic.replication.factor", Short, Some("1"), Range(1, 32_767), Static, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Replicas of __consumer_offsets."),
    row("process.roles", List, Some("broker,controller"), Any, Static, NoMeaning("one node does every role here"), "Roles of this process."),
    row("producer.id.expiration.ms", Int, Some("86400000"), Range(1, i32::MAX as i64), Static, SetAs("log.producer_expiry"), "How long the state of a silent producer is kept."),
    row("quota.window.num", Int, Some("11"), Range(1, i32::MAX as i64), Static, Works, "Windows whose bytes or processor time a quota lets pass at once, less one."),
    row("quota.window.size.seconds", Int, Some("1"), Range(1, i32::MAX as i64), Static, Works, "Seconds of such a window."),
    row("replica.alter.log.dirs.io.max.bytes.per.second", Long, Some("9223372036854775807"), Range(0, i64::MAX), Dynamic, NoMeaning("there is one directory"), "Bytes a second of moves between directories."),
    row("sasl.kerberos.min.time.before.relogin", Long, Some("60000"), Range(i64::MIN, i64::MAX), Dynamic, NoMeaning("Kerberos is not spoken"), "Milliseconds between two logins of the broker at Kerberos."),
    row("share.coordinator.state.topic.num.partitions", Int, Some("50"), Range(1, i32::MAX as i64), Static, Works, "Partitions of __share_group_state."),
    row("share.coordinator.state.topic.replication.factor", Short, Some("1"), Range(1, 32_767), Static, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Replicas of __share_group_state."),
    row("socket.request.max.bytes", Int, Some("104857600"), Range(1, i32::MAX as i64), Static, SetAs("limits.request_bytes_max"), "The largest request accepted."),
    row("super.users", String, Some(""), By(principals), Static, Works, "Principals to whom nothing is refused, with semicolons between: User:admin;User:CN=ops."),
    row("telemetry.max.bytes", Int, Some("1048576"), Range(1, i32::MAX as i64), Static, Works, "The largest push of metrics of a client."),
    row("transaction.max.timeout.ms", Int, Some("900000"), Range(1, i32::MAX as i64), Static, Works, "The longest transaction timeout."),
    row("transaction.remove.expired.transaction.cleanup.interval.ms", Int, Some("3600000"), Range(1, i32::MAX as i64), Static, Works, "How often expired transactional ids are looked for."),
    row("transaction.state.log.min.isr", Int, Some("1"), Range(1, i32::MAX as i64), Static, NoMeaning("partitions have no replicas: the object store keeps the copies"), "In-sync replicas of __transaction_state."),
    row("transaction.state.log.num.partitions", Int, Some("50"), Range(1, i32::MAX as i64), Static, Works, "Partitions of __transaction_state."),
    row("transaction.state.log.replication.factor", Short, Some("1"), Range(1, 32_767), Static, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Replicas of __transaction_state."),
    row("transactional.id.expiration.ms", Int, Some("604800000"), Range(1, i32::MAX as i64), Static, Works, "How long the state of a silent transactional id is kept."),
    row("unclean.leader.election.enable", Boolean, Some("false"), Any, Dynamic, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Default of the topic setting unclean.leader.election.enable."),
];

/// The row of a broker setting.
#[must_use]
pub fn broker_row(name: &str) -> Option<&'static ConfigRow> {
    BROKER_ROWS
        .binary_search_by(|row| row.name.cmp(name))
        .ok()
        .map(|at| &BROKER_ROWS[at])
}
