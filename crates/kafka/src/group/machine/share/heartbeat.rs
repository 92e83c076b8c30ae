//! ShareGroupHeartbeat: joining, staying, learning of a new share, and leaving, all in one call.
//!
//! Owns: who is admitted under which epoch. **Invariant**: what a member is told of its share is that of the epoch in the same answer.

use super::ShareGroup;
use crate::group::answer::ShareBeaten;
use crate::group::error::GroupError;
use crate::group::facts::Facts;
use crate::group::record::{Record, ShareMember, ShareRecord};
use crate::group::request::ShareHeartbeat;
use crate::state::Now;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

impl ShareGroup {
    pub(super) fn beat(
        &mut self,
        beat: &ShareHeartbeat,
        records: &mut Vec<Record>,
        now: Now,
        facts: &dyn Facts,
    ) -> Result<ShareBeaten, GroupError> {
        if beat.epoch < 0 {
            return self.leave(beat, records, facts);
        }
        self.admit(beat)?;
        self.update_member(beat, records);
        let topics = self.hash_topics(facts);
        if !records.is_empty() || self.state.epoch.is_none_or(|epoch| epoch.topics != topics) {
            self.raise_epoch(topics, records);
        }
        let told = self.sessions.get(&beat.member).map(|session| session.told);
        self.renew_session(&beat.member, now.monotonic + beat.terms.session_timeout);
        let epoch = self.epoch();
        let is_news = told != Some(epoch) || beat.epoch != epoch || beat.subscribed.is_some();
        Ok(ShareBeaten {
            member: beat.member.clone(),
            epoch,
            interval: beat.terms.heartbeat_interval,
            assignment: is_news.then(|| self.share_of(&beat.member, facts)),
        })
    }

    /// Members are let in with epoch 0. Later they speak of an epoch that the group has had: nobody gives partitions back here, so an
    /// older one does no harm, and is put right by the answer.
    fn admit(&self, beat: &ShareHeartbeat) -> Result<(), GroupError> {
        let is_known = self.state.members.contains_key(&beat.member);
        if beat.epoch > 0 && !is_known {
            return Err(GroupError::UnknownMemberId);
        }
        if beat.epoch > self.epoch() {
            return Err(GroupError::FencedMemberEpoch);
        }
        if !is_known && self.state.members.len() >= beat.terms.size_max {
            return Err(GroupError::GroupMaxSizeReached);
        }
        Ok(())
    }

    /// Takes over what the member tells of itself.
    fn update_member(&mut self, beat: &ShareHeartbeat, records: &mut Vec<Record>) {
        let before = self.state.members.get(&beat.member).cloned();
        let before = before.as_deref();
        let after = ShareMember {
            rack: beat.rack.clone().or_else(|| before?.rack.clone()),
            client: beat.client.clone(),
            subscribed: match (&beat.subscribed, before) {
                (Some(subscribed), _) => subscribed.iter().cloned().collect(),
                (None, Some(before)) => before.subscribed.clone(),
                (None, None) => BTreeSet::new(),
            },
        };
        if before != Some(&after) {
            self.emit(
                ShareRecord::Member(beat.member.clone(), Some(Arc::new(after))),
                records,
            );
        }
    }

    fn leave(
        &mut self,
        beat: &ShareHeartbeat,
        records: &mut Vec<Record>,
        facts: &dyn Facts,
    ) -> Result<ShareBeaten, GroupError> {
        if !self.state.members.contains_key(&beat.member) {
            return Err(GroupError::UnknownMemberId);
        }
        self.remove_member(&beat.member, records);
        self.raise_epoch(self.hash_topics(facts), records);
        Ok(ShareBeaten {
            member: beat.member.clone(),
            epoch: beat.epoch,
            interval: Duration::ZERO,
            assignment: None,
        })
    }
}
