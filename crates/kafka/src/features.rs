//! Features: behaviour that clients switch on by what a cluster has agreed on, rather than by the version of a request (KIP-584).
//!
//! Owns: the table that ApiVersions tells. One row a feature.

use std::ops::RangeInclusive;

/// One feature.
pub(crate) struct Feature {
    /// Kafka's name.
    pub name: &'static str,
    /// Levels that this broker knows.
    pub levels: RangeInclusive<i16>,
    /// The level in force.
    pub level: i16,
}

/// Every feature, by name.
pub(crate) const FEATURES: &[Feature] = &[Feature {
    // 2: an epoch for each transaction, partitions added by the first batch (KIP-890).
    name: "transaction.version",
    levels: 0..=2,
    level: 2,
}];

/// Rises with each change of a level; levels are fixed so far.
pub(crate) const FEATURES_EPOCH: i64 = 1;
