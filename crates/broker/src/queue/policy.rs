//! On which terms a subscription hands out records. Front ends say; the queue core obeys.
//!
//! Owns: the words. Never: where a setting is kept (a front end's), or what it does (`subscription`).

use super::id::SubscriptionId;
use crate::Isolation;
use std::sync::Arc;
use std::time::Duration;

/// How records are handed out. Other ways (one consumer only, by key) join as variants, and as arms of `Subscription::acquire`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// Each record to one consumer at a time, under a lock with a deadline; whole batches as they lie in the log, until there are enough
    /// records: the cheapest for both sides.
    Batches,
    /// The same, but never more records than asked for.
    Records,
}

/// Where a subscription begins that nobody has used yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record.
    Earliest,
    /// What is appended from now on.
    Latest,
    /// The first record that is no older than this.
    Ago(Duration),
}

/// Where records go that are given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The topic; partition for partition, modulo its count.
    pub topic: String,
    /// Settings under which a missing topic is made; `None`: it is not made.
    pub create: Option<Vec<(String, Option<String>)>>,
    /// Why this topic may not take dead letters, if so: then records are given up without one.
    pub refused: Option<&'static str>,
    /// Whether key and value are copied; else the record bears its labels only.
    pub copies_record: bool,
    /// Names of the headers.
    pub labels: Labels,
}

/// Names of the headers that say where a dead letter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Name of the topic.
    pub topic: &'static str,
    /// Number of the partition.
    pub partition: &'static str,
    /// Offset in it.
    pub offset: &'static str,
    /// Who gave it up.
    pub subscription: &'static str,
    /// How often it was delivered.
    pub deliveries: &'static str,
    /// Why it was given up.
    pub reason: &'static str,
    /// The reason, when a consumer rejected it.
    pub rejected: &'static str,
    /// The reason, when it came back too often.
    pub undelivered: &'static str,
}

/// The terms of one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a consumer may keep a record before somebody else gets it.
    pub lock: Duration,
    /// Deliveries after which a record is given up.
    pub deliveries_max: u16,
    /// Records that may be handed out, or be back and wait, at a time. What is done costs no part of it.
    pub unsettled_max: u64,
    /// Where it begins.
    pub start: StartAt,
    /// What may be shown.
    pub isolation: Isolation,
    /// Where records go that are given up; `None`: nowhere.
    pub dead_letters: Option<Arc<DeadLetters>>,
}

/// Port: who knows the terms. Asked at every use, so that a changed setting holds from the next one on.
pub trait PolicySource: Send + Sync + 'static {
    /// The terms that hold now.
    fn policy(&self, subscription: &SubscriptionId) -> Arc<Policy>;
}
