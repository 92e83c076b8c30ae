//! Settings and limits of group coordination, each with Kafka's name and default.
//!
//! Owns: the numbers. Never: where they come from (the broker's settings are read by the server).

use super::assignor::Assignor;
use super::facts::GroupOverrides;
use millstream_broker::configs::settings::{ConsumerGroupSettings, GroupSettings};
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
    /// Consumer groups.
    pub consumer: ConsumerGroupConfig,
}

/// Settings of consumer groups (KIP-848); the defaults are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroupConfig {
    /// `group.consumer.session.timeout.ms`.
    pub session_timeout: Duration,
    /// `group.consumer.min.session.timeout.ms` and `group.consumer.max.session.timeout.ms`: bounds for single groups.
    pub session_timeout_bounds: (Duration, Duration),
    /// `group.consumer.heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `group.consumer.min.heartbeat.interval.ms` and `group.consumer.max.heartbeat.interval.ms`.
    pub heartbeat_interval_bounds: (Duration, Duration),
    /// `group.consumer.max.size`: members of one group.
    pub size_max: usize,
    /// `group.consumer.assignors`: those that members may ask for; the first is taken if nobody asks.
    pub assignors: Vec<Assignor>,
    /// `group.consumer.migration.policy`.
    pub migration: MigrationPolicy,
}

/// Which groups may change their kind while they have members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationPolicy {
    /// In both directions.
    Bidirectional,
    /// Classic groups become consumer groups.
    Upgrade,
    /// Consumer groups become classic groups.
    Downgrade,
    /// None.
    Disabled,
}

impl MigrationPolicy {
    /// Whether classic groups become consumer groups.
    #[must_use]
    pub fn upgrades(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Upgrade)
    }

    /// Whether consumer groups become classic groups.
    #[must_use]
    pub fn downgrades(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Downgrade)
    }

    /// As it is written, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "bidirectional" => Some(Self::Bidirectional),
            "upgrade" => Some(Self::Upgrade),
            "downgrade" => Some(Self::Downgrade),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }
}

impl ConsumerGroupConfig {
    /// How long a member of a group with these settings may be silent.
    #[must_use]
    pub fn session_timeout(&self, overrides: GroupOverrides) -> Duration {
        let (min, max) = self.session_timeout_bounds;
        overrides
            .session_timeout
            .map_or(self.session_timeout, |own| own.max(min).min(max))
    }

    /// How often a member of a group with these settings sends a heartbeat.
    #[must_use]
    pub fn heartbeat_interval(&self, overrides: GroupOverrides) -> Duration {
        let (min, max) = self.heartbeat_interval_bounds;
        overrides
            .heartbeat_interval
            .map_or(self.heartbeat_interval, |own| own.max(min).min(max))
    }
}

impl Default for ConsumerGroupConfig {
    fn default() -> Self {
        Self {
            session_timeout: Duration::from_secs(45),
            session_timeout_bounds: (Duration::from_secs(45), Duration::from_secs(60)),
            heartbeat_interval: Duration::from_secs(5),
            heartbeat_interval_bounds: (Duration::from_secs(5), Duration::from_secs(15)),
            size_max: i32::MAX as usize,
            assignors: Assignor::ALL.to_vec(),
            migration: MigrationPolicy::Bidirectional,
        }
    }
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
            consumer: ConsumerGroupConfig::default(),
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
            consumer: ConsumerGroupConfig::from(&settings.consumer),
        }
    }
}

impl From<&ConsumerGroupSettings> for ConsumerGroupConfig {
    fn from(settings: &ConsumerGroupSettings) -> Self {
        let named = settings.assignors.iter().filter_map(|name| Assignor::named(name));
        Self {
            session_timeout: settings.session_timeout,
            session_timeout_bounds: (settings.session_timeout_min, settings.session_timeout_max),
            heartbeat_interval: settings.heartbeat_interval,
            heartbeat_interval_bounds: (settings.heartbeat_interval_min, settings.heartbeat_interval_max),
            size_max: settings.size_max,
            assignors: named.collect(),
            migration: MigrationPolicy::named(&settings.migration_policy)
                .unwrap_or(MigrationPolicy::Bidirectional),
        }
    }
}
