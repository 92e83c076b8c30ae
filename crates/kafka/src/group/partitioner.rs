//! Which partition of `__consumer_offsets` a group belongs to: Kafka's rule, so that tools that compute it agree.
//!
//! Owns: the rule. Never: the number of partitions.

/// `abs(hash(group)) % count` with the hash of a Java string, which runs over UTF-16 units.
#[must_use]
pub fn partition_of(group: &str, count: u32) -> u32 {
    let hash = group.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // Kafka's Utils.abs maps the one value without a positive counterpart to 0.
    let positive = hash.checked_abs().unwrap_or(0);
    positive.unsigned_abs() % count.max(1)
}
