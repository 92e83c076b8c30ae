//! ConsumerGroupHeartbeat: joining, staying, and learning of a new share, all in one call.
//!
//! Owns: who is admitted under which epoch. Never: leaving (`leave`). **Invariant**: of two members with one instance id only one
//! is admitted, and the other is told so.

use super::reconcile::{self, Way};
use super::{AWAY_EPOCH, ConsumerGroup, patterns};
use crate::group::answer::{Answer, Beaten};
use crate::group::assignor::Assignment;
use crate::group::error::GroupError;
use crate::group::machine::{Turn, admit_epoch};
use crate::group::name::MemberId;
use crate::group::record::{ConsumerMember, ConsumerRecord, Current, Record, Subscription};
use crate::group::request::ConsumerHeartbeat;
use crate::state::RequestId;
use std::sync::Arc;

pub(in crate::group::machine) fn refuse(request: RequestId, error: GroupError, turn: &mut Turn<'_>) {
    turn.reply(request, Answer::ConsumerHeartbeat(Err(error)));
}

/// Whether a newcomer would be taken in by a consumer group of so many members: asked before a classic group becomes one.
pub(in crate::group::machine) fn check_newcomer(
    beat: &ConsumerHeartbeat,
    members: usize,
    turn: &Turn<'_>,
) -> Result<(), GroupError> {
    if members >= turn.config.consumer.size_max {
        return Err(GroupError::GroupMaxSizeReached);
    }
    check_pattern(beat.pattern.as_deref())
}

/// Whether the pattern is one; the empty text stands for none.
fn check_pattern(pattern: Option<&str>) -> Result<(), GroupError> {
    let valid = pattern.is_none_or(|text| text.is_empty() || patterns::compile(text).is_some());
    valid.then_some(()).ok_or(GroupError::InvalidRegularExpression)
}

/// How a member that sends a heartbeat stands to the group.
enum Admitted {
    Known,
    New,
    /// It takes the place of this one.
    Replaces(MemberId),
}

impl ConsumerGroup {
    /// A heartbeat with an epoch of zero or more.
    pub fn consumer_beat(
        &mut self,
        beat: &ConsumerHeartbeat,
        records: &mut Vec<Record>,
        turn: &mut Turn<'_>,
    ) -> Result<Beaten, GroupError> {
        let id = &beat.member;
        self.check_room(id, turn)?;
        let known = self
            .member(id)
            .and_then(|member| member.subscription.pattern.as_ref());
        if beat.pattern.as_ref() != known {
            check_pattern(beat.pattern.as_deref())?;
        }
        if let Admitted::Replaces(old) = self.admit(beat)? {
            self.replace_static(&old, id, records, turn);
        }
        self.update_member(id, beat, records, turn);
        self.retarget(records, turn);
        let before = self.current(id);
        self.reconcile(id, beat.owned.as_ref(), records, turn);
        self.renew_session(id, turn);
        let current = self.current(id);
        let full = beat.epoch == 0 || beat.is_full();
        let told = full || current.assigned != before.assigned;
        let overrides = turn.facts.overrides(&self.base.id);
        Ok(Beaten {
            member: id.clone(),
            epoch: current.epoch,
            interval: turn.config.consumer.heartbeat_interval(overrides),
            assignment: told.then(|| current.assigned.clone()),
        })
    }

    pub(super) fn check_room(&self, id: &MemberId, turn: &Turn<'_>) -> Result<(), GroupError> {
        let room = self.member_count() < turn.config.consumer.size_max || self.member(id).is_some();
        room.then_some(()).ok_or(GroupError::GroupMaxSizeReached)
    }

    fn admit(&self, beat: &ConsumerHeartbeat) -> Result<Admitted, GroupError> {
        let joins = beat.epoch == 0;
        let holder = match &beat.instance {
            Some(instance) => self.statics.get(instance),
            None => self.state.members.get_key_value(&beat.member).map(|(id, _)| id),
        };
        match holder {
            None if joins => Ok(Admitted::New),
            None => Err(GroupError::UnknownMemberId),
            Some(holder) if *holder == beat.member => {
                let current = self.current(holder);
                if joins && current.epoch == AWAY_EPOCH {
                    return Ok(Admitted::Replaces(holder.clone()));
                }
                check_epoch(beat, &current).map(|()| Admitted::Known)
            }
            Some(holder) if joins => {
                let classic = self.member(holder).is_some_and(|member| member.classic.is_some());
                if classic || self.current(holder).epoch == AWAY_EPOCH {
                    Ok(Admitted::Replaces(holder.clone()))
                } else {
                    Err(GroupError::UnreleasedInstanceId)
                }
            }
            Some(_) => Err(GroupError::FencedInstanceId),
        }
    }

    /// What the old member was and had is the new one's.
    pub(super) fn replace_static(
        &mut self,
        old: &MemberId,
        new: &MemberId,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) {
        let member = self.member(old).cloned();
        let target = self.state.targets.get(old).cloned();
        // Epoch 0: it gets its share anew, with the present epoch.
        let current = Current {
            epoch: 0,
            previous_epoch: 0,
            ..Current::clone(&self.current(old))
        };
        if old != new {
            self.forget_records(old, records, turn);
            self.timers.remove(old);
            self.emit(ConsumerRecord::Member(new.clone(), member), records, turn.facts);
            if target.is_some() {
                self.emit(ConsumerRecord::Target(new.clone(), target), records, turn.facts);
            }
        }
        self.emit(
            ConsumerRecord::Current(new.clone(), Some(Arc::new(current))),
            records,
            turn.facts,
        );
    }

    /// Takes over what the member tells of itself; a changed subscription is a new epoch.
    fn update_member(
        &mut self,
        id: &MemberId,
        beat: &ConsumerHeartbeat,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) {
        let before = self.member(id).cloned();
        let subscription = subscribed(before.as_deref(), beat);
        let before_ref = before.as_deref();
        let after = ConsumerMember {
            instance: beat.instance.clone().or_else(|| before_ref?.instance.clone()),
            rack: beat.rack.clone().or_else(|| before_ref?.rack.clone()),
            client: beat.client.clone(),
            rebalance_timeout_ms: beat
                .rebalance_timeout_ms
                .or_else(|| Some(before_ref?.rebalance_timeout_ms))
                .unwrap_or(0),
            assignor: beat.assignor.or_else(|| before_ref?.assignor),
            subscription,
            classic: None,
        };
        self.put_member(id, before_ref, after, records, turn);
    }

    /// Writes a member if it has changed, and raises the epoch if its subscription has.
    pub(super) fn put_member(
        &mut self,
        id: &MemberId,
        before: Option<&ConsumerMember>,
        after: ConsumerMember,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) {
        let nothing = Subscription::default();
        let had = before.map_or(&nothing, |before| &before.subscription);
        let changed = *had != *after.subscription;
        if before != Some(&after) {
            self.emit(
                ConsumerRecord::Member(id.clone(), Some(Arc::new(after))),
                records,
                turn.facts,
            );
        }
        if changed || self.epoch() == 0 {
            self.raise_epoch(records, turn);
        }
    }

    /// The member's next step towards its target.
    pub(super) fn reconcile(
        &mut self,
        id: &MemberId,
        owned: Option<&Assignment>,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) {
        let current = self.current(id);
        let target = self.target(id);
        let way = Way {
            target: &target,
            target_epoch: self.state.target_epoch,
            owned,
        };
        let next = reconcile::next(&current, &way, |topic, partition| {
            self.held.contains(&(topic, partition))
        });
        if next != *current {
            self.emit(
                ConsumerRecord::Current(id.clone(), Some(Arc::new(next))),
                records,
                turn.facts,
            );
        }
        self.watch_revocation(id, turn);
    }
}

fn check_epoch(beat: &ConsumerHeartbeat, current: &Current) -> Result<(), GroupError> {
    let owned = beat.owned.as_ref();
    admit_epoch(beat.epoch, current.epoch, current.previous_epoch, || {
        owned.is_some_and(|owned| reconcile::is_subset(owned, &current.assigned))
    })
}

/// The member's subscription after the heartbeat; what it does not say stays.
fn subscribed(before: Option<&ConsumerMember>, beat: &ConsumerHeartbeat) -> Arc<Subscription> {
    let had = before
        .map(|before| before.subscription.clone())
        .unwrap_or_default();
    let reads_as_before = had.pattern.is_none() || had.reader == beat.reader;
    if beat.subscribed.is_none() && beat.pattern.is_none() && reads_as_before {
        return had;
    }
    let pattern = match &beat.pattern {
        None => had.pattern.clone(),
        Some(pattern) => Some(pattern.clone()).filter(|pattern| !pattern.is_empty()),
    };
    let names = match &beat.subscribed {
        None => had.names.clone(),
        Some(names) => names.iter().cloned().collect(),
    };
    // The rights that count are those of whoever spoke last for the member.
    let reader = beat.reader.clone().filter(|_| pattern.is_some());
    let now = Subscription {
        names,
        pattern,
        reader,
    };
    if now == *had { had } else { Arc::new(now) }
}
