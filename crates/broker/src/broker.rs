//! The broker itself: what it is made of, how it opens, its own settings.

use crate::configs::alter::{AlterError, BROKER_TABLE, ConfigChange, TOPIC_TABLE};
use crate::configs::resolve::{BrokerLayers, ConfigEntry, ConfigMap, describe_topic};
use crate::configs::settings::BrokerSettings;
use crate::producer_ids::ProducerIds;
use crate::state_stream::{StateError, StateStream};
use crate::topics::{Topic, TopicError, TopicTable, topic_error};
use arc_swap::ArcSwap;
use millstream_log::{Clock, Log, LogStats};
use millstream_meta::catalog::{Catalog, CatalogError};
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::sync::Arc;
use thiserror::Error;

/// What is fixed at start.
#[derive(Clone, Debug, Default)]
pub struct BrokerConfig {
    /// This broker's id.
    pub broker_id: u32,
    /// Settings given at start under Kafka's names, as DescribeConfigs shows them.
    pub fixed: ConfigMap,
}

/// Why an operation on the broker as a whole failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// The metadata store failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A setting is refused.
    #[error(transparent)]
    Config(#[from] AlterError),
}

/// One broker; a cheap clone.
#[derive(Clone)]
pub struct Broker {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub config: BrokerConfig,
    pub log: Log,
    pub catalog: Catalog,
    pub clock: Arc<dyn Clock>,
    pub topics: RwLock<TopicTable>,
    pub settings: ArcSwap<BrokerSettings>,
    pub producer_ids: Mutex<ProducerIds>,
}

/// The broker's settings by layer, owned.
pub(crate) struct Layers {
    dynamic: ConfigMap,
    dynamic_default: ConfigMap,
    fixed: ConfigMap,
}

impl Layers {
    pub(crate) fn borrowed(&self) -> BrokerLayers<'_> {
        BrokerLayers {
            dynamic: &self.dynamic,
            dynamic_default: &self.dynamic_default,
            fixed: &self.fixed,
        }
    }
}

/// Whose broker settings are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerScope {
    /// All brokers (Kafka: the resource with the empty name).
    Default,
    /// This one.
    This,
}

impl Broker {
    /// Opens every topic of the catalog over a log that has recovered, and lets go of streams that no topic has any more.
    pub async fn open(
        config: BrokerConfig,
        log: Log,
        catalog: Catalog,
        clock: Arc<dyn Clock>,
    ) -> Result<Broker, BrokerError> {
        let settings = BrokerSettings::resolve(BrokerLayers {
            dynamic: &ConfigMap::new(),
            dynamic_default: &ConfigMap::new(),
            fixed: &config.fixed,
        });
        let inner = Inner {
            config,
            log,
            catalog,
            clock,
            topics: RwLock::default(),
            settings: ArcSwap::from_pointee(settings),
            producer_ids: Mutex::default(),
        };
        let broker = Broker {
            inner: Arc::new(inner),
        };
        broker.refresh_own_settings();
        let image = broker.inner.catalog.image();
        let mut wanted = HashSet::new();
        for facts in image.topics() {
            wanted.extend(facts.partitions.iter().map(|partition| partition.stream));
            broker.install(facts.clone());
        }
        for stream in broker.inner.log.stream_ids() {
            if !wanted.contains(&stream)
                && let Err(error) = broker.inner.log.delete_stream(stream).await
            {
                tracing::warn!(%stream, %error, "a stream without a topic is left for the next start");
            }
        }
        Ok(broker)
    }

    /// Answers what is queued, refuses what comes, lets go of the media.
    pub async fn close(&self) {
        self.inner.log.close().await;
    }

    /// This broker's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.config.broker_id
    }

    /// The cluster's id, as clients see it.
    #[must_use]
    pub fn cluster_id(&self) -> String {
        self.inner.catalog.cluster_id()
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The settings that request paths read.
    #[must_use]
    pub fn settings(&self) -> Arc<BrokerSettings> {
        self.inner.settings.load_full()
    }

    /// Counters of the log.
    #[must_use]
    pub fn log_stats(&self) -> LogStats {
        self.inner.log.stats()
    }

    pub(crate) fn layers(&self) -> Layers {
        let image = self.inner.catalog.image();
        Layers {
            dynamic: image.broker_configs(Some(self.inner.config.broker_id)),
            dynamic_default: image.broker_configs(None),
            fixed: self.inner.config.fixed.clone(),
        }
    }

    /// Every setting of a topic, with its origin.
    #[must_use]
    pub fn describe_topic_configs(&self, topic: &Topic) -> Vec<ConfigEntry> {
        describe_topic(topic.configs(), self.layers().borrowed())
    }

    /// Every setting of this broker, with its origin.
    #[must_use]
    pub fn describe_broker_configs(&self) -> Vec<ConfigEntry> {
        self.layers().borrowed().describe()
    }

    /// Changes settings of a topic: all changes, or none.
    pub async fn alter_topic_configs(
        &self,
        name: &str,
        changes: &[(String, ConfigChange)],
        dry: crate::Dry,
    ) -> Result<(), TopicError> {
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        let layers = self.layers();
        let in_force = |name: &str| {
            let entries = describe_topic(topic.configs(), layers.borrowed());
            entries
                .into_iter()
                .find(|entry| entry.row.name == name)
                .and_then(|entry| entry.value)
        };
        let next = TOPIC_TABLE.apply(topic.configs(), changes, in_force)?;
        self.keep_topic_configs(name, next, dry).await
    }

    /// Replaces the settings of a topic.
    pub async fn replace_topic_configs(
        &self,
        name: &str,
        values: &[(String, Option<String>)],
        dry: crate::Dry,
    ) -> Result<(), TopicError> {
        self.topic(name).ok_or(TopicError::Unknown)?;
        let next = TOPIC_TABLE.check_all(values)?;
        self.keep_topic_configs(name, next, dry).await
    }

    async fn keep_topic_configs(
        &self,
        name: &str,
        next: ConfigMap,
        dry: crate::Dry,
    ) -> Result<(), TopicError> {
        if dry == crate::Dry::Run {
            let facts = self
                .inner
                .catalog
                .set_topic_configs(name, next)
                .await
                .map_err(topic_error)?;
            self.install(facts);
        }
        Ok(())
    }

    /// Changes settings of this broker or of all: all changes, or none.
    pub async fn alter_broker_configs(
        &self,
        scope: BrokerScope,
        changes: &[(String, ConfigChange)],
        dry: crate::Dry,
    ) -> Result<(), BrokerError> {
        let layers = self.layers();
        let present = match scope {
            BrokerScope::Default => &layers.dynamic_default,
            BrokerScope::This => &layers.dynamic,
        };
        let in_force = |name: &str| layers.borrowed().value(name).map(str::to_owned);
        let next = BROKER_TABLE.apply(present, changes, in_force)?;
        self.keep_broker_configs(scope, next, dry).await
    }

    /// Replaces the settings made at run time for this broker or for all.
    pub async fn replace_broker_configs(
        &self,
        scope: BrokerScope,
        values: &[(String, Option<String>)],
        dry: crate::Dry,
    ) -> Result<(), BrokerError> {
        let next = BROKER_TABLE.check_all(values)?;
        self.keep_broker_configs(scope, next, dry).await
    }

    async fn keep_broker_configs(
        &self,
        scope: BrokerScope,
        next: ConfigMap,
        dry: crate::Dry,
    ) -> Result<(), BrokerError> {
        if dry == crate::Dry::Run {
            let broker = (scope == BrokerScope::This).then_some(self.inner.config.broker_id);
            self.inner.catalog.set_broker_configs(broker, next).await?;
            self.refresh_own_settings();
            self.refresh_settings();
        }
        Ok(())
    }

    fn refresh_own_settings(&self) {
        let layers = self.layers();
        self.inner
            .settings
            .store(Arc::new(BrokerSettings::resolve(layers.borrowed())));
    }

    /// The state kept in a partition of one of the broker's own topics, replayed.
    pub async fn open_state(
        &self,
        topic: &Topic,
        partition: u32,
        on_record: impl FnMut(&[u8], Option<&[u8]>),
    ) -> Result<StateStream, StateError> {
        let stream = topic
            .stream(partition)
            .ok_or(StateError::Read(millstream_log::ReadError::StreamGone))?;
        StateStream::open(stream.clone(), self.inner.clock.clone(), on_record).await
    }
}
