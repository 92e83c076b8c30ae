//! Which partition a keyed record goes to: the choice of Java's default partitioner, so that a key lands where every other
//! producer puts it.

/// The hash of Java's default partitioner (MurmurHash2, 32 bits, Kafka's seed), with the sign bit cleared.
#[must_use]
pub fn key_hash(key: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const FACTOR: u32 = 0x5bd1_e995;
    const SHIFT: u32 = 24;
    let mut hash = SEED ^ u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut words = key.chunks_exact(4);
    for word in words.by_ref() {
        let mut mixed = u32::from_le_bytes(word.try_into().expect("chunks of four")).wrapping_mul(FACTOR);
        mixed ^= mixed >> SHIFT;
        hash = hash.wrapping_mul(FACTOR) ^ mixed.wrapping_mul(FACTOR);
    }
    let rest = words.remainder();
    for (index, byte) in rest.iter().enumerate() {
        hash ^= u32::from(*byte) << (8 * index);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^= hash >> 15;
    hash & 0x7fff_ffff
}

/// The partition of a key among `partitions`, which is not 0.
#[must_use]
pub fn partition_of(key: &[u8], partitions: usize) -> usize {
    key_hash(key) as usize % partitions
}
