//! The task of one offsets partition: loads its shard, then feeds it questions, time and the outcomes of its writes.
//!
//! Owns: the shard, the questions that wait for an answer. Never: a decision; the order of the writes (`state::Appends`).
//!
//! **Invariant**: the loop is an enum: `select` changes nothing, `apply` never awaits.

use super::state::State;
use crate::group::answer::{Answer, Output};
use crate::group::config::GroupConfig;
use crate::group::error::{GroupError, PersistError};
use crate::group::facts::Facts;
use crate::group::machine::{Shard, ShardLoader};
use crate::group::name::{TopicId, TopicName};
use crate::group::request::{Input, Request};
use crate::state::{Appends, Now, RequestId, Writer};
use futures_util::future::BoxFuture;
use millstream_broker::{AppendError, Clock, Fate, StateError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Questions taken from the mailbox at a time.
const ASKS_MAX: usize = 256;

/// Pause before a load that failed is tried again, and the least time between two loads.
const LOAD_RETRY_WAIT: Duration = Duration::from_secs(1);

/// The shortest pause between two looks at the topics: thousands that are made one by one are looked at together.
const TOPICS_LOOK_WAIT: Duration = Duration::from_millis(100);

pub(super) type Reply = oneshot::Sender<Result<Answer, GroupError>>;

/// What comes by the mailbox.
pub(super) enum Ask {
    Request(Box<Request>, Reply),
    TopicDeleted(TopicName, TopicId),
    /// Answered when the task has ended.
    Close(oneshot::Sender<()>),
}

/// Everything that outlives one load.
pub(super) struct Task {
    pub partition: u32,
    pub config: GroupConfig,
    pub state: Arc<dyn State>,
    pub facts: Arc<dyn Facts>,
    /// Changes whenever topics or settings of groups do.
    pub topics: watch::Receiver<u64>,
    pub clock: Arc<dyn Clock>,
    pub inbox: mpsc::Receiver<Ask>,
}

/// Why a loaded shard stopped.
enum End {
    Closed,
    /// A write may or may not have happened: only the stream knows what holds.
    Reload,
}

/// Whether the shard is still what its stream says.
#[derive(PartialEq, Eq)]
enum Acted {
    Done,
    /// It ran ahead of a write that failed. What waits for the stream must not reach it: it builds upon that write.
    Behind,
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
                Ok((shard, writer)) => {
                    let loaded_at = self.clock.monotonic();
                    let mut serving = Serving::new(&mut self, shard, writer);
                    match serving.run(&mut closing).await {
                        End::Closed => return,
                        End::Reload => tracing::warn!(
                            partition = self.partition,
                            "a write of group state failed or has an unknown outcome; the state is loaded again"
                        ),
                    }
                    // A stream that refuses every write must not be read again and again without a pause.
                    if self.clock.monotonic().saturating_sub(loaded_at) < LOAD_RETRY_WAIT
                        && !self.pause(&mut closing).await
                    {
                        return;
                    }
                }
                Err(NotLoaded::Closed) => return,
                Err(NotLoaded::Failed) => {
                    if !self.pause(&mut closing).await {
                        return;
                    }
                }
            }
        }
    }

    /// Waits before the next load; false: closed.
    async fn pause(&mut self, closing: &mut Option<oneshot::Sender<()>>) -> bool {
        let pause: BoxFuture<'_, ()> = Box::pin(tokio::time::sleep(LOAD_RETRY_WAIT));
        self.refuse_until(pause, closing).await.is_some()
    }

    async fn load(
        &mut self,
        closing: &mut Option<oneshot::Sender<()>>,
    ) -> Result<(Shard, Arc<dyn Writer>), NotLoaded> {
        let state = self.state.clone();
        let partition = self.partition;
        let opening: BoxFuture<'static, _> = Box::pin(async move {
            let mut loader = ShardLoader::default();
            let opened = state
                .open(partition, &mut |key, value| loader.replay(key, value))
                .await;
            (opened, loader)
        });
        let (opened, loader) = self
            .refuse_until(opening, closing)
            .await
            .ok_or(NotLoaded::Closed)?;
        let writer = opened.map_err(|error| self.not_loaded(&error))?;
        let now = Now::of(&*self.clock);
        let shard = loader.finish(self.config.clone(), self.facts.clone(), now);
        Ok((shard.map_err(|error| self.not_loaded(&error))?, writer))
    }

    fn not_loaded(&self, error: &dyn std::error::Error) -> NotLoaded {
        tracing::error!(partition = self.partition, %error, "group state could not be loaded; its groups are not served");
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
                Some(Ask::Request(_, reply)) => drop(reply.send(Err(GroupError::CoordinatorLoadInProgress))),
                // Found out again when the load is done.
                Some(Ask::TopicDeleted(..)) => {}
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
    Topics,
    Persisted(Result<(), StateError>),
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
    asks: Vec<Ask>,
    out: Vec<Output>,
    /// When the groups last looked at the topics, on the monotonic clock.
    looked_at: Duration,
    /// The last event was a deadline: the next look is at everybody else first.
    ticked: bool,
    closing: bool,
}

impl<'a> Serving<'a> {
    fn new(task: &'a mut Task, shard: Shard, writer: Arc<dyn Writer>) -> Self {
        Self {
            task,
            shard,
            appends: Appends::new(writer),
            waiting: BTreeMap::new(),
            next_request: RequestId(0),
            asks: Vec::with_capacity(ASKS_MAX),
            out: Vec::new(),
            looked_at: Duration::ZERO,
            ticked: false,
            closing: false,
        }
    }

    async fn run(&mut self, closing: &mut Option<oneshot::Sender<()>>) -> End {
        self.forget_deleted_topics();
        // Topics may have changed while nobody watched.
        self.task.topics.mark_changed();
        let _ = self.act();
        loop {
            if self.closing && !self.appends.is_under_way() {
                return End::Closed;
            }
            let event = self.select().await;
            if let Err(end) = self.apply(event, closing) {
                return end;
            }
            if self.act() == Acted::Behind {
                return End::Reload;
            }
        }
    }

    /// Topics that were deleted while nobody watched: before a crash, or during the load.
    fn forget_deleted_topics(&mut self) {
        let now = Now::of(&*self.task.clock);
        for (topic, committed_as) in self.shard.committed_topics() {
            let present = self.task.state.topic_id(topic.as_str());
            if present.is_none_or(|present| present.contradicts(committed_as)) {
                self.shard
                    .step(Input::TopicDeleted(topic, committed_as), now, &mut self.out);
            }
        }
    }

    async fn select(&mut self) -> Event {
        let wait = self
            .shard
            .next_deadline()
            .saturating_sub(self.task.clock.monotonic());
        // A deadline that has passed goes first, but not twice in a row: a long sweep must not keep questions waiting,
        // and a flood of questions must not keep sessions alive.
        if wait.is_zero() && !self.ticked {
            return Event::Deadline;
        }
        let may_read = !self.closing && self.appends.has_room();
        let deadline = async {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        };
        let look_after = self.looked_at + TOPICS_LOOK_WAIT;
        let look_wait = look_after.saturating_sub(self.task.clock.monotonic());
        let topics = &mut self.task.topics;
        let topics = async {
            // The pause first: once `changed` has answered, nothing may come between it and the look.
            if !look_wait.is_zero() {
                tokio::time::sleep(look_wait).await;
            }
            if topics.changed().await.is_err() {
                // The broker is gone, and this task soon.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            outcome = self.appends.outcome() => Event::Persisted(outcome),
            count = self.task.inbox.recv_many(&mut self.asks, ASKS_MAX), if may_read => match count {
                0 => Event::Closed,
                _ => Event::Asks,
            },
            () = topics => Event::Topics,
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
            Event::Topics => {
                self.looked_at = now.monotonic;
                self.shard.step(Input::TopicsChanged, now, &mut self.out);
            }
            Event::Deadline => self.shard.step(Input::Tick, now, &mut self.out),
            Event::Persisted(outcome) => {
                let outcome = self.known(outcome)?;
                for token in self.appends.finish() {
                    self.shard
                        .step(Input::Persisted(token, outcome), now, &mut self.out);
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
            Ask::TopicDeleted(topic, topic_id) => {
                self.shard
                    .step(Input::TopicDeleted(topic, topic_id), now, &mut self.out);
            }
            Ask::Close(done) => {
                self.closing = true;
                *closing = Some(done);
            }
        }
    }

    /// What a failed append means; an error if nobody can tell.
    fn known(&self, outcome: Result<(), StateError>) -> Result<Result<(), PersistError>, End> {
        let Err(error) = outcome else {
            return Ok(Ok(()));
        };
        tracing::warn!(partition = self.task.partition, %error, "group state was not kept");
        match error {
            StateError::Append(AppendError::Storage {
                fate: Fate::Unknown, ..
            }) => Err(End::Reload),
            StateError::Append(
                AppendError::StreamGone | AppendError::Fenced { .. } | AppendError::Closed,
            ) => Ok(Err(PersistError::NotOwner)),
            StateError::Refused(_) => Ok(Err(PersistError::TooLarge)),
            StateError::Append(_) | StateError::Read(_) | StateError::Damaged(_) => {
                Ok(Err(PersistError::Unavailable))
            }
        }
    }

    /// Sends the answers, queues the writes, and appends if nothing is being appended.
    fn act(&mut self) -> Acted {
        let mut acted = Acted::Done;
        for output in self.out.drain(..) {
            match output {
                Output::Reply(id, answer) => {
                    if let Some(reply) = self.waiting.remove(&id) {
                        // The asker may be gone; then nobody needs the answer.
                        let _ = reply.send(Ok(answer));
                    }
                }
                Output::Persist(token, records) => self.appends.push(token, records),
                Output::Reload => acted = Acted::Behind,
            }
        }
        if acted == Acted::Done {
            self.appends.advance();
        }
        acted
    }
}
