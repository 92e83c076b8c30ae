//! Settings of topics and brokers: kept and changed as whole maps. What a name or a value means is the broker's.
//!
//! Owns: that a change is atomic for its resource and lost to no other. Never: defaults, validation of names or values.
//! **Invariant**: an edit is applied to the map that it was given, or not at all.

use super::records::encode_configs;
use super::{Catalog, CatalogError, ROUNDS_MAX, TopicFacts};
use crate::key::Key;
use crate::settle::Settled;
use crate::store::{Compare, Revision, Txn, TxnOutcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settings by name.
pub type ConfigMap = BTreeMap<String, String>;

/// Settings of one resource.
pub const CONFIG_ENTRIES_MAX: usize = 1024;
/// The longest name of a setting.
pub const CONFIG_NAME_BYTES_MAX: usize = 256;
/// The longest value.
pub const CONFIG_VALUE_BYTES_MAX: usize = 64 << 10;
/// Names and values of one resource.
pub const CONFIG_BYTES_MAX: usize = 256 << 10;

/// Whether one resource may have these settings.
pub(super) fn check_configs(configs: &ConfigMap) -> Result<(), CatalogError> {
    let fits = |(name, value): (&String, &String)| {
        name.len() <= CONFIG_NAME_BYTES_MAX && value.len() <= CONFIG_VALUE_BYTES_MAX
    };
    let bytes: usize = configs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if configs.len() <= CONFIG_ENTRIES_MAX && bytes <= CONFIG_BYTES_MAX && configs.iter().all(fits) {
        Ok(())
    } else {
        Err(CatalogError::ConfigsTooLarge)
    }
}

/// Writes the map, or deletes the key of an empty one.
pub(super) fn put_configs(txn: Txn, key: &str, configs: &ConfigMap) -> Txn {
    if configs.is_empty() {
        txn.delete(key)
    } else {
        txn.put(key, encode_configs(configs))
    }
}

impl Catalog {
    /// Replaces a topic's settings.
    pub async fn set_topic_configs(
        &self,
        name: &str,
        configs: ConfigMap,
    ) -> Result<Arc<TopicFacts>, CatalogError> {
        self.edit_topic_configs(name, |_| Ok(configs.clone())).await
    }

    /// Changes a topic's settings to what `edit` makes of them. `edit` may refuse; it is called again if another broker changed
    /// them meanwhile.
    pub async fn edit_topic_configs(
        &self,
        name: &str,
        mut edit: impl FnMut(&ConfigMap) -> Result<ConfigMap, String> + Send,
    ) -> Result<Arc<TopicFacts>, CatalogError> {
        for _ in 0..ROUNDS_MAX {
            let facts = self.fresh_topic(name).await?;
            let configs = edit(&facts.configs).map_err(CatalogError::Refused)?;
            check_configs(&configs)?;
            if configs == facts.configs {
                return Ok(facts);
            }
            let topic_key = self.topic_key(name);
            let key = Key::TopicConfigs(facts.id).encode();
            let guards = Txn::new()
                .when_unchanged(&key, facts.configs_revision)
                .when(Compare::ModifiedAt {
                    key: topic_key.into(),
                    revision: facts.revision,
                });
            let Settled { outcome, doubted } = self.send(put_configs(guards, &key, &configs)).await?;
            if let TxnOutcome::Committed { revision } = outcome {
                self.shown(revision).await;
                return self
                    .image()
                    .topic(name)
                    .cloned()
                    .ok_or(CatalogError::UnknownTopic);
            }
            // Somebody was faster, or we were, and lost the answer: then the map is what we wanted, and the next round ends.
            let used = (facts.revision, facts.configs_revision);
            self.wait_until(|image| {
                let now = image
                    .topic(name)
                    .map(|topic| (topic.revision, topic.configs_revision));
                now != Some(used)
            })
            .await;
            if doubted && let Some(topic) = self.image().topic(name).filter(|topic| topic.configs == configs)
            {
                return Ok(topic.clone());
            }
        }
        Err(CatalogError::Contended)
    }

    /// Replaces the settings made on one broker; `None`: on all.
    pub async fn set_broker_configs(
        &self,
        broker: Option<u32>,
        configs: ConfigMap,
    ) -> Result<(), CatalogError> {
        self.edit_broker_configs(broker, |_| Ok(configs.clone())).await
    }

    /// As `edit_topic_configs`, for one broker; `None`: for all.
    pub async fn edit_broker_configs(
        &self,
        broker: Option<u32>,
        mut edit: impl FnMut(&ConfigMap) -> Result<ConfigMap, String> + Send,
    ) -> Result<(), CatalogError> {
        let key = Key::BrokerConfigs(broker).encode();
        for _ in 0..ROUNDS_MAX {
            let image = self.image();
            let (present, used): (ConfigMap, Option<Revision>) = (
                image.broker_configs(broker),
                image.broker_configs_revision(broker),
            );
            let configs = edit(&present).map_err(CatalogError::Refused)?;
            check_configs(&configs)?;
            if configs == present {
                return Ok(());
            }
            let guard = Txn::new().when_unchanged(&key, used);
            let Settled { outcome, doubted } = self.send(put_configs(guard, &key, &configs)).await?;
            if let TxnOutcome::Committed { revision } = outcome {
                self.shown(revision).await;
                return Ok(());
            }
            self.wait_until(|image| image.broker_configs_revision(broker) != used)
                .await;
            if doubted && self.image().broker_configs(broker) == configs {
                return Ok(());
            }
        }
        Err(CatalogError::Contended)
    }
}
