//! The disk beside a broker: how long small flushes of somebody else take on the same file system at the same time.
//!
//! Disks of virtual machines stall by themselves. A row of latencies therefore says what the disk did meanwhile, and a workload
//! whose tail would tell of a stall begins on a calm disk. The same for every broker.
//!
//! Invariant: a flush that is late moves no other one; those that were due meanwhile are left out, not made up for.

use super::disk::{ALIGNMENT, Buffer, buffer, direct};
use super::life::Numbers;
use super::metric::{FLUSH_P50, FLUSH_P99, FLUSH_P999};
use crate::process::now;
use anyhow::Context;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between the moments at which flushes are due.
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);

/// What a flush writes: the least that a disk takes.
const FLUSH_BYTES: usize = ALIGNMENT;

/// The file, written before the first flush, so that no flush has to allocate.
const FILE_FLUSHES: u64 = 256;

/// A disk is judged by the flushes of this time.
const CALM_WINDOW: Duration = Duration::from_secs(2);

/// The 99th percentile of a calm disk's flushes.
const CALM_P99_MAX: Duration = Duration::from_millis(4);

/// The longest flush of a calm disk.
const CALM_LONGEST_MAX: Duration = Duration::from_millis(20);

/// How long a workload waits for a calm disk.
pub const CALM_LIMIT: Duration = Duration::from_secs(60);

/// The same in a run that only looks whether everything runs.
pub const CALM_LIMIT_QUICK: Duration = Duration::from_secs(4);

/// How long each flush of a time took; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flushes {
    sorted: Vec<Duration>,
}

impl Flushes {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        Self { sorted: took }
    }

    /// The flush that so many of a thousand do not exceed (nearest rank).
    fn permille(&self, permille: usize) -> Duration {
        let rank = (self.sorted.len() * permille).div_ceil(1000).max(1);
        self.sorted[rank - 1]
    }

    fn longest(&self) -> Duration {
        self.permille(1000)
    }

    /// Whether a disk that flushes like this would not be seen in a broker's latencies.
    fn are_calm(&self) -> bool {
        self.permille(990) <= CALM_P99_MAX && self.longest() <= CALM_LONGEST_MAX
    }

    /// The flush that 99 of 100 do not exceed, in milliseconds.
    pub fn p99_milliseconds(&self) -> f64 {
        self.milliseconds(990)
    }

    fn milliseconds(&self, permille: usize) -> f64 {
        self.permille(permille).as_secs_f64() * 1e3
    }

    /// The rows of a workload beside which they were made.
    pub fn numbers(&self) -> Numbers {
        vec![
            (&FLUSH_P50, self.milliseconds(500)),
            (&FLUSH_P99, self.p99_milliseconds()),
            (&FLUSH_P999, self.milliseconds(999)),
        ]
    }
}

/// A file of its own beside the broker's data, and the page that is written to it.
pub struct Probe {
    path: PathBuf,
    file: File,
    page: Buffer,
    flushed: u64,
}

impl Probe {
    /// Writes the file in `folder`, which is to be on the file system of the broker's data.
    pub fn begin(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("disk-probe");
        let file = direct()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .with_context(|| format!("cannot write {} past the page cache", path.display()))?;
        let page = buffer(FLUSH_BYTES)?;
        for at in 0..FILE_FLUSHES {
            file.write_all_at(&page, at * FLUSH_BYTES as u64)?;
        }
        file.sync_all()?;
        Ok(Self {
            path,
            file,
            page,
            flushed: 0,
        })
    }

    /// Flushes whenever that is due, and at least once, until `ends` says so.
    fn flush_until(&mut self, ends: impl Fn() -> bool) -> anyhow::Result<Flushes> {
        let mut took = Vec::new();
        let mut due = now();
        while took.is_empty() || !ends() {
            let began = now();
            self.flush().context("the disk beside the broker")?;
            took.push(now() - began);
            due = next_due(due, now());
            thread::sleep(due.saturating_duration_since(now()));
        }
        Ok(Flushes::of(took))
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let at = self.flushed % FILE_FLUSHES * FLUSH_BYTES as u64;
        self.flushed += 1;
        self.file.write_all_at(&self.page, at)?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Does the work and flushes beside it.
    pub fn beside<T>(&mut self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Flushes)> {
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            let flushing = scope.spawn(|| self.flush_until(|| ends.load(Ordering::Relaxed)));
            let worked = work();
            ends.store(true, Ordering::Relaxed);
            let flushes = flushing.join().expect("the probe's thread does not panic");
            Ok((worked?, flushes?))
        })
    }

    /// Waits for a calm disk, `limit` at most.
    pub fn await_calm(&mut self, limit: Duration) -> anyhow::Result<Calm> {
        let deadline = now() + limit;
        loop {
            let ends = now() + CALM_WINDOW;
            if self.flush_until(|| now() >= ends)?.are_calm() {
                return Ok(Calm::Found);
            }
            if now() >= deadline {
                println!("    the disk is not calm after {limit:?}; measured all the same");
                return Ok(Calm::RanOut);
            }
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Whatever becomes of it goes with the broker's folder at the latest.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// How a wait for a calm disk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calm {
    /// The disk is calm.
    Found,
    /// It was not, for the whole of the limit.
    RanOut,
}

impl Calm {
    /// How many waits ran out: 0 or 1.
    pub fn ran_out(self) -> f64 {
        match self {
            Self::Found => 0.0,
            Self::RanOut => 1.0,
        }
    }
}

/// The first moment of the beat that has not passed.
fn next_due(due: Instant, now: Instant) -> Instant {
    let mut next = due + FLUSH_INTERVAL;
    while next < now {
        next += FLUSH_INTERVAL;
    }
    next
}

/// What the page says about it: an item of its list.
pub fn about() -> String {
    format!(
        "\
- \"The disk beside\": while a workload at a fixed rate or a phase of `mixed` runs, the bench itself writes {} KiB to a file that
  was written before, with O_DIRECT on the file system of the broker's data, and calls fdatasync, every {} ms (one that is late is
  not made up for). It says what the disk gave to anybody meanwhile, not who was better, and every broker has it beside it.
- Before each of these the bench waits for a calm disk: within {} s the same flushes have a p99 of at most {} ms and none takes
  longer than {} ms. It waits {} s at most, then measures all the same and counts that wait as run out.
",
        FLUSH_BYTES / 1024,
        FLUSH_INTERVAL.as_millis(),
        CALM_WINDOW.as_secs(),
        CALM_P99_MAX.as_millis(),
        CALM_LONGEST_MAX.as_millis(),
        CALM_LIMIT.as_secs(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flushes(milliseconds: impl IntoIterator<Item = u64>) -> Flushes {
        Flushes::of(milliseconds.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn a_percentile_is_a_flush_that_was_made() {
        let many = flushes((1..=200).rev());
        assert_eq!(many.permille(500), Duration::from_millis(100));
        assert_eq!(many.permille(990), Duration::from_millis(198));
        assert_eq!(many.permille(999), Duration::from_millis(200));
        assert_eq!(flushes([7]).permille(1), Duration::from_millis(7));
    }

    #[test]
    fn a_disk_is_calm_when_neither_many_flushes_are_slow_nor_one_is_very_slow() {
        let quick = |count| std::iter::repeat_n(1, count);
        assert!(flushes(quick(198).chain([20, 20])).are_calm());
        assert!(!flushes(quick(199).chain([21])).are_calm(), "one stall");
        assert!(
            !flushes(quick(197).chain([5, 5, 5])).are_calm(),
            "slow altogether"
        );
    }

    #[test]
    fn flushes_that_were_due_during_a_late_one_are_left_out() {
        let began = now();
        let after = |milliseconds| began + Duration::from_millis(milliseconds);
        assert_eq!(next_due(began, after(3)), after(10));
        assert_eq!(next_due(began, after(47)), after(50));
        assert_eq!(next_due(after(50), after(51)), after(60));
    }

    #[test]
    fn the_disk_is_watched_for_as_long_as_the_work_takes() {
        let folder = std::env::temp_dir().join(format!("millstream-flushes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        // A file system in memory knows no direct writes; nothing is to be learnt from it.
        if let Ok(mut probe) = Probe::begin(&folder) {
            let (worked, flushes) = probe.beside(|| Ok(5)).expect("a disk that can be written");
            assert_eq!(worked, 5);
            assert!(flushes.longest() > Duration::ZERO);
            assert!(
                probe
                    .beside(|| anyhow::bail!("the work failed") as anyhow::Result<()>)
                    .is_err()
            );
        }
        std::fs::remove_dir_all(&folder).expect("it was there");
    }
}
