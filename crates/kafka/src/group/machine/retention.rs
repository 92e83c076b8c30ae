//! Offsets that nobody needs any more: by age (KIP-211), or because their topic is gone.
//!
//! Owns: the sweep, in steps of bounded length. **Invariant**: an offset of which a newer commit is under way never expires.

use super::group::Group;
use super::turn::Then;
use super::{Now, Shard, Turn};
use crate::group::answer::{GroupState, Output};
use crate::group::name::{GroupId, TopicId, TopicName};
use crate::group::record::{CommittedOffset, Record};
use std::ops::Bound;
use std::time::Duration;

/// Groups looked at in one step, so that a heartbeat never waits for a long sweep.
const SWEEP_GROUPS_MAX: usize = 1_000;

/// Where the sweep stands.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// When to go on.
    pub due: Duration,
    /// The last group that was looked at; `None`: between two sweeps.
    pub after: Option<GroupId>,
}

impl Shard {
    pub(super) fn run_sweep(&mut self, now: Now, out: &mut Vec<Output>) {
        if now.monotonic < self.sweep.due {
            return;
        }
        let from = self.sweep.after.take().map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self
            .groups
            .range::<GroupId, _>((from, Bound::Unbounded))
            .map(|(id, _)| id.clone());
        let ids: Vec<GroupId> = ids.take(SWEEP_GROUPS_MAX).collect();
        for id in &ids {
            self.with_group(id, now, out, Group::expire_offsets);
        }
        if ids.len() == SWEEP_GROUPS_MAX {
            self.sweep.after = ids.last().cloned();
        } else {
            self.sweep.due = now.monotonic + self.config.offsets_retention_check_interval;
        }
    }

    pub(super) fn topic_deleted(
        &mut self,
        topic: &TopicName,
        topic_id: TopicId,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let ids: Vec<GroupId> = self.groups.keys().cloned().collect();
        for id in &ids {
            self.with_group(id, now, out, |group, turn| {
                group.forget_topic(topic, topic_id, turn)
            });
        }
    }
}

impl Group {
    fn expire_offsets(&mut self, turn: &mut Turn<'_>) {
        if self.state == GroupState::Dead || !self.offsets_age() {
            return;
        }
        let mut records = Vec::new();
        let mut kept = false;
        for (topic, partitions) in &self.durable.offsets {
            let consumed = self.state != GroupState::Empty && self.consumes(topic);
            for (&partition, offset) in partitions {
                let goes = !consumed
                    && self.is_expired(offset, turn)
                    && !self.durable.is_unstable(topic, partition)
                    && !self.writes_offset(topic, partition, turn);
                if goes {
                    records.push(Record::Offset(self.id.clone(), topic.clone(), partition, None));
                } else {
                    kept = true;
                }
            }
        }
        let idle = self.state == GroupState::Empty && self.invited.is_empty() && self.writes_in_flight == 0;
        if idle && !kept && self.durable.transactional.is_empty() && self.durable.metadata.is_some() {
            records.push(Record::Group(self.id.clone(), None));
        }
        if !records.is_empty() {
            self.persist_tombstones(records, Then::Nothing, turn);
        }
    }

    /// Offsets of a group with members age only if it is known what the members consume.
    fn offsets_age(&self) -> bool {
        match (&self.protocol_type, self.state) {
            (None, _) | (Some(_), GroupState::Empty) => true,
            (Some(_), GroupState::Stable) => self.is_consumer_group() && self.subscribed.is_some(),
            _ => false,
        }
    }

    /// Offsets of an empty group age from the moment it became empty, all others from their commit.
    fn is_expired(&self, offset: &CommittedOffset, turn: &Turn<'_>) -> bool {
        let wall_ms = turn.now.wall_ms;
        if let Some(expires_ms) = offset.expires_ms {
            return wall_ms >= expires_ms;
        }
        let emptied = self.protocol_type.is_some() && self.state == GroupState::Empty;
        let from_ms = if emptied {
            self.since_ms
        } else {
            offset.committed_ms
        };
        let retention_ms = i64::try_from(turn.config.offsets_retention.as_millis()).unwrap_or(i64::MAX);
        wall_ms.saturating_sub(from_ms) >= retention_ms
    }

    /// Removes the topic's offsets, those under way included, but none of a newer topic of the same name.
    fn forget_topic(&mut self, topic: &TopicName, topic_id: TopicId, turn: &mut Turn<'_>) {
        if self.state == GroupState::Dead {
            return;
        }
        let mut last: std::collections::BTreeMap<i32, TopicId> = std::collections::BTreeMap::new();
        if let Some(partitions) = self.durable.offsets.get(topic) {
            last.extend(
                partitions
                    .iter()
                    .map(|(&partition, offset)| (partition, offset.topic_id)),
            );
        }
        if self.writes_in_flight > 0 {
            let under_way = turn.pending.iter().filter(|pending| pending.group == self.id);
            for record in under_way.flat_map(|pending| &pending.records) {
                if let Record::Offset(_, name, partition, Some(offset)) = record
                    && name == topic
                {
                    last.insert(*partition, offset.topic_id);
                }
            }
        }
        let gone = last
            .into_iter()
            .filter(|(_, stored)| !stored.contradicts(topic_id));
        let tombstone = |(partition, _)| Record::Offset(self.id.clone(), topic.clone(), partition, None);
        let records: Vec<Record> = gone.map(tombstone).collect();
        if !records.is_empty() {
            self.persist_tombstones(records, Then::Nothing, turn);
        }
    }
}
