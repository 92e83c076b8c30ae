//! The task of one partition of `__transaction_state`: loads its shard, then feeds it questions, time, the outcomes of its writes and
//! the ends of its marker jobs.
//!
//! Owns: the shard, the questions that wait for an answer, the markers under way. Never: a decision; the order of the writes
//! (`state::Appends`).
//!
//! **Invariant**: the loop is an enum: `select` changes nothing, `apply` never awaits. After an append that failed the shard is loaded
//! again: see `machine`.

use super::markers::write_markers;
use super::world::World;
use crate::state::{Appends, Now, RequestId, Writer};
use crate::transaction::answer::{Answer, Output};
use crate::transaction::config::TransactionConfig;
use crate::transaction::error::TransactionError;
use crate::transaction::machine::{Shard, ShardLoader};
use crate::transaction::name::TransactionalId;
use crate::transaction::request::{Input, Request};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use millstream_broker::{Clock, StateError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Questions taken from the mailbox at a time.
const ASKS_MAX: usize = 256;

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
        let shard = loader.finish(self.config.clone(), Now::of(&*self.clock), &mut out);
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

/// What happened next.
enum Event {
    Asks,
    Persisted(Result<(), StateError>),
    Marked(TransactionalId),
    Deadline,
    Closed,
}

struct Serving<'a> {
    task: &'a mut Task,
    shard: Shard,
    /// By id, so that nothing depends on the order of a hash.
    waiting: BTreeMap<RequestId, Reply>,
    next_request: RequestId,
    appends: Appends,
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
            appends: Appends::new(writer),
            waiting: BTreeMap::new(),
            next_request: RequestId(0),
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
            if self.closing && !self.appends.is_under_way() {
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
        let may_read = !self.closing && self.appends.has_room();
        let deadline = async {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        };
        tokio::select! {
            biased;
            outcome = self.appends.outcome() => Event::Persisted(outcome),
            Some(id) = self.marking.next() => Event::Marked(id),
            count = self.task.inbox.recv_many(&mut self.asks, ASKS_MAX), if may_read => match count {
                0 => Event::Closed,
                _ => Event::Asks,
            },
            () = deadline => Event::Deadline,
        }
    }

    fn apply(&mut self, event: Event, closing: &mut Option<oneshot::Sender<()>>) -> Result<(), End> {
        let now = Now::of(&*self.task.clock);
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
                for token in self.appends.finish() {
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
                Output::Persist(token, record) => self.appends.push(token, Vec::from_iter(record)),
                Output::Mark(job) => {
                    let markers = write_markers(self.task.world.clone(), self.task.partition, job);
                    self.marking.push(Box::pin(markers));
                }
            }
        }
        self.appends.advance();
    }
}
