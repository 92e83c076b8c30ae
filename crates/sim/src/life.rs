//! One life of the broker: recovery, work, the end. A runtime of its own, which is dropped with everything in it.
//!
//! Owns: opening the real catalog, log and broker on the simulated media; watching over the life. Never: what outlives it.
//!
//! **Invariant**: after a life nothing of it runs any more: tasks, timers and futures went with its runtime.

use crate::clock::SimClock;
use crate::disk::{CrashKind, DiskPort};
use crate::meta::{SimEntropy, SimManifest};
use crate::panics;
use crate::plan::{Ending, LifePlan};
use crate::rng::Rng;
use crate::run::Run;
use crate::workload::Ctx;
use crate::world::CrashPlan;
use millstream_broker::{Broker, BrokerConfig};
use millstream_log::objects::tier::SecondTier;
use millstream_log::{Log, LogPorts, OpenError, WalRunner, invariants};
use millstream_meta::Catalog;
use millstream_meta::catalog::CatalogConfig;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// How long a broker may take to open or close. Faults and stalls are over long before.
const PATIENCE: Duration = Duration::from_secs(600);

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine or the process stopped.
    Crashed,
    /// The broker was closed.
    Closed,
    /// It never opened: a port failed during recovery.
    NotOpened,
    /// A promise was broken.
    Violated,
}

/// The log of the present life, for the invariants.
type Watched = Arc<Mutex<Option<Log>>>;

impl Run {
    /// Lives one life; `work` is what happens in it after the broker has opened, and says whether to close the broker.
    pub fn live<W>(&self, plan: LifePlan, work: impl FnOnce(Ctx) -> W) -> End
    where
        W: Future<Output = Ending>,
    {
        panics::watch();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let runtime = runtime.expect("a runtime without IO needs nothing from the system");
        self.world.skew_wall(plan.skew_ms);
        let end = runtime.block_on(async {
            self.world.begin_life(plan.crash);
            let watched = Watched::default();
            let end = tokio::select! {
                biased;
                end = self.watch(&watched) => end,
                end = self.open_and_work(&watched, work) => end,
            };
            self.world.event(&format!("-- {end:?}"));
            self.world.end_life(plan.downtime);
            end
        });
        drop(runtime);
        if let Some(panic) = panics::take() {
            self.world.violate(format!("the broker panicked: {panic}"));
        }
        panics::unwatch();
        self.settle(end, plan);
        if self.world.violation().is_some() {
            End::Violated
        } else {
            end
        }
    }

    /// What the world does after a life.
    fn settle(&self, end: End, plan: LifePlan) {
        let crashed = end == End::Crashed;
        // A generator of its own: the world is not to be locked while the media write into its trace.
        let mut rng = Rng::new(self.world.draw(Rng::next_u64));
        // An orderly exit leaves the page cache as a kill does.
        let kind = if crashed { plan.kind } else { CrashKind::Kill };
        self.disk.crash(kind, &mut rng);
        self.objects.settle_late(&mut rng);
        self.meta.settle_late();
        self.model.lock().life_is_over();
    }

    /// Looks after every event: for the crash, for a violation, for a panic, at the invariants.
    async fn watch(&self, watched: &Watched) -> End {
        loop {
            self.world.stirred().await;
            if self.world.violation().is_some() {
                return End::Violated;
            }
            if self.world.has_crashed() {
                return End::Crashed;
            }
            if let Some(panic) = panics::take() {
                self.world.violate(format!("the broker panicked: {panic}"));
                return End::Violated;
            }
            let log = watched.lock().clone();
            if let Some(log) = log
                && let Err(what) = invariants::check(&log)
            {
                self.world.violate(format!("an invariant does not hold: {what}"));
                return End::Violated;
            }
        }
    }

    async fn open_and_work<W>(&self, watched: &Watched, work: impl FnOnce(Ctx) -> W) -> End
    where
        W: Future<Output = Ending>,
    {
        let opened = tokio::time::timeout(PATIENCE, self.open(watched)).await;
        let ctx = match opened {
            Ok(Ok(ctx)) => ctx,
            Ok(Err(error)) => return self.judge_open_error(&error),
            Err(_) => return self.violated("the broker does not open in ten minutes"),
        };
        self.world.event("-- the broker is open");
        let ending = work(ctx.clone()).await;
        if ending == Ending::Crash {
            self.world.crash_now();
            return End::Crashed;
        }
        if tokio::time::timeout(PATIENCE, ctx.broker.close()).await.is_err() {
            return self.violated("the broker does not close in ten minutes");
        }
        End::Closed
    }

    fn violated(&self, what: &str) -> End {
        self.world.violate(what.to_owned());
        End::Violated
    }

    /// A port that fails may keep the broker from opening; damage that no fault explains may not.
    fn judge_open_error(&self, error: &OpenError) -> End {
        self.world.event(&format!("-- the broker does not open: {error}"));
        match error {
            OpenError::Storage(_) if !self.world.is_calm() => End::NotOpened,
            error => self.violated(&format!("the broker does not open: {error}")),
        }
    }

    async fn open(&self, watched: &Watched) -> Result<Ctx, OpenError> {
        let clock = Arc::new(SimClock::new(self.world.clone()));
        let entropy = Arc::new(SimEntropy(self.world.clone()));
        let config = CatalogConfig {
            broker: 0,
            session: None,
        };
        let catalog = Catalog::open(self.meta.clone(), entropy, config).await?;
        let manifest = SimManifest::new(self.meta.clone(), self.plan.mutations.manifest);
        let ports = LogPorts {
            clock: clock.clone(),
            disk: Arc::new(DiskPort(self.disk.clone())),
            objects: self.objects.clone(),
            second_tier: self.second_tier(),
            manifest: Arc::new(manifest),
            wal_runner: WalRunner::Task,
        };
        let log = Log::open(self.plan.log.clone(), ports).await?;
        *watched.lock() = Some(log.clone());
        let fixed = [
            ("offsets.topic.num.partitions", "2"),
            ("share.coordinator.state.topic.num.partitions", "2"),
            ("transaction.state.log.num.partitions", "2"),
        ];
        let config = BrokerConfig {
            broker_id: 0,
            fixed: fixed
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..BrokerConfig::default()
        };
        let broker = Broker::open(config, log.clone(), catalog, clock).await;
        let broker = broker.map_err(|error| OpenError::Storage(error.to_string()))?;
        Ok(Ctx {
            world: self.world.clone(),
            broker,
            log,
            model: self.model.clone(),
            plan: self.plan.clone(),
            disk: self.disk.clone(),
        })
    }
}

impl Run {
    /// What this life finds below its block cache.
    fn second_tier(&self) -> Option<Arc<dyn SecondTier>> {
        let tier = self.second_tier.as_ref()?;
        Some(Arc::new(tier.reopened()))
    }
}

impl LifePlan {
    /// A life that nothing ends but its own work.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            crash: CrashPlan::Never,
            kind: CrashKind::Kill,
            lasts: Duration::from_secs(3_600),
            ending: Ending::Close,
            skew_ms: 0,
            downtime: Duration::from_secs(1),
        }
    }
}
