//! The real disk and the write-ahead log's own threads.

use crate::support::{EPOCH, World, append, batch, read_all};
use millstream_log::disk::FileDisk;
use millstream_log::objects::remote::RemoteStore;
use millstream_log::objects::store::ObjectStore;
use millstream_log::{FlushMode, Log, LogPorts, OpenError, StreamId, WalRunner};
use std::path::Path;
use std::sync::Arc;

async fn open(world: &World, path: &Path) -> Result<Log, OpenError> {
    open_with(world, path, world.objects.clone()).await
}

async fn open_with(world: &World, path: &Path, objects: Arc<dyn ObjectStore>) -> Result<Log, OpenError> {
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(FileDisk::open(path, FlushMode::Sync)?),
        objects,
        second_tier: None,
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Thread,
    };
    Log::open(world.config.clone(), ports).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_on_the_real_disk_are_all_there_after_restart() {
    const TASKS: u64 = 8;
    const APPENDS: usize = 50;
    let path = std::env::temp_dir().join(format!("millstream-log-real-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    let mut world = World::new();
    world.config.upload_bytes = 200 << 10;
    for life in 1..=2 {
        let log = open(&world, &path).await.unwrap();
        assert!(matches!(open(&world, &path).await, Err(OpenError::InUse(_))));
        let mut tasks = Vec::new();
        for task in 0..TASKS {
            // Two tasks share a stream.
            let stream = log.open_stream(StreamId(task / 2), EPOCH);
            tasks.push(tokio::spawn(async move {
                for _ in 0..APPENDS {
                    append(&stream, batch(&"r".repeat(500), 2)).await;
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        for id in 0..TASKS / 2 {
            let records = read_all(&log.open_stream(StreamId(id), EPOCH)).await;
            assert_eq!(records.len(), life * 2 * APPENDS * 2);
        }
        log.close().await;
    }
    std::fs::remove_dir_all(&path).unwrap();
}

/// Small batches share blocks of an object; large ones begin at a page of it, and are written from where they lie.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_every_size_come_back_from_objects_on_the_real_disk() {
    let path = std::env::temp_dir().join(format!("millstream-log-sizes-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    let mut world = World::new();
    world.config.wal_segment_bytes = 16 << 20;
    // What is read comes from objects.
    world.config.tail_cache_bytes = 1;
    world.config.block_cache_bytes = 1 << 20;
    let mut expected = Vec::new();
    for life in 0..2 {
        let objects = Arc::new(RemoteStore::local(&path.join("objects")).unwrap());
        let log = open_with(&world, &path.join("wal"), objects).await.unwrap();
        for round in 0..3 {
            for size in [
                10,
                1 << 20,
                300,
                65_500,
                100_000,
                5000,
                700_000,
                1,
                65_536,
                300_000,
            ] {
                let value = format!("{life}.{round}.{size}.{}", "v".repeat(size));
                for id in 0..2 {
                    append(&log.open_stream(StreamId(id), EPOCH), batch(&value, 1)).await;
                }
                expected.push(format!("{value}.0"));
            }
            log.upload_now().await.unwrap();
        }
        log.housekeep_now().await.unwrap();
        for id in 0..2 {
            let records = read_all(&log.open_stream(StreamId(id), EPOCH)).await;
            assert!(
                records.iter().map(|(_, value)| value).eq(&expected),
                "stream {id}"
            );
        }
        log.close().await;
    }
    std::fs::remove_dir_all(&path).unwrap();
}
