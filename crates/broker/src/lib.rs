//! The broker: every operation, decided once, free of any protocol's names for things. All that front ends see.
//!
//! Owns: topics as they are served, the rules for records, settings, fetches across partitions, state streams.
//! Never: a wire format, a socket, a file. It decides; protocols translate and the log stores.

#![forbid(unsafe_code)]

pub mod append;
mod broker;
pub mod compression;
pub mod configs;
pub mod fetch;
mod fetch_memory;
mod group_settings;
pub mod named;
pub mod offsets;
mod producer_ids;
pub mod queue;
pub mod quota;
pub mod records;
pub mod security;
pub mod share_settings;
pub mod state_stream;
mod streams_settings;
#[cfg(feature = "testing")]
pub mod testing;
mod topic_changes;
pub mod topics;
mod transactions;

pub use append::{PendingAppend, ProduceError, Produced};
pub use broker::{Broker, BrokerConfig, BrokerError, BrokerScope};
pub use fetch::{FetchBudget, FetchError, FetchRead, FetchResult, FetchSlice, Isolation};
pub use group_settings::ConsumerGroupOverrides;
pub use millstream_log::disk::DiskSpace;
pub use millstream_log::{
    AbortedTransaction, AppendError, Buffers, Clock, Epoch, Fate, LogStats, Offset, ProducerView,
    StreamBounds, TimestampMs, TransactionGuard,
};
pub use millstream_meta::catalog::{CatalogError, NamedKind, TopicId};
pub use named::NamedError;
pub use offsets::{OffsetAnswer, OffsetQuery, TrimError};
pub use quota::QuotaUser;
pub use quota::table::QuotaKind;
pub use records::RecordsRefused;
pub use state_stream::{PendingState, StateError, StateRecord, StateStream};
pub use streams_settings::StreamsGroupSettings;
pub use topic_changes::TopicDraft;
pub use topics::{Dry, OFFSETS_TOPIC, SUBSCRIPTIONS_TOPIC, TRANSACTIONS_TOPIC, Topic, TopicError, TopicSpec};
pub use transactions::{TransactionEnd, TransactionOutcome, TransactionalBatch};
