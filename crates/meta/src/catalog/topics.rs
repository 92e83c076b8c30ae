//! Topics: created, deleted, given more partitions. Each is one durable transaction.
//!
//! Owns: the transactions and what a failed compare or a lost answer means for each. Never: opening or deleting streams.
//! **Invariant**: a topic is there with all its partitions and settings, or not at all; a stream id belongs to one partition, once.

use super::configs::{ConfigMap, check_configs, put_configs};
use super::name::unify;
use super::records::{PARTITIONS_PER_CHUNK, TopicRecord, decode_topic, encode_partitions, encode_topic};
use super::{
    Catalog, CatalogError, NameError, PartitionCountError, PartitionFacts, ROUNDS_MAX, TopicFacts, TopicId,
    check_topic_name,
};
use crate::key::Key;
use crate::settle::{Settled, StoreFailure};
use crate::store::{Compare, Current, Entry, TXN_OPS_MAX, Txn, TxnOutcome};
use millstream_log::{Epoch, StreamId};
use std::sync::Arc;

/// Partitions of one topic.
pub const PARTITIONS_PER_TOPIC_MAX: u32 = 100_000;

const CHUNKS_MAX: usize = PARTITIONS_PER_TOPIC_MAX.div_ceil(PARTITIONS_PER_CHUNK) as usize;
// The topic's record and its settings go into the same transaction.
const _: () = assert!(CHUNKS_MAX + 2 <= TXN_OPS_MAX);

/// A topic to be created.
#[derive(Clone, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; all belong to this broker at first.
    pub partitions: u32,
    /// Settings made on it, checked by the caller.
    pub configs: ConfigMap,
}

impl Catalog {
    /// Whether the topic could be created now.
    ///
    /// # Errors
    /// Everything but `Store` that `create_topic` may answer.
    pub fn check_new_topic(&self, new: &NewTopic) -> Result<(), CatalogError> {
        check_topic_name(&new.name)?;
        check_count(new.partitions)?;
        check_configs(&new.configs)?;
        match self.image().topic_colliding_with(&new.name) {
            Some(topic) => Err(taken_by(&topic.name, &new.name)),
            None => Ok(()),
        }
    }

    /// Creates a topic with all its partitions.
    pub async fn create_topic(&self, new: NewTopic) -> Result<Arc<TopicFacts>, CatalogError> {
        self.check_new_topic(&new)?;
        let facts = TopicFacts {
            id: TopicId::draw(&*self.inner.entropy),
            partitions: self.new_partitions(new.partitions).await?,
            partition_count: new.partitions,
            name: new.name,
            configs: new.configs,
            revision: Default::default(),
            chunk_revisions: Vec::new(),
            configs_revision: None,
        };
        let key = self.topic_key(&facts.name);
        let mut txn = Txn::new()
            .when_unchanged(&key, None)
            .put(&key, topic_value(&facts, facts.partition_count));
        txn = put_chunks(txn, facts.id, &facts.partitions, 0);
        if !facts.configs.is_empty() {
            txn = put_configs(txn, &Key::TopicConfigs(facts.id).encode(), &facts.configs);
        }
        let Settled { outcome, doubted } = self.send(txn).await?;
        let revision = match outcome {
            TxnOutcome::Committed { revision } => revision,
            TxnOutcome::CompareFailed { current } => {
                let found = found_topic(&current)?;
                match found {
                    // The id was drawn for this call: the lost answer was yes.
                    Some((found, entry)) if doubted && found.id == facts.id => entry.modified,
                    Some((found, _)) => return Err(taken_by(&found.name, &facts.name)),
                    None => return Err(CatalogError::Contended),
                }
            }
        };
        self.shown(revision).await;
        // If the image cannot show it (the watch is broken, or it was deleted again), this is still what was made.
        let shown = self.image().topic_by_id(facts.id).cloned();
        Ok(shown.unwrap_or_else(|| Arc::new(facts)))
    }

    /// Deletes a topic and returns what it was: its streams are the caller's to delete.
    pub async fn delete_topic(&self, name: &str) -> Result<Arc<TopicFacts>, CatalogError> {
        self.delete_topic_if(name, |_| true).await
    }

    /// As `delete_topic`, but only the topic of this id: another that has taken the name is `UnknownTopic`.
    pub async fn delete_topic_of(&self, name: &str, id: TopicId) -> Result<Arc<TopicFacts>, CatalogError> {
        self.delete_topic_if(name, |facts| facts.id == id).await
    }

    async fn delete_topic_if(
        &self,
        name: &str,
        is_meant: impl Fn(&TopicFacts) -> bool + Send,
    ) -> Result<Arc<TopicFacts>, CatalogError> {
        let key = self.topic_key(name);
        for _ in 0..ROUNDS_MAX {
            let facts = self.fresh_topic(name).await?;
            if !is_meant(&facts) {
                return Err(CatalogError::UnknownTopic);
            }
            let txn = Txn::new()
                .when_unchanged(&key, Some(facts.revision))
                .delete(&key)
                .delete(&Key::TopicConfigs(facts.id).encode())
                .delete_range(Key::all_partitions(facts.id));
            let Settled { outcome, doubted } = self.send(txn).await?;
            let gone = match outcome {
                TxnOutcome::Committed { .. } => true,
                TxnOutcome::CompareFailed { current } => {
                    // Ids are never used again: if it is no longer there, we or somebody else deleted it.
                    doubted && found_topic(&current)?.is_none_or(|(found, _)| found.id != facts.id)
                }
            };
            let used = Some(facts.revision);
            self.wait_until(|image| image.topic(name).map(|topic| topic.revision) != used)
                .await;
            if gone {
                return Ok(facts);
            }
        }
        Err(CatalogError::Contended)
    }

    /// Raises a topic's partitions to `total`; the new ones belong to this broker at first.
    pub async fn add_partitions(&self, name: &str, total: u32) -> Result<Arc<TopicFacts>, CatalogError> {
        check_count(total)?;
        for _ in 0..ROUNDS_MAX {
            let facts = self.fresh_topic(name).await?;
            let present = facts.partition_count;
            if total <= present {
                return Err(PartitionCountError::NotMore { present }.into());
            }
            let added = self.new_partitions(total - present).await?;
            let first_added = added[0].stream;
            let Settled { outcome, doubted } =
                self.send(add_txn(&facts, &self.topic_key(name), added)).await?;
            if let TxnOutcome::Committed { revision } = outcome {
                self.shown(revision).await;
                return self
                    .image()
                    .topic(name)
                    .cloned()
                    .ok_or(CatalogError::UnknownTopic);
            }
            self.wait_until(|image| {
                let now = image
                    .topic(name)
                    .map(|topic| (topic.revision, &topic.chunk_revisions));
                now != Some((facts.revision, &facts.chunk_revisions))
            })
            .await;
            // The streams were taken for this call: the lost answer was yes.
            let image = self.image();
            let now = image.topic(name).filter(|topic| topic.id == facts.id);
            let at_ours = now.and_then(|topic| topic.partitions.get(present as usize));
            if doubted && at_ours.is_some_and(|partition| partition.stream == first_added) {
                return now.cloned().ok_or(CatalogError::UnknownTopic);
            }
        }
        Err(CatalogError::Contended)
    }

    /// The topic as it is now: if this image does not have it, another broker may have created it just before.
    pub(super) async fn fresh_topic(&self, name: &str) -> Result<Arc<TopicFacts>, CatalogError> {
        if let Some(facts) = self.image().topic(name) {
            return Ok(facts.clone());
        }
        if check_topic_name(name).is_err() {
            return Err(CatalogError::UnknownTopic);
        }
        let entry = self
            .store()
            .get(&self.topic_key(name))
            .await
            .map_err(StoreFailure::not_done)?;
        let entry = entry.ok_or(CatalogError::UnknownTopic)?;
        let record = decode_topic(&entry.value).map_err(StoreFailure::not_done)?;
        if record.name != name {
            return Err(CatalogError::UnknownTopic);
        }
        self.shown(entry.modified).await;
        self.image()
            .topic(name)
            .cloned()
            .ok_or(CatalogError::UnknownTopic)
    }

    pub(super) fn topic_key(&self, name: &str) -> String {
        Key::Topic(&unify(name)).encode()
    }

    async fn new_partitions(&self, count: u32) -> Result<Vec<PartitionFacts>, CatalogError> {
        let first = self.allocate_streams(count).await?;
        let partition = |i| PartitionFacts {
            stream: StreamId(first + i),
            epoch: Epoch(0),
            owner: self.inner.config.broker,
        };
        Ok((0..u64::from(count)).map(partition).collect())
    }
}

fn check_count(partitions: u32) -> Result<(), PartitionCountError> {
    match partitions {
        0 => Err(PartitionCountError::Zero),
        1..=PARTITIONS_PER_TOPIC_MAX => Ok(()),
        _ => Err(PartitionCountError::TooMany),
    }
}

/// The refusal of a name whose key a topic holds.
fn taken_by(existing: &str, name: &str) -> CatalogError {
    if existing == name {
        return CatalogError::TopicExists(name.to_owned());
    }
    CatalogError::InvalidName(NameError::Collides {
        name: name.to_owned(),
        with: existing.to_owned(),
    })
}

/// What the first compare, which looks at the topic's key, found there.
fn found_topic(current: &[Current]) -> Result<Option<(TopicRecord, &Entry)>, StoreFailure> {
    let Some(Current::Key(Some(entry))) = current.first() else {
        return Ok(None);
    };
    let record = decode_topic(&entry.value).map_err(StoreFailure::not_done)?;
    Ok(Some((record, entry)))
}

fn topic_value(facts: &TopicFacts, partition_count: u32) -> bytes::Bytes {
    encode_topic(&TopicRecord {
        name: facts.name.clone(),
        id: facts.id,
        partition_count,
    })
}

/// Writes partitions, the first of which is the first one of chunk `chunk`.
fn put_chunks(mut txn: Txn, topic: TopicId, partitions: &[PartitionFacts], mut chunk: u32) -> Txn {
    for stored in partitions.chunks(PARTITIONS_PER_CHUNK as usize) {
        txn = txn.put(
            &Key::Partitions { topic, chunk }.encode(),
            encode_partitions(stored),
        );
        chunk += 1;
    }
    txn
}

/// Completes the last chunk and writes new ones behind it.
fn add_txn(facts: &TopicFacts, topic_key: &str, added: Vec<PartitionFacts>) -> Txn {
    let last_chunk = facts.partition_count / PARTITIONS_PER_CHUNK;
    let kept = (last_chunk * PARTITIONS_PER_CHUNK) as usize;
    let total = facts.partition_count + u32::try_from(added.len()).expect("the sum is checked");
    let mut txn = Txn::new()
        .when_unchanged(topic_key, Some(facts.revision))
        .put(topic_key, topic_value(facts, total));
    if let Some(revision) = facts.chunk_revisions.get(last_chunk as usize) {
        // Written again: nobody must have moved one of its partitions meanwhile.
        let key = Key::Partitions {
            topic: facts.id,
            chunk: last_chunk,
        };
        txn = txn.when(Compare::ModifiedAt {
            key: key.encode().into(),
            revision: *revision,
        });
    }
    let partitions = [&facts.partitions[kept..], &added].concat();
    put_chunks(txn, facts.id, &partitions, last_chunk)
}
