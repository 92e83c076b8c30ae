//! Settings of streams groups (KIP-1071): the broker's, and what single groups have of their own.
//!
//! Owns: which of the two holds. Never: what a setting does (the front end's coordinator).

use crate::broker::Broker;
use crate::configs::resolve::BrokerLayers;
use millstream_meta::catalog::NamedKind;
use std::time::Duration;

pub(crate) const SESSION: &str = "streams.session.timeout.ms";
pub(crate) const INTERVAL: &str = "streams.heartbeat.interval.ms";
pub(crate) const STANDBYS: &str = "streams.num.standby.replicas";
pub(crate) const ASSIGNMENT_INTERVAL: &str = "streams.assignment.interval.ms";
const INITIAL_DELAY: &str = "streams.initial.rebalance.delay.ms";

/// The settings that hold for one streams group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamsGroupSettings {
    /// How long a member may be silent.
    pub session_timeout: Duration,
    /// How often members send heartbeats.
    pub heartbeat_interval: Duration,
    /// Members a group may have; of no group its own.
    pub size_max: usize,
    /// Copies of each task that keeps state.
    pub standby_replicas: u32,
    /// How long the first assignment of an empty group waits for more members.
    pub initial_delay: Duration,
    /// The shortest time between two assignments.
    pub assignment_interval: Duration,
}

impl StreamsGroupSettings {
    /// The broker's own, for groups that have none.
    pub(crate) fn resolve(layers: BrokerLayers<'_>) -> Self {
        let whole = |name: &str| {
            let text = layers.value(name).unwrap_or_default();
            text.trim().parse::<u32>().unwrap_or(0)
        };
        let millis = |name: &str| Duration::from_millis(u64::from(whole(name)));
        Self {
            session_timeout: millis("group.streams.session.timeout.ms"),
            heartbeat_interval: millis("group.streams.heartbeat.interval.ms"),
            size_max: whole("group.streams.max.size").max(1) as usize,
            standby_replicas: whole("group.streams.num.standby.replicas"),
            initial_delay: millis("group.streams.initial.rebalance.delay.ms"),
            assignment_interval: millis("group.streams.assignment.interval.ms"),
        }
    }
}

impl Broker {
    /// What a coordinator of streams groups needs to know of a group. Cheap: for every heartbeat.
    #[must_use]
    pub fn streams_group_settings(&self, group: &str) -> StreamsGroupSettings {
        let broker = self.settings().groups.streams;
        let image = self.inner.catalog.image();
        let Some((own, _)) = image.named_settings(NamedKind::Group, group) else {
            return broker;
        };
        let whole = |name: &str| own.get(name)?.trim().parse::<u32>().ok();
        let millis = |name: &str| Some(Duration::from_millis(u64::from(whole(name)?)));
        StreamsGroupSettings {
            session_timeout: millis(SESSION).unwrap_or(broker.session_timeout),
            heartbeat_interval: millis(INTERVAL).unwrap_or(broker.heartbeat_interval),
            size_max: broker.size_max,
            standby_replicas: whole(STANDBYS).unwrap_or(broker.standby_replicas),
            initial_delay: millis(INITIAL_DELAY).unwrap_or(broker.initial_delay),
            assignment_interval: millis(ASSIGNMENT_INTERVAL).unwrap_or(broker.assignment_interval),
        }
    }
}
