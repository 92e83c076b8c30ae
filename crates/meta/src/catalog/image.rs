//! The catalog in memory, as of one revision: what every request reads.
//!
//! Owns: the facts by name and by id, and how changes of keys become changes of facts. Never: the store.
//! **Invariant**: an image is never seen between the changes of one revision; each topic has as many partitions as its record
//! says.

use super::acl::AclBinding;
use super::credentials::{DelegationToken, ScramCredential};
use super::facts::Facts;
use super::name::unify;
use super::named::unspell;
use super::ordered::OrderedMap;
use super::records::{
    PARTITIONS_PER_CHUNK, TopicRecord, decode_cluster, decode_configs, decode_partitions, decode_topic,
};
use super::security_records::{acl_key, decode_acl, decode_scram, decode_token, scram_key, token_key};
use super::{ClusterId, ConfigMap, NamedKind, PartitionFacts, TopicFacts, TopicId};
use crate::key::Key;
use crate::record::DecodeError;
use crate::store::{Entry, Event, Revision};
use bytes::Bytes;
use millstream_log::OpenError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why keys could not be turned into facts.
#[derive(Debug)]
pub(crate) struct ImageError {
    key: Arc<str>,
    why: DecodeError,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata key {:?}: {}", self.key, self.why)
    }
}

impl From<ImageError> for OpenError {
    fn from(error: ImageError) -> Self {
        match error.why {
            DecodeError::UnknownVersion(_) | DecodeError::NotThisKind => {
                OpenError::UnknownVersion(error.to_string())
            }
            _ => OpenError::Corrupt(error.to_string()),
        }
    }
}

/// Settings and the revision that wrote them.
#[derive(Clone, Debug)]
struct StoredConfigs {
    configs: ConfigMap,
    revision: Revision,
}

/// All facts as of one revision. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Image {
    revision: Revision,
    cluster: ClusterId,
    topics: OrderedMap<Arc<str>, Arc<TopicFacts>>,
    by_id: OrderedMap<TopicId, Arc<TopicFacts>>,
    /// Unified spelling -> name, of the names that differ from it.
    dotted: OrderedMap<Arc<str>, Arc<str>>,
    broker_configs: Arc<BTreeMap<Option<u32>, StoredConfigs>>,
    named: OrderedMap<(NamedKind, Arc<str>), Arc<StoredConfigs>>,
    partition_count: u64,
    pub(super) acls: Facts<AclBinding>,
    pub(super) scrams: Facts<ScramCredential>,
    pub(super) tokens: Facts<DelegationToken>,
}

impl Image {
    /// The facts in the given keys, which are all of the catalog's as of `revision`.
    pub(crate) fn load(keys: Vec<(Arc<str>, Entry)>, revision: Revision) -> Result<Self, ImageError> {
        let mut image = Self {
            revision,
            cluster: ClusterId([0; 16]),
            topics: OrderedMap::default(),
            by_id: OrderedMap::default(),
            dotted: OrderedMap::default(),
            broker_configs: Arc::default(),
            named: OrderedMap::default(),
            partition_count: 0,
            acls: Facts::default(),
            scrams: Facts::default(),
            tokens: Facts::default(),
        };
        let events = keys.into_iter().map(|(key, entry)| Event {
            key,
            revision: entry.modified,
            entry: Some(entry),
        });
        image.apply_together(&events.collect::<Vec<_>>())?;
        Ok(image)
    }

    /// The image after the changes, which are all of those between its revision and `revision`.
    pub(crate) fn after(&self, events: &[Event], revision: Revision) -> Result<Self, ImageError> {
        let mut image = self.clone();
        for together in events.chunk_by(|a, b| a.revision == b.revision) {
            image.apply_together(together)?;
        }
        image.revision = revision;
        Ok(image)
    }

    /// As of which revision of the store.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> ClusterId {
        self.cluster
    }

    /// The topic of that name.
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicFacts>> {
        self.topics.get(name)
    }

    /// The topic of that id.
    #[must_use]
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicFacts>> {
        self.by_id.get(&id)
    }

    /// The topic whose name only `.` against `_` tells from `name`, or which has that very name.
    #[must_use]
    pub fn topic_colliding_with(&self, name: &str) -> Option<&Arc<TopicFacts>> {
        let unified = unify(name);
        self.topics.get(self.name_of(&unified))
    }

    /// Topics in the order of their names.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicFacts>> {
        self.topics.iter().map(|(_, topic)| topic)
    }

    /// Topics from that name on, in the order of their names (Kafka: the cursor of DescribeTopicPartitions).
    pub fn topics_from(&self, name: &str) -> impl Iterator<Item = &Arc<TopicFacts>> {
        self.topics.iter_from(name).map(|(_, topic)| topic)
    }

    /// How many topics there are.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// How many partitions all topics have.
    #[must_use]
    pub fn partition_count(&self) -> u64 {
        self.partition_count
    }

    /// Settings made on one broker; `None`: on all.
    #[must_use]
    pub fn broker_configs(&self, broker: Option<u32>) -> ConfigMap {
        self.broker_configs
            .get(&broker)
            .map(|stored| stored.configs.clone())
            .unwrap_or_default()
    }

    pub(crate) fn broker_configs_revision(&self, broker: Option<u32>) -> Option<Revision> {
        self.broker_configs.get(&broker).map(|stored| stored.revision)
    }

    /// Everything of one kind that has settings, in the order of the names.
    pub fn all_named(&self, kind: NamedKind) -> impl Iterator<Item = (&str, &ConfigMap)> {
        let first = (kind, Arc::from(""));
        self.named
            .iter_from(&first)
            .take_while(move |((of, _), _)| *of == kind)
            .map(|((_, name), stored)| (&**name, &stored.configs))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The settings under a name, and the revision that wrote them.
    #[must_use]
    pub fn named_settings(&self, kind: NamedKind, name: &str) -> Option<(&ConfigMap, Revision)> {
        let stored = self.named.get(&(kind, Arc::from(name)))?;
        Some((&stored.configs, stored.revision))
    }

    /// The name under a topic's key.
    fn name_of<'a>(&'a self, unified: &'a str) -> &'a str {
        self.dotted.get(unified).map_or(unified, |name| name)
    }

    /// Applies the changes of one revision: topics first, then what belongs to them.
    fn apply_together(&mut self, events: &[Event]) -> Result<(), ImageError> {
        let mut touched = BTreeMap::new();
        let mut parts = Vec::new();
        for event in events {
            let failed = |why| ImageError {
                key: event.key.clone(),
                why,
            };
            let value = event.entry.as_ref().map(|entry| &entry.value);
            let key = Key::parse_catalog(&event.key).ok_or_else(|| failed(DecodeError::NotThisKind))?;
            match key {
                Key::Topic(unified) => {
                    let facts = self.apply_topic(unified, value, event.revision).map_err(failed)?;
                    touched.extend(facts.map(|facts| (facts.id, facts)));
                }
                Key::Cluster => {
                    let value = value.ok_or_else(|| failed(DecodeError::Field("cluster")))?;
                    self.cluster = decode_cluster(value).map_err(failed)?;
                }
                Key::BrokerConfigs(broker) => {
                    self.apply_broker_configs(broker, value, event.revision)
                        .map_err(failed)?;
                }
                Key::Named { kind, spelt } => {
                    self.apply_named(kind, spelt, value, event.revision)
                        .map_err(failed)?;
                }
                Key::Partitions { .. } | Key::TopicConfigs(_) => parts.push((key, event)),
                Key::Acl(_) | Key::Scram(_) | Key::Token(_) => {
                    self.apply_security(key, event).map_err(failed)?;
                }
                _ => return Err(failed(DecodeError::NotThisKind)),
            }
        }
        parts.sort_by_key(|(_, event)| &event.key);
        for (key, event) in parts {
            self.apply_part(key, event, &mut touched)
                .map_err(|why| ImageError {
                    key: event.key.clone(),
                    why,
                })?;
        }
        for facts in touched.into_values() {
            if facts.partitions.len() != facts.partition_count as usize {
                let key = Key::Topic(&unify(&facts.name)).encode().into();
                let why = DecodeError::Field("partition_count");
                return Err(ImageError { key, why });
            }
            self.keep(facts);
        }
        Ok(())
    }

    /// A topic's own key changed. Returns its facts if there is one now: its partitions may follow.
    fn apply_topic(
        &mut self,
        unified: &str,
        value: Option<&Bytes>,
        revision: Revision,
    ) -> Result<Option<TopicFacts>, DecodeError> {
        let record = value.map(decode_topic).transpose()?;
        if record
            .as_ref()
            .is_some_and(|record| unify(&record.name) != unified)
        {
            return Err(DecodeError::Field("name"));
        }
        let before = self.topics.get(self.name_of(unified)).cloned();
        let Some(TopicRecord {
            name,
            id,
            partition_count,
        }) = record
        else {
            before.iter().for_each(|topic| self.forget(topic));
            return Ok(None);
        };
        let mut facts = match before {
            Some(before) if before.id == id => TopicFacts::clone(&before),
            before => {
                before.iter().for_each(|topic| self.forget(topic));
                TopicFacts::empty(name, id)
            }
        };
        facts.partition_count = partition_count;
        facts.revision = revision;
        Ok(Some(facts))
    }

    /// A key that belongs to a topic changed.
    fn apply_part(
        &mut self,
        key: Key<'_>,
        event: &Event,
        touched: &mut BTreeMap<TopicId, TopicFacts>,
    ) -> Result<(), DecodeError> {
        let (Key::Partitions { topic: id, .. } | Key::TopicConfigs(id)) = key else {
            unreachable!("the caller chose these");
        };
        if let Some(known) = self.by_id.get(&id) {
            touched.entry(id).or_insert_with(|| TopicFacts::clone(known));
        }
        let value = event.entry.as_ref().map(|entry| &entry.value);
        match (touched.get_mut(&id), key, value) {
            // What a deleted topic leaves is deleted with it.
            (None, _, None) => Ok(()),
            (None, _, Some(_)) | (Some(_), Key::Partitions { .. }, None) => Err(DecodeError::Field("topic")),
            (Some(facts), Key::Partitions { chunk, .. }, Some(value)) => {
                facts.set_chunk(chunk, decode_partitions(value)?, event.revision)
            }
            (Some(facts), _, value) => {
                facts.configs = value.map(decode_configs).transpose()?.unwrap_or_default();
                facts.configs_revision = value.map(|_| event.revision);
                Ok(())
            }
        }
    }

    /// An access rule, a user's keys or a token changed. A value under another's key is not taken.
    fn apply_security(&mut self, key: Key<'_>, event: &Event) -> Result<(), DecodeError> {
        let value = event.entry.as_ref().map(|entry| &entry.value);
        let (at, revision) = (&event.key, event.revision);
        let belongs = |own: Option<String>| match own {
            Some(own) if *own != **at => Err(DecodeError::Field("key")),
            _ => Ok(()),
        };
        match key {
            Key::Acl(_) => {
                let acl = value.map(decode_acl).transpose()?;
                belongs(acl.as_ref().map(acl_key))?;
                self.acls.apply(at, acl, revision);
            }
            Key::Scram(_) => {
                let keys = value.map(decode_scram).transpose()?;
                belongs(keys.as_ref().map(|keys| scram_key(&keys.user, keys.mechanism)))?;
                self.scrams.apply(at, keys, revision);
            }
            _ => {
                let token = value.map(decode_token).transpose()?;
                belongs(token.as_ref().map(|token| token_key(&token.id)))?;
                self.tokens.apply(at, token, revision);
            }
        }
        Ok(())
    }

    fn apply_broker_configs(
        &mut self,
        broker: Option<u32>,
        value: Option<&Bytes>,
        revision: Revision,
    ) -> Result<(), DecodeError> {
        let stored = value
            .map(decode_configs)
            .transpose()?
            .map(|configs| StoredConfigs { configs, revision });
        let all = Arc::make_mut(&mut self.broker_configs);
        match stored {
            Some(stored) => all.insert(broker, stored),
            None => all.remove(&broker),
        };
        Ok(())
    }

    fn apply_named(
        &mut self,
        kind: NamedKind,
        spelt: &str,
        value: Option<&Bytes>,
        revision: Revision,
    ) -> Result<(), DecodeError> {
        let name: Arc<str> = unspell(spelt).ok_or(DecodeError::Field("name"))?.into();
        match value {
            Some(value) => {
                let configs = decode_configs(value)?;
                let stored = StoredConfigs { configs, revision };
                self.named.insert((kind, name), Arc::new(stored));
            }
            None => {
                self.named.remove(&(kind, name));
            }
        }
        Ok(())
    }

    fn keep(&mut self, facts: TopicFacts) {
        let facts = Arc::new(facts);
        let name: Arc<str> = facts.name.as_str().into();
        let unified = unify(&facts.name);
        if *unified != *facts.name {
            self.dotted.insert((*unified).into(), name.clone());
        }
        self.partition_count += facts.partitions.len() as u64;
        self.by_id.insert(facts.id, facts.clone());
        if let Some(before) = self.topics.insert(name, facts) {
            self.partition_count -= before.partitions.len() as u64;
        }
    }

    fn forget(&mut self, topic: &TopicFacts) {
        self.dotted.remove(&*unify(&topic.name));
        self.topics.remove(topic.name.as_str());
        self.by_id.remove(&topic.id);
        self.partition_count -= topic.partitions.len() as u64;
    }
}

impl TopicFacts {
    fn empty(name: String, id: TopicId) -> Self {
        Self {
            name,
            id,
            partitions: Vec::new(),
            configs: ConfigMap::new(),
            partition_count: 0,
            revision: Revision::default(),
            chunk_revisions: Vec::new(),
            configs_revision: None,
        }
    }

    /// Chunks come in order; only the last one grows.
    fn set_chunk(
        &mut self,
        chunk: u32,
        stored: Vec<PartitionFacts>,
        revision: Revision,
    ) -> Result<(), DecodeError> {
        let index = chunk as usize;
        let first = index
            .checked_mul(PARTITIONS_PER_CHUNK as usize)
            .ok_or(DecodeError::Field("chunk"))?;
        if first > self.partitions.len() || index > self.chunk_revisions.len() {
            return Err(DecodeError::Field("chunk"));
        }
        let kept_end = self.partitions.len().min(first + PARTITIONS_PER_CHUNK as usize);
        if stored.len() < kept_end - first {
            return Err(DecodeError::Field("chunk"));
        }
        self.partitions.splice(first..kept_end, stored);
        if index == self.chunk_revisions.len() {
            self.chunk_revisions.push(revision);
        } else {
            self.chunk_revisions[index] = revision;
        }
        Ok(())
    }
}
