//! The simulated world: time, chance, the trace, and the moment at which the broker's machine stops.
//!
//! Owns: whether the present life of the broker is over, and the first violation that anybody found.
//! Never: what is on the media (`disk`, `objects`, `meta`), nor what is right (`model`).
//!
//! **Invariant**: after the crash of a life, no port call of that life has any further effect: each one stays pending for ever,
//! and the whole runtime of the life is dropped.
//!
//! Every call of a port passes two *moments*, one before its effect and one after it; a crash can happen at either, so "at every
//! await of append, upload, compaction and recovery" is a number from 1 to the count of moments.

use crate::clock::WALL_START_MS;
use crate::rng::Rng;
use crate::trace::{Lines, Trace};
use crate::volume::Volume;
use millstream_log::TimestampMs;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Where in the code under test a moment lies: the port and its function.
pub type Site = &'static str;

/// When a life ends without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPlan {
    /// It does not.
    Never,
    /// At this moment, counted over all ports from 1.
    AtMoment(u64),
    /// At this moment of one site, counted from 1.
    AtVisit(Site, u64),
}

/// How long the calls of one port take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Up to so many turns of the scheduler: the finest way to let others run first.
    pub turns_max: u64,
    /// Rate of calls that take milliseconds.
    pub slow_rate: u64,
    /// ... at most this many.
    pub slow_ms_max: u64,
    /// Rate of calls that hang for seconds.
    pub stall_rate: u64,
    /// ... at most this many milliseconds.
    pub stall_ms_max: u64,
}

/// A time in which a store answers nothing. Single lost answers are settled by a retry; only an outage outlasts them.
#[derive(Debug, Default)]
pub struct Outage {
    until: Mutex<Duration>,
}

impl Outage {
    /// The longest: retries with back-off have given up by then.
    const LASTS_MS_MAX: u64 = 6_000;

    /// Whether it lasts, or begins with this call.
    pub fn strikes(&self, world: &World, rate: u64) -> bool {
        if world.is_calm() {
            return false;
        }
        let now = world.now();
        let mut until = self.until.lock();
        if *until <= now && world.fault(rate) {
            *until = now + Duration::from_millis(world.draw(|rng| rng.below(Self::LASTS_MS_MAX)));
        }
        *until > now
    }
}

struct State {
    rng: Rng,
    trace: Trace,
    /// Time at which the present life began.
    base: Duration,
    /// The same in the runtime's time; `None` between lives.
    origin: Option<Instant>,
    wall_skew_ms: i64,
    life: u32,
    crash: CrashPlan,
    crashed: bool,
    calm: bool,
    moments: u64,
    visits: BTreeMap<Site, u64>,
    violation: Option<String>,
}

/// See the module.
pub struct World {
    state: Mutex<State>,
    /// Somebody has to look: an event, a crash, a violation.
    stirred: Notify,
    volume: Volume,
}

impl World {
    /// A world in which nothing has happened.
    #[must_use]
    pub fn new(seed: u64, lines: Lines) -> Arc<Self> {
        let state = State {
            rng: Rng::new(seed).fork("world"),
            trace: Trace::new(lines),
            base: Duration::ZERO,
            origin: None,
            wall_skew_ms: 0,
            life: 0,
            crash: CrashPlan::Never,
            crashed: false,
            calm: false,
            moments: 0,
            visits: BTreeMap::new(),
            violation: None,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            stirred: Notify::new(),
            volume: Volume::default(),
        })
    }

    /// A new life begins. Called inside its runtime, whose time is paused.
    pub fn begin_life(&self, crash: CrashPlan) {
        let mut state = self.state.lock();
        state.origin = Some(Instant::now());
        state.life += 1;
        state.crash = crash;
        state.crashed = false;
        state.moments = 0;
        state.visits.clear();
        let what = format!("-- a life begins, crash {crash:?}");
        state.event(&what);
    }

    /// The life is over, however it ended; the next begins after `downtime`. Called inside its runtime.
    pub fn end_life(&self, downtime: Duration) {
        let mut state = self.state.lock();
        state.event("-- the life is over");
        // Whatever of the life still runs has no effect any more.
        state.crashed = true;
        state.base = state.now() + downtime;
        state.origin = None;
    }

    /// The wall clock is off by so much from now on.
    pub fn skew_wall(&self, skew_ms: i64) {
        self.state.lock().wall_skew_ms = skew_ms;
    }

    /// No faults and no delays any more: the rest of the run proves that everything comes back.
    pub fn calm(&self) {
        let mut state = self.state.lock();
        state.calm = true;
        state.event("-- all faults end");
        self.volume.set_bytes_max(None);
    }

    /// What the disk and the object store share.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Whether faults have ended.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.state.lock().calm
    }

    /// Time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.state.lock().now()
    }

    /// What the machine's wall clock shows.
    #[must_use]
    pub fn wall_ms(&self) -> TimestampMs {
        let state = self.state.lock();
        let passed = i64::try_from(state.now().as_millis()).expect("a run takes less than 2^63 ms");
        WALL_START_MS + passed + state.wall_skew_ms
    }

    /// Writes a line into the trace.
    pub fn event(&self, what: &str) {
        self.state.lock().event(what);
    }

    /// Draws from the world's chance.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.state.lock().rng)
    }

    /// Whether a fault of this rate happens now. Never while it is calm.
    pub fn fault(&self, rate: u64) -> bool {
        let mut state = self.state.lock();
        !state.calm && rate > 0 && state.rng.at_rate(rate)
    }

    /// One moment of a port call: written down, perhaps the last of this life (then it does not return), perhaps slow.
    pub async fn moment(&self, site: Site, pace: Pace, what: &str) {
        let stopped = self.state.lock().pass(site, what);
        self.stirred.notify_one();
        if stopped {
            std::future::pending::<()>().await;
        }
        self.take_time(pace).await;
        if self.state.lock().crashed {
            std::future::pending::<()>().await;
        }
    }

    async fn take_time(&self, pace: Pace) {
        let (turns, ms) = {
            let mut state = self.state.lock();
            let calm = state.calm;
            state.rng.pace(pace, calm)
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// Waits until something happened since the last call.
    pub async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Whether the present life was ended by its crash plan.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.state.lock().crashed
    }

    /// Ends the present life now, as its crash plan would.
    pub fn crash_now(&self) {
        self.state.lock().crashed = true;
        self.stirred.notify_one();
    }

    /// Moments of the present life so far.
    #[must_use]
    pub fn moments(&self) -> u64 {
        self.state.lock().moments
    }

    /// A promise was broken. The first one counts.
    pub fn violate(&self, what: String) {
        let mut state = self.state.lock();
        state.event(&format!("!! {what}"));
        state.violation.get_or_insert(what);
        drop(state);
        self.stirred.notify_one();
    }

    /// The first violation.
    #[must_use]
    pub fn violation(&self) -> Option<String> {
        self.state.lock().violation.clone()
    }

    /// The trace so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.state.lock().trace.clone()
    }
}

impl State {
    fn now(&self) -> Duration {
        // Outside of a life, time stands still.
        let lived = self.origin.map_or(Duration::ZERO, |origin| origin.elapsed());
        self.base + lived
    }

    fn event(&mut self, what: &str) {
        let (now, life) = (self.now(), self.life);
        self.trace.push(now, life, what);
    }

    /// Counts a moment. Whether the life is over.
    fn pass(&mut self, site: Site, what: &str) -> bool {
        if self.crashed {
            return true;
        }
        self.moments += 1;
        let visits = self.visits.entry(site).or_default();
        *visits += 1;
        self.crashed = match self.crash {
            CrashPlan::Never => false,
            CrashPlan::AtMoment(moment) => self.moments == moment,
            CrashPlan::AtVisit(wanted, visit) => wanted == site && *visits == visit,
        };
        let text = format!("{site} {what}");
        self.event(&text);
        if self.crashed {
            let text = format!("** crash at moment {} in {site}", self.moments);
            self.event(&text);
        }
        self.crashed
    }
}

impl Rng {
    /// Turns of the scheduler and milliseconds that a call takes.
    fn pace(&mut self, pace: Pace, calm: bool) -> (u64, u64) {
        // Drawn also when it is calm, so that calm changes only durations.
        let turns = self.below(pace.turns_max + 1);
        let slow = self.at_rate(pace.slow_rate);
        let stall = self.at_rate(pace.stall_rate);
        let share = self.below(1000);
        let ms = match (slow, stall) {
            _ if calm => 0,
            (_, true) => 1 + pace.stall_ms_max * share / 1000,
            (true, false) => 1 + pace.slow_ms_max * share / 1000,
            (false, false) => 0,
        };
        (turns, ms)
    }
}
