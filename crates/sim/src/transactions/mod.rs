//! Transactions in the simulated world: producers that write to two partitions and commit offsets in one transaction, crashes at any
//! await, and a reader of committed records that must never see too much.
//!
//! Owns: the history of what producers tried and were told, and the judgement of what is shown. Never: the rules of the coordinator (it
//! is the real one, over the real broker and log).
//!
//! **Invariant**: an attempt that was told "committed" is shown whole in the end; one that was aborted, or given up, never; one whose end
//! nobody was told, whole or not at all.

mod actor;
mod reader;

use crate::life::End;
use crate::plan::{Ending, LifePlan, Plan};
use crate::rng::Rng;
use crate::run::Run;
use crate::trace::Lines;
use crate::workload::{Backoff, Ctx};
use actor::Actor;
use millstream_broker::{Broker, Dry, Topic, TopicSpec};
use millstream_kafka::group::{Coordinator, CoordinatorConfig};
use millstream_kafka::transaction::TransactionCoordinator;
use parking_lot::Mutex;
use reader::Reader;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The topic that all of them write to.
const TOPIC: &str = "accounts";
/// Its partitions: each transaction touches both.
pub const PARTITIONS: u32 = 2;
/// The group whose offsets the transactions commit, one partition for each producer.
const GROUP: &str = "readers";
/// Producers, each with a transactional id of its own.
const ACTORS: u64 = 2;
/// How long the last lives may take: nothing fails in them.
const CALM_PATIENCE: Duration = Duration::from_secs(900);
/// How often a broker that a failing port kept from opening is started again.
const OPENINGS_MAX: u32 = 20;
/// Port calls after which a life is over.
const MOMENTS_MAX: u64 = 6_000;
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What is broken on purpose, to prove that the judge finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Batches are appended without their coordinator being asked: an abort does not find them.
    AppendsUnasked,
    /// The first answer of an end is taken for the end of another transaction: commits are reported as aborts.
    CommitsAborts,
}

/// One attempt at a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody knows yet, or ever.
    Unknown,
    /// Its producer was told so.
    Committed,
    /// Its producer wanted it so, or never asked for a commit.
    Never,
}

/// What happened, over all lives.
#[derive(Default)]
pub struct History {
    /// By attempt: what is known of its end, and its records in each partition.
    attempts: BTreeMap<u64, (Fate, u32)>,
    /// By actor: attempts whose offsets may be the committed ones.
    next: u64,
    /// Transactions that were told "committed".
    pub committed: u64,
    /// Transactions that were aborted, or given up.
    pub aborted: u64,
}

impl History {
    /// A new attempt that writes `records` records into each partition.
    fn begin(&mut self, records: u32) -> u64 {
        self.next += 1;
        self.attempts.insert(self.next, (Fate::Never, records));
        self.next
    }

    /// A commit is asked for: from here on it may come true.
    fn may_commit(&mut self, attempt: u64) {
        self.set(attempt, Fate::Unknown);
    }

    fn set(&mut self, attempt: u64, fate: Fate) {
        self.attempts.get_mut(&attempt).expect("it was begun").0 = fate;
        match fate {
            Fate::Committed => self.committed += 1,
            Fate::Never => self.aborted += 1,
            Fate::Unknown => {}
        }
    }

    /// Judges what a reader was shown of one partition: attempts in order of their records.
    fn judge_shown(&self, partition: u32, shown: &BTreeMap<u64, u32>) -> Result<(), String> {
        for (attempt, records) in shown {
            match self.attempts.get(attempt) {
                None => {
                    return Err(format!(
                        "partition {partition} shows attempt {attempt}, which nobody made"
                    ));
                }
                Some((Fate::Never, _)) => {
                    return Err(format!(
                        "partition {partition} shows the aborted attempt {attempt}"
                    ));
                }
                Some((_, written)) if records > written => {
                    return Err(format!(
                        "partition {partition} shows attempt {attempt} more than once"
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Judges what all partitions show once every transaction has ended.
    fn judge_end(&self, shown: &[BTreeMap<u64, u32>]) -> Result<(), String> {
        for (attempt, (fate, written)) in &self.attempts {
            let counts: Vec<u32> = shown
                .iter()
                .map(|partition| partition.get(attempt).copied().unwrap_or(0))
                .collect();
            let whole = counts.iter().all(|count| count == written);
            let nothing = counts.iter().all(|count| *count == 0);
            let right = match fate {
                Fate::Committed => whole,
                Fate::Never => nothing,
                Fate::Unknown => whole || nothing,
            };
            if !right {
                return Err(format!(
                    "{fate:?} attempt {attempt} of {written} records is shown as {counts:?}"
                ));
            }
        }
        Ok(())
    }
}

/// What clients share in one life.
#[derive(Clone)]
pub struct Desk {
    pub(crate) ctx: Ctx,
    pub(crate) topic: Arc<Topic>,
    pub(crate) groups: Arc<Coordinator>,
    pub(crate) transactions: Arc<TransactionCoordinator>,
    pub(crate) history: Arc<Mutex<History>>,
    pub(crate) fault: Fault,
}

/// What came out.
pub struct Report {
    /// The first promise that was broken.
    pub violation: Option<String>,
    /// The last lines of the trace.
    pub trace: String,
    /// Transactions that were told "committed".
    pub committed: u64,
    /// Transactions that were aborted, or given up.
    pub aborted: u64,
    /// Moments of the first life: the places at which it could have crashed.
    pub moments: u64,
    /// Of the whole trace.
    pub hash: u64,
}

/// Runs a plan: its lives, then calm lives in which everything must come to its end.
#[must_use]
pub fn run(plan: Plan, fault: Fault, lines: Lines) -> Report {
    let rng = Rng::new(plan.seed);
    let run = Run::new(plan, lines);
    let history = Arc::new(Mutex::new(History::default()));
    let actors: Vec<_> = (0..ACTORS)
        .map(|at| {
            Arc::new(tokio::sync::Mutex::new(Actor::new(
                at,
                rng.fork(&format!("actor {at}")),
            )))
        })
        .collect();
    let mut moments = 0;
    for life in run.plan().lives.clone() {
        for _ in 0..OPENINGS_MAX {
            let end = run.live(life, |ctx| {
                work(ctx, life, actors.clone(), history.clone(), fault)
            });
            if moments == 0 {
                moments = run.world().moments();
            }
            if end != End::NotOpened {
                break;
            }
        }
        if run.world().violation().is_some() {
            break;
        }
    }
    run.world().calm();
    run.disk().set_full(false);
    for _ in 0..2 {
        if run.world().violation().is_none() {
            run.live(LifePlan::calm(), |ctx| {
                rest(ctx, actors.clone(), history.clone(), fault)
            });
        }
    }
    let history = history.lock();
    let trace = run.world().trace();
    Report {
        violation: run.world().violation(),
        hash: trace.hash(),
        trace: trace.tail().join("\n"),
        committed: history.committed,
        aborted: history.aborted,
        moments,
    }
}

type Actors = Vec<Arc<tokio::sync::Mutex<Actor>>>;

/// All clients at work until the life's time is over.
async fn work(
    ctx: Ctx,
    life: LifePlan,
    actors: Actors,
    history: Arc<Mutex<History>>,
    fault: Fault,
) -> Ending {
    let over = ctx.world.now() + life.lasts;
    if let Some(desk) = open(&ctx, &history, fault).await {
        for actor in actors {
            let desk = desk.clone();
            tokio::spawn(async move { actor.lock().await.work(&desk).await });
        }
        let desk = desk.clone();
        tokio::spawn(async move { Reader::default().work(&desk).await });
    }
    while ctx.world.now() < over && ctx.world.moments() < MOMENTS_MAX {
        tokio::time::sleep(LOOK).await;
    }
    life.ending
}

/// Nothing fails any more: every transaction ends, and what is shown is judged, hot and from objects.
async fn rest(ctx: Ctx, actors: Actors, history: Arc<Mutex<History>>, fault: Fault) -> Ending {
    let settled = async {
        let Some(desk) = open(&ctx, &history, fault).await else {
            return ctx
                .world
                .violate("nothing fails, and transactions are not served".to_owned());
        };
        for actor in &actors {
            actor.lock().await.settle(&desk).await;
        }
        judge_all(&desk).await;
        if ctx.log.upload_now().await.is_err() {
            ctx.world.violate("nothing fails, and an upload does".to_owned());
        }
        judge_all(&desk).await;
        desk.transactions.close().await;
        desk.groups.close().await;
    };
    if tokio::time::timeout(CALM_PATIENCE, settled).await.is_err() {
        ctx.world
            .violate("nothing fails, and still a transaction does not end".to_owned());
    }
    Ending::Close
}

async fn judge_all(desk: &Desk) {
    let mut shown = Vec::new();
    for partition in 0..PARTITIONS {
        let mut reader = Reader::default();
        reader.read_to_end(desk, partition).await;
        shown.push(reader.shown(partition));
    }
    if let Err(what) = desk.history.lock().judge_end(&shown) {
        desk.ctx.world.violate(what);
    }
}

/// The coordinators of this life, and the topic.
async fn open(ctx: &Ctx, history: &Arc<Mutex<History>>, fault: Fault) -> Option<Desk> {
    let config = CoordinatorConfig {
        runtime: Handle::current(),
        member_id_seed: 7,
    };
    let groups = Arc::new(Coordinator::new(ctx.broker.clone(), config));
    let transactions = TransactionCoordinator::new(ctx.broker.clone(), groups.clone(), Handle::current());
    let mut backoff = Backoff::default();
    loop {
        let started = transactions.ensure_started().await.is_ok() && groups.ensure_started().await.is_ok();
        match topic(&ctx.broker).await {
            Some(topic) if started => {
                return Some(Desk {
                    ctx: ctx.clone(),
                    topic,
                    groups,
                    transactions: Arc::new(transactions),
                    history: history.clone(),
                    fault,
                });
            }
            _ if ctx.world.is_calm() => return None,
            _ => {
                let wait = ctx.world.draw(|rng| backoff.refused(rng));
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn topic(broker: &Broker) -> Option<Arc<Topic>> {
    let spec = TopicSpec {
        name: TOPIC.to_owned(),
        partitions: Some(PARTITIONS),
        configs: Vec::new(),
    };
    if broker.topic(TOPIC).is_none() {
        // Whether it was made or not, the table tells.
        let _ = broker.create_topic(&spec, Dry::Run).await;
    }
    broker.topic(TOPIC)
}
