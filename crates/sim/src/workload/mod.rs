//! Clients: they work against the real broker, and tell the model what they sent, were told and saw.
//!
//! Owns: who does what next. Never: what is right (the model's). A client outlives the broker's crashes, as real ones do: what it
//! knows is kept from life to life; what it was waiting for is an answer that never came.

mod admin;
mod backoff;
mod batches;
mod ends;
mod idempotent;
mod producer;
mod queue;
mod reader;
mod state;

pub use admin::{Admin, judge_forced, places};
pub use backoff::{Answers, Backoff, Backoffs};
pub use batches::encode;
pub use idempotent::Idempotent;
pub use producer::Producer;
pub use queue::{Belief, Consumers};
pub use reader::{Reader, read_from, read_whole};
pub use state::{Keeper, Opening};

use crate::disk::SimDisk;
use crate::model::{Judgement, Model, Outcome, Place};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::world::World;
use millstream_broker::{Broker, ProduceError, Topic};
use millstream_log::{AppendError, Fate, Log};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// What a client works with in one life of the broker.
#[derive(Clone)]
pub struct Ctx {
    /// The world.
    pub world: Arc<World>,
    /// The broker of this life.
    pub broker: Broker,
    /// Its log.
    pub log: Log,
    /// The judge.
    pub model: Arc<Mutex<Model>>,
    /// The plan of the run.
    pub plan: Arc<Plan>,
    /// The disk, to fill it.
    pub disk: Arc<SimDisk>,
}

impl Ctx {
    /// Talks to the model.
    pub fn model<T>(&self, talk: impl FnOnce(&mut Model) -> T) -> T {
        let mut model = self.model.lock();
        model.wall_is(self.world.wall_ms());
        talk(&mut model)
    }

    /// Talks to the model and reports what it finds wrong.
    pub fn judge(&self, talk: impl FnOnce(&mut Model) -> Judgement) {
        if let Err(what) = self.model(talk) {
            self.world.violate(what);
        }
    }

    /// One of the topics that clients may use.
    fn pick_topic(&self, rng: &mut Rng) -> Option<Arc<Topic>> {
        let topics = self.topics();
        (!topics.is_empty()).then(|| rng.pick(&topics).clone())
    }

    /// One partition of one of these topics. The model knows every topic that was answered; others are not touched yet.
    fn pick_place(&self, rng: &mut Rng) -> Option<(Arc<Topic>, Place)> {
        let topic = self.pick_topic(rng)?;
        let partition = u32::try_from(rng.below(u64::from(topic.partitions()))).expect("below a u32");
        let place = Place {
            topic: topic.id(),
            partition,
        };
        Some((topic, place))
    }

    /// The topics that clients may use and the model knows of.
    #[must_use]
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        let mut topics = self.broker.topics();
        topics.retain(|topic| !topic.is_internal() && self.model(|model| model.knows(topic.id())));
        topics
    }

    /// Lets time pass between two steps.
    async fn pause(&self, rng: &mut Rng) {
        let ms = rng.below(self.plan.crew.pause_ms_max + 1);
        match ms {
            0 => tokio::task::yield_now().await,
            ms => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }
}

impl Answers {
    /// An append was answered. A batch that breaks a rule is not sent again, and a duplicate is there.
    fn note<T>(&mut self, answer: &Result<T, ProduceError>) {
        match answer {
            Ok(_) | Err(ProduceError::Log(AppendError::DuplicateSequence)) => self.done = true,
            Err(ProduceError::Refused(_)) => {}
            Err(_) => self.refused = true,
        }
    }
}

/// What is known of a batch after this error; `Err` names the errors that this client must never see.
fn outcome_of(ctx: &Ctx, place: Place, error: &ProduceError) -> Result<Outcome, String> {
    let gone_is_no_fault = ctx.model(|model| model.may_be_gone(place.topic));
    match error {
        ProduceError::UnknownPartition | ProduceError::Log(AppendError::StreamGone) if gone_is_no_fault => {
            Ok(Outcome::Unknown)
        }
        ProduceError::Refused(_)
        | ProduceError::Log(
            AppendError::StorageFull
            | AppendError::Closed
            | AppendError::Storage {
                fate: Fate::NotDone, ..
            },
        ) => Ok(Outcome::NotDone),
        ProduceError::Log(AppendError::Storage {
            fate: Fate::Unknown, ..
        }) => Ok(Outcome::Unknown),
        error => Err(format!("{place}: an append must not be answered with: {error}")),
    }
}
