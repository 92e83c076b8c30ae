//! The table of settings of single groups (Kafka: resource type GROUP), one row each; a kind of group has its prefix.

use super::row::{Check::*, ConfigKind::*, ConfigRow, Effect::*, dynamic_row as row};

/// Every setting of a group, sorted by name.
#[rustfmt::skip]
pub const GROUP_ROWS: &[ConfigRow] = &[
    row("consumer.heartbeat.interval.ms", Int, "5000", Range(1, i32::MAX as i64), Some("group.consumer.heartbeat.interval.ms"), Works, "How often members of this consumer group send heartbeats."),
    row("consumer.session.timeout.ms", Int, "45000", Range(1, i32::MAX as i64), Some("group.consumer.session.timeout.ms"), Works, "How long a member of this consumer group may be silent."),
    row("errors.deadletterqueue.copy.record.enable", Boolean, "false", Any, None, Works, "Whether key and value are copied into a dead letter of this share group (KIP-1191)."),
    row("errors.deadletterqueue.topic.name", String, "", Any, None, Works, "Where records go that this share group gives up; empty: nowhere (KIP-1191)."),
    row("share.auto.offset.reset", String, "latest", Any, None, Works, "Where this share group begins in a partition: latest, earliest, by_duration:PnDTnHnMn.nS."),
    row("share.delivery.count.limit", Int, "5", Range(2, i32::MAX as i64), Some("group.share.delivery.count.limit"), Works, "How often a record is delivered to this share group before it is given up."),
    row("share.heartbeat.interval.ms", Int, "5000", Range(1, i32::MAX as i64), Some("group.share.heartbeat.interval.ms"), Works, "How often members of this share group send heartbeats."),
    row("share.isolation.level", String, "read_uncommitted", OneOf(&["read_committed", "read_uncommitted"]), None, Works, "Whether this share group is shown records of transactions that were not committed."),
    row("share.partition.max.record.locks", Int, "2000", Range(100, i32::MAX as i64), Some("group.share.partition.max.record.locks"), Works, "Records of a partition that may be out, or be back and wait, at a time."),
    row("share.record.lock.duration.ms", Int, "30000", Range(1000, i32::MAX as i64), Some("group.share.record.lock.duration.ms"), Works, "How long a record is locked for the member that acquired it."),
    row("share.renew.acknowledge.enable", Boolean, "true", Any, None, Works, "Whether members of this share group may renew their locks (KIP-1222)."),
    row("share.session.timeout.ms", Int, "45000", Range(1, i32::MAX as i64), Some("group.share.session.timeout.ms"), Works, "How long a member of this share group may be silent."),
    row("streams.assignment.interval.ms", Int, "1000", Range(0, i32::MAX as i64), Some("group.streams.assignment.interval.ms"), Works, "The shortest time between two assignments of this streams group."),
    row("streams.heartbeat.interval.ms", Int, "5000", Range(1, i32::MAX as i64), Some("group.streams.heartbeat.interval.ms"), Works, "How often members of this streams group send heartbeats."),
    row("streams.initial.rebalance.delay.ms", Int, "3000", Range(0, i32::MAX as i64), Some("group.streams.initial.rebalance.delay.ms"), Works, "How long the first assignment of this streams group waits for more members when it is empty."),
    row("streams.num.standby.replicas", Int, "0", Range(0, i32::MAX as i64), Some("group.streams.num.standby.replicas"), Works, "How many members of this streams group beside the active one keep a copy of a task's state."),
    row("streams.session.timeout.ms", Int, "45000", Range(1, i32::MAX as i64), Some("group.streams.session.timeout.ms"), Works, "How long a member of this streams group may be silent."),
];

/// The row of a setting of a group.
#[must_use]
pub fn group_row(name: &str) -> Option<&'static ConfigRow> {
    GROUP_ROWS
        .binary_search_by(|row| row.name.cmp(name))
        .ok()
        .map(|at| &GROUP_ROWS[at])
}
