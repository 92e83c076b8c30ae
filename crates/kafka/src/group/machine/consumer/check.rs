//! The invariants of a consumer group, each with a name.
//!
//! Owns: nothing. Never: called on the request path.

use super::{ConsumerGroup, places};
use crate::group::name::{InstanceId, MemberId};
use std::collections::{BTreeMap, BTreeSet};

impl ConsumerGroup {
    /// Panics with the name of the invariant that does not hold.
    pub fn check(&self) {
        let id = &self.base.id;
        if self.base.writes_in_flight == 0 {
            assert_eq!(
                self.state, self.base.durable.consumer,
                "what_lives_is_what_is_written: {id}"
            );
        }
        let members = &self.state.members;
        let mut held = BTreeSet::new();
        for (member, current) in &self.state.currents {
            assert!(
                members.contains_key(member),
                "only_members_have_partitions: {id} {member}"
            );
            for place in places(current) {
                assert!(held.insert(place), "one_owner_a_partition: {id} {place:?}");
            }
        }
        assert_eq!(held, self.held, "held_partitions_are_known: {id}");
        let mut targeted = BTreeSet::new();
        for (member, target) in &self.state.targets {
            assert!(
                members.contains_key(member),
                "only_members_have_targets: {id} {member}"
            );
            for (topic, partitions) in &**target {
                let all = partitions
                    .iter()
                    .all(|partition| targeted.insert((*topic, *partition)));
                assert!(all, "one_target_a_partition: {id}");
            }
        }
        self.check_members();
        assert!(
            self.epoch() >= self.state.target_epoch,
            "targets_follow_the_epoch: {id}"
        );
    }

    fn check_members(&self) {
        let id = &self.base.id;
        let members = &self.state.members;
        let statics = members
            .iter()
            .filter_map(|(id, member)| Some((member.instance.clone()?, id.clone())));
        let statics: BTreeMap<InstanceId, MemberId> = statics.collect();
        assert_eq!(statics, self.statics, "one_member_an_instance_id: {id}");
        let classic = members.values().filter(|member| member.classic.is_some()).count();
        assert_eq!(classic, self.classic_members, "classic_members_are_counted: {id}");
        let votes: usize = members
            .values()
            .filter(|member| member.assignor.is_some())
            .count();
        assert_eq!(
            votes,
            self.votes.values().sum::<usize>(),
            "votes_are_counted: {id}"
        );
        assert!(
            members.keys().eq(self.timers.keys()),
            "members_have_timers_and_nobody_else: {id}"
        );
        for (member, timers) in &self.timers {
            assert!(
                timers.session.is_some(),
                "silent_members_are_noticed: {id} {member}"
            );
        }
        for (member, current) in &self.state.currents {
            let revoking = &current.revoking;
            let both = revoking.iter().any(|(topic, partitions)| {
                current
                    .assigned
                    .get(topic)
                    .is_some_and(|assigned| !assigned.is_disjoint(partitions))
            });
            assert!(!both, "a_partition_is_kept_or_given_back: {id} {member}");
        }
    }
}
