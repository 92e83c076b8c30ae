//! The broker itself: what it is made of, how it opens, its own settings.

use crate::configs::alter::{AlterError, BROKER_TABLE, ConfigChange};
use crate::configs::resolve::{BrokerLayers, ConfigEntry, ConfigMap, ConfigSource, describe_topic};
use crate::configs::settings::BrokerSettings;
use crate::fetch_memory::{FETCH_MEMORY_BYTES, FetchMemory};
use crate::producer_ids::ProducerIds;
use crate::quota::Quotas;
use crate::records::OPENINGS_MAX;
use crate::security::Rules;
use crate::security::sasl::Authenticators;
use crate::state_stream::{StateError, StateStream};
use crate::topics::{Dry, Topic, TopicTable};
use arc_swap::ArcSwap;
use millstream_log::{Buffers, Clock, Log, LogStats, StreamId};
use millstream_meta::catalog::{Catalog, CatalogError};
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{Semaphore, watch};

/// What is fixed at start.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// This broker's id.
    pub broker_id: u32,
    /// Settings given at start under Kafka's names, as DescribeConfigs shows them.
    pub fixed: ConfigMap,
    /// Bytes that the answers of all fetches together may hold.
    pub fetch_memory_bytes: usize,
    /// What logins are checked against beside the catalog.
    pub authenticators: Authenticators,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            broker_id: 0,
            fixed: ConfigMap::new(),
            fetch_memory_bytes: FETCH_MEMORY_BYTES,
            authenticators: Authenticators::default(),
        }
    }
}

/// Why an operation on the broker as a whole failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// Others changed the same thing again and again; nothing was changed, a later attempt may pass.
    #[error("{0}")]
    Contended(String),
    /// The metadata store failed.
    #[error("{0}")]
    Catalog(CatalogError),
    /// A setting is refused.
    #[error(transparent)]
    Config(#[from] AlterError),
}

impl From<CatalogError> for BrokerError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::ConfigsTooLarge => Self::Config(AlterError::TooLarge(error.to_string())),
            CatalogError::Contended => Self::Contended(error.to_string()),
            other => Self::Catalog(other),
        }
    }
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
    /// Held while the table or the settings follow the catalog's image; see `topic_changes.rs`.
    pub changing: Mutex<()>,
    /// Counts the changes of topics and of groups' settings.
    pub changes: watch::Sender<u64>,
    pub settings: ArcSwap<BrokerSettings>,
    /// Held over the fetch of a block.
    pub producer_ids: tokio::sync::Mutex<ProducerIds>,
    pub fetch_memory: FetchMemory,
    pub quotas: Quotas,
    /// One permit for each batch that may be open at once.
    pub openings: Semaphore,
    /// Access rules as they are asked.
    pub rules: Rules,
    /// What the salts of users that do not exist follow from.
    pub salt_key: [u8; 16],
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
        let salt_key = catalog.draw();
        let inner = Inner {
            fetch_memory: FetchMemory::new(config.fetch_memory_bytes),
            config,
            log,
            catalog,
            clock,
            topics: RwLock::default(),
            changing: Mutex::default(),
            changes: watch::Sender::new(0),
            settings: ArcSwap::from_pointee(settings),
            producer_ids: tokio::sync::Mutex::default(),
            quotas: Quotas::default(),
            openings: Semaphore::new(OPENINGS_MAX),
            rules: Rules::default(),
            salt_key,
        };
        let broker = Broker {
            inner: Arc::new(inner),
        };
        broker.refresh_own_settings();
        broker.refresh_quotas();
        broker.follow_all();
        broker.drop_orphans().await;
        Ok(broker)
    }

    /// Lets go of streams that no topic has: a deletion was interrupted between the catalog and the log.
    async fn drop_orphans(&self) {
        let image = self.inner.catalog.image();
        let partitions = image.topics().flat_map(|facts| &facts.partitions);
        let wanted: HashSet<StreamId> = partitions.map(|partition| partition.stream).collect();
        let mut orphans = self.inner.log.stream_ids();
        orphans.retain(|stream| !wanted.contains(stream));
        orphans.sort_unstable();
        for stream in orphans {
            if let Err(error) = self.inner.log.delete_stream(stream).await {
                tracing::warn!(%stream, %error, "a stream without a topic is left for the next start");
            }
        }
    }

    /// Answers what is queued, refuses what comes, lets go of the media and of the metadata store, which the caller may close then.
    pub async fn close(&self) {
        self.inner.log.close().await;
        self.inner.catalog.close().await;
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

    /// Every stream of which the log holds anything; for tests of what is left behind.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn log_stream_ids(&self) -> Vec<StreamId> {
        self.inner.log.stream_ids()
    }

    /// Memory for requests to append: a large batch that fills one of these and begins at a page of it is not copied.
    #[must_use]
    pub fn buffers(&self) -> &Buffers {
        self.inner.log.buffers()
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

    /// The settings that were made for all brokers, as the resource with the empty name shows them.
    #[must_use]
    pub fn describe_default_configs(&self) -> Vec<ConfigEntry> {
        let layers = Layers {
            dynamic: ConfigMap::new(),
            ..self.layers()
        };
        let mut entries = layers.borrowed().describe();
        entries.retain(|entry| entry.source == ConfigSource::DynamicDefaultBroker);
        entries
    }

    /// Every setting of this broker, with its origin.
    #[must_use]
    pub fn describe_broker_configs(&self) -> Vec<ConfigEntry> {
        self.layers().borrowed().describe()
    }

    /// Changes settings of this broker or of all: all changes, or none.
    pub async fn alter_broker_configs(
        &self,
        scope: BrokerScope,
        changes: &[(String, ConfigChange)],
        dry: Dry,
    ) -> Result<(), BrokerError> {
        let edit = |present: &ConfigMap| {
            let layers = self.layers();
            let in_force = |name: &str| layers.borrowed().value(name).map(str::to_owned);
            BROKER_TABLE.apply(present, changes, in_force)
        };
        self.edit_broker_configs(scope, dry, edit).await
    }

    /// Replaces the settings made at run time for this broker or for all.
    pub async fn replace_broker_configs(
        &self,
        scope: BrokerScope,
        values: &[(String, Option<String>)],
        dry: Dry,
    ) -> Result<(), BrokerError> {
        let edit = |_: &ConfigMap| BROKER_TABLE.check_replacement(values);
        self.edit_broker_configs(scope, dry, edit).await
    }

    /// `edit` sees the settings that hold when its change becomes durable, so that of two changes at once none is lost.
    async fn edit_broker_configs(
        &self,
        scope: BrokerScope,
        dry: Dry,
        edit: impl Fn(&ConfigMap) -> Result<ConfigMap, AlterError> + Send + Sync,
    ) -> Result<(), BrokerError> {
        let broker = (scope == BrokerScope::This).then_some(self.inner.config.broker_id);
        if dry == Dry::CheckOnly {
            edit(&self.inner.catalog.image().broker_configs(broker))?;
            return Ok(());
        }
        let mut refused = None;
        let edited = self.inner.catalog.edit_broker_configs(broker, |present| {
            edit(present).map_err(|error| {
                let why = error.to_string();
                refused = Some(error);
                why
            })
        });
        let edited = edited.await;
        self.refresh_own_settings();
        self.refresh_settings();
        match (edited, refused) {
            (Ok(()), _) => Ok(()),
            (Err(CatalogError::Refused(_)), Some(error)) => Err(error.into()),
            (Err(error), _) => Err(error.into()),
        }
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
