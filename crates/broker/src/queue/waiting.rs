//! The line of consumers that wait for records of a subscription: news wakes one of them, not all.
//!
//! Owns: who is next. Never: records, nor what a consumer does when it is woken.
//!
//! **Invariant**: while anybody waits, the first of the line watches the stream and is told of every change; whoever leaves the line,
//! in whatever way, tells the one that is first then, which looks for what is left. So nothing that may be handed out lies there
//! while somebody waits for it, and an append wakes as many consumers as there is work for, and one more.

use super::cell::Cell;
use millstream_log::{Stream, WakeSet};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;

/// The line at one subscription.
#[derive(Default)]
pub(super) struct Line(Mutex<VecDeque<Arc<Waiter>>>);

/// One consumer that waits, in as many lines as it reads from subscriptions.
pub(super) struct Waiter {
    bell: Notify,
    /// It takes nothing before there are so many bytes.
    bytes_min: usize,
}

impl Line {
    /// There may be something to hand out.
    pub fn wake(&self) {
        if let Some(first) = self.0.lock().front() {
            first.bell.notify_one();
        }
    }

    fn join(&self, waiter: &Arc<Waiter>) {
        self.0.lock().push_back(waiter.clone());
    }

    fn is_first(&self, waiter: &Arc<Waiter>) -> bool {
        let line = self.0.lock();
        line.front().is_some_and(|first| Arc::ptr_eq(first, waiter))
    }

    fn leave(&self, waiter: &Arc<Waiter>) {
        let mut line = self.0.lock();
        let is_first = line.front().is_some_and(|first| Arc::ptr_eq(first, waiter));
        line.retain(|one| !Arc::ptr_eq(one, waiter));
        match line.front() {
            Some(first) if is_first => first.bell.notify_one(),
            Some(_) => {}
            // A subscription that somebody waited for once should not keep the memory for ever.
            None => *line = VecDeque::new(),
        }
    }

    /// There is something, but too little for this one: the next behind it that is content with less is told.
    fn pass_on(&self, waiter: &Arc<Waiter>) {
        let line = self.0.lock();
        let mut behind = line.iter().skip_while(|one| !Arc::ptr_eq(one, waiter));
        if let Some(next) = behind.find(|one| one.bytes_min < waiter.bytes_min) {
            next.bell.notify_one();
        }
    }
}

/// A consumer's places in the lines; it leaves them all when this is dropped.
pub(super) struct InLine<'a> {
    waiter: Arc<Waiter>,
    places: Vec<Place<'a>>,
    wakes: WakeSet,
}

struct Place<'a> {
    cell: &'a Arc<Cell>,
    stream: &'a Stream,
    is_first: bool,
}

impl<'a> InLine<'a> {
    /// Goes to the end of each line.
    pub fn join(at: impl Iterator<Item = (&'a Arc<Cell>, &'a Stream)>, bytes_min: usize) -> Self {
        let waiter = Arc::new(Waiter {
            bell: Notify::new(),
            bytes_min,
        });
        let place = |(cell, stream): (&'a Arc<Cell>, &'a Stream)| Place {
            cell,
            stream,
            is_first: false,
        };
        let places: Vec<Place<'a>> = at.map(place).collect();
        for place in &places {
            place.cell.line.join(&waiter);
        }
        Self {
            waiter,
            places,
            wakes: WakeSet::register([]),
        }
    }

    /// Watches the streams of all lines in which it is first. To be called before each look, so that nothing is missed in between.
    pub fn watch(&mut self) {
        let mut changed = false;
        for place in &mut self.places {
            let is_first = place.cell.line.is_first(&self.waiter);
            changed |= is_first != place.is_first;
            place.is_first = is_first;
        }
        if changed {
            let first = self.places.iter().filter(|place| place.is_first);
            self.wakes = WakeSet::register(first.map(|place| place.stream));
        }
    }

    /// Returns when it is worth while to look again.
    pub async fn woken(&mut self) {
        tokio::select! {
            biased;
            () = self.waiter.bell.notified() => {}
            () = self.wakes.woken() => {}
        }
    }

    /// It has seen less than it wants; others may want it.
    pub fn pass_on(&self) {
        for place in &self.places {
            place.cell.line.pass_on(&self.waiter);
        }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        for place in &self.places {
            place.cell.line.leave(&self.waiter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn waiter(line: &Line, bytes_min: usize) -> Arc<Waiter> {
        let bell = Notify::new();
        let waiter = Arc::new(Waiter { bell, bytes_min });
        line.join(&waiter);
        waiter
    }

    fn rung(waiter: &Waiter) -> bool {
        waiter.bell.notified().now_or_never().is_some()
    }

    #[test]
    fn news_wakes_the_first_and_whoever_leaves_wakes_the_next() {
        let line = Line::default();
        let all: Vec<_> = (0..3).map(|_| waiter(&line, 1)).collect();
        line.wake();
        assert!(rung(&all[0]) && !rung(&all[1]) && !rung(&all[2]));
        line.leave(&all[1]);
        assert!(!rung(&all[0]) && !rung(&all[2]), "nobody becomes first by that");
        line.leave(&all[0]);
        assert!(rung(&all[2]) && line.is_first(&all[2]));
        line.leave(&all[2]);
        line.wake();
        assert!(!rung(&all[2]));
    }

    #[test]
    fn what_is_too_little_for_one_is_told_to_the_next_that_wants_less() {
        let line = Line::default();
        let all: Vec<_> = [100, 100, 10, 1].map(|bytes_min| waiter(&line, bytes_min)).into();
        line.pass_on(&all[0]);
        assert!(rung(&all[2]) && !rung(&all[1]) && !rung(&all[3]));
        line.pass_on(&all[2]);
        assert!(rung(&all[3]));
        line.pass_on(&all[3]);
        assert!(!all.iter().any(|waiter| rung(waiter)));
    }
}
