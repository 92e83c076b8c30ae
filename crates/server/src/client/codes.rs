//! Kafka's error codes as the CLI meets them: name, whether waiting helps, and a word on what to do.

/// Whether the same request may pass a little later.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    Later,
    Never,
}

use Retry::{Later, Never};

/// One code.
struct Row {
    code: i16,
    name: &'static str,
    retry: Retry,
    /// What it means for the person at the terminal; empty where the name says it.
    advice: &'static str,
}

const fn row(code: i16, name: &'static str, retry: Retry, advice: &'static str) -> Row {
    Row {
        code,
        name,
        retry,
        advice,
    }
}

/// Codes used by name in this client.
pub const OFFSET_OUT_OF_RANGE: i16 = 1;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const NOT_LEADER_OR_FOLLOWER: i16 = 6;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const COORDINATOR_NOT_AVAILABLE: i16 = 15;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const NOT_COORDINATOR: i16 = 16;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const ILLEGAL_GENERATION: i16 = 22;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const UNKNOWN_MEMBER_ID: i16 = 25;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const REBALANCE_IN_PROGRESS: i16 = 27;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const TOPIC_ALREADY_EXISTS: i16 = 36;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const DUPLICATE_SEQUENCE_NUMBER: i16 = 46;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const GROUP_ID_NOT_FOUND: i16 = 69;
/// See [`OFFSET_OUT_OF_RANGE`].
pub const MEMBER_ID_REQUIRED: i16 = 79;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(-1, "UNKNOWN_SERVER_ERROR", Never, "the broker's log tells more"),
    row(1, "OFFSET_OUT_OF_RANGE", Never, "the offset is no longer, or not yet, in the partition"),
    row(2, "CORRUPT_MESSAGE", Later, "the records were damaged on their way"),
    row(3, "UNKNOWN_TOPIC_OR_PARTITION", Never, "there is no such topic or partition; `millstream topic list` shows all"),
    row(5, "LEADER_NOT_AVAILABLE", Later, "the partition has no owner at the moment"),
    row(6, "NOT_LEADER_OR_FOLLOWER", Later, "the partition has moved"),
    row(7, "REQUEST_TIMED_OUT", Later, ""),
    row(9, "REPLICA_NOT_AVAILABLE", Later, ""),
    row(10, "MESSAGE_TOO_LARGE", Never, "raise max.message.bytes of the topic, or send less in one record"),
    row(12, "OFFSET_METADATA_TOO_LARGE", Never, ""),
    row(13, "NETWORK_EXCEPTION", Later, ""),
    row(14, "COORDINATOR_LOAD_IN_PROGRESS", Later, "the group's state is being loaded"),
    row(15, "COORDINATOR_NOT_AVAILABLE", Later, "the group's coordinator is not there at the moment"),
    row(16, "NOT_COORDINATOR", Later, "the group has moved"),
    row(17, "INVALID_TOPIC_EXCEPTION", Never, "the name is not allowed, or the topic is internal"),
    row(18, "RECORD_LIST_TOO_LARGE", Never, ""),
    row(19, "NOT_ENOUGH_REPLICAS", Later, ""),
    row(20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", Later, ""),
    row(22, "ILLEGAL_GENERATION", Never, ""),
    row(24, "INVALID_GROUP_ID", Never, "a group's id is not empty"),
    row(25, "UNKNOWN_MEMBER_ID", Never, "the group is in use: stop its consumers first"),
    row(26, "INVALID_SESSION_TIMEOUT", Never, ""),
    row(27, "REBALANCE_IN_PROGRESS", Later, ""),
    row(29, "TOPIC_AUTHORIZATION_FAILED", Never, ""),
    row(30, "GROUP_AUTHORIZATION_FAILED", Never, ""),
    row(31, "CLUSTER_AUTHORIZATION_FAILED", Never, ""),
    row(32, "INVALID_TIMESTAMP", Never, "the topic's bounds on timestamps are message.timestamp.before.max.ms and .after.max.ms"),
    row(35, "UNSUPPORTED_VERSION", Never, "the broker is older or newer than this client"),
    row(36, "TOPIC_ALREADY_EXISTS", Never, ""),
    row(37, "INVALID_PARTITIONS", Never, ""),
    row(38, "INVALID_REPLICATION_FACTOR", Never, ""),
    row(40, "INVALID_CONFIG", Never, ""),
    row(41, "NOT_CONTROLLER", Later, ""),
    row(42, "INVALID_REQUEST", Never, ""),
    row(43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", Never, ""),
    row(44, "POLICY_VIOLATION", Never, ""),
    row(45, "OUT_OF_ORDER_SEQUENCE_NUMBER", Never, "a batch before this one was lost"),
    row(46, "DUPLICATE_SEQUENCE_NUMBER", Never, ""),
    row(47, "INVALID_PRODUCER_EPOCH", Never, "another producer has taken over"),
    row(56, "KAFKA_STORAGE_ERROR", Later, "the broker cannot write; its log tells why (a full disk?)"),
    row(59, "UNKNOWN_PRODUCER_ID", Never, ""),
    row(67, "DELEGATION_TOKEN_EXPIRED", Never, ""),
    row(68, "NON_EMPTY_GROUP", Never, "the group is in use: stop its consumers first"),
    row(69, "GROUP_ID_NOT_FOUND", Never, "there is no such group; `millstream group list` shows all"),
    row(73, "TOPIC_DELETION_DISABLED", Never, "delete.topic.enable is false"),
    row(74, "FENCED_LEADER_EPOCH", Later, ""),
    row(75, "UNKNOWN_LEADER_EPOCH", Later, ""),
    row(76, "UNSUPPORTED_COMPRESSION_TYPE", Never, ""),
    row(78, "OFFSET_NOT_AVAILABLE", Later, ""),
    row(79, "MEMBER_ID_REQUIRED", Never, ""),
    row(81, "GROUP_MAX_SIZE_REACHED", Never, ""),
    row(86, "GROUP_SUBSCRIBED_TO_TOPIC", Never, "consumers of the group are subscribed to the topic"),
    row(87, "INVALID_RECORD", Never, ""),
    row(88, "UNSTABLE_OFFSET_COMMIT", Later, ""),
    row(89, "THROTTLING_QUOTA_EXCEEDED", Later, ""),
    row(100, "UNKNOWN_TOPIC_ID", Later, ""),
];

fn find(code: i16) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.code == code)
}

/// Whether the same request may pass a little later.
#[must_use]
pub fn is_retriable(code: i16) -> bool {
    find(code).is_some_and(|row| row.retry == Retry::Later)
}

/// The code's name, or its number.
#[must_use]
pub fn name(code: i16) -> String {
    find(code).map_or_else(|| format!("error code {code}"), |row| row.name.to_owned())
}

/// Name and words: the broker's own if it gave some, else ours.
#[must_use]
pub fn explain(code: i16, message: Option<&str>) -> String {
    let words = message.unwrap_or_else(|| find(code).map_or("", |row| row.advice));
    match words {
        "" => name(code),
        words => format!("{} ({})", words.trim_end_matches('.'), name(code)),
    }
}
