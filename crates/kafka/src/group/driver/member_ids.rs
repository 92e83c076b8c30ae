//! Ids of new members.
//!
//! Owns: their form and that none comes twice. **Invariant**: whoever does not know the seed cannot tell the next id, so
//! nobody can speak for a member that he did not join as.

use crate::group::name::MemberId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(super) struct MemberIds {
    seed: u128,
    next: AtomicU64,
}

impl MemberIds {
    pub fn new(seed: u128) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }

    /// "name-" and 128 bits in the form of a UUID, as clients' logs and tools expect it. The bits are SipHash over the secret seed
    /// and a counter.
    pub fn next(&self, name: &str) -> MemberId {
        let count = self.next.fetch_add(1, Relaxed);
        let half = |half: u8| {
            let mut hasher = DefaultHasher::new();
            (self.seed, count, half).hash(&mut hasher);
            hasher.finish()
        };
        let (high, low) = (half(0), half(1));
        MemberId::from(format!(
            "{name}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff,
        ))
    }
}
