//! Topics: which must be there, which may be, and what their settings allow to be taken away.

use super::{Judgement, Model, Place};
use millstream_broker::TopicId;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The settings of a topic that the simulation varies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicShape {
    /// cleanup.policy contains delete.
    pub delete: bool,
    /// cleanup.policy contains compact.
    pub compact: bool,
    /// retention.ms; `None`: for ever.
    pub retention_ms: Option<u64>,
    /// retention.bytes.
    pub retention_bytes: Option<u64>,
    /// delete.retention.ms.
    pub tombstone_ms: u64,
    /// message.timestamp.type is LogAppendTime.
    pub log_append_time: bool,
    /// compression.type.
    pub compression: &'static str,
}

impl TopicShape {
    /// Everything is kept for ever.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            delete: true,
            compact: false,
            retention_ms: None,
            retention_bytes: None,
            tombstone_ms: 86_400_000,
            log_append_time: false,
            compression: "producer",
        }
    }

    /// As a client writes them.
    #[must_use]
    pub fn configs(&self) -> Vec<(String, Option<String>)> {
        let cleanup = match (self.delete, self.compact) {
            (true, true) => "compact,delete",
            (false, true) => "compact",
            _ => "delete",
        };
        let number = |value: Option<u64>| value.map_or("-1".to_owned(), |value| value.to_string());
        let stamp = if self.log_append_time {
            "LogAppendTime"
        } else {
            "CreateTime"
        };
        [
            ("cleanup.policy", cleanup.to_owned()),
            ("retention.ms", number(self.retention_ms)),
            ("retention.bytes", number(self.retention_bytes)),
            ("delete.retention.ms", self.tombstone_ms.to_string()),
            ("message.timestamp.type", stamp.to_owned()),
            ("compression.type", self.compression.to_owned()),
            ("min.cleanable.dirty.ratio", "0.0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .to_vec()
    }

    /// Whether a record of that time may have been taken by now.
    pub(super) fn may_expire(&self, timestamp: i64, wall_ms_max: i64) -> bool {
        let age_ms = u64::try_from(wall_ms_max.saturating_sub(timestamp)).unwrap_or(0);
        self.delete
            && self
                .retention_ms
                .is_some_and(|retention_ms| age_ms >= retention_ms)
    }

    /// Whether older records may go while so many bytes stay. Only where sizes are known: every batch, as it was sent.
    pub(super) fn may_overflow(&self, kept_bytes: u64, exact: bool) -> bool {
        self.delete
            && self
                .retention_bytes
                .is_some_and(|bytes_max| !exact || kept_bytes >= bytes_max)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It must be there.
    Live,
    /// Somebody asked for its deletion and has no answer: it may be there.
    Doubtful,
    /// It must not be there, ever again.
    Gone,
}

/// See the module.
pub(super) struct TopicModel {
    name: String,
    standing: Standing,
    partitions_min: u32,
    partitions_max: u32,
    /// Every shape that it may have or have had.
    shapes: Vec<TopicShape>,
    /// What its settings must be now; several while a change is in doubt.
    configs: Vec<TopicShape>,
}

/// A topic as the broker shows it.
#[derive(Clone, Debug)]
pub struct ShownTopic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
    /// Its own settings.
    pub configs: BTreeMap<String, String>,
}

impl Model {
    /// A topic that was asked for is there: acknowledged, or found after an answer was lost.
    pub fn topic_is_live(
        &mut self,
        id: TopicId,
        name: &str,
        partitions: u32,
        shape: TopicShape,
    ) -> Judgement {
        match self.topics.entry(id) {
            Entry::Occupied(known) => Err(format!("topic {name} has the id of {}", known.get().name)),
            Entry::Vacant(free) => {
                free.insert(TopicModel {
                    name: name.to_owned(),
                    standing: Standing::Live,
                    partitions_min: partitions,
                    partitions_max: partitions,
                    shapes: vec![shape.clone()],
                    configs: vec![shape],
                });
                Ok(())
            }
        }
    }

    /// Whether anybody was told of the topic.
    #[must_use]
    pub fn knows(&self, id: TopicId) -> bool {
        self.topics.contains_key(&id)
    }

    /// Whether the topic may be gone, so that being refused is no fault.
    #[must_use]
    pub fn may_be_gone(&self, id: TopicId) -> bool {
        self.topics
            .get(&id)
            .is_none_or(|topic| topic.standing != Standing::Live)
    }

    /// Somebody is about to delete it.
    pub fn deleting(&mut self, id: TopicId) {
        if let Some(topic) = self.topics.get_mut(&id)
            && topic.standing == Standing::Live
        {
            topic.standing = Standing::Doubtful;
        }
    }

    /// Its deletion was acknowledged, or it was found to be gone.
    pub fn deleted(&mut self, id: TopicId) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.standing = Standing::Gone;
        }
    }

    /// Its deletion was refused without effect, or it was found to be there still.
    pub fn survived(&mut self, id: TopicId) {
        if let Some(topic) = self.topics.get_mut(&id)
            && topic.standing == Standing::Doubtful
        {
            topic.standing = Standing::Live;
        }
    }

    /// Somebody is about to change its settings: from now on either may hold.
    pub fn reshaping(&mut self, id: TopicId, shape: &TopicShape) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.shapes.push(shape.clone());
            topic.configs.push(shape.clone());
        }
    }

    /// The change was acknowledged.
    pub fn reshaped(&mut self, id: TopicId, shape: &TopicShape) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.configs = vec![shape.clone()];
        }
    }

    /// Somebody is about to raise its number of partitions.
    pub fn growing(&mut self, id: TopicId, partitions: u32) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.partitions_max = topic.partitions_max.max(partitions);
        }
    }

    /// The new number was acknowledged.
    pub fn grown(&mut self, id: TopicId, partitions: u32) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.partitions_min = topic.partitions_min.max(partitions);
        }
    }

    /// Every shape that the topic may have or have had.
    pub(super) fn shapes(&self, id: TopicId) -> Vec<TopicShape> {
        self.topics
            .get(&id)
            .map_or_else(Vec::new, |topic| topic.shapes.clone())
    }

    /// Whether compaction may ever have touched the place.
    pub(super) fn may_be_compacted(&self, place: Place) -> bool {
        self.topics
            .get(&place.topic)
            .is_some_and(|topic| topic.shapes.iter().any(|shape| shape.compact))
    }

    /// The topics that a broker shows right after its start: doubts end here. Unknown ones are for the caller to register.
    pub fn topics_shown(&mut self, shown: &[ShownTopic]) -> Judgement {
        for topic in shown {
            self.topic_shown(topic)?;
        }
        for (id, topic) in &mut self.topics {
            if shown.iter().any(|shown| shown.id == *id) {
                continue;
            }
            match topic.standing {
                Standing::Live => return Err(format!("topic {} is gone, and nobody deleted it", topic.name)),
                Standing::Doubtful => topic.standing = Standing::Gone,
                Standing::Gone => {}
            }
        }
        Ok(())
    }

    fn topic_shown(&mut self, shown: &ShownTopic) -> Judgement {
        let Some(topic) = self.topics.get_mut(&shown.id) else {
            return Ok(());
        };
        let name = &shown.name;
        match topic.standing {
            Standing::Gone => return Err(format!("topic {name} was deleted, and is back")),
            Standing::Doubtful => topic.standing = Standing::Live,
            Standing::Live => {}
        }
        if *name != topic.name {
            return Err(format!("topic {} is called {name} now", topic.name));
        }
        if !(topic.partitions_min..=topic.partitions_max).contains(&shown.partitions) {
            let (min, max) = (topic.partitions_min, topic.partitions_max);
            return Err(format!(
                "topic {name} has {} partitions, not {min} to {max}",
                shown.partitions
            ));
        }
        topic.partitions_min = shown.partitions;
        let matches = |shape: &TopicShape| {
            let configs = shape.configs();
            let kept = configs
                .iter()
                .map(|(name, value)| (name, value.as_ref().expect("all are given")));
            shown.configs.iter().eq(kept.collect::<BTreeMap<_, _>>())
        };
        match topic.configs.iter().position(matches) {
            Some(at) => {
                topic.configs = vec![topic.configs[at].clone()];
                Ok(())
            }
            None => Err(format!(
                "topic {name} has settings that nobody made: {:?}",
                shown.configs
            )),
        }
    }
}
