//! A small Kafka client for the command line: connect, negotiate versions, find leaders and coordinators, retry what may be retried.
//!
//! Owns: connections that the CLI opens. Never: a part of the broker; it speaks to any Kafka broker over TCP and shares no state
//! with the server beside it in this binary.
//!
//! **Invariant**: a batch is never written twice by a retry (idempotent unless acks is not `all`), and an error that is shown names
//! what was asked and what to do.

pub mod admin;
pub mod cluster;
pub mod codes;
pub mod connection;
pub mod error;
pub mod fetcher;
pub mod member;
pub mod offsets;
pub mod partitioner;
pub mod producer;
pub mod security;

#[cfg(test)]
mod tests;

pub use cluster::Cluster;
pub use error::ClientError;

/// The name that this client gives itself, in requests and in ApiVersions.
pub const CLIENT_ID: &str = "millstream-cli";
