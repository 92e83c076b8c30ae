//! Room ahead of need: the next segment is allocated, or recycled, while the current one is written.
//!
//! Owns: creating, renaming and removing the files of the write-ahead log. Never writes a group.
//!
//! **Invariant**: a file bears a segment's name only while its header, durable before the rename, bears the same number.
//! So a damaged header under a segment's name is damage, not an interrupted preparation.
//!
//! Beside the append path, on a thread (or task) of its own: an allocation never delays a group unless it is needed at once.

use super::file::{FileWal, is_full, segment_name, spare_name};
use super::format::SegmentHeader;
use super::refusal::Refusal;
use super::segments::{SPARES_MAX, Segment, Spare};
use crate::disk::DiskFile;
use std::io;
use std::sync::Arc;

enum Job {
    Prepare {
        id: u64,
        log_id: u64,
        len: u64,
        spare: Option<Spare>,
    },
    Retire {
        segment: Segment,
        is_kept: bool,
    },
    Remove(Spare),
    Wait,
    End,
}

/// Works until the medium is closed.
pub(super) async fn run(wal: &FileWal) {
    loop {
        match next_job(wal) {
            Job::Prepare {
                id,
                log_id,
                len,
                spare,
            } => prepare(wal, id, log_id, len, spare).await,
            Job::Retire { segment, is_kept } => retire(wal, segment, is_kept).await,
            Job::Remove(spare) => remove(wal, &spare.name).await,
            Job::Wait => wal.work.notified().await,
            Job::End => return,
        }
    }
}

fn next_job(wal: &FileWal) -> Job {
    let mut segments = wal.segments.lock();
    if segments.is_closed {
        return Job::End;
    }
    // Room first: an append may wait for it, and a full disk may be waiting for the retired files.
    if let Some(segment) = segments.retired.pop() {
        let is_kept =
            segment.len == wal.segment_bytes && !segment.is_suspect && segments.spares.len() < SPARES_MAX;
        return Job::Retire { segment, is_kept };
    }
    if let Some(index) = segments
        .spares
        .iter()
        .position(|spare| spare.len != wal.segment_bytes)
    {
        return Job::Remove(segments.spares.swap_remove(index));
    }
    let wanted = segments.wanted.map(|bytes| bytes.max(wal.segment_bytes));
    let is_ready = segments
        .next
        .as_ref()
        .is_some_and(|next| wanted.is_none_or(|bytes| next.len >= bytes));
    if is_ready || segments.is_stuck {
        if is_ready {
            segments.wanted = None;
        }
        return Job::Wait;
    }
    // A group larger than a segment: the one at hand goes back, as nothing may be written behind a gap of numbers.
    if let Some(small) = segments.next.take() {
        segments.retired.push(small);
    }
    let len = wanted.unwrap_or(wal.segment_bytes);
    let spare = if len == wal.segment_bytes {
        segments.spares.pop()
    } else {
        None
    };
    let id = segments.next_id;
    segments.next_id += 1;
    Job::Prepare {
        id,
        log_id: segments.log_id,
        len,
        spare,
    }
}

async fn prepare(wal: &FileWal, id: u64, log_id: u64, len: u64, spare: Option<Spare>) {
    let outcome = make_segment(wal, id, log_id, len, spare).await;
    let mut segments = wal.segments.lock();
    match outcome {
        Ok(file) => {
            segments.next = Some(Segment::new(id, file, len));
            segments.wanted = None;
            segments.refused = None;
            segments.refusal = None;
        }
        Err(error) => {
            tracing::warn!(%error, "a segment of the write-ahead log could not be prepared");
            segments.is_stuck = true;
            if is_full(&error) {
                let before = segments.refusal.take();
                let now = wal.clock.monotonic();
                segments.refusal = Some(Refusal::new(&error, before.as_ref(), now, wal.usable_bytes()));
            }
            if segments.wanted.take().is_some() {
                segments.refused = Some(error);
            }
        }
    }
    drop(segments);
    wal.prepared.notify_one();
}

async fn make_segment(
    wal: &FileWal,
    id: u64,
    log_id: u64,
    len: u64,
    spare: Option<Spare>,
) -> io::Result<Arc<dyn DiskFile>> {
    let (name, file) = match spare {
        Some(spare) => {
            let file = wal.disk.open(&spare.name).await;
            (spare.name, file?)
        }
        None => {
            let name = spare_name(id);
            let file = wal.disk.create(&name, len).await?;
            (name, file)
        }
    };
    let made = async {
        let header = SegmentHeader { log_id, segment: id }.encode();
        file.write_at(0, &[header]).await?;
        file.sync().await?;
        wal.disk.rename(&name, &segment_name(id)).await
    };
    if let Err(error) = made.await {
        // Whatever name it has now, the next opening finds it and takes it for a spare or an empty segment.
        remove(wal, &name).await;
        return Err(error);
    }
    Ok(file)
}

async fn retire(wal: &FileWal, segment: Segment, is_kept: bool) {
    let name = segment_name(segment.id);
    if !is_kept {
        remove(wal, &name).await;
    } else {
        let spare = spare_name(segment.id);
        match wal.disk.rename(&name, &spare).await {
            Ok(()) => wal.segments.lock().spares.push(Spare {
                name: spare,
                len: segment.len,
            }),
            Err(error) => tracing::warn!(%error, name, "a segment could not be recycled"),
        }
    }
    // There may be room now for what could not be prepared before.
    let mut segments = wal.segments.lock();
    segments.is_stuck = false;
    segments.refusal = None;
}

async fn remove(wal: &FileWal, name: &str) {
    if let Err(error) = wal.disk.remove(name).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, name, "a file of the write-ahead log could not be removed");
    }
}
