//! The durable half of a subscription: where it begins, and what became of records above that.
//!
//! Owns: the fold. Never: locks, time, IO. A record without a mark is as fresh as the log holds it.
//!
//! **Invariant** (trap T12): a ledger changes only by [`Ledger::apply`], live and at replay; and its start stands behind no record
//! that is done: what is done without a gap is forgotten at once, so that a ledger is as long as its unfinished business.

use super::runs::{Range, Runs};

/// Why a record is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A consumer said that nobody can process it.
    Rejected,
    /// It was delivered as often as is allowed, and came back each time.
    Undelivered,
}

/// What is known of a record that is not fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nobody will see it again.
    Done,
    /// Delivered so many times, and back.
    Returned(u16),
    /// Given up after so many deliveries. Done once the dead-letter target has it.
    Condemned {
        /// How often it was delivered.
        deliveries: u16,
        /// Why.
        cause: Cause,
    },
}

/// One step of a ledger. Parts take effect in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Forget everything and begin here.
    pub restart: Option<u64>,
    /// What became of records.
    pub marks: Runs<Mark>,
    /// Begin here, if that is further: what lies below is gone from the log.
    pub trim: Option<u64>,
}

impl Change {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.restart.is_none() && self.trim.is_none() && self.marks.is_empty()
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    version: u64,
    start: u64,
    marks: Runs<Mark>,
    condemned: u64,
}

impl Ledger {
    /// A new one, which begins at `start`.
    #[must_use]
    pub fn new(start: u64) -> Self {
        Self {
            version: 0,
            start,
            marks: Runs::default(),
            condemned: 0,
        }
    }

    /// As a snapshot holds it.
    pub(super) fn restore(version: u64, start: u64, marks: Runs<Mark>) -> Self {
        let mut ledger = Self {
            version,
            start,
            marks,
            condemned: 0,
        };
        ledger.count_condemned();
        ledger
    }

    /// Counts the changes that made it.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The first offset that is not done.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// What is known of records at and above the start.
    #[must_use]
    pub fn marks(&self) -> &Runs<Mark> {
        &self.marks
    }

    /// Records that are given up and wait for the dead-letter target.
    #[must_use]
    pub fn condemned(&self) -> u64 {
        self.condemned
    }

    /// The fold.
    pub fn apply(&mut self, change: &Change) {
        self.version += 1;
        if let Some(start) = change.restart {
            self.start = start;
            self.marks = Runs::default();
        }
        let had_condemned = self.condemned > 0;
        let mut condemns = false;
        for (range, mark) in change.marks.iter() {
            condemns |= matches!(mark, Mark::Condemned { .. });
            let range: Range = self.start.max(*range.start())..=*range.end();
            self.marks.set(range, mark);
        }
        if let Some(start) = change.trim.filter(|start| *start > self.start) {
            self.start = start;
            self.marks.clear_below(start);
        }
        while let Some((range, Mark::Done)) = self.marks.first()
            && *range.start() <= self.start
        {
            self.start = *range.end() + 1;
            self.marks.clear_below(self.start);
        }
        if had_condemned || condemns {
            self.count_condemned();
        }
    }

    fn count_condemned(&mut self) {
        let is_condemned = |(range, mark): (Range, Mark)| match mark {
            Mark::Condemned { .. } => range.end() - range.start() + 1,
            _ => 0,
        };
        self.condemned = self.marks.iter().map(is_condemned).sum();
    }
}
