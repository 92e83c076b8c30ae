//! A checksum over stored batches that reads next to nothing of them: their records are covered by the CRC-32C that came with each, so
//! it covers the rest, the bytes in front of what the CRC covers, and the CRC itself.
//!
//! Owns: which bytes those are. **Invariant**: whoever finds the sum right, and the CRC of each batch, has the bytes that were summed.
//!
//! On the append path, for each group of the write-ahead log, and for each block of an object; on the cold fetch path, where a block is
//! read from the store.

use super::header::{HEADER_BYTES, LENGTH_PREFIX_BYTES, array_at, checksum, field, i32_at};
use xxhash_rust::xxh3::Xxh3;

/// Bytes in front of what the CRC covers.
const HEAD_BYTES: usize = field::ATTRIBUTES;

/// The checksum of batches that come one after the other.
#[derive(Clone, Default)]
pub(crate) struct HeadsSum(Xxh3);

impl HeadsSum {
    /// A whole batch.
    pub(crate) fn push(&mut self, batch: &[u8]) {
        self.0.update(&batch[..HEAD_BYTES]);
    }

    pub(crate) fn digest(&self) -> u64 {
        self.0.digest()
    }
}

/// The checksum of a block; `None` unless it holds whole batches, back to back.
pub(crate) fn heads_sum(block: &[u8]) -> Option<u64> {
    heads_sum_of([block])
}

/// The checksum of a block that lies in pieces, each of which holds whole batches.
pub(crate) fn heads_sum_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<u64> {
    let mut sum = HeadsSum::default();
    for mut rest in pieces {
        while !rest.is_empty() {
            let batch;
            (batch, rest) = next(rest)?;
            sum.push(batch);
        }
    }
    Some(sum.digest())
}

/// Whether every batch of a block matches its own CRC. The block was found to hold whole batches.
pub(crate) fn bodies_hold(block: &[u8]) -> bool {
    let mut rest = block;
    while let Some((batch, behind)) = next(rest) {
        if checksum(batch) != u32::from_be_bytes(array_at(batch, field::CRC)) {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

/// The batch that the bytes begin with, and what follows it.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = bytes.get(..HEADER_BYTES)?;
    let length = usize::try_from(i32_at(head, field::BATCH_LENGTH)).ok()?;
    let len = length + LENGTH_PREFIX_BYTES;
    if len < HEADER_BYTES {
        return None;
    }
    bytes.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = include_bytes!("golden/java-none.batch");
    const SECOND: &[u8] = include_bytes!("golden/java-zstd.batch");

    #[test]
    fn any_changed_bit_of_any_batch_is_found() {
        let block = [FIRST, SECOND, FIRST].concat();
        let sum = heads_sum(&block).expect("whole batches");
        let holds = |block: &[u8]| heads_sum(block) == Some(sum) && bodies_hold(block);
        assert!(holds(&block));
        for at in 0..block.len() {
            for bit in 0..8 {
                let mut damaged = block.clone();
                damaged[at] ^= 1 << bit;
                assert!(!holds(&damaged), "bit {bit} of byte {at}");
            }
        }
        for len in 0..block.len() {
            assert!(!holds(&block[..len]), "cut at {len}");
        }
        assert!(!holds(&[SECOND, FIRST, FIRST].concat()), "another order");
    }

    #[test]
    fn one_by_one_and_together_are_the_same() {
        let mut sum = HeadsSum::default();
        sum.push(FIRST);
        sum.push(SECOND);
        assert_eq!(heads_sum(&[FIRST, SECOND].concat()), Some(sum.digest()));
        assert_eq!(heads_sum_of([FIRST, SECOND]), Some(sum.digest()));
    }

    #[test]
    fn what_is_no_batch_has_no_sum() {
        for block in [&[0; 100][..], &[0xff; 100], &FIRST[..HEADER_BYTES], b"x"] {
            assert_eq!(heads_sum(block), None);
        }
    }
}
