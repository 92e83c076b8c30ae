//! Records and offsets, at every version.

use super::{Covered, name};
use crate::harness::Client;
use crate::requests;
use crate::requests::{fetched, produce_to, produced, values};
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;

pub(super) async fn all(covered: &mut Covered, client: &mut Client, id: Uuid) {
    produce(covered, client, id).await;
    fetch(covered, client, id).await;
    list_offsets(covered, client).await;
    epochs(covered, client).await;
    delete_records(covered, client).await;
    producer_ids(covered, client).await;
}

async fn produce(covered: &mut Covered, client: &mut Client, id: Uuid) {
    let request = |_| produce_to("t", id, &[(0, batch_of(&["a"]))]);
    let first = *ApiKey::Produce.stable_versions().start();
    let check = |version, response: ProduceResponse| {
        let partition = produced(&response);
        assert_eq!(partition.error_code, 0);
        assert_eq!(partition.base_offset, i64::from(version - first));
        assert_eq!(
            (partition.log_append_time_ms, &partition.error_message),
            (-1, &None)
        );
        assert_eq!(response.responses[0].topic_id != Uuid::ZERO, version >= 13);
    };
    covered.each(client, request, check).await;
}

async fn fetch(covered: &mut Covered, client: &mut Client, id: Uuid) {
    let request = |_| requests::fetch("t", id, &[(0, 1)]);
    let check = |_, response: FetchResponse| {
        let partitions = fetched(&response);
        assert_eq!((response.error_code, partitions[0].error_code), (0, 0));
        assert_eq!(values(partitions[0])[0], (1, "a".to_owned()));
    };
    covered.each(client, request, check).await;
}

async fn list_offsets(covered: &mut Covered, client: &mut Client) {
    let request = |version| ListOffsetsRequest {
        replica_id: -1,
        topics: vec![list_offsets::ListOffsetsTopic {
            name: name("t"),
            partitions: vec![list_offsets::ListOffsetsPartition {
                partition_index: 0,
                timestamp: -1,
                current_leader_epoch: -1,
            }],
        }],
        isolation_level: i8::from(version >= 2),
        ..Default::default()
    };
    let check = |_, response: ListOffsetsResponse| {
        let partition = &response.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.offset), (0, 11));
    };
    covered.each(client, request, check).await;
}

async fn epochs(covered: &mut Covered, client: &mut Client) {
    let request = |version| OffsetForLeaderEpochRequest {
        replica_id: if version >= 3 { -1 } else { -2 },
        topics: vec![offset_for_leader_epoch::OffsetForLeaderTopic {
            topic: name("t"),
            partitions: vec![offset_for_leader_epoch::OffsetForLeaderPartition {
                partition: 0,
                current_leader_epoch: -1,
                leader_epoch: 0,
            }],
        }],
    };
    let check = |_, response: OffsetForLeaderEpochResponse| {
        assert_eq!(response.topics[0].partitions[0].error_code, 0);
    };
    covered.each(client, request, check).await;
}

async fn delete_records(covered: &mut Covered, client: &mut Client) {
    let request = |_| DeleteRecordsRequest {
        topics: vec![delete_records::DeleteRecordsTopic {
            name: name("t"),
            partitions: vec![delete_records::DeleteRecordsPartition {
                partition_index: 0,
                offset: 3,
            }],
        }],
        timeout_ms: 1,
    };
    let check = |_, response: DeleteRecordsResponse| {
        let partition = &response.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.low_watermark), (0, 3));
    };
    covered.each(client, request, check).await;
}

async fn producer_ids(covered: &mut Covered, client: &mut Client) {
    let request = |_| InitProducerIdRequest {
        transactional_id: None,
        ..Default::default()
    };
    let check = |version, response: InitProducerIdResponse| {
        assert_eq!(
            (response.error_code, response.producer_epoch),
            (0, 0),
            "v{version}"
        );
        assert!(response.producer_id >= 0);
    };
    covered.each(client, request, check).await;
}
