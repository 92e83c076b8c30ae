//! Throttling (KIP-13, KIP-124, KIP-219, KIP-599): what a request owes under its client's quotas, and the silence of a connection
//! that pays.
//!
//! Owns: how a wait that the broker asked for reaches the client (in the answer) and the connection (which is not read). Never: a
//! limit or a bucket (the broker's).
//!
//! **Invariant**: the answer goes out first, and tells the time; then the connection is not read for as long. A request of a cluster
//! without quotas costs one look.

use crate::dispatch::Call;
use crate::node::Kafka;
use futures_util::future::BoxFuture;
use millstream_broker::{QuotaKind, QuotaUser};
use millstream_kafka_wire::Str;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

/// Until when a connection is not read. Shared by the connection and its requests.
#[derive(Clone, Default)]
pub(crate) struct Muting(Arc<AtomicU64>);

impl Muting {
    fn until(&self, time: Duration) {
        self.0.fetch_max(nanos(time), Relaxed);
    }

    /// How long it still is not read; `now` is asked only where it ever was muted.
    pub fn left(&self, now: impl FnOnce() -> Duration) -> Duration {
        match self.0.load(Relaxed) {
            0 => Duration::ZERO,
            until => Duration::from_nanos(until).saturating_sub(now()),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What one request owes. There is none where nobody is limited.
pub(crate) struct Toll {
    kafka: Arc<Kafka>,
    user: Str,
    client_id: Str,
    muting: Muting,
    /// The longest wait that was asked for.
    wait_nanos: AtomicU64,
    /// Time in which the request was worked on, in finished turns.
    spent_nanos: AtomicU64,
    /// When the turn that runs began.
    turn_began_nanos: AtomicU64,
}

/// What a client is told then.
pub(crate) const QUOTA_EXCEEDED: &str =
    "the quota on creating and deleting partitions is exceeded; try again after the time told";

/// Too much was asked for at once too often; nothing was done.
pub(crate) struct QuotaExceeded;

impl Toll {
    pub fn of(kafka: &Arc<Kafka>, call: &Call) -> Option<Arc<Toll>> {
        kafka.broker.limits_any_client().then(|| {
            Arc::new(Toll {
                kafka: kafka.clone(),
                user: call.user(),
                client_id: call.client_id.clone().unwrap_or_default(),
                muting: call.muting.clone(),
                wait_nanos: AtomicU64::new(0),
                spent_nanos: AtomicU64::new(0),
                turn_began_nanos: AtomicU64::new(nanos(kafka.monotonic())),
            })
        })
    }

    fn who(&self) -> QuotaUser<'_> {
        QuotaUser {
            user: self.user.as_str(),
            client_id: self.client_id.as_str(),
        }
    }

    fn note(&self, wait: Duration) {
        self.wait_nanos.fetch_max(nanos(wait), Relaxed);
    }

    /// Notes that so much was used.
    pub fn charge(&self, kind: QuotaKind, amount: f64) {
        self.note(self.kafka.broker.charge(kind, self.who(), amount));
    }

    /// Whether the client still owes for what it used before; then it is told so.
    pub fn owes(&self, kind: QuotaKind) -> bool {
        let wait = self.kafka.broker.owed(kind, self.who());
        self.note(wait);
        !wait.is_zero()
    }

    /// The most that the client may use at once.
    pub fn burst(&self, kind: QuotaKind) -> Option<f64> {
        self.kafka.broker.burst(kind, self.who())
    }

    /// At the answer: what was spent is charged, the connection is muted. The time is what the answer tells.
    pub fn settle(&self) -> Duration {
        let now = self.kafka.monotonic();
        if self.kafka.broker.limits_requests() {
            let turn = nanos(now).saturating_sub(self.turn_began_nanos.load(Relaxed));
            let spent = self.spent_nanos.load(Relaxed) + turn;
            self.charge(QuotaKind::Request, spent as f64);
        }
        let wait = Duration::from_nanos(self.wait_nanos.load(Relaxed));
        if !wait.is_zero() {
            self.muting.until(now + wait);
        }
        wait
    }
}

impl Call {
    /// Notes that the request used so much.
    pub fn charge(&self, kind: QuotaKind, amount: f64) {
        if let Some(toll) = &self.toll {
            toll.charge(kind, amount);
        }
    }

    /// Asks to create or delete so many partitions (KIP-599). A client that can be told is refused while it owes; one that cannot
    /// is let through, and waits afterwards.
    pub fn mutate(&self, partitions: u32, can_be_told: CanBeTold) -> Result<(), QuotaExceeded> {
        let Some(toll) = &self.toll else { return Ok(()) };
        if can_be_told == CanBeTold::Yes && toll.owes(QuotaKind::Mutation) {
            return Err(QuotaExceeded);
        }
        toll.charge(QuotaKind::Mutation, f64::from(partitions));
        Ok(())
    }
}

/// Whether a client knows the error of an exceeded quota: by the version of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CanBeTold {
    /// From some version on.
    Yes,
    /// Before it.
    No,
}

impl CanBeTold {
    /// From this version on.
    pub fn from(first: i16, version: i16) -> Self {
        if version >= first { Self::Yes } else { Self::No }
    }
}

/// Milliseconds for an answer, rounded up: a client that comes back too early waits again.
pub(crate) fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

/// Measures the turns in which a request is worked on, where that is limited.
pub(crate) fn metered<'a, T: 'a>(work: BoxFuture<'a, T>, toll: Option<Arc<Toll>>) -> BoxFuture<'a, T> {
    match toll.filter(|toll| toll.kafka.broker.limits_requests()) {
        Some(toll) => Box::pin(Metered { work, toll }),
        None => work,
    }
}

struct Metered<'a, T> {
    work: BoxFuture<'a, T>,
    toll: Arc<Toll>,
}

impl<T> Future for Metered<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let began = nanos(self.toll.kafka.monotonic());
        self.toll.turn_began_nanos.store(began, Relaxed);
        let polled = self.work.as_mut().poll(context);
        let took = nanos(self.toll.kafka.monotonic()).saturating_sub(began);
        self.toll.spent_nanos.fetch_add(took, Relaxed);
        polled
    }
}
