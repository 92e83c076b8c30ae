//! From the stream's records to a running shard.
//!
//! Owns: replay. **Invariant** (trap T12): replay folds records with the function the live machine uses; what members were
//! doing is not stored, so every stored member gets a fresh session and either goes on or is missed.

use super::base::Base;
use super::classic::ClassicGroup;
use super::consumer::ConsumerGroup;
use super::group::Group;
use super::retention::Sweep;
use super::share::ShareGroup;
use super::streams::StreamsGroup;
use super::transactions::Transactions;
use super::{Now, Shard, Turn};
use crate::group::config::GroupConfig;
use crate::group::durable::DurableGroup;
use crate::group::facts::Facts;
use crate::group::name::{GroupId, TopicId, TopicName};
use crate::group::record::Record;
use crate::state::{PersistToken, RecordError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A shard that is still being read.
#[derive(Debug, Default)]
pub struct ShardLoader {
    groups: BTreeMap<GroupId, DurableGroup>,
    failed: Option<RecordError>,
}

impl ShardLoader {
    /// Folds the next record in. The first record that cannot be read decides the outcome of `finish`.
    pub fn replay(&mut self, key: &[u8], value: Option<&[u8]>) {
        match Record::decode(key, value) {
            Ok(record) => {
                let group = self.groups.entry(record.group().clone()).or_default();
                group.apply(record);
            }
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    /// Starts the groups. Serving a part of what was stored would hand out offsets that are not the last ones, so a record
    /// that cannot be read is an error for the whole shard.
    pub fn finish(self, config: GroupConfig, facts: Arc<dyn Facts>, now: Now) -> Result<Shard, RecordError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut shard = Shard {
            sweep: Sweep {
                due: now.monotonic + config.offsets_retention_check_interval,
                after: None,
            },
            config,
            facts,
            groups: BTreeMap::new(),
            timers: BTreeSet::new(),
            pending: VecDeque::new(),
            next_token: PersistToken(0),
            transactions: Transactions::default(),
        };
        for (id, durable) in self.groups.into_iter().filter(|(_, durable)| !durable.is_empty()) {
            let mut group = shard.restore(id.clone(), durable, now);
            if let Some(wake) = group.earliest_deadline() {
                let base = group.base_mut();
                base.wake_at = Some(wake);
                base.armed_at = Some(wake);
                shard.timers.insert((wake, id.clone()));
            }
            shard.transactions.loaded(group.base());
            shard.groups.insert(id, group);
        }
        Ok(shard)
    }
}

impl Shard {
    /// The kind follows from what is stored; a group that only has offsets is nobody's yet.
    fn restore(&mut self, id: GroupId, durable: DurableGroup, now: Now) -> Group {
        let base = Base::new(id, durable);
        if !base.durable.share.is_empty() {
            return Group::Share(Box::new(ShareGroup::restore(base, now)));
        }
        if base.durable.consumer.is_empty() && base.durable.streams.is_empty() {
            return Group::Classic(Box::new(ClassicGroup::restore(base, now)));
        }
        let mut out = Vec::new();
        let turn = Turn {
            now,
            config: &self.config,
            facts: &*self.facts,
            out: &mut out,
            pending: &mut self.pending,
            next_token: &mut self.next_token,
        };
        let group = match base.durable.streams.is_empty() {
            true => Group::Consumer(Box::new(ConsumerGroup::restore(base, &turn))),
            false => Group::Streams(Box::new(StreamsGroup::restore(base, &turn))),
        };
        assert!(out.is_empty(), "replay writes nothing and answers nobody");
        group
    }

    /// Every topic of which offsets are kept, with the ids under which they were committed.
    #[must_use]
    pub fn committed_topics(&self) -> BTreeSet<(TopicName, TopicId)> {
        let topics = self
            .groups
            .values()
            .flat_map(|group| &group.base().durable.offsets);
        topics
            .flat_map(|(topic, offsets)| offsets.values().map(|offset| (topic.clone(), offset.topic_id)))
            .collect()
    }

    /// The durable half of every group: what a restart would find. For tests and for the simulator's invariants.
    #[must_use]
    pub fn durable(&self) -> BTreeMap<GroupId, DurableGroup> {
        let durable = self.groups.iter().map(|(id, group)| (id, &group.base().durable));
        durable
            .filter(|(_, durable)| !durable.is_empty())
            .map(|(id, durable)| (id.clone(), durable.clone()))
            .collect()
    }
}
