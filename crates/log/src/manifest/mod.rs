//! The manifest: which objects exist and which offsets of which stream they hold. A state machine over an ordered list of
//! commit records; the list is kept behind the port `store::ManifestStore`.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod store;
