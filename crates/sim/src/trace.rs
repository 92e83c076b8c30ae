//! What happened, in order: a hash over all of it, and the newest lines for whoever has to understand a failure.
//!
//! Owns: the text of events. Never decides anything. **Invariant**: two runs of one seed have the same hash, or the code under
//! test depends on something outside of the simulated world.

use std::collections::VecDeque;
use std::time::Duration;

/// Lines kept by default: the last few hundred show how a run came to its end.
pub const TAIL_LINES: usize = 400;

/// What becomes of the lines of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The newest are kept, for the report of a failure.
    Tail(usize),
    /// Each goes to standard output at once: also a run that never ends shows where it is.
    Print,
}

/// The events of one run.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
    tail: VecDeque<String>,
    lines: Lines,
}

impl Trace {
    /// Nothing yet.
    #[must_use]
    pub fn new(lines: Lines) -> Self {
        Self {
            // The offset basis of 64-bit FNV-1a.
            hash: 0xcbf2_9ce4_8422_2325,
            events: 0,
            tail: VecDeque::new(),
            lines,
        }
    }

    /// Adds an event.
    pub fn push(&mut self, now: Duration, life: u32, what: &str) {
        self.events += 1;
        let line = format!(
            "{:>10}.{:03} life {life}  {what}",
            now.as_secs(),
            now.subsec_millis()
        );
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        match self.lines {
            Lines::Print => println!("{line}"),
            Lines::Tail(lines) => {
                if self.tail.len() == lines {
                    self.tail.pop_front();
                }
                self.tail.push_back(line);
            }
        }
    }

    /// A hash over every event so far.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The newest lines, oldest first.
    #[must_use]
    pub fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }
}
