//! Transactions (KIP-98, 360, 447, 588, 664, 890): who writes under a transactional id, what its transaction covers, how it ends.
//!
//! Owns: the life of a transaction. Never: records (the log keeps them, and what was aborted), offsets (groups keep them), a socket, a
//! wire version, a clock. `machine` decides (pure), `record` and `state` remember, `driver` runs one machine a partition of
//! `__transaction_state` and writes the markers.
//!
//! **Invariant**: a transaction ends one way. Once "prepare commit" or "prepare abort" is durable its markers are written, by this
//! process or by the next one, and nothing of the producer's next transaction is taken before all of them are durable.
//!
//! Beside the append path: a transactional batch asks here only when it is the first of its transaction on a partition.

mod answer;
mod config;
mod driver;
mod error;
mod machine;
mod name;
mod record;
mod request;
mod state;
#[cfg(test)]
mod tests;

pub use crate::state::{Now, PersistToken, RecordError, RequestId};
pub use answer::{Answer, DescribedTransaction, ListedTransaction, MarkerJob, Output};
pub use config::{
    PARKED_MAX, PARTITIONS_PER_TRANSACTION_MAX, TRANSACTIONS_PER_SHARD_MAX, TransactionConfig, WAIT_MAX,
};
pub use driver::TransactionCoordinator;
pub use error::{PersistError, TransactionError};
pub use machine::{Shard, ShardLoader};
pub use name::{Partitions, TransactionalId};
pub use record::Record;
pub use request::{AddRequest, EndRequest, InitRequest, Input, ListFilter, Request, VerifyRequest};
pub use state::{EpochPolicy, Phase, ProducerEpoch, TransactionState};
