//! Cluster facts: topics, partitions, owners, epochs, configs; the store port and the store of a single broker.
//!
//! Owns: the port `store::MetaStore` with two implementations, the `catalog` upon it, and the log's manifest list in it.
//! Never: records, a protocol, a network. Not on the append path: the broker reads the catalog's image in memory.
//!
//! **Invariant**: what the catalog's image shows is durable.

#![forbid(unsafe_code)]

mod key;
mod local;
mod record;
mod settle;

pub mod catalog;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod embedded;
pub mod entropy;
pub mod manifest;
pub mod memory;
pub mod store;

pub use catalog::Catalog;
pub use embedded::EmbeddedStore;
pub use entropy::{Entropy, SystemEntropy};
pub use manifest::MetaManifest;
pub use memory::MemoryStore;
pub use record::DecodeError;
pub use settle::StoreFailure;
