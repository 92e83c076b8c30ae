//! GET /metrics: a snapshot of everything, taken at the scrape and written in the text format of Prometheus (OpenMetrics).
//!
//! No number lives here; there is no registry to keep in step. Labels are bounded: topics and groups beyond the limits are left
//! out of the labelled series, and `millstream_series_left_out` says how many.

use crate::api::Ready;
use crate::process::{Usage, usage};
use crate::source::{GroupInfo, Latencies, Measures, ReadingKind, TopicInfo};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;

/// Topics that get series of their own.
pub const TOPIC_SERIES_MAX: usize = 1_000;

/// Groups that get series of their own.
pub const GROUP_SERIES_MAX: usize = 1_000;

/// Numbers of clients that get series of their own.
pub const CLIENT_SERIES_MAX: usize = 5_000;

/// Put before every name.
const PREFIX: &str = "millstream";

/// The content type of OpenMetrics text.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route's handler.
pub async fn handler(Ready(source): Ready) -> Response {
    let snapshot = Snapshot {
        measures: source.measures(),
        topics: source.topics(),
        groups: source.groups().await,
        usage: usage(),
    };
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text(snapshot)).into_response()
}

/// Everything at one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub measures: Measures,
    pub topics: Vec<TopicInfo>,
    pub groups: Vec<GroupInfo>,
    pub usage: Usage,
}

/// The snapshot as OpenMetrics text.
pub fn text(snapshot: Snapshot) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("writing to a string cannot fail");
    text
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_readings(&mut encoder)?;
        self.encode_requests(&mut encoder)?;
        self.encode_topics(&mut encoder)?;
        self.encode_groups(&mut encoder)?;
        self.encode_clients(&mut encoder)?;
        self.encode_usage(&mut encoder)
    }
}

impl Snapshot {
    fn encode_readings(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for reading in &self.measures.readings {
            match reading.kind {
                ReadingKind::Counter => counter(encoder, reading.name, reading.help, reading.value as f64)?,
                ReadingKind::Gauge => gauge(encoder, reading.name, reading.help, reading.value as f64)?,
            }
        }
        Ok(())
    }

    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time from a request's last byte to its answer's first byte";
        let mut family = encoder.encode_descriptor("request_seconds", help, None, MetricType::Histogram)?;
        for measure in &self.measures.apis {
            let label = [("api", measure.api)];
            let of_api = family.encode_family(&label)?;
            encode_latencies(of_api, &measure.latencies)?;
        }
        Ok(())
    }

    fn encode_topics(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shown = &self.topics[..self.topics.len().min(TOPIC_SERIES_MAX)];
        type Number = fn(&TopicInfo) -> u64;
        let families: [(&str, &str, MetricType, Number); 4] = [
            (
                "topic_appended_records",
                "Sum of the end offsets",
                MetricType::Counter,
                |t| t.appended_records,
            ),
            ("topic_records", "Records kept", MetricType::Gauge, |t| t.records),
            ("topic_bytes", "Bytes kept", MetricType::Gauge, |t| t.bytes),
            ("topic_partitions", "Partitions", MetricType::Gauge, |t| {
                u64::from(t.partitions)
            }),
        ];
        for (name, help, kind, number) in families {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for topic in shown {
                let label = [("topic", topic.name.as_str())];
                let mut one = family.encode_family(&label)?;
                match kind {
                    MetricType::Counter => {
                        one.encode_counter::<NoLabelSet, u64, u64>(&number(topic), None)?
                    }
                    _ => one.encode_gauge(&saturated(number(topic)))?,
                }
            }
        }
        let left_out = (self.topics.len() - shown.len())
            + self.groups.len().saturating_sub(GROUP_SERIES_MAX)
            + self.measures.clients.len().saturating_sub(CLIENT_SERIES_MAX);
        let help = "Topics, groups and numbers of clients that have no series of their own because there are too many";
        gauge(encoder, "series_left_out", help, left_out as f64)
    }

    fn encode_groups(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let shown = &self.groups[..self.groups.len().min(GROUP_SERIES_MAX)];
        let help = "Records between a group's committed offsets and the ends";
        let mut lag = encoder.encode_descriptor("group_lag_records", help, None, MetricType::Gauge)?;
        for group in shown {
            if let Some(records) = group.lag {
                let label = [("group", group.id.as_str())];
                lag.encode_family(&label)?.encode_gauge(&saturated(records))?;
            }
        }
        let mut members =
            encoder.encode_descriptor("group_members", "Members of a group", None, MetricType::Gauge)?;
        for group in shown {
            let label = [("group", group.id.as_str())];
            members
                .encode_family(&label)?
                .encode_gauge(&i64::from(group.members))?;
        }
        Ok(())
    }

    fn encode_clients(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let clients = &self.measures.clients;
        let shown = &clients[..clients.len().min(CLIENT_SERIES_MAX)];
        let help = "What a client pushed of itself (KIP-714), by its own names";
        let mut family = encoder.encode_descriptor("client_metric", help, None, MetricType::Gauge)?;
        for measure in shown {
            let labels = [
                ("client_instance_id", measure.instance.as_str()),
                ("client_id", measure.client.as_str()),
                ("metric", measure.metric.as_str()),
                ("attributes", measure.attributes.as_str()),
            ];
            family.encode_family(&labels)?.encode_gauge(&measure.value)?;
        }
        Ok(())
    }

    fn encode_usage(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(seconds) = self.usage.cpu_seconds {
            counter(
                encoder,
                "process_cpu_seconds",
                "Processor time of all threads",
                seconds,
            )?;
        }
        if let Some(bytes) = self.usage.resident_bytes {
            gauge(
                encoder,
                "process_resident_memory_bytes",
                "Resident memory",
                bytes as f64,
            )?;
        }
        if let Some(files) = self.usage.open_files {
            gauge(encoder, "process_open_fds", "Open file descriptors", files as f64)?;
        }
        Ok(())
    }
}

fn encode_latencies(
    mut encoder: prometheus_client::encoding::MetricEncoder<'_>,
    latencies: &Latencies,
) -> fmt::Result {
    // The library writes an upper bound of f64::MAX as "+Inf".
    let buckets: Vec<(f64, u64)> = latencies
        .buckets
        .iter()
        .map(|(bound, count)| (*bound, *count))
        .collect();
    encoder.encode_histogram::<NoLabelSet>(latencies.sum_seconds, latencies.count(), &buckets, None)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, None, MetricType::Counter)?
        .encode_counter::<NoLabelSet, f64, u64>(&value, None)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, None, MetricType::Gauge)?
        .encode_gauge(&value)
}

/// Gauges are signed in the text format's library.
fn saturated(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
