//! The second tier on a local disk: a bounded number of cache files, used again oldest first, behind an index in memory.
//!
//! Owns: answering from them. Never waits for the disk when something is offered, never fails: a piece that cannot be read back
//! whole is a miss, and a disk that fails or is full turns the tier off, once, with a warning. The cache survives a restart; the
//! index is read back beside the work, so that no start waits for it (docs/decisions/second-tier-on-disk.md).
//!
//! **Invariant**: all cache files together never exceed `bytes_max`.

use super::format::{BUNDLE_HEAD_BYTES, BUNDLE_PIECES_MAX, PAGE_BYTES, ROW_BYTES};
use super::shelf::{Found, Shelf, Stored};
use super::writer::Writer;
use super::{Piece, SecondTier, TierStats};
use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::le::checksum;
use crate::log::WalRunner;
use crate::wal::runner::{Ended, start};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Pieces that are read at once for readers that wait; each read takes a thread of the blocking pool.
pub(super) const READS_MAX: usize = 32;
/// Pieces that are read ahead at once. Permits of their own, and few: read-ahead neither takes the place of a reader that waits
/// nor fills the disk's own queue before it.
pub(super) const AHEAD_READS_MAX: usize = 8;
/// How many files a large cache has: one that is used again takes this share of the cache with it.
const FILES_TARGET: u64 = 64;
/// How many files a small cache has, as long as they stay below `SMALL_FILE_BYTES_MAX`.
const FILES_MIN: u64 = 8;
/// Up to here a file of a small cache grows before there are more files.
const SMALL_FILE_BYTES_MAX: u64 = 64 << 20;
/// The smallest cache: below it a file does not hold a usual block.
pub const DISK_BYTES_MIN: u64 = 16 << 20;
/// Bounds the index, which is in memory: a file takes no more pieces than if each had this size.
const PIECE_BYTES_MEAN_MIN: u64 = 64 << 10;
/// What one write puts down at most, unless one piece is larger.
const BUNDLE_BYTES_MAX: u64 = 4 << 20;
/// How long `close` waits for the writer's end: the disk may hang, and nothing of it is needed.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(2);

/// How a disk tier behaves.
#[derive(Clone, Copy, Debug)]
pub struct DiskTierOptions {
    /// Bytes of disk that it takes at most; at least [`DISK_BYTES_MIN`].
    pub bytes_max: u64,
    /// Tells the objects of one broker from those of another: files of another owner are thrown away.
    pub owner: u64,
    /// Whether it writes on a thread of its own (production) or as a task (tests).
    pub runner: WalRunner,
}

impl DiskTierOptions {
    /// An owner by its names: of the metadata that number the objects, and of the place where these are.
    #[must_use]
    pub fn owner_of(names: &[&str]) -> u64 {
        let mut text = String::new();
        for name in names {
            text.push_str(name);
            text.push('\0');
        }
        checksum(text.as_bytes())
    }
}

/// What follows from the options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) owner: u64,
    pub(super) file_bytes: u64,
    pub(super) files_max: usize,
    pub(super) file_pieces_max: usize,
    pub(super) bundle_bytes_max: usize,
    pub(super) bundle_pieces_max: usize,
}

impl Limits {
    pub(super) fn of(options: &DiskTierOptions) -> Self {
        let bytes_max = options.bytes_max.max(DISK_BYTES_MIN);
        let small = (bytes_max / FILES_MIN).min(SMALL_FILE_BYTES_MAX);
        let file_bytes = small.max(bytes_max / FILES_TARGET) / PAGE_BYTES * PAGE_BYTES;
        let in_memory = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let file_pieces_max = in_memory(file_bytes / PIECE_BYTES_MEAN_MIN);
        Self {
            owner: options.owner,
            file_bytes,
            files_max: in_memory(bytes_max / file_bytes),
            file_pieces_max,
            bundle_bytes_max: in_memory(BUNDLE_BYTES_MAX.min(file_bytes / 8)),
            bundle_pieces_max: BUNDLE_PIECES_MAX.min(file_pieces_max),
        }
    }

    /// The largest piece that fits a file.
    fn piece_bytes_max(&self) -> u64 {
        self.file_bytes - PAGE_BYTES - (BUNDLE_HEAD_BYTES + ROW_BYTES) as u64
    }
}

/// See the module.
pub struct DiskTier {
    shelf: Arc<Shelf>,
    limits: Limits,
    reads: Semaphore,
    ahead_reads: Semaphore,
    writer: Mutex<Option<Ended>>,
}

impl DiskTier {
    /// A tier on this disk, which belongs to it alone. Returns at once; what an earlier life left is found beside the work.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn open(disk: Arc<dyn Disk>, options: DiskTierOptions) -> Result<Self, OpenError> {
        let shelf = Arc::new(Shelf::new());
        let limits = Limits::of(&options);
        let writer = Writer::new(disk, shelf.clone(), limits);
        let writer = start(options.runner, "cache-disk", Box::pin(writer.run()))?;
        Ok(Self {
            shelf,
            limits,
            reads: Semaphore::new(READS_MAX),
            ahead_reads: Semaphore::new(AHEAD_READS_MAX),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Waits until everything that was offered is written or dropped.
    pub async fn settled(&self) {
        loop {
            // Registered before the look, so that no end in between is missed.
            let written = self.shelf.written.notified();
            if self.shelf.queued_bytes() == 0 {
                return;
            }
            written.await;
        }
    }

    /// The piece, and the count of it; `reads` are the permits of who asks.
    async fn find(&self, piece: Piece, reads: &Semaphore) -> Option<Bytes> {
        let found = match self.shelf.find(piece) {
            Found::Nothing => None,
            Found::Queued(bytes) => Some(bytes),
            Found::Stored(stored, file) => {
                let _permit = reads.acquire().await.ok()?;
                self.read(piece, stored, &*file).await
            }
        };
        let counters = &self.shelf.counters;
        let counter = match found {
            Some(_) => &counters.hits,
            None => &counters.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    async fn read(&self, piece: Piece, stored: Stored, file: &dyn DiskFile) -> Option<Bytes> {
        let len = usize::try_from(piece.len).ok()?;
        match file.read_at(stored.at, len).await {
            Ok(bytes) if checksum(&bytes) == stored.checksum => return Some(bytes),
            // Changed or cut off on the disk, or the file was used again under the read: then nobody expects the piece there.
            Ok(_) => self.note_damage(piece, stored),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.note_damage(piece, stored),
            Err(error) => turn_off(&self.shelf, &error),
        }
        None
    }

    fn note_damage(&self, piece: Piece, stored: Stored) {
        if self.shelf.remove_damaged(piece, stored) {
            self.shelf.counters.damaged.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl SecondTier for DiskTier {
    fn get(&self, piece: Piece) -> BoxFuture<'_, Option<Bytes>> {
        Box::pin(self.find(piece, &self.reads))
    }

    fn get_ahead(&self, piece: Piece) -> BoxFuture<'_, Option<Bytes>> {
        Box::pin(self.find(piece, &self.ahead_reads))
    }

    fn offer(&self, piece: Piece, bytes: &Bytes) {
        let fits = !bytes.is_empty()
            && bytes.len() == piece.len as usize
            && u64::from(piece.len) <= self.limits.piece_bytes_max();
        if !fits || !self.shelf.queue(piece, bytes) {
            self.shelf.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn forget(&self, object: u64) {
        self.shelf.forget(object);
    }

    fn forget_from(&self, object: u64) {
        self.shelf.forget_from(object);
    }

    fn stats(&self) -> TierStats {
        self.shelf.stats()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.shelf.begin_closing();
            let writer = self.writer.lock().take();
            if let Some(writer) = writer {
                // What is not written by then is no loss.
                let _ = tokio::time::timeout(CLOSE_WAIT_MAX, writer.wait()).await;
            }
        })
    }
}

impl Drop for DiskTier {
    fn drop(&mut self) {
        self.shelf.let_go();
    }
}

/// The medium failed: from here on everything is a miss. Said once.
pub(super) fn turn_off(shelf: &Shelf, error: &io::Error) {
    if shelf.turn_off() {
        tracing::warn!(%error, "the disk tier of the block cache is off until the next start: its disk failed or is full; reads go to the object store");
    }
}
