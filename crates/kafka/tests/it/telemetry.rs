//! Client metrics through the protocol (KIP-714): subscribed to by settings, pushed, shown, and bounded.

use crate::harness::{Client, Server};
use bytes::Bytes;
use incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
use millstream_broker::testing::{Codec, batch};
use millstream_kafka_wire::*;
use std::time::Duration;

const CLIENT_METRICS: i8 = 16;
const SET: i8 = 0;
const DELETE: i8 = 1;

fn name(text: &str) -> Str {
    Str::from(text.to_owned())
}

async fn alter(client: &mut Client, subscription: &str, configs: &[(&str, Option<&str>)]) -> i16 {
    let configs = configs.iter().map(|(setting, value)| AlterableConfig {
        name: name(setting),
        config_operation: if value.is_some() { SET } else { DELETE },
        value: value.map(name),
    });
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: CLIENT_METRICS,
            resource_name: name(subscription),
            configs: configs.collect(),
        }],
        validate_only: false,
    };
    client.ask(&request).await.responses[0].error_code
}

async fn subscribe(client: &mut Client, id: Uuid) -> GetTelemetrySubscriptionsResponse {
    let request = GetTelemetrySubscriptionsRequest {
        client_instance_id: id,
    };
    client.ask(&request).await
}

async fn push(client: &mut Client, id: Uuid, subscription_id: i32, codec: i8, metrics: Bytes) -> i16 {
    let request = PushTelemetryRequest {
        client_instance_id: id,
        subscription_id,
        terminating: false,
        compression_type: codec,
        metrics,
    };
    client.ask(&request).await.error_code
}

/// A field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(length < 0x80);
    [&[number << 3 | 2, length][..], bytes].concat()
}

/// One gauge without attributes, as a client writes it.
fn gauge(metric: &str, value: f64) -> Bytes {
    let point = [&[4 << 3 | 1][..], &value.to_le_bytes()].concat();
    let metric = [field(1, metric.as_bytes()), field(5, &field(1, &point))].concat();
    field(1, &field(2, &field(2, &metric))).into()
}

#[tokio::test(start_paused = true)]
async fn what_is_subscribed_to_is_pushed_and_shown() {
    let server = Server::start().await;
    let mut client = server.connect();
    let settings = [
        ("metrics", Some("org.apache.kafka.producer.")),
        ("interval.ms", Some("1000")),
        ("match", Some("client_id=harn.*,client_software_name=test")),
    ];
    assert_eq!(alter(&mut client, "s", &settings).await, 0);
    let unknown = subscribe(&mut client, Uuid::ZERO).await;
    assert_ne!(unknown.client_instance_id, Uuid::ZERO, "it is given an id");
    assert!(
        unknown.requested_metrics.is_empty(),
        "its software is not known yet"
    );
    let hello = ApiVersionsRequest {
        client_software_name: name("test"),
        client_software_version: name("1"),
    };
    client.ask(&hello).await;
    let id = Uuid::from_u128(77);
    let wanted = subscribe(&mut client, id).await;
    assert_eq!((wanted.error_code, wanted.push_interval_ms), (0, 1000));
    assert_eq!(wanted.requested_metrics, [name("org.apache.kafka.producer.")]);
    let metric = "org.apache.kafka.producer.request.latency.avg";
    for (codec, value) in [
        (Codec::None, 1.5),
        (Codec::Gzip, 2.5),
        (Codec::Snappy, 3.5),
        (Codec::Lz4, 4.5),
        (Codec::Zstd, 5.5),
    ] {
        let plain = gauge(metric, value);
        let packed = match codec {
            Codec::None => plain,
            _ => batch::compress(codec, None, &plain).expect("it compresses"),
        };
        let bits = codec.bits().cast_signed();
        assert_eq!(
            push(&mut client, id, wanted.subscription_id, bits, packed).await,
            0,
            "{codec:?}"
        );
        let shown = server.kafka.telemetry.metrics(Duration::ZERO);
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].metric.as_str(), shown[0].value), (metric, value));
        assert_eq!(
            (shown[0].client_id.as_str(), shown[0].instance_id.clone()),
            ("harness", id.to_string())
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_breaks_a_rule_has_kafkas_code() {
    let server = Server::with(&[("telemetry.max.bytes", "1000")]).await;
    let mut client = server.connect();
    let settings = [("metrics", Some("*")), ("interval.ms", Some("1000"))];
    assert_eq!(alter(&mut client, "s", &settings).await, 0);
    let id = Uuid::from_u128(5);
    let wanted = subscribe(&mut client, id).await;
    assert_eq!(wanted.telemetry_max_bytes, 1000);
    assert_eq!(
        subscribe(&mut client, id).await.error_code,
        ErrorCode::THROTTLING_QUOTA_EXCEEDED.0
    );
    let ours = wanted.subscription_id;
    let bomb = batch::compress(Codec::Zstd, None, &vec![0; 20 << 20]).expect("it compresses");
    let cases = [
        (Uuid::ZERO, ours, 0, gauge("m", 1.0), ErrorCode::INVALID_REQUEST),
        (
            id,
            ours + 1,
            0,
            gauge("m", 1.0),
            ErrorCode::UNKNOWN_SUBSCRIPTION_ID,
        ),
        (
            id,
            ours,
            7,
            gauge("m", 1.0),
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        ),
        (id, ours, 0, vec![0; 1001].into(), ErrorCode::TELEMETRY_TOO_LARGE),
        (id, ours, 4, gauge("m", 1.0), ErrorCode::INVALID_RECORD),
        (id, ours, 0, vec![0xff; 10].into(), ErrorCode::INVALID_RECORD),
    ];
    for (id, subscription, codec, metrics, code) in cases {
        let found = push(&mut client, id, subscription, codec, metrics).await;
        assert_eq!(found, code.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    if bomb.len() <= 1000 {
        let found = push(&mut client, id, ours, 4, bomb).await;
        assert_eq!(found, ErrorCode::TELEMETRY_TOO_LARGE.0);
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_listed_described_and_gone_without_settings() {
    let server = Server::start().await;
    let mut client = server.connect();
    assert_eq!(alter(&mut client, "s", &[("interval.ms", Some("2000"))]).await, 0);
    let invalid = ErrorCode::INVALID_CONFIG.0;
    assert_eq!(
        alter(&mut client, "s", &[("interval.ms", Some("1"))]).await,
        invalid
    );
    assert_eq!(
        alter(&mut client, "s", &[("match", Some("client_id=("))]).await,
        invalid
    );
    assert_eq!(alter(&mut client, "s", &[("nonsense", Some("1"))]).await, invalid);
    let list = ListConfigResourcesRequest {
        resource_types: vec![CLIENT_METRICS],
    };
    let listed = client.ask(&list).await.config_resources;
    assert_eq!((listed.len(), listed[0].resource_name.as_str()), (1, "s"));
    let describe = DescribeConfigsRequest {
        resources: vec![describe_configs::DescribeConfigsResource {
            resource_type: CLIENT_METRICS,
            resource_name: name("s"),
            configuration_keys: None,
        }],
        include_synonyms: false,
        include_documentation: false,
    };
    let described = client.ask(&describe).await;
    let interval = &described.results[0].configs[0];
    assert_eq!(
        (interval.value.as_deref(), interval.config_source),
        (Some("2000"), 7)
    );
    assert_eq!(alter(&mut client, "s", &[("interval.ms", None)]).await, 0);
    assert!(client.ask(&list).await.config_resources.is_empty());
}
