//! One run: a seed, its world, its clients, life after life; then calm, in which everything must come back.

use crate::disk::SimDisk;
use crate::life::End;
use crate::meta::SimMeta;
use crate::model::{Counts, Model};
use crate::objects::SimObjects;
use crate::plan::{Ending, LifePlan, Plan};
use crate::rng::Rng;
use crate::trace::{Lines, TAIL_LINES, Trace};
use crate::workload::{
    Admin, Consumers, Ctx, Idempotent, Keeper, Opening, Producer, Reader, judge_forced, places, read_whole,
};
use crate::world::World;
use millstream_log::objects::tier::memory::MemoryTier;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long the calm part may take: nothing is slow in it.
const CALM_PATIENCE: Duration = Duration::from_secs(900);

/// How often a broker that a failing port kept from opening is started again.
const OPENINGS_MAX: u32 = 20;

/// Port calls after which a life is over: where nothing takes time, thousands happen in a second.
const MOMENTS_MAX: u64 = 6_000;

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What outlives the broker: media, clients, the judge.
pub struct Run {
    pub(crate) plan: Arc<Plan>,
    pub(crate) world: Arc<World>,
    pub(crate) disk: Arc<SimDisk>,
    pub(crate) objects: Arc<SimObjects>,
    pub(crate) meta: Arc<SimMeta>,
    pub(crate) second_tier: Option<MemoryTier>,
    pub(crate) model: Arc<Mutex<Model>>,
    clients: Clients,
}

/// A client's memory is locked by its task as long as the task lives.
type Slot<T> = Arc<tokio::sync::Mutex<T>>;

struct Clients {
    admin: Slot<Admin>,
    producers: Vec<Slot<Producer>>,
    idempotent: Vec<Slot<Idempotent>>,
    readers: Vec<Slot<Reader>>,
    keepers: Vec<Slot<Keeper>>,
    consumers: Slot<Consumers>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The first promise that was broken.
    pub violation: Option<String>,
    /// What happened.
    pub trace: Trace,
    /// How much of it.
    pub counts: Counts,
    /// How each life ended.
    pub ends: Vec<End>,
    /// Moments of the first life: the places at which it could have crashed.
    pub moments: u64,
    /// How long it took, by the world's clock.
    pub simulated: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.trace.tail() {
            writeln!(f, "{line}")?;
        }
        let seed = self.seed;
        match &self.violation {
            Some(what) => writeln!(f, "seed {seed}: {what}")?,
            None => writeln!(f, "seed {seed}: nothing is wrong")?,
        }
        writeln!(
            f,
            "lives: {:?}; {:?}; trace {:016x}",
            self.ends,
            self.counts,
            self.trace.hash()
        )?;
        write!(f, "again: cargo run -p millstream-sim -- {seed} --trace")
    }
}

/// Runs the plan of a seed.
#[must_use]
pub fn run_seed(seed: u64) -> Report {
    run(Plan::of_seed(seed), Lines::Tail(TAIL_LINES))
}

/// Runs a plan.
#[must_use]
pub fn run(plan: Plan, lines: Lines) -> Report {
    let run = Run::new(plan, lines);
    let mut ends = Vec::new();
    let mut moments = 0;
    for life in run.plan.lives.clone() {
        let mut end = run.live(life, |ctx| run.work(ctx, life));
        if ends.is_empty() {
            moments = run.world.moments();
        }
        // Somebody starts it again until it opens.
        for _ in 0..OPENINGS_MAX {
            if end != End::NotOpened {
                break;
            }
            end = run.live(life, |ctx| run.work(ctx, life));
        }
        ends.push(end);
        if end == End::Violated {
            return run.report(ends, moments);
        }
    }
    run.world.calm();
    run.disk.set_full(false);
    for part in [Calm::Recovered, Calm::Uploaded, Calm::Reopened] {
        let end = run.live(LifePlan::calm(), |ctx| run.work_in_calm(ctx, part));
        ends.push(end);
        if end != End::Closed {
            break;
        }
    }
    run.report(ends, moments)
}

/// The lives after all faults have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calm {
    /// Everything that was acknowledged is there; producers go on.
    Recovered,
    /// Everything is moved to objects, and is there.
    Uploaded,
    /// Everything is there once more.
    Reopened,
}

impl Run {
    /// The world of a plan, before anything happened in it.
    #[must_use]
    pub fn new(plan: Plan, lines: Lines) -> Self {
        let world = World::new(plan.seed, lines);
        world.volume().set_bytes_max(plan.volume_bytes);
        let Plan {
            disk_pace,
            object_pace,
            meta_pace,
            disk,
            objects,
            meta,
            mutations,
            second_tier_bytes,
            ..
        } = plan;
        Self {
            disk: SimDisk::new(world.clone(), disk_pace, disk, mutations.disk),
            objects: SimObjects::new(world.clone(), object_pace, objects, mutations.objects),
            meta: SimMeta::new(world.clone(), meta_pace, meta),
            second_tier: second_tier_bytes.map(MemoryTier::new),
            model: Arc::new(Mutex::new(Model::new())),
            clients: Clients::of_plan(&plan),
            plan: Arc::new(plan),
            world,
        }
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The disk.
    #[must_use]
    pub fn disk(&self) -> &Arc<SimDisk> {
        &self.disk
    }

    /// The metadata store.
    #[must_use]
    pub fn meta(&self) -> &Arc<SimMeta> {
        &self.meta
    }

    fn report(&self, ends: Vec<End>, moments: u64) -> Report {
        Report {
            seed: self.plan.seed,
            violation: self.world.violation(),
            trace: self.world.trace(),
            counts: self.model.lock().counts(),
            ends,
            moments,
            simulated: self.world.now(),
        }
    }

    /// All clients at work until the life's time is over.
    async fn work(&self, ctx: Ctx, life: LifePlan) -> Ending {
        self.clients.admin.lock().await.judge_topics(&ctx);
        self.clients.start(&ctx);
        let over = ctx.world.now() + life.lasts;
        while ctx.world.now() < over && ctx.world.moments() < MOMENTS_MAX {
            tokio::time::sleep(LOOK).await;
        }
        life.ending
    }

    /// What must be true once nothing fails any more.
    async fn work_in_calm(&self, ctx: Ctx, part: Calm) -> Ending {
        if tokio::time::timeout(CALM_PATIENCE, self.come_to_rest(&ctx, part))
            .await
            .is_err()
        {
            ctx.world
                .violate(format!("nothing fails, and still it takes for ever: {part:?}"));
        }
        Ending::Close
    }

    async fn come_to_rest(&self, ctx: &Ctx, part: Calm) {
        self.clients.admin.lock().await.judge_topics(ctx);
        for keeper in &self.clients.keepers {
            if keeper.lock().await.open(ctx, Opening::First).await.is_none() {
                ctx.world.violate("state does not open".to_owned());
            }
        }
        self.read_all(ctx).await;
        if part == Calm::Recovered {
            for client in &self.clients.idempotent {
                client.lock().await.drain(ctx).await;
            }
        }
        self.clients.consumers.lock().await.drain(ctx).await;
        if part == Calm::Uploaded {
            // Twice: what the first round frees, the second collects.
            for _ in 0..2 {
                judge_forced(ctx, "upload", ctx.log.upload_now().await);
                judge_forced(ctx, "housekeeping", ctx.log.housekeep_now().await);
            }
        }
        self.read_all(ctx).await;
        judge_producers(ctx);
    }

    async fn read_all(&self, ctx: &Ctx) {
        for (topic, place) in places(ctx) {
            read_whole(ctx, &topic, place).await;
        }
    }
}

fn judge_producers(ctx: &Ctx) {
    for (topic, place) in places(ctx) {
        let stream = topic.stream(place.partition).expect("it was just listed");
        let producers = stream.producers().into_iter();
        let shown: BTreeMap<_, _> = producers
            .map(|view| (view.producer_id, (view.producer_epoch, view.last_sequence)))
            .collect();
        ctx.judge(|model| model.producers_shown(place, &shown));
    }
}

impl Clients {
    fn of_plan(plan: &Plan) -> Self {
        let rng = Rng::new(plan.seed);
        let slot_rng = |kind: &str, at: u32| rng.fork(&format!("{kind} {at}"));
        let crew = plan.crew;
        Self {
            admin: Slot::new(Admin::new(slot_rng("admin", 0)).into()),
            producers: (0..crew.producers)
                .map(|at| Slot::new(Producer::new(at, slot_rng("producer", at)).into()))
                .collect(),
            idempotent: (0..crew.idempotent)
                .map(|at| Slot::new(Idempotent::new(100 + at, slot_rng("idempotent", at)).into()))
                .collect(),
            readers: (0..crew.readers)
                .map(|at| Slot::new(Reader::new(slot_rng("reader", at)).into()))
                .collect(),
            keepers: (0..crew.keepers)
                .map(|at| Slot::new(Keeper::new(at, slot_rng("keeper", at)).into()))
                .collect(),
            consumers: Slot::new(Consumers::new(slot_rng("consumers", 0), plan.mutations.belief).into()),
        }
    }

    /// Puts everyone to work, in tasks that end with the runtime.
    fn start(&self, ctx: &Ctx) {
        let (admin, at) = (self.admin.clone(), ctx.clone());
        tokio::spawn(async move { admin.lock().await.work(&at).await });
        for client in &self.producers {
            let (client, at) = (client.clone(), ctx.clone());
            tokio::spawn(async move { client.lock().await.work(&at).await });
        }
        for client in &self.idempotent {
            let (client, at) = (client.clone(), ctx.clone());
            tokio::spawn(async move { client.lock().await.work(&at).await });
        }
        for client in &self.readers {
            let (client, at) = (client.clone(), ctx.clone());
            tokio::spawn(async move { client.lock().await.work(&at).await });
        }
        for client in &self.keepers {
            let (client, at) = (client.clone(), ctx.clone());
            tokio::spawn(async move { client.lock().await.work(&at).await });
        }
        let (client, at) = (self.consumers.clone(), ctx.clone());
        tokio::spawn(async move { client.lock().await.work(&at).await });
    }
}
