//! What the CLI makes of Kafka's error codes: whether waiting helps, and a word on what to do. The codes themselves are the codec's.

use millstream_kafka_wire::ErrorCode;

/// Codes after which the same request may pass a little later: something moves, loads or recovers.
const RETRIABLE: &[ErrorCode] = &[
    ErrorCode::CORRUPT_MESSAGE,
    ErrorCode::LEADER_NOT_AVAILABLE,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::REQUEST_TIMED_OUT,
    ErrorCode::REPLICA_NOT_AVAILABLE,
    ErrorCode::NETWORK_EXCEPTION,
    ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ErrorCode::NOT_COORDINATOR,
    ErrorCode::NOT_ENOUGH_REPLICAS,
    ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode::REBALANCE_IN_PROGRESS,
    ErrorCode::NOT_CONTROLLER,
    ErrorCode::KAFKA_STORAGE_ERROR,
    ErrorCode::FENCED_LEADER_EPOCH,
    ErrorCode::UNKNOWN_LEADER_EPOCH,
    ErrorCode::OFFSET_NOT_AVAILABLE,
    ErrorCode::UNSTABLE_OFFSET_COMMIT,
    ErrorCode::THROTTLING_QUOTA_EXCEEDED,
    ErrorCode::UNKNOWN_TOPIC_ID,
];

/// Words for codes whose name does not say what to do.
const ADVICE: &[(ErrorCode, &str)] = &[
    (ErrorCode::UNKNOWN_SERVER_ERROR, "the broker's log tells more"),
    (
        ErrorCode::OFFSET_OUT_OF_RANGE,
        "the offset is no longer, or not yet, in the partition",
    ),
    (
        ErrorCode::CORRUPT_MESSAGE,
        "the records were damaged on their way",
    ),
    (
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        "there is no such topic or partition; `millstream topic list` shows all",
    ),
    (
        ErrorCode::LEADER_NOT_AVAILABLE,
        "the partition has no owner at the moment",
    ),
    (ErrorCode::NOT_LEADER_OR_FOLLOWER, "the partition has moved"),
    (
        ErrorCode::MESSAGE_TOO_LARGE,
        "raise max.message.bytes of the topic, or send less in one record",
    ),
    (
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        "the group's state is being loaded",
    ),
    (
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
        "the group's coordinator is not there at the moment",
    ),
    (ErrorCode::NOT_COORDINATOR, "the group has moved"),
    (
        ErrorCode::INVALID_TOPIC_EXCEPTION,
        "the name is not allowed, or the topic is internal",
    ),
    (ErrorCode::INVALID_GROUP_ID, "a group's id is not empty"),
    (
        ErrorCode::UNKNOWN_MEMBER_ID,
        "the group is in use: stop its consumers first",
    ),
    (
        ErrorCode::NON_EMPTY_GROUP,
        "the group is in use: stop its consumers first",
    ),
    (
        ErrorCode::UNSUPPORTED_VERSION,
        "the broker is older or newer than this client",
    ),
    (
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        "a batch before this one was lost",
    ),
    (
        ErrorCode::KAFKA_STORAGE_ERROR,
        "the broker cannot write; its log tells why (a full disk?)",
    ),
    (
        ErrorCode::GROUP_ID_NOT_FOUND,
        "there is no such group; `millstream group list` shows all",
    ),
    (ErrorCode::TOPIC_DELETION_DISABLED, "delete.topic.enable is false"),
    (
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
        "consumers of the group are subscribed to the topic",
    ),
    (
        ErrorCode::INVALID_TIMESTAMP,
        "the topic bounds timestamps by message.timestamp.before.max.ms and message.timestamp.after.max.ms",
    ),
];

/// Whether the same request may pass a little later.
#[must_use]
pub fn is_retriable(code: ErrorCode) -> bool {
    RETRIABLE.contains(&code)
}

/// Words and name: the broker's own words if it gave some, else ours.
#[must_use]
pub fn explain(code: ErrorCode, message: Option<&str>) -> String {
    let ours = || {
        ADVICE
            .iter()
            .find(|(advised, _)| *advised == code)
            .map(|(_, words)| *words)
    };
    match message.or_else(ours) {
        Some(words) => format!("{} ({code})", words.trim_end_matches('.')),
        None => code.to_string(),
    }
}
