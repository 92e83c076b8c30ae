//! FNV-1a in 64 bits: a hash that is the same on every machine and day, so that it may be stored.
//!
//! Owns: the arithmetic. Never: what is hashed, in which order; that belongs to who stores it.

/// The hash of what was added so far.
pub(super) struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub fn finish(self) -> u64 {
        self.0
    }
}
