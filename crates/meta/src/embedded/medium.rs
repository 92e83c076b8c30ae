//! The file under the embedded store, watched for a failed sync.
//!
//! Owns: opening the file, knowing whether the operating system ever failed to make it durable. Never: its content.
//! **Invariant**: after one failed sync nothing more is believed of this file: Linux forgets which pages were lost, so that a
//! later sync succeeds without them.

use millstream_log::OpenError;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the bytes are. Opened again after a failed write; the tests' medium crashes and runs full.
pub(super) trait Medium: Send + 'static {
    fn open(&self) -> Result<Box<dyn StorageBackend>, OpenError>;
    fn name(&self) -> String;
}

/// A file on a local disk.
pub(super) struct DiskFile {
    pub(super) path: PathBuf,
}

impl Medium for DiskFile {
    fn open(&self) -> Result<Box<dyn StorageBackend>, OpenError> {
        let file =
            open_durably(&self.path).map_err(|e| OpenError::Storage(format!("{}: {e}", self.name())))?;
        let backend = FileBackend::new(file).map_err(|e| OpenError::Storage(e.to_string()))?;
        Ok(Box::new(backend))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Opens or creates the file; a new one's directory entry is durable before anything is written into it.
fn open_durably(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let file = options.create(true).truncate(false).open(path)?;
    File::open(directory)?.sync_all()?;
    Ok(file)
}

/// Passes everything on and remembers a failed sync.
#[derive(Debug)]
pub(super) struct SyncWatched {
    inner: Box<dyn StorageBackend>,
    sync_failed: Arc<AtomicBool>,
}

impl SyncWatched {
    pub(super) fn new(inner: Box<dyn StorageBackend>, sync_failed: Arc<AtomicBool>) -> Self {
        Self { inner, sync_failed }
    }
}

impl StorageBackend for SyncWatched {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.inner.sync_data();
        if synced.is_err() {
            self.sync_failed.store(true, Ordering::Release);
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
