//! What Kafka's own tools ask for that has no replicas to act on, and feature levels.

use crate::harness::{Client, Server};
use millstream_kafka_wire::*;

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const INVALID_REPLICA_ASSIGNMENT: i16 = 39;
const LOG_DIR_NOT_FOUND: i16 = 57;
const ELECTION_NOT_NEEDED: i16 = 84;
const NO_REASSIGNMENT_IN_PROGRESS: i16 = 85;
const INVALID_UPDATE_VERSION: i16 = 95;
const INVALID_REQUEST: i16 = 42;
const BROKER_ID_NOT_REGISTERED: i16 = 102;

fn name(text: &'static str) -> Str {
    Str::from_static(text)
}

#[tokio::test(start_paused = true)]
async fn an_election_is_never_needed() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let request = ElectLeadersRequest {
        election_type: 0,
        topic_partitions: Some(vec![elect_leaders::TopicPartitions {
            topic: name("t"),
            partitions: vec![0, 1, -1],
        }]),
        timeout_ms: 1000,
    };
    let response = client.ask(&request).await;
    let results = &response.replica_election_results[0].partition_result;
    let codes: Vec<i16> = results.iter().map(|result| result.error_code).collect();
    assert_eq!(
        codes,
        [
            ELECTION_NOT_NEEDED,
            UNKNOWN_TOPIC_OR_PARTITION,
            UNKNOWN_TOPIC_OR_PARTITION
        ]
    );
}

async fn reassign(client: &mut Client, partition_index: i32, replicas: Option<Vec<i32>>) -> i16 {
    let request = AlterPartitionReassignmentsRequest {
        timeout_ms: 1000,
        allow_replication_factor_change: true,
        topics: vec![alter_partition_reassignments::ReassignableTopic {
            name: name("t"),
            partitions: vec![alter_partition_reassignments::ReassignablePartition {
                partition_index,
                replicas,
            }],
        }],
    };
    let response = client.ask(&request).await;
    response.responses[0].partitions[0].error_code
}

#[tokio::test(start_paused = true)]
async fn a_reassignment_to_the_owner_is_done_and_any_other_is_refused() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    assert_eq!(reassign(&mut client, 0, Some(vec![1])).await, 0);
    for wrong in [vec![], vec![2], vec![1, 2], vec![1, 1]] {
        assert_eq!(
            reassign(&mut client, 0, Some(wrong)).await,
            INVALID_REPLICA_ASSIGNMENT
        );
    }
    assert_eq!(reassign(&mut client, 0, None).await, NO_REASSIGNMENT_IN_PROGRESS);
    assert_eq!(
        reassign(&mut client, 1, Some(vec![1])).await,
        UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[tokio::test(start_paused = true)]
async fn another_log_directory_is_not_found() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let request = AlterReplicaLogDirsRequest {
        dirs: vec![alter_replica_log_dirs::AlterReplicaLogDir {
            path: name("/elsewhere"),
            topics: vec![alter_replica_log_dirs::AlterReplicaLogDirTopic {
                name: name("t"),
                partitions: vec![0, 7],
            }],
        }],
    };
    let response = client.ask(&request).await;
    let codes: Vec<i16> = response.results[0]
        .partitions
        .iter()
        .map(|partition| partition.error_code)
        .collect();
    assert_eq!(codes, [LOG_DIR_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION]);
}

async fn metadata_level(client: &mut Client) -> (i16, i64) {
    let request = ApiVersionsRequest {
        client_software_name: name("test"),
        client_software_version: name("1"),
    };
    let response = client.ask(&request).await;
    let found = response
        .finalized_features
        .iter()
        .find(|feature| feature.name.as_str() == "metadata.version")
        .expect("always told");
    (found.max_version_level, response.finalized_features_epoch)
}

async fn choose(client: &mut Client, level: i16, upgrade_type: i8, validate_only: bool) -> i16 {
    let request = UpdateFeaturesRequest {
        timeout_ms: 1000,
        feature_updates: vec![update_features::FeatureUpdateKey {
            feature: name("metadata.version"),
            max_version_level: level,
            allow_downgrade: false,
            upgrade_type,
        }],
        validate_only,
    };
    client.ask(&request).await.error_code
}

#[tokio::test(start_paused = true)]
async fn a_chosen_feature_level_is_told_and_survives_a_restart() {
    let server = Server::start().await;
    let mut client = server.connect();
    let (initial, before) = metadata_level(&mut client).await;
    assert_eq!(
        choose(&mut client, initial - 1, 1, false).await,
        INVALID_UPDATE_VERSION
    );
    assert_eq!(choose(&mut client, initial - 1, 2, true).await, 0);
    assert_eq!(
        metadata_level(&mut client).await,
        (initial, before),
        "only checked"
    );
    assert_eq!(choose(&mut client, initial - 1, 2, false).await, 0);
    let (level, after) = metadata_level(&mut client).await;
    assert_eq!(level, initial - 1);
    assert!(after > before, "clients keep the newest epoch");
    server.broker.close().await;
    let reopened = server.world.open().await;
    let kept = reopened.named(millstream_broker::NamedKind::Features, "levels");
    assert_eq!(kept.get("metadata.version"), Some(&(initial - 1).to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_alive_is_not_taken_off_the_list_and_no_other_is_on_it() {
    let server = Server::start().await;
    let mut client = server.connect();
    for (broker_id, expected) in [
        (1, INVALID_REQUEST),
        (2, BROKER_ID_NOT_REGISTERED),
        (-1, BROKER_ID_NOT_REGISTERED),
    ] {
        let response = client.ask(&UnregisterBrokerRequest { broker_id }).await;
        assert_eq!(response.error_code, expected, "{broker_id}");
        assert!(response.error_message.is_some());
    }
    let described = client
        .ask(&DescribeClusterRequest {
            endpoint_type: 1,
            ..Default::default()
        })
        .await;
    assert_eq!(described.brokers.len(), 1);
}
