//! One member of a group.
//!
//! Owns: what the member asked for and which of its requests wait. Never: the group's state.
//! **Invariant**: a member has a deadline, or a request that waits.

use crate::group::answer::{DescribedMember, JoinedMember};
use crate::group::name::{InstanceId, MemberId, ProtocolName};
use crate::group::record::MemberMetadata;
use crate::group::request::{ClientInfo, JoinRequest, Protocol};
use crate::state::RequestId;
use bytes::Bytes;
use std::time::Duration;

#[derive(Debug)]
pub(in crate::group::machine) struct Member {
    pub id: MemberId,
    pub instance: Option<InstanceId>,
    pub client: ClientInfo,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    /// In order of preference; names differ.
    pub protocols: Vec<Protocol>,
    pub assignment: Bytes,
    /// Has never been answered a join: it cannot send heartbeats yet.
    pub is_new: bool,
    pub awaiting_join: Option<RequestId>,
    pub awaiting_sync: Option<RequestId>,
    /// When it is taken for gone, unless a request of it waits then.
    pub deadline: Option<Duration>,
}

/// Milliseconds of the wire; below zero is taken as zero.
pub(super) fn millis(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// A client that names a protocol twice has it once, at the first place: votes are counted by name.
pub(super) fn distinct(protocols: Vec<Protocol>) -> Vec<Protocol> {
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = protocols;
    kept.retain(|protocol| seen.insert(protocol.name.clone()));
    kept
}

impl Member {
    pub fn new(id: MemberId, join: JoinRequest, request: RequestId) -> Self {
        Self {
            id,
            instance: join.instance,
            client: join.client,
            session_timeout: millis(join.session_timeout_ms),
            rebalance_timeout: millis(join.rebalance_timeout_ms),
            protocols: join.protocols,
            assignment: Bytes::new(),
            is_new: true,
            awaiting_join: Some(request),
            awaiting_sync: None,
            deadline: None,
        }
    }

    /// A member as a restart finds it: of its protocols only the selected one is stored.
    pub fn restore(stored: &MemberMetadata, protocol: Option<&ProtocolName>, deadline: Duration) -> Self {
        let protocols = protocol.map(|name| Protocol {
            name: name.clone(),
            metadata: stored.metadata.clone(),
        });
        Self {
            id: stored.member.clone(),
            instance: stored.instance.clone(),
            client: ClientInfo {
                id: stored.client_id.clone(),
                host: stored.client_host.clone(),
            },
            session_timeout: Duration::from_millis(u64::from(stored.session_timeout_ms)),
            rebalance_timeout: Duration::from_millis(u64::from(stored.rebalance_timeout_ms)),
            protocols: protocols.into_iter().collect(),
            assignment: stored.assignment.clone(),
            is_new: false,
            awaiting_join: None,
            awaiting_sync: None,
            deadline: Some(deadline),
        }
    }

    /// Its metadata under a protocol; empty if it does not support it.
    pub fn metadata(&self, protocol: Option<&ProtocolName>) -> Bytes {
        let found = self.protocols.iter().find(|own| Some(&own.name) == protocol);
        found.map(|own| own.metadata.clone()).unwrap_or_default()
    }

    pub fn joined(&self, protocol: Option<&ProtocolName>) -> JoinedMember {
        JoinedMember {
            member: self.id.clone(),
            instance: self.instance.clone(),
            metadata: self.metadata(protocol),
        }
    }

    pub fn stored(&self, protocol: Option<&ProtocolName>, assignment: Bytes) -> MemberMetadata {
        let as_ms = |timeout: Duration| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        MemberMetadata {
            member: self.id.clone(),
            instance: self.instance.clone(),
            client_id: self.client.id.clone(),
            client_host: self.client.host.clone(),
            rebalance_timeout_ms: as_ms(self.rebalance_timeout),
            session_timeout_ms: as_ms(self.session_timeout),
            metadata: self.metadata(protocol),
            assignment,
        }
    }

    /// With its share and metadata if the group is stable, without otherwise.
    pub fn described(&self, stable_protocol: Option<&ProtocolName>) -> DescribedMember {
        let share = stable_protocol.map(|_| self.assignment.clone());
        DescribedMember {
            member: self.id.clone(),
            instance: self.instance.clone(),
            client_id: self.client.id.clone(),
            client_host: self.client.host.clone(),
            metadata: self.metadata(stable_protocol),
            assignment: share.unwrap_or_default(),
        }
    }
}
