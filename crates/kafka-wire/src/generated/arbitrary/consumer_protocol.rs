//! Random messages of ConsumerProtocol.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::consumer_protocol::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ConsumerProtocolSubscription {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
            user_data: rng.present().then(|| rng.bytes()),
            owned_partitions: if at.version >= 1 {
                rng.array(at)
            } else {
                Vec::new()
            },
            generation_id: if at.version >= 2 { rng.i32() } else { -1 },
            rack_id: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for OwnedPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ConsumerProtocolAssignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            assigned_partitions: rng.array(at),
            user_data: rng.present().then(|| rng.bytes()),
        }
    }
}

impl Arbitrary for AssignedPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}
