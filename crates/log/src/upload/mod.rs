//! Uploads: the durable tail of the write-ahead log becomes objects and one manifest record; then the log may forget it.
//!
//! Owns: when to upload, what goes into which object, retrying for ever. Never loses a batch for want of room: what cannot be
//! uploaded stays in the write-ahead log, whose bound makes appends wait.
//! Where the store has no room for everything that waits, the oldest groups go first, as many as fit (`portion.rs`).
//! **Invariant**: commits are strictly in order, one cut after the other, each atomic over all its streams; everything in groups up to
//! the `wal_through` of a commit is in committed objects, and what the commit says of a stream's producers is as of exactly the end that
//! it gives the stream.

pub(crate) mod build;
mod portion;
pub(crate) mod source;
pub(crate) mod uploader;

#[cfg(test)]
mod exact_tests;
#[cfg(test)]
mod tests;
