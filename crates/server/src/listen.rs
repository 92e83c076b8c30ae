//! Listeners of the data path: bind, accept, one task for each connection, drain.
//!
//! Append path: **first stop**. Takes a connection permit, then hands the socket to the front end. Never: reads a byte of it.
//!
//! Which connections are served is decided by a gate (the broker's limits on connections), under the bound of this process.
//!
//! **Invariants**: connections open never exceed the limit; whatever a connection's task does, a panic included, ends that
//! connection only; after `serve` has returned no connection is left.

use crate::config::value::HostPort;
use millstream_broker::quota::connections::{Admission, ConnectionPermit};
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

/// How long accepting rests after an error such as "too many open files": the error stays until something is closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The longest that a connection which came too fast is held before it is closed: its place is worth more than the lesson.
const REFUSAL_HELD_MAX: Duration = Duration::from_secs(10);

/// A condition that lasts is logged once in this time, with the number of times that it occurred.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// Attempts at finding a port that is free for every address of a name, when port 0 was asked for.
const FREE_PORT_ATTEMPTS: u32 = 16;

/// Binds every address that the host has: `localhost` is 127.0.0.1 and ::1. Addresses that this machine does not have (no IPv6)
/// are left out as long as one is bound.
///
/// # Errors
/// When no address can be bound, or one that exists is taken.
pub async fn bind(address: &HostPort) -> io::Result<Vec<TcpListener>> {
    let mut addresses: Vec<SocketAddr> = lookup_host((address.host.as_str(), address.port))
        .await?
        .collect();
    if address.host.eq_ignore_ascii_case("localhost") {
        // Some hosts files name only one of the two; clients try both.
        addresses = vec![
            ([127, 0, 0, 1], address.port).into(),
            ([0u16, 0, 0, 0, 0, 0, 0, 1], address.port).into(),
        ];
    }
    addresses.dedup();
    let mut attempts = 0;
    loop {
        match bind_all(&addresses).await {
            // The port that was free for the first address is taken on the second.
            Err(error)
                if address.port == 0
                    && error.kind() == io::ErrorKind::AddrInUse
                    && attempts < FREE_PORT_ATTEMPTS =>
            {
                attempts += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn bind_all(addresses: &[SocketAddr]) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        let mut address = *address;
        if let Some(first) = listeners.first() {
            address.set_port(first.local_addr()?.port());
        }
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => refused = error,
        }
    }
    if listeners.is_empty() {
        Err(refused)
    } else {
        Ok(listeners)
    }
}

/// Bounds of the listeners together.
#[derive(Clone, Copy, Debug)]
pub struct AcceptLimits {
    /// Connections open at once.
    pub connections_max: usize,
    /// How long connections may take to finish when the broker stops.
    pub grace: Duration,
}

/// Counts of connections, for metrics.
#[derive(Debug, Default)]
pub struct ConnectionCounts {
    open: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    panicked: AtomicU64,
    failed_handshakes: AtomicU64,
}

impl ConnectionCounts {
    /// Open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// Accepted since the start.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// Closed at once since the start, because too many were open.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Ended by a panic since the start.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.panicked.load(Relaxed)
    }

    /// Ended since the start because no TLS came about.
    #[must_use]
    pub fn failed_handshakes(&self) -> u64 {
        self.failed_handshakes.load(Relaxed)
    }

    /// Counts one of those.
    pub fn count_failed_handshake(&self) {
        self.failed_handshakes.fetch_add(1, Relaxed);
    }
}

/// Decides whether a connection from an address is served.
pub type Gate = Arc<dyn Fn(IpAddr) -> Admission + Send + Sync>;

/// What happened next at a listener.
enum Event {
    Stop,
    Ended(Result<(), JoinError>),
    Accepted(io::Result<(TcpStream, SocketAddr)>),
}

/// Accepts on one listener and runs `handle` for each connection, in a task of its own.
pub struct Acceptor {
    listener: TcpListener,
    limits: AcceptLimits,
    permits: Arc<Semaphore>,
    counts: Arc<ConnectionCounts>,
    gate: Gate,
    tasks: JoinSet<()>,
    full: Occasional,
    failing: Occasional,
}

impl Acceptor {
    /// One acceptor for each listener, under one limit.
    #[must_use]
    pub fn all(
        listeners: Vec<TcpListener>,
        limits: AcceptLimits,
        counts: &Arc<ConnectionCounts>,
        gate: &Gate,
    ) -> Vec<Self> {
        let permits = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
        let of_listener = |listener| Self {
            listener,
            limits,
            permits: permits.clone(),
            counts: counts.clone(),
            gate: gate.clone(),
            tasks: JoinSet::new(),
            full: Occasional::default(),
            failing: Occasional::default(),
        };
        listeners.into_iter().map(of_listener).collect()
    }

    /// Accepts until `stop` turns true, then waits for the connections within the grace time and cuts what is left.
    ///
    /// `handle` is told of the stop by its own clone of the receiver.
    pub async fn serve<H, F>(mut self, handle: H, mut stop: watch::Receiver<bool>)
    where
        H: Fn(TcpStream, SocketAddr) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        loop {
            let event = tokio::select! {
                biased;
                // An error means that the sender is gone: nobody is left who could say stop in an orderly way.
                _ = stop.wait_for(|stopping| *stopping) => Event::Stop,
                Some(ended) = self.tasks.join_next() => Event::Ended(ended),
                accepted = self.listener.accept() => Event::Accepted(accepted),
            };
            match event {
                Event::Stop => break,
                Event::Ended(ended) => self.note_end(ended),
                Event::Accepted(Ok((stream, peer))) => {
                    let pause = self.admit(stream, peer, &handle);
                    if !pause.is_zero() {
                        tokio::select! {
                            biased;
                            _ = stop.wait_for(|stopping| *stopping) => {}
                            () = sleep(pause) => {}
                        }
                    }
                }
                Event::Accepted(Err(error)) => {
                    if let Some(times) = self.failing.occurred() {
                        tracing::warn!(%error, times, "connections are not accepted; clients try again");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        self.drain().await;
    }

    /// Serves the connection, or closes it. Answers how long accepting rests.
    fn admit<H, F>(&mut self, stream: TcpStream, peer: SocketAddr, handle: &H) -> Duration
    where
        H: Fn(TcpStream, SocketAddr) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            let limit = self.limits.connections_max;
            self.refuse(peer, format_args!("limits.connections_max, {limit}, are open"));
            return Duration::ZERO;
        };
        let (admitted, pause) = match (self.gate)(peer.ip()) {
            Admission::Admitted { permit, pause } => (permit, pause),
            Admission::Full { max } => {
                self.refuse(peer, format_args!("max.connections, {max}, are open"));
                return Duration::ZERO;
            }
            Admission::FullForAddress { max } => {
                self.refuse(
                    peer,
                    format_args!("its address has max.connections.per.ip, {max}, open"),
                );
                return Duration::ZERO;
            }
            Admission::TooFast(wait) => {
                self.refuse(peer, format_args!("its address opens them faster than its quota"));
                self.tasks.spawn(async move {
                    // Closed at once it would be tried again at once. It counts as open for this process all the while.
                    sleep(wait.min(REFUSAL_HELD_MAX)).await;
                    drop((stream, permit));
                });
                return Duration::ZERO;
            }
        };
        // Answers are written whole; waiting to fill a segment would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "the connection was gone before it was served");
            return pause;
        }
        self.counts.accepted.fetch_add(1, Relaxed);
        self.counts.open.fetch_add(1, Relaxed);
        let counts = self.counts.clone();
        let serving = handle(stream, peer);
        self.tasks.spawn(async move {
            // A guard, so that a panic, too, gives the permit back and is counted out.
            let _open = OpenGuard {
                counts,
                _permit: permit,
                _admitted: admitted,
            };
            serving.await;
        });
        pause
    }

    fn refuse(&mut self, peer: SocketAddr, why: std::fmt::Arguments<'_>) {
        self.counts.refused.fetch_add(1, Relaxed);
        if let Some(times) = self.full.occurred() {
            tracing::warn!(%peer, times, "connection closed: {why}");
        }
    }

    fn note_end(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.counts.panicked.fetch_add(1, Relaxed);
            // The panic hook has logged where it happened.
            tracing::error!("a connection ended by a panic; please report it");
        }
    }

    async fn drain(&mut self) {
        let left = self.tasks.len();
        let grace = self.limits.grace;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(grace, all).await.is_err() {
            tracing::warn!(
                left,
                ?grace,
                "connections are cut: their requests took longer than limits.shutdown_grace"
            );
            self.tasks.shutdown().await;
        }
    }
}

struct OpenGuard {
    counts: Arc<ConnectionCounts>,
    _permit: tokio::sync::OwnedSemaphorePermit,
    _admitted: ConnectionPermit,
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Relaxed);
    }
}

/// Says now and then how often something occurred, so that a storm of it does not fill the disk.
#[derive(Default)]
struct Occasional {
    last: Option<Instant>,
    times: u64,
}

impl Occasional {
    /// Counts; the number since the last time it was worth a line, when it is worth one now.
    fn occurred(&mut self) -> Option<u64> {
        self.times += 1;
        let now = Instant::now();
        if self
            .last
            .is_some_and(|last| now.duration_since(last) < WARNING_INTERVAL)
        {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
