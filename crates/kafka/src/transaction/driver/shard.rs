//! The task of one partition of `__transaction_state`: loads its shard, then feeds it questions, time, the outcomes of its writes and
//! the ends of its marker jobs.
//!
//! Owns: the shard, the questions that wait for an answer, the writes that wait for the stream, the markers under way. Never: a
//! decision. The loop is an enum: `select` changes nothing, `apply` never awaits.
//!
//! **Invariant**: one append is under way at a time, and whatever gathers meanwhile becomes the next one. After an append that failed
//! the shard is loaded again: see `machine`.

use super::markers::write_markers;
use super::world::{World, Writer};
use crate::transaction::answer::{Answer, EncodedRecord, Output};
use crate::transaction::config::TransactionConfig;
use crate::transaction::error::TransactionError;
use crate::transaction::machine::{Now, Shard, ShardLoader};
use crate::transaction::name::TransactionalId;
use crate::transaction::request::{Input, PersistToken, Request, RequestId};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use millstream_broker::{Clock, StateError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Questions taken from the mailbox at a time.
const ASKS_MAX: usize = 256;

/// Bytes of records at which a gathered append is full. One write larger than this goes alone.
const APPEND_BYTES_MAX: usize = 1 << 20;

/// Bytes of records that may wait for the stream; beyond it the mailbox is not read.
const QUEUED_BYTES_MAX: usize = 16 << 20;

/// Pause before a load that failed is tried again, and after a write that failed.
const LOAD_RETRY_WAIT: Duration = Duration::from_secs(1);

pub(super) type Reply = oneshot::Sender<Result<Answer, TransactionError>>;

/// What comes by the mailbox.
pub(super) enum Ask {
    Request(Box<Request>, Reply),
    /// Answered when the task has ended.
    Close(oneshot::Sender<()>),
}

/// Everything that outlives one load.
pub(super) struct Task {
    pub partition: u32,
    pub config: TransactionConfig,
    pub world: Arc<dyn World>,
    pub clock: Arc<dyn Clock>,
    pub inbox: mpsc::Receiver<Ask>,
}

/// Why a loaded shard stopped.
enum End {
    Closed,
    Reload,
}

/// Why there is no shard.
enum NotLoaded {
    Closed,
    Failed,
}

impl Task {
    pub async fn run(mut self) {
        // Kept to the end: its drop tells whoever closes that the task is gone.
        let mut closing = None;
        loop {
            match self.load(&mut closing).await {
                Ok((shard, writer, out)) => {
                    let mut serving = Serving::new(&mut self, shard, writer, out);
                    match serving.run(&mut closing).await {
                        End::Closed => return,
                        End::Reload => tracing::warn!(
                            partition = self.partition,
                            "state of transactions was not kept; it is loaded again"
                        ),
                    }
                }
                Err(NotLoaded::Closed) => return,
                Err(NotLoaded::Failed) => {}
            }
            let pause: BoxFuture<'_, ()> = Box::pin(tokio::time::sleep(LOAD_RETRY_WAIT));
            if self.refuse_until(pause, &mut closing).await.is_none() {
                return;
            }
        }
    }

    async fn load(
        &mut self,
        closing: &mut Option<oneshot::Sender<()>>,
    ) -> Result<(Shard, Arc<dyn Writer>, Vec<Output>), NotLoaded> {
        let world = self.world.clone();
        let partition = self.partition;
        let opening: BoxFuture<'static, _> = Box::pin(async move {
            let mut loader = ShardLoader::default();
            let opened = world
                .open(partition, &mut |key, value| loader.replay(key, value))
                .await;
            (opened, loader)
        });
        let (opened, loader) = self
            .refuse_until(opening, closing)
            .await
            .ok_or(NotLoaded::Closed)?;
        let writer = opened.map_err(|error| self.not_loaded(&error))?;
        let mut out = Vec::new();
        let shard = loader.finish(self.config.clone(), now(&*self.clock), &mut out);
        Ok((shard.map_err(|error| self.not_loaded(&error))?, writer, out))
    }

    fn not_loaded(&self, error: &dyn std::error::Error) -> NotLoaded {
        tracing::error!(partition = self.partition, %error, "state of transactions could not be loaded; its ids are not served");
        NotLoaded::Failed
    }

    /// Waits for `until`; whoever asks meanwhile is told to ask again. `None`: closed.
    async fn refuse_until<T>(
        &mut self,
        mut until: BoxFuture<'_, T>,
        closing: &mut Option<oneshot::Sender<()>>,
    ) -> Option<T> {
        loop {
            let ask = tokio::select! {
                biased;
                done = &mut until => return Some(done),
                ask = self.inbox.recv() => ask,
            };
            match ask {
                // The asker may be gone; then nobody needs the answer.
                Some(Ask::Request(_, reply)) => {
                    drop(reply.send(Err(TransactionError::CoordinatorLoadInProgress)));
                }
                Some(Ask::Close(done)) => {
                    *closing = Some(done);
                    return None;
                }
                None => return None,
            }
        }
    }
}

fn now(clock: &dyn Clock) -> Now {
    Now {
        monotonic: clock.monotonic(),
        wall_ms: clock.wall_ms(),
    }
}

/// What happened next.
enum Event {
    Asks,
    Persisted(Result<(), StateError>),
    Marked(TransactionalId),
    Deadline,
    Closed,
}

/// An append without an outcome.
struct Append {
    tokens: Vec<PersistToken>,
    outcome: BoxFuture<'static, Result<(), StateError>>,
}

struct Serving<'a> {
    task: &'a mut Task,
    shard: Shard,
    writer: Arc<dyn Writer>,
    /// By id, so that nothing depends on the order of a hash.
    waiting: BTreeMap<RequestId, Reply>,
    next_request: RequestId,
    /// Writes that wait for the append under way.
    queue: VecDeque<(PersistToken, Option<EncodedRecord>)>,
    queued_bytes: usize,
    append: Option<Append>,
    /// One job a transaction that is being ended, so bounded by the ids.
    marking: FuturesUnordered<BoxFuture<'static, TransactionalId>>,
    asks: Vec<Ask>,
    out: Vec<Output>,
    /// The last event was a deadline: the next look is at everybody else first.
    ticked: bool,
    closing: bool,
}

impl<'a> Serving<'a> {
    fn new(task: &'a mut Task, shard: Shard, writer: Arc<dyn Writer>, out: Vec<Output>) -> Self {
        Self {
            task,
            shard,
            writer,
            waiting: BTreeMap::new(),
            next_request: RequestId(0),
            queue: VecDeque::new(),
            queued_bytes: 0,
            append: None,
            marking: FuturesUnordered::new(),
            asks: Vec::with_capacity(ASKS_MAX),
            out,
            ticked: false,
            closing: false,
        }
    }

    async fn run(&mut self, closing: &mut Option<oneshot::Sender<()>>) -> End {
        self.act();
        loop {
            // Markers that are left are written by whoever loads the shard next.
            if self.closing && self.append.is_none() {
                return End::Closed;
            }
            let event = self.select().await;
            if let Err(end) = self.apply(event, closing) {
                return end;
            }
            self.act();
        }
    }

    async fn select(&mut self) -> Event {
        let wait = self
            .shard
            .next_deadline()
            .saturating_sub(self.task.clock.monotonic());
        // A deadline that has passed goes first, but not twice in a row.
        if wait.is_zero() && !self.ticked {
            return Event::Deadline;
        }
        let may_read = !self.closing && self.queued_bytes < QUEUED_BYTES_MAX;
        let append = self.append.as_mut();
        let persisted = async {
            match append {
                Some(append) => (&mut append.outcome).await,
                None => std::future::pending().await,
            }
        };
        let deadline = async {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        };
        tokio::select! {
            biased;
            outcome = persisted => Event::Persisted(outcome),
            Some(id) = self.marking.next() => Event::Marked(id),
            count = self.task.inbox.recv_many(&mut self.asks, ASKS_MAX), if may_read => match count {
                0 => Event::Closed,
                _ => Event::Asks,
            },
            () = deadline => Event::Deadline,
        }
    }

    fn apply(&mut self, event: Event, closing: &mut Option<oneshot::Sender<()>>) -> Result<(), End> {
        let now = now(&*self.task.clock);
        self.ticked = matches!(event, Event::Deadline);
        match event {
            Event::Asks => {
                for ask in std::mem::take(&mut self.asks) {
                    self.take(ask, now, closing);
                }
            }
            Event::Deadline => self.shard.step(Input::Tick, now, &mut self.out),
            Event::Marked(id) => self.shard.step(Input::Marked(id), now, &mut self.out),
            Event::Persisted(outcome) => {
                if let Err(error) = outcome {
                    tracing::warn!(partition = self.task.partition, %error, "state of transactions was not kept");
                    return Err(End::Reload);
                }
                let append = self.append.take().expect("its outcome came");
                for token in append.tokens {
                    self.shard
                        .step(Input::Persisted(token, Ok(())), now, &mut self.out);
                }
            }
            Event::Closed => self.closing = true,
        }
        Ok(())
    }

    fn take(&mut self, ask: Ask, now: Now, closing: &mut Option<oneshot::Sender<()>>) {
        match ask {
            // Whoever comes behind the closing finds the coordinator gone.
            Ask::Request(..) if self.closing => {}
            Ask::Request(request, reply) => {
                let id = self.next_request;
                self.next_request.0 += 1;
                self.waiting.insert(id, reply);
                self.shard.step(Input::Request(id, *request), now, &mut self.out);
            }
            Ask::Close(done) => {
                self.closing = true;
                *closing = Some(done);
            }
        }
    }

    /// Sends the answers, queues the writes, starts the markers, and appends if nothing is being appended.
    fn act(&mut self) {
        for output in self.out.drain(..) {
            match output {
                Output::Reply(id, answer) => {
                    if let Some(reply) = self.waiting.remove(&id) {
                        // The asker may be gone; then nobody needs the answer.
                        let _ = reply.send(Ok(answer));
                    }
                }
                Output::Persist(token, record) => {
                    self.queued_bytes += bytes_of(record.as_ref());
                    self.queue.push_back((token, record));
                }
                Output::Mark(job) => {
                    let markers = write_markers(self.task.world.clone(), self.task.partition, job);
                    self.marking.push(Box::pin(markers));
                }
            }
        }
        if self.append.is_none() && !self.queue.is_empty() {
            self.start_append();
        }
    }

    fn start_append(&mut self) {
        let mut tokens = Vec::new();
        let mut gathered = Vec::new();
        let mut bytes = 0;
        while let Some((_, record)) = self.queue.front() {
            let more = bytes_of(record.as_ref());
            if !tokens.is_empty() && bytes + more > APPEND_BYTES_MAX {
                break;
            }
            let (token, record) = self.queue.pop_front().expect("the front was just seen");
            bytes += more;
            tokens.push(token);
            gathered.extend(record);
        }
        self.queued_bytes -= bytes;
        let outcome = match gathered.is_empty() {
            // Only questions that waited for earlier writes; those are done.
            true => Box::pin(std::future::ready(Ok(()))),
            false => self.writer.append(gathered),
        };
        self.append = Some(Append { tokens, outcome });
    }
}

fn bytes_of(record: Option<&EncodedRecord>) -> usize {
    let size = |record: &EncodedRecord| record.key.len() + record.value.as_ref().map_or(0, bytes::Bytes::len);
    record.map_or(0, size)
}
