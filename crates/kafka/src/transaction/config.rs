//! Settings and limits of transactions, each with Kafka's name and default.
//!
//! Owns: the numbers. Never: where they come from (the broker's settings are read by the server).

use millstream_broker::configs::settings::TransactionSettings;
use std::time::Duration;

/// Transactional ids in one partition of `__transaction_state`. Beyond it new ids are refused (COORDINATOR_NOT_AVAILABLE), old ones
/// go on.
pub const TRANSACTIONS_PER_SHARD_MAX: usize = 1_000_000;

/// Partitions of one transaction: all of them stand in one record of state, which must fit one batch.
pub const PARTITIONS_PER_TRANSACTION_MAX: usize = 100_000;

/// Requests that wait for the end of one transaction; beyond it they are told to ask again.
pub const PARKED_MAX: usize = 64;

/// How long a request waits for the markers of the transaction before, rather than be told to ask again. Markers take a flush or
/// two, clients ask again after 20 to 100 ms.
pub const WAIT_MAX: Duration = Duration::from_millis(100);

/// The shortest pause between two sweeps over all ids.
const EXPIRY_CHECK_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Settings of the coordinator; the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionConfig {
    /// `transaction.max.timeout.ms`.
    pub timeout_max: Duration,
    /// `transactional.id.expiration.ms`.
    pub id_expiration: Duration,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`.
    pub expiry_check_interval: Duration,
}

impl Default for TransactionConfig {
    fn default() -> Self {
        Self {
            timeout_max: Duration::from_secs(900),
            id_expiration: Duration::from_secs(7 * 86_400),
            expiry_check_interval: Duration::from_secs(3_600),
        }
    }
}

impl From<&TransactionSettings> for TransactionConfig {
    fn from(settings: &TransactionSettings) -> Self {
        Self {
            timeout_max: settings.timeout_max,
            id_expiration: settings.id_expiration,
            // A look at every moment would leave no time for anything else.
            expiry_check_interval: settings.expiry_check_interval.max(EXPIRY_CHECK_INTERVAL_MIN),
        }
    }
}
