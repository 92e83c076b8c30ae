//! Settings and limits of group coordination, each with Kafka's name and default.
//!
//! Owns: the numbers. Never: where they come from (the broker's settings are read by the server).

use millstream_broker::configs::settings::GroupSettings;
use std::time::Duration;

/// How long a member may wait in its first join before it is taken for gone: its client cannot send heartbeats yet, and
/// a connection that died meanwhile would otherwise leave a dead member behind for every retry.
pub const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(300);

/// Member ids given out (KIP-394) that one group remembers before they join. Kafka has no such bound; without one a client
/// that never comes back costs memory with every request.
pub const PENDING_MEMBERS_MAX: usize = 10_000;

/// Groups in one offsets partition. Beyond it new groups are refused (COORDINATOR_NOT_AVAILABLE), old ones go on.
pub const GROUPS_PER_SHARD_MAX: usize = 1_000_000;

/// The shortest pause between two sweeps over all offsets.
const RETENTION_CHECK_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Settings of the coordinator; the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max: Duration,
    /// `group.initial.rebalance.delay.ms`: how long the first rebalance of an empty group waits for more members.
    pub initial_rebalance_delay: Duration,
    /// `group.max.size`: members of one group.
    pub group_size_max: usize,
    /// `offset.metadata.max.bytes`: text stored with one committed offset.
    pub offset_metadata_bytes_max: usize,
    /// `offsets.retention.minutes`: how long offsets outlive their group's last member (KIP-211).
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval: Duration,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_secs(1_800),
            initial_rebalance_delay: Duration::from_secs(3),
            group_size_max: i32::MAX as usize,
            offset_metadata_bytes_max: 4_096,
            offsets_retention: Duration::from_secs(7 * 86_400),
            offsets_retention_check_interval: Duration::from_secs(600),
        }
    }
}

impl From<&GroupSettings> for GroupConfig {
    fn from(settings: &GroupSettings) -> Self {
        Self {
            session_timeout_min: settings.session_timeout_min,
            session_timeout_max: settings.session_timeout_max,
            initial_rebalance_delay: settings.initial_rebalance_delay,
            group_size_max: settings.group_size_max,
            offset_metadata_bytes_max: settings.offset_metadata_bytes_max,
            offsets_retention: settings.offsets_retention,
            // A look at every moment would leave no time for anything else.
            offsets_retention_check_interval: settings
                .offsets_retention_check_interval
                .max(RETENTION_CHECK_INTERVAL_MIN),
        }
    }
}
