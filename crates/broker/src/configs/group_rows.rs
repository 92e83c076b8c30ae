//! The table of settings of single groups (Kafka: resource type GROUP), one row each; a kind of group has its prefix.

use super::row::{Check::*, ConfigKind::*, ConfigRow, Effect, Effect::*, Mutability};

const fn row(
    name: &'static str,
    kind: super::row::ConfigKind,
    default: &'static str,
    check: super::row::Check,
    synonym: Option<&'static str>,
    effect: Effect,
    doc: &'static str,
) -> ConfigRow {
    ConfigRow {
        name,
        kind,
        default: Some(default),
        check,
        synonym,
        mutability: Mutability::Dynamic,
        effect,
        doc,
    }
}

/// Every setting of a group, sorted by name.
#[rustfmt::skip]
pub const GROUP_ROWS: &[ConfigRow] = &[
    row("consumer.heartbeat.interval.ms", Int, "5000", Range(1, i32::MAX as i64), Some("group.consumer.heartbeat.interval.ms"), Works, "How often members of this consumer group send heartbeats."),
    row("consumer.session.timeout.ms", Int, "45000", Range(1, i32::MAX as i64), Some("group.consumer.session.timeout.ms"), Works, "How long a member of this consumer group may be silent."),
];

/// The row of a setting of a group.
#[must_use]
pub fn group_row(name: &str) -> Option<&'static ConfigRow> {
    GROUP_ROWS
        .binary_search_by(|row| row.name.cmp(name))
        .ok()
        .map(|at| &GROUP_ROWS[at])
}
