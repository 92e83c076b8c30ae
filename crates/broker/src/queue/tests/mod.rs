//! The state machine of a subscription against a naive model, record by record; and its stored form.

mod burials;
mod consumers;
mod model;
mod rules;
mod stored;

use super::*;
use crate::Isolation;
use std::sync::Arc;
use std::time::Duration;

pub(super) const LOCK: Duration = Duration::from_secs(30);

pub(super) fn policy(deliveries_max: u16, unsettled_max: u64, has_dead_letters: bool) -> Policy {
    let labels = Labels {
        topic: "topic",
        partition: "partition",
        offset: "offset",
        subscription: "subscription",
        deliveries: "deliveries",
        reason: "reason",
        rejected: "rejected",
        undelivered: "undelivered",
    };
    let dead_letters = DeadLetters {
        topic: "dead".into(),
        create: None,
        refused: None,
        copies_record: true,
        labels,
    };
    Policy {
        lock: LOCK,
        deliveries_max,
        unsettled_max,
        start: StartAt::Earliest,
        isolation: Isolation::ReadUncommitted,
        dead_letters: has_dead_letters.then(|| Arc::new(dead_letters)),
    }
}

/// One small step of a generator that every platform agrees on.
pub(super) fn random(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}
