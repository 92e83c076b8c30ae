//! The routes, called without a socket, over made-up numbers; and the listener's limit over a real one.

use crate::http::{Readiness, router, serve};
use crate::source::*;
use crate::{GROUP_SERIES_MAX, HTTP_CONNECTIONS_MAX, TOPIC_SERIES_MAX};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::{BoxFuture, FutureExt};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Numbers made up: so many topics and groups.
struct MadeUp {
    topics: usize,
    groups: usize,
}

fn topic_info(name: String) -> TopicInfo {
    TopicInfo {
        name,
        id: "AAAAAAAAAAAAAAAAAAAAAQ".to_owned(),
        internal: false,
        partitions: 1,
        records: 5,
        appended_records: 7,
        bytes: 900,
    }
}

fn group_info(id: String) -> GroupInfo {
    GroupInfo {
        id,
        kind: "classic".to_owned(),
        state: "Stable".to_owned(),
        members: 2,
        lag: Some(3),
    }
}

impl Source for MadeUp {
    fn broker(&self) -> BrokerInfo {
        BrokerInfo {
            version: "1.2.3".to_owned(),
            broker_id: 1,
            cluster_id: "c".to_owned(),
            kafka_listeners: vec!["127.0.0.1:9092".to_owned()],
            data_dir: "/d".to_owned(),
            uptime_seconds: 9,
        }
    }

    fn configs(&self) -> Vec<ConfigInfo> {
        Vec::new()
    }

    fn topics(&self) -> Vec<TopicInfo> {
        (0..self.topics).map(|n| topic_info(format!("t{n:04}"))).collect()
    }

    fn topic(&self, name: &str) -> Option<TopicDetail> {
        (name == "a/b c").then(|| TopicDetail {
            topic: topic_info(name.to_owned()),
            partition_list: Vec::new(),
            configs: Vec::new(),
        })
    }

    fn groups(&self) -> BoxFuture<'_, Vec<GroupInfo>> {
        async { (0..self.groups).map(|n| group_info(format!("g\"{n}"))).collect() }.boxed()
    }

    fn group<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<GroupDetail>> {
        async { None }.boxed()
    }

    fn measures(&self) -> Measures {
        let latencies = Latencies {
            buckets: vec![(0.001, 4), (f64::INFINITY, 1)],
            sum_seconds: 0.5,
        };
        let reading = Reading {
            name: "received_bytes",
            help: "Bytes read from clients",
            kind: ReadingKind::Counter,
            value: 42,
        };
        Measures {
            readings: vec![reading],
            clients: vec![ClientMeasure {
                instance: "AAAA".to_owned(),
                client: "app".to_owned(),
                metric: "org.apache.kafka.producer.connection.count".to_owned(),
                attributes: "".to_owned(),
                value: 2.5,
            }],
            apis: vec![ApiMeasure {
                api: "Produce",
                latencies,
            }],
        }
    }
}

async fn get(readiness: &Readiness, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router(readiness.clone()).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn ready(topics: usize, groups: usize) -> Readiness {
    let readiness = Readiness::default();
    readiness.ready(Arc::new(MadeUp { topics, groups }));
    readiness
}

#[tokio::test]
async fn a_recovering_broker_is_live_and_not_ready() {
    let readiness = Readiness::default();
    assert_eq!(get(&readiness, "/health").await.0, StatusCode::OK);
    for path in ["/ready", "/metrics", "/api/v1/topics", "/api/v1/broker"] {
        assert_eq!(
            get(&readiness, path).await.0,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}"
        );
    }
    readiness.ready(Arc::new(MadeUp { topics: 0, groups: 0 }));
    assert_eq!(get(&readiness, "/ready").await.0, StatusCode::OK);
}

#[tokio::test]
async fn names_are_taken_as_they_are_and_unknown_ones_say_so() {
    let readiness = ready(1, 0);
    let (status, body) = get(&readiness, "/api/v1/topics/a%2Fb%20c").await;
    assert_eq!(status, StatusCode::OK);
    let topic: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(topic["name"], "a/b c");
    let (status, body) = get(&readiness, "/api/v1/groups/nobody").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("there is no group nobody"), "{body}");
    assert_eq!(get(&readiness, "/no/such/page").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_can_be_changed_over_http() {
    let request = Request::post("/api/v1/topics").body(Body::empty()).unwrap();
    let answer = router(ready(0, 0)).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn metrics_hold_counters_histograms_and_labels_escaped() {
    let (_, text) = get(&ready(1, 1), "/metrics").await;
    for expected in [
        "millstream_received_bytes_total 42",
        "millstream_client_metric{client_instance_id=\"AAAA\",client_id=\"app\",metric=\"org.apache.kafka.producer.connection.count\",attributes=\"\"} 2.5",
        "millstream_request_seconds_count{api=\"Produce\"} 5",
        "millstream_request_seconds_bucket{le=\"0.001\",api=\"Produce\"} 4",
        "millstream_request_seconds_bucket{le=\"+Inf\",api=\"Produce\"} 5",
        "millstream_topic_appended_records_total{topic=\"t0000\"} 7",
        "millstream_group_lag_records{group=\"g\\\"0\"} 3",
        "millstream_series_left_out 0",
        "millstream_process_resident_memory_bytes",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_number_of_series_is_bounded() {
    let (_, text) = get(&ready(TOPIC_SERIES_MAX + 7, GROUP_SERIES_MAX + 5), "/metrics").await;
    assert_eq!(text.matches("millstream_topic_bytes{").count(), TOPIC_SERIES_MAX);
    assert_eq!(
        text.matches("millstream_group_lag_records{").count(),
        GROUP_SERIES_MAX
    );
    assert!(text.contains("millstream_series_left_out 12"));
}

#[tokio::test]
async fn the_description_names_every_route_of_the_api() {
    let (_, body) = get(&ready(0, 0), "/api/v1/openapi.json").await;
    let description: Value = serde_json::from_str(&body).unwrap();
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/broker",
            "/configs",
            "/groups",
            "/groups/{id}",
            "/topics",
            "/topics/{name}"
        ]
    );
}

#[tokio::test]
async fn the_console_loads_nothing_from_elsewhere() {
    let (status, page) = get(&Readiness::default(), "/").await;
    assert_eq!(status, StatusCode::OK);
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http://") && !outside.contains("https://"));
}

#[tokio::test]
async fn idle_connections_do_not_take_more_than_their_share() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, ready(0, 0), async {
        let _ = stopped.await;
    }));
    let mut idle = Vec::new();
    for _ in 0..HTTP_CONNECTIONS_MAX {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut waiting = TcpStream::connect(address).await.unwrap();
    waiting
        .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    drop(idle.pop());
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("live\n"), "{answer}");
    drop(idle);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
