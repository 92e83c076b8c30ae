//! Objects as files of a local directory: written past the page cache, read block by block into place.
//!
//! An object is written once, as a whole, by a thread that has just got its bytes from memory. Through the page cache it would be
//! copied to pages of its own, which the kernel has to find, to write back and to give up again: more CPU than everything else
//! that an upload does, and writeback that makes the flushes of the write-ahead log wait.
//!
//! Owns: how a file comes to be there, whole and durable, or not at all; the few buffers that direct writes take.
//! Never: names and errors of the port, which are `remote`'s.
//!
//! **Invariant**: a name in the directory stands for a whole file, flushed before it got the name.

use super::store::PutMode;
use crate::disk::direct::{ALIGN_BYTES, Aligned, past_the_cache};
use crate::disk::file::read_exact_at;
use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes of one direct write: enough that a disk is busy with it and not with its head and tail.
const CHUNK_BYTES: usize = 1 << 20;
/// Buffers that are kept between puts: as many as there are uploads at once.
const BUFFERS_MAX: usize = crate::objects::pools::UPLOADS_MAX;

/// See the module. Its methods block.
pub(super) struct Directory {
    root: PathBuf,
    /// Tells unfinished files of one name apart.
    staged: AtomicU64,
    /// Whether the file system takes direct writes; some (in memory, over a network) do not.
    direct: AtomicBool,
    buffers: Mutex<Vec<Aligned>>,
}

/// Why a file is not there, or may not be.
#[derive(Debug)]
pub(super) enum PutFailed {
    /// It is not there.
    Before(io::Error),
    /// It has its name, and a power failure may take it again.
    After(io::Error),
}

impl Directory {
    /// Creates the directory durably and removes what a crash left of unfinished puts (`<name>#<number>`, which no listing shows).
    pub(super) fn open(root: &Path) -> io::Result<Directory> {
        fs::create_dir_all(root)?;
        if let Some(parent) = root.canonicalize()?.parent() {
            sync_folder(parent)?;
        }
        remove_staged(root)?;
        Ok(Directory {
            root: root.to_owned(),
            staged: AtomicU64::new(0),
            direct: AtomicBool::new(true),
            buffers: Mutex::default(),
        })
    }

    /// Makes the parts, one after the other, the file `key`, durably.
    pub(super) fn put(&self, key: &str, parts: Vec<Bytes>, mode: PutMode) -> Result<(), PutFailed> {
        let path = self.root.join(key);
        let staged = self.stage(&path, parts).map_err(PutFailed::Before)?;
        let named = match mode {
            PutMode::Replace => fs::rename(&staged, &path),
            PutMode::CreateNew => fs::hard_link(&staged, &path),
        };
        if mode == PutMode::CreateNew || named.is_err() {
            // What stays is removed at the next start.
            let _ = fs::remove_file(&staged);
        }
        named.map_err(PutFailed::Before)?;
        let folder = path.parent().unwrap_or(&self.root);
        sync_folder(folder).map_err(PutFailed::After)
    }

    /// Pieces of `lens` bytes from `from` on, each a buffer of its own.
    pub(super) fn read(&self, key: &str, from: u64, lens: &[u32]) -> io::Result<Vec<Bytes>> {
        let file = File::open(self.root.join(key))?;
        let len = lens.iter().map(|len| u64::from(*len)).sum::<u64>();
        // Asked for at once, so that the disk is busy with what comes while the first of it is copied.
        let _ = rustix::fs::fadvise(
            &file,
            from,
            std::num::NonZeroU64::new(len),
            rustix::fs::Advice::WillNeed,
        );
        let mut pieces = Vec::with_capacity(lens.len());
        let mut at = from;
        for len in lens {
            pieces.push(read_exact_at(&file, at, *len as usize)?);
            at += u64::from(*len);
        }
        Ok(pieces)
    }

    /// Writes and flushes a file that has no name of its own yet.
    fn stage(&self, path: &Path, parts: Vec<Bytes>) -> io::Result<PathBuf> {
        let mut staged = path.as_os_str().to_owned();
        staged.push(format!("#{}", self.staged.fetch_add(1, Ordering::Relaxed)));
        let staged = PathBuf::from(staged);
        let written = match self.write(&staged, parts.clone()) {
            // The folder is made when it is first needed, and so is the answer to whether the file system writes directly.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folders(path)?;
                self.write(&staged, parts)
            }
            Err(error)
                if error.kind() == io::ErrorKind::InvalidInput && self.direct.load(Ordering::Relaxed) =>
            {
                tracing::info!(%error, "no direct writes here: objects go through the page cache");
                self.direct.store(false, Ordering::Relaxed);
                let _ = fs::remove_file(&staged);
                self.write(&staged, parts)
            }
            written => written,
        };
        match written {
            Ok(()) => Ok(staged),
            Err(error) => {
                let _ = fs::remove_file(&staged);
                Err(error)
            }
        }
    }

    fn write(&self, staged: &Path, parts: Vec<Bytes>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let direct = self.direct.load(Ordering::Relaxed);
        if direct {
            past_the_cache(&mut options);
        }
        let mut file = options.open(staged)?;
        if direct {
            let buffer = self.buffers.lock().pop();
            let mut buffer = buffer.unwrap_or_else(|| Aligned::new(CHUNK_BYTES));
            let written = write_directly(&file, parts, &mut buffer);
            let mut buffers = self.buffers.lock();
            if buffers.len() < BUFFERS_MAX {
                buffers.push(buffer);
            }
            drop(buffers);
            written?;
        } else {
            for part in parts {
                file.write_all(&part)?;
            }
        }
        file.sync_all()
    }

    /// The folders above `path`, durably.
    fn make_folders(&self, path: &Path) -> io::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        fs::create_dir_all(folder)?;
        for above in folder
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(&self.root))
        {
            sync_folder(above)?;
        }
        Ok(())
    }
}

/// By way of the buffer, in chunks; the last one is written with zeros behind it, which are cut off then.
fn write_directly(file: &File, parts: Vec<Bytes>, chunk: &mut Aligned) -> io::Result<()> {
    let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
    if len == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, len) {
        // Said by file systems that only allocate as they write.
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut part = Bytes::new();
    let mut at = 0;
    while at < len {
        let mut filled = 0;
        while filled < CHUNK_BYTES {
            if part.is_empty() {
                match parts.next() {
                    Some(next) => part = next,
                    None => break,
                }
            }
            let count = part.len().min(CHUNK_BYTES - filled);
            part.copy_to_slice(&mut chunk[filled..filled + count]);
            filled += count;
        }
        let padded = filled.next_multiple_of(ALIGN_BYTES);
        chunk[filled..padded].fill(0);
        file.write_all_at(&chunk[..padded], at)?;
        at += filled as u64;
    }
    file.set_len(len)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn remove_staged(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let staged = name.to_str().and_then(|name| name.rsplit_once('#'));
        if entry.file_type()?.is_dir() {
            remove_staged(&entry.path())?;
        } else if staged.is_some_and(|(_, number)| number.parse::<u64>().is_ok()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(len: usize) -> Vec<Bytes> {
        let whole: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let (small, large) = whole.split_at(len / 3);
        vec![
            Bytes::copy_from_slice(small),
            Bytes::new(),
            Bytes::copy_from_slice(large),
        ]
    }

    #[test]
    fn files_of_every_length_are_what_was_put_directly_and_through_the_page_cache() {
        let root = std::env::temp_dir().join(format!("millstream-directory-{}", std::process::id()));
        let directory = Directory::open(&root).expect("a folder");
        for direct in [directory.direct.load(Ordering::Relaxed), false] {
            directory.direct.store(direct, Ordering::Relaxed);
            for len in [
                0,
                1,
                ALIGN_BYTES - 1,
                ALIGN_BYTES,
                CHUNK_BYTES,
                2 * CHUNK_BYTES + 5,
            ] {
                let key = format!("data/{direct}/{len}");
                directory
                    .put(&key, parts(len), PutMode::CreateNew)
                    .expect("a put");
                let found = fs::read(root.join(&key)).expect("the file");
                assert!(found == parts(len).concat(), "{key}");
                let taken = directory.put(&key, parts(1), PutMode::CreateNew);
                let is_taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
                assert!(
                    matches!(&taken, Err(PutFailed::Before(error)) if is_taken(error)),
                    "{taken:?}"
                );
                directory.put(&key, parts(7), PutMode::Replace).expect("a put");
                assert_eq!(fs::read(root.join(&key)).expect("the file").len(), 7);
            }
        }
        let left: Vec<_> = fs::read_dir(root.join("data/false"))
            .expect("the folder")
            .collect();
        assert_eq!(left.len(), 6, "nothing unfinished stays");
        fs::remove_dir_all(&root).expect("cleaning up");
    }
}
