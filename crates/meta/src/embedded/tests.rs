//! Tests of the embedded store: the port's promises, and what the file survives.
//!
//! Owns: a disk that loses power, runs full and fails to sync. Never: what the conformance suite checks already.
//! **Invariant**: none.

use super::medium::Medium;
use super::{EmbeddedStore, Journal};
use crate::conformance::{RuntimeClock, World, check_metadata_store};
use crate::store::{Entry, KeyRange, MetaStore, Revision, Txn, TxnError, TxnOutcome, WatchError, range_all};
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use millstream_log::{Fate, OpenError};
use parking_lot::Mutex;
use redb::StorageBackend;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

struct FileWorld {
    store: EmbeddedStore,
    _directory: TempDir,
}

impl World for FileWorld {
    fn store(&self) -> Arc<dyn MetaStore> {
        Arc::new(self.store.clone())
    }

    fn pass_time(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn compact(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.store.compact() })
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("meta/meta.redb")
}

async fn open(directory: &TempDir) -> EmbeddedStore {
    EmbeddedStore::open(&file(directory), RuntimeClock::starting_now())
        .await
        .expect("opens")
}

fn number(i: u64) -> Bytes {
    Bytes::from(i.to_string())
}

async fn put(store: &EmbeddedStore, key: &str, i: u64) -> Revision {
    match store.txn(Txn::new().put(key, number(i))).await {
        Ok(TxnOutcome::Committed { revision }) => revision,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_embedded_store_keeps_every_promise() {
    check_metadata_store(&|| {
        Box::pin(async {
            let directory = TempDir::new().expect("a directory");
            let store = open(&directory).await;
            Box::new(FileWorld {
                store,
                _directory: directory,
            }) as Box<dyn World>
        })
    })
    .await;
}

#[tokio::test]
async fn content_and_revisions_survive_reopening() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory).await;
    let first = put(&store, "a/1", 1).await;
    put(&store, "a/2", 2).await;
    store.txn(Txn::new().delete("a/2")).await.expect("answers");
    let before = range_all(&store, KeyRange::prefix("a/")).await.expect("answers");
    // Dropped without `close`.
    drop(store);
    let store = open(&directory).await;
    let after = range_all(&store, KeyRange::prefix("a/")).await.expect("answers");
    assert_eq!(before, after);
    assert_eq!(after.0[0].1.modified, first);
    assert!(put(&store, "a/3", 3).await > after.1);
    let mut watch = store.watch(KeyRange::prefix("a/"), first).await.expect("a watch");
    assert_eq!(
        watch.next().await,
        Err(WatchError::Lagged { oldest: after.1 }),
        "history is not kept"
    );
}

#[tokio::test]
async fn a_file_in_use_is_not_opened_again_until_it_is_closed() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory).await;
    let again = EmbeddedStore::open(&file(&directory), RuntimeClock::starting_now()).await;
    assert!(matches!(again, Err(OpenError::InUse(_))), "{again:?}");
    let mut watch = store
        .watch(KeyRange::prefix("a"), Revision(0))
        .await
        .expect("a watch");
    store.close().await;
    assert!(
        matches!(watch.next().await, Err(WatchError::Unavailable(_))),
        "a watch ends with its store"
    );
    let refused = store.txn(Txn::new().put("a", number(1))).await;
    assert!(
        matches!(
            refused,
            Err(TxnError::Store {
                fate: Fate::NotDone,
                ..
            })
        ),
        "{refused:?}"
    );
    let store = open(&directory).await;
    assert_eq!(store.get("a").await, Ok(None));
}

#[tokio::test]
async fn sessions_end_when_the_store_is_opened_again() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory).await;
    let session = store
        .open_session(Duration::from_secs(60))
        .await
        .expect("answers");
    let txn = Txn::new()
        .put_bound("a/1", number(1), session.id)
        .put("a/2", number(2));
    store.txn(txn).await.expect("answers");
    store.close().await;
    let store = open(&directory).await;
    assert_eq!(store.get("a/1").await, Ok(None));
    assert!(store.get("a/2").await.expect("answers").is_some());
    let next = store
        .open_session(Duration::from_secs(60))
        .await
        .expect("answers");
    assert!(next.fencing > session.fencing);
}

#[tokio::test]
async fn what_is_no_metadata_file_is_refused_and_left_alone() {
    let directory = TempDir::new().expect("a directory");
    std::fs::create_dir_all(file(&directory).parent().expect("has one")).expect("a directory");
    std::fs::write(file(&directory), vec![7; 10_000]).expect("written");
    let opened = EmbeddedStore::open(&file(&directory), RuntimeClock::starting_now()).await;
    assert!(matches!(opened, Err(OpenError::Corrupt(_))), "{opened:?}");
    assert_eq!(std::fs::read(file(&directory)).expect("read"), vec![7; 10_000]);
}

#[tokio::test]
async fn a_file_of_a_later_format_is_refused() {
    let directory = TempDir::new().expect("a directory");
    drop(open(&directory).await);
    {
        let database = redb::Database::open(file(&directory)).expect("opens");
        let transaction = database.begin_write().expect("a transaction");
        let facts = redb::TableDefinition::<&str, u64>::new("facts");
        transaction
            .open_table(facts)
            .expect("a table")
            .insert("format_version", 2)
            .expect("inserted");
        transaction.commit().expect("committed");
    }
    let opened = EmbeddedStore::open(&file(&directory), RuntimeClock::starting_now()).await;
    assert!(matches!(opened, Err(OpenError::UnknownVersion(_))), "{opened:?}");
}

// ---- a disk that fails -------------------------------------------------------------------------------------------------

#[derive(Debug, Default)]
struct Platter {
    durable: Vec<u8>,
    visible: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
    syncs: u64,
    /// Writes and syncs that still succeed; then the power is gone.
    power_for: Option<u64>,
    full: bool,
    sync_fails: bool,
}

#[derive(Clone, Debug, Default)]
struct FakeDisk(Arc<Mutex<Platter>>);

/// A small generator: the tests need repeatable choices, not good ones.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

impl Platter {
    fn use_power(&mut self) -> io::Result<()> {
        match &mut self.power_for {
            Some(0) => Err(io::Error::other("no power")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn write_durably(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[offset..end].copy_from_slice(data);
    }
}

impl FakeDisk {
    /// What a machine finds after the power failed: of the writes that were not synced, any sectors.
    fn after_power_loss(&self, choices: &mut Choices) -> FakeDisk {
        let mut platter = self.0.lock();
        for (offset, data) in std::mem::take(&mut platter.unsynced) {
            for (i, sector) in data.chunks(512).enumerate() {
                if choices.below(2) == 0 {
                    platter.write_durably(offset + i * 512, sector);
                }
            }
        }
        let durable = platter.durable.clone();
        FakeDisk(Arc::new(Mutex::new(Platter {
            visible: durable.clone(),
            durable,
            ..Platter::default()
        })))
    }
}

impl Medium for FakeDisk {
    fn open(&self) -> Result<Box<dyn StorageBackend>, OpenError> {
        Ok(Box::new(self.clone()))
    }

    fn name(&self) -> String {
        "a fake disk".into()
    }
}

impl StorageBackend for FakeDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().visible.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).expect("small");
        out.copy_from_slice(&self.0.lock().visible[offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock();
        platter.use_power()?;
        let len = usize::try_from(len).expect("small");
        platter.visible.resize(len, 0);
        platter.durable.resize(len, 0);
        platter
            .unsynced
            .retain(|(offset, data)| offset + data.len() <= len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock();
        platter.use_power()?;
        if platter.sync_fails {
            return Err(io::Error::other("the sync failed"));
        }
        platter.syncs += 1;
        for (offset, data) in std::mem::take(&mut platter.unsynced) {
            platter.write_durably(offset, &data);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock();
        platter.use_power()?;
        if platter.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let offset = usize::try_from(offset).expect("small");
        let end = offset + data.len();
        if platter.visible.len() < end {
            platter.visible.resize(end, 0);
        }
        platter.visible[offset..end].copy_from_slice(data);
        platter.unsynced.push((offset, data.to_vec()));
        Ok(())
    }
}

async fn open_on(disk: &FakeDisk) -> EmbeddedStore {
    let opened = EmbeddedStore::open_medium(Box::new(disk.clone()), RuntimeClock::starting_now()).await;
    opened.expect("opens")
}

async fn pair(store: &EmbeddedStore) -> (Option<Entry>, Option<Entry>) {
    (
        store.get("a").await.expect("answers"),
        store.get("b").await.expect("answers"),
    )
}

async fn put_pair(store: &EmbeddedStore, i: u64) -> Result<TxnOutcome, TxnError> {
    store
        .txn(Txn::new().put("a", number(i)).put("b", number(i)))
        .await
}

/// The power fails after any number of writes and syncs. What was answered as committed is there, whole; what was not is there
/// whole or not at all.
#[tokio::test]
async fn a_power_loss_at_any_write_loses_nothing_that_was_committed() {
    let mut choices = Choices(1);
    for power_for in 0..60 {
        let disk = FakeDisk::default();
        let store = open_on(&disk).await;
        disk.0.lock().power_for = Some(power_for);
        let mut committed = 0;
        for i in 1..=20 {
            match put_pair(&store, i).await {
                Ok(_) => committed = i,
                Err(TxnError::Store { .. }) => break,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(committed < 20, "the power was to fail");
        let store = open_on(&disk.after_power_loss(&mut choices)).await;
        let (a, b) = pair(&store).await;
        assert_eq!(a, b, "whole");
        let found = a.map_or(0, |entry| entry.modified.0);
        assert!(
            found == committed || found == committed + 1,
            "{found} after {committed}"
        );
        let next = put_pair(&store, 99).await;
        assert_eq!(
            next,
            Ok(TxnOutcome::Committed {
                revision: Revision(found + 1)
            })
        );
    }
}

/// A full disk fails the commit; once there is room again the same store goes on, and what it said of each transaction holds.
#[tokio::test]
async fn a_full_disk_fails_transactions_and_not_the_store() {
    let disk = FakeDisk::default();
    let store = open_on(&disk).await;
    put_pair(&store, 1).await.expect("room");
    disk.0.lock().full = true;
    for _ in 0..3 {
        let failed = put_pair(&store, 2).await;
        assert!(matches!(failed, Err(TxnError::Store { .. })), "{failed:?}");
        assert_eq!(pair(&store).await.0.expect("readable").value, number(1));
    }
    disk.0.lock().full = false;
    put_pair(&store, 3).await.expect("room again");
    let (a, b) = pair(&store).await;
    assert_eq!((&a.as_ref().expect("written").value, &a), (&number(3), &b));
    store.close().await;
    drop(store);
    assert_eq!(pair(&open_on(&disk).await).await, (a, b));
}

/// After a failed sync Linux forgets what was not written: a later sync that succeeds proves nothing.
#[tokio::test]
async fn a_failed_sync_is_final() {
    let disk = FakeDisk::default();
    let store = open_on(&disk).await;
    put_pair(&store, 1).await.expect("works");
    disk.0.lock().sync_fails = true;
    let failed = put_pair(&store, 2).await;
    assert!(
        matches!(
            failed,
            Err(TxnError::Store {
                fate: Fate::Unknown,
                ..
            })
        ),
        "{failed:?}"
    );
    disk.0.lock().sync_fails = false;
    for _ in 0..2 {
        let refused = put_pair(&store, 3).await;
        assert!(
            matches!(
                refused,
                Err(TxnError::Store {
                    fate: Fate::NotDone,
                    ..
                })
            ),
            "{refused:?}"
        );
    }
    assert_eq!(pair(&store).await.0.expect("still readable").value, number(1));
}

#[tokio::test]
async fn transactions_that_arrive_together_share_a_commit() {
    let disk = FakeDisk::default();
    let store = open_on(&disk).await;
    let before = disk.0.lock().syncs;
    let keys: Vec<String> = (0..200).map(|i| format!("a/{i}")).collect();
    join_all(keys.iter().map(|key| put(&store, key, 1))).await;
    let syncs = disk.0.lock().syncs - before;
    assert!(syncs <= 100, "{syncs} syncs for 200 transactions");
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_store_and_queue_intact() {
    let disk = FakeDisk::default();
    let store = open_on(&disk).await;
    for i in 0..50 {
        let _ = futures_util::future::poll_immediate(put_pair(&store, i)).await;
    }
    put_pair(&store, 99).await.expect("works");
    let (a, b) = pair(&store).await;
    assert_eq!(a, b);
    assert_eq!(a.expect("written").value, number(99));
}

#[test]
fn a_journal_that_lost_its_file_to_an_older_copy_refuses_to_go_on() {
    let disk = FakeDisk::default();
    let (mut journal, found) = Journal::open(Box::new(disk.clone())).expect("opens");
    assert_eq!(found.revision, Revision(0));
    disk.0.lock().full = true;
    let state = crate::local::State::restored(found.keys, found.revision);
    let mut draft = crate::local::Draft::new(&state, Duration::ZERO);
    draft.txn(&Txn::new().put("a", number(1))).expect("decided");
    journal
        .write(draft.finish())
        .map(|_| ())
        .expect_err("the disk is full");
    disk.0.lock().full = false;
    // The state in memory claims a revision that the file never had.
    assert!(journal.bring_back(Revision(7)).is_err());
    assert!(journal.bring_back(Revision(0)).is_err(), "for good");
}
