//! Reads the topics from a consumer's protocol metadata (Kafka: ConsumerProtocolSubscription, versions 0 and later).
//!
//! Owns: nothing. Never: the rest of the metadata (owned partitions, rack, user data), which is the assignor's business.
//! **Invariant**: hostile metadata yields `None`, never a large allocation: a topic takes at least two bytes of input.

use super::name::TopicName;
use std::collections::BTreeSet;

/// The kind of group whose metadata can be read.
pub const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Adds the topics to `into`; `None` if the metadata cannot be read. Layout, big-endian: i16 version, i32 count, then count times
/// (i16 length, UTF-8). Later versions only add fields behind it.
pub fn read_topics(metadata: &[u8], into: &mut BTreeSet<TopicName>) -> Option<()> {
    let (version, rest) = metadata.split_first_chunk::<2>()?;
    if i16::from_be_bytes(*version) < 0 {
        return None;
    }
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (topic, after) = after.split_at_checked(length)?;
        into.insert(TopicName::from(std::str::from_utf8(topic).ok()?));
        rest = after;
    }
    Some(())
}
