//! Promises of group coordination, one test each; `properties` holds what must be true of every history.

mod admin;
mod consumer;
pub(super) mod harness;
mod joining;
mod offsets;
mod properties;
mod records;
mod retention;
mod sessions;
mod share;
mod static_members;
mod streams;
mod syncing;
mod transactions;
