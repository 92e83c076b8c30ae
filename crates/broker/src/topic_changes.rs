//! How topics come, change and go: the catalog first, durably, then the table that requests read.
//!
//! Owns: the order of the two. Never: durable facts (the catalog's).
//!
//! **Invariant**: the table follows the catalog's image and nothing else, and reads it under one lock. So whatever order two
//! answers arrive in, no older fact ever replaces a newer one, and a deleted topic never comes back.

use crate::Broker;
use crate::configs::alter::{AlterError, ConfigChange, TOPIC_TABLE};
use crate::configs::resolve::{ConfigEntry, ConfigMap, describe_topic};
use crate::configs::settings::TopicSettings;
use crate::topics::{
    Dry, OFFSETS_TOPIC, SUBSCRIPTIONS_TOPIC, TRANSACTIONS_TOPIC, Topic, TopicError, TopicSpec, is_internal,
    topic_error,
};
use millstream_meta::catalog::{CatalogError, NewTopic, PARTITIONS_PER_TOPIC_MAX, TopicFacts, TopicId};
use std::sync::Arc;
use tokio::sync::watch;

/// What a topic is, or would be.
#[derive(Clone, Debug)]
pub struct TopicDraft {
    /// Its id; `None` if it was only checked.
    pub id: Option<TopicId>,
    /// Its partitions.
    pub partitions: u32,
    /// Every setting with its origin.
    pub configs: Vec<ConfigEntry>,
}

impl Broker {
    /// Creates a topic, durably, and opens it. Checks everything first; `Dry::CheckOnly` stops there.
    pub async fn create_topic(&self, spec: &TopicSpec, dry: Dry) -> Result<TopicDraft, TopicError> {
        let configs = TOPIC_TABLE.check_all(&spec.configs)?;
        let partitions = spec
            .partitions
            .unwrap_or_else(|| self.settings().partitions_default);
        let new = NewTopic {
            name: spec.name.clone(),
            partitions,
            configs,
        };
        let described = describe_topic(&new.configs, self.layers().borrowed());
        let id = match dry {
            Dry::CheckOnly => {
                self.inner.catalog.check_new_topic(&new).map_err(topic_error)?;
                None
            }
            Dry::Run => {
                let created = self.inner.catalog.create_topic(new).await;
                // Also after an error: an earlier attempt without an answer may have made it, and what exists is served.
                self.follow(&spec.name);
                Some(created.map_err(topic_error)?.id)
            }
        };
        Ok(TopicDraft {
            id,
            partitions,
            configs: described,
        })
    }

    /// Whether `topic_or_create` would try to make a topic of this name that is not there.
    #[must_use]
    pub fn would_create(&self, name: &str) -> bool {
        let allowed = name == OFFSETS_TOPIC || self.settings().auto_create_topics;
        allowed && self.check_topic_name(name).is_ok()
    }

    /// The topic, created with the broker's defaults if there is none and that is allowed.
    pub async fn topic_or_create(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        if let Some(topic) = self.topic(name) {
            return Ok(topic);
        }
        self.check_topic_name(name)?;
        let spec = match name {
            OFFSETS_TOPIC => state_topic_spec(name, self.settings().offsets_partitions),
            TRANSACTIONS_TOPIC => state_topic_spec(name, self.settings().transactions.state_partitions),
            SUBSCRIPTIONS_TOPIC => state_topic_spec(name, self.settings().queues.state_partitions),
            _ if !self.settings().auto_create_topics => return Err(TopicError::Unknown),
            _ => TopicSpec {
                name: name.to_owned(),
                partitions: None,
                configs: Vec::new(),
            },
        };
        match self.create_topic(&spec, Dry::Run).await {
            Ok(_) => {}
            // Somebody else was faster: theirs is as good. The image shows it, the table may not yet.
            Err(TopicError::Exists(_)) => self.follow(name),
            Err(error) => return Err(error),
        }
        self.topic(name).ok_or(TopicError::Unknown)
    }

    /// Raises a topic's partition count to `partitions`.
    pub async fn add_partitions(&self, name: &str, partitions: u32, dry: Dry) -> Result<(), TopicError> {
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        if topic.is_internal() {
            let what =
                format!("The number of partitions of {name} is fixed: where state lies follows from it.");
            return Err(TopicError::InvalidPartitions(what));
        }
        check_raise(topic.partitions(), partitions)?;
        if dry == Dry::Run {
            let raised = self.inner.catalog.add_partitions(name, partitions).await;
            self.follow(name);
            raised.map_err(topic_error)?;
        }
        Ok(())
    }

    /// Deletes this topic, and never another that has taken its name: the name at once and durably, the records in the
    /// background of the log.
    pub async fn delete_topic(&self, topic: &Topic) -> Result<(), TopicError> {
        let name = topic.name();
        if !self.settings().delete_topics {
            return Err(TopicError::DeletionDisabled);
        }
        if is_internal(name) {
            return Err(TopicError::Internal);
        }
        let deleted = self.inner.catalog.delete_topic_of(name, topic.id()).await;
        self.follow(name);
        self.drop_streams(&*deleted.map_err(topic_error)?).await;
        Ok(())
    }

    async fn drop_streams(&self, gone: &TopicFacts) {
        for partition in &gone.partitions {
            // The topic is gone for good already; what fails here is collected at the next start.
            if let Err(error) = self.inner.log.delete_stream(partition.stream).await {
                tracing::warn!(topic = gone.name, stream = %partition.stream, %error, "records of a deleted topic are left for the next start");
            }
        }
    }

    /// Changes settings of a topic: all changes, or none.
    pub async fn alter_topic_configs(
        &self,
        name: &str,
        changes: &[(String, ConfigChange)],
        dry: Dry,
    ) -> Result<(), TopicError> {
        self.edit_topic_configs(name, dry, |present| {
            let layers = self.layers();
            let in_force = |name: &str| {
                let entries = describe_topic(present, layers.borrowed());
                let entry = entries.into_iter().find(|entry| entry.row.name == name);
                entry.and_then(|entry| entry.value)
            };
            TOPIC_TABLE.apply(present, changes, in_force)
        })
        .await
    }

    /// Replaces the settings of a topic.
    pub async fn replace_topic_configs(
        &self,
        name: &str,
        values: &[(String, Option<String>)],
        dry: Dry,
    ) -> Result<(), TopicError> {
        self.edit_topic_configs(name, dry, |_| TOPIC_TABLE.check_replacement(values))
            .await
    }

    /// `edit` sees the settings that hold when its change becomes durable, so that of two changes at once none is lost.
    async fn edit_topic_configs(
        &self,
        name: &str,
        dry: Dry,
        edit: impl Fn(&ConfigMap) -> Result<ConfigMap, AlterError> + Send + Sync,
    ) -> Result<(), TopicError> {
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        if dry == Dry::CheckOnly {
            edit(topic.configs())?;
            return Ok(());
        }
        let mut refused = None;
        let edited = self.inner.catalog.edit_topic_configs(name, |present| {
            edit(present).map_err(|error| {
                let why = error.to_string();
                refused = Some(error);
                why
            })
        });
        let edited = edited.await;
        self.follow(name);
        match (edited, refused) {
            (Ok(_), _) => Ok(()),
            (Err(CatalogError::Refused(_)), Some(error)) => Err(error.into()),
            (Err(error), _) => Err(topic_error(error)),
        }
    }

    /// Makes the table show of one name what the catalog's image shows.
    pub(crate) fn follow(&self, name: &str) {
        let _changing = self.inner.changing.lock();
        let image = self.inner.catalog.image();
        match image.topic(name) {
            Some(facts) => self.show(facts.clone()),
            None => self.inner.topics.write().remove(name),
        }
        self.note_change();
    }

    /// Makes the table show everything that the image shows; at start.
    pub(crate) fn follow_all(&self) {
        let _changing = self.inner.changing.lock();
        let image = self.inner.catalog.image();
        image.topics().for_each(|facts| self.show(facts.clone()));
        self.note_change();
    }

    /// Counts the changes of topics (come, gone, grown), of groups' settings and of access rules: who depends on them waits for the
    /// next one. The table shows a change before it is counted.
    #[must_use]
    pub fn topics_changed(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    pub(crate) fn note_change(&self) {
        self.inner.changes.send_modify(|count| *count += 1);
    }

    fn show(&self, facts: Arc<TopicFacts>) {
        let held = self.topic(&facts.name);
        let settings = TopicSettings::resolve(&facts.configs, self.layers().borrowed());
        let topic = Topic::open(facts, settings, &self.inner.log, held.as_deref());
        self.inner.topics.write().insert(Arc::new(topic));
    }

    /// Resolves every topic's settings anew: the broker's own settings changed.
    pub(crate) fn refresh_settings(&self) {
        let _changing = self.inner.changing.lock();
        let layers = self.layers();
        for topic in self.topics() {
            topic.set_settings(TopicSettings::resolve(topic.configs(), layers.borrowed()));
        }
    }
}

fn state_topic_spec(name: &str, partitions: u32) -> TopicSpec {
    let configs = vec![
        ("cleanup.policy".to_owned(), Some("compact".to_owned())),
        ("compression.type".to_owned(), Some("producer".to_owned())),
    ];
    TopicSpec {
        name: name.to_owned(),
        partitions: Some(partitions),
        configs,
    }
}

/// In Kafka's words.
fn check_raise(held: u32, wanted: u32) -> Result<(), TopicError> {
    let what = match wanted {
        _ if wanted == held => format!("Topic already has {held} partition(s)."),
        _ if wanted < held => {
            format!("Topic currently has {held} partition(s), {wanted} would not be an increase.")
        }
        _ if wanted > PARTITIONS_PER_TOPIC_MAX => {
            format!("A topic may have at most {PARTITIONS_PER_TOPIC_MAX} partitions.")
        }
        _ => return Ok(()),
    };
    Err(TopicError::InvalidPartitions(what))
}
