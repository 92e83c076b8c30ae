//! Random messages of AddPartitionsToTxn.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::add_partitions_to_txn::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for AddPartitionsToTxnRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactions: if at.version >= 4 {
                rng.array(at)
            } else {
                Vec::new()
            },
            v3_and_below_transactional_id: if at.version <= 3 { rng.string() } else { Str::new() },
            v3_and_below_producer_id: if at.version <= 3 { rng.i64() } else { 0 },
            v3_and_below_producer_epoch: if at.version <= 3 { rng.i16() } else { 0 },
            v3_and_below_topics: if at.version <= 3 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for AddPartitionsToTxnTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for AddPartitionsToTxnTransaction {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            verify_only: rng.boolean(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for AddPartitionsToTxnResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: if at.version >= 4 { rng.i16() } else { 0 },
            results_by_transaction: if at.version >= 4 {
                rng.array(at)
            } else {
                Vec::new()
            },
            results_by_topic_v3_and_below: if at.version <= 3 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for AddPartitionsToTxnTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            results_by_partition: rng.array(at),
        }
    }
}

impl Arbitrary for AddPartitionsToTxnPartitionResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            partition_error_code: rng.i16(),
        }
    }
}

impl Arbitrary for AddPartitionsToTxnResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            topic_results: rng.array(at),
        }
    }
}
