//! StreamsGroupHeartbeat: joining, staying, learning of new tasks, and leaving, all in one call.
//!
//! Owns: who is admitted under which epoch, and which topology holds. **Invariant**: whatever is refused is refused before anything
//! changes.

use super::StreamsGroup;
use super::reconcile::{self, Others, Way};
use super::topology;
use crate::group::error::GroupError;
use crate::group::machine::{Turn, admit_epoch};
use crate::group::name::MemberId;
use crate::group::record::{Record, StreamsCurrent, StreamsMember, StreamsRecord, Topology};
use crate::group::streams::{StreamsBeaten, StreamsHeartbeat, StreamsStatus};
use millstream_broker::StreamsGroupSettings;
use std::sync::Arc;
use std::time::Duration;

const NO_TOPOLOGY: GroupError = GroupError::InvalidTopology("The group has no topology.");

impl StreamsGroup {
    pub(super) fn beat(
        &mut self,
        beat: &StreamsHeartbeat,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) -> Result<StreamsBeaten, GroupError> {
        if beat.epoch < 0 {
            return self.leave(beat, records, turn);
        }
        self.admit(beat)?;
        let topology = self.new_topology(beat)?;
        let was_empty = self.is_empty();
        if let Some(topology) = topology {
            self.emit(StreamsRecord::Topology(Some(topology)), records);
        }
        self.update_member(beat, records);
        self.follow(&beat.terms, was_empty, records, turn);
        self.retarget_if_due(records, turn);
        let id = &beat.member;
        let before = self.current(id);
        self.reconcile(beat, records);
        self.renew_session(id, beat.terms.session_timeout, turn);
        self.watch_revocation(id, turn);
        if beat.shuts_down {
            tracing::info!(group = %self.base.id, member = %id, "a member asks the whole application to end");
            self.shut_down_by = Some(id.clone());
        }
        let current = self.current(id);
        let is_told = beat.is_full() || current.assigned != before.assigned;
        let endpoints_epoch = self.endpoints_epoch();
        let knows_endpoints = endpoints_epoch == beat.endpoints_epoch;
        Ok(StreamsBeaten {
            member: id.clone(),
            epoch: current.epoch,
            interval: beat.terms.heartbeat_interval,
            assignment: is_told.then(|| current.assigned.clone()),
            statuses: self.statuses(id),
            missing: self
                .laid
                .as_ref()
                .map(|laid| laid.missing.clone())
                .unwrap_or_default(),
            endpoints_epoch,
            endpoints: (!knows_endpoints).then(|| self.endpoints()),
        })
    }

    /// Whether the first member of a group may join it so: asked before anything becomes a streams group for it.
    pub(super) fn check_founder(beat: &StreamsHeartbeat) -> Result<(), GroupError> {
        match &beat.topology {
            _ if beat.terms.size_max == 0 => Err(GroupError::GroupMaxSizeReached),
            Some(topology) => topology::check(topology),
            None => Err(NO_TOPOLOGY),
        }
    }

    fn admit(&self, beat: &StreamsHeartbeat) -> Result<(), GroupError> {
        let is_known = self.member(&beat.member).is_some();
        if !is_known {
            return match beat.epoch {
                0 if self.state.members.len() >= beat.terms.size_max => Err(GroupError::GroupMaxSizeReached),
                0 => Ok(()),
                _ => Err(GroupError::UnknownMemberId),
            };
        }
        check_epoch(beat, &self.current(&beat.member))
    }

    /// The topology that the member brings, if it becomes the group's.
    fn new_topology(&self, beat: &StreamsHeartbeat) -> Result<Option<Arc<Topology>>, GroupError> {
        let (present, brought) = match (&self.state.topology, &beat.topology) {
            (Some(present), Some(brought)) => (present, brought),
            (None, None) => return Err(NO_TOPOLOGY),
            (Some(_), None) => return Ok(None),
            (None, Some(brought)) => return topology::check(brought).map(|()| Some(brought.clone())),
        };
        let others = self.state.members.keys().filter(|id| **id != beat.member);
        match () {
            () if brought == present => Ok(None),
            // Nobody runs the old one any more.
            () if others.count() == 0 => topology::check(brought).map(|()| Some(brought.clone())),
            // It is told with each heartbeat that it is behind.
            () if brought.epoch < present.epoch => Ok(None),
            () => Err(GroupError::TopologyUpdate),
        }
    }

    /// Takes over what the member tells of itself; any news is a new epoch.
    fn update_member(&mut self, beat: &StreamsHeartbeat, records: &mut Vec<Record>) {
        let before = self.member(&beat.member).cloned();
        let before = before.as_deref();
        let after = StreamsMember {
            instance: beat.instance.clone().or_else(|| before?.instance.clone()),
            rack: beat.rack.clone().or_else(|| before?.rack.clone()),
            client: beat.client.clone(),
            rebalance_timeout_ms: beat
                .rebalance_timeout_ms
                .or_else(|| Some(before?.rebalance_timeout_ms))
                .unwrap_or_default(),
            topology_epoch: match (&beat.topology, before) {
                (Some(topology), _) => topology.epoch,
                (None, Some(before)) => before.topology_epoch,
                (None, None) => 0,
            },
            process: beat
                .process
                .clone()
                .or_else(|| Some(before?.process.clone()))
                .unwrap_or_else(|| Arc::from(beat.member.as_str())),
            endpoint: beat.endpoint.clone().or_else(|| before?.endpoint.clone()),
            tags: beat
                .tags
                .clone()
                .or_else(|| Some(before?.tags.clone()))
                .unwrap_or_default(),
        };
        if before != Some(&after) {
            self.emit(
                StreamsRecord::Member(beat.member.clone(), Some(Arc::new(after))),
                records,
            );
        }
    }

    /// A new epoch, if anything that it depends on has changed.
    fn follow(
        &mut self,
        terms: &StreamsGroupSettings,
        was_empty: bool,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) {
        let standbys = self.state.epoch.map(|epoch| epoch.standby_replicas);
        let is_new = !records.is_empty() || standbys != Some(terms.standby_replicas);
        if is_new || self.topics_moved(turn.facts) {
            self.raise_epoch_with(terms.standby_replicas, turn.facts, records);
        }
        let since = self
            .assigned_at
            .map_or(Duration::MAX, |at| turn.now.monotonic.saturating_sub(at));
        let wait = match was_empty {
            true => terms.initial_delay,
            false => terms.assignment_interval.saturating_sub(since),
        };
        self.assign_after(wait, turn);
    }

    /// The member's next step towards its target.
    fn reconcile(&mut self, beat: &StreamsHeartbeat, records: &mut Vec<Record>) {
        let id = &beat.member;
        let current = self.current(id);
        // Whoever begins anew has nothing, whatever it had.
        let current = match beat.epoch {
            0 if current.epoch != 0 => Arc::new(StreamsCurrent::default()),
            _ => current,
        };
        let others = self.others(id);
        let way = Way {
            target: &self.target(id),
            target_epoch: self.state.target_epoch,
            owned: beat.owned.as_ref(),
            others: &others,
        };
        let next = reconcile::next(&current, &way);
        if self.state.currents.get(id).is_none_or(|stored| **stored != next) {
            self.emit(StreamsRecord::Current(id.clone(), Some(Arc::new(next))), records);
        }
    }

    /// What the other members have.
    fn others(&self, id: &MemberId) -> Others {
        let mut others = Others::default();
        let process = self.member(id).map(|member| &member.process);
        for (other, current) in self.state.currents.iter().filter(|(other, _)| *other != id) {
            let held = [&current.assigned, &current.revoking];
            others
                .active
                .extend(held.iter().flat_map(|tasks| &tasks.active).cloned());
            if self.member(other).map(|member| &member.process) == process {
                others
                    .of_process
                    .extend(held.iter().flat_map(|tasks| tasks.all()).cloned());
            }
        }
        others
    }

    fn statuses(&self, id: &MemberId) -> Vec<(StreamsStatus, String)> {
        let mut statuses = Vec::new();
        let group_epoch = self.state.topology.as_ref().map_or(0, |topology| topology.epoch);
        let epoch = self.member(id).map_or(0, |member| member.topology_epoch);
        if epoch < group_epoch {
            let detail = format!(
                "The member's topology epoch {epoch} is behind the group's topology epoch {group_epoch}."
            );
            statuses.push((StreamsStatus::StaleTopology, detail));
        }
        statuses.extend(self.laid.as_ref().and_then(|laid| laid.fault.clone()));
        if self.assigns_at.is_some() {
            let detail = "Tasks are assigned when the configured delay is over.".to_owned();
            statuses.push((StreamsStatus::AssignmentDelayed, detail));
        }
        if let Some(by) = &self.shut_down_by {
            let detail = format!(
                "Streams group member {by} encountered a fatal error and requested a shutdown for the entire application."
            );
            statuses.push((StreamsStatus::ShutdownApplication, detail));
        }
        statuses
    }

    fn leave(
        &mut self,
        beat: &StreamsHeartbeat,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) -> Result<StreamsBeaten, GroupError> {
        if self.member(&beat.member).is_none() {
            return Err(GroupError::UnknownMemberId);
        }
        self.remove_member(&beat.member, records);
        self.raise_epoch(turn.facts, records);
        self.assign_after(Duration::ZERO, turn);
        Ok(StreamsBeaten {
            member: beat.member.clone(),
            epoch: beat.epoch,
            interval: Duration::ZERO,
            assignment: None,
            statuses: Vec::new(),
            missing: Vec::new(),
            endpoints_epoch: beat.endpoints_epoch,
            endpoints: None,
        })
    }
}

fn check_epoch(beat: &StreamsHeartbeat, current: &StreamsCurrent) -> Result<(), GroupError> {
    let owned = beat.owned.as_ref();
    admit_epoch(beat.epoch, current.epoch, current.previous_epoch, || {
        owned.is_some_and(|owned| owned.is_subset(&current.assigned))
    })
}
