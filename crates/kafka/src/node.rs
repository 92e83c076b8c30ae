//! The front end as one value: the broker, what clients are told of this node, and the state that connections share.

use crate::connection::Peer;
use crate::fetch_session::FetchSessions;
use crate::group::{Coordinator, CoordinatorConfig};
use crate::metrics::ApiMetrics;
use crate::share::ShareGroups;
use crate::telemetry::Telemetry;
use crate::transaction::TransactionCoordinator;
use millstream_broker::Broker;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Where clients are told to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// Name of the listener.
    pub listener: String,
    /// Host name or address; empty for the address on which a client reached this node (a listener on all addresses).
    pub host: String,
    /// Port.
    pub port: u16,
}

/// What is fixed at start.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// One for each listener.
    pub advertised: Vec<Advertised>,
    /// The rack of this node (Kafka: broker.rack).
    pub rack: Option<String>,
    /// The data directory's name, as DescribeLogDirs tells it.
    pub log_dir: String,
    /// Memory for all large requests that are read or in flight, in bytes. A frame that is larger takes all of it.
    pub request_bytes_max: usize,
    /// Fetch sessions that are kept (Kafka: max.incremental.fetch.session.cache.slots).
    pub fetch_sessions_max: usize,
}

/// The Kafka front end of one broker.
pub struct Kafka {
    /// What decides.
    pub broker: Broker,
    /// Counters.
    pub metrics: Arc<ApiMetrics>,
    /// Consumer groups.
    pub groups: Arc<Coordinator>,
    /// Share groups: their records and sessions.
    pub shares: ShareGroups,
    /// Metrics that clients push.
    pub telemetry: Telemetry,
    /// Transactions.
    pub transactions: TransactionCoordinator,
    pub(crate) config: KafkaConfig,
    pub(crate) fetch_sessions: FetchSessions,
    /// One permit a byte; all of them are `request_bytes_max`.
    pub(crate) request_bytes: Arc<Semaphore>,
    pub(crate) request_bytes_max: usize,
}

impl Kafka {
    /// A front end over `broker`.
    #[must_use]
    pub fn new(broker: Broker, config: KafkaConfig, coordinator: CoordinatorConfig) -> Arc<Kafka> {
        // A single acquisition is counted in 32 bits.
        let request_bytes_max = config.request_bytes_max.clamp(1, u32::MAX as usize);
        let request_bytes = Arc::new(Semaphore::new(request_bytes_max));
        let fetch_sessions = FetchSessions::new(config.fetch_sessions_max, broker.clock().wall_ms());
        let runtime = coordinator.runtime.clone();
        let groups = Arc::new(Coordinator::new(broker.clone(), coordinator));
        Arc::new(Kafka {
            shares: ShareGroups::new(broker.clone(), runtime.clone()),
            telemetry: Telemetry::new(&broker),
            transactions: TransactionCoordinator::new(broker.clone(), groups.clone(), runtime),
            groups,
            broker,
            metrics: Arc::default(),
            config,
            fetch_sessions,
            request_bytes,
            request_bytes_max,
        })
    }

    /// Fetch sessions that are kept.
    #[must_use]
    pub fn fetch_sessions(&self) -> usize {
        self.fetch_sessions.len()
    }

    /// Ends the work for groups of all kinds: whoever waits is told to ask elsewhere.
    pub async fn close(&self) {
        self.shares.queues.close();
        self.transactions.close().await;
        self.groups.close().await;
    }

    pub(crate) fn node_id(&self) -> i32 {
        i32::try_from(self.broker.id()).unwrap_or(i32::MAX)
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.broker.clock().monotonic()
    }

    /// The address for a client: that of its listener, or the one on which it reached this node where the listener names none.
    pub(crate) fn advertised(&self, peer: &Peer) -> Option<Advertised> {
        let all = &self.config.advertised;
        let named = all.iter().find(|address| address.listener == peer.listener);
        let mut address = named.or(all.first())?.clone();
        if address.host.is_empty() {
            address.host = peer.local.ip().to_canonical().to_string();
        }
        Some(address)
    }
}
