//! Recovery of the file write-ahead log: which groups count, and the proof of it (docs/paths/recover.md).
//!
//! Owns: reading segments, cutting a torn tail, refusing damage. Changes no byte on the disk: the last group is written again as it is.
//!
//! **Invariant**: a group is replayed only if its checksums hold, its number follows the one before, and it names that one's
//! checksum. A missing group is a torn tail only if nothing proves that it had been acknowledged (trap T21).

use super::file::{parse_segment_name, parse_spare_name, segment_name};
use super::format::{ALIGN_BYTES, GROUP_HEAD_BYTES, GroupHead, HeaderError, SegmentHeader, aligned};
use super::segments::{Segment, Segments, Spare};
use super::{Group, ReplayedGroup};
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::ids::GroupSeq;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// What one read of the scan asks for; larger groups are read whole.
const WINDOW_BYTES: usize = 1 << 20;

type Replay<'a> = &'a mut (dyn FnMut(ReplayedGroup) -> Result<(), OpenError> + Send);

/// A segment file with a valid header.
struct Found {
    id: u64,
    file: Arc<dyn DiskFile>,
    len: u64,
    /// Its first group's head, if that was written whole.
    first: Option<GroupHead>,
}

/// How far the proof has come.
struct Progress {
    /// In objects already; not replayed.
    through: GroupSeq,
    /// The group that must come next.
    expected: GroupSeq,
    /// Checksum of the head of group `expected - 1`; unknown if that one was not read.
    chain: Option<u64>,
    /// Un-flushed groups were lost; what lies behind the cut is void.
    is_cut: bool,
    /// Group `expected - 1`, if that one was replayed.
    last: Option<Stored>,
}

/// Where a group is stored.
struct Stored {
    file: Arc<dyn DiskFile>,
    position: u64,
    room: u64,
}

impl Stored {
    /// Writes what is there once more, so that the next flush covers it.
    async fn write_again(&self) -> io::Result<()> {
        let room = usize::try_from(self.room).expect("a group fits into memory");
        let bytes = self.file.read_at(self.position, room).await?;
        self.file.write_at(self.position, &[bytes]).await
    }
}

/// Proves and replays everything above `through`; returns the table of files, with nothing current.
pub(super) async fn recover(
    disk: &Arc<dyn Disk>,
    clock: &dyn Clock,
    through: GroupSeq,
    replay: Replay<'_>,
) -> Result<Segments, OpenError> {
    let mut segments = Segments::default();
    let found = find(disk, &mut segments).await?;
    segments.log_id = match found.first() {
        Some((_, log_id)) => *log_id,
        None => draw_log_id(clock),
    };
    let mut progress = Progress {
        through,
        expected: GroupSeq(through.0 + 1),
        chain: None,
        is_cut: false,
        last: None,
    };
    let found: Vec<Found> = found.into_iter().map(|(found, _)| found).collect();
    for (index, segment) in found.iter().enumerate() {
        let later = found[index + 1..].iter().filter_map(|later| later.first);
        // A later segment's first group voids what bears its number, or a higher one, before it.
        let successor = later.min_by_key(|head| head.seq);
        let scanned = if is_needed(segment, successor, &progress)? {
            scan_segment(segment, successor, &mut progress, replay).await?
        } else {
            Segment::new(segment.id, segment.file.clone(), segment.len)
        };
        if scanned.last().is_some_and(|last| last > through) {
            segments.sealed.push_back(scanned);
        } else {
            segments.retired.push(scanned);
        }
    }
    // What was read may come from the page cache of a process that died before its flush: it is shown only once it is durable. A flush
    // that failed before may have left pages clean that never reached the disk, and then another one does nothing for them. That can only
    // have befallen the last group: nothing is written behind a group whose flush failed.
    if let Some(last) = &progress.last {
        last.write_again().await.map_err(|error| storage(&error))?;
    }
    for segment in &segments.sealed {
        segment.file.sync().await.map_err(|error| storage(&error))?;
    }
    segments.durable = GroupSeq(progress.expected.0 - 1);
    segments.chain = progress.chain.unwrap_or(0);
    Ok(segments)
}

/// All segments by number, each with its log's identity; spares go to the table.
async fn find(disk: &Arc<dyn Disk>, segments: &mut Segments) -> Result<Vec<(Found, u64)>, OpenError> {
    let mut names = disk.list().await.map_err(|error| storage(&error))?;
    names.sort_unstable();
    let mut found = Vec::new();
    for name in names {
        if let Some(id) = parse_segment_name(&name) {
            segments.next_id = segments.next_id.max(id + 1);
            found.push(inspect(disk, id).await?);
        } else if let Some(id) = parse_spare_name(&name) {
            segments.next_id = segments.next_id.max(id + 1);
            let file = disk.open(&name).await.map_err(|error| storage(&error))?;
            let len = file.len().await.map_err(|error| storage(&error))?;
            segments.spares.push(Spare { name, len });
        }
    }
    if let Some((odd, _)) = found.iter().find(|(_, log_id)| *log_id != found[0].1) {
        return Err(OpenError::Corrupt(format!(
            "{} belongs to another write-ahead log than its neighbours",
            segment_name(odd.id)
        )));
    }
    Ok(found)
}

async fn inspect(disk: &Arc<dyn Disk>, id: u64) -> Result<(Found, u64), OpenError> {
    let name = segment_name(id);
    let damaged = |what: &str| OpenError::Corrupt(format!("{name}: {what}"));
    let file = disk.open(&name).await.map_err(|error| storage(&error))?;
    let len = file.len().await.map_err(|error| storage(&error))?;
    if len < ALIGN_BYTES {
        return Err(damaged("shorter than a segment's header"));
    }
    let page = file
        .read_at(0, ALIGN_BYTES as usize)
        .await
        .map_err(|error| storage(&error))?;
    let header = match SegmentHeader::decode(&page) {
        Ok(header) => header,
        Err(HeaderError::Damaged) => return Err(damaged("the segment's header is damaged")),
        Err(HeaderError::Version(version)) => {
            return Err(OpenError::UnknownVersion(format!("{name} has version {version}")));
        }
    };
    if header.segment != id {
        return Err(damaged("the header bears another number than the name"));
    }
    let mut first = None;
    if len >= ALIGN_BYTES + GROUP_HEAD_BYTES as u64 {
        let head = file
            .read_at(ALIGN_BYTES, GROUP_HEAD_BYTES)
            .await
            .map_err(|error| storage(&error))?;
        first = GroupHead::decode(&head).filter(|head| head.segment == id);
    }
    Ok((Found { id, file, len, first }, header.log_id))
}

/// Whether the segment may hold a group that counts and is not in objects yet.
fn is_needed(segment: &Found, successor: Option<GroupHead>, progress: &Progress) -> Result<bool, OpenError> {
    if progress.is_cut {
        // A flushed group proves every group before it, so what was cut had been acknowledged for good.
        return match segment.first {
            Some(head) if !head.is_async => Err(missing(progress.expected, segment.id)),
            _ => Ok(false),
        };
    }
    let end = successor.map(|head| head.seq);
    let is_void = segment
        .first
        .is_some_and(|first| end.is_some_and(|end| first.seq >= end));
    Ok(!is_void && end.is_none_or(|end| end > progress.expected || segment.first.is_none()))
}

/// Replays the groups that count; `successor` is the first group that voids what is left.
async fn scan_segment(
    found: &Found,
    successor: Option<GroupHead>,
    progress: &mut Progress,
    replay: Replay<'_>,
) -> Result<Segment, OpenError> {
    let mut segment = Segment::new(found.id, found.file.clone(), found.len);
    let mut window = Window::new(found.file.clone(), found.len);
    if let Some(first) = found.first
        && first.seq > progress.expected
    {
        return lose(progress, first, found.id, segment);
    }
    let mut next = found.first.map_or(progress.expected, |first| first.seq);
    loop {
        if successor.is_some_and(|head| next >= head.seq) {
            break;
        }
        let position = segment.position;
        let Some(group) = read_group(&mut window, position, found.id, next, progress).await? else {
            let evidence = match successor {
                Some(head) => Some(head),
                None => evidence_behind(&mut window, position, found.id, next).await?,
            };
            match evidence {
                Some(head) => return lose(progress, head, found.id, segment),
                None => break,
            }
        };
        let block_at = position + group.head.block_at() as u64;
        let room = aligned(group.head.len() as u64);
        segment.push(next, block_at, position + room);
        if next >= progress.expected {
            progress.expected = GroupSeq(next.0 + 1);
            progress.chain = Some(group.head.checksum);
            progress.last = Some(Stored {
                file: found.file.clone(),
                position,
                room,
            });
        } else if next == progress.through {
            progress.chain = Some(group.head.checksum);
        }
        if let Some(group) = group.body {
            replay(ReplayedGroup {
                group,
                stored_bytes: room,
            })?;
        }
        next = GroupSeq(next.0 + 1);
    }
    Ok(segment)
}

/// A group is missing although `evidence` was written after it. Legal only for groups that were never flushed.
fn lose(
    progress: &mut Progress,
    evidence: GroupHead,
    segment: u64,
    scanned: Segment,
) -> Result<Segment, OpenError> {
    if !evidence.is_async {
        return Err(missing(progress.expected, segment));
    }
    tracing::warn!(
        from = progress.expected.0,
        seen = evidence.seq.0,
        "un-flushed groups of the write-ahead log were lost, as flush mode async allows; the log is cut there"
    );
    progress.is_cut = true;
    Ok(scanned)
}

struct ReadGroup {
    head: GroupHead,
    /// Only above `through`.
    body: Option<Group>,
}

/// The group at `position`, if it is whole and the one that belongs there.
async fn read_group(
    window: &mut Window,
    position: u64,
    segment: u64,
    next: GroupSeq,
    progress: &Progress,
) -> Result<Option<ReadGroup>, OpenError> {
    let Some(bytes) = window.get(position, GROUP_HEAD_BYTES).await? else {
        return Ok(None);
    };
    let Some(head) = GroupHead::decode(&bytes) else {
        return Ok(None);
    };
    if head.segment != segment || head.seq != next {
        return Ok(None);
    }
    if next == progress.expected && progress.chain.is_some_and(|chain| chain != head.previous) {
        return Ok(None);
    }
    if next <= progress.through {
        return Ok(Some(ReadGroup { head, body: None }));
    }
    let Some(bytes) = window.get(position, head.len()).await? else {
        return Ok(None);
    };
    Ok(head.body(&bytes).map(|(runs, block)| ReadGroup {
        head,
        body: Some(Group {
            seq: head.seq,
            wall_ms: head.wall_ms,
            runs,
            block,
        }),
    }))
}

/// The head of a group that was written behind `position` in this use of the file.
async fn evidence_behind(
    window: &mut Window,
    position: u64,
    segment: u64,
    next: GroupSeq,
) -> Result<Option<GroupHead>, OpenError> {
    let mut at = position + ALIGN_BYTES;
    while let Some(bytes) = window.get(at, GROUP_HEAD_BYTES).await? {
        if let Some(head) = GroupHead::decode(&bytes)
            && head.segment == segment
            && head.seq > next
        {
            return Ok(Some(head));
        }
        at += ALIGN_BYTES;
    }
    Ok(None)
}

/// A file read forward in large pieces.
struct Window {
    file: Arc<dyn DiskFile>,
    len: u64,
    start: u64,
    bytes: Bytes,
}

impl Window {
    fn new(file: Arc<dyn DiskFile>, len: u64) -> Self {
        Self {
            file,
            len,
            start: 0,
            bytes: Bytes::new(),
        }
    }

    /// `len` bytes at `position`; `None` past the end of the file.
    async fn get(&mut self, position: u64, len: usize) -> Result<Option<Bytes>, OpenError> {
        let end = position + len as u64;
        if end > self.len {
            return Ok(None);
        }
        if position < self.start || end > self.start + self.bytes.len() as u64 {
            let rest = usize::try_from(self.len - position).unwrap_or(usize::MAX);
            let want = len.max(WINDOW_BYTES).min(rest);
            self.bytes = self
                .file
                .read_at(position, want)
                .await
                .map_err(|error| storage(&error))?;
            self.start = position;
        }
        let from = usize::try_from(position - self.start).expect("inside the window");
        Ok(Some(self.bytes.slice(from..from + len)))
    }
}

fn missing(expected: GroupSeq, segment: u64) -> OpenError {
    OpenError::Corrupt(format!(
        "{expected} of the write-ahead log is damaged or missing, but a later one in {} was flushed after it",
        segment_name(segment)
    ))
}

fn storage(error: &io::Error) -> OpenError {
    OpenError::Storage(format!("write-ahead log: {error}"))
}

/// Tells the segments of one data directory from another's. Needs to differ, not to be secret.
fn draw_log_id(clock: &dyn Clock) -> u64 {
    let mut seed = [0; 24];
    seed[..8].copy_from_slice(&clock.wall_ms().to_le_bytes());
    seed[8..].copy_from_slice(&clock.monotonic().as_nanos().to_le_bytes());
    xxh3_64(&seed)
}
