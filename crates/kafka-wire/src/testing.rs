//! Random messages for tests, here and in other crates: feature `testing`, never in a shipped binary.
//!
//! The generator is our own and seeded, so that a failing seed can be named and repeated anywhere.

use crate::records::Records;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message};
use bytes::Bytes;

/// Longest random array, string and byte field, small enough that nested arrays stay small.
const LEN_MAX: u64 = 4;

/// A seeded source of random values (SplitMix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// A value that can be made up.
pub trait Arbitrary: Sized {
    /// A random value that can be written at `at`.
    fn arbitrary(rng: &mut Rng, at: At) -> Self;
}

/// A random message of a version that exists.
pub fn message<M: Message + Arbitrary>(rng: &mut Rng, version: i16) -> M {
    M::arbitrary(rng, M::at(version).expect("the caller picks an existing version"))
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $method:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $method(&mut self) -> $type {
            // Edges are where codecs break: half of the values are near zero or near a power of two.
            match self.below(4) {
                0 => self.below(3) as $type,
                1 => <$type>::MAX.wrapping_add(self.below(2) as $type),
                _ => self.next() as $type,
            }
        }
    )*};
}

impl Rng {
    /// A source that gives the same values for the same seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless source, not an iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether an optional thing is there.
    pub fn present(&mut self) -> bool {
        self.below(3) != 0
    }

    /// True or false.
    pub fn boolean(&mut self) -> bool {
        self.below(2) == 1
    }

    numbers! {
        /// Any number.
        i8 -> i8;
        /// Any number.
        i16 -> i16;
        /// Any number.
        u16 -> u16;
        /// Any number.
        i32 -> i32;
        /// Any number.
        i64 -> i64;
    }

    /// A finite number.
    pub fn f64(&mut self) -> f64 {
        f64::from(self.i32()) / 8.0
    }

    /// Any id.
    pub fn uuid(&mut self) -> Uuid {
        Uuid::from_u128((u128::from(self.next()) << 64) | u128::from(self.next()))
    }

    /// Short text, now and then long enough for a length of two bytes.
    pub fn string(&mut self) -> Str {
        const LETTERS: [char; 6] = ['a', 'Z', '.', '-', 'é', '火'];
        let len = if self.below(16) == 0 {
            100
        } else {
            self.below(LEN_MAX + 4)
        };
        let text: String = (0..len)
            .map(|_| LETTERS[self.below(LETTERS.len() as u64) as usize])
            .collect();
        Str::from(text)
    }

    /// Short bytes, now and then enough of them to be shared instead of copied.
    pub fn bytes(&mut self) -> Bytes {
        let len = if self.below(8) == 0 {
            crate::encoder::SHARE_BYTES_MIN as u64 + self.below(100)
        } else {
            self.below(LEN_MAX * 8)
        };
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// Random bytes in random chunks; not batches.
    pub fn records(&mut self) -> Records {
        let chunks = self.below(3);
        (0..chunks).map(|_| self.bytes()).collect()
    }

    /// A short array.
    pub fn array<T: Arbitrary>(&mut self, at: At) -> Vec<T> {
        let len = self.below(LEN_MAX);
        (0..len).map(|_| T::arbitrary(self, at)).collect()
    }

    /// A struct.
    pub fn structure<T: Arbitrary>(&mut self, at: At) -> T {
        T::arbitrary(self, at)
    }
}

macro_rules! primitives {
    ($($type:ty, $method:ident;)*) => {$(
        impl Arbitrary for $type {
            fn arbitrary(rng: &mut Rng, _at: At) -> Self {
                rng.$method()
            }
        }
    )*};
}

primitives! {
    bool, boolean;
    i8, i8;
    i16, i16;
    u16, u16;
    i32, i32;
    i64, i64;
    f64, f64;
    Uuid, uuid;
    Str, string;
}
