//! The clock of all subscriptions: one timing wheel, one task.
//!
//! Owns: the wheel, and the wait for its next tick. Never: what a tick means (`Subscription::expire`).
//!
//! **Invariant**: an entry keeps no subscription alive, and one that has gone costs one look.

use super::cell::Cell;
use super::policy::PolicySource;
use super::wheel::{Tick, Wheel};
use crate::Clock;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use tokio::sync::{Notify, watch};

pub(super) struct Timers {
    clock: Arc<dyn Clock>,
    wheel: Mutex<Wheel<Weak<Cell>>>,
    /// An entry was made that is due before all others.
    sooner: Notify,
}

impl Timers {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let now = Tick::at(clock.monotonic());
        Self {
            clock,
            wheel: Mutex::new(Wheel::new(now)),
            sooner: Notify::new(),
        }
    }

    /// Calls `cell` at these ticks.
    pub fn arm(&self, cell: &Arc<Cell>, ticks: impl Iterator<Item = Tick>) {
        let mut ticks = ticks.peekable();
        if ticks.peek().is_none() {
            return;
        }
        let mut wheel = self.wheel.lock();
        let before = wheel.next();
        for tick in ticks {
            wheel.insert(tick, Arc::downgrade(cell));
        }
        let is_sooner = match (before, wheel.next()) {
            (Some(before), Some(now)) => now < before,
            (before, _) => before.is_none(),
        };
        drop(wheel);
        if is_sooner {
            self.sooner.notify_one();
        }
    }

    /// Until `closing` turns true.
    pub async fn run(&self, policies: Arc<dyn PolicySource>, mut closing: watch::Receiver<bool>) {
        let mut due = Vec::new();
        loop {
            let next = self.wheel.lock().next();
            let wait = next.map(|next| next.begins().saturating_sub(self.clock.monotonic()));
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                () = self.sooner.notified() => {}
                () = sleep => {}
            }
            self.wheel
                .lock()
                .advance(Tick::at(self.clock.monotonic()), &mut due);
            for (tick, cell) in due.drain(..) {
                if let Some(cell) = cell.upgrade() {
                    let policy = policies.policy(&cell.id);
                    cell.expire(tick, &policy);
                }
            }
        }
    }
}
