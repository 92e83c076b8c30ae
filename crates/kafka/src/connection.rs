//! One connection: frames in, one bounded at a time; answers out, in the order of the requests.
//!
//! Many requests are in flight: the next frame is read while earlier answers are pending (trap T10), up to a bound, after which
//! the socket is no longer read. A `Sequenced` API (produce) is awaited up to the point where its effect has its place.
//!
//! Append path: second stop, after the server's accept loop. Never: what a request means.

use crate::dispatch::{self, Answer, Call, CallError, Order, Started};
use crate::node::Kafka;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use millstream_kafka_wire::Frame;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// The smallest request: API, version, correlation id, and a client id that is null.
const FRAME_BYTES_MIN: usize = 10;

/// The read buffer's size while no large frame is on its way.
const READ_BUFFER_BYTES: usize = 32 << 10;

/// How much is allocated ahead of the bytes that have arrived: a length is a claim, arrived bytes are a fact.
const READ_AHEAD_BYTES_MAX: usize = 1 << 20;

/// Frames up to this size are read without a permit: heartbeats and the like never queue behind large batches.
const FRAME_BYTES_FREE: usize = 16 << 10;

/// The slowest that a frame may arrive, beyond the time that it may stall.
const FRAME_BYTES_PER_SECOND_MIN: usize = 256 << 10;

/// Bounds of one connection.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// The largest frame (Kafka: socket.request.max.bytes).
    pub frame_bytes_max: usize,
    /// Requests begun and not answered, beyond which the socket is not read.
    pub in_flight_max: usize,
    /// Time without a byte, with nothing in flight, after which the connection is closed (Kafka: connections.max.idle.ms).
    pub idle_max: Duration,
    /// Time in which a frame that has begun must be whole, beyond the time that its length earns it; and in which the peer must
    /// take an answer.
    pub stall_max: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 100 << 20,
            in_flight_max: 64,
            idle_max: Duration::from_secs(600),
            stall_max: Duration::from_secs(30),
        }
    }
}

/// Who is at the other end.
#[derive(Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Our address, as the peer reached it.
    pub local: SocketAddr,
    /// Name of the listener that it came in by.
    pub listener: String,
}

/// Why a connection ended, when not by the peer's own wish.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A length that no request has.
    #[error("a frame of {0} bytes is outside of what is accepted")]
    FrameLength(i32),
    /// A frame that stopped arriving, or a peer that stopped reading.
    #[error("the peer stalled")]
    Stalled,
    /// A request that cannot be answered.
    #[error("{0:?}")]
    Call(CallError),
}

impl From<CallError> for ConnectionError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// A whole request and its share of the memory that all requests may take.
struct InFrame {
    bytes: Bytes,
    permit: Option<OwnedSemaphorePermit>,
}

/// What happened next on a connection.
enum Event {
    Frame(InFrame),
    Answered(Answer),
    Idle,
    PeerClosed,
    Shutdown,
}

/// Serves one connection until the peer leaves, breaks the protocol, or `shutdown` resolves; then the answers that are pending
/// are still written.
pub async fn serve_connection<R, W>(
    kafka: Arc<Kafka>,
    reader: R,
    writer: W,
    peer: Peer,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ConnectionError>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin,
{
    let mut connection = Connection {
        frames: FrameReader::new(reader, kafka.request_bytes.clone(), &limits),
        kafka,
        peer: Arc::new(peer),
        writer,
        pending: FuturesOrdered::new(),
        limits,
    };
    tokio::pin!(shutdown);
    loop {
        match connection.select(shutdown.as_mut()).await? {
            Event::Frame(frame) => connection.begin(frame).await?,
            Event::Answered(answer) => connection.write(answer).await?,
            Event::Idle => return Ok(()),
            Event::PeerClosed | Event::Shutdown => break,
        }
    }
    while let Some(answer) = connection.pending.next().await {
        connection.write(answer).await?;
    }
    Ok(())
}

struct Connection<R, W> {
    kafka: Arc<Kafka>,
    peer: Arc<Peer>,
    frames: FrameReader<R>,
    writer: W,
    pending: FuturesOrdered<BoxFuture<'static, Answer>>,
    limits: ConnectionLimits,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Connection<R, W> {
    /// Waits for the next event and changes nothing (reading into the buffer can be dropped and taken up again).
    async fn select(
        &mut self,
        shutdown: std::pin::Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Event, ConnectionError> {
        let may_read = self.pending.len() < self.limits.in_flight_max;
        let deadline = self
            .frames
            .deadline
            .unwrap_or_else(|| Instant::now() + self.limits.idle_max);
        let is_idle = self.pending.is_empty();
        let has_begun = self.frames.deadline.is_some();
        tokio::select! {
            biased;
            Some(answer) = self.pending.next() => Ok(Event::Answered(answer)),
            () = shutdown => Ok(Event::Shutdown),
            frame = self.frames.next(), if may_read => match frame? {
                Some(frame) => Ok(Event::Frame(frame)),
                None => Ok(Event::PeerClosed),
            },
            () = tokio::time::sleep_until(deadline), if is_idle => match has_begun {
                true => Err(ConnectionError::Stalled),
                false => Ok(Event::Idle),
            },
        }
    }

    async fn begin(&mut self, frame: InFrame) -> Result<(), ConnectionError> {
        let InFrame { bytes: frame, permit } = frame;
        self.kafka.metrics.count_in(LENGTH_BYTES + frame.len());
        let (header, body_at) = dispatch::read_header(&frame).map_err(CallError::Malformed)?;
        let Some(row) = dispatch::find(header.api_key) else {
            return Err(CallError::Unsupported {
                key: header.api_key,
                version: header.api_version,
            }
            .into());
        };
        let correlation_id = header.correlation_id;
        if !row.versions.contains(&header.api_version) {
            // Only ApiVersions answers a version that it does not know, in version 0, so that the client can step down (KIP-511).
            let answer = crate::api::api_versions::answer_unknown_version(&header)?;
            self.pending
                .push_back(Box::pin(std::future::ready(Ok(Some(answer)))));
            return Ok(());
        }
        let call = Call {
            peer: self.peer.clone(),
            version: header.api_version,
            client_id: header.client_id,
        };
        let started = row.start(self.kafka.clone(), call, correlation_id, frame, body_at);
        let answer: BoxFuture<'static, Answer> = match row.order {
            Order::Sequenced => match self.drive(started).await? {
                Started::Finished(answer) => Box::pin(std::future::ready(answer)),
                Started::Pending(answer) => answer,
            },
            Order::Concurrent => Box::pin(async move {
                match started.await {
                    Started::Finished(answer) => answer,
                    Started::Pending(answer) => answer.await,
                }
            }),
        };
        self.pending.push_back(match permit {
            None => answer,
            Some(permit) => Box::pin(async move {
                let answer = answer.await;
                drop(permit);
                answer
            }),
        });
        Ok(())
    }

    /// Awaits the beginning of a request while the answers of earlier ones go out.
    async fn drive(&mut self, mut started: BoxFuture<'static, Started>) -> Result<Started, ConnectionError> {
        loop {
            let answer = tokio::select! {
                biased;
                started = started.as_mut() => return Ok(started),
                Some(answer) = self.pending.next() => answer,
            };
            self.write(answer).await?;
        }
    }

    /// Writes an answer and whatever other answers are ready, with as few system calls as they take.
    async fn write(&mut self, answer: Answer) -> Result<(), ConnectionError> {
        let Some(frame) = answer? else { return Ok(()) };
        self.kafka.metrics.count_out(frame.len());
        match tokio::time::timeout(self.limits.stall_max, write_frame(&mut self.writer, frame)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(ConnectionError::Stalled),
        }
    }
}

async fn write_frame(writer: &mut (impl AsyncWrite + Unpin), mut frame: Frame) -> io::Result<()> {
    writer.write_all_buf(&mut frame).await?;
    writer.flush().await
}

struct FrameReader<R> {
    socket: R,
    buffer: BytesMut,
    frame_bytes_max: usize,
    stall_max: Duration,
    budget: Arc<Semaphore>,
    /// The wait for a large frame's permit; kept, so that a cancelled `next` does not lose its place in the line.
    acquiring: Option<BoxFuture<'static, OwnedSemaphorePermit>>,
    permit: Option<OwnedSemaphorePermit>,
    /// When the frame that has begun must be whole.
    deadline: Option<Instant>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    fn new(socket: R, budget: Arc<Semaphore>, limits: &ConnectionLimits) -> Self {
        Self {
            socket,
            buffer: BytesMut::new(),
            frame_bytes_max: limits.frame_bytes_max,
            stall_max: limits.stall_max,
            budget,
            acquiring: None,
            permit: None,
            deadline: None,
        }
    }

    /// The next whole frame without its length; `None` when the peer has closed between frames. Cancel-safe: what has arrived
    /// stays in the buffer.
    async fn next(&mut self) -> Result<Option<InFrame>, ConnectionError> {
        loop {
            let missing = match self.expected()? {
                Some(frame_bytes) if self.buffer.len() >= LENGTH_BYTES + frame_bytes => {
                    return Ok(Some(self.take(frame_bytes)));
                }
                Some(frame_bytes) => {
                    self.admit(frame_bytes).await;
                    LENGTH_BYTES + frame_bytes - self.buffer.len()
                }
                None => READ_BUFFER_BYTES,
            };
            self.buffer
                .reserve(missing.clamp(READ_BUFFER_BYTES, READ_AHEAD_BYTES_MAX));
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                };
            }
            if self.deadline.is_none() {
                self.deadline = Some(Instant::now() + self.stall_max);
            }
        }
    }

    /// The length of the frame that has begun, once its four bytes are there.
    fn expected(&self) -> Result<Option<usize>, ConnectionError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        match usize::try_from(length) {
            Ok(bytes) if (FRAME_BYTES_MIN..=self.frame_bytes_max).contains(&bytes) => Ok(Some(bytes)),
            _ => Err(ConnectionError::FrameLength(length)),
        }
    }

    /// Waits for a large frame's share of memory before more of it is read: back-pressure instead of growth.
    async fn admit(&mut self, frame_bytes: usize) {
        if frame_bytes <= FRAME_BYTES_FREE || self.permit.is_some() {
            return;
        }
        // The time in the line is ours, not the peer's.
        self.deadline = None;
        let budget = self.budget.clone();
        let permits = u32::try_from(frame_bytes).expect("a frame's length came from 31 bits");
        let acquiring = self.acquiring.get_or_insert_with(|| {
            Box::pin(async move {
                budget
                    .acquire_many_owned(permits)
                    .await
                    .expect("the semaphore of request memory is never closed")
            })
        });
        self.permit = Some(acquiring.await);
        self.acquiring = None;
        let arrival_max = Duration::from_secs((frame_bytes / FRAME_BYTES_PER_SECOND_MIN) as u64);
        self.deadline = Some(Instant::now() + self.stall_max + arrival_max);
    }

    fn take(&mut self, frame_bytes: usize) -> InFrame {
        self.buffer.advance(LENGTH_BYTES);
        let bytes = self.buffer.split_to(frame_bytes).freeze();
        self.deadline = (!self.buffer.is_empty()).then(|| Instant::now() + self.stall_max);
        InFrame {
            bytes,
            permit: self.permit.take(),
        }
    }
}
