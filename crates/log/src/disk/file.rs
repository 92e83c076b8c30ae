//! The real disk: one directory, locked against a second process.
//!
//! Owns: pre-allocation, vectored writes past the page cache or through it, fdatasync, the sync of the directory, the lock file.
//! Blocks: on a thread without a runtime it works in place; on a runtime it moves to the blocking pool.
//!
//! **Invariant**: what `create`, `rename` and `remove` report done survives a power failure.

use super::direct::{self, ALIGN_BYTES, Aligned, past_the_cache};
use super::{Disk, DiskFile, DiskSpace};
use crate::config::FlushMode;
use crate::error::OpenError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Name of the file whose lock says that the directory is in use. It holds nothing.
const LOCK_NAME: &str = "lock";
/// What one write of zeros covers while a file is allocated.
const ZEROS_BYTES: usize = 1 << 20;
/// What is copied for one direct write, where what is to be written does not lie as the disk wants it.
const BOUNCE_BYTES: usize = 128 << 10;

/// See the module.
pub struct FileDisk {
    inner: Arc<Directory>,
}

struct Directory {
    path: PathBuf,
    /// Whether writes go past the page cache.
    is_direct: bool,
    /// Open on the directory itself, to flush its entries.
    handle: File,
    /// Locked as long as it is open: also after kill -9 the operating system lets go of it.
    _lock: File,
}

impl FileDisk {
    /// Opens the directory, created if it is missing, and locks it until the value is dropped. Writes that are to be flushed go past
    /// the page cache, where the file system can do it; others are faster into it.
    pub fn open(path: impl Into<PathBuf>, flush: FlushMode) -> Result<Self, OpenError> {
        let path = path.into();
        let failed = |error: io::Error| OpenError::Storage(format!("{}: {error}", path.display()));
        fs::create_dir_all(&path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_NAME));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let is_direct = flush == FlushMode::Sync && direct::is_possible(&path);
        let handle = File::open(&path).map_err(failed)?;
        // The directory itself may be new; its own entry lies in its parent.
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent).map_err(failed)?;
        }
        let inner = Directory {
            path,
            is_direct,
            handle,
            _lock: lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    fn run<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'a, io::Result<T>> {
        let directory = self.inner.clone();
        Box::pin(blocking(move || work(&directory)))
    }
}

impl Disk for FileDisk {
    fn list(&self) -> BoxFuture<'_, io::Result<Vec<String>>> {
        self.run(|directory| {
            let mut names = Vec::new();
            for entry in fs::read_dir(&directory.path)? {
                let entry = entry?;
                // What is not a file, or has no readable name, is not ours.
                if entry.file_type()?.is_file()
                    && let Ok(name) = entry.file_name().into_string()
                {
                    names.push(name);
                }
            }
            Ok(names)
        })
    }

    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        let name = name.to_owned();
        self.run(move |directory| directory.create(&name, len))
    }

    fn reserve<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        let name = name.to_owned();
        self.run(move |directory| directory.reserve(&name, len))
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        let name = name.to_owned();
        self.run(move |directory| {
            let path = directory.path.join(name);
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            let file: Arc<dyn DiskFile> = Arc::new(directory.open_file(&path, file)?);
            Ok(file)
        })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, io::Result<()>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(move |directory| {
            fs::rename(directory.path.join(from), directory.path.join(to))?;
            directory.handle.sync_all()
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<()>> {
        let name = name.to_owned();
        self.run(move |directory| {
            fs::remove_file(directory.path.join(name))?;
            directory.handle.sync_all()
        })
    }

    fn space(&self) -> Option<DiskSpace> {
        let volume = rustix::fs::fstatvfs(&self.inner.handle).ok()?;
        Some(DiskSpace {
            total_bytes: volume.f_blocks.saturating_mul(volume.f_frsize),
            // Without what is reserved for the superuser.
            usable_bytes: volume.f_bavail.saturating_mul(volume.f_frsize),
        })
    }
}

impl Directory {
    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.make(name, |file| {
            file.fill(len)?;
            self.handle.sync_all()
        })
    }

    fn reserve(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.make(name, |file| {
            let file = &file.ways.file;
            if !direct::allocate(file, len)? {
                // A full disk shows when the file is written.
                file.set_len(len)?;
            }
            Ok(())
        })
    }

    /// A new file, whole or not there.
    fn make(
        &self,
        name: &str,
        prepare: impl FnOnce(&RealFile) -> io::Result<()>,
    ) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let made = self.open_file(&path, file).and_then(|file| {
            prepare(&file)?;
            Ok(file)
        });
        if made.is_err() {
            // The first error tells why; that the rest cannot be removed either adds nothing.
            let _ = fs::remove_file(&path);
        }
        Ok(Arc::new(made?))
    }

    fn open_file(&self, path: &Path, file: File) -> io::Result<RealFile> {
        let direct = if self.is_direct {
            Some(Direct {
                file: past_the_cache(OpenOptions::new().write(true)).open(path)?,
                bounce: Mutex::new(Aligned::new(BOUNCE_BYTES)),
            })
        } else {
            None
        };
        let ways = Ways { file, direct };
        Ok(RealFile { ways: Arc::new(ways) })
    }
}

struct RealFile {
    ways: Arc<Ways>,
}

/// How a file is reached. What one way wrote the other reads: direct writes drop what the page cache holds of their place.
struct Ways {
    /// Through the page cache.
    file: File,
    direct: Option<Direct>,
}

/// Past the page cache.
struct Direct {
    file: File,
    /// Of this file alone: nobody waits for a write to another one. Memory is taken where it is first used.
    bounce: Mutex<Aligned>,
}

impl RealFile {
    /// Written, not only reserved: a reserved extent becomes written by the first write to it, and then fdatasync has to commit the
    /// file system's journal as well.
    fn fill(&self, len: u64) -> io::Result<()> {
        let zeros = Aligned::new(ZEROS_BYTES);
        let mut at = 0;
        while at < len {
            let part = usize::try_from(len - at).map_or(ZEROS_BYTES, |left| left.min(ZEROS_BYTES));
            let file = match &self.ways.direct {
                Some(direct) if part.is_multiple_of(ALIGN_BYTES) => &direct.file,
                _ => &self.ways.file,
            };
            file.write_all_at(&zeros[..part], at)?;
            at += part as u64;
        }
        self.ways.file.sync_all()
    }
}

impl Ways {
    fn write(&self, offset: u64, parts: &[Bytes]) -> io::Result<()> {
        let len: usize = parts.iter().map(Bytes::len).sum();
        let is_aligned = len.is_multiple_of(ALIGN_BYTES) && offset.is_multiple_of(ALIGN_BYTES as u64);
        match &self.direct {
            Some(way) if is_aligned => {
                direct::write(&way.file, offset, parts, &mut way.bounce.lock()).map(|_copied| ())
            }
            _ => write_parts(&self.file, offset, parts),
        }
    }
}

impl DiskFile for RealFile {
    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        let ways = self.ways.clone();
        Box::pin(blocking(move || Ok(ways.file.metadata()?.len())))
    }

    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, io::Result<()>> {
        if Handle::try_current().is_err() {
            return Box::pin(async move { self.ways.write(offset, parts) });
        }
        let (ways, parts) = (self.ways.clone(), parts.to_vec());
        Box::pin(blocking(move || ways.write(offset, &parts)))
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        let ways = self.ways.clone();
        Box::pin(blocking(move || ways.file.sync_data()))
    }

    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        let ways = self.ways.clone();
        Box::pin(blocking(move || read_exact_at(&ways.file, offset, len)))
    }
}

/// Makes the folder's entries durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Exactly `len` bytes from `offset` on, in a buffer of that size, or `UnexpectedEof`.
pub(crate) fn read_exact_at(file: &File, offset: u64, len: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let at = offset + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The allocator may have given more room than was asked for.
    bytes.truncate(len);
    Ok(bytes.into())
}

/// In place on a thread of the log's own; in the blocking pool on a runtime's, whose workers must not wait for a disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match Handle::try_current() {
        Err(_) => work(),
        Ok(runtime) => {
            let done = runtime.spawn_blocking(work).await;
            done.unwrap_or_else(|error| Err(io::Error::other(error)))
        }
    }
}

/// One vectored write, as a rule; the cursor is the file's own, which only the write-ahead log's one writer moves.
fn write_parts(file: &File, offset: u64, parts: &[Bytes]) -> io::Result<()> {
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    let mut slices: Vec<IoSlice<'_>> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| IoSlice::new(part))
        .collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
