//! Topics as the broker serves them: facts from the catalog, settings parsed, streams open. How they come and go:
//! `topic_changes.rs`.
//!
//! Owns: the table that every request looks a topic up in. Never: durable facts (the catalog's) or records (the log's).
//!
//! **Invariant**: the table is the catalog's image, no older than the last operation that this broker was answered.

use crate::Broker;
use crate::configs::alter::AlterError;
use crate::configs::resolve::ConfigMap;
use crate::configs::settings::TopicSettings;
use arc_swap::ArcSwap;
use millstream_log::{Log, Stream};
use millstream_meta::catalog::{CatalogError, PartitionCountError, TopicFacts, TopicId, check_topic_name};
use std::collections::HashMap;
use std::sync::Arc;
use thiserror::Error;

/// The topic that holds the offsets and the metadata of groups.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The topic that holds the state of subscriptions (Kafka's name for it, so that tools know it as internal).
pub const SUBSCRIPTIONS_TOPIC: &str = "__share_group_state";

/// The topic that holds the state of transactions.
pub const TRANSACTIONS_TOPIC: &str = "__transaction_state";

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
    /// Others changed the same thing again and again; nothing was changed, a later attempt may pass.
    #[error("{0}")]
    Contended(String),
    /// The metadata store failed; the text tells whether it may have happened.
    #[error("{0}")]
    Store(String),
}

/// Every topic by name and by id.
#[derive(Default)]
pub(crate) struct TopicTable {
    by_name: HashMap<String, Arc<Topic>>,
    by_id: HashMap<TopicId, Arc<Topic>>,
    /// Counts the names that came and went.
    names_changed: u64,
}

impl Topic {
    /// Opens the streams of these facts; those that `held` has open already are taken over.
    pub(crate) fn open(
        facts: Arc<TopicFacts>,
        settings: TopicSettings,
        log: &Log,
        held: Option<&Topic>,
    ) -> Topic {
        let held = held.filter(|held| held.id() == facts.id);
        let streams = facts.partitions.iter().enumerate().map(|(index, partition)| {
            let open = held.and_then(|held| held.streams.get(index));
            match open {
                Some(open) if open.id() == partition.stream && open.epoch() == partition.epoch => {
                    open.clone()
                }
                _ => log.open_stream(partition.stream, partition.epoch),
            }
        });
        let streams = streams.collect();
        let topic = Topic {
            facts,
            settings: ArcSwap::from_pointee(settings),
            streams,
        };
        topic.tell_policy();
        topic
    }

    /// Puts other settings in force.
    pub(crate) fn set_settings(&self, settings: TopicSettings) {
        self.settings.store(Arc::new(settings));
        self.tell_policy();
    }

    fn tell_policy(&self) {
        let settings = self.settings.load();
        for stream in &self.streams {
            stream.set_policy(settings.policy.clone());
        }
    }

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
        u32::try_from(self.streams.len()).expect("the catalog bounds the count far below 2^32")
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
    matches!(name, OFFSETS_TOPIC | SUBSCRIPTIONS_TOPIC | TRANSACTIONS_TOPIC)
}

/// Whether a topic could have that name; taken or not.
pub fn check_name(name: &str) -> Result<(), TopicError> {
    check_topic_name(name).map_err(|error| TopicError::InvalidName(error.to_string()))
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
        } else {
            self.names_changed += 1;
        }
        self.by_id.insert(topic.id(), topic);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(gone) = self.by_name.remove(name) {
            self.by_id.remove(&gone.id());
            self.names_changed += 1;
        }
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

    /// Another number than before if the names of the topics are others.
    #[must_use]
    pub fn topic_names_changed(&self) -> u64 {
        self.inner.topics.read().names_changed
    }

    /// All topics, sorted by name.
    #[must_use]
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.inner.topics.read().all()
    }

    /// Whether a topic could have that name; taken or not.
    pub fn check_topic_name(&self, name: &str) -> Result<(), TopicError> {
        check_name(name)
    }
}

pub(crate) fn topic_error(error: CatalogError) -> TopicError {
    match error {
        CatalogError::TopicExists(name) => TopicError::Exists(name),
        CatalogError::UnknownTopic => TopicError::Unknown,
        CatalogError::InvalidName(error) => TopicError::InvalidName(error.to_string()),
        CatalogError::InvalidPartitions(error) => TopicError::InvalidPartitions(partitions_message(error)),
        CatalogError::ConfigsTooLarge => TopicError::Config(AlterError::TooLarge(error.to_string())),
        CatalogError::Contended => TopicError::Contended(error.to_string()),
        CatalogError::Store(_) | CatalogError::Refused(_) | CatalogError::NameTooLong => {
            TopicError::Store(error.to_string())
        }
    }
}

/// In Kafka's words, which tools and their users know.
fn partitions_message(error: PartitionCountError) -> String {
    match error {
        PartitionCountError::Zero => "Number of partitions was set to an invalid non-positive value.".into(),
        PartitionCountError::NotMore { present } => format!("Topic currently has {present} partitions."),
        PartitionCountError::TooMany => error.to_string(),
    }
}
