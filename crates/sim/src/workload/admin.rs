//! The administrator: topics come, change and go; records are deleted; uploads and housekeeping are forced; the disk fills.

use super::Ctx;
use crate::model::{Place, ShownTopic, TopicShape};
use crate::rng::Rng;
use millstream_broker::{Dry, Offset, Topic, TopicDraft, TopicError, TopicSpec, TrimError};
use millstream_log::StreamError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names of topics: few, so that they come back under other ids.
const NAMES: &[&str] = &["a", "b", "c"];

/// compression.type: mostly left to the producers.
const COMPRESSIONS: &[&str] = &["producer", "producer", "producer", "lz4", "uncompressed"];

/// The broker's image of the catalog follows within this time while the store answers.
const SETTLE: Duration = Duration::from_secs(30);

/// See the module.
pub struct Admin {
    rng: Rng,
    /// Topics that were asked for without an answer.
    doubtful: BTreeMap<String, Vec<(u32, TopicShape)>>,
}

impl Admin {
    /// An administrator of an empty broker.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            doubtful: BTreeMap::new(),
        }
    }

    /// Compares the topics of a broker that has just started with what must be there.
    pub fn judge_topics(&mut self, ctx: &Ctx) {
        let mut shown = Vec::new();
        for topic in ctx.broker.topics() {
            if topic.is_internal() {
                continue;
            }
            self.adopt(ctx, &topic);
            shown.push(ShownTopic {
                id: topic.id(),
                name: topic.name().to_owned(),
                partitions: topic.partitions(),
                configs: topic.configs().clone(),
            });
        }
        self.doubtful.clear();
        ctx.judge(|model| model.topics_shown(&shown));
    }

    /// Tells the model of a topic that is there though its creation was not answered.
    fn adopt(&mut self, ctx: &Ctx, topic: &Topic) {
        if ctx.model(|model| model.knows(topic.id())) {
            return;
        }
        let asked = self.doubtful.remove(topic.name()).unwrap_or_default();
        let is_it = |shape: &TopicShape| {
            let configs = shape.configs().into_iter();
            let configs = configs.map(|(name, value)| (name, value.expect("all are given")));
            configs.collect::<BTreeMap<_, _>>() == *topic.configs()
        };
        match asked
            .into_iter()
            .find(|(partitions, shape)| *partitions == topic.partitions() && is_it(shape))
        {
            Some((partitions, shape)) => {
                ctx.judge(|model| model.topic_is_live(topic.id(), topic.name(), partitions, shape));
            }
            None => ctx
                .world
                .violate(format!("there is a topic {} that nobody asked for", topic.name())),
        }
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        loop {
            self.step(ctx).await;
            ctx.pause(&mut self.rng).await;
            ctx.pause(&mut self.rng).await;
        }
    }

    async fn step(&mut self, ctx: &Ctx) {
        if ctx.topics().is_empty() {
            return self.create(ctx).await;
        }
        match self.rng.below(40) {
            0..=3 => self.create(ctx).await,
            4 => self.delete(ctx).await,
            5..=8 => self.reshape(ctx).await,
            9..=10 => self.grow(ctx).await,
            11..=16 => self.delete_records(ctx).await,
            17..=26 => self.force(ctx, "upload").await,
            27..=36 => self.force(ctx, "housekeeping").await,
            _ => {
                let full = self.rng.one_in(2);
                ctx.world.event(&format!("admin: disk full: {full}"));
                ctx.disk.set_full(full);
            }
        }
    }

    fn draw_shape(&mut self) -> TopicShape {
        let rng = &mut self.rng;
        let mut shape = TopicShape::plain();
        match rng.below(6) {
            0 | 1 => {}
            2 => shape.retention_ms = Some(rng.range(500..20_000)),
            3 => shape.retention_bytes = Some(rng.range(500..50_000)),
            4 => {
                shape.compact = true;
                shape.delete = false;
            }
            _ => {
                shape.compact = true;
                shape.retention_ms = rng.one_in(2).then_some(20_000);
            }
        }
        shape.tombstone_ms = *rng.pick(&[0, 1_000, 86_400_000]);
        shape.log_append_time = rng.one_in(6);
        shape.compression = *rng.pick(COMPRESSIONS);
        shape
    }

    async fn create(&mut self, ctx: &Ctx) {
        let name = (*self.rng.pick(NAMES)).to_owned();
        if ctx.broker.topic(&name).is_some() {
            return;
        }
        let shape = self.draw_shape();
        let partitions = u32::try_from(1 + self.rng.below(3)).expect("small");
        let spec = TopicSpec {
            name: name.clone(),
            partitions: Some(partitions),
            configs: shape.configs(),
        };
        self.doubtful
            .entry(name.clone())
            .or_default()
            .push((partitions, shape));
        let mut created = ctx.broker.create_topic(&spec, Dry::Run).await;
        if matches!(created, Err(TopicError::Exists(_))) && ctx.broker.topic(&name).is_none() {
            // The broker's image of the catalog may be a moment behind; then it must serve what it calls existing.
            tokio::time::sleep(SETTLE).await;
            created = ctx.broker.create_topic(&spec, Dry::Run).await;
        }
        let text = created.as_ref().map(|_| ()).map_err(ToString::to_string);
        ctx.world.event(&format!("admin: create {name}: {text:?}"));
        match (created, ctx.broker.topic(&name)) {
            (Ok(TopicDraft { id: Some(id), .. }), Some(topic)) if topic.id() == id => self.adopt(ctx, &topic),
            (Err(TopicError::Exists(_)), Some(topic)) => self.adopt(ctx, &topic),
            (Err(TopicError::Store(_)), served) => {
                if let Some(topic) = served {
                    self.adopt(ctx, &topic);
                }
            }
            (answer, served) => {
                let served = served.map(|topic| topic.id());
                ctx.world.violate(format!(
                    "{name} was to be created: {answer:?}, and {served:?} is served"
                ));
            }
        }
    }

    async fn delete(&mut self, ctx: &Ctx) {
        let Some(topic) = ctx.pick_topic(&mut self.rng) else {
            return;
        };
        ctx.model(|model| model.deleting(topic.id()));
        let deleted = ctx.broker.delete_topic(&topic).await;
        ctx.world
            .event(&format!("admin: delete {}: {deleted:?}", topic.name()));
        match deleted {
            Ok(()) => ctx.model(|model| model.deleted(topic.id())),
            Err(TopicError::Store(_)) => {}
            // An earlier attempt without an answer was carried out.
            Err(TopicError::Unknown) => {}
            Err(error) => ctx
                .world
                .violate(format!("deleting must not be answered with: {error}")),
        }
    }

    async fn reshape(&mut self, ctx: &Ctx) {
        let Some(topic) = ctx.pick_topic(&mut self.rng) else {
            return;
        };
        let shape = self.draw_shape();
        ctx.model(|model| model.reshaping(topic.id(), &shape));
        let changed = ctx
            .broker
            .replace_topic_configs(topic.name(), &shape.configs(), Dry::Run)
            .await;
        ctx.world.event(&format!(
            "admin: settings of {} to {shape:?}: {changed:?}",
            topic.name()
        ));
        match changed {
            Ok(()) => ctx.model(|model| model.reshaped(topic.id(), &shape)),
            Err(error) => expect_doubt(ctx, &topic, &error),
        }
    }

    async fn grow(&mut self, ctx: &Ctx) {
        let Some(topic) = ctx.pick_topic(&mut self.rng) else {
            return;
        };
        let partitions = topic.partitions() + 1;
        if partitions > 4 {
            return;
        }
        ctx.model(|model| model.growing(topic.id(), partitions));
        let grown = ctx
            .broker
            .add_partitions(topic.name(), partitions, Dry::Run)
            .await;
        ctx.world.event(&format!(
            "admin: {} to {partitions} partitions: {grown:?}",
            topic.name()
        ));
        match grown {
            Ok(()) => ctx.model(|model| model.grown(topic.id(), partitions)),
            // An earlier attempt without an answer was carried out.
            Err(TopicError::InvalidPartitions(_)) => {}
            Err(error) => expect_doubt(ctx, &topic, &error),
        }
    }

    async fn delete_records(&mut self, ctx: &Ctx) {
        let Some((topic, place)) = ctx.pick_place(&mut self.rng) else {
            return;
        };
        let view = ctx.model(|model| model.view(place));
        let before = match self.rng.below(8) {
            0 => None,
            _ => Some(view.start + self.rng.below((view.end - view.start) / 2 + 1)),
        };
        ctx.model(|model| model.trim_asked(place, before));
        let trimmed = ctx
            .broker
            .delete_records(&topic, place.partition, before.map(Offset))
            .await;
        ctx.world.event(&format!(
            "admin: delete records of {place} below {before:?}: {trimmed:?}"
        ));
        match trimmed {
            Ok(start) => ctx.judge(|model| model.trimmed(place, before, view, start.0)),
            Err(TrimError::Policy | TrimError::Storage(_)) => {}
            Err(TrimError::UnknownPartition) if ctx.model(|model| model.may_be_gone(place.topic)) => {}
            Err(error) => ctx.world.violate(format!("{place}: deleting records: {error}")),
        }
    }

    async fn force(&mut self, ctx: &Ctx, what: &str) {
        let done = match what {
            "upload" => ctx.log.upload_now().await,
            _ => ctx.log.housekeep_now().await,
        };
        ctx.world.event(&format!("admin: {what}: {done:?}"));
        judge_forced(ctx, what, done);
    }
}

/// Forced work may fail while there are faults, never afterwards.
pub fn judge_forced(ctx: &Ctx, what: &str, done: Result<(), StreamError>) {
    if let Err(error) = done
        && ctx.world.is_calm()
    {
        ctx.world
            .violate(format!("{what} fails though nothing is wrong: {error}"));
    }
}

fn expect_doubt(ctx: &Ctx, topic: &Topic, error: &TopicError) {
    let gone = ctx.model(|model| model.may_be_gone(topic.id()));
    match error {
        TopicError::Store(_) => {}
        TopicError::Unknown if gone => {}
        error => ctx.world.violate(format!(
            "a change of {} must not be answered with: {error}",
            topic.name()
        )),
    }
}

/// Every partition that a client may use.
#[must_use]
pub fn places(ctx: &Ctx) -> Vec<(Arc<Topic>, Place)> {
    let topics = ctx.topics().into_iter();
    let places = topics.flat_map(|topic| {
        let id = topic.id();
        (0..topic.partitions()).map(move |partition| (topic.clone(), Place { topic: id, partition }))
    });
    places.collect()
}
