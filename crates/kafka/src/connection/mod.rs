//! One connection: frames in, one bounded at a time; answers out, in the order of the requests.
//!
//! Many requests are in flight: the next frame is read while earlier answers are pending (trap T10), up to a bound, after which
//! the socket is no longer read. A `Sequenced` API (produce) is awaited up to the point where its effect has its place.
//!
//! **Invariant**: answers leave in the order of the requests, and a request that cannot be answered ends the connection only
//! after the answers of those before it were written; none behind it is begun.
//!
//! Append path: second stop, after the server's accept loop. Never: what a request means.

mod frames;
mod login;
mod outbox;

use crate::dispatch::{self, Answer, Call, CallError, Leaving, Order, Software, Started};
use crate::node::Kafka;
use crate::share::ShareLink;
use crate::throttle::Muting;
pub use login::LoginRules;

pub(crate) use frames::is_large;
use frames::{FrameReader, InFrame, Incoming, LENGTH_BYTES};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use login::{Failure, Login, Outcome};
use millstream_broker::security::Principal;
use millstream_kafka_wire::ApiKey;
use outbox::Outbox;
use std::future::{poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Sleep;

/// Bounds of one connection.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// The largest frame (Kafka: socket.request.max.bytes).
    pub frame_bytes_max: usize,
    /// Requests begun and not answered, beyond which the socket is not read.
    pub in_flight_max: usize,
    /// Time without a byte, with nothing in flight, after which the connection is closed (Kafka: connections.max.idle.ms).
    pub idle_max: Duration,
    /// Time in which a frame that has begun must be whole, and in which the peer must take what is written to it, beyond the
    /// time that the length earns.
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
    /// Who it is before any login: the subject of its certificate, or nobody in particular.
    pub principal: Arc<Principal>,
    /// How it must log in; `None`: it need not.
    pub login: Option<Arc<LoginRules>>,
}

/// Why a connection ended, when not by the peer's own wish.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A length that no request has.
    #[error("a frame of {0} bytes is outside of what is accepted{hint}", hint = spoken_instead(*.0))]
    FrameLength(i32),
    /// A frame that stopped arriving, or a peer that stopped reading.
    #[error("the peer stalled")]
    Stalled,
    /// It took too long over its login.
    #[error("the peer did not log in in time")]
    LoginTimeout,
    /// A request that cannot be answered.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What a peer speaks whose first bytes make an impossible length.
fn spoken_instead(length: i32) -> &'static str {
    match &length.to_be_bytes() {
        // A record of a handshake.
        [0x16, 3, ..] => "; the peer speaks TLS to a listener that does not",
        b"GET " | b"POST" | b"HEAD" | b"PUT " => "; the peer speaks HTTP",
        _ => "",
    }
}

/// What happened next on a connection.
enum Event {
    Arrived(Incoming),
    Answered(Answer),
    /// The connection has paid what it owed; it is read again.
    Unmuted,
    Shutdown,
}

/// Serves one connection until the peer leaves, breaks the protocol, or `shutdown` resolves; then long polls end, and the
/// answers that are pending are still written.
pub async fn serve_connection(
    kafka: Arc<Kafka>,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    peer: Peer,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ConnectionError> {
    let mut connection = Connection {
        frames: FrameReader::new(&kafka, &limits),
        stream,
        kafka,
        login: Login::new(peer.login.clone(), peer.principal.clone()),
        login_timer: None,
        peer: Arc::new(peer),
        leaving: Leaving::default(),
        software: Software::default(),
        muting: Muting::default(),
        pending: FuturesOrdered::new(),
        outbox: Outbox::default(),
        stage: Stage::Reading,
        limits,
    };
    let _link = ShareLink {
        kafka: connection.kafka.clone(),
        peer: connection.peer.clone(),
    };
    connection.await_login();
    tokio::pin!(shutdown);
    let served = connection.serve(shutdown).await;
    if let Err(error) = &served {
        connection.tell_broken_login(error);
    }
    served
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// Requests in flight, one that waits for its place, or a quota kept the socket from being read: the peer's clock has stood
    /// still.
    Paused,
    /// No further request is begun.
    Ending,
}

struct Connection<S> {
    /// Read or written, never both at once: it needs no splitting.
    stream: S,
    kafka: Arc<Kafka>,
    peer: Arc<Peer>,
    login: Login,
    /// Until the login is over.
    login_timer: Option<Pin<Box<Sleep>>>,
    leaving: Leaving,
    software: Software,
    muting: Muting,
    frames: FrameReader,
    pending: FuturesOrdered<BoxFuture<'static, Answer>>,
    outbox: Outbox,
    stage: Stage,
    limits: ConnectionLimits,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn serve(
        &mut self,
        mut shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<(), ConnectionError> {
        while self.stage != Stage::Ending {
            match self.select(shutdown.as_mut()).await? {
                Event::Arrived(Incoming::Frame(frame)) => self.begin(frame).await?,
                Event::Arrived(Incoming::Idle) if self.pending.is_empty() => return Ok(()),
                Event::Arrived(Incoming::Idle) => {}
                Event::Answered(answer) => self.write(answer).await?,
                Event::Unmuted => {}
                Event::Arrived(Incoming::Closed) | Event::Shutdown => self.stage = Stage::Ending,
            }
        }
        self.leaving.leave();
        self.settle().await
    }

    /// A connection that breaks off in the middle of its login is a failed login, too. A socket that fails is none: so do the probes of
    /// load balancers end.
    fn tell_broken_login(&self, error: &ConnectionError) {
        if self.login.is_under_way() && !matches!(error, ConnectionError::Io(_)) {
            self.tell_failed_login(&error.to_string());
        }
    }

    fn tell_failed_login(&self, why: &str) {
        self.kafka.metrics.count_failed_login();
        let (address, listener) = (self.peer.address, &self.peer.listener);
        tracing::info!(%address, listener, why, "a login failed");
    }

    /// Waits for the next event. Reading into the buffer can be dropped and taken up again.
    async fn select(
        &mut self,
        shutdown: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<Event, ConnectionError> {
        let muted = self.muting.left(|| self.kafka.monotonic());
        let may_read = self.pending.len() < self.limits.in_flight_max && muted.is_zero();
        if !may_read {
            self.stage = Stage::Paused;
        } else if self.stage == Stage::Paused {
            self.stage = Stage::Reading;
            self.frames.restart_clock();
        }
        tokio::select! {
            biased;
            Some(answer) = self.pending.next() => Ok(Event::Answered(answer)),
            () = shutdown => Ok(Event::Shutdown),
            () = elapsed(&mut self.login_timer) => Err(ConnectionError::LoginTimeout),
            incoming = self.frames.next(&mut self.stream), if may_read => Ok(Event::Arrived(incoming?)),
            () = tokio::time::sleep(muted), if !muted.is_zero() => Ok(Event::Unmuted),
        }
    }

    /// Until it has logged in, a peer gets small frames and little time.
    fn await_login(&mut self) {
        let Some(time_max) = self.login.time_max() else {
            return;
        };
        self.frames
            .bound(0, login::FRAME_BYTES_MAX.min(self.limits.frame_bytes_max));
        self.login_timer = Some(Box::pin(tokio::time::sleep(time_max)));
    }

    /// Queues the answer to a request of the login.
    fn proceed(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered(answer) => self.pending.push_back(Box::pin(ready(answer))),
            Outcome::Failed(Failure { answer, delay, why }) => {
                self.tell_failed_login(&why);
                // Held back, so that guessing passwords is slow.
                self.pending.push_back(Box::pin(async move {
                    tokio::time::sleep(delay).await;
                    answer
                }));
                self.stage = Stage::Ending;
            }
        }
        if self.login.time_max().is_none() && self.login_timer.take().is_some() {
            self.frames
                .bound(frames::FRAME_BYTES_MIN, self.limits.frame_bytes_max);
        }
    }

    async fn begin(&mut self, frame: InFrame) -> Result<(), ConnectionError> {
        self.kafka.metrics.count_in(LENGTH_BYTES + frame.bytes.len());
        let of_login = match self.login.takes_bare_bytes() {
            true => Ok(Some(self.login.bare(&self.kafka, &frame.bytes))),
            false => self.login_request(&frame),
        };
        let started = match of_login {
            Ok(Some(outcome)) => {
                self.proceed(outcome);
                return Ok(());
            }
            Ok(None) => self.start(frame),
            Err(error) => Err(error),
        };
        match started {
            Err(error) => {
                self.pending.push_back(Box::pin(ready(Err(error))));
                self.stage = Stage::Ending;
            }
            Ok((Order::Sequenced, started)) => {
                let answer: BoxFuture<'static, Answer> = match self.drive(started).await? {
                    Started::Finished(answer) => Box::pin(ready(answer)),
                    Started::Pending(answer) => answer,
                };
                self.pending.push_back(answer);
            }
            Ok((order, started)) => {
                if order == Order::AfterAnswers {
                    self.settle().await?;
                }
                self.pending.push_back(Box::pin(async move {
                    match started.await {
                        Started::Finished(answer) => answer,
                        Started::Pending(answer) => answer.await,
                    }
                }));
            }
        }
        Ok(())
    }

    /// Whether the request may be answered now, and the outcome if it is one of the login.
    fn login_request(&mut self, frame: &InFrame) -> Result<Option<Outcome>, CallError> {
        if self.peer.login.is_none() {
            return Ok(None);
        }
        let (header, body_at) = dispatch::read_header(&frame.bytes).map_err(CallError::Malformed)?;
        let of_login = [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];
        let served = dispatch::find(header.api_key).filter(|row| row.versions.contains(&header.api_version));
        let other = served.filter(|row| !of_login.contains(&row.key));
        if let Some(row) = other.filter(|_| self.login.awaits_proof()) {
            return self.login.disturb(row, &header).map(Some);
        }
        self.login.admit(header.api_key, self.kafka.monotonic())?;
        if served.is_none() || other.is_some() {
            return Ok(None);
        }
        let body = frame.bytes.slice(body_at..);
        self.login.request(&self.kafka, &header, &body).map(Some)
    }

    fn start(&self, frame: InFrame) -> Result<(Order, BoxFuture<'static, Started>), CallError> {
        let (header, body_at) = dispatch::read_header(&frame.bytes).map_err(CallError::Malformed)?;
        let served = dispatch::find(header.api_key).filter(|row| row.versions.contains(&header.api_version));
        let Some(row) = served else {
            // Only ApiVersions answers a version that it does not know, in version 0, so that the client can step down (KIP-511).
            let answer = crate::api::api_versions::answer_unknown_version(&header)?;
            let started = ready(Started::Finished(Ok(Some(answer))));
            return Ok((Order::Concurrent, Box::pin(started)));
        };
        let call = Call {
            peer: self.peer.clone(),
            principal: self.login.principal(),
            by_token: self.login.by_token(),
            version: header.api_version,
            client_id: header.client_id,
            leaving: self.leaving.clone(),
            memory: frame.permit,
            software: self.software.clone(),
            muting: self.muting.clone(),
            toll: None,
        };
        let started = row.start(
            self.kafka.clone(),
            call,
            header.correlation_id,
            frame.bytes,
            body_at,
        )?;
        Ok((row.order, started))
    }

    /// Writes every answer that is pending.
    async fn settle(&mut self) -> Result<(), ConnectionError> {
        if !self.pending.is_empty() {
            self.stage = Stage::Paused;
        }
        while let Some(answer) = self.pending.next().await {
            self.write(answer).await?;
        }
        Ok(())
    }

    /// Awaits the beginning of a request while the answers of earlier ones go out.
    async fn drive(&mut self, mut started: BoxFuture<'static, Started>) -> Result<Started, ConnectionError> {
        self.stage = Stage::Paused;
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
    async fn write(&mut self, first: Answer) -> Result<(), ConnectionError> {
        let mut next = Some(first);
        let mut failed = None;
        while let Some(answer) = next {
            match answer {
                Ok(frame) => self.outbox.extend(frame),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            if self.outbox.is_full() {
                break;
            }
            next = poll_fn(|context| match self.pending.poll_next_unpin(context) {
                Poll::Ready(answer) => Poll::Ready(answer),
                Poll::Pending => Poll::Ready(None),
            })
            .await;
        }
        self.flush().await?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn flush(&mut self) -> Result<(), ConnectionError> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        self.kafka.metrics.count_out(self.outbox.len());
        let patience = self.limits.stall_max + self.outbox.earned_time();
        let written = async {
            self.stream.write_all_buf(&mut self.outbox).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(patience, written).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(ConnectionError::Stalled),
        }
    }
}

/// Resolves when the timer has, if there is one.
async fn elapsed(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}
