//! The file medium on the real disk.

use super::Group;
use super::conformance::{self, Opened, Setup, group};
use super::tests::{SEGMENT_BYTES, open_on};
use crate::buffers::Buffers;
use crate::config::FlushMode;
use crate::disk::FileDisk;
use crate::error::OpenError;
use crate::ids::GroupSeq;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// On the real disk a kill is dropping everything that is open.
struct OnDisk {
    path: std::path::PathBuf,
}

impl Setup for OnDisk {
    fn open(&self, through: GroupSeq) -> BoxFuture<'_, Result<Opened, OpenError>> {
        Box::pin(async move {
            // The predecessor's handles are dropped by then; its lock goes with the last of them.
            let disk = FileDisk::open(&self.path, FlushMode::Sync)?;
            open_on(Arc::new(disk), FlushMode::Sync, through).await
        })
    }
    fn kill(&self) {}
    fn large_block_bytes(&self) -> usize {
        3 * SEGMENT_BYTES as usize
    }
}

fn scratch(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("millstream-wal-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[tokio::test]
async fn the_real_disk_conforms_too() {
    let path = scratch("real");
    let on = OnDisk { path: path.clone() };
    conformance::numbers_go_on_after_reopening(&on).await;
    std::fs::remove_dir_all(&path).unwrap();
    conformance::empty_and_large_groups_are_kept(&on).await;
    std::fs::remove_dir_all(&path).unwrap();
    conformance::uploaded_groups_are_not_replayed(&on).await;
    std::fs::remove_dir_all(&path).unwrap();
    conformance::blocks_of_several_pieces_are_kept(&on).await;
    std::fs::remove_dir_all(&path).unwrap();
}

/// As the write-ahead log's loop does: the bytes are put into a buffer that begins at a page.
fn pooled(buffers: &Buffers, seq: u64, bytes: usize) -> Group {
    let mut group = group(seq, bytes);
    let mut buffer = buffers.take(bytes, 0);
    buffer.extend_from_slice(&group.block.slice(0, bytes));
    group.block = buffer.freeze().into();
    group
}

#[tokio::test]
async fn blocks_of_every_size_are_read_back_from_the_real_disk_before_and_after_a_restart() {
    let sizes = [
        1,
        4000,
        4096,
        16 << 10,
        (64 << 10) - 1,
        64 << 10,
        100_000,
        192 << 10,
        300_001,
    ];
    for flush in [FlushMode::Sync, FlushMode::Async] {
        let path = scratch(&format!("sizes-{flush:?}"));
        let disk = Arc::new(FileDisk::open(&path, flush).unwrap());
        let opened = open_on(disk, flush, GroupSeq(0)).await.unwrap();
        let buffers = Buffers::default();
        for (seq, bytes) in (1..).zip(sizes) {
            opened.medium.append(pooled(&buffers, seq, bytes)).await.unwrap();
        }
        for (seq, bytes) in (1..).zip(sizes) {
            let len = u32::try_from(bytes).unwrap();
            let block = opened.medium.read(GroupSeq(seq), 0, len).await.unwrap();
            assert!(block == group(seq, bytes).block.slice(0, bytes), "{bytes} bytes");
        }
        opened.end().await;
        let disk = Arc::new(FileDisk::open(&path, flush).unwrap());
        let opened = open_on(disk, flush, GroupSeq(0)).await.unwrap();
        let blocks: Vec<_> = opened
            .replayed
            .iter()
            .map(|found| found.group.block.clone())
            .collect();
        let expected: Vec<_> = (1..)
            .zip(sizes)
            .map(|(seq, bytes)| group(seq, bytes).block)
            .collect();
        assert!(blocks == expected);
        opened.end().await;
        std::fs::remove_dir_all(&path).unwrap();
    }
}

#[tokio::test]
async fn a_data_directory_is_never_opened_twice() {
    let path = scratch("lock");
    let first = FileDisk::open(&path, FlushMode::Sync).unwrap();
    assert!(matches!(
        FileDisk::open(&path, FlushMode::Sync),
        Err(OpenError::InUse(_))
    ));
    drop(first);
    drop(FileDisk::open(&path, FlushMode::Sync).unwrap());
    std::fs::remove_dir_all(&path).unwrap();
}
