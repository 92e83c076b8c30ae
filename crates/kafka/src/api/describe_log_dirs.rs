//! DescribeLogDirs (35): bytes kept of each partition.
//!
//! Versions 1-5. v2 flexible; v3 top-level error; v4 total and usable bytes of the volume (KIP-827), -1 where the
//! system does not tell; v5 cordoned directories (KIP-1066), of which there are none.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::node::Kafka;
use millstream_broker::{DiskSpace, Topic};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use std::sync::Arc;

pub(crate) struct DescribeLogDirs;

impl Api for DescribeLogDirs {
    type Request = DescribeLogDirsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeLogDirsRequest,
    ) -> Begun<DescribeLogDirsResponse> {
        if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Cluster) {
            return Begun::Done(DescribeLogDirsResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let topics: Vec<DescribeLogDirsTopic> = match request.topics {
            None => kafka
                .broker
                .topics()
                .iter()
                .map(|topic| describe(topic, |_| true))
                .collect(),
            Some(asked) => asked
                .iter()
                .filter_map(|asked| {
                    let topic = kafka.broker.topic(asked.topic.as_str())?;
                    Some(describe(&topic, |index| asked.partitions.contains(&index)))
                })
                .collect(),
        };
        let disk = kafka.broker.log_stats().disk;
        let bytes =
            |of: fn(DiskSpace) -> u64| disk.map_or(-1, |disk| i64::try_from(of(disk)).unwrap_or(i64::MAX));
        let result = DescribeLogDirsResult {
            log_dir: Str::from(kafka.config.log_dir.clone()),
            topics,
            total_bytes: bytes(|disk| disk.total_bytes),
            usable_bytes: bytes(|disk| disk.usable_bytes),
            ..Default::default()
        };
        Begun::Done(DescribeLogDirsResponse {
            results: vec![result],
            ..Default::default()
        })
    }
}

fn describe(topic: &Topic, wanted: impl Fn(i32) -> bool) -> DescribeLogDirsTopic {
    let partitions = (0..topic.partitions()).filter_map(|index| {
        let partition_index = i32::try_from(index).ok().filter(|index| wanted(*index))?;
        let partition_size = i64::try_from(topic.stream(index)?.bounds().bytes).unwrap_or(i64::MAX);
        Some(DescribeLogDirsPartition {
            partition_index,
            partition_size,
            offset_lag: 0,
            is_future_key: false,
        })
    });
    DescribeLogDirsTopic {
        name: Str::from(topic.name().to_owned()),
        partitions: partitions.collect(),
    }
}
