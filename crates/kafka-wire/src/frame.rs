//! [`Frame`]: a finished message with its length, as a list of chunks for a gathering write. Never copies.

use bytes::{Buf, Bytes};
use std::io::IoSlice;

/// One frame, its four bytes of length first. As a [`Buf`] it gives its chunks to `write_vectored` and keeps track of what a
/// short write left.
#[derive(Clone, Debug)]
pub struct Frame {
    chunks: Vec<Bytes>,
    /// Index of the first chunk that is not used up.
    next: usize,
    remaining: usize,
}

impl Frame {
    pub(crate) fn new(chunks: Vec<Bytes>) -> Self {
        let remaining = chunks.iter().map(Bytes::len).sum();
        Self {
            chunks,
            next: 0,
            remaining,
        }
    }

    /// A frame of bytes that are no message of the protocol (SASL before KIP-152).
    #[must_use]
    pub fn of_bytes(bytes: Bytes) -> Self {
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        Self::new(vec![Bytes::copy_from_slice(&length.to_be_bytes()), bytes])
    }

    /// Bytes that are left to write, the length prefix included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.remaining
    }

    /// Whether everything was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// The chunks that are left, in order.
    #[must_use]
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks[self.next..]
    }

    /// The chunks that are left.
    #[must_use]
    pub fn into_chunks(mut self) -> Vec<Bytes> {
        self.chunks.split_off(self.next)
    }
}

impl Buf for Frame {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.get(self.next).map_or(&[], Bytes::as_ref)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let chunks = self.chunks().iter().zip(slices);
        chunks.map(|(chunk, slice)| *slice = IoSlice::new(chunk)).count()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced past the frame's end");
        self.remaining -= count;
        while let Some(chunk) = self.chunks.get_mut(self.next) {
            if count < chunk.len() {
                chunk.advance(count);
                return;
            }
            count -= chunk.len();
            // Written chunks are let go at once: they pin the log's caches.
            *chunk = Bytes::new();
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_writes_lose_nothing() {
        let chunks = vec![
            Bytes::from_static(b"abc"),
            Bytes::from_static(b"d"),
            Bytes::from_static(b"efgh"),
        ];
        for step in 1..=8 {
            let mut frame = Frame::new(chunks.clone());
            let mut written = Vec::new();
            while frame.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 2];
                let filled = frame.chunks_vectored(&mut slices);
                let all: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                let count = step.min(all.len());
                written.extend_from_slice(&all[..count]);
                frame.advance(count);
            }
            assert_eq!(written, b"abcdefgh");
            assert!(frame.is_empty() && frame.chunks().is_empty());
        }
    }
}
