//! Objects: immutable, sorted by (stream, offset), with an index footer. Uploaded from the write-ahead log, merged, compacted, collected.

pub mod store;
