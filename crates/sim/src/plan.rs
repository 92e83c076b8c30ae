//! What a seed stands for: the sizes of the log, which faults there are and how often, how many lives, who works.
//!
//! Owns: the drawing of a plan. Never: anything that happens in a run.
//!
//! Each kind of fault is left out of half of the runs (swarm testing): some faults hide what others would show, and a run with
//! every fault gets nowhere.

use crate::disk::{CrashKind, DiskFaults, DiskMutation};
use crate::meta::{ManifestMutation, MetaFaults};
use crate::objects::{ObjectFaults, ObjectMutation};
use crate::rng::Rng;
use crate::workload::Belief;
use crate::world::{CrashPlan, Pace};
use millstream_log::{FlushMode, LogConfig};
use std::time::Duration;

/// The rates that a fault may have, out of `RATE_UNIT` calls.
const RATES: &[u64] = &[5, 20, 100, 400];

/// Moments after which a crash is still likely to find the life alive.
const CRASH_MOMENTS: &[u64] = &[20, 100, 500, 2_000, 6_000];

/// Sites at which crashes are aimed, because the widest windows of the protocols lie there.
const CRASH_SITES: &[&str] = &[
    "disk.create",
    "disk.write",
    "disk.sync",
    "disk.rename",
    "disk.remove",
    "disk.read",
    "objects.put",
    "objects.delete",
    "meta.txn",
];

/// How a life ends if nothing crashes it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `Broker::close`, then the process exits.
    Close,
    /// The machine stops.
    Crash,
}

/// One life of the broker.
#[derive(Clone, Copy, Debug)]
pub struct LifePlan {
    /// Where it crashes.
    pub crash: CrashPlan,
    /// What a crash does to the disk.
    pub kind: CrashKind,
    /// How long it lasts otherwise.
    pub lasts: Duration,
    /// And how it ends then.
    pub ending: Ending,
    /// How far the wall clock is off during it.
    pub skew_ms: i64,
    /// How long the broker is down afterwards.
    pub downtime: Duration,
}

/// Who works.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    /// Producers without idempotence.
    pub producers: u32,
    /// Idempotent producers.
    pub idempotent: u32,
    /// Readers.
    pub readers: u32,
    /// Keepers of state streams.
    pub keepers: u32,
    /// Longest pause between two steps, in milliseconds.
    pub pause_ms_max: u64,
    /// Largest value of a record, in bytes.
    pub value_bytes_max: u64,
    /// One batch in so many is so large that the log keeps it where its request was read; 0: none.
    pub large_one_in: u64,
}

/// Parts of the system that are broken on purpose, to prove that the checker finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutations {
    /// A disk that lies.
    pub disk: Option<DiskMutation>,
    /// An object store that loses.
    pub objects: Option<ObjectMutation>,
    /// A manifest list that forgets.
    pub manifest: Option<ManifestMutation>,
    /// The log answers before it syncs, though it was asked for the opposite.
    pub ack_before_sync: bool,
    /// Consumers of queues that believe too early.
    pub belief: Belief,
}

/// Everything that a run does not leave to the world's chance.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The log's sizes.
    pub log: LogConfig,
    /// The lives before the calm ones.
    pub lives: Vec<LifePlan>,
    /// Who works.
    pub crew: Crew,
    /// Speed of the disk.
    pub disk_pace: Pace,
    /// Speed of the object store.
    pub object_pace: Pace,
    /// Speed of the metadata store.
    pub meta_pace: Pace,
    /// What files and objects may take together, if they share a volume of some size. The calm has room for everything.
    pub volume_bytes: Option<u64>,
    /// Faults of the disk.
    pub disk: DiskFaults,
    /// Faults of the object store.
    pub objects: ObjectFaults,
    /// Faults of the metadata store.
    pub meta: MetaFaults,
    /// Bytes of the tier below the block cache, if there is one. It outlives every crash, as a disk's would.
    pub second_tier_bytes: Option<u64>,
    /// What is broken on purpose.
    pub mutations: Mutations,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed).fork("plan");
        let lives = 2 + rng.below(5);
        let log = log_config(&mut rng);
        Self {
            seed,
            volume_bytes: volume_bytes(seed, log.wal_segment_bytes),
            log,
            lives: (0..lives).map(|_| life(&mut rng)).collect(),
            crew: crew(&mut rng),
            disk_pace: pace(&mut rng, 20),
            object_pace: pace(&mut rng, 200),
            meta_pace: pace(&mut rng, 50),
            disk: DiskFaults {
                write_error: rate(&mut rng),
                sync_error: rate(&mut rng),
                read_error: rate(&mut rng),
                entry_error: rate(&mut rng),
                full: rate(&mut rng),
            },
            objects: ObjectFaults {
                not_done: rate(&mut rng),
                unknown: rate(&mut rng),
                full: rate(&mut rng),
                flipped: rate(&mut rng),
                outage: if rng.one_in(3) { 20 } else { 0 },
            },
            meta: MetaFaults {
                not_done: rate(&mut rng),
                unknown: rate(&mut rng),
                read_error: rate(&mut rng),
                outage: if rng.one_in(3) { 50 } else { 0 },
            },
            second_tier_bytes: second_tier_bytes(seed),
            mutations: Mutations::default(),
        }
    }

    /// The same run with large batches amid the small ones, and room for them.
    #[must_use]
    pub fn with_large_batches(mut self) -> Self {
        self.crew.large_one_in = 6;
        self.log.wal_group_bytes_max = self.log.wal_group_bytes_max.max(256 << 10);
        self.log.wal_queue_bytes_max = self.log.wal_queue_bytes_max.max(512 << 10);
        self.log.wal_unuploaded_bytes_max = self.log.wal_unuploaded_bytes_max.max(2 << 20);
        self.volume_bytes = self.volume_bytes.map(|bytes| bytes.max(8 << 20));
        self
    }

    /// The same with something broken on purpose.
    #[must_use]
    pub fn mutated(mut self, mutations: Mutations) -> Self {
        self.mutations = mutations;
        // It would hide for a while what a store has lost.
        self.second_tier_bytes = None;
        self.volume_bytes = None;
        if mutations.ack_before_sync {
            self.log.flush = FlushMode::Async;
        }
        self
    }

    /// The same without any fault of a port: what is left are crashes.
    #[must_use]
    pub fn without_faults(mut self) -> Self {
        self.volume_bytes = None;
        self.disk = DiskFaults::default();
        self.objects = ObjectFaults::default();
        self.meta = MetaFaults::default();
        self
    }
}

/// A third of the runs fill a volume: a few segments and some objects are all that it holds.
fn volume_bytes(seed: u64, segment_bytes: u64) -> Option<u64> {
    let mut rng = Rng::new(seed).fork("volume");
    let bytes = rng.range(3 * segment_bytes..8 * segment_bytes);
    rng.one_in(3).then_some(bytes)
}

/// Half of the runs have a tier; it holds little, so that it forgets.
fn second_tier_bytes(seed: u64) -> Option<u64> {
    let mut rng = Rng::new(seed).fork("second tier");
    rng.one_in(2)
        .then(|| *rng.pick(&[8_u64 << 10, 64 << 10, 1 << 20]))
}

/// Small sizes, so that every mechanism turns over many times in a run.
fn log_config(rng: &mut Rng) -> LogConfig {
    let kib = |rng: &mut Rng, sizes: &[u64]| *rng.pick(sizes) << 10;
    let size = |bytes: u64| usize::try_from(bytes).expect("sizes of the simulation are small");
    LogConfig {
        flush: FlushMode::Sync,
        wal_segment_bytes: kib(rng, &[16, 32, 64, 256]),
        wal_group_bytes_max: size(kib(rng, &[2, 4, 8])),
        wal_queue_bytes_max: size(kib(rng, &[8, 32, 128])),
        wal_queue_batches_max: rng.index(30) + 2,
        wal_unuploaded_bytes_max: kib(rng, &[64, 128, 1024]),
        tail_cache_bytes: size(kib(rng, &[4, 16, 128])),
        block_cache_bytes: size(kib(rng, &[4, 16, 128])),
        upload_bytes: kib(rng, &[4, 16, 64]),
        upload_age: Duration::from_millis(rng.range(50..5_000)),
        object_own_bytes: kib(rng, &[1, 4, 16]),
        object_target_bytes: kib(rng, &[8, 32, 128]),
        block_target_bytes: size(kib(rng, &[1, 2, 8])),
        housekeeping_interval: Duration::from_millis(rng.range(100..3_000)),
        producer_expiry: Duration::from_secs(86_400),
    }
}

fn life(rng: &mut Rng) -> LifePlan {
    let within = *rng.pick(CRASH_MOMENTS);
    let crash = match rng.below(8) {
        0..=1 => CrashPlan::Never,
        2..=4 => CrashPlan::AtMoment(1 + rng.below(within)),
        _ => {
            let site: &'static str = rng.pick::<&'static str>(CRASH_SITES);
            CrashPlan::AtVisit(site, 1 + rng.below(1 + within / 8))
        }
    };
    let kinds = [CrashKind::PowerLoss, CrashKind::PowerLoss, CrashKind::Kill];
    LifePlan {
        crash,
        kind: *rng.pick(&kinds),
        lasts: Duration::from_millis(rng.range(200..12_000)),
        ending: if rng.one_in(3) {
            Ending::Close
        } else {
            Ending::Crash
        },
        skew_ms: if rng.one_in(6) {
            i64::try_from(rng.below(4_000)).expect("small") - 2_000
        } else {
            0
        },
        downtime: Duration::from_millis(rng.below(5_000)),
    }
}

fn crew(rng: &mut Rng) -> Crew {
    Crew {
        producers: u32::try_from(1 + rng.below(2)).expect("small"),
        idempotent: u32::try_from(1 + rng.below(3)).expect("small"),
        readers: u32::try_from(1 + rng.below(3)).expect("small"),
        keepers: 1,
        pause_ms_max: *rng.pick(&[2, 20, 100]),
        value_bytes_max: *rng.pick(&[20, 200, 1_500]),
        large_one_in: 0,
    }
}

fn pace(rng: &mut Rng, slow_ms_max: u64) -> Pace {
    Pace {
        turns_max: rng.below(4),
        slow_rate: *rng.pick(&[0, 500, 5_000, 10_000]),
        slow_ms_max: 1 + rng.below(slow_ms_max),
        stall_rate: *rng.pick(&[0, 0, 10]),
        stall_ms_max: 3_000,
    }
}

fn rate(rng: &mut Rng) -> u64 {
    if rng.one_in(2) { 0 } else { *rng.pick(RATES) }
}
