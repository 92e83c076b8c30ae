//! The clock of the simulated world: tokio's paused time, carried on from one life of the broker to the next.

use crate::world::World;
use millstream_log::{Clock, TimestampMs};
use std::sync::Arc;
use std::time::Duration;

/// Wall time at which every world begins: 2026-01-01.
pub const WALL_START_MS: TimestampMs = 1_767_225_600_000;

/// Wall time may be wrong by an amount that changes while the broker is down; monotonic time never is.
#[derive(Clone)]
pub struct SimClock {
    world: Arc<World>,
}

impl SimClock {
    /// The clock of `world`.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }
}

impl Clock for SimClock {
    fn wall_ms(&self) -> TimestampMs {
        self.world.wall_ms()
    }

    fn monotonic(&self) -> Duration {
        self.world.now()
    }
}
