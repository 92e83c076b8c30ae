//! The Kafka front end: bytes from a connection become questions to the broker, its answers become bytes.
//!
//! Owns: the protocol's framing, versions, error codes, fetch sessions and group state machines. Never: a decision about data
//! (the broker's), a storage type (it cannot name one), a socket's life (the server's).
//!
//! Adding an API is one file in `api/` and one row in `dispatch::TABLE`, from which ApiVersions is derived.

#![forbid(unsafe_code)]

mod access;
mod api;
mod authorized;
mod connection;
mod dispatch;
mod errors;
mod features;
mod fetch_session;
pub mod group;
mod metrics;
mod node;
mod share;
mod state;
mod telemetry;
mod throttle;
pub mod transaction;

pub use access::{Right, rights_of};
pub use connection::{ConnectionError, ConnectionLimits, LoginRules, Peer, serve_connection};
pub use dispatch::CallError;
pub use dispatch::{ApiListing, supported_apis};
pub use metrics::{ApiMetrics, ApiSnapshot, LATENCY_BOUNDS_MICROS};
pub use node::{Advertised, Kafka, KafkaConfig};
pub use share::ShareGroups;
pub use telemetry::{ClientMetric, Telemetry};
