//! Reads record batches from partitions, with incremental sessions.
//!
//! KIP-74 byte limits, KIP-98 aborted transactions, KIP-227 sessions, KIP-320 leader epochs, KIP-392 racks,
//!
//! KIP-516 topic ids, KIP-951 current leader.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::records::Records;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of Fetch (API key 1), versions 4 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// Version 12 and later. May be null. Tag 0. Default: null.
    pub cluster_id: Option<Str>,
    /// Versions 4 to 14. Default: -1. Must be left at its default at other versions.
    pub replica_id: i32,
    /// Version 15 and later. Tag 1. Must be left at its default at other versions.
    pub replica_state: ReplicaState,
    /// All versions.
    pub max_wait_ms: i32,
    /// All versions.
    pub min_bytes: i32,
    /// All versions. Default: 2147483647.
    pub max_bytes: i32,
    /// All versions.
    pub isolation_level: i8,
    /// Version 7 and later.
    pub session_id: i32,
    /// Version 7 and later. Default: -1.
    pub session_epoch: i32,
    /// All versions.
    pub topics: Vec<FetchTopic>,
    /// Version 7 and later. Must be left at its default at other versions.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Version 11 and later.
    pub rack_id: Str,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: Str::new(),
        }
    }
}

impl Wire for FetchRequest {
    const BYTES_MIN: usize = 21;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            cluster_id: None,
            replica_id: if at.version <= 14 { reader.i32()? } else { -1 },
            replica_state: ReplicaState::default(),
            max_wait_ms: reader.i32()?,
            min_bytes: reader.i32()?,
            max_bytes: reader.i32()?,
            isolation_level: reader.i8()?,
            session_id: if at.version >= 7 { reader.i32()? } else { 0 },
            session_epoch: if at.version >= 7 { reader.i32()? } else { -1 },
            topics: reader.array(at)?,
            forgotten_topics_data: if at.version >= 7 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            rack_id: if at.version >= 11 {
                reader.string(at)?
            } else {
                Str::new()
            },
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 => message.cluster_id = reader.opt_string(at)?,
                    1 if at.version >= 15 => message.replica_state = Wire::read(reader, at)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 14 {
            encoder.i32(self.replica_id);
        } else if self.replica_id != -1 {
            return Err(at.no_field("replica_id"));
        }
        if at.version < 15 && self.replica_state != ReplicaState::default() {
            return Err(at.no_field("replica_state"));
        }
        encoder.i32(self.max_wait_ms);
        encoder.i32(self.min_bytes);
        encoder.i32(self.max_bytes);
        encoder.i8(self.isolation_level);
        if at.version >= 7 {
            encoder.i32(self.session_id);
        }
        if at.version >= 7 {
            encoder.i32(self.session_epoch);
        }
        encoder.array(&self.topics, at)?;
        if at.version >= 7 {
            encoder.array(&self.forgotten_topics_data, at)?;
        } else if !self.forgotten_topics_data.is_empty() {
            return Err(at.no_field("forgotten_topics_data"));
        }
        if at.version >= 11 {
            encoder.string(&self.rack_id, at)?;
        }
        if at.flexible {
            let has_cluster_id = self.cluster_id.is_some();
            let has_replica_state = at.version >= 15 && self.replica_state != ReplicaState::default();
            encoder.uvarint(u32::from(has_cluster_id) + u32::from(has_replica_state));
            if has_cluster_id {
                encoder.tag(0, |encoder| encoder.opt_string(&self.cluster_id, at))?;
            }
            if has_replica_state {
                encoder.tag(1, |encoder| self.replica_state.write(encoder, at))?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 15 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// All versions. Default: -1.
    pub replica_id: i32,
    /// All versions. Default: -1.
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}

impl Wire for ReplicaState {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            replica_id: reader.i32()?,
            replica_epoch: reader.i64()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.replica_id);
        encoder.i64(self.replica_epoch);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 4 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchTopic {
    /// Versions 4 to 12.
    pub topic: Str,
    /// Version 13 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<FetchPartition>,
}

impl Wire for FetchTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: if at.version <= 12 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 12 {
            encoder.string(&self.topic, at)?;
        }
        if at.version >= 13 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 4 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    /// All versions.
    pub partition: i32,
    /// Version 9 and later. Default: -1.
    pub current_leader_epoch: i32,
    /// All versions.
    pub fetch_offset: i64,
    /// Version 12 and later. Default: -1. Must be left at its default at other versions.
    pub last_fetched_epoch: i32,
    /// Version 5 and later. Default: -1.
    pub log_start_offset: i64,
    /// All versions.
    pub partition_max_bytes: i32,
    /// Version 17 and later. Tag 0.
    pub replica_directory_id: Uuid,
    /// Version 18 and later. Tag 1. Default: 9223372036854775807.
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: i64::MAX,
        }
    }
}

impl Wire for FetchPartition {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            partition: reader.i32()?,
            current_leader_epoch: if at.version >= 9 { reader.i32()? } else { -1 },
            fetch_offset: reader.i64()?,
            last_fetched_epoch: if at.version >= 12 { reader.i32()? } else { -1 },
            log_start_offset: if at.version >= 5 { reader.i64()? } else { -1 },
            partition_max_bytes: reader.i32()?,
            replica_directory_id: Uuid::ZERO,
            high_watermark: i64::MAX,
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 if at.version >= 17 => message.replica_directory_id = reader.uuid()?,
                    1 if at.version >= 18 => message.high_watermark = reader.i64()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition);
        if at.version >= 9 {
            encoder.i32(self.current_leader_epoch);
        }
        encoder.i64(self.fetch_offset);
        if at.version >= 12 {
            encoder.i32(self.last_fetched_epoch);
        } else if self.last_fetched_epoch != -1 {
            return Err(at.no_field("last_fetched_epoch"));
        }
        if at.version >= 5 {
            encoder.i64(self.log_start_offset);
        }
        encoder.i32(self.partition_max_bytes);
        if at.flexible {
            let has_replica_directory_id = at.version >= 17 && self.replica_directory_id != Uuid::ZERO;
            let has_high_watermark = at.version >= 18 && self.high_watermark != i64::MAX;
            encoder.uvarint(u32::from(has_replica_directory_id) + u32::from(has_high_watermark));
            if has_replica_directory_id {
                encoder.tag(0, |encoder| {
                    encoder.uuid(self.replica_directory_id);
                    Ok(())
                })?;
            }
            if has_high_watermark {
                encoder.tag(1, |encoder| {
                    encoder.i64(self.high_watermark);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 7 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForgottenTopic {
    /// Versions 7 to 12.
    pub topic: Str,
    /// Version 13 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for ForgottenTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: if at.version <= 12 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 12 {
            encoder.string(&self.topic, at)?;
        }
        if at.version >= 13 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for FetchRequest {
    const VERSION_MIN: i16 = 4;
    const VERSION_MAX: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;
}

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

/// The response of Fetch (API key 1), versions 4 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 7 and later.
    pub error_code: i16,
    /// Version 7 and later. Must be left at its default at other versions.
    pub session_id: i32,
    /// All versions.
    pub responses: Vec<FetchableTopicResponse>,
    /// Version 16 and later. Tag 0. Must be left at its default at other versions.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for FetchResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: if at.version >= 7 { reader.i16()? } else { 0 },
            session_id: if at.version >= 7 { reader.i32()? } else { 0 },
            responses: reader.array(at)?,
            node_endpoints: Vec::new(),
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 if at.version >= 16 => message.node_endpoints = reader.array(at)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        if at.version >= 7 {
            encoder.i16(self.error_code);
        }
        if at.version >= 7 {
            encoder.i32(self.session_id);
        } else if self.session_id != 0 {
            return Err(at.no_field("session_id"));
        }
        encoder.array(&self.responses, at)?;
        if at.version < 16 && !self.node_endpoints.is_empty() {
            return Err(at.no_field("node_endpoints"));
        }
        if at.flexible {
            let has_node_endpoints = at.version >= 16 && !self.node_endpoints.is_empty();
            encoder.uvarint(u32::from(has_node_endpoints));
            if has_node_endpoints {
                encoder.tag(0, |encoder| encoder.array(&self.node_endpoints, at))?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 4 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchableTopicResponse {
    /// Versions 4 to 12.
    pub topic: Str,
    /// Version 13 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<PartitionData>,
}

impl Wire for FetchableTopicResponse {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: if at.version <= 12 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 12 {
            encoder.string(&self.topic, at)?;
        }
        if at.version >= 13 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 4 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub high_watermark: i64,
    /// All versions. Default: -1.
    pub last_stable_offset: i64,
    /// Version 5 and later. Default: -1.
    pub log_start_offset: i64,
    /// Version 12 and later. Tag 0. Must be left at its default at other versions.
    pub diverging_epoch: EpochEndOffset,
    /// Version 12 and later. Tag 1. Must be left at its default at other versions.
    pub current_leader: LeaderIdAndEpoch,
    /// Version 12 and later. Tag 2. Must be left at its default at other versions.
    pub snapshot_id: SnapshotId,
    /// All versions. May be null.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Version 11 and later. Default: -1. Must be left at its default at other versions.
    pub preferred_read_replica: i32,
    /// All versions. May be null.
    pub records: Option<Records>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: None,
        }
    }
}

impl Wire for PartitionData {
    const BYTES_MIN: usize = 30;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            high_watermark: reader.i64()?,
            last_stable_offset: reader.i64()?,
            log_start_offset: if at.version >= 5 { reader.i64()? } else { -1 },
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: reader.opt_array(at)?,
            preferred_read_replica: if at.version >= 11 { reader.i32()? } else { -1 },
            records: reader.opt_records(at)?,
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 => message.diverging_epoch = Wire::read(reader, at)?,
                    1 => message.current_leader = Wire::read(reader, at)?,
                    2 => message.snapshot_id = Wire::read(reader, at)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.i64(self.high_watermark);
        encoder.i64(self.last_stable_offset);
        if at.version >= 5 {
            encoder.i64(self.log_start_offset);
        }
        if at.version < 12 && self.diverging_epoch != EpochEndOffset::default() {
            return Err(at.no_field("diverging_epoch"));
        }
        if at.version < 12 && self.current_leader != LeaderIdAndEpoch::default() {
            return Err(at.no_field("current_leader"));
        }
        if at.version < 12 && self.snapshot_id != SnapshotId::default() {
            return Err(at.no_field("snapshot_id"));
        }
        encoder.opt_array(&self.aborted_transactions, at)?;
        if at.version >= 11 {
            encoder.i32(self.preferred_read_replica);
        } else if self.preferred_read_replica != -1 {
            return Err(at.no_field("preferred_read_replica"));
        }
        encoder.opt_records(&self.records, at)?;
        if at.flexible {
            let has_diverging_epoch = self.diverging_epoch != EpochEndOffset::default();
            let has_current_leader = self.current_leader != LeaderIdAndEpoch::default();
            let has_snapshot_id = self.snapshot_id != SnapshotId::default();
            encoder.uvarint(
                u32::from(has_diverging_epoch) + u32::from(has_current_leader) + u32::from(has_snapshot_id),
            );
            if has_diverging_epoch {
                encoder.tag(0, |encoder| self.diverging_epoch.write(encoder, at))?;
            }
            if has_current_leader {
                encoder.tag(1, |encoder| self.current_leader.write(encoder, at))?;
            }
            if has_snapshot_id {
                encoder.tag(2, |encoder| self.snapshot_id.write(encoder, at))?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// All versions. Default: -1.
    pub epoch: i32,
    /// All versions. Default: -1.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
        }
    }
}

impl Wire for EpochEndOffset {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            epoch: reader.i32()?,
            end_offset: reader.i64()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.epoch);
        encoder.i64(self.end_offset);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// All versions. Default: -1.
    pub leader_id: i32,
    /// All versions. Default: -1.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

impl Wire for LeaderIdAndEpoch {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            leader_id: reader.i32()?,
            leader_epoch: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.leader_id);
        encoder.i32(self.leader_epoch);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    /// All versions. Default: -1.
    pub end_offset: i64,
    /// All versions. Default: -1.
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
        }
    }
}

impl Wire for SnapshotId {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            end_offset: reader.i64()?,
            epoch: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i64(self.end_offset);
        encoder.i32(self.epoch);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 4 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbortedTransaction {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub first_offset: i64,
}

impl Wire for AbortedTransaction {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            producer_id: reader.i64()?,
            first_offset: reader.i64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i64(self.producer_id);
        encoder.i64(self.first_offset);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchResponse`], versions 16 to 18.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: i32,
    /// All versions. May be null. Default: null.
    pub rack: Option<Str>,
}

impl Wire for NodeEndpoint {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            node_id: reader.i32()?,
            host: reader.string(at)?,
            port: reader.i32()?,
            rack: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.node_id);
        encoder.string(&self.host, at)?;
        encoder.i32(self.port);
        encoder.opt_string(&self.rack, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for FetchResponse {
    const VERSION_MIN: i16 = 4;
    const VERSION_MAX: i16 = 18;
    const FLEXIBLE_FROM: i16 = 12;
}

impl Response for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;
}
