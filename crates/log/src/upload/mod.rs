//! Uploads: the durable tail of the write-ahead log becomes objects and one manifest record; then the log may forget it.
//!
//! Owns: when to upload, what goes into which object, retrying for ever. Never loses a batch for want of room: what cannot be
//! uploaded stays in the write-ahead log, whose bound makes appends wait.
//! **Invariant**: commits are strictly in order, one cut after the other, each atomic over all its streams.

pub(crate) mod build;
pub(crate) mod source;
pub(crate) mod uploader;

#[cfg(test)]
mod tests;
