//! The invariants of a classic group, each with a name.
//!
//! Owns: nothing. Never: called on the request path.

use super::{ClassicGroup, ClassicState, JoinPhase};
use std::collections::BTreeMap;

impl ClassicGroup {
    /// Panics with the name of the invariant that does not hold.
    pub fn check(&self) {
        let id = &self.base.id;
        let members = self.members.values();
        let awaiting = members
            .clone()
            .filter(|member| member.awaiting_join.is_some())
            .count();
        assert_eq!(awaiting, self.awaiting_join, "waiting_joins_are_counted: {id}");
        let mut support: BTreeMap<_, usize> = BTreeMap::new();
        for protocol in members.clone().flat_map(|member| &member.protocols) {
            *support.entry(protocol.name.clone()).or_default() += 1;
        }
        assert_eq!(support, self.support, "support_is_counted: {id}");
        let statics = members
            .clone()
            .filter_map(|member| Some((member.instance.clone()?, member.id.clone())));
        assert_eq!(
            statics.collect::<BTreeMap<_, _>>(),
            self.statics,
            "one_member_an_instance_id: {id}"
        );
        for member in members.clone() {
            let watched =
                member.deadline.is_some() || member.awaiting_join.is_some() || member.awaiting_sync.is_some();
            assert!(watched, "silent_members_are_noticed: {id} {}", member.id);
        }
        let preparing = self.state == ClassicState::PreparingRebalance;
        assert!(
            preparing || awaiting == 0,
            "joins_wait_only_while_members_join: {id}"
        );
        assert_eq!(
            preparing,
            self.phase != JoinPhase::Closed,
            "the_join_phase_has_an_end: {id}"
        );
        let completing = self.state == ClassicState::CompletingRebalance;
        let syncing = members.clone().any(|member| member.awaiting_sync.is_some());
        assert!(completing || !syncing, "syncs_wait_only_for_shares: {id}");
        assert!(
            !completing || self.assigning.is_some() || self.sync_deadline.is_some() || !syncing,
            "shares_come_or_time_out: {id}"
        );
        match self.state {
            ClassicState::Empty | ClassicState::Dead => {
                assert!(self.members.is_empty(), "an_empty_group_has_no_members: {id}")
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                assert!(!self.members.is_empty(), "a_generation_has_members: {id}");
                let leads = self
                    .leader
                    .as_ref()
                    .is_some_and(|leader| self.members.contains_key(leader));
                assert!(leads, "one_leader_a_generation: {id}");
                let common = self
                    .protocol
                    .as_ref()
                    .and_then(|protocol| self.support.get(protocol));
                assert_eq!(
                    common,
                    Some(&self.members.len()),
                    "all_support_the_selected_protocol: {id}"
                );
            }
            ClassicState::PreparingRebalance => {}
        }
    }
}
