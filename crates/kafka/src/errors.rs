//! Kafka's error codes, and the one `match` for each of the broker's errors that gives a code.

use millstream_broker::configs::alter::AlterError;
use millstream_broker::{
    AppendError, BrokerError, FetchError, ProduceError, RecordsRefused, TopicError, TrimError,
};

/// A code of the protocol's table of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorCode(pub i16);

#[rustfmt::skip]
#[allow(dead_code, reason = "the whole table of the protocol, used as APIs come")]
impl ErrorCode {
    pub const UNKNOWN_SERVER_ERROR: ErrorCode = ErrorCode(-1);
    pub const NONE: ErrorCode = ErrorCode(0);
    pub const OFFSET_OUT_OF_RANGE: ErrorCode = ErrorCode(1);
    pub const CORRUPT_MESSAGE: ErrorCode = ErrorCode(2);
    pub const UNKNOWN_TOPIC_OR_PARTITION: ErrorCode = ErrorCode(3);
    pub const INVALID_FETCH_SIZE: ErrorCode = ErrorCode(4);
    pub const LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(5);
    pub const NOT_LEADER_OR_FOLLOWER: ErrorCode = ErrorCode(6);
    pub const REQUEST_TIMED_OUT: ErrorCode = ErrorCode(7);
    pub const BROKER_NOT_AVAILABLE: ErrorCode = ErrorCode(8);
    pub const REPLICA_NOT_AVAILABLE: ErrorCode = ErrorCode(9);
    pub const MESSAGE_TOO_LARGE: ErrorCode = ErrorCode(10);
    pub const OFFSET_METADATA_TOO_LARGE: ErrorCode = ErrorCode(12);
    pub const NETWORK_EXCEPTION: ErrorCode = ErrorCode(13);
    pub const COORDINATOR_LOAD_IN_PROGRESS: ErrorCode = ErrorCode(14);
    pub const COORDINATOR_NOT_AVAILABLE: ErrorCode = ErrorCode(15);
    pub const NOT_COORDINATOR: ErrorCode = ErrorCode(16);
    pub const INVALID_TOPIC_EXCEPTION: ErrorCode = ErrorCode(17);
    pub const RECORD_LIST_TOO_LARGE: ErrorCode = ErrorCode(18);
    pub const NOT_ENOUGH_REPLICAS: ErrorCode = ErrorCode(19);
    pub const INVALID_REQUIRED_ACKS: ErrorCode = ErrorCode(21);
    pub const ILLEGAL_GENERATION: ErrorCode = ErrorCode(22);
    pub const INCONSISTENT_GROUP_PROTOCOL: ErrorCode = ErrorCode(23);
    pub const INVALID_GROUP_ID: ErrorCode = ErrorCode(24);
    pub const UNKNOWN_MEMBER_ID: ErrorCode = ErrorCode(25);
    pub const INVALID_SESSION_TIMEOUT: ErrorCode = ErrorCode(26);
    pub const REBALANCE_IN_PROGRESS: ErrorCode = ErrorCode(27);
    pub const INVALID_COMMIT_OFFSET_SIZE: ErrorCode = ErrorCode(28);
    pub const TOPIC_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(29);
    pub const GROUP_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(30);
    pub const CLUSTER_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(31);
    pub const INVALID_TIMESTAMP: ErrorCode = ErrorCode(32);
    pub const UNSUPPORTED_SASL_MECHANISM: ErrorCode = ErrorCode(33);
    pub const ILLEGAL_SASL_STATE: ErrorCode = ErrorCode(34);
    pub const UNSUPPORTED_VERSION: ErrorCode = ErrorCode(35);
    pub const TOPIC_ALREADY_EXISTS: ErrorCode = ErrorCode(36);
    pub const INVALID_PARTITIONS: ErrorCode = ErrorCode(37);
    pub const INVALID_REPLICATION_FACTOR: ErrorCode = ErrorCode(38);
    pub const INVALID_REPLICA_ASSIGNMENT: ErrorCode = ErrorCode(39);
    pub const INVALID_CONFIG: ErrorCode = ErrorCode(40);
    pub const NOT_CONTROLLER: ErrorCode = ErrorCode(41);
    pub const INVALID_REQUEST: ErrorCode = ErrorCode(42);
    pub const UNSUPPORTED_FOR_MESSAGE_FORMAT: ErrorCode = ErrorCode(43);
    pub const POLICY_VIOLATION: ErrorCode = ErrorCode(44);
    pub const OUT_OF_ORDER_SEQUENCE_NUMBER: ErrorCode = ErrorCode(45);
    pub const DUPLICATE_SEQUENCE_NUMBER: ErrorCode = ErrorCode(46);
    pub const INVALID_PRODUCER_EPOCH: ErrorCode = ErrorCode(47);
    pub const INVALID_TXN_STATE: ErrorCode = ErrorCode(48);
    pub const INVALID_PRODUCER_ID_MAPPING: ErrorCode = ErrorCode(49);
    pub const INVALID_TRANSACTION_TIMEOUT: ErrorCode = ErrorCode(50);
    pub const CONCURRENT_TRANSACTIONS: ErrorCode = ErrorCode(51);
    pub const TRANSACTION_COORDINATOR_FENCED: ErrorCode = ErrorCode(52);
    pub const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(53);
    pub const SECURITY_DISABLED: ErrorCode = ErrorCode(54);
    pub const OPERATION_NOT_ATTEMPTED: ErrorCode = ErrorCode(55);
    pub const KAFKA_STORAGE_ERROR: ErrorCode = ErrorCode(56);
    pub const LOG_DIR_NOT_FOUND: ErrorCode = ErrorCode(57);
    pub const SASL_AUTHENTICATION_FAILED: ErrorCode = ErrorCode(58);
    pub const UNKNOWN_PRODUCER_ID: ErrorCode = ErrorCode(59);
    pub const REASSIGNMENT_IN_PROGRESS: ErrorCode = ErrorCode(60);
    pub const NON_EMPTY_GROUP: ErrorCode = ErrorCode(68);
    pub const GROUP_ID_NOT_FOUND: ErrorCode = ErrorCode(69);
    pub const FETCH_SESSION_ID_NOT_FOUND: ErrorCode = ErrorCode(70);
    pub const INVALID_FETCH_SESSION_EPOCH: ErrorCode = ErrorCode(71);
    pub const LISTENER_NOT_FOUND: ErrorCode = ErrorCode(72);
    pub const TOPIC_DELETION_DISABLED: ErrorCode = ErrorCode(73);
    pub const FENCED_LEADER_EPOCH: ErrorCode = ErrorCode(74);
    pub const UNKNOWN_LEADER_EPOCH: ErrorCode = ErrorCode(75);
    pub const UNSUPPORTED_COMPRESSION_TYPE: ErrorCode = ErrorCode(76);
    pub const STALE_BROKER_EPOCH: ErrorCode = ErrorCode(77);
    pub const OFFSET_NOT_AVAILABLE: ErrorCode = ErrorCode(78);
    pub const MEMBER_ID_REQUIRED: ErrorCode = ErrorCode(79);
    pub const PREFERRED_LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(80);
    pub const GROUP_MAX_SIZE_REACHED: ErrorCode = ErrorCode(81);
    pub const FENCED_INSTANCE_ID: ErrorCode = ErrorCode(82);
    pub const ELIGIBLE_LEADERS_NOT_AVAILABLE: ErrorCode = ErrorCode(83);
    pub const ELECTION_NOT_NEEDED: ErrorCode = ErrorCode(84);
    pub const NO_REASSIGNMENT_IN_PROGRESS: ErrorCode = ErrorCode(85);
    pub const GROUP_SUBSCRIBED_TO_TOPIC: ErrorCode = ErrorCode(86);
    pub const INVALID_RECORD: ErrorCode = ErrorCode(87);
    pub const UNSTABLE_OFFSET_COMMIT: ErrorCode = ErrorCode(88);
    pub const THROTTLING_QUOTA_EXCEEDED: ErrorCode = ErrorCode(89);
    pub const PRODUCER_FENCED: ErrorCode = ErrorCode(90);
    pub const DUPLICATE_RESOURCE: ErrorCode = ErrorCode(92);
    pub const INCONSISTENT_VOTER_SET: ErrorCode = ErrorCode(94);
    pub const INVALID_UPDATE_VERSION: ErrorCode = ErrorCode(95);
    pub const FEATURE_UPDATE_FAILED: ErrorCode = ErrorCode(96);
    pub const UNKNOWN_TOPIC_ID: ErrorCode = ErrorCode(100);
    pub const INCONSISTENT_TOPIC_ID: ErrorCode = ErrorCode(103);
    pub const TRANSACTIONAL_ID_NOT_FOUND: ErrorCode = ErrorCode(105);
    pub const FETCH_SESSION_TOPIC_ID_ERROR: ErrorCode = ErrorCode(106);
    pub const UNSUPPORTED_ENDPOINT_TYPE: ErrorCode = ErrorCode(115);
}

impl ErrorCode {
    pub fn is_ok(self) -> bool {
        self == Self::NONE
    }
}

impl From<&ProduceError> for ErrorCode {
    fn from(error: &ProduceError) -> Self {
        match error {
            ProduceError::UnknownPartition => Self::UNKNOWN_TOPIC_OR_PARTITION,
            ProduceError::InternalTopic => Self::INVALID_TOPIC_EXCEPTION,
            ProduceError::Refused(refused) => Self::from(refused),
            ProduceError::Log(AppendError::StreamGone) => Self::UNKNOWN_TOPIC_OR_PARTITION,
            ProduceError::Log(AppendError::Fenced { .. } | AppendError::Closed) => {
                Self::NOT_LEADER_OR_FOLLOWER
            }
            ProduceError::Log(AppendError::OutOfOrderSequence) => Self::OUT_OF_ORDER_SEQUENCE_NUMBER,
            ProduceError::Log(AppendError::DuplicateSequence) => Self::DUPLICATE_SEQUENCE_NUMBER,
            ProduceError::Log(AppendError::StaleProducerEpoch) => Self::INVALID_PRODUCER_EPOCH,
            ProduceError::Log(AppendError::UnknownProducer) => Self::UNKNOWN_PRODUCER_ID,
            ProduceError::Log(AppendError::StorageFull | AppendError::Storage { .. }) => {
                Self::KAFKA_STORAGE_ERROR
            }
        }
    }
}

impl From<&RecordsRefused> for ErrorCode {
    fn from(refused: &RecordsRefused) -> Self {
        match refused {
            RecordsRefused::Corrupt(_) => Self::CORRUPT_MESSAGE,
            RecordsRefused::OldFormat(_) => Self::UNSUPPORTED_FOR_MESSAGE_FORMAT,
            RecordsRefused::UnknownCodec(_) => Self::UNSUPPORTED_COMPRESSION_TYPE,
            RecordsRefused::TooLarge { .. } => Self::MESSAGE_TOO_LARGE,
            RecordsRefused::Timestamp { .. } => Self::INVALID_TIMESTAMP,
            RecordsRefused::Invalid { .. } => Self::INVALID_RECORD,
        }
    }
}

impl From<&FetchError> for ErrorCode {
    fn from(error: &FetchError) -> Self {
        match error {
            FetchError::UnknownPartition => Self::UNKNOWN_TOPIC_OR_PARTITION,
            FetchError::OffsetOutOfRange { .. } => Self::OFFSET_OUT_OF_RANGE,
            FetchError::FencedEpoch => Self::FENCED_LEADER_EPOCH,
            FetchError::UnknownEpoch => Self::UNKNOWN_LEADER_EPOCH,
            FetchError::Storage(_) => Self::KAFKA_STORAGE_ERROR,
        }
    }
}

impl From<&TrimError> for ErrorCode {
    fn from(error: &TrimError) -> Self {
        match error {
            TrimError::UnknownPartition => Self::UNKNOWN_TOPIC_OR_PARTITION,
            TrimError::InternalTopic => Self::INVALID_TOPIC_EXCEPTION,
            TrimError::Policy => Self::POLICY_VIOLATION,
            TrimError::OffsetOutOfRange => Self::OFFSET_OUT_OF_RANGE,
            TrimError::Storage(_) => Self::KAFKA_STORAGE_ERROR,
        }
    }
}

impl From<&TopicError> for ErrorCode {
    fn from(error: &TopicError) -> Self {
        match error {
            TopicError::Exists(_) => Self::TOPIC_ALREADY_EXISTS,
            TopicError::Unknown => Self::UNKNOWN_TOPIC_OR_PARTITION,
            TopicError::InvalidName(_) | TopicError::Internal => Self::INVALID_TOPIC_EXCEPTION,
            TopicError::InvalidPartitions(_) => Self::INVALID_PARTITIONS,
            TopicError::Config(error) => Self::from(error),
            TopicError::DeletionDisabled => Self::TOPIC_DELETION_DISABLED,
            TopicError::Store(_) => Self::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl From<&AlterError> for ErrorCode {
    fn from(error: &AlterError) -> Self {
        match error {
            AlterError::Duplicate(_) | AlterError::Static(_) => Self::INVALID_REQUEST,
            AlterError::Invalid(_) | AlterError::Unknown { .. } | AlterError::NotAList(_) => {
                Self::INVALID_CONFIG
            }
        }
    }
}

impl From<&BrokerError> for ErrorCode {
    fn from(error: &BrokerError) -> Self {
        match error {
            BrokerError::Catalog(_) => Self::UNKNOWN_SERVER_ERROR,
            BrokerError::Config(error) => Self::from(error),
        }
    }
}
