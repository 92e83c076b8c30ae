//! Settings of single groups: kept in the catalog by group id, checked against each other and the broker's bounds.
//!
//! Owns: the checks. Never: what a setting does (the front end's coordinator reads it).
//! **Invariant**: a change of a group's settings is counted among the changes that coordinators wait for.

use crate::broker::{Broker, BrokerError};
use crate::configs::alter::{AlterError, ConfigChange, GROUP_TABLE};
use crate::configs::resolve::{BrokerLayers, ConfigEntry, ConfigMap, describe_group};
use crate::configs::row::InvalidValue;
use crate::named::NamedError;
use crate::streams_settings;
use crate::topics::Dry;
use millstream_meta::catalog::NamedKind;
use std::time::Duration;

const SESSION: &str = "consumer.session.timeout.ms";
const INTERVAL: &str = "consumer.heartbeat.interval.ms";

/// Settings of a group, each with the broker's settings that bound it; an empty name: no bound but the row's own.
const BOUNDS: &[(&str, &str, &str)] = &[
    (
        SESSION,
        "group.consumer.min.session.timeout.ms",
        "group.consumer.max.session.timeout.ms",
    ),
    (
        INTERVAL,
        "group.consumer.min.heartbeat.interval.ms",
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "share.session.timeout.ms",
        "group.share.min.session.timeout.ms",
        "group.share.max.session.timeout.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        "group.share.min.heartbeat.interval.ms",
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "share.record.lock.duration.ms",
        "group.share.min.record.lock.duration.ms",
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "share.delivery.count.limit",
        "group.share.min.delivery.count.limit",
        "group.share.max.delivery.count.limit",
    ),
    (
        "share.partition.max.record.locks",
        "group.share.min.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
    ),
    (
        streams_settings::SESSION,
        "group.streams.min.session.timeout.ms",
        "group.streams.max.session.timeout.ms",
    ),
    (
        streams_settings::INTERVAL,
        "group.streams.min.heartbeat.interval.ms",
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        streams_settings::ASSIGNMENT_INTERVAL,
        "group.streams.min.assignment.interval.ms",
        "group.streams.max.assignment.interval.ms",
    ),
    (
        streams_settings::STANDBYS,
        "",
        "group.streams.max.standby.replicas",
    ),
];

/// Settings made on one consumer group; `None`: the broker's hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerGroupOverrides {
    /// consumer.session.timeout.ms.
    pub session_timeout: Option<Duration>,
    /// consumer.heartbeat.interval.ms.
    pub heartbeat_interval: Option<Duration>,
}

impl Broker {
    /// Every setting of a group, with its origin. A group need not exist.
    #[must_use]
    pub fn describe_group_configs(&self, group: &str) -> Vec<ConfigEntry> {
        let own = self.named(NamedKind::Group, group);
        describe_group(&own, self.layers().borrowed())
    }

    /// What a coordinator of consumer groups needs of a group's own settings. Cheap: for every heartbeat.
    #[must_use]
    pub fn consumer_group_overrides(&self, group: &str) -> ConsumerGroupOverrides {
        let image = self.inner.catalog.image();
        let Some((own, _)) = image.named_settings(NamedKind::Group, group) else {
            return ConsumerGroupOverrides::default();
        };
        let millis = |name: &str| own.get(name)?.trim().parse().ok().map(Duration::from_millis);
        ConsumerGroupOverrides {
            session_timeout: millis(SESSION),
            heartbeat_interval: millis(INTERVAL),
        }
    }

    /// Changes settings of a group: all changes, or none.
    pub async fn alter_group_configs(
        &self,
        group: &str,
        changes: &[(String, ConfigChange)],
        dry: Dry,
    ) -> Result<(), BrokerError> {
        let edit = |present: &ConfigMap| {
            let layers = self.layers();
            let in_force = |name: &str| {
                let entries = describe_group(present, layers.borrowed());
                entries.into_iter().find(|entry| entry.row.name == name)?.value
            };
            GROUP_TABLE.apply(present, changes, in_force)
        };
        self.edit_group_configs(group, dry, edit).await
    }

    /// Replaces the settings of a group.
    pub async fn replace_group_configs(
        &self,
        group: &str,
        values: &[(String, Option<String>)],
        dry: Dry,
    ) -> Result<(), BrokerError> {
        self.edit_group_configs(group, dry, |_| GROUP_TABLE.check_replacement(values))
            .await
    }

    async fn edit_group_configs(
        &self,
        group: &str,
        dry: Dry,
        edit: impl Fn(&ConfigMap) -> Result<ConfigMap, AlterError> + Send + Sync,
    ) -> Result<(), BrokerError> {
        let edit = |present: &ConfigMap| {
            let next = edit(present)?;
            self.check_group_configs(&next)?;
            Ok(next)
        };
        let edited = self.edit_named(NamedKind::Group, group, dry, edit).await;
        self.note_change();
        edited.map_err(|error| match error {
            NamedError::Refused(error) => BrokerError::Config(error),
            NamedError::Catalog(error) => error.into(),
        })
    }

    /// Whether the settings hold together: within the broker's bounds, and a session longer than a heartbeat's interval.
    fn check_group_configs(&self, configs: &ConfigMap) -> Result<(), AlterError> {
        check_single(configs, self.layers().borrowed())?;
        let settings = self.settings();
        let (consumer, streams) = (&settings.groups.consumer, &settings.groups.streams);
        let own = |name: &str, default: Duration| {
            let own = configs.get(name).and_then(|text| text.trim().parse().ok());
            own.unwrap_or(default.as_millis())
        };
        let longer = |session: (&str, Duration), interval: (&str, Duration)| {
            let session_ms = own(session.0, session.1);
            if session_ms <= own(interval.0, interval.1) {
                let reason = format!("it must be greater than {}", interval.0);
                return Err(invalid(session.0, session_ms.to_string(), reason));
            }
            Ok(())
        };
        longer(
            (SESSION, consumer.session_timeout),
            (INTERVAL, consumer.heartbeat_interval),
        )?;
        longer(
            (streams_settings::SESSION, streams.session_timeout),
            (streams_settings::INTERVAL, streams.heartbeat_interval),
        )
    }
}

/// Whether each setting can be done, and lies within the broker's bounds.
fn check_single(configs: &ConfigMap, layers: BrokerLayers<'_>) -> Result<(), AlterError> {
    for (name, min, max) in BOUNDS {
        let set = configs.get(*name).and_then(|text| Some((text, whole(text)?)));
        let Some((text, value)) = set else { continue };
        if layers.value(min).and_then(whole).is_some_and(|min| value < min) {
            let reason = format!("it must be greater than or equal to {min}");
            return Err(invalid(name, text.clone(), reason));
        }
        if layers.value(max).and_then(whole).is_some_and(|max| value > max) {
            let reason = format!("it must be less than or equal to {max}");
            return Err(invalid(name, text.clone(), reason));
        }
    }
    crate::share_settings::check(configs)
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

pub(crate) fn invalid(name: &str, value: String, reason: String) -> AlterError {
    AlterError::Invalid(InvalidValue {
        name: name.to_owned(),
        value,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_stays_within_the_brokers_bounds() {
        let nothing = ConfigMap::new();
        let layers = BrokerLayers {
            dynamic: &nothing,
            dynamic_default: &nothing,
            fixed: &nothing,
        };
        let good = [
            ("share.delivery.count.limit", "10"),
            ("share.record.lock.duration.ms", "15000"),
            ("share.auto.offset.reset", "by_duration:PT1H"),
            ("streams.num.standby.replicas", "2"),
        ];
        let bad = [
            ("share.delivery.count.limit", "11"),
            ("share.record.lock.duration.ms", "14999"),
            ("share.partition.max.record.locks", "4001"),
            ("share.session.timeout.ms", "44999"),
            ("share.auto.offset.reset", "sometimes"),
            ("streams.num.standby.replicas", "3"),
            ("streams.session.timeout.ms", "44999"),
            ("errors.deadletterqueue.topic.name", "__dead"),
        ];
        let map = |(name, value): (&str, &str)| ConfigMap::from([(name.to_owned(), value.to_owned())]);
        for pair in good {
            assert!(check_single(&map(pair), layers).is_ok(), "{pair:?}");
        }
        for pair in bad {
            assert!(check_single(&map(pair), layers).is_err(), "{pair:?}");
        }
    }
}
