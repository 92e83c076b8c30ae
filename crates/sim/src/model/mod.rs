//! The model: what must be true of the log, given everything that clients sent, were told and have seen.
//!
//! Owns: every batch that was ever sent, and for every partition the offsets of which the content is known for good.
//! Never: a call of the code under test, a guess. It judges what it is told; whatever two honest runs could show is allowed.
//!
//! **Invariant**: a *fact* (offset -> record) never changes. It comes from an acknowledgement or from a read, whichever is first;
//! from then on it holds across crashes, until a trim, retention or compaction may take the record away.
//!
//! Every record carries the name of its batch and its place in it in a header, so one look at a record tells who sent it, whether
//! it is there twice, and whether a single byte differs.

mod compaction;
mod partition;
mod read;
mod search;
mod sent;
#[cfg(test)]
mod tests;
mod topics;

pub use partition::PartitionView;
pub use read::{ReadAsked, ReadRecord};
pub use search::FoundAt;
pub use sent::{BatchId, Outcome, SentBatch, SentRecord, TAG_HEADER, decode_tag, encode_tag};
pub use topics::{ShownTopic, TopicShape};

use millstream_broker::TopicId;
use partition::Partition;
use std::collections::BTreeMap;
use topics::TopicModel;

/// What a broken promise is called: a sentence for the person who reads the failure.
pub type Judgement = Result<(), String>;

/// A partition of one incarnation of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The topic; a topic created again under the same name has another id.
    pub topic: TopicId,
    /// Its partition.
    pub partition: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TopicId(id) = self.topic;
        write!(f, "{:02x}{:02x}{:02x}/{}", id[0], id[1], id[2], self.partition)
    }
}

/// See the module.
#[derive(Default)]
pub struct Model {
    batches: Vec<SentBatch>,
    partitions: BTreeMap<Place, Partition>,
    topics: BTreeMap<TopicId, TopicModel>,
    /// The latest wall time that the broker can have seen.
    wall_ms_max: i64,
}

impl Model {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The wall clock shows this now.
    pub fn wall_is(&mut self, wall_ms: i64) {
        self.wall_ms_max = self.wall_ms_max.max(wall_ms);
    }

    /// A batch that was sent.
    #[must_use]
    pub fn batch(&self, id: BatchId) -> &SentBatch {
        &self.batches[id.index()]
    }

    fn partition(&mut self, place: Place) -> &mut Partition {
        self.partitions.entry(place).or_default()
    }

    /// Every partition that anything is known of.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        self.partitions.keys().copied().collect()
    }

    /// How much is known, for the run's summary.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let acked = self.batches.iter().filter(|batch| batch.is_acked()).count();
        Counts {
            sent: self.batches.len(),
            acked,
            facts: self.partitions.values().map(Partition::facts).sum(),
            topics: self.topics.len(),
        }
    }
}

/// How much happened in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches sent, retries not counted.
    pub sent: usize,
    /// Batches acknowledged.
    pub acked: usize,
    /// Records of which the offset is known.
    pub facts: usize,
    /// Topics that were there at some time.
    pub topics: usize,
}
