//! Counters of the front end: requests and latencies by API, bytes in and out. Lock-free; read by the admin endpoint.

use millstream_kafka_wire::ApiKey;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds; one more bucket holds what is above.
pub const LATENCY_BOUNDS_MICROS: [u64; 14] = [
    100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

/// Room for every API number that Kafka has, and some that it may get.
const API_KEYS_MAX: usize = 128;

#[derive(Default)]
struct ApiCounters {
    requests: AtomicU64,
    micros: AtomicU64,
    buckets: [AtomicU64; LATENCY_BOUNDS_MICROS.len() + 1],
}

/// All counters of one front end.
pub struct ApiMetrics {
    apis: Vec<ApiCounters>,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    logins: AtomicU64,
    failed_logins: AtomicU64,
}

/// The counters of one API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSnapshot {
    /// Its name.
    pub name: &'static str,
    /// Requests answered.
    pub requests: u64,
    /// Sum of the times from decoded to answered, in microseconds.
    pub micros: u64,
    /// Requests by latency bucket (not cumulative); the last is above all bounds.
    pub buckets: Vec<u64>,
}

impl Default for ApiMetrics {
    fn default() -> Self {
        let apis = std::iter::repeat_with(ApiCounters::default)
            .take(API_KEYS_MAX)
            .collect();
        Self {
            apis,
            bytes_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            failed_logins: AtomicU64::new(0),
        }
    }
}

impl ApiMetrics {
    pub(crate) fn record(&self, key: ApiKey, took: Duration) {
        let Some(counters) = usize::try_from(key.code()).ok().and_then(|at| self.apis.get(at)) else {
            return;
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counters.requests.fetch_add(1, Relaxed);
        counters.micros.fetch_add(micros, Relaxed);
        let bucket = LATENCY_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        counters.buckets[bucket].fetch_add(1, Relaxed);
    }

    pub(crate) fn count_out(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn count_in(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn count_login(&self) {
        self.logins.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failed_login(&self) {
        self.failed_logins.fetch_add(1, Relaxed);
    }

    /// Logins that succeeded, renewals among them, and logins that failed.
    #[must_use]
    pub fn logins(&self) -> (u64, u64) {
        (self.logins.load(Relaxed), self.failed_logins.load(Relaxed))
    }

    /// Bytes of requests and of answers, lengths included.
    #[must_use]
    pub fn bytes_in_out(&self) -> (u64, u64) {
        (self.bytes_in.load(Relaxed), self.bytes_out.load(Relaxed))
    }

    /// The counters of every API that is served.
    #[must_use]
    pub fn snapshot(&self) -> Vec<ApiSnapshot> {
        let served = crate::dispatch::TABLE.iter();
        served
            .filter_map(|row| Some((row, self.apis.get(usize::try_from(row.key.code()).ok()?)?)))
            .map(|(row, counters)| ApiSnapshot {
                name: row.key.name(),
                requests: counters.requests.load(Relaxed),
                micros: counters.micros.load(Relaxed),
                buckets: counters
                    .buckets
                    .iter()
                    .map(|bucket| bucket.load(Relaxed))
                    .collect(),
            })
            .collect()
    }
}
