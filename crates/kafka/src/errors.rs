//! Kafka's error codes, and the one `match` for each of the broker's errors that gives a code.

use crate::features::FeatureError;
use crate::group::GroupError;
use crate::telemetry::TelemetryError;
use crate::transaction::TransactionError;
use millstream_broker::configs::alter::AlterError;
use millstream_broker::queue::{AcquireError, QueueError, SettleRefused};
use millstream_broker::quota::change::QuotaError;
use millstream_broker::security::{AclError, ScramError, TokenError};
use millstream_broker::{
    AppendError, BrokerError, CatalogError, FetchError, NamedError, ProduceError, RecordsRefused, TopicError,
    TrimError,
};

pub(crate) use millstream_kafka_wire::ErrorCode;

/// An error of the broker that has a code in the protocol.
pub(crate) trait Coded {
    /// The code.
    fn code(&self) -> ErrorCode;
}

impl Coded for ProduceError {
    fn code(&self) -> ErrorCode {
        match self {
            ProduceError::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ProduceError::InternalTopic => ErrorCode::INVALID_TOPIC_EXCEPTION,
            ProduceError::NoMarker => ErrorCode::INVALID_REQUEST,
            ProduceError::Refused(refused) => refused.code(),
            ProduceError::Log(AppendError::StreamGone) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ProduceError::Log(AppendError::Fenced { .. } | AppendError::Closed) => {
                ErrorCode::NOT_LEADER_OR_FOLLOWER
            }
            ProduceError::Log(AppendError::OutOfOrderSequence) => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            ProduceError::Log(AppendError::DuplicateSequence) => ErrorCode::DUPLICATE_SEQUENCE_NUMBER,
            ProduceError::Log(AppendError::StaleProducerEpoch) => ErrorCode::INVALID_PRODUCER_EPOCH,
            ProduceError::Log(AppendError::UnknownProducer) => ErrorCode::UNKNOWN_PRODUCER_ID,
            ProduceError::Log(AppendError::NotInTransaction) => ErrorCode::INVALID_TXN_STATE,
            ProduceError::Log(AppendError::StaleCoordinator) => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
            ProduceError::Log(
                AppendError::StorageFull | AppendError::Storage { .. } | AppendError::TooManyAborted,
            ) => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl Coded for RecordsRefused {
    fn code(&self) -> ErrorCode {
        match self {
            RecordsRefused::Corrupt(_) => ErrorCode::CORRUPT_MESSAGE,
            RecordsRefused::OldFormat(_) => ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
            RecordsRefused::UnknownCodec(_) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            RecordsRefused::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            RecordsRefused::Timestamp { .. } => ErrorCode::INVALID_TIMESTAMP,
            RecordsRefused::Transactional => ErrorCode::INVALID_TXN_STATE,
            RecordsRefused::Invalid { .. } => ErrorCode::INVALID_RECORD,
        }
    }
}

impl Coded for FetchError {
    fn code(&self) -> ErrorCode {
        match self {
            FetchError::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            FetchError::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            FetchError::FencedEpoch => ErrorCode::FENCED_LEADER_EPOCH,
            FetchError::UnknownEpoch => ErrorCode::UNKNOWN_LEADER_EPOCH,
            FetchError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl Coded for TrimError {
    fn code(&self) -> ErrorCode {
        match self {
            TrimError::UnknownPartition => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            TrimError::InternalTopic => ErrorCode::INVALID_TOPIC_EXCEPTION,
            TrimError::Policy => ErrorCode::POLICY_VIOLATION,
            TrimError::OffsetOutOfRange => ErrorCode::OFFSET_OUT_OF_RANGE,
            TrimError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

impl Coded for TopicError {
    fn code(&self) -> ErrorCode {
        match self {
            TopicError::Exists(_) => ErrorCode::TOPIC_ALREADY_EXISTS,
            TopicError::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            TopicError::InvalidName(_) | TopicError::Internal => ErrorCode::INVALID_TOPIC_EXCEPTION,
            TopicError::InvalidPartitions(_) => ErrorCode::INVALID_PARTITIONS,
            TopicError::Config(error) => error.code(),
            TopicError::DeletionDisabled => ErrorCode::TOPIC_DELETION_DISABLED,
            // Clients try again.
            TopicError::Contended(_) => ErrorCode::REQUEST_TIMED_OUT,
            TopicError::Store(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for AlterError {
    fn code(&self) -> ErrorCode {
        match self {
            AlterError::Duplicate(_) | AlterError::Static(_) => ErrorCode::INVALID_REQUEST,
            AlterError::Invalid(_)
            | AlterError::Unknown { .. }
            | AlterError::NotAList(_)
            | AlterError::TooLarge(_) => ErrorCode::INVALID_CONFIG,
        }
    }
}

impl Coded for AclError {
    fn code(&self) -> ErrorCode {
        match self {
            AclError::Disabled => ErrorCode::SECURITY_DISABLED,
            AclError::Invalid(_) => ErrorCode::INVALID_REQUEST,
            // Clients try again.
            AclError::Contended(_) => ErrorCode::REQUEST_TIMED_OUT,
            AclError::Store(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for ScramError {
    fn code(&self) -> ErrorCode {
        match self {
            ScramError::NotFound => ErrorCode::RESOURCE_NOT_FOUND,
            ScramError::Unacceptable(_) => ErrorCode::UNACCEPTABLE_CREDENTIAL,
            ScramError::Store(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for TokenError {
    fn code(&self) -> ErrorCode {
        match self {
            TokenError::Disabled => ErrorCode::DELEGATION_TOKEN_AUTH_DISABLED,
            TokenError::NotFound => ErrorCode::DELEGATION_TOKEN_NOT_FOUND,
            TokenError::OwnerMismatch => ErrorCode::DELEGATION_TOKEN_OWNER_MISMATCH,
            TokenError::Expired => ErrorCode::DELEGATION_TOKEN_EXPIRED,
            TokenError::Invalid(_) => ErrorCode::INVALID_REQUEST,
            TokenError::Store(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl<E: Coded> Coded for NamedError<E> {
    fn code(&self) -> ErrorCode {
        match self {
            NamedError::Refused(error) => error.code(),
            NamedError::Catalog(CatalogError::NameTooLong) => ErrorCode::INVALID_REQUEST,
            NamedError::Catalog(CatalogError::ConfigsTooLarge) => ErrorCode::INVALID_CONFIG,
            // Clients try again.
            NamedError::Catalog(CatalogError::Contended) => ErrorCode::REQUEST_TIMED_OUT,
            NamedError::Catalog(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for QuotaError {
    fn code(&self) -> ErrorCode {
        ErrorCode::INVALID_REQUEST
    }
}

impl Coded for FeatureError {
    fn code(&self) -> ErrorCode {
        ErrorCode::INVALID_UPDATE_VERSION
    }
}

impl Coded for TelemetryError {
    fn code(&self) -> ErrorCode {
        match self {
            TelemetryError::TooEarly | TelemetryError::Full => ErrorCode::THROTTLING_QUOTA_EXCEEDED,
            TelemetryError::Ended => ErrorCode::INVALID_REQUEST,
            TelemetryError::UnknownSubscription => ErrorCode::UNKNOWN_SUBSCRIPTION_ID,
        }
    }
}

impl Coded for GroupError {
    fn code(&self) -> ErrorCode {
        match self {
            GroupError::NotCoordinator => ErrorCode::NOT_COORDINATOR,
            GroupError::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            GroupError::CoordinatorLoadInProgress => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            GroupError::InvalidGroupId => ErrorCode::INVALID_GROUP_ID,
            GroupError::GroupIdNotFound => ErrorCode::GROUP_ID_NOT_FOUND,
            GroupError::NonEmptyGroup => ErrorCode::NON_EMPTY_GROUP,
            GroupError::GroupMaxSizeReached => ErrorCode::GROUP_MAX_SIZE_REACHED,
            GroupError::InconsistentGroupProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
            GroupError::InvalidSessionTimeout => ErrorCode::INVALID_SESSION_TIMEOUT,
            GroupError::MemberIdRequired => ErrorCode::MEMBER_ID_REQUIRED,
            GroupError::UnknownMemberId => ErrorCode::UNKNOWN_MEMBER_ID,
            GroupError::FencedInstanceId => ErrorCode::FENCED_INSTANCE_ID,
            GroupError::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
            GroupError::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
            GroupError::OffsetMetadataTooLarge => ErrorCode::OFFSET_METADATA_TOO_LARGE,
            GroupError::InvalidCommitOffsetSize => ErrorCode::INVALID_COMMIT_OFFSET_SIZE,
            GroupError::UnstableOffsetCommit => ErrorCode::UNSTABLE_OFFSET_COMMIT,
            GroupError::StaleProducerEpoch => ErrorCode::INVALID_PRODUCER_EPOCH,
            GroupError::GroupSubscribedToTopic => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
            GroupError::FencedMemberEpoch => ErrorCode::FENCED_MEMBER_EPOCH,
            GroupError::StaleMemberEpoch => ErrorCode::STALE_MEMBER_EPOCH,
            GroupError::UnreleasedInstanceId => ErrorCode::UNRELEASED_INSTANCE_ID,
            GroupError::InvalidRegularExpression => ErrorCode::INVALID_REGULAR_EXPRESSION,
            GroupError::InvalidTopology(_) => ErrorCode::STREAMS_INVALID_TOPOLOGY,
            GroupError::TopologyUpdate => ErrorCode::INVALID_REQUEST,
            GroupError::NotOfKind(_) => ErrorCode::GROUP_ID_NOT_FOUND,
            GroupError::UnsupportedVersion => ErrorCode::UNSUPPORTED_VERSION,
            GroupError::UnknownServerError => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for QueueError {
    fn code(&self) -> ErrorCode {
        match self {
            QueueError::Refused(SettleRefused::BadRange) => ErrorCode::INVALID_REQUEST,
            // What was deleted, and made again, knows nobody's locks.
            QueueError::Refused(SettleRefused::NotHeld) | QueueError::Gone => ErrorCode::INVALID_RECORD_STATE,
            // Clients try again; what was kept after all is then no longer theirs.
            QueueError::NotKept(_) | QueueError::Unknown => ErrorCode::KAFKA_STORAGE_ERROR,
            QueueError::Closed => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        }
    }
}

impl Coded for AcquireError {
    fn code(&self) -> ErrorCode {
        match self {
            AcquireError::Fetch(error) => error.code(),
            // Deleted while it was fetched from: the next fetch makes it anew.
            AcquireError::Queue(QueueError::Gone) => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            AcquireError::Queue(error) => error.code(),
        }
    }
}

impl Coded for TransactionError {
    fn code(&self) -> ErrorCode {
        match self {
            TransactionError::NotCoordinator => ErrorCode::NOT_COORDINATOR,
            TransactionError::CoordinatorNotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            TransactionError::CoordinatorLoadInProgress => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            TransactionError::ConcurrentTransactions => ErrorCode::CONCURRENT_TRANSACTIONS,
            TransactionError::InvalidProducerIdMapping => ErrorCode::INVALID_PRODUCER_ID_MAPPING,
            TransactionError::ProducerFenced => ErrorCode::PRODUCER_FENCED,
            TransactionError::InvalidTransactionState => ErrorCode::INVALID_TXN_STATE,
            TransactionError::InvalidTimeout => ErrorCode::INVALID_TRANSACTION_TIMEOUT,
            TransactionError::TransactionalIdNotFound => ErrorCode::TRANSACTIONAL_ID_NOT_FOUND,
            TransactionError::TooManyPartitions => ErrorCode::POLICY_VIOLATION,
            TransactionError::UnknownServerError => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

/// The code of an outcome.
pub(crate) fn code_of<T, E: Coded>(outcome: &Result<T, E>) -> i16 {
    match outcome {
        Ok(_) => ErrorCode::NONE.0,
        Err(error) => error.code().0,
    }
}

impl Coded for BrokerError {
    fn code(&self) -> ErrorCode {
        match self {
            BrokerError::Contended(_) => ErrorCode::REQUEST_TIMED_OUT,
            BrokerError::Catalog(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
            BrokerError::Config(error) => error.code(),
        }
    }
}
