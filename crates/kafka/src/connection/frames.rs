//! Frames off a socket: one at a time, bounded in length, in time and in the memory that all connections share.
//!
//! Owns: the read buffer, the connection's share of request memory, and the clock of the peer. Never: what a frame holds, but for where
//! the records of a large one begin: at a page of memory, so that the log can keep them there.
//!
//! **Invariant**: memory follows what has arrived, not what a length claims, beyond one step of `READ_AHEAD_BYTES_MAX`; and a
//! quiet connection holds next to none.

use super::{ConnectionError, ConnectionLimits};
use crate::node::Kafka;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use millstream_broker::Buffers;
use millstream_kafka_wire::{DecodeError, first_records};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Bytes of a frame's length.
pub(super) const LENGTH_BYTES: usize = 4;

/// The smallest request: API, version, correlation id, and a client id that is null.
pub(super) const FRAME_BYTES_MIN: usize = 10;

/// The read buffer of a connection that sends little, and of a quiet one: ten thousand of them take 20 MB.
const READ_BUFFER_BYTES_MIN: usize = 2 << 10;

/// The read buffer of a connection that sends much, while no large frame is on its way.
const READ_BUFFER_BYTES_MAX: usize = 64 << 10;

/// Of a large frame so much is waited for to learn where its records begin: names and all are shorter, as a rule.
const HEAD_BYTES_MAX: usize = 4 << 10;

/// Whether a frame is more than the read buffer ever is: it has memory of its own.
pub(crate) fn is_large(frame_bytes: usize) -> bool {
    frame_bytes > READ_BUFFER_BYTES_MAX
}

/// How much is allocated ahead of the bytes that have arrived: a length is a claim, arrived bytes are a fact.
const READ_AHEAD_BYTES_MAX: usize = 1 << 20;

/// Frames up to this size are read without a permit: heartbeats and the like never queue behind large batches.
const FRAME_BYTES_FREE: usize = 16 << 10;

/// The slowest that a frame may arrive, beyond the time that it may stall.
const FRAME_BYTES_PER_SECOND_MIN: usize = 256 << 10;

/// Time without a byte after which the read buffer is let go.
const QUIET_AFTER: Duration = Duration::from_secs(10);

/// A whole request and its share of the memory that all requests may take.
pub(super) struct InFrame {
    pub bytes: Bytes,
    pub permit: Option<OwnedSemaphorePermit>,
}

/// What came next.
pub(super) enum Incoming {
    Frame(InFrame),
    /// Nothing for `idle_max`.
    Idle,
    /// The peer closed, between two frames.
    Closed,
}

pub(super) struct FrameReader {
    buffer: BytesMut,
    /// A large frame that has begun; `buffer` is empty meanwhile.
    large: Option<Large>,
    buffers: Buffers,
    /// Room for the next read; follows what the last ones brought.
    chunk_bytes: usize,
    frame_bytes_min: usize,
    frame_bytes_max: usize,
    idle_max: Duration,
    stall_max: Duration,
    budget: Arc<Semaphore>,
    /// What the whole budget is: no frame asks for more.
    budget_bytes: usize,
    /// The wait for a large frame's permit; kept, so that a cancelled `next` does not lose its place in the line.
    acquiring: Option<BoxFuture<'static, OwnedSemaphorePermit>>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the frame that has begun must be whole, or else when the connection counts as idle.
    deadline: Instant,
    /// Fires no later than the deadline; set back only when the deadline comes nearer, so that a request costs no timer.
    timer: Pin<Box<Sleep>>,
}

impl FrameReader {
    pub fn new(kafka: &Kafka, limits: &ConnectionLimits) -> Self {
        let deadline = Instant::now() + limits.idle_max;
        Self {
            buffer: BytesMut::new(),
            large: None,
            buffers: kafka.broker.buffers().clone(),
            chunk_bytes: READ_BUFFER_BYTES_MIN,
            frame_bytes_min: FRAME_BYTES_MIN,
            frame_bytes_max: limits.frame_bytes_max,
            idle_max: limits.idle_max,
            stall_max: limits.stall_max,
            budget: kafka.request_bytes.clone(),
            budget_bytes: kafka.request_bytes_max,
            acquiring: None,
            permit: None,
            deadline,
            timer: Box::pin(tokio::time::sleep_until(deadline)),
        }
    }

    /// The next whole frame without its length. Cancel-safe: what has arrived stays in the buffer.
    pub async fn next(&mut self, socket: &mut (impl AsyncRead + Unpin)) -> Result<Incoming, ConnectionError> {
        loop {
            let missing = match self.expected()? {
                Some(frame_bytes) => {
                    let arrived = self.arrived();
                    if arrived >= frame_bytes {
                        return Ok(Incoming::Frame(self.take(frame_bytes)));
                    }
                    self.admit(frame_bytes).await;
                    match self.set_aside(frame_bytes) {
                        Placed::Yes => Some(frame_bytes - arrived),
                        Placed::NotYet => Some(HEAD_BYTES_MAX),
                    }
                }
                None => None,
            };
            let had_begun = self.has_begun();
            match self.read(socket, missing).await? {
                Read::Some if !had_begun => self.restart_clock(),
                Read::Some => {}
                Read::Late if had_begun => return Err(ConnectionError::Stalled),
                Read::Late => {
                    self.restart_clock();
                    return Ok(Incoming::Idle);
                }
                Read::End if had_begun => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Read::End => return Ok(Incoming::Closed),
            }
        }
    }

    /// Which lengths are accepted from now on.
    pub fn bound(&mut self, frame_bytes_min: usize, frame_bytes_max: usize) {
        self.frame_bytes_min = frame_bytes_min;
        self.frame_bytes_max = frame_bytes_max;
    }

    /// Gives the peer its full time from now on: it had to wait for us.
    pub fn restart_clock(&mut self) {
        let patience = match self.has_begun() {
            false => self.idle_max,
            true => self.stall_max + self.earned_time(),
        };
        self.deadline = Instant::now() + patience;
    }

    /// The time that the length of the frame on its way gives the peer.
    fn earned_time(&self) -> Duration {
        let frame_bytes = self.expected().ok().flatten().unwrap_or(0);
        Duration::from_secs((frame_bytes / FRAME_BYTES_PER_SECOND_MIN) as u64)
    }

    fn has_begun(&self) -> bool {
        !self.buffer.is_empty() || self.large.is_some()
    }

    /// Bytes behind the length of the frame that has begun.
    fn arrived(&self) -> usize {
        match &self.large {
            Some(large) => large.frame.len(),
            None => self.buffer.len().saturating_sub(LENGTH_BYTES),
        }
    }

    /// The length of the frame that has begun, once its four bytes are there.
    fn expected(&self) -> Result<Option<usize>, ConnectionError> {
        if let Some(large) = &self.large {
            return Ok(Some(large.frame_bytes));
        }
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        match usize::try_from(length) {
            Ok(bytes) if (self.frame_bytes_min..=self.frame_bytes_max).contains(&bytes) => Ok(Some(bytes)),
            _ => Err(ConnectionError::FrameLength(length)),
        }
    }

    /// Waits for a large frame's share of memory before more of it is read: back-pressure instead of growth.
    async fn admit(&mut self, frame_bytes: usize) {
        if frame_bytes <= FRAME_BYTES_FREE || self.permit.is_some() {
            return;
        }
        let budget = self.budget.clone();
        let wanted = frame_bytes.min(self.budget_bytes);
        let acquiring = self.acquiring.get_or_insert_with(|| {
            let permits = u32::try_from(wanted).expect("a frame's length came from 31 bits");
            Box::pin(async move {
                let acquired = budget.acquire_many_owned(permits).await;
                acquired.expect("the semaphore of request memory is never closed")
            })
        });
        self.permit = Some(acquiring.await);
        self.acquiring = None;
        // The time in the line was ours, not the peer's.
        self.restart_clock();
    }

    /// A large frame goes on in a buffer of its own. One that is larger than a claim is believed stays where its memory grows.
    fn set_aside(&mut self, frame_bytes: usize) -> Placed {
        if self.large.is_some() || !is_large(frame_bytes) || frame_bytes > READ_AHEAD_BYTES_MAX {
            return Placed::Yes;
        }
        let arrived = &self.buffer[LENGTH_BYTES..];
        let beginning = Bytes::copy_from_slice(&arrived[..arrived.len().min(HEAD_BYTES_MAX)]);
        let page_at = match first_records(&beginning) {
            Ok(records) => records.map_or(0, |records| records.start),
            Err(DecodeError::Truncated) if beginning.len() < HEAD_BYTES_MAX => return Placed::NotYet,
            // It is refused once it is whole.
            Err(_) => 0,
        };
        let mut frame = self.buffers.take(frame_bytes, page_at);
        frame.extend_from_slice(arrived);
        self.buffer.clear();
        self.large = Some(Large { frame_bytes, frame });
        Placed::Yes
    }

    /// Reads once: at most what a large frame lacks, so that nothing behind it is kept in its memory.
    async fn read(
        &mut self,
        socket: &mut (impl AsyncRead + Unpin),
        missing: Option<usize>,
    ) -> Result<Read, ConnectionError> {
        loop {
            if self.large.is_none() {
                let room = missing.unwrap_or(0).clamp(self.chunk_bytes, READ_AHEAD_BYTES_MAX);
                self.buffer.reserve(room);
            }
            let wake_at = self.wake_at();
            if wake_at < self.timer.deadline() {
                self.timer.as_mut().reset(wake_at);
            }
            let is_of_large = |missing: &usize| self.large.is_some() || is_large(*missing);
            let limit = missing.filter(is_of_large).unwrap_or(usize::MAX);
            let mut limited = (&mut *socket).take(limit as u64);
            let read = async {
                match &mut self.large {
                    Some(large) => limited.read_buf(&mut large.frame).await,
                    None => limited.read_buf(&mut self.buffer).await,
                }
            };
            tokio::select! {
                biased;
                read = read => return Ok(self.adapt(read?)),
                () = self.timer.as_mut() => {}
            }
            let now = Instant::now();
            if now >= self.deadline {
                self.timer.as_mut().reset(now + self.idle_max);
                return Ok(Read::Late);
            }
            if !self.has_begun() && now >= self.quiet_at() {
                self.buffer = BytesMut::new();
                self.buffers.trim();
                self.chunk_bytes = READ_BUFFER_BYTES_MIN;
            }
            let wake_at = self.wake_at();
            self.timer.as_mut().reset(wake_at);
        }
    }

    fn wake_at(&self) -> Instant {
        match !self.has_begun() && self.chunk_bytes > READ_BUFFER_BYTES_MIN {
            true => self.deadline.min(self.quiet_at()),
            false => self.deadline,
        }
    }

    /// Follows from the deadline, which every byte moves while nothing has begun.
    fn quiet_at(&self) -> Instant {
        let left = self.idle_max.saturating_sub(QUIET_AFTER);
        self.deadline.checked_sub(left).unwrap_or(self.deadline)
    }

    /// The next buffer is as large as what comes at once.
    fn adapt(&mut self, read: usize) -> Read {
        if read == 0 {
            return Read::End;
        }
        let wanted = read.saturating_mul(2).next_power_of_two();
        // It shrinks slowly: the end of a large frame is a small read.
        let shrunk = self.chunk_bytes / 2;
        self.chunk_bytes = wanted
            .max(shrunk)
            .clamp(READ_BUFFER_BYTES_MIN, READ_BUFFER_BYTES_MAX);
        Read::Some
    }

    fn take(&mut self, frame_bytes: usize) -> InFrame {
        let bytes = match self.large.take() {
            Some(large) => large.frame.freeze(),
            None => {
                self.buffer.advance(LENGTH_BYTES);
                match self.buffer.len() == frame_bytes && is_large(frame_bytes) {
                    // Its memory leaves with it: an idle connection must not keep the room of its largest frame.
                    true => std::mem::take(&mut self.buffer).freeze(),
                    false => self.buffer.split_to(frame_bytes).freeze(),
                }
            }
        };
        self.restart_clock();
        InFrame {
            bytes,
            permit: self.permit.take(),
        }
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        if self.chunk_bytes > READ_BUFFER_BYTES_MIN {
            self.buffers.trim();
        }
    }
}

/// A large frame on its way.
struct Large {
    frame_bytes: usize,
    frame: BytesMut,
}

/// Whether a frame is where it will be read.
enum Placed {
    Yes,
    /// More of it must arrive first.
    NotYet,
}

/// What one read brought.
enum Read {
    Some,
    End,
    /// The deadline passed.
    Late,
}
