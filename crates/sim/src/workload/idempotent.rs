//! An idempotent producer: it numbers its batches, keeps up to five in flight, and sends each again until it is acknowledged.
//!
//! What it must never see: an out-of-order answer to its oldest unanswered batch (trap T11), a batch twice in the log, another
//! offset for a batch that it sends again (trap T2).

use super::batches::{draw_codec, draw_records, encode, in_a_request};
use super::{Answers, Backoff, Backoffs, Ctx, outcome_of};
use crate::model::{BatchId, Outcome, Place};
use crate::rng::Rng;
use bytes::Bytes;
use millstream_broker::{PendingAppend, ProduceError, Topic};
use millstream_log::AppendError;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Batches without an answer: as many as Kafka's clients keep, and as many as a stream remembers.
const WINDOW_MAX: usize = 5;

/// Between two looks at what is unanswered once nothing fails any more.
const DRAIN_PAUSE: Duration = Duration::from_millis(10);

struct Item {
    id: BatchId,
    bytes: Bytes,
}

#[derive(Default)]
struct Session {
    order: u64,
    epoch: i16,
    next_sequence: i32,
    /// Not acknowledged, oldest first.
    window: VecDeque<Item>,
    /// Acknowledged, newest last.
    recent: VecDeque<Item>,
}

/// See the module.
pub struct Idempotent {
    client: u32,
    rng: Rng,
    producer: Option<i64>,
    sessions: BTreeMap<Place, Session>,
    backoffs: Backoffs,
}

impl Idempotent {
    /// A producer without an id yet.
    #[must_use]
    pub fn new(client: u32, rng: Rng) -> Self {
        Self {
            client,
            rng,
            producer: None,
            sessions: BTreeMap::new(),
            backoffs: Backoffs::default(),
        }
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        let producer = self.producer_id(ctx).await;
        loop {
            if let Some((topic, place)) = self.pick(ctx)
                && self.backoffs.are_over(&ctx.world, place)
            {
                self.step(ctx, producer, &topic, place).await;
            }
            ctx.pause(&mut self.rng).await;
        }
    }

    /// Sends whatever is unanswered until it is answered.
    pub async fn drain(&mut self, ctx: &Ctx) {
        let places: Vec<Place> = self.sessions.keys().copied().collect();
        for place in places {
            let Some(topic) = ctx.broker.topic_by_id(&place.topic) else {
                self.sessions.remove(&place);
                continue;
            };
            while self
                .sessions
                .get(&place)
                .is_some_and(|session| !session.window.is_empty())
            {
                self.send_window(ctx, &topic, place).await;
                let rest = self.backoffs.rest(&ctx.world, place);
                tokio::time::sleep(rest.max(DRAIN_PAUSE)).await;
            }
            self.send_again(ctx, &topic, place).await;
        }
    }

    /// The first life that gives one gives it for all.
    async fn producer_id(&mut self, ctx: &Ctx) -> i64 {
        let mut backoff = Backoff::default();
        loop {
            if let Some(producer) = self.producer {
                return producer;
            }
            match ctx.broker.new_producer_id().await {
                Ok(producer) => self.producer = Some(producer),
                Err(_) => tokio::time::sleep(backoff.refused(&mut self.rng)).await,
            }
        }
    }

    /// A place with unanswered batches first, as a real producer's retries come first.
    fn pick(&mut self, ctx: &Ctx) -> Option<(Arc<Topic>, Place)> {
        let waiting = |place: &Place, session: &Session| {
            !session.window.is_empty() && self.backoffs.are_over(&ctx.world, *place)
        };
        let waiting: Vec<Place> = self
            .sessions
            .iter()
            .filter(|(place, session)| waiting(place, session))
            .map(|(place, _)| *place)
            .collect();
        if !waiting.is_empty() && !self.rng.one_in(4) {
            let place = *self.rng.pick(&waiting);
            match ctx.broker.topic_by_id(&place.topic) {
                Some(topic) => return Some((topic, place)),
                None => drop(self.sessions.remove(&place)),
            }
        }
        ctx.pick_place(&mut self.rng)
    }

    async fn step(&mut self, ctx: &Ctx, producer: i64, topic: &Arc<Topic>, place: Place) {
        let session = self.sessions.entry(place).or_default();
        if session.window.is_empty() && self.rng.one_in(30) {
            self.begin_anew(place);
        }
        let session = self.sessions.entry(place).or_default();
        if session.window.is_empty() && !session.recent.is_empty() && self.rng.one_in(8) {
            return self.send_again(ctx, topic, place).await;
        }
        let room = WINDOW_MAX - session.window.len();
        let new = if room == 0 { 0 } else { self.rng.index(room + 1) };
        for _ in 0..new {
            self.add(ctx, producer, topic, place);
        }
        self.send_window(ctx, topic, place).await;
    }

    fn add(&mut self, ctx: &Ctx, producer: i64, topic: &Topic, place: Place) {
        let keyed = topic.settings().compacted || self.rng.one_in(2);
        let records = draw_records(ctx, &mut self.rng, keyed);
        let codec = draw_codec(&mut self.rng);
        let session = self.sessions.entry(place).or_default();
        session.order += 1;
        let fields = (producer, session.epoch, session.next_sequence);
        session.next_sequence += i32::try_from(records.len()).expect("batches are small");
        let sender = (self.client, session.order);
        let id = ctx.model(|model| model.send_new(sender, place, records.clone(), Some(fields)));
        let bytes = encode(id, &records, codec, Some(fields));
        ctx.model(|model| model.sized(id, bytes.len() as u64));
        session.window.push_back(Item { id, bytes });
    }

    /// Sends all unanswered batches in order, then looks at the answers in order.
    async fn send_window(&mut self, ctx: &Ctx, topic: &Arc<Topic>, place: Place) {
        let items: Vec<(BatchId, Bytes)> = self.sessions[&place]
            .window
            .iter()
            .map(|item| (item.id, item.bytes.clone()))
            .collect();
        let mut sent = Vec::new();
        for (id, bytes) in items {
            ctx.model(|model| model.attempt(id));
            let bytes = in_a_request(&ctx.broker, &bytes);
            sent.push((id, ctx.broker.append(topic, place.partition, bytes).await));
        }
        let mut answers = Answers::default();
        let mut all_acked = true;
        let mut refused = false;
        for (id, pending) in sent {
            let answer = self.await_answer(pending).await;
            answer.iter().for_each(|answer| answers.note(answer));
            refused |= matches!(&answer, Some(Err(ProduceError::Refused(_))));
            let outcome = self.judge_answer(ctx, place, id, answer, all_acked);
            ctx.world.event(&format!("client: {id} to {place}: {outcome:?}"));
            match outcome {
                Ok(outcome) => {
                    ctx.judge(|model| model.ended(id, outcome));
                    let acked = matches!(outcome, Outcome::Acked(_) | Outcome::AckedSomewhere);
                    all_acked &= acked;
                    if acked && all_acked {
                        self.acked(place);
                    }
                }
                Err(what) => ctx.world.violate(what),
            }
        }
        self.backoffs.answered(&ctx.world, place, answers, &mut self.rng);
        if refused {
            self.begin_anew(place);
        }
        if ctx.broker.topic_by_id(&place.topic).is_none() {
            self.sessions.remove(&place);
        }
    }

    /// A batch is not wanted (the topic is compacted since, and it has records without a key). Clients let go of what is in
    /// flight then, and begin a new epoch.
    fn begin_anew(&mut self, place: Place) {
        let session = self.sessions.get_mut(&place).expect("it has a window");
        session.window.clear();
        session.recent.clear();
        session.epoch += 1;
        session.next_sequence = 0;
    }

    fn acked(&mut self, place: Place) {
        let session = self.sessions.get_mut(&place).expect("it has a window");
        let item = session.window.pop_front().expect("the oldest was acknowledged");
        session.recent.push_back(item);
        if session.recent.len() > WINDOW_MAX {
            session.recent.pop_front();
        }
    }

    /// `None`: this client's patience ended before.
    async fn await_answer(
        &mut self,
        pending: Result<PendingAppend, ProduceError>,
    ) -> Option<Result<u64, ProduceError>> {
        let pending = match pending {
            Ok(pending) => pending,
            Err(error) => return Some(Err(error)),
        };
        let answer = if self.rng.one_in(20) {
            let patience = Duration::from_millis(self.rng.below(30));
            tokio::time::timeout(patience, pending.durable()).await.ok()?
        } else {
            pending.durable().await
        };
        Some(answer.map(|produced| produced.base.0))
    }

    fn judge_answer(
        &self,
        ctx: &Ctx,
        place: Place,
        id: BatchId,
        answer: Option<Result<u64, ProduceError>>,
        all_before_acked: bool,
    ) -> Result<Outcome, String> {
        use AppendError::{DuplicateSequence, OutOfOrderSequence, UnknownProducer};
        match answer {
            None => Ok(Outcome::Unknown),
            Some(Ok(base)) => Ok(Outcome::Acked(base)),
            Some(Err(ProduceError::Log(DuplicateSequence))) => Ok(Outcome::AckedSomewhere),
            Some(Err(ProduceError::Log(error @ (OutOfOrderSequence | UnknownProducer)))) => {
                if all_before_acked {
                    return Err(format!(
                        "{place}: {id} follows what was acknowledged, and is told: {error}"
                    ));
                }
                Ok(Outcome::NotDone)
            }
            Some(Err(error)) => outcome_of(ctx, place, &error),
        }
    }

    /// Sends a batch again that was acknowledged: the answer must be the same.
    async fn send_again(&mut self, ctx: &Ctx, topic: &Arc<Topic>, place: Place) {
        let session = &self.sessions[&place];
        if session.recent.is_empty() {
            return;
        }
        let item = &session.recent[self.rng.index(session.recent.len())];
        let (id, bytes) = (item.id, item.bytes.clone());
        ctx.model(|model| model.attempt(id));
        let bytes = in_a_request(&ctx.broker, &bytes);
        let pending = ctx.broker.append(topic, place.partition, bytes).await;
        let answer = self.await_answer(pending).await;
        let outcome = self.judge_answer(ctx, place, id, answer, true);
        ctx.world
            .event(&format!("client: {id} again to {place}: {outcome:?}"));
        ctx.judge(|model| model.ended(id, outcome?));
    }
}
