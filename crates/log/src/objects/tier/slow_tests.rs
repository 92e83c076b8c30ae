//! Tests of a tier whose disk is slow: who goes first, and how long an end takes.

use super::conformance::{bytes_of, piece};
use super::disk::{AHEAD_READS_MAX, DISK_BYTES_MIN, READS_MAX};
use super::{DiskTier, DiskTierOptions, Piece, SecondTier};
use crate::disk::testing::MemoryDisk;
use crate::disk::{Disk, DiskFile};
use crate::log::WalRunner;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::io;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Length of the usual piece here; a file of the smallest tier holds 20.
const LEN: usize = 100_000;
/// Many more than a test needs.
const OPEN: usize = 1 << 20;

/// A disk in memory on which a read takes as long as the test likes.
#[derive(Clone)]
struct SlowDisk {
    disk: MemoryDisk,
    gate: Arc<Semaphore>,
    /// Where each read began that has reached the disk, in order.
    begun: Arc<watch::Sender<Vec<u64>>>,
}

struct SlowFile {
    file: Arc<dyn DiskFile>,
    of: SlowDisk,
}

impl SlowDisk {
    fn new(disk: &MemoryDisk, reads: usize) -> Self {
        Self {
            disk: disk.clone(),
            gate: Arc::new(Semaphore::new(reads)),
            begun: Arc::new(watch::Sender::new(Vec::new())),
        }
    }

    fn begun(&self) -> Vec<u64> {
        self.begun.borrow().clone()
    }

    /// Waits until so many reads have reached the disk.
    async fn reached(&self, reads: usize) {
        let mut begun = self.begun.subscribe();
        let reached = begun.wait_for(|begun| begun.len() >= reads).await;
        assert!(reached.is_ok(), "the sender is in self");
    }

    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(SlowFile {
            file,
            of: self.clone(),
        })
    }
}

impl Disk for SlowDisk {
    fn list(&self) -> BoxFuture<'_, io::Result<Vec<String>>> {
        self.disk.list()
    }
    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        async move { Ok(self.wrap(self.disk.create(name, len).await?)) }.boxed()
    }
    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        async move { Ok(self.wrap(self.disk.open(name).await?)) }.boxed()
    }
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, io::Result<()>> {
        self.disk.rename(from, to)
    }
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<()>> {
        self.disk.remove(name)
    }
}

impl DiskFile for SlowFile {
    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        self.file.len()
    }
    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, io::Result<()>> {
        self.file.write_at(offset, parts)
    }
    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        self.file.sync()
    }
    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        async move {
            self.of.begun.send_modify(|begun| begun.push(offset));
            let permit = self.of.gate.acquire().await;
            permit.expect("the gate is never closed").forget();
            self.file.read_at(offset, len).await
        }
        .boxed()
    }
}

fn open(disk: Arc<dyn Disk>) -> DiskTier {
    let options = DiskTierOptions {
        bytes_max: DISK_BYTES_MIN,
        owner: 7,
        runner: WalRunner::Task,
    };
    DiskTier::open(disk, options).expect("a task is always to be had")
}

async fn fill(tier: &DiskTier, count: u64) {
    for n in 0..count {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
        tier.settled().await;
    }
}

/// Read-ahead of a few readers took every place, and one who waited stood behind all of it.
#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_does_not_stand_behind_read_ahead() {
    let slow = SlowDisk::new(&MemoryDisk::new(), 0);
    let tier = Arc::new(open(Arc::new(slow.clone())));
    let count = 2 * READS_MAX as u64;
    fill(&tier, count).await;
    let ask = |piece: Piece, ahead: bool| {
        let tier = tier.clone();
        tokio::spawn(async move {
            match ahead {
                true => tier.get_ahead(piece).await,
                false => tier.get(piece).await,
            }
        })
    };
    let ahead: Vec<_> = (1..count).map(|n| ask(piece(1, n, LEN), true)).collect();
    slow.reached(AHEAD_READS_MAX).await;
    let waiting = ask(piece(1, 0, LEN), false);
    // It reaches the disk before any read that was begun earlier has ended.
    slow.reached(AHEAD_READS_MAX + 1).await;
    assert_eq!(slow.begun().len(), AHEAD_READS_MAX + 1);
    slow.gate.add_permits(OPEN);
    assert!(waiting.await.expect("it ends").is_some());
    for one in ahead {
        assert!(one.await.expect("it ends").is_some(), "read-ahead goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_does_not_wait_until_everything_of_an_earlier_life_was_read() {
    const BEFORE: usize = 12;
    let disk = MemoryDisk::new();
    fill(&open(Arc::new(disk.clone())), 120).await;
    let (files, writes) = (disk.files(), disk.writes());
    let slow = SlowDisk::new(&disk, BEFORE);
    let tier = open(Arc::new(slow.clone()));
    slow.reached(BEFORE + 1).await;
    let late = piece(2, 0, LEN);
    tier.offer(late, &bytes_of(late));
    let mut end = tier.close();
    assert!((&mut end).now_or_never().is_none(), "a read is with the disk");
    slow.gate.add_permits(OPEN);
    end.await;
    assert!(slow.begun().len() <= BEFORE + 2, "{:?}", slow.begun());
    // Files that were not looked at are there all the same: another one would exceed the room.
    assert_eq!((disk.files(), disk.writes()), (files, writes));
    assert_eq!((tier.get(late).await, tier.stats().dropped), (None, 1));
    drop(tier);
    let tier = open(Arc::new(disk));
    fill(&tier, 1).await;
    assert!(
        tier.get(piece(1, 119, LEN)).await.is_some(),
        "nothing was lost by it"
    );
}
