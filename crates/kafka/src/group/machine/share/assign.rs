//! Which members consume which partitions (Kafka: the assignor "simple").
//!
//! Owns: the spreading, a pure function of one topic at a time. **Invariant**: every partition of a subscribed topic has a consumer, and
//! every subscriber of a topic with partitions has one: there are as many pairs as the larger of both numbers.

use crate::group::assignor::Assignment;
use crate::group::facts::{Facts, TopicView};
use crate::group::name::MemberId;
use crate::group::record::ShareMember;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The share of one member.
pub(super) fn share_of(
    member: &MemberId,
    members: &BTreeMap<MemberId, Arc<ShareMember>>,
    facts: &dyn Facts,
) -> Assignment {
    let mut share = Assignment::new();
    let Some(told) = members.get(member) else {
        return share;
    };
    for topic in &told.subscribed {
        let found = facts.topic(topic.as_str()).filter(|found| found.partitions > 0);
        let Some(TopicView { id, partitions }) = found else {
            continue;
        };
        let subscribers: Vec<&MemberId> = members
            .iter()
            .filter(|(_, member)| member.subscribed.contains(topic))
            .map(|(id, _)| id)
            .collect();
        let count = subscribers.len();
        // Topics begin with different members, so that many topics of one partition do not all fall to the first.
        let first = id.0.iter().map(|byte| usize::from(*byte)).sum::<usize>() % count;
        let place = subscribers.iter().position(|subscriber| *subscriber == member);
        let place = (place.unwrap_or(0) + count - first) % count;
        let pairs = count.max(partitions as usize);
        let mine = (place..pairs)
            .step_by(count)
            .map(|pair| pair % partitions as usize);
        let mine = mine.map(|partition| i32::try_from(partition).unwrap_or(i32::MAX));
        share.insert(id, mine.collect());
    }
    share
}
