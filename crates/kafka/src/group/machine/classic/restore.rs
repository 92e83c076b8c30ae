//! A classic group as a restart finds it.
//!
//! Owns: nothing. **Invariant**: what members were doing is not stored, so each gets a fresh session and goes on, or is missed.

use super::member::Member;
use super::{ClassicGroup, ClassicState};
use crate::group::machine::base::Base;
use crate::state::Now;
use std::time::Duration;

impl ClassicGroup {
    pub fn restore(base: Base, now: Now) -> Self {
        let metadata = base.durable.metadata.clone();
        let mut group = ClassicGroup::new(base, now.wall_ms);
        if let Some(stored) = &metadata {
            group.since_ms = stored.since_ms;
            group.generation = stored.generation;
            group.protocol.clone_from(&stored.protocol);
            for member in &stored.members {
                let session = Duration::from_millis(u64::from(member.session_timeout_ms));
                let deadline = now.monotonic + session;
                let member = Member::restore(member, stored.protocol.as_ref(), deadline);
                if let Some(protocol_type) = &stored.protocol_type {
                    group.insert_member(member, protocol_type);
                }
            }
            group.leader.clone_from(&stored.leader);
            group.protocol_type.clone_from(&stored.protocol_type);
            if !group.members.is_empty() {
                group.state = ClassicState::Stable;
            }
            group.subscribed = group.read_subscriptions();
        }
        group
    }
}
