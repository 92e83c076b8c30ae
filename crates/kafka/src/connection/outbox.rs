//! Answers that are ready to leave, gathered so that many of them take one system call.
//!
//! Owns: finished frames in their order. Never: which frame is next.
//!
//! Fetch path and append path: last stop before the socket.

use bytes::Buf;
use millstream_kafka_wire::Frame;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

/// Frames gathered for one write; more gain nothing, as the kernel takes so many pieces at once.
const FRAMES_MAX: usize = 64;

/// Bytes from which on a write is worth its system call.
const BYTES_ENOUGH: usize = 256 << 10;

/// The slowest that a peer may take its answers, beyond the time that it may stall.
const BYTES_PER_SECOND_MIN: usize = 64 << 10;

/// See the module. A `Buf`: a short write leaves the rest in it.
#[derive(Default)]
pub(super) struct Outbox {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Outbox {
    /// Takes an answer, if there is one (acks=0 has none).
    pub fn extend(&mut self, frame: Option<Frame>) {
        let Some(frame) = frame else { return };
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    pub fn len(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Whether it should be written before more is taken.
    pub fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES_MAX || self.bytes >= BYTES_ENOUGH
    }

    /// The time that its length gives the peer.
    pub fn earned_time(&self) -> Duration {
        Duration::from_secs((self.bytes / BYTES_PER_SECOND_MIN) as u64)
    }
}

impl Buf for Outbox {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        self.frames.front().map_or(&[], Buf::chunk)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for frame in &self.frames {
            if filled == slices.len() {
                break;
            }
            filled += frame.chunks_vectored(&mut slices[filled..]);
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.bytes, "advanced past the last frame's end");
        self.bytes -= count;
        while let Some(frame) = self.frames.front_mut() {
            if count < frame.remaining() {
                frame.advance(count);
                return;
            }
            count -= frame.remaining();
            self.frames.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_kafka_wire::{ApiVersionsResponse, encode_response};

    #[test]
    fn short_writes_lose_nothing_and_keep_the_order() {
        let mut expected = Vec::new();
        let frame =
            |correlation_id| encode_response(&ApiVersionsResponse::default(), 0, correlation_id).unwrap();
        for id in 0..5 {
            let mut frame = frame(id);
            expected.extend_from_slice(&frame.copy_to_bytes(frame.remaining()));
        }
        for step in 1..=expected.len() {
            let mut outbox = Outbox::default();
            (0..5).for_each(|id| outbox.extend(Some(frame(id))));
            outbox.extend(None);
            let mut written = Vec::new();
            while !outbox.is_empty() {
                let mut slices = [IoSlice::new(&[]); 3];
                let filled = outbox.chunks_vectored(&mut slices);
                let all: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                let count = step.min(all.len());
                written.extend_from_slice(&all[..count]);
                outbox.advance(count);
            }
            assert_eq!(written, expected);
        }
    }
}
