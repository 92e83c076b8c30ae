//! Port: the disk under the file write-ahead log. The simulator's disk tears writes, loses what was not flushed and runs full.
//!
//! The real adapter blocks: the write-ahead log calls it from a thread of its own, never from a runtime worker.

pub(crate) mod direct;
pub mod file;
pub(crate) mod pages;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use file::FileDisk;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::io;
use std::sync::Arc;

/// Room on the volume under a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Size of the volume.
    pub total_bytes: u64,
    /// What this process may still fill.
    pub usable_bytes: u64,
}

/// A flat directory of files.
pub trait Disk: Send + Sync + 'static {
    /// Names of all files, in no order.
    fn list(&self) -> BoxFuture<'_, io::Result<Vec<String>>>;
    /// Creates `name`, which must not exist, with `len` bytes of zeros allocated and durable, its directory entry too.
    /// `ErrorKind::StorageFull` leaves nothing behind.
    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>>;
    /// Like `create`, but for what may be lost: the room is there, nothing is flushed, and what the file holds nobody can tell.
    fn reserve<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        self.create(name, len)
    }
    /// Opens an existing file for reading and writing.
    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>>;
    /// Renames durably, replacing `to`.
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, io::Result<()>>;
    /// Removes durably.
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<()>>;
    /// Room on the volume; `None` where nobody can tell. Answers from memory of the system, without waiting for a medium.
    fn space(&self) -> Option<DiskSpace> {
        None
    }
}

/// One file.
#[expect(clippy::len_without_is_empty, reason = "nobody asks a pre-allocated file")]
pub trait DiskFile: Send + Sync + 'static {
    /// Length in bytes.
    fn len(&self) -> BoxFuture<'_, io::Result<u64>>;
    /// Writes the parts one after the other from `offset`. Not durable before `sync`; a crash may keep any part of it.
    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, io::Result<()>>;
    /// Makes every finished write durable. After an error the state of every write since the last success is unknown,
    /// and a later success proves nothing: the caller gives the file up.
    fn sync(&self) -> BoxFuture<'_, io::Result<()>>;
    /// Reads exactly `len` bytes.
    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, io::Result<Bytes>>;
}
