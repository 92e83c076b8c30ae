//! Settings of single groups: kept in the catalog by group id, checked against each other and the broker's bounds.
//!
//! Owns: the checks. Never: what a setting does (the front end's coordinator reads it).
//! **Invariant**: a change of a group's settings is counted among the changes that coordinators wait for.

use crate::broker::{Broker, BrokerError};
use crate::configs::alter::{AlterError, ConfigChange, GROUP_TABLE};
use crate::configs::resolve::{ConfigEntry, ConfigMap, describe_group};
use crate::configs::row::InvalidValue;
use crate::named::NamedError;
use crate::topics::Dry;
use millstream_meta::catalog::NamedKind;
use std::time::Duration;

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
            session_timeout: millis("consumer.session.timeout.ms"),
            heartbeat_interval: millis("consumer.heartbeat.interval.ms"),
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
        crate::share_settings::check(configs, self.layers().borrowed())?;
        let consumer = &self.settings().groups.consumer;
        let session = (
            "consumer.session.timeout.ms",
            "group.consumer.%.session.timeout.ms",
        );
        let interval = (
            "consumer.heartbeat.interval.ms",
            "group.consumer.%.heartbeat.interval.ms",
        );
        check_bounds(
            configs,
            session,
            consumer.session_timeout_min,
            consumer.session_timeout_max,
        )?;
        check_bounds(
            configs,
            interval,
            consumer.heartbeat_interval_min,
            consumer.heartbeat_interval_max,
        )?;
        let own = |name: &str, default: Duration| value_ms(configs, name).unwrap_or(default.as_millis());
        let session_ms = own(session.0, consumer.session_timeout);
        if session_ms <= own(interval.0, consumer.heartbeat_interval) {
            return Err(invalid(
                session.0,
                session_ms,
                "it must be greater than consumer.heartbeat.interval.ms",
            ));
        }
        Ok(())
    }
}

fn value_ms(configs: &ConfigMap, name: &str) -> Option<u128> {
    configs.get(name).and_then(|text| text.trim().parse().ok())
}

/// `names`: the setting, and the broker's bounds of it with `%` for "min" and "max".
fn check_bounds(
    configs: &ConfigMap,
    names: (&str, &str),
    min: Duration,
    max: Duration,
) -> Result<(), AlterError> {
    let Some(ms) = value_ms(configs, names.0) else {
        return Ok(());
    };
    let bound = |which: &str| names.1.replace('%', which);
    if ms < min.as_millis() {
        let reason = format!("it must be greater than or equal to {}", bound("min"));
        return Err(invalid(names.0, ms, &reason));
    }
    if ms > max.as_millis() {
        let reason = format!("it must be less than or equal to {}", bound("max"));
        return Err(invalid(names.0, ms, &reason));
    }
    Ok(())
}

fn invalid(name: &str, value: u128, reason: &str) -> AlterError {
    AlterError::Invalid(InvalidValue {
        name: name.to_owned(),
        value: value.to_string(),
        reason: reason.to_owned(),
    })
}
