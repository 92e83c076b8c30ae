//! The simulated disk: a write is in the page cache until it is synced, and what a crash leaves of the rest is up to chance.
//!
//! Owns: the files of the write-ahead log over all lives of the broker. Never: what they mean.
//!
//! **Invariant**: it does what some real disk under Linux may do, no more: a successful sync makes durable exactly the writes that
//! had finished when it was called; everything else may be lost, kept, torn at any byte or kept in another order; after a failed
//! sync the written bytes can still be read but never become durable (the page cache forgot that they were dirty).

mod file;
#[cfg(test)]
mod tests;

use crate::rng::{RATE_UNIT, Rng};
use crate::volume::What;
use crate::world::{Pace, World};
use bytes::Bytes;
use file::{File, Surviving};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millstream_log::disk::{Disk, DiskFile};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

/// How the machine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashKind {
    /// The page cache is lost: what was not synced is up to chance.
    PowerLoss,
    /// Only the process dies (kill -9): finished writes stay in the page cache, *not* synced, and may be lost by a later power loss.
    Kill,
}

/// Rates of faults, out of `RATE_UNIT` calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFaults {
    /// A write fails after a part of it.
    pub write_error: u64,
    /// A sync fails.
    pub sync_error: u64,
    /// A read, a listing or an opening fails; a later one may pass.
    pub read_error: u64,
    /// Creating, renaming or removing fails; nothing happened.
    pub entry_error: u64,
    /// A creation finds no room.
    pub full: u64,
}

/// A fault that no disk under Linux has: for the proof that the checker would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskMutation {
    /// Sync answers without doing anything.
    SyncDoesNothing,
}

/// See the module.
pub struct SimDisk {
    world: Arc<World>,
    pace: Pace,
    faults: DiskFaults,
    mutation: Option<DiskMutation>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Arc<Mutex<File>>>,
    /// Whether creations find no room, whatever the rate.
    full: bool,
    /// Writes to come that fail, whatever the rate.
    failing_writes: u32,
    /// Syncs to come that fail, whatever the rate.
    failing_syncs: u32,
    /// A creation that is under way: a crash may leave a shorter file.
    creating: Option<(String, u64)>,
}

impl State {
    fn created(&mut self, name: &str, file: &Arc<Mutex<File>>) {
        self.creating = None;
        self.files.insert(name.to_owned(), file.clone());
    }

    fn renamed(&mut self, from: &str, to: &str) -> Result<()> {
        let file = self.files.remove(from).ok_or(ErrorKind::NotFound)?;
        self.files.insert(to.to_owned(), file);
        Ok(())
    }
}

struct OpenFile {
    disk: Arc<SimDisk>,
    name: String,
    file: Arc<Mutex<File>>,
}

/// The disk as one life of the broker holds it.
#[derive(Clone)]
pub struct DiskPort(pub Arc<SimDisk>);

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(
        world: Arc<World>,
        pace: Pace,
        faults: DiskFaults,
        mutation: Option<DiskMutation>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world,
            pace,
            faults,
            mutation,
            state: Mutex::default(),
        })
    }

    /// Whether creations find no room from now on.
    pub fn set_full(&self, full: bool) {
        self.state.lock().full = full;
    }

    /// The next writes fail.
    pub fn fail_writes(&self, count: u32) {
        self.state.lock().failing_writes = count;
    }

    /// The next syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.state.lock().failing_syncs = count;
    }

    fn write_fails(&self) -> Result<()> {
        let asked_for = take_one(&mut self.state.lock().failing_writes);
        self.fails(asked_for.unwrap_or(self.faults.write_error), "write")
    }

    fn sync_fails(&self) -> Result<()> {
        let asked_for = take_one(&mut self.state.lock().failing_syncs);
        self.fails(asked_for.unwrap_or(self.faults.sync_error), "sync")
    }

    /// The machine stops; what is left is what the next life finds.
    pub fn crash(&self, kind: CrashKind, rng: &mut Rng) {
        let mut state = self.state.lock();
        if let Some((name, len)) = state.creating.take() {
            // The real adapter creates, allocates, syncs: in between the file is there, with any length, full of zeros.
            if rng.one_in(2) {
                let len = if rng.one_in(2) { 0 } else { rng.below(len + 1) };
                state.files.insert(name, Arc::new(Mutex::new(File::zeros(len))));
            }
        }
        let surviving = Surviving::draw(rng);
        for file in state.files.values() {
            let mut file = file.lock();
            match kind {
                CrashKind::PowerLoss => file.lose_power(surviving, rng),
                CrashKind::Kill => file.kill(rng),
            }
        }
        let lens = state.files.values().map(|file| file.lock().len());
        self.world.volume().files_are(lens.sum());
        self.world
            .event(&format!("disk after {kind:?}, un-synced writes: {surviving:?}"));
    }

    async fn before(&self, site: &'static str, what: &str) {
        self.world.moment(site, self.pace, what).await;
    }

    async fn after(&self, site: &'static str, what: &str) {
        self.world.moment(site, self.pace, &format!("{what} done")).await;
    }

    fn fails(&self, rate: u64, what: &str) -> Result<()> {
        if self.world.fault(rate) {
            self.world.event(&format!("fault: {what} fails"));
            return Err(Error::other(format!("injected: {what}")));
        }
        Ok(())
    }

    fn room(&self, name: &str, len: u64) -> Result<()> {
        let full = self.state.lock().full && !self.world.is_calm();
        if full || self.world.fault(self.faults.full) || !self.world.volume().add(What::File, len) {
            self.world.event(&format!("fault: no room for {name}"));
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// The rate of a fault that was asked for, once for each time.
fn take_one(times: &mut u32) -> Option<u64> {
    let left = times.checked_sub(1)?;
    *times = left;
    Some(RATE_UNIT)
}

impl DiskPort {
    fn opened(&self, name: &str, file: Arc<Mutex<File>>) -> Arc<dyn DiskFile> {
        Arc::new(OpenFile {
            disk: self.0.clone(),
            name: name.to_owned(),
            file,
        })
    }
}

impl Disk for DiskPort {
    fn list(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        async move {
            self.0.before("disk.list", "").await;
            self.0.fails(self.0.faults.read_error, "list")?;
            let mut names: Vec<String> = self.0.state.lock().files.keys().cloned().collect();
            // The port promises no order: give none.
            self.0.world.draw(|rng| {
                for at in (1..names.len()).rev() {
                    names.swap(at, rng.index(at + 1));
                }
            });
            Ok(names)
        }
        .boxed()
    }

    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, Result<Arc<dyn DiskFile>>> {
        async move {
            let disk = &self.0;
            disk.before("disk.create", name).await;
            disk.fails(disk.faults.entry_error, "create")?;
            if disk.state.lock().files.contains_key(name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            disk.room(name, len)?;
            disk.state.lock().creating = Some((name.to_owned(), len));
            disk.before("disk.create", "allocating").await;
            let file = Arc::new(Mutex::new(File::zeros(len)));
            disk.state.lock().created(name, &file);
            disk.after("disk.create", name).await;
            Ok(self.opened(name, file))
        }
        .boxed()
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Arc<dyn DiskFile>>> {
        async move {
            self.0.before("disk.open", name).await;
            self.0.fails(self.0.faults.read_error, "open")?;
            let file = self.0.state.lock().files.get(name).cloned();
            Ok(self.opened(name, file.ok_or(ErrorKind::NotFound)?))
        }
        .boxed()
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<()>> {
        async move {
            let what = format!("{from} to {to}");
            self.0.before("disk.rename", &what).await;
            self.0.fails(self.0.faults.entry_error, "rename")?;
            self.0.state.lock().renamed(from, to)?;
            self.0.after("disk.rename", &what).await;
            Ok(())
        }
        .boxed()
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        async move {
            self.0.before("disk.remove", name).await;
            self.0.fails(self.0.faults.entry_error, "remove")?;
            let removed = self.0.state.lock().files.remove(name);
            let len = removed.ok_or(ErrorKind::NotFound)?.lock().len();
            self.0.world.volume().remove(What::File, len);
            self.0.after("disk.remove", name).await;
            Ok(())
        }
        .boxed()
    }
}

impl DiskFile for OpenFile {
    fn len(&self) -> BoxFuture<'_, Result<u64>> {
        async move {
            self.disk.before("disk.len", &self.name).await;
            Ok(self.file.lock().len())
        }
        .boxed()
    }

    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, Result<()>> {
        async move {
            let bytes = parts.concat();
            let what = format!("{} {} at {offset}", self.name, bytes.len());
            // Under way before the first moment: a crash there may leave any part of it.
            let write = self.file.lock().begin_write(offset, bytes);
            self.disk.before("disk.write", &what).await;
            if let Err(error) = self.disk.write_fails() {
                let disk = &self.disk;
                disk.world.draw(|rng| self.file.lock().fail_write(write, rng));
                return Err(error);
            }
            self.file.lock().finish_write(write);
            self.disk.after("disk.write", &what).await;
            Ok(())
        }
        .boxed()
    }

    fn sync(&self) -> BoxFuture<'_, Result<()>> {
        async move {
            let covered = self.file.lock().finished();
            self.disk.before("disk.sync", &self.name).await;
            if let Err(error) = self.disk.sync_fails() {
                self.disk
                    .world
                    .draw(|rng| self.file.lock().fail_sync(&covered, rng));
                return Err(error);
            }
            if self.disk.mutation != Some(DiskMutation::SyncDoesNothing) {
                self.file.lock().sync(&covered);
            }
            self.disk.after("disk.sync", &self.name).await;
            Ok(())
        }
        .boxed()
    }

    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            self.disk
                .before("disk.read", &format!("{} {len} at {offset}", self.name))
                .await;
            self.disk.fails(self.disk.faults.read_error, "read")?;
            self.file
                .lock()
                .read(offset, len)
                .ok_or(ErrorKind::UnexpectedEof.into())
        }
        .boxed()
    }
}
