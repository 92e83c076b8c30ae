//! Consumers of queues: they acquire records, answer some, forget others, and remember what was confirmed to them.
//!
//! What must hold: a record whose acceptance was confirmed is never handed out again; one that was handed out and whose end nobody was
//! told of, is; and nobody holds a record that another one holds.

use super::ends::Ends;
use super::{Answers, Backoffs, Ctx};
use crate::model::Place;
use crate::rng::Rng;
use millstream_broker::queue::{
    AcquireAsk, AcquireBudget, Acquired, Dispatch, Disposition, Holder, Policy, PolicySource, QueueError,
    Queues, Settlement, Space, StartAt, SubscriptionId,
};
use millstream_broker::{Isolation, Topic};
use millstream_log::ReadLimit;
use millstream_log::batch::{self, BatchHeader};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Consumers that share the queues.
const HOLDERS: u64 = 2;

/// Steps of one look at everything that is left, at the most.
const DRAIN_STEPS_MAX: u32 = 2_000;

/// Bytes of one read while everything is looked at.
const READ_BYTES: usize = 1 << 20;

const LOCK: Duration = Duration::from_secs(5);

/// When the consumers believe that an end is confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Belief {
    /// When they are told.
    #[default]
    WhenTold,
    /// As soon as they have asked: wrong on purpose.
    TooEarly,
}

struct Terms;

impl PolicySource for Terms {
    fn policy(&self, _: &SubscriptionId) -> Arc<Policy> {
        Arc::new(Policy {
            lock: LOCK,
            deliveries_max: u16::MAX,
            unsettled_max: 60,
            start: StartAt::Earliest,
            isolation: Isolation::ReadUncommitted,
            dead_letters: None,
        })
    }
}

/// See the module.
pub struct Consumers {
    rng: Rng,
    belief: Belief,
    ends: Ends,
    /// Until when this life's consumers hold what.
    held: BTreeMap<(Place, u64), Duration>,
    backoffs: Backoffs,
}

impl Consumers {
    /// Consumers that have seen nothing.
    #[must_use]
    pub fn new(rng: Rng, belief: Belief) -> Self {
        Self {
            rng,
            belief,
            ends: Ends::default(),
            held: BTreeMap::new(),
            backoffs: Backoffs::default(),
        }
    }

    /// The queues of one life.
    #[must_use]
    pub fn queues(ctx: &Ctx) -> Queues {
        Queues::new(
            ctx.broker.clone(),
            tokio::runtime::Handle::current(),
            Arc::new(Terms),
        )
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        self.begin_life();
        let queues = Self::queues(ctx);
        loop {
            if let Some((topic, place)) = ctx.pick_place(&mut self.rng)
                && self.backoffs.are_over(&ctx.world, place)
            {
                let holder = Holder(self.rng.below(HOLDERS));
                let acquired = self.acquire(ctx, &queues, holder, &topic, place).await;
                self.answer(ctx, &queues, holder, place, acquired).await;
            }
            ctx.pause(&mut self.rng).await;
        }
    }

    fn begin_life(&mut self) {
        self.held.clear();
        self.ends.begin_life();
    }

    /// Takes what comes first, once, and answers nothing.
    pub async fn take(&mut self, ctx: &Ctx, topic: &Arc<Topic>, place: Place) {
        let queues = Self::queues(ctx);
        self.acquire(ctx, &queues, Holder(0), topic, place).await;
        queues.close();
    }

    async fn acquire(
        &mut self,
        ctx: &Ctx,
        queues: &Queues,
        holder: Holder,
        topic: &Arc<Topic>,
        place: Place,
    ) -> Vec<Acquired> {
        let ask = AcquireAsk {
            subscription: subscription(place),
            topic: topic.clone(),
        };
        let budget = AcquireBudget {
            bytes_max: *self.rng.pick(&[1, 500, 10_000]),
            bytes_min: *self.rng.pick(&[0, 1, 200]),
            records_max: 1 + self.rng.below(20),
            wait_max: Duration::from_millis(self.rng.below(200)),
            dispatch: *self.rng.pick(&[Dispatch::Batches, Dispatch::Records]),
        };
        let results = queues
            .acquire(holder, &[ask], budget, std::future::pending())
            .await;
        let Some(Ok(slice)) = results.into_iter().next() else {
            let answers = Answers {
                refused: true,
                ..Answers::default()
            };
            self.backoffs.answered(&ctx.world, place, answers, &mut self.rng);
            return Vec::new();
        };
        let now = ctx.world.now();
        for acquired in &slice.acquired {
            for offset in acquired.range.clone() {
                ctx.world.event(&format!("client: {place} acquired {offset}"));
                self.saw(ctx, place, offset, now);
            }
        }
        slice.acquired
    }

    fn saw(&mut self, ctx: &Ctx, place: Place, offset: u64, now: Duration) {
        ctx.judge(|_| self.ends.handed_out(place, offset));
        let before = self.held.insert((place, offset), now + LOCK);
        // A write whose outcome is unknown makes the broker read its state anew, and that ends locks of others.
        let keeps_locks = ctx.plan.disk.write_error == 0 && ctx.plan.disk.sync_error == 0;
        if keeps_locks && before.is_some_and(|until| now < until) {
            ctx.world
                .violate(format!("{place}: {offset} is held by two at once"));
        }
    }

    async fn answer(
        &mut self,
        ctx: &Ctx,
        queues: &Queues,
        holder: Holder,
        place: Place,
        acquired: Vec<Acquired>,
    ) {
        let mut answers = Answers::default();
        for Acquired { range, .. } in acquired {
            let disposition = match self.rng.below(8) {
                0 => continue,
                1 => Disposition::Release,
                2 => Disposition::Reject,
                _ => Disposition::Accept,
            };
            let settled = self
                .settle(ctx, queues, holder, place, Settlement { range, disposition })
                .await;
            answers.done |= settled.is_ok();
            answers.refused |= matches!(
                settled,
                Err(QueueError::NotKept(_) | QueueError::Unknown | QueueError::Closed)
            );
        }
        self.backoffs.answered(&ctx.world, place, answers, &mut self.rng);
    }

    async fn settle(
        &mut self,
        ctx: &Ctx,
        queues: &Queues,
        holder: Holder,
        place: Place,
        answer: Settlement,
    ) -> Result<(), QueueError> {
        let Settlement { range, disposition } = answer.clone();
        let is_end = disposition != Disposition::Release;
        match self.belief {
            Belief::TooEarly if is_end => self.ends.ended(place, &range, &Ok(())),
            _ => self.ends.asked(place, &range),
        }
        let outcome = queues
            .settle(&subscription(place), holder, std::slice::from_ref(&answer))
            .await;
        ctx.world
            .event(&format!("client: {place} {answer:?}: {outcome:?}"));
        match self.belief {
            _ if !is_end => self.ends.released(place, &range, &outcome),
            Belief::WhenTold => self.ends.ended(place, &range, &outcome),
            Belief::TooEarly => {}
        }
        // It may be handed out again from now on, or when its lock has run out.
        for offset in range {
            self.held.remove(&(place, offset));
        }
        outcome
    }

    /// Nothing fails any more: everything that was seen and has no end comes again, unless the log has let go of it.
    pub async fn drain(&mut self, ctx: &Ctx) {
        self.begin_life();
        let queues = Self::queues(ctx);
        for (topic, place) in super::places(ctx) {
            for _ in 0..DRAIN_STEPS_MAX {
                let acquired = self.acquire(ctx, &queues, Holder(0), &topic, place).await;
                if acquired.is_empty() {
                    break;
                }
                for Acquired { range, .. } in acquired {
                    let disposition = Disposition::Accept;
                    // What was refused comes again, or is missed below.
                    let _ = self
                        .settle(ctx, &queues, Holder(0), place, Settlement { range, disposition })
                        .await;
                }
            }
            self.judge_rest(ctx, &topic, place).await;
        }
        queues.close();
    }

    async fn judge_rest(&self, ctx: &Ctx, topic: &Topic, place: Place) {
        // What a trim or compaction has taken away meanwhile cannot come again.
        let there = offsets_of(topic, place).await;
        for offset in self.ends.without_end(place) {
            if there.iter().any(|kept| kept.contains(&offset)) {
                ctx.world.violate(format!(
                    "{place}: {offset} was handed out, has no end, and does not come again"
                ));
            }
        }
    }
}

/// The offsets that the log keeps, batch by batch.
async fn offsets_of(topic: &Topic, place: Place) -> Vec<RangeInclusive<u64>> {
    let mut found = Vec::new();
    let Some(stream) = topic.stream(place.partition) else {
        return found;
    };
    let bounds = stream.bounds();
    let mut next = bounds.start;
    while next < bounds.end {
        let limit = ReadLimit {
            bytes_max: READ_BYTES,
            at_least_one: true,
            below: bounds.end,
        };
        match stream.read(next, limit).await {
            Ok(outcome) if outcome.next > next => {
                let split = outcome.chunks.into_iter().flat_map(batch::split).flatten();
                // The first batch may begin below the start; its records there are gone all the same.
                let kept =
                    |header: BatchHeader| header.base_offset.max(bounds.start).0..=header.last_offset().0;
                found.extend(split.map(|(header, _)| kept(header)));
                next = outcome.next;
            }
            // Readers find out what is wrong with it.
            _ => break,
        }
    }
    found
}

fn subscription(place: Place) -> SubscriptionId {
    SubscriptionId {
        space: Space(1),
        name: Arc::from("sim"),
        topic: place.topic,
        partition: place.partition,
    }
}
