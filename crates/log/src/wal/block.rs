//! The batches of a group as they lie in memory: extents, each of which begins at a page of the block.
//!
//! Owns: where an extent begins. Never copies a byte.
//!
//! **Invariant**: a batch lies in one extent, and behind each extent there is a gap before the next: what lies together in the block
//! lies together in memory.

use super::format::ALIGN_BYTES;
use bytes::Bytes;

/// See the module. A clone shares the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// At the start. The common case of one extent needs no allocation.
    first: Bytes,
    rest: Vec<Extent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Extent {
    at: usize,
    bytes: Bytes,
}

/// Where an extent begins behind one that ends at `end`: at the next page, and never right there.
pub(super) fn next_extent_at(end: usize) -> usize {
    match end {
        0 => 0,
        end => (end + 1).next_multiple_of(ALIGN_BYTES as usize),
    }
}

impl Block {
    /// Appends an extent and answers where it begins. An empty one must be the only one.
    pub fn push(&mut self, bytes: Bytes) -> usize {
        let at = self.next_at();
        match at {
            0 => self.first = bytes,
            at => self.rest.push(Extent { at, bytes }),
        }
        at
    }

    /// Where the next extent will begin.
    pub(super) fn next_at(&self) -> usize {
        next_extent_at(self.len())
    }

    /// From its start to the end of the last extent, gaps included.
    #[must_use]
    pub fn len(&self) -> usize {
        let last = self.rest.last();
        last.map_or(self.first.len(), |extent| extent.at + extent.bytes.len())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is more than one extent.
    pub(super) fn has_gaps(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The extents in order, each with the place where it begins.
    pub fn extents(&self) -> impl Iterator<Item = (usize, &Bytes)> {
        let rest = self.rest.iter().map(|extent| (extent.at, &extent.bytes));
        std::iter::once((0, &self.first)).chain(rest)
    }

    /// The memory of the extents.
    pub(crate) fn into_extents(self) -> impl Iterator<Item = Bytes> {
        let rest = self.rest.into_iter().map(|extent| extent.bytes);
        std::iter::once(self.first).chain(rest)
    }

    /// Memory that it takes beside that of the extents.
    pub(crate) fn overhead_bytes(&self) -> usize {
        self.rest.capacity() * size_of::<Extent>()
    }

    /// Batches that lie together.
    ///
    /// # Panics
    /// When they do not lie in one extent.
    #[must_use]
    pub fn slice(&self, position: usize, len: usize) -> Bytes {
        let behind = self.rest.partition_point(|extent| extent.at <= position);
        let (at, extent) = match behind.checked_sub(1) {
            None => (0, &self.first),
            Some(index) => (self.rest[index].at, &self.rest[index].bytes),
        };
        extent.slice(position - at..position - at + len)
    }
}

impl From<Bytes> for Block {
    fn from(first: Bytes) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_begin_at_pages_and_never_touch() {
        let page = ALIGN_BYTES as usize;
        let mut block = Block::default();
        assert!(block.is_empty());
        let lens = [10, page - 1, page, page + 1, 3 * page];
        let places: Vec<usize> = lens
            .iter()
            .zip(1..)
            .map(|(len, fill)| block.push(Bytes::from(vec![fill; *len])))
            .collect();
        assert_eq!(places, [0, page, 2 * page, 4 * page, 6 * page]);
        assert_eq!(block.len(), 9 * page);
        for ((at, len), fill) in places.iter().zip(lens).zip(1..) {
            assert_eq!(block.slice(*at, len), vec![fill; len]);
            assert_eq!(block.slice(at + 3, 5), vec![fill; 5]);
        }
        let found: Vec<(usize, usize)> = block.extents().map(|(at, bytes)| (at, bytes.len())).collect();
        assert_eq!(found, places.into_iter().zip(lens).collect::<Vec<_>>());
        assert_eq!(
            block.into_extents().map(|bytes| bytes.len()).sum::<usize>(),
            lens.iter().sum::<usize>()
        );
    }
}
