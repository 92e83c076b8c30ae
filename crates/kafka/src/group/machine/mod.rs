//! The state machine of one offsets partition: all groups of that partition, their timers and their unfinished writes.
//!
//! Groups of several kinds share one namespace of ids, one stream and one timer wheel: `group` lists the kinds, each has a
//! folder; what does not depend on the kind (offsets, deletion, expiry, replay) stands beside them.
//!
//! Owns: the order of decisions. Never: IO, clocks, randomness, waiting; time comes in as `Now`, everything else goes out
//! as `Output`. The driver calls `step`, appends what it is told to, and comes back at `next_deadline`.
//!
//! **Invariant**: the durable half of a group changes only in `Shard::persisted`, in the order of the writes.

mod admin;
mod base;
mod check;
mod classic;
mod consumer;
mod convert;
mod epochs;
mod fnv;
mod group;
mod load;
mod offsets;
mod retention;
mod share;
mod streams;
mod transactions;
mod turn;

pub use load::ShardLoader;

use super::answer::{Answer, Output};
use super::config::{GROUPS_PER_SHARD_MAX, GroupConfig};
use super::durable::DurableGroup;
use super::error::{GroupError, PersistError};
use super::facts::Facts;
use super::name::GroupId;
use super::record::Record;
use super::request::{ConsumerHeartbeat, Input, Request};
use crate::state::{Now, PersistToken, RequestId};
use base::Base;
use epochs::admit_epoch;
use group::Group;
use retention::Sweep;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use transactions::Transactions;
use turn::{Pending, Then, Turn};

/// All groups of one offsets partition.
#[derive(Debug)]
pub struct Shard {
    config: GroupConfig,
    facts: Arc<dyn Facts>,
    groups: BTreeMap<GroupId, Group>,
    /// When to look at which group; one entry a group that waits for anything. May be early, is never late.
    timers: BTreeSet<(Duration, GroupId)>,
    /// Writes without an outcome, oldest first.
    pending: VecDeque<Pending>,
    next_token: PersistToken,
    sweep: Sweep,
    transactions: Transactions,
}

impl Shard {
    /// Decides about one input. What is to be done is added to `out`, in order.
    pub fn step(&mut self, input: Input, now: Now, out: &mut Vec<Output>) {
        match input {
            Input::Request(id, request) => self.request(id, request, now, out),
            Input::Persisted(token, outcome) => self.persisted(token, outcome, now, out),
            Input::TopicDeleted(topic, topic_id) => self.topic_deleted(&topic, topic_id, now, out),
            Input::TopicsChanged => self.topics_changed(now, out),
            Input::Tick => self.tick(now, out),
        }
    }

    /// When the next `Input::Tick` is due, on the monotonic clock.
    #[must_use]
    pub fn next_deadline(&self) -> Duration {
        let sweep = self.sweep.due;
        self.timers.first().map_or(sweep, |(timer, _)| sweep.min(*timer))
    }

    /// Writes that have no outcome yet.
    #[must_use]
    pub fn writes_in_flight(&self) -> usize {
        self.pending.len()
    }

    fn request(&mut self, id: RequestId, request: Request, now: Now, out: &mut Vec<Output>) {
        match request {
            Request::Join(join) => {
                let creates = join.member.is_none();
                if let Err(error) = self.check_session_timeout(&join) {
                    return turn::refuse_join(out, id, error, join.member);
                }
                match self.ensure_group(&join.group, creates, now) {
                    Ok(()) => self.with_group(&join.group.clone(), now, out, |group, turn| {
                        group.join(id, join, turn)
                    }),
                    // Somebody who claims to be a member of a group that is not there is told that he is not one.
                    Err(GroupError::GroupIdNotFound) => {
                        turn::refuse_join(out, id, GroupError::UnknownMemberId, join.member);
                    }
                    Err(error) => turn::refuse_join(out, id, error, join.member),
                }
            }
            Request::Sync(sync) => {
                let missing = Answer::Sync(Err(GroupError::UnknownMemberId));
                self.of_group(&sync.group.clone(), id, missing, now, out, |group, turn| {
                    group.sync(id, sync, turn)
                });
            }
            Request::Heartbeat(beat) => {
                let missing = Answer::Heartbeat(Err(GroupError::UnknownMemberId));
                self.of_group(&beat.group, id, missing, now, out, |group, turn| {
                    group.heartbeat(id, &beat, turn)
                });
            }
            Request::Leave(leave) => {
                let missing = Answer::Leave(Err(GroupError::UnknownMemberId));
                self.of_group(&leave.group.clone(), id, missing, now, out, |group, turn| {
                    group.leave(id, leave.members, turn);
                });
            }
            Request::Commit(commit) => self.commit(id, commit, now, out),
            Request::EndOffsets(end) => self.end_offsets(id, &end, now, out),
            Request::Fetch(fetch) => self.fetch(id, fetch, now, out),
            Request::DeleteOffsets(delete) => {
                let missing = Answer::DeleteOffsets(Err(GroupError::GroupIdNotFound));
                self.of_group(&delete.group.clone(), id, missing, now, out, |group, turn| {
                    group.delete_offsets(id, delete, turn);
                });
            }
            Request::List(list) => out.push(Output::Reply(id, Answer::List(self.list(&list)))),
            Request::Describe(group) => {
                let found = self.groups.get(&group).ok_or(GroupError::GroupIdNotFound);
                let described = found.and_then(Group::describe);
                out.push(Output::Reply(id, Answer::Describe(described)));
            }
            Request::ConsumerHeartbeat(beat) => self.consumer_heartbeat(id, &beat, now, out),
            Request::DescribeConsumer(group) => self.describe_consumer(id, &group, now, out),
            Request::ShareHeartbeat(beat) => self.share_heartbeat(id, &beat, now, out),
            Request::DescribeShare(group) => self.describe_share(id, &group, out),
            Request::StreamsHeartbeat(beat) => self.streams_heartbeat(id, &beat, now, out),
            Request::DescribeStreams(group) => self.describe_streams(id, &group, out),
            Request::EmptyShare(group) => self.empty_share(id, &group, now, out),
            Request::Delete(group) => {
                let missing = Answer::Delete(Err(GroupError::GroupIdNotFound));
                self.of_group(&group, id, missing, now, out, |group, turn| {
                    group.delete(id, turn)
                });
            }
        }
    }

    /// The outcome of the oldest write: fold it in, or not, and answer whoever waited for it.
    fn persisted(
        &mut self,
        token: PersistToken,
        outcome: Result<(), PersistError>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(pending) = self.pending.pop_front() else {
            return;
        };
        assert_eq!(pending.token, token, "outcomes arrive in the order of the writes");
        let id = pending.group;
        // What lives of a group of the newer kinds runs ahead of what is written: now for good.
        let ahead = pending.records.iter().any(|record| {
            matches!(
                record,
                Record::Consumer(..) | Record::Share(..) | Record::Streams(..)
            )
        });
        let (mut ends, mut ended) = (None, None);
        self.with_group(&id, now, out, |group, turn| {
            let base = group.base_mut();
            base.writes_in_flight -= 1;
            if outcome.is_ok() {
                for record in pending.records {
                    base.durable.apply(record);
                }
            }
            match pending.then {
                Then::Nothing => {}
                Then::EndOffsets(request, end) => ends = Some((request, end)),
                Then::EndedOffsets(request) => ended = Some(request),
                Then::Fetch(request, fetch) => {
                    let offsets = offsets::read_offsets(&base.durable, &fetch);
                    turn.reply(request, Answer::Fetch(Ok(offsets)));
                }
                Then::Answer { request, ok, failed } => {
                    turn.reply(
                        request,
                        if let Err(error) = outcome {
                            failed(error)
                        } else {
                            ok
                        },
                    );
                }
                Then::Replaced(replaced) => group.replaced(*replaced, outcome, turn),
                Then::Assigned(assigned) => group.assigned(assigned, outcome, turn),
                Then::Deleted(request) => group.deleted(request, outcome, turn),
                Then::Join(request, join) => group.join_again(request, *join, outcome, turn),
            }
        });
        if let Some((request, end)) = ends {
            self.end_offsets(request, &end, now, out);
        }
        if let Some(request) = ended {
            self.offsets_ended(request, outcome, out);
        }
        if ahead && outcome.is_err() {
            out.push(Output::Reload);
        }
    }

    fn consumer_heartbeat(
        &mut self,
        id: RequestId,
        beat: &ConsumerHeartbeat,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        // Only who joins brings a group into being.
        match self.ensure_group(&beat.group, beat.epoch == 0, now) {
            Ok(()) => self.with_group(&beat.group, now, out, |group, turn| {
                group.consumer_heartbeat(id, beat, turn);
            }),
            Err(error) => out.push(Output::Reply(id, Answer::ConsumerHeartbeat(Err(error)))),
        }
    }

    fn describe_consumer(&mut self, id: RequestId, group: &GroupId, now: Now, out: &mut Vec<Output>) {
        let missing = Answer::DescribeConsumer(Err(GroupError::GroupIdNotFound));
        self.of_group(group, id, missing, now, out, |group, turn| {
            let described = group.describe_consumer(turn);
            turn.reply(id, Answer::DescribeConsumer(described));
        });
    }

    /// Every group looks whether the change concerns it.
    fn topics_changed(&mut self, now: Now, out: &mut Vec<Output>) {
        let ids = self.groups.iter().filter(|(_, group)| group.follows_topics());
        let ids: Vec<GroupId> = ids.map(|(id, _)| id.clone()).collect();
        for id in &ids {
            self.with_group(id, now, out, Group::topics_changed);
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, _)) = self.timers.first()
            && *due <= now.monotonic
        {
            let (_, id) = self.timers.pop_first().expect("the first entry was just seen");
            self.with_group(&id, now, out, |group, turn| {
                group.base_mut().armed_at = None;
                group.run_deadlines(turn);
                group.base_mut().wake_at = group.earliest_deadline();
            });
        }
        self.run_sweep(now, out);
    }

    /// Creates the group if it is missing and `creates` is set.
    fn ensure_group(&mut self, id: &GroupId, creates: bool, now: Now) -> Result<(), GroupError> {
        if self.groups.contains_key(id) {
            return Ok(());
        }
        if !creates {
            return Err(GroupError::GroupIdNotFound);
        }
        if self.groups.len() >= GROUPS_PER_SHARD_MAX {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        let base = Base::new(id.clone(), DurableGroup::default());
        self.groups.insert(id.clone(), Group::empty(base, now.wall_ms));
        Ok(())
    }

    /// Like `with_group`, for a request that gets `missing` as answer if there is no such group.
    fn of_group(
        &mut self,
        id: &GroupId,
        request: RequestId,
        missing: Answer,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Group, &mut Turn<'_>),
    ) {
        if self.groups.contains_key(id) {
            self.with_group(id, now, out, act);
        } else {
            out.push(Output::Reply(request, missing));
        }
    }

    /// Lets `act` change a group, then moves its timer and forgets it if nothing is left of it.
    fn with_group(
        &mut self,
        id: &GroupId,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Group, &mut Turn<'_>),
    ) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let mut turn = Turn {
            now,
            config: &self.config,
            facts: &*self.facts,
            out,
            pending: &mut self.pending,
            next_token: &mut self.next_token,
        };
        act(group, &mut turn);
        // A timer that is too early only costs a look; so a deadline that moved away leaves it where it is.
        let vacant = group.is_vacant();
        let base = group.base_mut();
        let earlier = match (base.wake_at, base.armed_at) {
            (Some(wake), Some(armed)) => wake < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if earlier || vacant {
            if let Some(armed) = base.armed_at.take() {
                self.timers.remove(&(armed, id.clone()));
            }
            if !vacant && let Some(wake) = base.wake_at {
                self.timers.insert((wake, id.clone()));
                base.armed_at = Some(wake);
            }
        }
        if vacant {
            self.groups.remove(id);
        }
    }
}
