//! The batches of a group as they lie in memory: pieces, each of which begins at a page of the block.
//!
//! Owns: where a piece begins. Never copies a byte.
//!
//! **Invariant**: a batch lies in one piece, and behind each piece there is a gap before the next: what lies together in the block
//! lies together in memory.

use super::format::ALIGN_BYTES;
use bytes::Bytes;

/// See the module. A clone shares the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// At the start. The common case of one piece needs no allocation.
    first: Bytes,
    rest: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    at: usize,
    bytes: Bytes,
}

/// Where a piece begins behind one that ends at `end`: at the next page, and never right there.
pub(super) fn next_piece_at(end: usize) -> usize {
    match end {
        0 => 0,
        end => (end + 1).next_multiple_of(ALIGN_BYTES as usize),
    }
}

impl Block {
    /// Appends a piece and answers where it begins. An empty one must be the only one.
    pub fn push(&mut self, bytes: Bytes) -> usize {
        let at = self.next_at();
        match at {
            0 => self.first = bytes,
            at => self.rest.push(Piece { at, bytes }),
        }
        at
    }

    /// Where the next piece will begin.
    pub(super) fn next_at(&self) -> usize {
        next_piece_at(self.len())
    }

    /// From its start to the end of the last piece, gaps included.
    #[must_use]
    pub fn len(&self) -> usize {
        let last = self.rest.last();
        last.map_or(self.first.len(), |piece| piece.at + piece.bytes.len())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is more than one piece.
    pub(super) fn has_gaps(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The pieces in order, each with the place where it begins.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, &Bytes)> {
        let rest = self.rest.iter().map(|piece| (piece.at, &piece.bytes));
        std::iter::once((0, &self.first)).chain(rest)
    }

    /// The memory of the pieces.
    pub(crate) fn into_pieces(self) -> impl Iterator<Item = Bytes> {
        let rest = self.rest.into_iter().map(|piece| piece.bytes);
        std::iter::once(self.first).chain(rest)
    }

    /// Memory that it takes beside that of the pieces.
    pub(crate) fn overhead_bytes(&self) -> usize {
        self.rest.capacity() * size_of::<Piece>()
    }

    /// Batches that lie together.
    ///
    /// # Panics
    /// When they do not lie in one piece.
    #[must_use]
    pub fn slice(&self, position: usize, len: usize) -> Bytes {
        let behind = self.rest.partition_point(|piece| piece.at <= position);
        let (at, piece) = match behind.checked_sub(1) {
            None => (0, &self.first),
            Some(index) => (self.rest[index].at, &self.rest[index].bytes),
        };
        piece.slice(position - at..position - at + len)
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
    fn pieces_begin_at_pages_and_never_touch() {
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
        let found: Vec<(usize, usize)> = block.pieces().map(|(at, bytes)| (at, bytes.len())).collect();
        assert_eq!(found, places.into_iter().zip(lens).collect::<Vec<_>>());
        assert_eq!(
            block.into_pieces().map(|bytes| bytes.len()).sum::<usize>(),
            lens.iter().sum()
        );
    }
}
