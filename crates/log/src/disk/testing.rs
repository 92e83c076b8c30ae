//! A disk in memory that loses, tears, fails and runs full as it is told. For unit tests and the simulator.
//!
//! Owns: what is durable and what only written. Never draws a random number: the caller's `Survival` decides what a crash keeps.
//!
//! **Invariant**: after `crash`, a file holds what its last `sync` made durable, plus whatever the caller let survive of the rest.

use super::{Disk, DiskFile, DiskSpace};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// What a crash keeps of one write that was not flushed, page by page and byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    Lost,
    /// All of it.
    Whole,
    /// Its first bytes.
    Prefix(usize),
    /// All but its first bytes: disks write in any order.
    Suffix(usize),
}

/// See the module. A clone is the same disk.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    files: BTreeMap<String, Arc<Mutex<Content>>>,
    /// Rises with every crash: handles of an earlier life do nothing any more.
    life: u64,
    bytes_max: Option<u64>,
    /// Operations until one fails.
    fail_write_in: Option<u64>,
    fail_sync_in: Option<u64>,
    is_broken: bool,
    syncs: u64,
    writes: u64,
    creates: u64,
}

#[derive(Default)]
struct Content {
    durable: Vec<u8>,
    written: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

struct MemoryFile {
    shared: Arc<Mutex<Shared>>,
    content: Arc<Mutex<Content>>,
    life: u64,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `create` fails with `StorageFull` when all files together would exceed this; `None`: no bound.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.shared.lock().bytes_max = bytes_max;
    }

    /// The write after `count` more ones fails, once.
    pub fn fail_write_after(&self, count: u64) {
        self.shared.lock().fail_write_in = Some(count);
    }

    /// The sync after `count` more ones fails, once.
    pub fn fail_sync_after(&self, count: u64) {
        self.shared.lock().fail_sync_in = Some(count);
    }

    /// Every write and sync fails from now on.
    pub fn break_down(&self) {
        self.shared.lock().is_broken = true;
    }

    /// No injected fault is left.
    pub fn heal(&self) {
        let mut shared = self.shared.lock();
        shared.fail_write_in = None;
        shared.fail_sync_in = None;
        shared.is_broken = false;
    }

    /// Syncs so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.shared.lock().syncs
    }

    /// Writes so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.shared.lock().writes
    }

    /// Files that were asked for so far.
    #[must_use]
    pub fn creates(&self) -> u64 {
        self.shared.lock().creates
    }

    /// Names and lengths of the files.
    #[must_use]
    pub fn files(&self) -> Vec<(String, usize)> {
        let shared = self.shared.lock();
        shared
            .files
            .iter()
            .map(|(name, content)| (name.clone(), content.lock().written.len()))
            .collect()
    }

    /// Power failure: of each write that was not flushed, in order, `survives` tells what is kept. Open handles are dead.
    pub fn crash(&self, mut survives: impl FnMut(&str, usize) -> Survival) {
        let mut shared = self.shared.lock();
        shared.life += 1;
        shared.fail_write_in = None;
        shared.fail_sync_in = None;
        for (name, content) in &shared.files {
            let mut content = content.lock();
            let pending = std::mem::take(&mut content.pending);
            for (at, bytes) in pending {
                let kept = match survives(name, bytes.len()) {
                    Survival::Lost => continue,
                    Survival::Whole => 0..bytes.len(),
                    Survival::Prefix(len) => 0..len.min(bytes.len()),
                    Survival::Suffix(skipped) => skipped.min(bytes.len())..bytes.len(),
                };
                let place = at + kept.start..at + kept.end;
                content.durable[place].copy_from_slice(&bytes[kept]);
            }
            content.written = content.durable.clone();
        }
    }

    /// kill -9: the operating system keeps every write.
    pub fn kill(&self) {
        self.crash(|_, _| Survival::Whole);
    }

    /// What a file holds.
    #[must_use]
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let shared = self.shared.lock();
        let content = shared.files.get(name)?.lock();
        Some(content.written.clone())
    }

    /// Changes a file behind everyone's back: bit rot.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let shared = self.shared.lock();
        let mut content = shared.files.get(name).expect("the file exists").lock();
        change(&mut content.written);
        content.durable = content.written.clone();
        content.pending.clear();
    }

    fn handle(&self, shared: &Shared, content: &Arc<Mutex<Content>>) -> Arc<dyn DiskFile> {
        Arc::new(MemoryFile {
            shared: self.shared.clone(),
            content: content.clone(),
            life: shared.life,
        })
    }
}

impl Disk for MemoryDisk {
    fn list(&self) -> BoxFuture<'_, io::Result<Vec<String>>> {
        Box::pin(async { Ok(self.shared.lock().files.keys().cloned().collect()) })
    }

    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        Box::pin(async move {
            let mut shared = self.shared.lock();
            shared.creates += 1;
            if shared.files.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let used = shared.used_bytes();
            if shared.bytes_max.is_some_and(|max| used + len > max) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let zeros = vec![0; usize::try_from(len).map_err(io::Error::other)?];
            let content = Arc::new(Mutex::new(Content {
                durable: zeros.clone(),
                written: zeros,
                pending: Vec::new(),
            }));
            shared.files.insert(name.to_owned(), content.clone());
            Ok(self.handle(&shared, &content))
        })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        Box::pin(async move {
            let shared = self.shared.lock();
            let content = shared.files.get(name).ok_or(io::ErrorKind::NotFound)?;
            Ok(self.handle(&shared, content))
        })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let mut shared = self.shared.lock();
            let content = shared.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            shared.files.insert(to.to_owned(), content);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let removed = self.shared.lock().files.remove(name);
            removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
        })
    }

    fn space(&self) -> Option<DiskSpace> {
        let shared = self.shared.lock();
        let total_bytes = shared.bytes_max?;
        Some(DiskSpace {
            total_bytes,
            usable_bytes: total_bytes.saturating_sub(shared.used_bytes()),
        })
    }
}

impl Shared {
    fn used_bytes(&self) -> u64 {
        let lens = self.files.values().map(|content| content.lock().written.len());
        lens.sum::<usize>() as u64
    }
}

impl MemoryFile {
    /// Counts down to an injected fault; refuses what a dead process would still do.
    fn step(&self, counter: impl FnOnce(&mut Shared) -> (&mut u64, &mut Option<u64>)) -> io::Result<()> {
        let mut shared = self.shared.lock();
        if shared.life != self.life {
            return Err(io::Error::other("the machine has crashed"));
        }
        let is_broken = shared.is_broken;
        let (count, fail_in) = counter(&mut shared);
        *count += 1;
        if is_broken {
            return Err(io::Error::other("injected fault"));
        }
        match fail_in {
            Some(0) => {
                *fail_in = None;
                Err(io::Error::other("injected fault"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        Box::pin(async { Ok(self.content.lock().written.len() as u64) })
    }

    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let outcome = self.step(|shared| (&mut shared.writes, &mut shared.fail_write_in));
            if self.shared.lock().life != self.life {
                return outcome;
            }
            let bytes = parts.concat();
            let at = usize::try_from(offset).map_err(io::Error::other)?;
            let mut content = self.content.lock();
            if at + bytes.len() > content.written.len() {
                return Err(io::Error::other("a write past the end of the file"));
            }
            content.written[at..at + bytes.len()].copy_from_slice(&bytes);
            content.pending.push((at, bytes));
            // A failed write may have done any part of its work; a crash decides which.
            outcome
        })
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async {
            // Another task may run while a flush is in flight.
            tokio::task::yield_now().await;
            self.step(|shared| (&mut shared.syncs, &mut shared.fail_sync_in))?;
            let mut content = self.content.lock();
            for (at, bytes) in std::mem::take(&mut content.pending) {
                content.durable[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            Ok(())
        })
    }

    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        Box::pin(async move {
            let at = usize::try_from(offset).map_err(io::Error::other)?;
            let content = self.content.lock();
            let bytes = content
                .written
                .get(at..at + len)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok(Bytes::copy_from_slice(bytes))
        })
    }
}
