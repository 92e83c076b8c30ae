//! Brokers, topics and who leads each partition.
//!
//! KIP-430 authorised operations, KIP-516 topic ids.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of Metadata (API key 3), versions 0 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// All versions. May be null from version 1 on.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Version 4 and later. Default: true. Must be left at its default at other versions.
    pub allow_auto_topic_creation: bool,
    /// Versions 8 to 10. Must be left at its default at other versions.
    pub include_cluster_authorized_operations: bool,
    /// Version 8 and later. Must be left at its default at other versions.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl Wire for MetadataRequest {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: if at.version >= 1 {
                reader.opt_array(at)?
            } else {
                Some(reader.array(at)?)
            },
            allow_auto_topic_creation: if at.version >= 4 { reader.boolean()? } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&at.version) {
                reader.boolean()?
            } else {
                false
            },
            include_topic_authorized_operations: if at.version >= 8 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if self.topics.is_none() && at.version < 1 {
            return Err(at.no_null("topics"));
        }
        encoder.opt_array(&self.topics, at)?;
        if at.version >= 4 {
            encoder.boolean(self.allow_auto_topic_creation);
        } else if !self.allow_auto_topic_creation {
            return Err(at.no_field("allow_auto_topic_creation"));
        }
        if (8..=10).contains(&at.version) {
            encoder.boolean(self.include_cluster_authorized_operations);
        } else if self.include_cluster_authorized_operations {
            return Err(at.no_field("include_cluster_authorized_operations"));
        }
        if at.version >= 8 {
            encoder.boolean(self.include_topic_authorized_operations);
        } else if self.include_topic_authorized_operations {
            return Err(at.no_field("include_topic_authorized_operations"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataRequest`], versions 0 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// All versions. May be null from version 10 on.
    pub name: Option<Str>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            name: Some(Str::new()),
        }
    }
}

impl Wire for MetadataRequestTopic {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_id: if at.version >= 10 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            name: if at.version >= 10 {
                reader.opt_string(at)?
            } else {
                Some(reader.string(at)?)
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 10 {
            encoder.uuid(self.topic_id);
        }
        if self.name.is_none() && at.version < 10 {
            return Err(at.no_null("name"));
        }
        encoder.opt_string(&self.name, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for MetadataRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

/// The response of Metadata (API key 3), versions 0 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// Version 3 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub brokers: Vec<MetadataResponseBroker>,
    /// Version 2 and later. May be null. Default: null.
    pub cluster_id: Option<Str>,
    /// Version 1 and later. Default: -1.
    pub controller_id: i32,
    /// All versions.
    pub topics: Vec<MetadataResponseTopic>,
    /// Versions 8 to 10. Default: -2147483648. Must be left at its default at other versions.
    pub cluster_authorized_operations: i32,
    /// Version 13 and later.
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            error_code: 0,
        }
    }
}

impl Wire for MetadataResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 3 { reader.i32()? } else { 0 },
            brokers: reader.array(at)?,
            cluster_id: if at.version >= 2 {
                reader.opt_string(at)?
            } else {
                None
            },
            controller_id: if at.version >= 1 { reader.i32()? } else { -1 },
            topics: reader.array(at)?,
            cluster_authorized_operations: if (8..=10).contains(&at.version) {
                reader.i32()?
            } else {
                i32::MIN
            },
            error_code: if at.version >= 13 { reader.i16()? } else { 0 },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 3 {
            encoder.i32(self.throttle_time_ms);
        }
        encoder.array(&self.brokers, at)?;
        if at.version >= 2 {
            encoder.opt_string(&self.cluster_id, at)?;
        }
        if at.version >= 1 {
            encoder.i32(self.controller_id);
        }
        encoder.array(&self.topics, at)?;
        if (8..=10).contains(&at.version) {
            encoder.i32(self.cluster_authorized_operations);
        } else if self.cluster_authorized_operations != i32::MIN {
            return Err(at.no_field("cluster_authorized_operations"));
        }
        if at.version >= 13 {
            encoder.i16(self.error_code);
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataResponse`], versions 0 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataResponseBroker {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: i32,
    /// Version 1 and later. May be null. Default: null.
    pub rack: Option<Str>,
}

impl Wire for MetadataResponseBroker {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            node_id: reader.i32()?,
            host: reader.string(at)?,
            port: reader.i32()?,
            rack: if at.version >= 1 {
                reader.opt_string(at)?
            } else {
                None
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.node_id);
        encoder.string(&self.host, at)?;
        encoder.i32(self.port);
        if at.version >= 1 {
            encoder.opt_string(&self.rack, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataResponse`], versions 0 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null from version 12 on.
    pub name: Option<Str>,
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// Version 1 and later.
    pub is_internal: bool,
    /// All versions.
    pub partitions: Vec<MetadataResponsePartition>,
    /// Version 8 and later. Default: -2147483648. Must be left at its default at other versions.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Str::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl Wire for MetadataResponseTopic {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            name: if at.version >= 12 {
                reader.opt_string(at)?
            } else {
                Some(reader.string(at)?)
            },
            topic_id: if at.version >= 10 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            is_internal: if at.version >= 1 { reader.boolean()? } else { false },
            partitions: reader.array(at)?,
            topic_authorized_operations: if at.version >= 8 { reader.i32()? } else { i32::MIN },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        if self.name.is_none() && at.version < 12 {
            return Err(at.no_null("name"));
        }
        encoder.opt_string(&self.name, at)?;
        if at.version >= 10 {
            encoder.uuid(self.topic_id);
        }
        if at.version >= 1 {
            encoder.boolean(self.is_internal);
        }
        encoder.array(&self.partitions, at)?;
        if at.version >= 8 {
            encoder.i32(self.topic_authorized_operations);
        } else if self.topic_authorized_operations != i32::MIN {
            return Err(at.no_field("topic_authorized_operations"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`MetadataResponse`], versions 0 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub leader_id: i32,
    /// Version 7 and later. Default: -1.
    pub leader_epoch: i32,
    /// All versions.
    pub replica_nodes: Vec<i32>,
    /// All versions.
    pub isr_nodes: Vec<i32>,
    /// Version 5 and later.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

impl Wire for MetadataResponsePartition {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            partition_index: reader.i32()?,
            leader_id: reader.i32()?,
            leader_epoch: if at.version >= 7 { reader.i32()? } else { -1 },
            replica_nodes: reader.array(at)?,
            isr_nodes: reader.array(at)?,
            offline_replicas: if at.version >= 5 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.i32(self.partition_index);
        encoder.i32(self.leader_id);
        if at.version >= 7 {
            encoder.i32(self.leader_epoch);
        }
        encoder.array(&self.replica_nodes, at)?;
        encoder.array(&self.isr_nodes, at)?;
        if at.version >= 5 {
            encoder.array(&self.offline_replicas, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for MetadataResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Response for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;
}
