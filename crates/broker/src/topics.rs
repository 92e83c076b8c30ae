//! Topics as the broker serves them: facts from the catalog, settings parsed, streams open. And how they come and go.
//!
//! Owns: the table that every request looks a topic up in. Never: durable facts (the catalog's) or records (the log's).
//!
//! **Invariant**: the table is the catalog's image, no older than the last operation that this broker was answered.

use crate::Broker;
use crate::configs::alter::{AlterError, TOPIC_TABLE};
use crate::configs::resolve::ConfigMap;
use crate::configs::settings::TopicSettings;
use arc_swap::ArcSwap;
use millstream_log::{Stream, StreamError};
use millstream_meta::catalog::{CatalogError, NewTopic, TopicFacts, TopicId};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;

/// The topic that holds the offsets and the metadata of groups.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Partitions that one topic may have.
pub const PARTITIONS_MAX: u32 = 100_000;

/// One topic.
pub struct Topic {
    facts: Arc<TopicFacts>,
    settings: ArcSwap<TopicSettings>,
    streams: Vec<Stream>,
}

/// A topic to be made.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// Partitions; `None` for the broker's default.
    pub partitions: Option<u32>,
    /// Settings, as given.
    pub configs: Vec<(String, Option<String>)>,
}

/// Whether an operation is carried out or only checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dry {
    /// Carried out.
    Run,
    /// Checked only (Kafka: validate_only).
    CheckOnly,
}

/// Why a topic operation was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TopicError {
    /// The name is taken, or taken but for dots and underscores.
    #[error("Topic '{0}' already exists.")]
    Exists(String),
    /// No such topic.
    #[error("This server does not host this topic-partition.")]
    Unknown,
    /// The name breaks a rule.
    #[error("{0}")]
    InvalidName(String),
    /// The count breaks a rule.
    #[error("{0}")]
    InvalidPartitions(String),
    /// A setting is refused.
    #[error(transparent)]
    Config(#[from] AlterError),
    /// A topic of the broker itself.
    #[error("the topic is internal")]
    Internal,
    /// delete.topic.enable is false.
    #[error("Topic deletion is disabled.")]
    DeletionDisabled,
    /// The metadata store failed; the text tells whether it may have happened.
    #[error("{0}")]
    Store(String),
}

/// Every topic by name and by id.
#[derive(Default)]
pub(crate) struct TopicTable {
    by_name: HashMap<String, Arc<Topic>>,
    by_id: HashMap<TopicId, Arc<Topic>>,
}

impl Topic {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.facts.name
    }
    /// Its id (KIP-516).
    #[must_use]
    pub fn id(&self) -> TopicId {
        self.facts.id
    }
    /// How many partitions it has.
    #[must_use]
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.streams.len()).expect("PARTITIONS_MAX is far below 2^32")
    }
    /// The stream of a partition.
    #[must_use]
    pub fn stream(&self, partition: u32) -> Option<&Stream> {
        self.streams.get(partition as usize)
    }
    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<TopicSettings> {
        self.settings.load_full()
    }
    /// Settings made on the topic itself.
    #[must_use]
    pub fn configs(&self) -> &ConfigMap {
        &self.facts.configs
    }
    /// Whether it belongs to the broker itself.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        is_internal(self.name())
    }
}

/// Whether a topic of that name belongs to the broker itself.
#[must_use]
pub fn is_internal(name: &str) -> bool {
    name == OFFSETS_TOPIC
}

impl TopicTable {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.by_name.get(name).cloned()
    }

    pub(crate) fn get_by_id(&self, id: &TopicId) -> Option<Arc<Topic>> {
        self.by_id.get(id).cloned()
    }

    pub(crate) fn insert(&mut self, topic: Arc<Topic>) {
        if let Some(old) = self.by_name.insert(topic.name().to_owned(), topic.clone()) {
            self.by_id.remove(&old.id());
        }
        self.by_id.insert(topic.id(), topic);
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Arc<Topic>> {
        let gone = self.by_name.remove(name)?;
        self.by_id.remove(&gone.id());
        Some(gone)
    }

    /// All topics, sorted by name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        let mut all: Vec<_> = self.by_name.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        all
    }
}

impl Broker {
    /// The topic of that name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.inner.topics.read().get(name)
    }

    /// The topic of that id.
    #[must_use]
    pub fn topic_by_id(&self, id: &TopicId) -> Option<Arc<Topic>> {
        self.inner.topics.read().get_by_id(id)
    }

    /// All topics, sorted by name.
    #[must_use]
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.inner.topics.read().all()
    }

    /// Creates a topic, durably, and opens it. Checks everything first; `Dry::CheckOnly` stops there with `None`.
    pub async fn create_topic(&self, spec: &TopicSpec, dry: Dry) -> Result<Option<Arc<Topic>>, TopicError> {
        let configs = TOPIC_TABLE.check_all(&spec.configs)?;
        let partitions = spec
            .partitions
            .unwrap_or_else(|| self.settings().partitions_default);
        check_partitions(partitions)?;
        let new = NewTopic {
            name: spec.name.clone(),
            partitions,
            configs,
        };
        if dry == Dry::CheckOnly {
            self.inner.catalog.check_new_topic(&new).map_err(topic_error)?;
            return Ok(None);
        }
        let facts = self.inner.catalog.create_topic(new).await.map_err(topic_error)?;
        Ok(Some(self.install(facts)))
    }

    /// The topic, created with the broker's defaults if there is none and that is allowed.
    pub async fn topic_or_create(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        if let Some(topic) = self.topic(name) {
            return Ok(topic);
        }
        let spec = match name {
            OFFSETS_TOPIC => offsets_topic_spec(self.settings().offsets_partitions),
            _ if !self.settings().auto_create_topics => return Err(TopicError::Unknown),
            _ => TopicSpec {
                name: name.to_owned(),
                partitions: None,
                configs: Vec::new(),
            },
        };
        match self.create_topic(&spec, Dry::Run).await {
            Ok(created) => created.ok_or(TopicError::Unknown),
            // Somebody else was faster: theirs is as good.
            Err(TopicError::Exists(_)) => self.topic(name).ok_or(TopicError::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Raises a topic's partition count to `partitions`.
    pub async fn add_partitions(&self, name: &str, partitions: u32, dry: Dry) -> Result<(), TopicError> {
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        check_partitions(partitions)?;
        let held = topic.partitions();
        if partitions <= held {
            let what = if partitions == held {
                "Topic already has"
            } else {
                "Topic currently has"
            };
            let rest = if partitions == held {
                ""
            } else {
                ", which is higher than the requested count"
            };
            return Err(TopicError::InvalidPartitions(format!(
                "{what} {held} partition(s){rest}."
            )));
        }
        if dry == Dry::Run {
            let facts = self
                .inner
                .catalog
                .add_partitions(name, partitions)
                .await
                .map_err(topic_error)?;
            self.install(facts);
        }
        Ok(())
    }

    /// Deletes a topic: its name at once and durably, its records in the background of the log.
    pub async fn delete_topic(&self, name: &str) -> Result<(), TopicError> {
        if !self.settings().delete_topics {
            return Err(TopicError::DeletionDisabled);
        }
        if is_internal(name) {
            return Err(TopicError::Internal);
        }
        self.topic(name).ok_or(TopicError::Unknown)?;
        self.inner.catalog.delete_topic(name).await.map_err(topic_error)?;
        let Some(gone) = self.inner.topics.write().remove(name) else {
            return Ok(());
        };
        for stream in &gone.streams {
            // The topic is gone for good already; what fails here is collected at the next start.
            if let Err(error) = self.inner.log.delete_stream(stream.id()).await {
                warn_leftover(&gone, stream, &error);
            }
        }
        Ok(())
    }

    /// Opens the topic of these facts in place of whatever was open under the name.
    pub(crate) fn install(&self, facts: Arc<TopicFacts>) -> Arc<Topic> {
        let settings = TopicSettings::resolve(&facts.configs, self.layers().borrowed());
        let mut streams = Vec::with_capacity(facts.partitions.len());
        for partition in &facts.partitions {
            let stream = self.inner.log.open_stream(partition.stream, partition.epoch);
            stream.set_policy(settings.policy.clone());
            streams.push(stream);
        }
        let topic = Arc::new(Topic {
            facts,
            settings: ArcSwap::from_pointee(settings),
            streams,
        });
        self.inner.topics.write().insert(topic.clone());
        topic
    }

    /// Parses every topic's settings anew: the broker's own settings changed.
    pub(crate) fn refresh_settings(&self) {
        let layers = self.layers();
        for topic in self.topics() {
            let settings = TopicSettings::resolve(&topic.facts.configs, layers.borrowed());
            for stream in &topic.streams {
                stream.set_policy(settings.policy.clone());
            }
            topic.settings.store(Arc::new(settings));
        }
    }
}

fn offsets_topic_spec(partitions: u32) -> TopicSpec {
    let configs = vec![
        ("cleanup.policy".to_owned(), Some("compact".to_owned())),
        ("compression.type".to_owned(), Some("producer".to_owned())),
    ];
    TopicSpec {
        name: OFFSETS_TOPIC.to_owned(),
        partitions: Some(partitions),
        configs,
    }
}

fn check_partitions(partitions: u32) -> Result<(), TopicError> {
    match partitions {
        0 => Err(TopicError::InvalidPartitions(
            "Number of partitions was set to an invalid non-positive value.".into(),
        )),
        1..=PARTITIONS_MAX => Ok(()),
        _ => Err(TopicError::InvalidPartitions(format!(
            "A topic may have at most {PARTITIONS_MAX} partitions."
        ))),
    }
}

pub(crate) fn topic_error(error: CatalogError) -> TopicError {
    match error {
        CatalogError::TopicExists(name) => TopicError::Exists(name),
        CatalogError::UnknownTopic => TopicError::Unknown,
        CatalogError::InvalidName(reason) => TopicError::InvalidName(reason.to_string()),
        CatalogError::InvalidPartitions(reason) => TopicError::InvalidPartitions(reason.to_string()),
        other @ (CatalogError::Store(_)
        | CatalogError::Contended
        | CatalogError::ConfigsTooLarge
        | CatalogError::Refused(_)) => TopicError::Store(other.to_string()),
    }
}

fn warn_leftover(topic: &Topic, stream: &Stream, error: &StreamError) {
    tracing::warn!(topic = topic.name(), stream = %stream.id(), %error, "records of a deleted topic are left for the next start");
}
