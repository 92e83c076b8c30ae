//! The manifest: which objects exist and which offsets of which stream they hold. A state machine over an ordered list of
//! commit records; the list is kept behind the port `store::ManifestStore`.

pub mod store;
