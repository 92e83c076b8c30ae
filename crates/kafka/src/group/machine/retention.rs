//! Offsets that nobody needs any more: by age (KIP-211), or because their topic is gone.
//!
//! Owns: the sweep, in steps of bounded length. **Invariant**: an offset of which a newer commit is under way never expires.

use super::group::Group;
use super::turn::Then;
use super::{Now, Shard, Turn};
use crate::group::answer::{GroupKind, Output};
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
        if self.is_dead() || !self.offsets_age() {
            return;
        }
        let base = self.base();
        let mut records = Vec::new();
        let mut kept = false;
        for (topic, partitions) in &base.durable.offsets {
            let consumed = self.consumes(topic);
            for (&partition, offset) in partitions {
                let goes = !consumed
                    && self.is_expired(offset, turn)
                    && !base.durable.is_unstable(topic, partition)
                    && !base.writes_offset(topic, partition, turn);
                if goes {
                    records.push(Record::Offset(base.id.clone(), topic.clone(), partition, None));
                } else {
                    kept = true;
                }
            }
        }
        if self.is_idle() && !kept && base.durable.transactional.is_empty() {
            records.extend(base.durable.membership_tombstones(&base.id));
            if matches!(self.kind(), GroupKind::Consumer | GroupKind::Streams) {
                self.become_nobodys(turn);
            }
        }
        if !records.is_empty() {
            self.base_mut().persist_tombstones(records, Then::Nothing, turn);
        }
    }

    fn is_expired(&self, offset: &CommittedOffset, turn: &Turn<'_>) -> bool {
        let wall_ms = turn.now.wall_ms;
        if let Some(expires_ms) = offset.expires_ms {
            return wall_ms >= expires_ms;
        }
        let retention_ms = i64::try_from(turn.config.offsets_retention.as_millis()).unwrap_or(i64::MAX);
        wall_ms.saturating_sub(self.ages_from_ms(offset)) >= retention_ms
    }

    /// Removes the topic's offsets, those under way included, but none of a newer topic of the same name.
    fn forget_topic(&mut self, topic: &TopicName, topic_id: TopicId, turn: &mut Turn<'_>) {
        if self.is_dead() {
            return;
        }
        let base = self.base_mut();
        let mut last: std::collections::BTreeMap<i32, TopicId> = std::collections::BTreeMap::new();
        if let Some(partitions) = base.durable.offsets.get(topic) {
            last.extend(
                partitions
                    .iter()
                    .map(|(&partition, offset)| (partition, offset.topic_id)),
            );
        }
        if base.writes_in_flight > 0 {
            let under_way = turn.pending.iter().filter(|pending| pending.group == base.id);
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
        let tombstone = |(partition, _)| Record::Offset(base.id.clone(), topic.clone(), partition, None);
        let records: Vec<Record> = gone.map(tombstone).collect();
        if !records.is_empty() {
            base.persist_tombstones(records, Then::Nothing, turn);
        }
    }
}
