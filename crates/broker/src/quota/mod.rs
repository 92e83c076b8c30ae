//! Quotas: who may use how much, what was used, and how long to wait for more.
//!
//! Owns: the decision on every path that is limited; the limits in force and the buckets of their users. Never: a wire format,
//! or the waiting itself (a front end answers first, then stops reading the connection).
//!
//! **Invariant**: a request takes a fixed number of look-ups, and none where nobody is limited; no lock is held across an await.

pub mod bucket;
pub mod change;
pub mod connections;
pub mod entity;
pub mod table;

use crate::Broker;
use arc_swap::ArcSwap;
use bucket::{Buckets, Rate, TokenBucket};
use millstream_meta::catalog::NamedKind;
use parking_lot::Mutex;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use table::{QuotaKind, QuotaTable, Share};

/// Who asks, as quotas see it.
#[derive(Clone, Copy, Debug)]
pub struct QuotaUser<'a> {
    /// The principal's name, without its type.
    pub user: &'a str,
    /// What the client calls itself; empty if it does not.
    pub client_id: &'a str,
}

/// How long a burst is, by kind: a limit's user may use what these seconds give at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaWindows {
    /// Of bytes and of processor time.
    pub usual_seconds: f64,
    /// Of partitions created and deleted.
    pub mutation_seconds: f64,
    /// The longest that a request is made to wait for processor time at once (quota.window.size.seconds).
    pub request_wait_max: Duration,
}

/// What is in force and what was used.
#[derive(Default)]
pub(crate) struct Quotas {
    table: ArcSwap<QuotaTable>,
    used: Mutex<Used>,
    pub connections: connections::Connections,
}

#[derive(Default)]
struct Used {
    buckets: Buckets,
    /// Room for a bucket's name, kept so that a request allocates none.
    name: String,
    shared: String,
}

impl Used {
    fn bucket(
        &mut self,
        kind: QuotaKind,
        share: Share,
        who: QuotaUser<'_>,
        rate: &Rate,
        now: Duration,
    ) -> &mut TokenBucket {
        let Self {
            buckets,
            name,
            shared,
        } = self;
        name.clear();
        shared.clear();
        // A user's name has no line break before which it could be taken for another's: its length comes first.
        let (user, client) = (who.user, who.client_id);
        let named = match share {
            Share::Both => write!(name, "{}\n{}\n{user}\n{client}", kind.key(), user.len()),
            Share::User => write!(name, "{}\nuser\n{user}", kind.key()),
            Share::Client => write!(name, "{}\nclient\n{client}", kind.key()),
        };
        named
            .and_then(|()| write!(shared, "{}\n*\n{}", kind.key(), rate.per_second))
            .expect("writing to a string cannot fail");
        buckets.bucket(name, shared, rate, now)
    }
}

impl Broker {
    /// Whether any user or client is limited in anything; if not, nobody need be asked about.
    #[must_use]
    pub fn limits_any_client(&self) -> bool {
        self.inner.quotas.table.load().limits_any_client()
    }

    /// Whether processor time is to be measured.
    #[must_use]
    pub fn limits_requests(&self) -> bool {
        self.inner.quotas.table.load().limits_anybody(QuotaKind::Request)
    }

    /// Notes that `amount` was used: bytes, nanoseconds (`Request`) or partitions. Answers how long the user is to be kept
    /// waiting before its next request.
    pub fn charge(&self, kind: QuotaKind, who: QuotaUser<'_>, amount: f64) -> Duration {
        let wait = self.with_bucket(kind, who, |bucket, rate, now| bucket.charge(rate, amount, now));
        let wait = wait.unwrap_or_default();
        match kind {
            // As Kafka: heartbeats, too, use processor time, and a member that is silent for long is taken for dead.
            QuotaKind::Request => wait.min(self.settings().quota_windows.request_wait_max),
            _ => wait,
        }
    }

    /// How long the user must still wait because of what it used before.
    #[must_use]
    pub fn owed(&self, kind: QuotaKind, who: QuotaUser<'_>) -> Duration {
        self.with_bucket(kind, who, |bucket, rate, now| bucket.wait(rate, now))
            .unwrap_or_default()
    }

    /// The most that may be used at once; `None` where there is no limit.
    #[must_use]
    pub fn burst(&self, kind: QuotaKind, who: QuotaUser<'_>) -> Option<f64> {
        let limit = self
            .inner
            .quotas
            .table
            .load()
            .find(kind, who.user, who.client_id)?;
        Some(self.rate(kind, limit.value).burst)
    }

    fn with_bucket<T>(
        &self,
        kind: QuotaKind,
        who: QuotaUser<'_>,
        act: impl FnOnce(&mut TokenBucket, &Rate, Duration) -> T,
    ) -> Option<T> {
        let limit = self
            .inner
            .quotas
            .table
            .load()
            .find(kind, who.user, who.client_id)?;
        let rate = self.rate(kind, limit.value);
        let now = self.inner.clock.monotonic();
        let mut used = self.inner.quotas.used.lock();
        Some(act(used.bucket(kind, limit.share, who, &rate, now), &rate, now))
    }

    fn rate(&self, kind: QuotaKind, value: f64) -> Rate {
        let windows = self.settings().quota_windows;
        match kind {
            // Percent of a processor, counted in nanoseconds.
            QuotaKind::Request => Rate::over(value / 100.0 * 1e9, windows.usual_seconds).forgiving(),
            QuotaKind::Mutation => Rate::over(value, windows.mutation_seconds),
            _ => Rate::over(value, windows.usual_seconds),
        }
    }

    /// Puts in force what the catalog's image says.
    pub(crate) fn refresh_quotas(&self) {
        // Held, so that no older image replaces a newer one.
        let _changing = self.inner.changing.lock();
        let image = self.inner.catalog.image();
        let table = QuotaTable::build(image.all_named(NamedKind::Quota));
        self.inner.quotas.table.store(Arc::new(table));
    }

    pub(crate) fn connection_rate_of(&self, address: std::net::IpAddr) -> Option<f64> {
        self.inner.quotas.table.load().connection_rate(address)
    }

    /// Buckets that are kept; for metrics and tests.
    #[must_use]
    pub fn quota_buckets(&self) -> usize {
        self.inner.quotas.used.lock().buckets.len()
    }
}
