//! Cluster id, controller and brokers.
//!
//! KIP-700, KIP-919 endpoint types, KIP-1073 fenced brokers.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeCluster (API key 60), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    /// All versions.
    pub include_cluster_authorized_operations: bool,
    /// Version 1 and later. Default: 1. Must be left at its default at other versions.
    pub endpoint_type: i8,
    /// Version 2 and later. Must be left at its default at other versions.
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
        }
    }
}

impl Wire for DescribeClusterRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            include_cluster_authorized_operations: reader.boolean()?,
            endpoint_type: if at.version >= 1 { reader.i8()? } else { 1 },
            include_fenced_brokers: if at.version >= 2 { reader.boolean()? } else { false },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.boolean(self.include_cluster_authorized_operations);
        if at.version >= 1 {
            encoder.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(at.no_field("endpoint_type"));
        }
        if at.version >= 2 {
            encoder.boolean(self.include_fenced_brokers);
        } else if self.include_fenced_brokers {
            return Err(at.no_field("include_fenced_brokers"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeClusterRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    type Response = DescribeClusterResponse;
}

/// The response of DescribeCluster (API key 60), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// Version 1 and later. Default: 1. Must be left at its default at other versions.
    pub endpoint_type: i8,
    /// All versions.
    pub cluster_id: Str,
    /// All versions. Default: -1.
    pub controller_id: i32,
    /// All versions.
    pub brokers: Vec<DescribeClusterBroker>,
    /// All versions. Default: -2147483648.
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: Str::new(),
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: i32::MIN,
        }
    }
}

impl Wire for DescribeClusterResponse {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            endpoint_type: if at.version >= 1 { reader.i8()? } else { 1 },
            cluster_id: reader.string(at)?,
            controller_id: reader.i32()?,
            brokers: reader.array(at)?,
            cluster_authorized_operations: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.version >= 1 {
            encoder.i8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            return Err(at.no_field("endpoint_type"));
        }
        encoder.string(&self.cluster_id, at)?;
        encoder.i32(self.controller_id);
        encoder.array(&self.brokers, at)?;
        encoder.i32(self.cluster_authorized_operations);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeClusterResponse`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClusterBroker {
    /// All versions.
    pub broker_id: i32,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: i32,
    /// All versions. May be null. Default: null.
    pub rack: Option<Str>,
    /// Version 2 and later. Must be left at its default at other versions.
    pub is_fenced: bool,
}

impl Wire for DescribeClusterBroker {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            broker_id: reader.i32()?,
            host: reader.string(at)?,
            port: reader.i32()?,
            rack: reader.opt_string(at)?,
            is_fenced: if at.version >= 2 { reader.boolean()? } else { false },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.broker_id);
        encoder.string(&self.host, at)?;
        encoder.i32(self.port);
        encoder.opt_string(&self.rack, at)?;
        if at.version >= 2 {
            encoder.boolean(self.is_fenced);
        } else if self.is_fenced {
            return Err(at.no_field("is_fenced"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeClusterResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeClusterResponse {
    const KEY: ApiKey = ApiKey::DescribeCluster;
}
