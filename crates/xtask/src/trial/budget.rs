//! Memory budgets far below the defaults, so that a trial of seconds exceeds what a broker may keep in memory, and the bound
//! that follows from them.

use crate::brokers::Site;
use std::num::NonZeroUsize;

const MEBIBYTE: u64 = 1 << 20;

/// The settings that bound memory: flag and mebibytes.
const BOUNDS: &[(&str, u64)] = &[
    ("log-tail-cache-bytes", 32),
    ("log-block-cache-bytes", 32),
    ("log-wal-queue-bytes-max", 16),
    ("limits-request-memory-bytes", 64),
    ("limits-fetch-memory-bytes", 64),
];

/// Settings that make the log turn over quickly: flag and mebibytes. They cost disk, not memory.
const TURNOVER: &[(&str, u64)] = &[
    ("log-wal-segment-bytes", 16),
    ("log-upload-bytes", 32),
    ("limits-request-bytes-max", 16),
];

/// What a broker needs beside its budgets: its code, its threads, the buffers of sockets, an upload that is being built,
/// read-ahead of a few readers, and what the allocator keeps.
const BESIDE_MEBIBYTES: u64 = 192;

/// What a compressed batch costs while it is opened: its records and a codec's window, 64 MiB each at most. The broker opens no more
/// than four at once, and no more than it has threads.
const OPENING_MEBIBYTES: u64 = 128;
const OPENINGS_MAX: usize = 4;

/// Sets the small budgets.
pub fn apply(site: &mut Site) {
    for (flag, mebibytes) in BOUNDS.iter().chain(TURNOVER) {
        site.set(flag, &format!("{mebibytes}MiB"));
    }
}

/// What makes uploads and compaction follow the producers within a second: flag and value.
const HASTE: &[(&str, &str)] = &[
    ("log-upload-bytes", "1MiB"),
    ("log-upload-age", "500ms"),
    ("log-housekeeping-interval", "500ms"),
];

/// Lets a trial of seconds see compacted topics compacted.
pub fn compact_soon(site: &mut Site) {
    for (flag, value) in HASTE {
        site.set(flag, value);
    }
}

/// The sum of the budgets, in bytes.
pub fn budget_bytes() -> u64 {
    BOUNDS.iter().map(|(_, mebibytes)| mebibytes * MEBIBYTE).sum()
}

/// The part of it that keeps records.
pub fn cache_bytes() -> u64 {
    let caches = BOUNDS.iter().filter(|(flag, _)| flag.contains("cache"));
    caches.map(|(_, mebibytes)| mebibytes * MEBIBYTE).sum()
}

/// What the broker's resident memory may not exceed, in bytes.
pub fn bound_bytes() -> u64 {
    budget_bytes() + BESIDE_MEBIBYTES * MEBIBYTE
}

/// What it may not exceed where clients make it open batches that unpack to all that is allowed.
pub fn bound_with_openings_bytes() -> u64 {
    let threads = std::thread::available_parallelism().map_or(OPENINGS_MAX, NonZeroUsize::get);
    bound_bytes() + threads.min(OPENINGS_MAX) as u64 * OPENING_MEBIBYTES * MEBIBYTE
}
