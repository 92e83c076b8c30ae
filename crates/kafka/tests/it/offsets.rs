//! ListOffsets, OffsetForLeaderEpoch and DeleteRecords through the protocol.

use crate::harness::{Client, Server};
use crate::requests::*;
use millstream_broker::testing::{START_MS, batch_of};
use millstream_kafka_wire::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use millstream_kafka_wire::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use millstream_kafka_wire::*;

async fn list(client: &mut Client, version: i16, topic: &str, asked: &[(i32, i64)]) -> Vec<(i16, i64, i64)> {
    let partitions = asked
        .iter()
        .map(|(partition_index, timestamp)| ListOffsetsPartition {
            partition_index: *partition_index,
            timestamp: *timestamp,
            current_leader_epoch: -1,
        });
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: Str::from(topic),
            partitions: partitions.collect(),
        }],
        ..Default::default()
    };
    let response = client.call(version, &request).await;
    let partitions = response.topics[0].partitions.iter();
    partitions
        .map(|p| (p.error_code, p.offset, p.timestamp))
        .collect()
}

async fn server() -> Server {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    for _ in 0..2 {
        client
            .call(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["a", "b", "c"])))
            .await;
    }
    server
}

#[tokio::test(start_paused = true)]
async fn every_special_timestamp_is_answered_from_its_version_on() {
    let server = server().await;
    let mut client = server.connect();
    for (timestamp, from_version, answer) in [
        (-1, 1, (0, 6, -1)),
        (-2, 1, (0, 0, -1)),
        (-3, 7, (0, 2, START_MS + 2)),
        (-4, 8, (0, 0, -1)),
        (-5, 9, (0, -1, -1)),
        (-6, 11, (0, 0, -1)),
        (START_MS + 1, 1, (0, 1, START_MS + 1)),
        (0, 1, (0, 0, START_MS)),
        (START_MS + 3, 1, (0, -1, -1)),
    ] {
        for version in ApiKey::ListOffsets.stable_versions() {
            let told = list(&mut client, version, "t", &[(0, timestamp)]).await[0];
            if version >= from_version {
                assert_eq!(told, answer, "{timestamp} at v{version}");
            } else {
                assert_eq!(
                    told.0,
                    ErrorCode::UNSUPPORTED_VERSION.0,
                    "{timestamp} at v{version}"
                );
            }
        }
    }
    assert_eq!(
        list(&mut client, 11, "t", &[(0, -77)]).await[0].0,
        ErrorCode::UNSUPPORTED_VERSION.0
    );
}

#[tokio::test(start_paused = true)]
async fn partitions_that_are_missing_or_named_twice_are_refused() {
    let server = server().await;
    let mut client = server.connect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    let told = list(&mut client, 6, "t", &[(1, -1), (2, -1), (-1, -1)]).await;
    assert_eq!(told, [(0, 0, -1), (unknown, -1, -1), (unknown, -1, -1)]);
    assert_eq!(list(&mut client, 6, "nowhere", &[(0, -1)]).await[0].0, unknown);
    let invalid = ErrorCode::INVALID_REQUEST.0;
    let told = list(&mut client, 6, "t", &[(0, -1), (1, -1), (0, -2)]).await;
    let codes: Vec<_> = told.iter().map(|(code, ..)| *code).collect();
    assert_eq!(codes, [invalid, 0, invalid]);
}

#[tokio::test(start_paused = true)]
async fn an_epoch_ends_where_the_partition_does_and_later_ones_are_unknown() {
    let server = server().await;
    let mut client = server.connect();
    let epoch = i32::try_from(server.broker.topic("t").unwrap().stream(0).unwrap().epoch().0).unwrap();
    let mut ask = async |partition, current, wanted| {
        let request = OffsetForLeaderEpochRequest {
            replica_id: -1,
            topics: vec![offset_for_leader_epoch::OffsetForLeaderTopic {
                topic: Str::from_static("t"),
                partitions: vec![offset_for_leader_epoch::OffsetForLeaderPartition {
                    partition,
                    current_leader_epoch: current,
                    leader_epoch: wanted,
                }],
            }],
        };
        let answer = client.ask(&request).await.topics[0].partitions[0].clone();
        (answer.error_code, answer.leader_epoch, answer.end_offset)
    };
    assert_eq!(ask(0, -1, epoch).await, (0, epoch, 6));
    assert_eq!(ask(0, epoch, epoch + 1).await, (0, -1, -1));
    assert_eq!(
        ask(0, epoch + 1, epoch).await.0,
        ErrorCode::UNKNOWN_LEADER_EPOCH.0
    );
    assert_eq!(ask(7, -1, epoch).await.0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
    assert_eq!(
        ask(-7, -1, epoch).await.0,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0
    );
}

#[tokio::test(start_paused = true)]
async fn records_are_deleted_up_to_an_offset_and_refused_elsewhere_with_kafkas_codes() {
    let server = server().await;
    server
        .topic("compacted", 1, &[("cleanup.policy", "compact")])
        .await;
    server.broker.topic_or_create("__consumer_offsets").await.unwrap();
    let mut client = server.connect();
    for (topic, partition_index, offset, answer) in [
        ("t", 0, 2, (ErrorCode::NONE, 2)),
        ("t", 0, 1, (ErrorCode::NONE, 2)),
        ("t", 0, 7, (ErrorCode::OFFSET_OUT_OF_RANGE, -1)),
        ("t", 0, -2, (ErrorCode::OFFSET_OUT_OF_RANGE, -1)),
        ("t", 0, -1, (ErrorCode::NONE, 6)),
        ("t", 9, 0, (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1)),
        ("t", -9, 0, (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1)),
        ("nowhere", 0, 0, (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1)),
        ("compacted", 0, 0, (ErrorCode::POLICY_VIOLATION, -1)),
        (
            "__consumer_offsets",
            0,
            0,
            (ErrorCode::INVALID_TOPIC_EXCEPTION, -1),
        ),
    ] {
        let request = DeleteRecordsRequest {
            topics: vec![DeleteRecordsTopic {
                name: Str::from(topic),
                partitions: vec![DeleteRecordsPartition {
                    partition_index,
                    offset,
                }],
            }],
            timeout_ms: 1,
        };
        let told = client.ask(&request).await.topics[0].partitions[0].clone();
        assert_eq!(
            (told.error_code, told.low_watermark),
            (answer.0.0, answer.1),
            "{topic} {partition_index} {offset}"
        );
    }
    assert_eq!(list(&mut client, 6, "t", &[(0, -2)]).await[0].1, 6);
    let response = client
        .call(FETCH_BY_NAME, &fetch("t", Uuid::ZERO, &[(0, 0)]))
        .await;
    assert_eq!(fetched(&response)[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
}
