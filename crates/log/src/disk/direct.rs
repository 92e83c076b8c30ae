//! Writes past the page cache (O_DIRECT): the disk reads the bytes where they lie.
//!
//! What is written once, and read from memory or much later, gains nothing from the page cache, and pays for it: a copy, pages that the
//! kernel finds, writes back and gives up again, and flushes that wait for each other's writeback.
//!
//! Owns: what the disk asks of such a write, which is that it begins and ends at a page, in the file and in memory. What does not is
//! copied to a page that does.

use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::ops::{Deref, DerefMut, Range};
use std::path::Path;

/// Direct writes begin and end at multiples of this, in the file and in memory: as much as any disk asks for.
pub(crate) const ALIGN_BYTES: usize = 4096;
/// Stretches of one vectored write: far below what systems take (1024).
const PIECES_MAX: usize = 512;

/// See `is_possible`.
const SCRATCH_NAME: &str = "probe#0";

/// A buffer that begins at a multiple of `ALIGN_BYTES`.
pub(crate) struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// Of `len` zeros.
    pub(crate) fn new(len: usize) -> Aligned {
        let bytes = vec![0; len + ALIGN_BYTES];
        let start = bytes.as_ptr().align_offset(ALIGN_BYTES);
        Aligned { bytes, start, len }
    }
}

impl Deref for Aligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }
}

/// Makes `options` open for direct writes. An error of kind `InvalidInput`, at opening or at a write, says that the file system has none
/// (some in memory, some over a network).
#[cfg(target_os = "linux")]
pub(crate) fn past_the_cache(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::DIRECT.bits().cast_signed())
}

/// Other systems know no such flag: their files are written through the page cache.
#[cfg(not(target_os = "linux"))]
pub(crate) fn past_the_cache(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether the folder's file system takes direct writes; tried on a file that is removed again. Named as what is unfinished, so that
/// no listing shows it, and a start removes what a crash left of it.
pub(crate) fn is_possible(folder: &Path) -> bool {
    let scratch = folder.join(SCRATCH_NAME);
    let page = [Bytes::from_static(&[0; ALIGN_BYTES])];
    let mut bounce = Aligned::new(ALIGN_BYTES);
    let written = past_the_cache(OpenOptions::new().write(true).create(true).truncate(false))
        .open(&scratch)
        .and_then(|file| write(&file, 0, &page, &mut bounce).map(|_copied| ()));
    // It may not even have been made.
    let _ = std::fs::remove_file(scratch);
    match written {
        Ok(()) => cfg!(target_os = "linux"),
        // A full disk says nothing of it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            cfg!(target_os = "linux")
        }
        Err(error) => {
            tracing::info!(path = %folder.display(), %error, "no direct writes here: everything goes through the page cache");
            false
        }
    }
}

/// Allocates `len` bytes, where the file system can do that before they are written. Answers whether it could.
pub(crate) fn allocate(file: &File, len: u64) -> io::Result<bool> {
    use rustix::io::Errno;
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, len) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Zeros that fill the page in which `len` bytes end; none where they end with it.
pub(crate) fn padding(len: u64) -> Bytes {
    let missing = len.next_multiple_of(ALIGN_BYTES as u64) - len;
    zeros(usize::try_from(missing).expect("less than a page"))
}

/// So many zeros, a page at most.
pub(crate) fn zeros(len: usize) -> Bytes {
    static PAGE: [u8; ALIGN_BYTES] = [0; ALIGN_BYTES];
    Bytes::from_static(&PAGE[..len])
}

/// Where a stretch of the file comes from.
enum Piece<'a> {
    /// From where it lies.
    There(&'a [u8]),
    /// From this part of the bounce buffer.
    Copied(Range<usize>),
}

/// Writes the parts one after the other from `at`. `at` and the parts' bytes together are multiples of `ALIGN_BYTES`, and so are begin and
/// length of `bounce`. Of a part that lies so as well, in memory and in the file, no byte is copied but those of its last page. Answers
/// how many bytes were copied.
pub(crate) fn write(file: &File, mut at: u64, parts: &[Bytes], bounce: &mut [u8]) -> io::Result<u64> {
    let mut pieces: Vec<Piece<'_>> = Vec::with_capacity((2 * parts.len()).min(PIECES_MAX));
    let mut filled = 0;
    let mut copied = 0;
    for part in parts {
        let mut rest = &part[..];
        while !rest.is_empty() {
            let open = filled % ALIGN_BYTES;
            if open == 0 && (filled == bounce.len() || pieces.len() >= PIECES_MAX) {
                at += flush(file, at, &mut pieces, bounce)?;
                filled = 0;
            }
            if open == 0 && rest.len() >= ALIGN_BYTES && is_aligned(rest) {
                let (whole, tail) = rest.split_at(rest.len() / ALIGN_BYTES * ALIGN_BYTES);
                pieces.push(Piece::There(whole));
                rest = tail;
                continue;
            }
            let to_page = ALIGN_BYTES - open;
            let lies_so_then = rest.get(to_page..).is_some_and(is_aligned);
            let room = if lies_so_then {
                to_page
            } else {
                bounce.len() - filled
            };
            let count = rest.len().min(room);
            bounce[filled..filled + count].copy_from_slice(&rest[..count]);
            match pieces.last_mut() {
                Some(Piece::Copied(range)) => range.end += count,
                _ => pieces.push(Piece::Copied(filled..filled + count)),
            }
            filled += count;
            copied += count as u64;
            rest = &rest[count..];
        }
    }
    flush(file, at, &mut pieces, bounce)?;
    Ok(copied)
}

fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(ALIGN_BYTES)
}

/// One vectored write, as a rule. Answers the bytes.
fn flush(file: &File, at: u64, pieces: &mut Vec<Piece<'_>>, bounce: &[u8]) -> io::Result<u64> {
    let mut slices: Vec<IoSlice<'_>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::There(bytes) => IoSlice::new(bytes),
            Piece::Copied(range) => IoSlice::new(&bounce[range.clone()]),
        })
        .collect();
    let mut rest = &mut slices[..];
    let mut done = 0;
    while !rest.is_empty() {
        match rustix::io::pwritev(file, rest, at + done) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                done += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    pieces.clear();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system without direct writes takes the same calls.
    fn open(name: &str) -> (std::path::PathBuf, File) {
        let path = std::env::temp_dir().join(format!("millstream-direct-{}-{name}", std::process::id()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let file = past_the_cache(&mut options).open(&path).or_else(|_| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path)
        });
        (path, file.expect("a file"))
    }

    fn bytes(len: usize, seed: u8) -> Vec<u8> {
        (0..len)
            .map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed))
            .collect()
    }

    #[test]
    fn parts_that_lie_anywhere_are_written_as_they_are() {
        let lens = [1, 16, 4080, 4095, 4096, 4097, 9000, 20_480, 100_000];
        let mut bounce = Aligned::new(2 * ALIGN_BYTES);
        let (path, file) = open("parts");
        for first in lens {
            for second in lens {
                let mut parts = vec![Bytes::from(bytes(first, 1)), Bytes::from(bytes(second, 2))];
                let mut lies_so = Aligned::new(3 * ALIGN_BYTES);
                lies_so.copy_from_slice(&bytes(3 * ALIGN_BYTES, 3));
                parts.insert(1, Bytes::from_owner(Owned(lies_so)));
                let len: usize = parts.iter().map(Bytes::len).sum();
                parts.push(Bytes::from(vec![0; len.next_multiple_of(ALIGN_BYTES) - len]));
                let copied = write(&file, ALIGN_BYTES as u64, &parts, &mut bounce).expect("a write");
                let lies_so = if first.is_multiple_of(ALIGN_BYTES) {
                    3 * ALIGN_BYTES
                } else {
                    0
                };
                assert!(copied <= (len.next_multiple_of(ALIGN_BYTES) - lies_so) as u64);
                let len = len.next_multiple_of(ALIGN_BYTES);
                let found = std::fs::read(&path).expect("the file");
                assert!(
                    found[ALIGN_BYTES..ALIGN_BYTES + len] == parts.concat(),
                    "{first} {second}"
                );
            }
        }
        std::fs::remove_file(path).expect("cleaning up");
    }

    #[test]
    fn more_parts_than_one_write_takes_are_written_as_they_are() {
        let mut bounce = Aligned::new(4 * ALIGN_BYTES);
        let (path, file) = open("many");
        // By turns one that lies so, and two that do not, and are a page together.
        let mut parts = Vec::new();
        for n in 0..PIECES_MAX {
            let mut lies_so = Aligned::new(ALIGN_BYTES);
            lies_so.copy_from_slice(&bytes(ALIGN_BYTES, n as u8));
            let not_so = Bytes::from(bytes(ALIGN_BYTES + 1, (n as u8).wrapping_add(1))).slice(1..);
            parts.extend([
                Bytes::from_owner(Owned(lies_so)),
                not_so.slice(..100),
                not_so.slice(100..),
            ]);
        }
        let copied = write(&file, 0, &parts, &mut bounce).expect("a write");
        assert_eq!(copied, (PIECES_MAX * ALIGN_BYTES) as u64);
        assert!(std::fs::read(&path).expect("the file") == parts.concat());
        std::fs::remove_file(path).expect("cleaning up");
    }

    struct Owned(Aligned);

    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
}
