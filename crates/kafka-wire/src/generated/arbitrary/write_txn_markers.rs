//! Random messages of WriteTxnMarkers.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::write_txn_markers::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for WriteTxnMarkersRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            markers: rng.array(at),
        }
    }
}

impl Arbitrary for WritableTxnMarker {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            transaction_result: rng.boolean(),
            topics: rng.array(at),
            coordinator_epoch: rng.i32(),
            transaction_version: if at.version >= 2 { rng.i8() } else { 0 },
        }
    }
}

impl Arbitrary for WritableTxnMarkerTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partition_indexes: rng.array(at),
        }
    }
}

impl Arbitrary for WriteTxnMarkersResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            markers: rng.array(at),
        }
    }
}

impl Arbitrary for WritableTxnMarkerResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            producer_id: rng.i64(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for WritableTxnMarkerTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for WritableTxnMarkerPartitionResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
