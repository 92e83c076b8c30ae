//! The catalog's records, field by field (docs/format/meta.md).
//!
//! Owns: encoding and decoding of the facts. Never: keys, and whether a fact makes sense beside the others.
//! **Invariant**: `decode(encode(x)) == x`; nothing else is accepted, and nothing panics.

use super::{
    CONFIG_ENTRIES_MAX, CONFIG_NAME_BYTES_MAX, CONFIG_VALUE_BYTES_MAX, ClusterId, ConfigMap,
    PARTITIONS_PER_TOPIC_MAX, PartitionFacts, TOPIC_NAME_BYTES_MAX, TopicId,
};
use crate::record::{DecodeError, Decoder, Encoder, Kind};
use bytes::Bytes;
use millstream_log::{Epoch, StreamId};

const VERSION: u8 = 1;

/// Partitions under one key. Large enough that a topic of the largest size is a few puts, small enough that moving one
/// partition rewrites 40 KB at most.
pub(crate) const PARTITIONS_PER_CHUNK: u32 = 2048;

/// What stands under a topic's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicRecord {
    pub(crate) name: String,
    pub(crate) id: TopicId,
    pub(crate) partition_count: u32,
}

pub(crate) fn encode_cluster(id: ClusterId) -> Bytes {
    Encoder::new(Kind::Cluster, VERSION).bytes(&id.0).finish()
}

pub(crate) fn decode_cluster(value: &Bytes) -> Result<ClusterId, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Cluster, VERSION)?;
    let id = ClusterId(fields.id()?);
    fields.finish()?;
    Ok(id)
}

pub(crate) fn encode_counter(next: u64) -> Bytes {
    Encoder::new(Kind::Counter, VERSION).u64(next).finish()
}

pub(crate) fn decode_counter(value: &Bytes) -> Result<u64, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Counter, VERSION)?;
    let next = fields.u64()?;
    fields.finish()?;
    Ok(next)
}

pub(crate) fn encode_topic(topic: &TopicRecord) -> Bytes {
    let name_len = u16::try_from(topic.name.len()).expect("names are checked");
    Encoder::new(Kind::Topic, VERSION)
        .bytes(&topic.id.0)
        .u32(topic.partition_count)
        .u16(name_len)
        .bytes(topic.name.as_bytes())
        .finish()
}

pub(crate) fn decode_topic(value: &Bytes) -> Result<TopicRecord, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Topic, VERSION)?;
    let id = TopicId(fields.id()?);
    let partition_count = fields.u32()?;
    if partition_count == 0 || partition_count > PARTITIONS_PER_TOPIC_MAX {
        return Err(DecodeError::Field("partition_count"));
    }
    let name_len = usize::from(fields.u16()?);
    if name_len > TOPIC_NAME_BYTES_MAX {
        return Err(DecodeError::Field("name_len"));
    }
    let name = fields.text(name_len, "name")?;
    fields.finish()?;
    super::check_topic_name(&name).map_err(|_| DecodeError::Field("name"))?;
    Ok(TopicRecord {
        name,
        id,
        partition_count,
    })
}

/// Partitions are stored as runs: neighbours with consecutive streams, the same epoch and owner. A new topic is one run.
pub(crate) fn encode_partitions(partitions: &[PartitionFacts]) -> Bytes {
    let mut runs: Vec<(PartitionFacts, u32)> = Vec::new();
    for partition in partitions {
        if let Some((first, count)) = runs.last_mut()
            && partition.stream.0 == first.stream.0 + u64::from(*count)
            && (partition.epoch, partition.owner) == (first.epoch, first.owner)
        {
            *count += 1;
        } else {
            runs.push((*partition, 1));
        }
    }
    let run_count = u32::try_from(runs.len()).expect("a chunk is small");
    let mut encoder = Encoder::new(Kind::Partitions, VERSION).u32(run_count);
    for (first, count) in runs {
        encoder = encoder
            .u64(first.stream.0)
            .u32(count)
            .u32(first.epoch.0)
            .u32(first.owner);
    }
    encoder.finish()
}

pub(crate) fn decode_partitions(value: &Bytes) -> Result<Vec<PartitionFacts>, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Partitions, VERSION)?;
    let run_count = fields.u32()?;
    if run_count > PARTITIONS_PER_CHUNK {
        return Err(DecodeError::Field("run_count"));
    }
    let mut partitions = Vec::new();
    for _ in 0..run_count {
        let (stream, count) = (fields.u64()?, fields.u32()?);
        let (epoch, owner) = (Epoch(fields.u32()?), fields.u32()?);
        let room = PARTITIONS_PER_CHUNK as usize - partitions.len();
        if count == 0 || count as usize > room || stream.checked_add(u64::from(count)).is_none() {
            return Err(DecodeError::Field("run"));
        }
        partitions.extend((0..u64::from(count)).map(|i| PartitionFacts {
            stream: StreamId(stream + i),
            epoch,
            owner,
        }));
    }
    fields.finish()?;
    if partitions.is_empty() {
        return Err(DecodeError::Field("run_count"));
    }
    Ok(partitions)
}

/// The caller has checked the limits (`check_configs`).
pub(crate) fn encode_configs(configs: &ConfigMap) -> Bytes {
    let count = u32::try_from(configs.len()).expect("the count is checked");
    let mut encoder = Encoder::new(Kind::Configs, VERSION).u32(count);
    for (name, value) in configs {
        let name_len = u16::try_from(name.len()).expect("names are checked");
        let value_len = u32::try_from(value.len()).expect("values are checked");
        encoder = encoder.u16(name_len).bytes(name.as_bytes());
        encoder = encoder.u32(value_len).bytes(value.as_bytes());
    }
    encoder.finish()
}

pub(crate) fn decode_configs(value: &Bytes) -> Result<ConfigMap, DecodeError> {
    let mut fields = Decoder::new(value, Kind::Configs, VERSION)?;
    let count = fields.u32()? as usize;
    if count > CONFIG_ENTRIES_MAX {
        return Err(DecodeError::Field("count"));
    }
    let mut configs = ConfigMap::new();
    let mut last: Option<String> = None;
    for _ in 0..count {
        let name_len = usize::from(fields.u16()?);
        if name_len > CONFIG_NAME_BYTES_MAX {
            return Err(DecodeError::Field("name_len"));
        }
        let name = fields.text(name_len, "name")?;
        let value_len = fields.u32()? as usize;
        if value_len > CONFIG_VALUE_BYTES_MAX {
            return Err(DecodeError::Field("value_len"));
        }
        // Ordered by name: one map has one encoding.
        if last.as_ref().is_some_and(|last| *last >= name) {
            return Err(DecodeError::Field("order"));
        }
        last = Some(name.clone());
        configs.insert(name, fields.text(value_len, "value")?);
    }
    fields.finish()?;
    Ok(configs)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
