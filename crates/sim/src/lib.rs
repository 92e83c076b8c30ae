//! The simulator: the real log and the real broker in a world made of chance.
//!
//! Owns: a simulated clock, disk, object store and metadata store; clients that work against the broker; a model that judges every
//! answer. Never: shipped, and never a copy of a decision that the code under test makes.
//!
//! **Invariant**: one seed, one trace. Whatever a run shows, it shows again (docs/decisions/simulation.md).

#![forbid(unsafe_code)]

pub mod clock;
pub mod disk;
pub mod life;
pub mod meta;
pub mod model;
pub mod objects;
mod panics;
pub mod plan;
pub mod rng;
pub mod run;
pub mod trace;
pub mod transactions;
pub mod volume;
pub mod workload;
pub mod world;
