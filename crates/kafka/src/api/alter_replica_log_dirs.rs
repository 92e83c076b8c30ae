//! AlterReplicaLogDirs (34): moves replicas between a broker's directories (KIP-113).
//!
//! Versions 1-2. v2 flexible. There is one directory: a partition that is asked to be there is, and there is no other.

use crate::access::{Operation, Resource};
use crate::api::partition_of;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};
use std::sync::Arc;

pub(crate) struct AlterReplicaLogDirs;

impl Api for AlterReplicaLogDirs {
    type Request = AlterReplicaLogDirsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AlterReplicaLogDirsRequest,
    ) -> Begun<AlterReplicaLogDirsResponse> {
        let allowed = kafka.need(&call, Operation::Alter, Resource::Cluster);
        let mut response = AlterReplicaLogDirsResponse::default();
        for dir in request.dirs {
            let is_ours = dir.path.as_str() == kafka.config.log_dir;
            for topic in dir.topics {
                let partitions = topic.partitions.into_iter().map(|partition_index| {
                    let found =
                        allowed.and_then(|()| partition_of(&kafka, topic.name.as_str(), partition_index));
                    let code = match found {
                        Err(code) => code,
                        Ok(()) if is_ours => ErrorCode::NONE,
                        Ok(()) => ErrorCode::LOG_DIR_NOT_FOUND,
                    };
                    AlterReplicaLogDirPartitionResult {
                        partition_index,
                        error_code: code.0,
                    }
                });
                response.results.push(AlterReplicaLogDirTopicResult {
                    partitions: partitions.collect(),
                    topic_name: topic.name,
                });
            }
        }
        Begun::Done(response)
    }
}
