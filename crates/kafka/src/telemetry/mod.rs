//! Client metrics (KIP-714): which clients push what, what they pushed last, and who pushes too early.
//!
//! Owns: one entry a client instance, with its newest numbers. Never: the settings of subscriptions (the catalog's), or how
//! numbers are shown (the admin side's).
//!
//! **Invariant**: no more than `INSTANCES_MAX` instances and `SERIES_MAX` numbers are held; an instance that is silent for several of
//! its intervals is forgotten with its numbers.

pub(crate) mod otlp;
pub(crate) mod subscription;
#[cfg(test)]
mod tests;

use millstream_broker::{Broker, NamedKind};
use millstream_kafka_wire::Uuid;
use otlp::{Kind, Sample};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use subscription::{ClientFacts, MetricsSubscription, Wanted, wanted};

/// Client instances that are kept.
pub(crate) const INSTANCES_MAX: usize = 10_000;
/// Numbers that are kept of all of them, about 200 bytes each.
pub(crate) const SERIES_MAX: usize = 20_000;
/// Numbers of one instance: none crowds out the others.
const SERIES_PER_INSTANCE_MAX: usize = 500;
/// Intervals of silence after which an instance is forgotten, and the least time.
const SILENT_INTERVALS_MAX: u32 = 3;
const SILENCE_MIN: Duration = Duration::from_secs(60);

/// Why a client is refused (KIP-714 gives each its code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TelemetryError {
    /// It was here less than an interval ago.
    TooEarly,
    /// It has said goodbye.
    Ended,
    /// It pushes for a subscription that is no more.
    UnknownSubscription,
    /// There is no room for another client.
    Full,
}

/// One push whose bytes are still to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PushHead {
    pub instance: Uuid,
    pub subscription: i32,
    pub is_last: bool,
}

struct Instance {
    facts: ClientFacts,
    wanted: Wanted,
    asked_at: Option<Duration>,
    pushed_at: Option<Duration>,
    seen_at: Duration,
    /// It was refused in a way that makes it ask again at once.
    may_ask: bool,
    ended: bool,
    series: BTreeMap<(String, String), f64>,
}

impl Instance {
    fn interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.wanted.interval_ms))
    }

    fn is_gone(&self, now: Duration) -> bool {
        let silence = (self.interval() * SILENT_INTERVALS_MAX).max(SILENCE_MIN);
        self.ended || now.saturating_sub(self.seen_at) > silence
    }

    fn wants(&self, name: &str) -> bool {
        let fits = |prefix: &String| prefix == "*" || name.starts_with(prefix.as_str());
        self.wanted.metrics.iter().any(fits)
    }
}

#[derive(Default)]
struct Instances {
    // Ordered by id, so that pages show the same order each time.
    all: BTreeMap<[u8; 16], Instance>,
    series: usize,
}

/// One number that a client pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientMetric {
    /// Id of the client instance, as Kafka writes ids.
    pub instance_id: String,
    /// The client's own name for itself.
    pub client_id: String,
    /// Name of the metric.
    pub metric: String,
    /// What tells it from others of the name: `key=value,key=value`.
    pub attributes: String,
    /// The number: as it was pushed last, or the sum of what was pushed as differences.
    pub value: f64,
}

/// See the module.
#[derive(Default)]
pub struct Telemetry {
    subscriptions: RwLock<Arc<Vec<MetricsSubscription>>>,
    instances: Mutex<Instances>,
}

impl Telemetry {
    pub(crate) fn new(broker: &Broker) -> Self {
        let telemetry = Self::default();
        telemetry.refresh(broker);
        telemetry
    }

    /// Puts the subscriptions in force that the broker keeps.
    pub(crate) fn refresh(&self, broker: &Broker) {
        // Read under the lock, so that no older list replaces a newer one.
        let mut held = self.subscriptions.write();
        let all = broker.named_all(NamedKind::ClientMetrics).into_iter();
        // They were checked when they were set.
        let parsed = all.filter_map(|(_, values)| MetricsSubscription::parse(&values).ok());
        *held = Arc::new(parsed.collect());
    }

    fn wanted_of(&self, facts: &ClientFacts) -> Wanted {
        let subscriptions = self.subscriptions.read().clone();
        wanted(subscriptions.iter(), facts)
    }

    /// What the client is to push.
    pub(crate) fn subscribe(
        &self,
        id: Uuid,
        facts: ClientFacts,
        now: Duration,
    ) -> Result<Wanted, TelemetryError> {
        let wanted = self.wanted_of(&facts);
        let mut instances = self.instances.lock();
        let instance = instances.enter(id, facts, wanted.clone(), now)?;
        let early = instance
            .asked_at
            .is_some_and(|at| now.saturating_sub(at) < instance.interval());
        if early && !instance.may_ask {
            return Err(TelemetryError::TooEarly);
        }
        instance.may_ask = false;
        instance.asked_at = Some(now);
        instance.wanted = wanted.clone();
        Ok(wanted)
    }

    /// Whether a push is taken; its numbers come next, by `take`.
    pub(crate) fn admit(
        &self,
        head: &PushHead,
        facts: ClientFacts,
        now: Duration,
    ) -> Result<(), TelemetryError> {
        let wanted = self.wanted_of(&facts);
        let mut instances = self.instances.lock();
        let instance = instances.enter(head.instance, facts, wanted.clone(), now)?;
        if instance.ended {
            return Err(TelemetryError::Ended);
        }
        // The first push after a subscription comes when the client likes, and so does the last of all.
        let fresh = instance.asked_at > instance.pushed_at;
        let early = instance
            .pushed_at
            .is_some_and(|at| now.saturating_sub(at) < instance.interval());
        if early && !fresh && !head.is_last {
            return Err(TelemetryError::TooEarly);
        }
        if head.subscription != wanted.id {
            instance.may_ask = true;
            return Err(TelemetryError::UnknownSubscription);
        }
        instance.pushed_at = Some(now);
        Ok(())
    }

    /// The client sent what cannot be opened, and may ask at once what can be.
    pub(crate) fn let_ask(&self, id: Uuid) {
        if let Some(instance) = self.instances.lock().all.get_mut(&id.0) {
            instance.may_ask = true;
        }
    }

    /// Takes the numbers of a push that was admitted.
    pub(crate) fn take(&self, head: &PushHead, samples: Vec<Sample>) {
        let mut instances = self.instances.lock();
        let Instances { all, series } = &mut *instances;
        let Some(instance) = all.get_mut(&head.instance.0) else {
            return;
        };
        for sample in samples {
            if !instance.wants(&sample.name) {
                continue;
            }
            let key = (sample.name, sample.attributes);
            let is_known = instance.series.contains_key(&key);
            if !is_known && (*series >= SERIES_MAX || instance.series.len() >= SERIES_PER_INSTANCE_MAX) {
                continue;
            }
            *series += usize::from(!is_known);
            let value = instance.series.entry(key).or_default();
            *value = match sample.kind {
                Kind::Gauge | Kind::Total => sample.value,
                Kind::Delta => *value + sample.value,
            };
        }
        instance.ended |= head.is_last;
    }

    /// The newest numbers of every client that still pushes, in a stable order.
    #[must_use]
    pub fn metrics(&self, now: Duration) -> Vec<ClientMetric> {
        let mut instances = self.instances.lock();
        instances.forget_gone(now);
        let all = instances.all.iter().flat_map(|(id, instance)| {
            let instance_id = Uuid(*id).to_string();
            instance
                .series
                .iter()
                .map(move |((metric, attributes), value)| ClientMetric {
                    instance_id: instance_id.clone(),
                    client_id: instance.facts.client_id.clone(),
                    metric: metric.clone(),
                    attributes: attributes.clone(),
                    value: *value,
                })
        });
        all.collect()
    }
}

impl Instances {
    /// The instance of that id, made if there is room for it.
    fn enter(
        &mut self,
        id: Uuid,
        facts: ClientFacts,
        wanted: Wanted,
        now: Duration,
    ) -> Result<&mut Instance, TelemetryError> {
        if !self.all.contains_key(&id.0) && self.all.len() >= INSTANCES_MAX {
            self.forget_gone(now);
            if self.all.len() >= INSTANCES_MAX {
                return Err(TelemetryError::Full);
            }
        }
        let instance = self.all.entry(id.0).or_insert_with(|| Instance {
            facts: ClientFacts::default(),
            wanted,
            asked_at: None,
            pushed_at: None,
            seen_at: now,
            may_ask: false,
            ended: false,
            series: BTreeMap::new(),
        });
        instance.facts = facts;
        instance.seen_at = now;
        Ok(instance)
    }

    fn forget_gone(&mut self, now: Duration) {
        self.all.retain(|_, instance| !instance.is_gone(now));
        self.series = self.all.values().map(|instance| instance.series.len()).sum();
    }
}
