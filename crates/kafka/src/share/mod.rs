//! Share groups (KIP-932): the data side. Sessions of members with this broker, and how their requests become questions to the queues.
//!
//! Owns: share sessions, the translation of acknowledgements, the terms of a share group. Never: what becomes of a record
//! (the broker's queues decide), who is in a group (`group`). The APIs are `api/share_fetch.rs` and `api/share_acknowledge.rs`.
//!
//! **Invariant**: when a session ends, however it ends, what its member holds comes back to the group at once.

mod acks;
mod policy;
mod session;
#[cfg(test)]
mod tests;

pub(crate) use acks::{AckBatch, Renewal, settlements};
pub(crate) use session::{Place, SessionKey, ShareAsk};

use crate::connection::Peer;
use crate::errors::ErrorCode;
use millstream_broker::Broker;
use millstream_broker::queue::{Holder, QueueError, Queues, Settlement, Space, SubscriptionId};
use parking_lot::Mutex;
use policy::SharePolicies;
use session::{Ended, ShareSessions};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The space of names of Kafka's share groups among all subscriptions. Part of the stored format.
pub(crate) const SHARE_SPACE: Space = Space(1);

/// The data side of all share groups of this broker.
pub struct ShareGroups {
    /// What hands out records.
    pub queues: Queues,
    sessions: Arc<Mutex<ShareSessions>>,
    policies: Arc<SharePolicies>,
    runtime: Handle,
}

/// What one request may do.
#[derive(Clone, Debug)]
pub(crate) struct SessionTurn {
    /// The member as the queues know it.
    pub holder: Holder,
    /// What is to be fetched, in the order of service.
    pub places: Vec<Place>,
}

impl ShareGroups {
    pub(crate) fn new(broker: Broker, runtime: Handle) -> Self {
        let policies = Arc::new(SharePolicies::new(broker.clone()));
        let sessions_max = broker.settings().queues.sessions_max;
        Self {
            queues: Queues::new(broker, runtime.clone(), policies.clone()),
            sessions: Arc::new(Mutex::new(ShareSessions::new(sessions_max))),
            policies,
            runtime,
        }
    }

    /// How long a member of the group keeps a record.
    pub(crate) fn lock(&self, group: &str) -> Duration {
        self.policies.lock(group)
    }

    /// Whether a member of the group may renew its locks.
    pub(crate) fn may_renew(&self, group: &str) -> bool {
        self.policies.may_renew(group)
    }

    /// What the coordinator needs of the group's settings.
    pub(crate) fn terms(&self, group: &str) -> crate::group::ShareTerms {
        self.policies.terms(group)
    }

    /// Share sessions that are kept.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.lock().len()
    }

    /// The session's part of a ShareFetch.
    pub(crate) fn fetch(
        &self,
        key: &SessionKey,
        ask: &ShareAsk<'_>,
        peer: &Arc<Peer>,
    ) -> Result<SessionTurn, ErrorCode> {
        self.sessions.lock().fetch(key, ask, peer)
    }

    /// The session's part of a ShareAcknowledge, or of a last ShareFetch.
    pub(crate) fn acknowledge(&self, key: &SessionKey, epoch: i32) -> Result<SessionTurn, ErrorCode> {
        self.sessions.lock().acknowledge(key, epoch)
    }

    /// Takes a member's answer for one partition. Returns when it is durable.
    pub(crate) async fn settle(
        &self,
        group: &str,
        place: Place,
        holder: Holder,
        answer: &[Settlement],
    ) -> Result<(), QueueError> {
        self.queues
            .settle(&subscription(group, place), holder, answer)
            .await
    }

    /// The member ends its session: returns when what it held is back.
    pub(crate) async fn end(&self, key: &SessionKey) {
        let ended = self.sessions.lock().end(key);
        if let Some(ended) = ended {
            release(&self.queues, ended).await;
        }
    }

    /// A connection is gone, and with it the sessions that were opened on it.
    pub(crate) fn disconnected(&self, peer: &Arc<Peer>) {
        for ended in self.sessions.lock().disconnected(peer) {
            let queues = self.queues.clone();
            self.runtime.spawn(async move { release(&queues, ended).await });
        }
    }
}

async fn release(queues: &Queues, ended: Ended) {
    for place in ended.places {
        let subscription = subscription(&ended.group, place);
        // What fails here falls back when its lock runs out.
        if let Err(error) = queues.release_all(&subscription, ended.holder).await {
            tracing::debug!(group = &*ended.group, %error, "locks of a share session that ended run out by themselves");
        }
    }
}

/// The queue behind one partition of a group.
pub(crate) fn subscription(group: &str, place: Place) -> SubscriptionId {
    SubscriptionId {
        space: SHARE_SPACE,
        name: Arc::from(group),
        topic: millstream_broker::TopicId(place.topic.0),
        partition: place.partition,
    }
}

/// Ends the sessions of a connection when it is dropped, however that comes about.
pub(crate) struct ShareLink {
    pub kafka: Arc<crate::node::Kafka>,
    pub peer: Arc<Peer>,
}

impl Drop for ShareLink {
    fn drop(&mut self) {
        self.kafka.shares.disconnected(&self.peer);
    }
}
