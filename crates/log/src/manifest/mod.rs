//! The manifest: which objects exist and which offsets of which stream they hold. A state machine over an ordered list of
//! commit records; the list is kept behind the port `store::ManifestStore`. Formats: docs/format/manifest.md.
//!
//! Owns: the committed ends of all streams, the life and death of objects, `wal_through`. Never holds a batch.
//! **Invariants** 4 and 5 of docs/ARCHITECTURE.md are decided here, at commit: what replaces must cover exactly what it
//! replaces (trap T8), and an object dies only when no range refers to it.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub(crate) mod commit;
pub(crate) mod handle;
pub(crate) mod image;
pub(crate) mod invariants;
pub(crate) mod load;
pub(crate) mod ranges;
pub(crate) mod record;
pub(crate) mod record_format;
pub(crate) mod snapshot_format;
mod transactions_format;

#[cfg(test)]
mod tests;

pub(crate) use handle::ManifestHandle;
