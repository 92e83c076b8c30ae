//! The line of consumers that wait for records of a subscription: news wakes those whom it may be enough for, not all.
//!
//! Owns: who is next. Never: records, what a consumer does when it is woken, how much is expected of a line (`stock`).
//!
//! **Invariant**: while anybody waits, the first of the line watches the stream and is told of every change. Whoever has looked and
//! finds too little for itself tells the first of the line for whom it may be enough; whoever leaves the line, in whatever way, while
//! it is first or has been told, tells the next behind it: those before it have looked, and want more. So a piece of news is lost only
//! with the last of the line, nothing that somebody would take lies there while he waits, and an append costs one look, and one more
//! for each consumer that it may be enough for, however many wait for more.

use super::cell::Cell;
use super::stock::{Weight, Wish};
use millstream_log::{Offset, Stream, WakeSet};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tokio::sync::Notify;

/// The line at one subscription.
#[derive(Default)]
pub(super) struct Line(Mutex<VecDeque<Waiter>>);

struct Waiter {
    seat: Arc<Seat>,
    /// How much must lie there so that it wants to be told.
    expects: Weight,
}

/// A consumer's place in one line.
struct Seat {
    /// The consumer's one bell.
    bell: Arc<Notify>,
    /// It was told of news in this line, and has not looked since.
    is_told: AtomicBool,
}

impl Seat {
    fn tell(&self) {
        self.is_told.store(true, SeqCst);
        self.bell.notify_one();
    }
}

impl Line {
    /// There may be something to hand out.
    pub fn wake(&self) {
        if let Some(first) = self.0.lock().front() {
            first.seat.tell();
        }
    }

    fn join(&self, bell: &Arc<Notify>) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            bell: bell.clone(),
            is_told: AtomicBool::new(false),
        });
        self.0.lock().push_back(Waiter {
            seat: seat.clone(),
            expects: Weight::ANYTHING,
        });
        seat
    }

    fn is_first(&self, seat: &Arc<Seat>) -> bool {
        let line = self.0.lock();
        line.front().is_some_and(|first| Arc::ptr_eq(&first.seat, seat))
    }

    /// `news`: what it knows of news that it has not passed on.
    fn leave(&self, seat: &Arc<Seat>, news: News) {
        let mut line = self.0.lock();
        let Some(at) = line.iter().position(|one| Arc::ptr_eq(&one.seat, seat)) else {
            return;
        };
        line.remove(at);
        let leaves_news = at == 0 || news == News::Fresh || seat.is_told.load(SeqCst);
        match line.get(at) {
            Some(next) if leaves_news => next.seat.tell(),
            Some(_) => {}
            // A subscription that somebody waited for once should not keep the memory for ever.
            None if line.is_empty() => *line = VecDeque::new(),
            None => {}
        }
    }

    /// This one has looked, finds too little, and expects so much now.
    fn expect(&self, seat: &Arc<Seat>, expects: Weight) {
        let mut line = self.0.lock();
        if let Some(waiter) = line.iter_mut().find(|one| Arc::ptr_eq(&one.seat, seat)) {
            waiter.expects = expects;
        }
    }

    /// So much lies there, too little for this one: the first whom it may be enough for is told. Whether it is content with that only
    /// a look can tell; then it passes on what it leaves.
    fn pass_on(&self, seat: &Arc<Seat>, weight: Weight) {
        let line = self.0.lock();
        let mut others = line.iter().filter(|one| !Arc::ptr_eq(&one.seat, seat));
        if let Some(next) = others.find(|one| weight.reaches(one.expects)) {
            next.seat.tell();
        }
    }
}

/// What a consumer knows of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// Nothing that others should be told.
    None,
    /// Something is new there.
    Fresh,
}

/// A consumer's places in the lines; it leaves them all when this is dropped.
pub(super) struct InLine<'a> {
    bell: Arc<Notify>,
    places: Vec<Place<'a>>,
    wakes: WakeSet,
}

struct Place<'a> {
    /// Which of the consumer's subscriptions.
    at: usize,
    cell: &'a Arc<Cell>,
    stream: &'a Stream,
    seat: Arc<Seat>,
    is_first: bool,
    news: News,
    /// The stream as the last look found it, or an earlier one.
    seen: Extent,
}

/// What makes a look at a stream worth its while.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Extent {
    start: Offset,
    end: Offset,
    stable_end: Offset,
    is_deleted: bool,
}

impl Extent {
    fn of(stream: &Stream) -> Self {
        let bounds = stream.bounds();
        Self {
            start: bounds.start,
            end: bounds.end,
            stable_end: bounds.stable_end,
            is_deleted: stream.is_deleted(),
        }
    }
}

impl<'a> InLine<'a> {
    /// Goes to the end of each line; each is news.
    pub fn join(at: impl Iterator<Item = (usize, &'a Arc<Cell>, &'a Stream)>) -> Self {
        let bell = Arc::new(Notify::new());
        let place = |(at, cell, stream): (usize, &'a Arc<Cell>, &'a Stream)| Place {
            at,
            cell,
            stream,
            seat: cell.line.join(&bell),
            is_first: false,
            news: News::Fresh,
            seen: Extent::of(stream),
        };
        let places: Vec<Place<'a>> = at.map(place).collect();
        Self {
            bell,
            places,
            wakes: WakeSet::register([]),
        }
    }

    /// Watches the streams of all lines in which it is first. Answers in which lines there is news since the last time. To be called
    /// before each look, so that nothing is missed in between.
    pub fn watch(&mut self) -> Vec<usize> {
        let mut changed = false;
        for place in &mut self.places {
            let is_first = place.cell.line.is_first(&place.seat);
            if is_first && !place.is_first {
                // Nobody has watched since the one before it has gone.
                place.news = News::Fresh;
            }
            changed |= is_first != place.is_first;
            place.is_first = is_first;
        }
        if changed {
            let first = self.places.iter().filter(|place| place.is_first);
            self.wakes = WakeSet::register(first.map(|place| place.stream));
        }
        let mut fresh = Vec::new();
        for place in &mut self.places {
            let is_told = place.seat.is_told.swap(false, SeqCst);
            // Which of the streams has moved, a wake does not say. To compare is cheaper than to look.
            let has_moved = place.is_first && Extent::of(place.stream) != place.seen;
            if is_told || has_moved {
                place.news = News::Fresh;
            }
            if place.news == News::Fresh {
                place.seen = Extent::of(place.stream);
                fresh.push(place.at);
            }
        }
        fresh
    }

    /// Returns when it is worth while to look again.
    pub async fn woken(&mut self) {
        tokio::select! {
            biased;
            () = self.bell.notified() => {}
            () = self.wakes.woken() => {}
        }
    }

    /// It has looked where there was news and taken nothing: it says how much it expects now, and tells others of what lies there.
    pub fn looked(&mut self, wish: &mut Wish) {
        // One that would take anything has seen that there is nothing, for nobody; or somebody reads, and wakes the line afterwards.
        let renews = !wish.is_modest() && wish.renews();
        for place in &mut self.places {
            let is_fresh = std::mem::replace(&mut place.news, News::None) == News::Fresh;
            if wish.is_modest() || !is_fresh && !renews {
                continue;
            }
            let (line, expects) = (&place.cell.line, wish.expected_of(place.at));
            line.expect(&place.seat, expects);
            // Somebody may have weighed more since the look, and compared it with what was expected before.
            if !wish.is_outrun() && place.cell.is_known_to_hold(expects) {
                place.seat.tell();
            }
            if is_fresh {
                line.pass_on(&place.seat, wish.known_of(place.at));
            }
        }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        for place in &self.places {
            place.cell.line.leave(&place.seat, place.news);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn line_of(count: usize) -> (Line, Vec<Arc<Seat>>) {
        let line = Line::default();
        let seats = (0..count).map(|_| line.join(&Arc::new(Notify::new())));
        let seats = seats.collect();
        (line, seats)
    }

    /// Whether it was told; then it looks.
    fn looks(seat: &Seat) -> bool {
        seat.is_told.swap(false, SeqCst);
        seat.bell.notified().now_or_never().is_some()
    }

    #[test]
    fn news_wakes_the_first_and_whoever_leaves_wakes_the_next() {
        let (line, all) = line_of(3);
        line.wake();
        assert!(looks(&all[0]) && !looks(&all[1]) && !looks(&all[2]));
        line.leave(&all[1], News::None);
        assert!(
            !looks(&all[0]) && !looks(&all[2]),
            "nobody becomes first by that, and there is no news"
        );
        line.leave(&all[0], News::None);
        assert!(looks(&all[2]) && line.is_first(&all[2]));
        line.leave(&all[2], News::None);
        line.wake();
        assert!(!looks(&all[2]));
    }

    fn weight(bytes: usize) -> Weight {
        Weight {
            bytes,
            records: bytes as u64,
        }
    }

    #[test]
    fn what_is_too_little_for_one_is_told_to_the_first_for_whom_it_may_be_enough() {
        let (line, all) = line_of(4);
        for (seat, bytes) in all.iter().zip([100, 50, 20, 20]) {
            line.expect(seat, weight(bytes));
        }
        line.pass_on(&all[0], weight(19));
        assert!(!all.iter().any(|seat| looks(seat)));
        line.pass_on(&all[0], weight(20));
        assert!(looks(&all[2]) && !all.iter().any(|seat| looks(seat)));
        // It wants more than it seemed, and the one behind it is next.
        line.expect(&all[2], weight(40));
        line.pass_on(&all[2], weight(20));
        assert!(looks(&all[3]) && !all.iter().any(|seat| looks(seat)));
        let few = Weight {
            bytes: 0,
            records: 50,
        };
        line.pass_on(&all[0], few);
        assert!(looks(&all[1]), "as many records as it may have are enough, too");
    }

    #[test]
    fn who_was_told_and_leaves_before_or_after_its_look_tells_the_next_behind_it() {
        let (line, all) = line_of(4);
        line.pass_on(&all[0], Weight::ANYTHING);
        assert!(looks(&all[1]));
        line.leave(&all[1], News::Fresh);
        assert!(!looks(&all[0]), "it has looked, and wants more");
        // It was told, and its wait was over before it could look.
        line.leave(&all[2], News::None);
        assert!(looks(&all[3]));
    }
}
