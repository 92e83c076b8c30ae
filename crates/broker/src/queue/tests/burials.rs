//! Burials with a broker whose reads, topics and notes fail: what is written, how often, and what is kept in memory for it.

use super::super::cell::Cell;
use super::super::graves::Graves;
use super::super::kept::Stored;
use super::super::letters::{BURIAL_BYTES_MAX, collect};
use super::super::shard::Shard;
use super::super::timers::Timers;
use super::super::*;
use super::policy;
use crate::testing::{BatchBuilder, Codec, World, batch_with, records_of};
use crate::topics::{Topic, TopicSpec};
use crate::{Broker, Dry};
use millstream_log::{Offset, ReadError, ReadLimit};
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
    closing: watch::Sender<bool>,
}

impl Burial {
    fn begin(broker: &Broker, source: &Topic, records: u64) -> Self {
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
        let cell = Arc::new(Cell::new(id, ledger, Some(Stored::default()), shard, timers));
        let graves = Arc::new(Graves::default());
        graves.dig(&cell);
        let burial = Self {
            broker: broker.clone(),
            graves: graves.clone(),
            cell,
            keeps: Arc::new(AtomicBool::new(true)),
            notes: Arc::default(),
            closing: watch::Sender::new(false),
        };
        tokio::spawn(graves.run(broker.clone(), Arc::new(Terms), burial.closing.subscribe()));
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
        while self.cell.counts().condemned > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
