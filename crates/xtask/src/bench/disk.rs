//! What the disk under a broker does: reads past the page cache, writes that come later, room.

use crate::kernel::written_bytes;
use crate::process::now;
use crate::shell::{output, run};
use anyhow::{Context, bail};
use memmap2::{Advice, MmapMut};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// What every device takes for direct reads and writes: their place, their length and their memory are multiples of it.
pub const ALIGNMENT: usize = 4096;

/// What the kernel backs with one page where it can: a disk's request then has few pieces of memory, which some fill twice as fast.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Memory that begins at a page, in huge pages of its own.
pub struct Buffer {
    mapped: MmapMut,
    len: usize,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapped[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.mapped[..self.len]
    }
}

const READ_BYTES: usize = 1 << 20;

/// One read at a time leaves most disks idle.
const READERS: usize = 4;

/// More than this of a disk's speed is learnt by no longer read.
const DIRECT_BYTES_MAX: u64 = 4_000_000_000;

/// Files below this size say more about opening than about reading.
const FILE_BYTES_MIN: u64 = READ_BYTES as u64;

const QUIET_INTERVAL: Duration = Duration::from_millis(500);
const QUIET_INTERVALS: u32 = 4;
const QUIET_BYTES_MAX: u64 = 1_000_000;
const QUIET_LIMIT: Duration = Duration::from_secs(180);

/// Memory for direct reads and writes. It is touched here, so that what is measured later does not pay for that.
pub fn buffer(len: usize) -> anyhow::Result<Buffer> {
    let mapped =
        MmapMut::map_anon(len.next_multiple_of(HUGE_PAGE_BYTES)).context("no memory for a buffer")?;
    // Where there are none, it is small pages.
    let _ = mapped.advise(Advice::HugePage);
    let mut buffer = Buffer { mapped, len };
    buffer.fill(0);
    Ok(buffer)
}

/// To open files past the page cache (O_DIRECT).
pub fn direct() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(OFlags::DIRECT.bits().cast_signed());
    options
}

/// Waits until a process has written next to nothing for a while.
pub fn await_quiet(pid: u32) -> anyhow::Result<()> {
    let deadline = now() + QUIET_LIMIT;
    let (mut quiet, mut last) = (0, written_bytes(pid)?);
    while quiet < QUIET_INTERVALS {
        if now() > deadline {
            bail!("still writing after {QUIET_LIMIT:?}");
        }
        thread::sleep(QUIET_INTERVAL);
        let written = written_bytes(pid)?;
        quiet = if written - last <= QUIET_BYTES_MAX {
            quiet + 1
        } else {
            0
        };
        last = written;
    }
    Ok(())
}

/// What is read next comes from the disk. Needs root.
pub fn drop_page_cache() -> anyhow::Result<()> {
    run(&mut Command::new("sync"))?;
    std::fs::write("/proc/sys/vm/drop_caches", "1").context("cannot drop the page cache; are you root?")
}

/// Bytes that are free on the file system of a folder.
pub fn free_bytes(folder: &Path) -> anyhow::Result<u64> {
    let text = output(Command::new("df").args(["--output=avail", "-B1"]).arg(folder))?;
    let last = text.lines().last().unwrap_or_default();
    last.trim().parse().with_context(|| format!("df says \"{last}\""))
}

/// Reads the largest files below `folder`, `bytes` of them at most, several reads at a time, past the page cache.
pub fn direct_read_megabytes_per_second(folder: &Path, bytes: u64) -> anyhow::Result<f64> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort_by(|a, b| b.cmp(a));
    let mut pieces = Vec::new();
    let mut left = bytes.min(DIRECT_BYTES_MAX);
    for (length, path) in files {
        for place in (0..length / READ_BYTES as u64).map(|n| n * READ_BYTES as u64) {
            if left >= READ_BYTES as u64 {
                left -= READ_BYTES as u64;
                pieces.push((path.clone(), place));
            }
        }
    }
    if pieces.is_empty() {
        bail!("no file of {FILE_BYTES_MIN} bytes below {}", folder.display());
    }
    let began = now();
    let read: u64 = thread::scope(|scope| {
        let part = pieces.len().div_ceil(READERS);
        let readers: Vec<_> = pieces
            .chunks(part)
            .map(|part| scope.spawn(move || read_directly(part)))
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().expect("a reader does not panic"))
            .sum::<anyhow::Result<u64>>()
    })?;
    Ok(read as f64 / 1e6 / (now() - began).as_secs_f64())
}

/// Files with all their bytes on disk: a sparse one would be read faster than any disk.
fn collect(folder: &Path, files: &mut Vec<(u64, PathBuf)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            collect(&entry.path(), files)?;
        } else if metadata.len() >= FILE_BYTES_MIN && metadata.blocks() * 512 >= metadata.len() {
            files.push((metadata.len(), entry.path()));
        }
    }
    Ok(())
}

fn read_directly(pieces: &[(PathBuf, u64)]) -> anyhow::Result<u64> {
    let mut buffer = buffer(READ_BYTES)?;
    let mut open: Option<(&Path, File)> = None;
    let mut read = 0;
    for (path, place) in pieces {
        let file = match &open {
            Some((opened, file)) if *opened == path.as_path() => file,
            _ => {
                let file = direct().read(true).open(path);
                let file = file.with_context(|| format!("cannot open {}", path.display()))?;
                &open.insert((path.as_path(), file)).1
            }
        };
        read += file.read_at(&mut buffer, *place)? as u64;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_reads_say_a_speed_where_there_are_large_files_and_an_error_where_not() {
        let folder = std::env::temp_dir().join(format!("millstream-direct-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        assert!(direct_read_megabytes_per_second(&folder, 1 << 20).is_err());
        let file = File::create(folder.join("large")).expect("a file");
        file.write_all_at(&vec![7; 3 << 20], 0).expect("3 MiB");
        file.sync_all().expect("they are on disk");
        // A file system in memory knows no direct reads; nothing is to be learnt from it.
        if let Ok(speed) = direct_read_megabytes_per_second(&folder, 3 << 20) {
            assert!(speed > 0.0);
        }
        std::fs::remove_dir_all(&folder).expect("it was there");
    }

    #[test]
    fn free_room_is_a_number() {
        assert!(free_bytes(Path::new("/")).is_ok());
    }
}
