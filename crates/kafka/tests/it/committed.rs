//! A reader of committed records, as Kafka's consumers are: it leaves out what a fetch names as aborted.

use crate::harness::Client;
use crate::requests::*;
use millstream_broker::testing::StoredBatch;
use millstream_broker::testing::batch::{ControlKind, ControlRecord, split};
use millstream_kafka_wire::fetch::PartitionData;
use millstream_kafka_wire::*;
use std::collections::BTreeSet;

/// Reads a partition as a consumer with read_committed does: waits until something stable is there, leaves out what was aborted.
pub async fn committed(client: &mut Client, partition: i32, until: i64) -> Vec<String> {
    let mut seen = Vec::new();
    let mut from = 0;
    while from < until {
        let request = FetchRequest {
            isolation_level: 1,
            max_wait_ms: 10_000,
            ..fetch("t", Uuid::ZERO, &[(partition, from)])
        };
        let answer = client.call(FETCH_BY_NAME, &request).await;
        let data = fetched(&answer)[0].clone();
        assert_eq!(data.error_code, 0);
        from = filter(&data, from, &mut seen);
    }
    seen
}

/// What Kafka's consumer does with a fetch; answers the next offset.
fn filter(data: &PartitionData, mut from: i64, seen: &mut Vec<String>) -> i64 {
    let mut aborted = data.aborted_transactions.clone().expect("a list, if empty");
    aborted.sort_by_key(|one| one.first_offset);
    let mut aborted = aborted.into_iter().peekable();
    let mut hidden = BTreeSet::new();
    let chunks = data.records.iter().flat_map(|records| records.chunks().cloned());
    for one in chunks.flat_map(split) {
        let (header, bytes) = one.expect("whole batches");
        let stored = StoredBatch::verify(bytes.clone()).expect("valid batches");
        let last = header.last_offset().0 as i64;
        while let Some(next) = aborted.next_if(|next| next.first_offset <= last) {
            hidden.insert(next.producer_id);
        }
        from = last + 1;
        if header.is_control() {
            let marker = ControlRecord::of_batch(&header, &bytes).expect("a marker");
            if marker.kind == ControlKind::Abort {
                hidden.remove(&header.producer_id);
            }
        } else if !(header.is_transactional() && hidden.contains(&header.producer_id)) {
            let records = stored.records(1 << 20).expect("they open");
            let values = records
                .iter()
                .map(|record| record.expect("a record").value.expect("a value").to_vec());
            seen.extend(values.map(|value| String::from_utf8(value).expect("text")));
        }
    }
    from
}
