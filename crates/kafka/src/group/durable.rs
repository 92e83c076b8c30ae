//! The durable half of one group: what a restart finds. A fold over records, and nothing else changes it.
//!
//! Owns: committed offsets, offsets of open transactions, the last stored metadata. Never: members' sessions, waiting
//! requests, time.
//!
//! **Invariant** (architecture, invariant 6; trap T12): live and replay call the same `apply` with the same records in the
//! same order, so both hold the same state.

use super::name::{GroupId, TopicId, TopicName};
use super::record::{CommittedOffset, ConsumerState, GroupMetadata, Record, ShareState, StreamsState};
use std::collections::BTreeMap;

/// A partition of a topic.
pub type Partition = (TopicName, i32);

/// What the stream holds of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurableGroup {
    /// The last stored metadata of a classic group.
    pub metadata: Option<GroupMetadata>,
    /// What is stored of a consumer group. A group is of one kind: what is stored of the others is empty.
    pub consumer: ConsumerState,
    /// What is stored of a share group.
    pub share: ShareState,
    /// What is stored of a streams group.
    pub streams: StreamsState,
    /// Committed offsets. By topic first, so that a fetch finds a topic's partitions without building keys.
    pub offsets: BTreeMap<TopicName, BTreeMap<i32, CommittedOffset>>,
    /// By producer id: offsets that its open transaction will commit.
    pub transactional: BTreeMap<i64, BTreeMap<Partition, CommittedOffset>>,
}

impl DurableGroup {
    /// Folds one record of this group in.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Group(_, metadata) => self.metadata = metadata,
            Record::Consumer(_, record) => self.consumer.apply(record),
            Record::Share(_, record) => self.share.apply(record),
            Record::Streams(_, record) => self.streams.apply(record),
            Record::Offset(_, topic, partition, Some(offset)) => {
                self.offsets.entry(topic).or_default().insert(partition, offset);
            }
            Record::Offset(_, topic, partition, None) => {
                if let Some(partitions) = self.offsets.get_mut(&topic) {
                    partitions.remove(&partition);
                    if partitions.is_empty() {
                        self.offsets.remove(&topic);
                    }
                }
            }
            Record::TransactionalOffset(_, producer_id, topic, partition, Some(offset)) => {
                let of_producer = self.transactional.entry(producer_id).or_default();
                of_producer.insert((topic, partition), offset);
            }
            Record::TransactionalOffset(_, producer_id, topic, partition, None) => {
                if let Some(of_producer) = self.transactional.get_mut(&producer_id) {
                    of_producer.remove(&(topic, partition));
                    if of_producer.is_empty() {
                        self.transactional.remove(&producer_id);
                    }
                }
            }
        }
    }

    /// Whether the stream holds nothing of the group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metadata.is_none()
            && self.consumer.is_empty()
            && self.share.is_empty()
            && self.streams.is_empty()
            && self.offsets.is_empty()
            && self.transactional.is_empty()
    }

    /// What deletes everything of the group.
    #[must_use]
    pub fn tombstones(&self, group: &GroupId) -> Vec<Record> {
        let offsets = self.offsets.iter().flat_map(|(topic, partitions)| {
            partitions
                .keys()
                .map(|&partition| Record::Offset(group.clone(), topic.clone(), partition, None))
        });
        let transactional = self.transactional.iter().flat_map(|(&producer_id, of_producer)| {
            of_producer.keys().map(move |(topic, partition)| {
                Record::TransactionalOffset(group.clone(), producer_id, topic.clone(), *partition, None)
            })
        });
        let mut all: Vec<Record> = offsets.chain(transactional).collect();
        all.extend(self.membership_tombstones(group));
        all
    }

    /// What deletes the group's members and settles its kind anew; its offsets stay.
    #[must_use]
    pub fn membership_tombstones(&self, group: &GroupId) -> Vec<Record> {
        let metadata = self.metadata.iter().map(|_| Record::Group(group.clone(), None));
        let consumer = self.consumer.tombstones(group);
        metadata
            .chain(consumer)
            .chain(self.share.tombstones(group))
            .chain(self.streams.tombstones(group))
            .collect()
    }

    /// The offset of a partition, unless it was committed for another topic of the same name.
    #[must_use]
    pub fn offset(&self, topic: &TopicName, topic_id: TopicId, partition: i32) -> Option<&CommittedOffset> {
        let offset = self.offsets.get(topic)?.get(&partition)?;
        (!offset.topic_id.contradicts(topic_id)).then_some(offset)
    }

    /// Whether an open transaction will commit an offset of the partition (KIP-447).
    #[must_use]
    pub fn is_unstable(&self, topic: &TopicName, partition: i32) -> bool {
        // Open transactions of one group are few; the key is built only if there are any.
        !self.transactional.is_empty() && {
            let key = (topic.clone(), partition);
            self.transactional
                .values()
                .any(|of_producer| of_producer.contains_key(&key))
        }
    }
}
