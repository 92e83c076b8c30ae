//! The invariants of a streams group, each with a name.
//!
//! Owns: nothing. Never: called on the request path.

use super::StreamsGroup;
use crate::group::record::TaskSet;
use std::collections::BTreeSet;

impl StreamsGroup {
    /// Panics with the name of the invariant that does not hold.
    pub fn check(&self) {
        let id = &self.base.id;
        if self.base.writes_in_flight == 0 {
            assert_eq!(
                self.state, self.base.durable.streams,
                "what_lives_is_what_is_written: {id}"
            );
        }
        let members = &self.state.members;
        assert!(
            members.keys().eq(self.timers.keys()),
            "members_have_sessions_and_nobody_else: {id}"
        );
        assert!(
            self.state
                .targets
                .keys()
                .all(|member| members.contains_key(member)),
            "only_members_have_targets: {id}"
        );
        assert!(
            self.epoch() >= self.state.target_epoch,
            "targets_follow_the_epoch: {id}"
        );
        let mut active = TaskSet::new();
        let mut of_processes = BTreeSet::new();
        for (member, current) in &self.state.currents {
            let told = members.get(member);
            assert!(told.is_some(), "only_members_have_tasks: {id} {member}");
            for task in current.assigned.active.iter().chain(&current.revoking.active) {
                assert!(
                    active.insert(task.clone()),
                    "a_task_is_active_once: {id} {task:?}"
                );
                assert!(
                    current.since.contains_key(task),
                    "active_tasks_have_an_epoch: {id} {task:?}"
                );
            }
            for task in current.assigned.all().chain(current.revoking.all()) {
                let place = (told.map(|told| told.process.clone()), task.clone());
                assert!(
                    of_processes.insert(place),
                    "a_process_has_a_task_once: {id} {task:?}"
                );
            }
        }
        let mut targeted = TaskSet::new();
        for task in self.state.targets.values().flat_map(|target| &target.active) {
            assert!(
                targeted.insert(task.clone()),
                "one_target_an_active_task: {id} {task:?}"
            );
        }
        if self.epoch() > self.state.target_epoch && !self.is_empty() {
            assert!(self.assigns_at.is_some(), "late_targets_are_on_their_way: {id}");
        }
    }
}
