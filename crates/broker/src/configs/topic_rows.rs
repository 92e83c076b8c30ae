//! The table of topic settings: Kafka 4's names, defaults, bounds and synonyms, one row each.

use super::row::{Check::*, ConfigKind::*, ConfigRow, Effect::*, dynamic_row as row};

/// Every topic setting, sorted by name.
#[rustfmt::skip]
pub const TOPIC_ROWS: &[ConfigRow] = &[
    row("cleanup.policy", List, "delete", ListOf(&["compact", "delete"]), Some("log.cleanup.policy"), Works, "Whether old records are deleted, compacted by key, or both."),
    row("compression.gzip.level", Int, "-1", Range(-1, 9), Some("compression.gzip.level"), Works, "Level used when compression.type is gzip."),
    row("compression.lz4.level", Int, "9", Range(1, 17), Some("compression.lz4.level"), NoMeaning("the lz4 encoder has one level"), "Level used when compression.type is lz4."),
    row("compression.type", String, "producer", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Some("compression.type"), Works, "The codec in which batches are stored; producer keeps what was sent."),
    row("compression.zstd.level", Int, "3", Range(-131_072, 22), Some("compression.zstd.level"), Works, "Level used when compression.type is zstd."),
    row("delete.retention.ms", Long, "86400000", Range(0, i64::MAX), Some("log.cleaner.delete.retention.ms"), Works, "How long a tombstone of a compacted topic stays readable."),
    row("errors.deadletterqueue.group.enable", Boolean, "false", Any, None, Works, "Whether groups may send their dead letters to this topic (KIP-1191)."),
    row("file.delete.delay.ms", Long, "60000", Range(0, i64::MAX), Some("log.segment.delete.delay.ms"), NoMeaning("objects are collected once nothing reads them"), "Delay before a file is removed."),
    row("flush.messages", Long, "9223372036854775807", Range(1, i64::MAX), Some("log.flush.interval.messages"), NoMeaning("every acknowledged batch is durable before the answer"), "Records between forced flushes."),
    row("flush.ms", Long, "9223372036854775807", Range(0, i64::MAX), Some("log.flush.interval.ms"), NoMeaning("every acknowledged batch is durable before the answer"), "Time between forced flushes."),
    row("follower.replication.throttled.replicas", List, "", Any, None, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Throttled follower replicas."),
    row("index.interval.bytes", Int, "4096", Range(0, i32::MAX as i64), Some("log.index.interval.bytes"), NoMeaning("indexes live inside objects"), "Bytes between index entries."),
    row("leader.replication.throttled.replicas", List, "", Any, None, NoMeaning("partitions have no replicas: the object store keeps the copies"), "Throttled leader replicas."),
    row("local.retention.bytes", Long, "-2", Range(-2, i64::MAX), Some("log.local.retention.bytes"), NoMeaning("all data is tiered; there is no local copy to configure"), "Bytes kept locally."),
    row("local.retention.ms", Long, "-2", Range(-2, i64::MAX), Some("log.local.retention.ms"), NoMeaning("all data is tiered; there is no local copy to configure"), "Time kept locally."),
    row("max.compaction.lag.ms", Long, "9223372036854775807", Range(1, i64::MAX), Some("log.cleaner.max.compaction.lag.ms"), Works, "Age at which a record must have been compacted."),
    row("max.message.bytes", Int, "1048588", Range(0, i32::MAX as i64), Some("message.max.bytes"), Works, "The largest batch accepted."),
    row("message.timestamp.after.max.ms", Long, "3600000", Range(0, i64::MAX), Some("log.message.timestamp.after.max.ms"), Works, "How far in the future a record's timestamp may lie."),
    row("message.timestamp.before.max.ms", Long, "9223372036854775807", Range(0, i64::MAX), Some("log.message.timestamp.before.max.ms"), Works, "How far in the past a record's timestamp may lie."),
    row("message.timestamp.type", String, "CreateTime", OneOf(&["CreateTime", "LogAppendTime"]), Some("log.message.timestamp.type"), Works, "Whose clock stamps records."),
    row("min.cleanable.dirty.ratio", Double, "0.5", Fraction(0.0, 1.0), Some("log.cleaner.min.cleanable.ratio"), Works, "Share of uncompacted bytes from which compaction runs."),
    row("min.compaction.lag.ms", Long, "0", Range(0, i64::MAX), Some("log.cleaner.min.compaction.lag.ms"), Works, "Age below which a record is not compacted."),
    row("min.insync.replicas", Int, "1", Range(1, i32::MAX as i64), Some("min.insync.replicas"), NoMeaning("partitions have no replicas: the object store keeps the copies"), "Replicas that must have a batch before acks=all."),
    row("preallocate", Boolean, "false", Any, Some("log.preallocate"), NoMeaning("the write-ahead log always allocates ahead"), "Whether files are allocated ahead."),
    row("remote.log.copy.disable", Boolean, "false", Any, None, NoMeaning("all data is tiered; there is no local copy to configure"), "Stops copying to remote storage."),
    row("remote.log.delete.on.disable", Boolean, "false", Any, None, NoMeaning("all data is tiered; there is no local copy to configure"), "Deletes remote data when tiering is turned off."),
    row("remote.storage.enable", Boolean, "false", Any, None, NoMeaning("all data is tiered; there is no local copy to configure"), "Whether the topic is tiered."),
    row("retention.bytes", Long, "-1", Range(-1, i64::MAX), Some("log.retention.bytes"), Works, "Bytes of a partition above which the oldest records go; -1 for no bound."),
    row("retention.ms", Long, "604800000", Range(-1, i64::MAX), Some("log.retention.ms"), Works, "Age at which records go; -1 for never."),
    row("segment.bytes", Int, "1073741824", Range(1_048_576, i32::MAX as i64), Some("log.segment.bytes"), NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Size of a segment file."),
    row("segment.index.bytes", Int, "10485760", Range(4, i32::MAX as i64), Some("log.index.size.max.bytes"), NoMeaning("indexes live inside objects"), "Size of an index file."),
    row("segment.jitter.ms", Long, "0", Range(0, i64::MAX), Some("log.roll.jitter.ms"), NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Jitter on rolling segments."),
    row("segment.ms", Long, "604800000", Range(1, i64::MAX), Some("log.roll.ms"), NoMeaning("the log has no per-partition segment files; its own sizes are broker settings"), "Age at which a segment is rolled."),
    row("unclean.leader.election.enable", Boolean, "false", Any, Some("unclean.leader.election.enable"), NoMeaning("partitions have no replicas: the object store keeps the copies"), "Whether a stale replica may lead."),
];

/// The row of a topic setting.
#[must_use]
pub fn topic_row(name: &str) -> Option<&'static ConfigRow> {
    TOPIC_ROWS
        .binary_search_by(|row| row.name.cmp(name))
        .ok()
        .map(|at| &TOPIC_ROWS[at])
}
