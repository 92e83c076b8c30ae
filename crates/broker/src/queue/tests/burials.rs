//! Burials with a broker whose reads, topics and notes fail: what is written, how often, and what is kept in memory for it.

use super::super::cell::{Cell, answered};
use super::super::graves::{BURIALS_MAX, Graves};
use super::super::kept::Stored;
use super::super::letters::{BURIAL_BYTES_MAX, collect};
use super::super::shard::Shard;
use super::super::timers::Timers;
use super::super::*;
use super::policy;
use crate::testing::{BatchBuilder, Codec, World, batch_with, records_of};
use crate::topics::{Topic, TopicSpec};
use crate::{Broker, Dry};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::objects::store::{ObjectError, ObjectStore, PutMode};
use millstream_log::{Offset, ReadError, ReadLimit};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;

pub(super) async fn topic(broker: &Broker, name: &str, configs: &[(&str, &str)]) -> Arc<Topic> {
    let spec = TopicSpec {
        name: name.into(),
        partitions: Some(1),
        configs: configs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
            .collect(),
    };
    broker.create_topic(&spec, Dry::Run).await.expect("a new topic");
    broker.topic(name).expect("just created")
}

pub(super) async fn produce(broker: &Broker, topic: &Topic, records: &[(Option<&str>, &str)]) {
    let batch = batch_with(BatchBuilder::new(Codec::None), records);
    let pending = broker.append(topic, 0, batch).await.expect("queued");
    pending.durable().await.expect("durable");
}

async fn values(topic: &Topic) -> Vec<String> {
    let stream = topic.stream(0).expect("it has one partition");
    let limit = ReadLimit {
        bytes_max: 1 << 30,
        at_least_one: true,
        below: stream.bounds().end,
    };
    let read = stream.read(Offset(0), limit).await.expect("readable");
    let records = records_of(&read.chunks).into_iter();
    records.map(|(_, value)| value).collect()
}

struct Terms;

impl PolicySource for Terms {
    fn policy(&self, _: &SubscriptionId) -> Arc<Policy> {
        Arc::new(policy(1, 1_000, true))
    }
}

/// A burial of the first records of a topic, with a shard that this test writes for.
struct Burial {
    broker: Broker,
    graves: Arc<Graves>,
    cell: Arc<Cell>,
    keeps: Arc<AtomicBool>,
    notes: Arc<AtomicU64>,
    _closing: watch::Sender<bool>,
}

/// A subscription that has given up the first records of a topic.
fn condemned_cell(broker: &Broker, source: &Topic, records: u64) -> Arc<Cell> {
    let mut change = Change::default();
    let (deliveries, cause) = (1, Cause::Rejected);
    change
        .marks
        .set(0..=records - 1, Mark::Condemned { deliveries, cause });
    let mut ledger = Ledger::new(0);
    ledger.apply(&change);
    let id = SubscriptionId {
        space: Space(1),
        name: Arc::from("g"),
        topic: source.id(),
        partition: 0,
    };
    let timers = Arc::new(Timers::new(broker.clock().clone()));
    let shard = Arc::new(Shard::new(0));
    Arc::new(Cell::new(id, ledger, Some(Stored::default()), shard, timers))
}

/// Sees to the graves until what it answers is dropped.
fn see_to(graves: &Arc<Graves>, broker: &Broker) -> watch::Sender<bool> {
    let closing = watch::Sender::new(false);
    tokio::spawn(
        graves
            .clone()
            .run(broker.clone(), Arc::new(Terms), closing.subscribe()),
    );
    closing
}

impl Burial {
    fn begin(broker: &Broker, source: &Topic, records: u64) -> Self {
        let cell = condemned_cell(broker, source, records);
        let graves = Arc::new(Graves::default());
        graves.dig(&cell);
        let closing = see_to(&graves, broker);
        Self::kept(broker, graves, cell, closing)
    }

    /// One whose state can be written, among those that `graves` sees to.
    fn kept(broker: &Broker, graves: Arc<Graves>, cell: Arc<Cell>, closing: watch::Sender<bool>) -> Self {
        let burial = Self {
            broker: broker.clone(),
            graves,
            cell,
            keeps: Arc::new(AtomicBool::new(true)),
            notes: Arc::default(),
            _closing: closing,
        };
        tokio::spawn(burial.keeper());
        burial
    }

    /// Writes what the subscription has to say, or fails to.
    fn keeper(&self) -> impl Future<Output = ()> + Send + use<> {
        let (cell, keeps, notes) = (self.cell.clone(), self.keeps.clone(), self.notes.clone());
        let clock = self.broker.clock().clone();
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if cell.take_write().is_none() {
                    continue;
                }
                notes.fetch_add(1, SeqCst);
                if keeps.load(SeqCst) {
                    cell.kept(&policy(1, 1_000, true));
                } else {
                    cell.not_kept(&QueueError::NotKept("full".into()), clock.monotonic());
                }
            }
        }
    }

    async fn finished(&self) {
        let finished = async {
            while self.cell.counts().condemned > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let patience = Duration::from_secs(3_600);
        tokio::time::timeout(patience, finished).await.expect("it ends");
    }

    /// A consumer is given the first record, and rejects it.
    async fn rejected_by_a_consumer(&self) {
        let (terms, now) = (policy(1, 1_000, true), self.broker.clock().monotonic());
        let offer = Offer {
            covered: (0, 0),
            batches: &[(0, 0)],
            records_max: 1,
            dispatch: Dispatch::Records,
        };
        let got = self.cell.acquire(Holder(1), offer, &terms, now);
        assert_eq!(got.len(), 1, "it is handed out again");
        let answer = Settlement {
            range: 0..=0,
            disposition: Disposition::Reject,
        };
        let kept = self.cell.settle(Holder(1), &[answer], &terms, now);
        answered(kept.expect("it holds it").expect("it must be durable"))
            .await
            .expect("kept");
        self.graves.dig(&self.cell);
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_read_now_keep_their_place_and_those_that_are_damaged_go_with_labels() {
    let mut world = World::default();
    // Nothing is read from memory.
    world.log.tail_cache_bytes = 0;
    let broker = world.open().await;
    let source = topic(&broker, "t", &[]).await;
    produce(&broker, &source, &[(None, "precious")]).await;
    // The last groups are kept all the same.
    for _ in 0..3 {
        produce(&broker, &source, &[(None, "later")]).await;
    }
    let condemned = [(0..=0, 1, Cause::Rejected)];
    let files = || world.disk.files().into_iter().map(|(name, _)| name);
    let saved: Vec<_> = files()
        .map(|name| (name.clone(), world.disk.contents(&name)))
        .collect();
    for (name, _) in &saved {
        world.disk.damage(name, Vec::clear);
    }
    let unread = collect(&source, 0, &condemned).await;
    assert!(
        matches!(unread.err(), Some(ReadError::Storage(_))),
        "to be tried again"
    );
    for (name, bytes) in &saved {
        world
            .disk
            .damage(name, |now| now.clone_from(bytes.as_ref().expect("it was there")));
    }
    let letters = collect(&source, 0, &condemned).await.expect("readable");
    assert_eq!(letters[0].value(), Some(&b"precious"[..]));
    for (name, _) in &saved {
        let rot = |bytes: &mut Vec<u8>| {
            if let Some(at) = bytes.windows(8).position(|window| window == b"precious") {
                bytes[at] = b'P';
            }
        };
        world.disk.damage(name, rot);
    }
    let letters = collect(&source, 0, &condemned).await.expect("damaged for ever");
    assert_eq!((letters.len(), letters[0].value()), (1, None));
}

#[tokio::test(start_paused = true)]
async fn one_range_of_large_records_takes_no_more_memory_than_many_ranges() {
    let broker = World::default().open().await;
    let source = topic(&broker, "t", &[]).await;
    let large = "x".repeat(BURIAL_BYTES_MAX / 4);
    for _ in 0..4 {
        produce(
            &broker,
            &source,
            &[(None, &large), (None, &large), (None, &large)],
        )
        .await;
    }
    let condemned = [(1..=11, 1, Cause::Rejected)];
    let letters = collect(&source, 0, &condemned).await.expect("readable");
    let offsets: Vec<_> = letters.iter().map(|letter| letter.offset).collect();
    assert_eq!(offsets, [1, 2, 3, 4]);
    assert!(letters.iter().all(|letter| letter.value().is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_letter_has_no_other_batch_written_again() {
    let broker = World::default().open().await;
    let source = topic(&broker, "t", &[]).await;
    // Takes no record without a key, and few at a time.
    let small = [("cleanup.policy", "compact"), ("max.message.bytes", "600")];
    let dead = topic(&broker, "dead", &small).await;
    let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let key = |name: &str| (name != "10").then_some("k");
    let records: Vec<_> = names.iter().map(|name| (key(name), &**name)).collect();
    produce(&broker, &source, &records).await;
    let burial = Burial::begin(&broker, &source, 20);
    burial.finished().await;
    let expected: Vec<_> = names.iter().filter(|name| **name != "10").cloned().collect();
    assert_eq!(values(&dead).await, expected, "each once");
    let letters = Letters { written: 19, lost: 1 };
    assert_eq!(burial.graves.letters(), letters);
}

#[tokio::test(start_paused = true)]
async fn letters_are_written_once_however_often_their_end_cannot_be_noted() {
    let broker = World::default().open().await;
    let source = topic(&broker, "t", &[]).await;
    let dead = topic(&broker, "dead", &[]).await;
    produce(&broker, &source, &[(None, "a"), (None, "b")]).await;
    let burial = Burial::begin(&broker, &source, 2);
    burial.keeps.store(false, SeqCst);
    tokio::time::sleep(Duration::from_secs(95)).await;
    let notes = burial.notes.load(SeqCst);
    assert_eq!(notes, 8, "after 0, 1, 3, 7, 15, 31, 61 and 91 seconds");
    burial.keeps.store(true, SeqCst);
    burial.finished().await;
    assert_eq!(values(&dead).await, ["a", "b"]);
    assert_eq!(burial.graves.letters(), Letters { written: 2, lost: 0 });
}

/// A group's offsets were reset while the note of a letter could not be written: the note, once it could, was taken for the records
/// that were handed out anew and rejected again, and these were done without a letter.
#[tokio::test(start_paused = true)]
async fn a_note_that_waits_finishes_nothing_that_was_rejected_after_a_restart() {
    let broker = World::default().open().await;
    let source = topic(&broker, "t", &[]).await;
    let dead = topic(&broker, "dead", &[]).await;
    produce(&broker, &source, &[(None, "a")]).await;
    let burial = Burial::begin(&broker, &source, 1);
    burial.keeps.store(false, SeqCst);
    while burial.notes.load(SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    burial.keeps.store(true, SeqCst);
    answered(burial.cell.restart(0).expect("it is open"))
        .await
        .expect("kept");
    burial.rejected_by_a_consumer().await;
    burial.finished().await;
    assert_eq!(values(&dead).await, ["a", "a"], "a letter for each rejection");
    assert_eq!(burial.graves.letters(), Letters { written: 2, lost: 0 });
}

/// The letters of what was condemned before wait until it is known whether a restart has made it fresh.
#[tokio::test(start_paused = true)]
async fn a_restart_that_is_not_kept_leaves_the_letters_to_be_written() {
    let broker = World::default().open().await;
    let source = topic(&broker, "t", &[]).await;
    let dead = topic(&broker, "dead", &[]).await;
    produce(&broker, &source, &[(None, "a")]).await;
    let cell = condemned_cell(&broker, &source, 1);
    let restarted = cell.restart(0).expect("it is open");
    let graves = Arc::new(Graves::default());
    graves.dig(&cell);
    let closing = see_to(&graves, &broker);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(values(&dead).await.is_empty());
    assert!(cell.take_write().is_some());
    cell.not_kept(&QueueError::NotKept("full".into()), broker.clock().monotonic());
    assert!(answered(restarted).await.is_err());
    let burial = Burial::kept(&broker, graves, cell, closing);
    burial.finished().await;
    assert_eq!(values(&dead).await, ["a"]);
}

/// One state partition that could not be loaded held up the dead letters of all groups of the broker.
#[tokio::test(start_paused = true)]
async fn state_that_cannot_be_written_holds_up_no_other_subscription() {
    let broker = World::default().open().await;
    let dead = topic(&broker, "dead", &[]).await;
    let graves = Arc::new(Graves::default());
    // More than are seen to side by side. Nobody ever writes for them.
    let mut stuck = Vec::new();
    for number in 0..=BURIALS_MAX {
        let source = topic(&broker, &format!("stuck-{number}"), &[]).await;
        produce(&broker, &source, &[(None, "stuck")]).await;
        let cell = condemned_cell(&broker, &source, 1);
        graves.dig(&cell);
        stuck.push(cell);
    }
    let source = topic(&broker, "t", &[]).await;
    produce(&broker, &source, &[(None, "a"), (None, "b")]).await;
    let cell = condemned_cell(&broker, &source, 2);
    graves.dig(&cell);
    let closing = see_to(&graves, &broker);
    Burial::kept(&broker, graves, cell, closing).finished().await;
    let mut letters = values(&dead).await;
    letters.retain(|value| value != "stuck");
    assert_eq!(letters, ["a", "b"], "in the order of their offsets");
    assert!(stuck.iter().all(|cell| cell.counts().condemned == 1));
}

/// A store that never answers for one object: the first that is asked for while it is armed.
struct Hanging {
    inner: Arc<dyn ObjectStore>,
    armed: AtomicBool,
    hung: Mutex<Option<String>>,
}

impl ObjectStore for Hanging {
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.inner.put(key, parts, mode)
    }

    fn get_range<'a>(
        &'a self,
        key: &'a str,
        range: std::ops::Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        if self.armed.swap(false, SeqCst) {
            *self.hung.lock() = Some(key.to_owned());
        }
        if self.hung.lock().as_deref() == Some(key) {
            return Box::pin(std::future::pending());
        }
        self.inner.get_range(key, range)
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        self.inner.head(key)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        self.inner.list(prefix)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.inner.delete(key)
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_for_one_topic_holds_up_no_other_and_its_letters_go_with_labels() {
    let mut world = World::default();
    let store = Arc::new(Hanging {
        inner: world.objects.clone(),
        armed: AtomicBool::new(false),
        hung: Mutex::default(),
    });
    world.objects = store.clone();
    world.log.upload_age = Duration::from_secs(1);
    world.log.object_own_bytes = 1;
    let broker = world.open().await;
    for name in ["stuck", "t"] {
        let source = topic(&broker, name, &[]).await;
        produce(&broker, &source, &[(None, name)]).await;
    }
    topic(&broker, "dead", &[]).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    drop(broker);
    world.disk.kill();
    // What was uploaded is read from objects from now on.
    let broker = world.open().await;
    let [stuck, source, dead] = ["stuck", "t", "dead"].map(|name| broker.topic(name).expect("it is kept"));
    store.armed.store(true, SeqCst);
    let stuck = Burial::begin(&broker, &stuck, 1);
    while store.armed.load(SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let cell = condemned_cell(&broker, &source, 1);
    stuck.graves.dig(&cell);
    let other = Burial::kept(&broker, stuck.graves.clone(), cell, watch::Sender::new(false));
    other.finished().await;
    assert_eq!(values(&dead).await, ["t"]);
    assert_eq!(stuck.cell.counts().condemned, 1);
    stuck.finished().await;
    assert_eq!(
        values(&dead).await,
        ["t", ""],
        "labels only, after as many attempts as any"
    );
    assert_eq!(stuck.graves.letters(), Letters { written: 2, lost: 0 });
}
