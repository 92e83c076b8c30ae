//! The catalog: topics, partitions, settings, access rules, credentials, the cluster's id and the counters, in the metadata store and
//! in memory.
//!
//! Owns: every operation on these facts, each one durable transaction, and the image that requests read.
//! Never: what a setting means (the broker's), records (the log's), a protocol's words.
//! **Invariant**: after an operation was answered, the image of this process shows it; what the image shows is durable.
//!
//! An operation writes keys and waits until the watch has brought its revision into the image. So there is one way in which
//! the image changes, for our own writes and for other brokers', and no second one to disagree with it.

mod acl;
mod configs;
mod counters;
mod credentials;
mod error;
mod facts;
mod follow;
mod ids;
mod image;
mod name;
mod named;
mod ordered;
mod records;
mod security;
mod security_records;
#[cfg(test)]
mod tests;
mod topics;

pub use acl::{ACL_TEXT_BYTES_MAX, ACLS_MAX, AclBinding, Operation, PatternType, Permission, ResourceType};
pub use configs::{
    CONFIG_BYTES_MAX, CONFIG_ENTRIES_MAX, CONFIG_NAME_BYTES_MAX, CONFIG_VALUE_BYTES_MAX, ConfigMap,
};
pub use counters::PRODUCER_ID_BLOCK;
pub use credentials::{DelegationToken, SCRAM_USER_BYTES_MAX, ScramCredential, ScramMechanism};
pub use error::{CatalogError, PartitionCountError};
pub use ids::{ClusterId, TopicId};
pub use image::Image;
pub use name::{NameError, TOPIC_NAME_BYTES_MAX, check_topic_name};
pub use named::{NAMED_SPELLING_BYTES_MAX, NamedKind};
pub use topics::{NewTopic, PARTITIONS_PER_TOPIC_MAX};

use crate::entropy::Entropy;
use crate::key::Key;
use crate::settle::{Settled, StoreFailure, settle};
use crate::store::{Current, MetaStore, Revision, SessionId, Txn, TxnOutcome};
use counters::StreamIds;
use follow::Followed;
use millstream_log::{Epoch, Fate, OpenError, StreamId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an operation that is durable waits for the image to show it. Longer only if the store can no longer be watched:
/// then the answer, which is true, is worth more than the image.
const APPLIED_WAIT_MAX: Duration = Duration::from_secs(10);
/// How often an operation starts over because another broker changed the same thing.
const ROUNDS_MAX: u32 = 16;

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionFacts {
    /// Where its records are.
    pub stream: StreamId,
    /// Which ownership (Kafka: leader epoch).
    pub epoch: Epoch,
    /// The broker that owns it (Kafka: leader).
    pub owner: u32,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: TopicId,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionFacts>,
    /// Settings made on it.
    pub configs: ConfigMap,
    /// What its record says.
    partition_count: u32,
    /// Of its key, of each chunk of partitions, of its settings: what a change compares with.
    revision: Revision,
    chunk_revisions: Vec<Revision>,
    configs_revision: Option<Revision>,
}

/// Who works on the catalog.
#[derive(Clone, Copy, Debug)]
pub struct CatalogConfig {
    /// This broker: the first owner of the partitions that it creates.
    pub broker: u32,
    /// In a cluster: its session, without which it changes nothing.
    pub session: Option<SessionId>,
}

struct Inner {
    store: Arc<dyn MetaStore>,
    entropy: Arc<dyn Entropy>,
    config: CatalogConfig,
    followed: Followed,
    streams: StreamIds,
}

/// The catalog; a cheap clone.
#[derive(Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

impl Catalog {
    /// Reads everything and follows it from then on. The first to open an empty store draws the cluster's id.
    ///
    /// # Errors
    /// `Corrupt` or `UnknownVersion` if a value cannot be read, `Storage` if the store gives no answer.
    pub async fn open(
        store: Arc<dyn MetaStore>,
        entropy: Arc<dyn Entropy>,
        config: CatalogConfig,
    ) -> Result<Self, OpenError> {
        let key = Key::Cluster.encode();
        let id = records::encode_cluster(ClusterId::draw(&*entropy));
        let txn = Txn::new().when_unchanged(&key, None).put(&key, id);
        // Whether ours was taken or another's was there: the image tells.
        settle(&*store, txn)
            .await
            .map_err(|e| OpenError::Storage(e.to_string()))?;
        let followed = Followed::start(store.clone()).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                entropy,
                config,
                followed,
                streams: StreamIds::default(),
            }),
        })
    }

    /// The facts, as of the last change that was followed. Cheap: for every request.
    #[must_use]
    pub fn image(&self) -> Arc<Image> {
        self.inner.followed.image()
    }

    /// The revision of the image; changes with it.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<Revision> {
        self.inner.followed.changed()
    }

    /// Stops following the store, which may be closed then. The image stays as it is; what is changed afterwards is not seen here.
    pub async fn close(&self) {
        self.inner.followed.close().await;
    }

    /// An id that nobody else has.
    #[must_use]
    pub fn draw_id(&self) -> [u8; 16] {
        TopicId::draw(&*self.inner.entropy).0
    }

    /// The cluster's id, as Kafka spells it: 22 characters.
    #[must_use]
    pub fn cluster_id(&self) -> String {
        self.image().cluster_id().to_string()
    }

    fn store(&self) -> &dyn MetaStore {
        &*self.inner.store
    }

    /// Sends a guarded transaction, in a cluster on the condition that our session lives.
    async fn send(&self, txn: Txn) -> Result<Settled, StoreFailure> {
        let settled = settle(self.store(), txn.when_alive(self.inner.config.session)).await?;
        if let TxnOutcome::CompareFailed { current } = &settled.outcome
            && current.contains(&Current::Session { alive: false })
        {
            let fate = if settled.doubted {
                Fate::Unknown
            } else {
                Fate::NotDone
            };
            let what = "this broker's session has expired".into();
            return Err(StoreFailure { fate, what });
        }
        Ok(settled)
    }

    /// Waits until the image shows a change that is durable.
    async fn shown(&self, revision: Revision) {
        self.wait_until(|image| image.revision() >= revision).await;
    }

    async fn wait_until(&self, mut condition: impl FnMut(&Image) -> bool) {
        let mut changed = self.changed();
        let met = changed.wait_for(|_| condition(&self.image()));
        if tokio::time::timeout(APPLIED_WAIT_MAX, met).await.is_err() {
            tracing::warn!(at = %self.image().revision(), "the catalog's image lags behind the metadata store");
        }
    }
}
