//! The log's invariants as named functions: called by the simulator after every event, and by tests.

use crate::log::Log;

/// Invariants 1 and 2 of docs/ARCHITECTURE.md, as far as one process sees them: every stream's offsets are dense from its start
/// to its watermark, nothing durable is missing between objects and tail, and the watermark has not passed what was given.
pub fn streams_are_dense(log: &Log) -> Result<(), String> {
    log.core()
        .partitions()
        .iter()
        .try_for_each(|partition| partition.check())
}

/// All of them: what the simulator calls after every event.
pub fn check(log: &Log) -> Result<(), String> {
    streams_are_dense(log)?;
    log.core()
        .manifest
        .with_image(crate::manifest::image::Image::check)
}
