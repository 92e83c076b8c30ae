//! Metadata, DescribeCluster, DescribeTopicPartitions: what clients learn first.

use crate::harness::Server;
use crate::requests::metadata_of;
use millstream_kafka_wire::describe_topic_partitions::{RequestCursor, TopicRequest};
use millstream_kafka_wire::metadata::MetadataRequestTopic;
use millstream_kafka_wire::*;

fn told(response: &MetadataResponse) -> Vec<(Option<&str>, i16, usize)> {
    let topics = response.topics.iter();
    topics
        .map(|topic| (topic.name.as_deref(), topic.error_code, topic.partitions.len()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn no_list_means_every_topic_and_an_empty_one_none_but_in_version_0() {
    let server = Server::start().await;
    server.topic("b", 2, &[]).await;
    server.topic("a", 1, &[]).await;
    let mut client = server.connect();
    let all = [(Some("a"), 0, 1), (Some("b"), 0, 2)];
    let empty = metadata_of(&[], true);
    assert_eq!(told(&client.call(0, &empty).await), all);
    assert_eq!(told(&client.call(1, &empty).await), []);
    let none = MetadataRequest {
        topics: None,
        ..empty
    };
    assert_eq!(told(&client.call(1, &none).await), all);
}

#[tokio::test(start_paused = true)]
async fn a_missing_topic_is_made_where_client_and_broker_allow_it() {
    let server = Server::with(&[("num.partitions", "3")]).await;
    let mut client = server.connect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    let asked = client.ask(&metadata_of(&["t"], false)).await;
    assert_eq!(told(&asked), [(Some("t"), unknown, 0)]);
    assert_eq!(
        told(&client.ask(&metadata_of(&["t", "t"], true)).await),
        [(Some("t"), 0, 3)]
    );
    // Before version 4 a client cannot forbid it.
    assert_eq!(
        told(&client.call(3, &metadata_of(&["u"], true)).await),
        [(Some("u"), 0, 3)]
    );
    let server = Server::with(&[("auto.create.topics.enable", "false")]).await;
    let asked = server.connect().ask(&metadata_of(&["t"], true)).await;
    assert_eq!(told(&asked), [(Some("t"), unknown, 0)]);
    assert!(server.broker.topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn invalid_and_colliding_names_are_told_as_such_whether_to_be_made_or_not() {
    let server = Server::start().await;
    server.topic("a.b", 1, &[]).await;
    let mut client = server.connect();
    let invalid = ErrorCode::INVALID_TOPIC_EXCEPTION.0;
    for create in [true, false] {
        let response = client.ask(&metadata_of(&["x y", "", "..", "fine"], create)).await;
        let codes: Vec<_> = response.topics.iter().map(|topic| topic.error_code).collect();
        let fine = if create {
            0
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0
        };
        assert_eq!(codes, [invalid, invalid, invalid, fine]);
        server
            .broker
            .delete_topic(&server.broker.topic_or_create("fine").await.unwrap())
            .await
            .unwrap();
    }
    let response = client.ask(&metadata_of(&["a_b"], true)).await;
    assert_eq!(response.topics[0].error_code, invalid);
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_found_by_its_id_and_only_where_the_version_has_ids() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let by_id = |name: Option<&str>, id| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: name.map(Str::from),
            topic_id: id,
        }]),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    let id = Uuid(server.broker.topic("t").unwrap().id().0);
    let response = client.call(12, &by_id(None, id)).await;
    assert_eq!(told(&response), [(Some("t"), 0, 1)]);
    let other = Uuid::from_u128(99);
    // The Java client's spelling of "no name", when it looks up what its group's pattern has found.
    let response = client.call(13, &by_id(Some(""), id)).await;
    assert_eq!(
        (response.topics[0].error_code, response.topics[0].name.as_deref()),
        (0, Some("t"))
    );
    let response = client.call(12, &by_id(None, other)).await;
    assert_eq!(told(&response), [(None, ErrorCode::UNKNOWN_TOPIC_ID.0, 0)]);
    assert_eq!(response.topics[0].topic_id, other);
    let both = client.call(12, &by_id(Some("t"), id)).await;
    assert_eq!(both.topics[0].error_code, ErrorCode::INVALID_REQUEST.0);
    let early = client.call(11, &by_id(Some("t"), id)).await;
    assert_eq!(early.topics[0].error_code, ErrorCode::INVALID_REQUEST.0);
}

#[tokio::test(start_paused = true)]
async fn this_node_leads_everything_and_its_listener_is_told() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let response = client.ask(&metadata_of(&["t"], false)).await;
    let broker = &response.brokers[0];
    assert_eq!(
        (broker.node_id, broker.host.as_str(), broker.port),
        (1, "broker.test", 9092)
    );
    assert_eq!((broker.rack.as_deref(), response.controller_id), (Some("r1"), 1));
    let partition = &response.topics[0].partitions[0];
    assert_eq!(
        (
            partition.leader_id,
            &partition.isr_nodes[..],
            &partition.replica_nodes[..]
        ),
        (1, &[1][..], &[1][..])
    );
    assert_eq!(
        response.topics[0].topic_authorized_operations,
        i32::MIN,
        "not asked"
    );
    assert_eq!(response.cluster_id.as_deref().map(str::len), Some(22));
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_are_not_brokers_are_refused() {
    let server = Server::start().await;
    let mut client = server.connect();
    for (endpoint_type, code) in [
        (1, ErrorCode::NONE),
        (2, ErrorCode::MISMATCHED_ENDPOINT_TYPE),
        (3, ErrorCode::UNSUPPORTED_ENDPOINT_TYPE),
    ] {
        let request = DescribeClusterRequest {
            endpoint_type,
            ..Default::default()
        };
        let response = client.ask(&request).await;
        assert_eq!(response.error_code, code.0);
        assert_eq!(response.error_message.is_none(), code == ErrorCode::NONE);
        assert_eq!(response.cluster_authorized_operations, i32::MIN);
    }
}

#[tokio::test(start_paused = true)]
async fn topics_come_page_by_page_and_every_partition_once() {
    let server = Server::start().await;
    for (name, partitions) in [("a", 3), ("b", 5), ("c", 1)] {
        server.topic(name, partitions, &[]).await;
    }
    let mut client = server.connect();
    for limit in [1, 2, 3, 4, 100, 0, -7] {
        let mut request = DescribeTopicPartitionsRequest {
            response_partition_limit: limit,
            ..Default::default()
        };
        let mut seen = Vec::new();
        loop {
            let response = client.ask(&request).await;
            let page: Vec<_> = response
                .topics
                .iter()
                .flat_map(|topic| {
                    topic
                        .partitions
                        .iter()
                        .map(|p| (topic.name.clone().unwrap(), p.partition_index))
                })
                .collect();
            assert!(page.len() <= limit.max(1) as usize);
            seen.extend(page);
            let Some(cursor) = response.next_cursor else { break };
            request.cursor = Some(RequestCursor {
                topic_name: cursor.topic_name,
                partition_index: cursor.partition_index,
            });
        }
        let expected = [("a", 3), ("b", 5), ("c", 1)];
        let expected = expected
            .into_iter()
            .flat_map(|(name, count)| (0..count).map(move |at| (Str::from(name), at)));
        assert_eq!(seen, expected.collect::<Vec<_>>(), "limit {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_goes_on_after_its_topic_was_deleted_and_names_what_is_missing() {
    let server = Server::start().await;
    server.topic("c", 2, &[]).await;
    let mut client = server.connect();
    let request = |names: &[&str], cursor: Option<(&str, i32)>| DescribeTopicPartitionsRequest {
        topics: names
            .iter()
            .map(|name| TopicRequest {
                name: Str::from(*name),
            })
            .collect(),
        response_partition_limit: 10,
        cursor: cursor.map(|(name, partition_index)| RequestCursor {
            topic_name: Str::from(name),
            partition_index,
        }),
    };
    let response = client.ask(&request(&[], Some(("b", 7)))).await;
    assert_eq!(response.topics[0].partitions.len(), 2);
    let response = client
        .ask(&request(&["c", "missing", "bad name", "c"], None))
        .await;
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|t| (t.name.as_deref().unwrap(), t.error_code))
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    assert_eq!(
        codes,
        [
            ("bad name", ErrorCode::INVALID_TOPIC_EXCEPTION.0),
            ("c", 0),
            ("missing", unknown)
        ]
    );
    let negative = client.ask(&request(&["c"], Some(("c", -1)))).await;
    assert_eq!(negative.topics[0].partitions.len(), 2);
}
