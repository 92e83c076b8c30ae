//! What the admin side is told: its port, implemented over the broker and the Kafka front end. Translation only.

use crate::group_facts;
use crate::listen::ConnectionCounts;
use futures_util::future::{BoxFuture, FutureExt};
use millstream_admin::{
    ApiMeasure, BrokerInfo, ClientMeasure, ConfigInfo, GroupDetail, GroupInfo, Latencies, Measures,
    PartitionInfo, Reading, ReadingKind, Source, TopicDetail, TopicInfo,
};
use millstream_broker::configs::resolve::{ConfigEntry, ConfigSource};
use millstream_broker::{Broker, Topic};
use millstream_kafka::{ApiSnapshot, Kafka, LATENCY_BOUNDS_MICROS};
use millstream_log::objects::tier::TierStats;
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub struct Facts {
    /// What decides.
    pub broker: Broker,
    /// The Kafka front end.
    pub kafka: Arc<Kafka>,
    /// What the acceptors count.
    pub counts: Arc<ConnectionCounts>,
    /// Addresses on which Kafka clients are accepted.
    pub kafka_listeners: Vec<String>,
    /// Where data is kept.
    pub data_dir: String,
    /// Monotonic time of the start.
    pub started: Duration,
}

impl Source for Facts {
    fn broker(&self) -> BrokerInfo {
        BrokerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            broker_id: broker_id(&self.broker),
            cluster_id: self.broker.cluster_id(),
            kafka_listeners: self.kafka_listeners.clone(),
            data_dir: self.data_dir.clone(),
            uptime_seconds: self
                .broker
                .clock()
                .monotonic()
                .saturating_sub(self.started)
                .as_secs(),
        }
    }

    fn configs(&self) -> Vec<ConfigInfo> {
        self.broker
            .describe_broker_configs()
            .iter()
            .map(config_info)
            .collect()
    }

    fn topics(&self) -> Vec<TopicInfo> {
        self.broker
            .topics()
            .iter()
            .map(|topic| topic_info(topic))
            .collect()
    }

    fn topic(&self, name: &str) -> Option<TopicDetail> {
        let topic = self.broker.topic(name)?;
        Some(TopicDetail {
            topic: topic_info(&topic),
            partition_list: partitions(&self.broker, &topic),
            configs: self
                .broker
                .describe_topic_configs(&topic)
                .iter()
                .map(config_info)
                .collect(),
        })
    }

    fn groups(&self) -> BoxFuture<'_, Vec<GroupInfo>> {
        group_facts::list(&self.broker, &self.kafka).boxed()
    }

    fn group<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Option<GroupDetail>> {
        group_facts::detail(&self.broker, &self.kafka, id).boxed()
    }

    fn measures(&self) -> Measures {
        let mut readings = connection_readings(self);
        let log = self.broker.log_stats();
        readings.extend(log_readings(&log));
        readings.extend(log.second_tier.iter().flat_map(disk_cache_readings));
        readings.extend(queue_readings(&self.kafka));
        let apis = self.kafka.metrics.snapshot();
        Measures {
            readings,
            clients: client_measures(&self.kafka, self.broker.clock().monotonic()),
            apis: apis
                .iter()
                .filter(|api| api.requests > 0)
                .map(api_measure)
                .collect(),
        }
    }
}

fn broker_id(broker: &Broker) -> i32 {
    i32::try_from(broker.id()).unwrap_or(i32::MAX)
}

fn topic_info(topic: &Topic) -> TopicInfo {
    let mut info = TopicInfo {
        name: topic.name().to_owned(),
        id: topic.id().to_string(),
        internal: topic.is_internal(),
        partitions: topic.partitions(),
        records: 0,
        appended_records: 0,
        bytes: 0,
    };
    for partition in 0..topic.partitions() {
        if let Some(stream) = topic.stream(partition) {
            let bounds = stream.bounds();
            info.records += bounds.end.0.saturating_sub(bounds.start.0);
            info.appended_records += bounds.end.0;
            info.bytes += bounds.bytes;
        }
    }
    info
}

fn partitions(broker: &Broker, topic: &Topic) -> Vec<PartitionInfo> {
    let of_partition = |partition: u32| {
        let stream = topic.stream(partition)?;
        let bounds = stream.bounds();
        Some(PartitionInfo {
            partition,
            owner: broker_id(broker),
            epoch: stream.epoch().0,
            start_offset: bounds.start.0,
            end_offset: bounds.end.0,
            stable_offset: bounds.stable_end.0,
            local_offset: stream.local_start().0,
            bytes: bounds.bytes,
        })
    };
    (0..topic.partitions()).filter_map(of_partition).collect()
}

fn config_info(entry: &ConfigEntry) -> ConfigInfo {
    let source = match entry.source {
        ConfigSource::DynamicTopic => "topic",
        ConfigSource::DynamicBroker => "broker",
        ConfigSource::DynamicDefaultBroker => "all brokers",
        ConfigSource::StaticBroker => "start",
        ConfigSource::DynamicGroup => "group",
        ConfigSource::DynamicClientMetrics => "client metrics",
        ConfigSource::Default => "default",
    };
    ConfigInfo {
        name: entry.row.name.to_owned(),
        value: entry.value.clone(),
        source: source.to_owned(),
    }
}

fn counter(name: &'static str, help: &'static str, value: u64) -> Reading {
    let kind = ReadingKind::Counter;
    Reading {
        name,
        help,
        kind,
        value,
    }
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> Reading {
    let kind = ReadingKind::Gauge;
    Reading {
        name,
        help,
        kind,
        value,
    }
}

fn connection_readings(facts: &Facts) -> Vec<Reading> {
    let (received, sent) = facts.kafka.metrics.bytes_in_out();
    let (logins, failed_logins) = facts.kafka.metrics.logins();
    let counts = &facts.counts;
    vec![
        counter("logins", "Logins that succeeded, renewals among them", logins),
        counter("failed_logins", "Logins that failed", failed_logins),
        counter(
            "failed_tls_handshakes",
            "TLS handshakes that failed",
            counts.failed_handshakes(),
        ),
        gauge("connections", "Connections of clients open now", counts.open()),
        counter("accepted_connections", "Connections accepted", counts.accepted()),
        counter(
            "refused_connections",
            "Connections closed at once because too many were open",
            counts.refused(),
        ),
        counter(
            "panicked_connections",
            "Connections that ended by a panic",
            counts.panicked(),
        ),
        counter("received_bytes", "Bytes of requests", received),
        counter("sent_bytes", "Bytes of answers", sent),
    ]
}

fn queue_readings(kafka: &Kafka) -> Vec<Reading> {
    let letters = kafka.shares.queues.letters();
    vec![
        gauge(
            "share_sessions",
            "Sessions of members of share groups",
            kafka.shares.sessions() as u64,
        ),
        counter("dead_letters", "Dead letters written", letters.written),
        counter(
            "lost_dead_letters",
            "Records given up without a dead letter, because its topic did not take it",
            letters.lost,
        ),
    ]
}

fn log_readings(stats: &millstream_broker::LogStats) -> Vec<Reading> {
    vec![
        gauge("streams", "Streams open in the log", stats.streams),
        counter(
            "wal_groups",
            "Groups flushed by the write-ahead log",
            stats.wal_groups,
        ),
        counter(
            "wal_bytes",
            "Bytes written to the write-ahead log",
            stats.wal_bytes,
        ),
        counter("appended_batches", "Batches appended", stats.appended_batches),
        counter(
            "appended_bytes",
            "Bytes of batches appended",
            stats.appended_bytes,
        ),
        gauge(
            "unuploaded_bytes",
            "Durable bytes that are not in objects yet",
            stats.unuploaded_bytes,
        ),
        gauge(
            "tail_cache_bytes",
            "Memory of the tail cache",
            stats.tail_cache_bytes,
        ),
        gauge(
            "block_cache_bytes",
            "Memory of the block cache",
            stats.block_cache_bytes,
        ),
        counter(
            "block_cache_hits",
            "Blocks found in the block cache",
            stats.block_cache_hits,
        ),
        counter(
            "block_cache_misses",
            "Blocks not found in the block cache",
            stats.block_cache_misses,
        ),
        counter(
            "object_reads_held_microseconds",
            "How long reads of objects gave way to flushes of the write-ahead log on the same disk, summed over all reads",
            stats.reads_held_micros,
        ),
        counter(
            "object_put_bytes",
            "Bytes put into objects",
            stats.object_put_bytes,
        ),
        gauge("objects", "Objects that are live", stats.objects),
        gauge("object_bytes", "Bytes of live objects", stats.object_bytes),
        counter(
            "collected_objects",
            "Objects deleted by the collector",
            stats.objects_collected,
        ),
    ]
}

/// Shown only where there is a disk cache.
fn disk_cache_readings(stats: &TierStats) -> Vec<Reading> {
    vec![
        gauge(
            "block_cache_disk_on",
            "Whether the disk cache of blocks works; one that failed is off until the next start",
            u64::from(stats.is_on),
        ),
        gauge(
            "block_cache_disk_bytes",
            "Disk that the disk cache of blocks takes",
            stats.bytes,
        ),
        counter(
            "block_cache_disk_hits",
            "Pieces of objects found in the disk cache",
            stats.hits,
        ),
        counter(
            "block_cache_disk_misses",
            "Pieces of objects not found in the disk cache",
            stats.misses,
        ),
        counter(
            "block_cache_disk_written_bytes",
            "Bytes written to the disk cache",
            stats.written_bytes,
        ),
        counter(
            "block_cache_disk_dropped",
            "Pieces that the disk cache did not take: too large, or faster than the disk writes",
            stats.dropped,
        ),
        counter(
            "block_cache_disk_damaged",
            "Pieces that had changed in the disk cache and were read from the object store instead",
            stats.damaged,
        ),
        counter(
            "block_cache_disk_errors",
            "Operations of the disk cache that failed",
            stats.errors,
        ),
    ]
}

fn client_measures(kafka: &Kafka, now: Duration) -> Vec<ClientMeasure> {
    let pushed = kafka.telemetry.metrics(now).into_iter();
    let measures = pushed.map(|one| ClientMeasure {
        instance: one.instance_id,
        client: one.client_id,
        metric: one.metric,
        attributes: one.attributes,
        value: one.value,
    });
    measures.collect()
}

fn api_measure(api: &ApiSnapshot) -> ApiMeasure {
    let bounds = LATENCY_BOUNDS_MICROS
        .iter()
        .map(|micros| *micros as f64 / 1e6)
        .chain([f64::INFINITY]);
    ApiMeasure {
        api: api.name,
        latencies: Latencies {
            buckets: bounds.zip(api.buckets.iter().copied()).collect(),
            sum_seconds: api.micros as f64 / 1e6,
        },
    }
}
