//! The log through its public face, on simulated media. One binary: each module is a topic.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod amplification;
mod append;
mod crash;
mod failures;
mod producers;
mod real;
mod second_tier;
mod support;
mod tiering;
mod transactions;
mod wake;
