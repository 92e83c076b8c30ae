//! The line of consumers that wait for records of a subscription: news wakes one of them, not all.
//!
//! Owns: who is next. Never: records, nor what a consumer does when it is woken.
//!
//! **Invariant**: while anybody waits, the first of the line watches the stream and is told of every change. Whoever is told and finds
//! too little for itself tells the next behind it; whoever leaves the line, in whatever way, while it is first or has been told, does
//! so too. So a piece of news is lost only with the last of the line, nothing that somebody would take lies there while he waits, and an
//! append wakes as many consumers as there is work for, those before them that want more, and one more.

use super::cell::Cell;
use millstream_log::{Stream, WakeSet};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tokio::sync::Notify;

/// The line at one subscription.
#[derive(Default)]
pub(super) struct Line(Mutex<VecDeque<Arc<Seat>>>);

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
            first.tell();
        }
    }

    fn join(&self, bell: &Arc<Notify>) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            bell: bell.clone(),
            is_told: AtomicBool::new(false),
        });
        self.0.lock().push_back(seat.clone());
        seat
    }

    fn is_first(&self, seat: &Arc<Seat>) -> bool {
        let line = self.0.lock();
        line.front().is_some_and(|first| Arc::ptr_eq(first, seat))
    }

    /// `news`: what it knows of news that it has not passed on.
    fn leave(&self, seat: &Arc<Seat>, news: News) {
        let mut line = self.0.lock();
        let Some(at) = line.iter().position(|one| Arc::ptr_eq(one, seat)) else {
            return;
        };
        line.remove(at);
        let leaves_news = at == 0 || news == News::Fresh || seat.is_told.load(SeqCst);
        match line.get(at) {
            Some(next) if leaves_news => next.tell(),
            Some(_) => {}
            // A subscription that somebody waited for once should not keep the memory for ever.
            None if line.is_empty() => *line = VecDeque::new(),
            None => {}
        }
    }

    /// There is something, but too little for this one: the next behind it is told. Whether it is content with that only a look can
    /// tell: it may take fewer records, or find more in its other lines.
    fn pass_on(&self, seat: &Arc<Seat>) {
        let line = self.0.lock();
        let mut behind = line.iter().skip_while(|one| !Arc::ptr_eq(one, seat));
        behind.next();
        if let Some(next) = behind.next() {
            next.tell();
        }
    }
}

/// What a consumer knows of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// Nothing that those behind it should be told.
    None,
    /// Something is new there. Only such is passed on, once: two that stand before one another in two lines would wake each other for
    /// ever.
    Fresh,
}

/// A consumer's places in the lines; it leaves them all when this is dropped.
pub(super) struct InLine<'a> {
    bell: Arc<Notify>,
    places: Vec<Place<'a>>,
    wakes: WakeSet,
}

struct Place<'a> {
    cell: &'a Arc<Cell>,
    stream: &'a Stream,
    seat: Arc<Seat>,
    is_first: bool,
    news: News,
}

impl<'a> InLine<'a> {
    /// Goes to the end of each line.
    pub fn join(at: impl Iterator<Item = (&'a Arc<Cell>, &'a Stream)>) -> Self {
        let bell = Arc::new(Notify::new());
        let place = |(cell, stream): (&'a Arc<Cell>, &'a Stream)| Place {
            cell,
            stream,
            seat: cell.line.join(&bell),
            is_first: false,
            news: News::None,
        };
        let places: Vec<Place<'a>> = at.map(place).collect();
        Self {
            bell,
            places,
            wakes: WakeSet::register([]),
        }
    }

    /// Watches the streams of all lines in which it is first. To be called before each look, so that nothing is missed in between.
    pub fn watch(&mut self) {
        let mut changed = false;
        for place in &mut self.places {
            let is_first = place.cell.line.is_first(&place.seat);
            changed |= is_first != place.is_first;
            place.is_first = is_first;
            if place.seat.is_told.swap(false, SeqCst) {
                place.news = News::Fresh;
            }
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
            () = self.bell.notified() => {}
            () = self.wakes.woken() => {
                // Which of the streams it was, nobody says.
                for place in self.places.iter_mut().filter(|place| place.is_first) {
                    place.news = News::Fresh;
                }
            }
        }
    }

    /// It has seen less than it wants; others may want it.
    pub fn pass_on(&mut self) {
        for place in &mut self.places {
            if std::mem::replace(&mut place.news, News::None) == News::Fresh {
                place.cell.line.pass_on(&place.seat);
            }
        }
    }

    /// It has seen nothing: there is no news for anybody.
    pub fn forget(&mut self) {
        for place in &mut self.places {
            place.news = News::None;
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

    #[test]
    fn what_is_too_little_for_one_is_told_to_the_next_behind_it_only() {
        let (line, all) = line_of(3);
        line.pass_on(&all[0]);
        assert!(looks(&all[1]) && !looks(&all[0]) && !looks(&all[2]));
        line.pass_on(&all[1]);
        assert!(looks(&all[2]) && !looks(&all[0]));
        line.pass_on(&all[2]);
        assert!(!all.iter().any(|seat| looks(seat)));
    }

    #[test]
    fn who_was_told_and_leaves_before_or_after_its_look_tells_the_next_behind_it() {
        let (line, all) = line_of(4);
        line.pass_on(&all[0]);
        assert!(looks(&all[1]));
        line.leave(&all[1], News::Fresh);
        assert!(!looks(&all[0]));
        // It was told, and its wait was over before it could look.
        line.leave(&all[2], News::None);
        assert!(looks(&all[3]));
    }
}
