//! The simulator's promises: seeds run clean, the same seed gives the same trace, and what is broken on purpose is found.

mod conformance;
mod crash_points;
mod determinism;
mod mutations;
mod scenarios;
mod seeds;
mod transactions;
