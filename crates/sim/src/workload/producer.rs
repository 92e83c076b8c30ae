//! A producer without idempotence: it sends each batch once, and leaves it when the answer is lost.

use super::batches::{draw_codec, draw_records, encode, in_a_request};
use super::{Answers, Backoffs, Ctx, outcome_of};
use crate::model::{BatchId, Outcome, Place};
use crate::rng::Rng;
use millstream_broker::{PendingAppend, ProduceError, Produced};
use std::collections::BTreeMap;
use std::time::Duration;

/// Batches sent before the first answer is awaited.
const IN_FLIGHT_MAX: u64 = 5;

/// See the module.
pub struct Producer {
    client: u32,
    rng: Rng,
    orders: BTreeMap<Place, u64>,
    backoffs: Backoffs,
}

impl Producer {
    /// A producer that has sent nothing.
    #[must_use]
    pub fn new(client: u32, rng: Rng) -> Self {
        Self {
            client,
            rng,
            orders: BTreeMap::new(),
            backoffs: Backoffs::default(),
        }
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        loop {
            self.step(ctx).await;
            ctx.pause(&mut self.rng).await;
        }
    }

    async fn step(&mut self, ctx: &Ctx) {
        let Some((topic, place)) = ctx.pick_place(&mut self.rng) else {
            return;
        };
        if !self.backoffs.are_over(&ctx.world, place) {
            return;
        }
        let mut answers = Answers::default();
        let mut pending = Vec::new();
        for _ in 0..=self.rng.below(IN_FLIGHT_MAX) {
            let keyed = topic.settings().compacted || self.rng.one_in(2);
            let records = draw_records(ctx, &mut self.rng, keyed);
            let order = self.orders.entry(place).or_default();
            *order += 1;
            let sender = (self.client, *order);
            let id = ctx.model(|model| model.send_new(sender, place, records.clone(), None));
            let bytes = encode(id, &records, draw_codec(&mut self.rng), None);
            ctx.model(|model| {
                model.sized(id, bytes.len() as u64);
                model.attempt(id);
            });
            let bytes = in_a_request(&ctx.broker, &bytes);
            match ctx.broker.append(&topic, place.partition, bytes).await {
                Ok(append) => pending.push((id, append)),
                Err(error) => end(ctx, place, id, &Err(error), &mut answers),
            }
        }
        for (id, append) in pending {
            let answer = self.await_answer(append).await;
            match answer {
                Some(answer) => end(ctx, place, id, &answer, &mut answers),
                None => ctx.judge(|model| model.ended(id, Outcome::Unknown)),
            }
        }
        self.backoffs.answered(&ctx.world, place, answers, &mut self.rng);
    }

    /// The answer, or `None` if this client's patience ended before.
    async fn await_answer(&mut self, append: PendingAppend) -> Option<Result<Produced, ProduceError>> {
        if self.rng.one_in(20) {
            let patience = Duration::from_millis(self.rng.below(30));
            return tokio::time::timeout(patience, append.durable()).await.ok();
        }
        Some(append.durable().await)
    }
}

fn end(ctx: &Ctx, place: Place, id: BatchId, answer: &Result<Produced, ProduceError>, answers: &mut Answers) {
    answers.note(answer);
    let outcome = match answer {
        Ok(produced) => Ok(Outcome::Acked(produced.base.0)),
        Err(error) => outcome_of(ctx, place, error),
    };
    ctx.world.event(&format!("client: {id} to {place}: {outcome:?}"));
    ctx.judge(|model| model.ended(id, outcome?));
}
