//! The write-ahead log in pre-allocated segment files: one vectored write and one flush a group.
//!
//! Owns: what is written where. Never allocates a file on the append path: `prepare` does it ahead of need.
//!
//! **Invariant**: at most one group is between write and flush, and nothing is written behind a group whose write or flush
//! failed: that segment is given up, and the next one's first group names (number, checksum) the last that counts.

use super::format::{ALIGN_BYTES, GroupHead, aligned};
use super::segments::Segments;
use super::{Block, Group, ReplayedGroup, WalError, WalMedium, scan};
use crate::batch::LARGE_BYTES_MIN;
use crate::clock::Clock;
use crate::config::FlushMode;
use crate::disk::direct::{padding, zeros};
use crate::disk::{Disk, DiskFile};
use crate::error::{Fate, OpenError, ReadError};
use crate::ids::GroupSeq;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use tokio::sync::Notify;

/// Smallest segment: its header, and room for small groups.
pub const SEGMENT_BYTES_MIN: u64 = 4 * ALIGN_BYTES;
/// Largest segment: positions of blocks are kept in 32 bits of 16 bytes, less the largest group.
pub const SEGMENT_BYTES_MAX: u64 = 32 << 30;

/// How the file medium behaves.
#[derive(Clone, Copy, Debug)]
pub struct FileWalOptions {
    /// Length of a segment file. A larger group gets a file of its own size.
    pub segment_bytes: u64,
    /// Whether groups are flushed before they are answered.
    pub flush: FlushMode,
}

/// See the module.
pub struct FileWal {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) segment_bytes: u64,
    flush: FlushMode,
    pub(super) segments: Mutex<Segments>,
    /// Wakes the background work.
    pub(super) work: Notify,
    /// Wakes the append that waits for a segment.
    pub(super) prepared: Notify,
}

impl FileWal {
    /// Reads what the disk holds, hands every group above `through` to `replay` in order, and is ready to append.
    ///
    /// Everything that is replayed is flushed before this returns, so that it may be shown. Only reads until all is proven.
    pub async fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: FileWalOptions,
        through: GroupSeq,
        replay: &mut (dyn FnMut(ReplayedGroup) -> Result<(), OpenError> + Send),
    ) -> Result<Self, OpenError> {
        if options.flush == FlushMode::Async {
            tracing::warn!(
                "flush mode is async: appends are answered before they reach the disk; \
                 a power failure or a crash of the operating system loses acknowledged records"
            );
        }
        let segments = scan::recover(&disk, &*clock, through, replay).await?;
        Ok(Self {
            disk,
            clock,
            segment_bytes: aligned(options.segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX)),
            flush: options.flush,
            segments: Mutex::new(segments),
            work: Notify::new(),
            prepared: Notify::new(),
        })
    }

    /// Last group that is durable here.
    #[must_use]
    pub fn durable(&self) -> GroupSeq {
        self.segments.lock().durable
    }

    async fn write(&self, group: Group) -> Result<u64, WalError> {
        let mut head = GroupHead {
            is_async: self.flush == FlushMode::Async,
            is_paged: group.block.len() >= LARGE_BYTES_MIN || group.block.has_gaps(),
            is_by_heads: false,
            segment: 0,
            seq: group.seq,
            previous: 0,
            wall_ms: group.wall_ms,
            runs: u32::try_from(group.runs.len()).expect("runs are bounded"),
            block_bytes: u32::try_from(group.block.len()).expect("blocks are bounded"),
            body_checksum: 0,
            checksum: 0,
        };
        let (block_at, len) = (head.block_at(), head.len());
        let room = aligned(len as u64);
        let place = self.place(room).await?;
        (head.segment, head.previous) = (place.segment, place.chain);
        let (front, chain) = head.encode(&group.runs, &group.block);
        let parts = parts(front, block_at, &group.block);
        let written = self.flush(&*place.file, place.position, &parts).await;
        let mut segments = self.segments.lock();
        if let Err(error) = written {
            tracing::error!(segment = place.segment, %error, "segment of the write-ahead log given up");
            if let Some(segment) = segments.current.as_mut() {
                segment.is_suspect = true;
            }
            segments.seal_current();
            drop(segments);
            self.work.notify_one();
            return Err(WalError::Failed {
                fate: Fate::Unknown,
                what: format!("write-ahead log: {error}"),
            });
        }
        let segment = segments.current.as_mut().expect("only this function replaces it");
        segment.push(group.seq, place.position + block_at as u64, place.position + room);
        segments.chain = chain;
        segments.durable = group.seq;
        Ok(room)
    }

    async fn flush(&self, file: &dyn DiskFile, position: u64, parts: &[Bytes]) -> io::Result<()> {
        file.write_at(position, parts).await?;
        match self.flush {
            FlushMode::Sync => file.sync().await,
            FlushMode::Async => Ok(()),
        }
    }

    /// Where a group of `room` bytes goes; rolls to the next segment, and waits for one if the helper lags.
    async fn place(&self, room: u64) -> Result<Place, WalError> {
        loop {
            {
                let mut segments = self.segments.lock();
                if segments.current.as_ref().is_none_or(|s| !s.has_room(room)) {
                    segments.seal_current();
                    segments.current = segments.next.take();
                    self.work.notify_one();
                }
                if let Some(segment) = segments.current.as_ref().filter(|s| s.has_room(room)) {
                    return Ok(Place {
                        file: segment.file.clone(),
                        segment: segment.id,
                        position: segment.position,
                        chain: segments.chain,
                    });
                }
                if let Some(error) = segments.refused.take() {
                    tracing::error!(%error, "no segment for the write-ahead log");
                    return Err(refusal(&error));
                }
                if segments.is_closed {
                    return Err(WalError::Failed {
                        fate: Fate::NotDone,
                        what: "the write-ahead log is closed".into(),
                    });
                }
                let needed = (ALIGN_BYTES + room).max(self.segment_bytes);
                let (now, usable) = (self.clock.monotonic(), self.usable_bytes());
                if let Some(known) = segments
                    .refusal
                    .as_ref()
                    .filter(|known| known.holds(now, usable, needed))
                {
                    return Err(refusal(&known.error()));
                }
                segments.wanted = Some(ALIGN_BYTES + room);
                segments.is_stuck = false;
            }
            self.work.notify_one();
            self.prepared.notified().await;
        }
    }

    /// Room on the volume, where the system tells.
    pub(super) fn usable_bytes(&self) -> Option<u64> {
        self.disk.space().map(|space| space.usable_bytes)
    }

    async fn read_block(&self, group: GroupSeq, position: u32, len: u32) -> Result<Bytes, ReadError> {
        let gone = || ReadError::Storage(format!("{group} is no longer in the write-ahead log"));
        let (file, segment, at) = self.segments.lock().locate(group).ok_or_else(gone)?;
        let read = file.read_at(at + u64::from(position), len as usize).await;
        // A recycled file may have been overwritten under the read.
        if !self.segments.lock().holds(segment) {
            return Err(gone());
        }
        read.map_err(|error| ReadError::Storage(format!("write-ahead log: {error}")))
    }
}

impl WalMedium for FileWal {
    fn append(&self, group: Group) -> BoxFuture<'_, Result<u64, WalError>> {
        Box::pin(self.write(group))
    }

    fn read(&self, group: GroupSeq, position: u32, len: u32) -> BoxFuture<'_, Result<Bytes, ReadError>> {
        Box::pin(self.read_block(group, position, len))
    }

    fn reclaim(&self, through: GroupSeq) {
        self.segments.lock().reclaim(through);
        self.work.notify_one();
    }

    fn background(&self) -> BoxFuture<'_, ()> {
        Box::pin(super::prepare::run(self))
    }

    fn close(&self) {
        self.segments.lock().is_closed = true;
        self.work.notify_one();
        self.prepared.notify_one();
    }
}

/// A group's head, the extents of its block behind it, and zeros between all of them and up to the next page.
fn parts(front: Bytes, block_at: usize, block: &Block) -> Vec<Bytes> {
    let mut end = front.len();
    let mut parts = vec![front];
    for (at, extent) in block.extents() {
        parts.extend([zeros(block_at + at - end), extent.clone()]);
        end = block_at + at + extent.len();
    }
    parts.push(padding(end as u64));
    parts.retain(|part| !part.is_empty());
    parts
}

/// Where the next group goes.
struct Place {
    file: Arc<dyn DiskFile>,
    segment: u64,
    position: u64,
    chain: u64,
}

fn refusal(error: &io::Error) -> WalError {
    if is_full(error) {
        return WalError::Full;
    }
    WalError::Failed {
        fate: Fate::NotDone,
        what: format!("write-ahead log: {error}"),
    }
}

/// Whether the disk, or our share of it, is used up.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Name of a segment that may hold groups.
pub(super) fn segment_name(id: u64) -> String {
    format!("wal-{id:016x}")
}

/// Name of a file that holds nothing needed.
pub(super) fn spare_name(id: u64) -> String {
    format!("spare-{id:016x}")
}

/// The segment's number if `name` is a segment's.
pub(super) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("wal-").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// The number of a spare's name.
pub(super) fn parse_spare_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("spare-").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}
