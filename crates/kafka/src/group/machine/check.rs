//! The invariants of a shard, each with a name, for tests and for the simulator.
//!
//! Owns: nothing. Never: called on the request path, as it looks at everything.

use super::Shard;

impl Shard {
    /// Panics with the name of the invariant that does not hold.
    pub fn check(&self) {
        for (id, group) in &self.groups {
            assert!(!group.is_vacant(), "vacant_groups_are_forgotten: {id}");
            let base = group.base();
            assert_eq!(&base.id, id, "a_group_knows_its_name: {id}");
            let writes = self.pending.iter().filter(|pending| &pending.group == id).count();
            assert_eq!(writes, base.writes_in_flight, "writes_are_counted: {id}");
            let armed = base
                .armed_at
                .is_some_and(|at| self.timers.contains(&(at, id.clone())));
            assert_eq!(armed, base.armed_at.is_some(), "armed_timers_exist: {id}");
            let late = group
                .earliest_deadline()
                .is_some_and(|due| base.armed_at.is_none_or(|at| at > due));
            assert!(!late, "no_timer_is_late: {id}");
            group.check();
        }
        let armed = self
            .groups
            .values()
            .filter(|group| group.base().armed_at.is_some())
            .count();
        assert_eq!(armed, self.timers.len(), "one_timer_a_group");
        for pair in self.pending.iter().zip(self.pending.iter().skip(1)) {
            assert!(pair.0.token < pair.1.token, "writes_are_in_order");
        }
    }
}
