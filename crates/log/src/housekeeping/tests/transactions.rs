//! Compaction of streams with transactions, and what stays for producers and readers.

use super::*;
use crate::batch::{
    BatchBuilder, BatchHeader, Codec, ControlKind, ControlRecord, NewRecord, StoredBatch, split,
};
use crate::ids::AbortedTransaction;
use crate::stream::ReadLimit;
use crate::test_world::EPOCH;

const HORIZON_MS: i64 = 1000;

/// One producer's transactions on stream A.
struct Producer<'a> {
    world: &'a World,
    id: i64,
    sequence: i32,
    first: Option<Offset>,
}

impl<'a> Producer<'a> {
    fn new(world: &'a World, id: i64) -> Self {
        Self {
            world,
            id,
            sequence: 0,
            first: None,
        }
    }

    fn send(&mut self, keys: &[&str]) -> Offset {
        let mut builder = BatchBuilder::new(Codec::None)
            .producer(self.id, 0, self.sequence)
            .transactional();
        for key in keys {
            let record = NewRecord {
                timestamp: 1,
                key: Some(key.as_bytes()),
                value: Some(b"value"),
                headers: &[],
            };
            builder.push(&record).expect("a record");
        }
        self.sequence += keys.len() as i32;
        let batch = builder.finish().expect("a batch");
        let base = self
            .world
            .tail
            .append_batch(A, |base| StoredBatch::stamp(batch, base, EPOCH));
        self.first.get_or_insert(base);
        base
    }

    fn end(&mut self, kind: ControlKind) -> Offset {
        let marker = ControlRecord {
            kind,
            coordinator_epoch: 0,
        };
        let marker = marker.build(self.id, 0, 1).expect("a marker");
        let at = self
            .world
            .tail
            .append_batch(A, |base| StoredBatch::stamp(marker, base, EPOCH));
        let first = self.first.take().expect("a transaction");
        if kind == ControlKind::Abort {
            let aborted = AbortedTransaction {
                producer_id: self.id,
                first,
                marker: at,
                stable_after: Offset(at.0 + 1),
            };
            self.world.tail.abort(A, aborted);
        }
        at
    }
}

/// Every batch that is stored, as a reader gets it.
async fn headers(world: &World) -> Vec<BatchHeader> {
    let end = world.manifest.stream_state(A).expect("A").end;
    let (mut from, mut found) = (Offset(0), Vec::new());
    while from < end {
        let limit = ReadLimit {
            bytes_max: 700,
            at_least_one: true,
            below: end,
        };
        let outcome = world.cold.read(A, from, limit).await.expect("readable");
        for chunk in outcome.chunks {
            for batch in split(chunk) {
                found.push(batch.expect("a batch").0);
            }
        }
        assert!(outcome.next > from, "a reader gets on");
        from = outcome.next;
    }
    found
}

/// Base offset and records of each batch.
async fn shape(world: &World) -> Vec<(u64, u32)> {
    let all = headers(world).await.into_iter();
    all.map(|header| (header.base_offset.0, header.records_count))
        .collect()
}

/// Something dirty behind everything, so that a pass runs and the last batch is none of those that are looked at.
async fn pass(world: &World, key: &str) {
    world.tail.append(A, &[record(key, "end", 1)]);
    world.upload().await;
    world.housekeep().await;
}

#[tokio::test(start_paused = true)]
async fn aborted_records_go_and_hide_nothing() {
    let world = world(compacted()).await;
    world
        .tail
        .append(A, &[record("a", "old", 1), record("b", "old", 1)]);
    let mut producer = Producer::new(&world, 9);
    producer.send(&["a"]);
    producer.end(ControlKind::Abort);
    producer.send(&["b"]);
    producer.end(ControlKind::Commit);
    pass(&world, "end").await;
    assert_eq!(
        shape(&world).await,
        [(0, 1), (3, 1), (4, 1), (5, 1), (6, 1)],
        "of the first batch its a, not its b; no aborted record; both markers"
    );
    let found = world.read_all(A, Offset(0)).await.expect("all");
    assert_eq!(found[&0], record("a", "old", 1));
}

#[tokio::test(start_paused = true)]
async fn transactions_that_overlap_are_told_apart() {
    let world = world(compacted()).await;
    let (mut one, mut two) = (Producer::new(&world, 1), Producer::new(&world, 2));
    one.send(&["k1"]);
    two.send(&["k2"]);
    one.end(ControlKind::Abort);
    one.send(&["k3"]);
    two.send(&["k4"]);
    two.end(ControlKind::Abort);
    one.end(ControlKind::Commit);
    pass(&world, "end").await;
    let kept: Vec<u64> = shape(&world).await.into_iter().map(|(base, _)| base).collect();
    assert_eq!(
        kept,
        [2, 3, 5, 6, 7],
        "k3 of the one committed transaction, and markers"
    );
}

#[tokio::test(start_paused = true)]
async fn a_marker_goes_a_horizon_after_the_last_record_of_its_transaction() {
    let world = world(compacted()).await;
    let mut producer = Producer::new(&world, 9);
    producer.send(&["a"]);
    let marker = producer.end(ControlKind::Commit);
    pass(&world, "x").await;
    assert!(
        headers(&world).await[1].delete_horizon().is_none(),
        "its record is there"
    );
    world.tail.append(A, &[record("a", "newer", 1)]);
    pass(&world, "x").await;
    let left = headers(&world).await;
    let at = left
        .iter()
        .position(|header| header.base_offset == marker)
        .expect("still there");
    let horizon = left[at].delete_horizon().expect("its record is gone");
    world.clock.advance(HORIZON_MS / 2);
    pass(&world, "x").await;
    let left = headers(&world).await;
    let again = left
        .iter()
        .find(|header| header.base_offset == marker)
        .expect("before the horizon");
    assert_eq!(
        again.delete_horizon(),
        Some(horizon),
        "a later pass does not put it off"
    );
    world.clock.advance(HORIZON_MS);
    pass(&world, "x").await;
    assert!(
        headers(&world)
            .await
            .iter()
            .all(|header| header.base_offset != marker)
    );
}

/// A reader that is told of an aborted transaction leaves out everything of its producer until the marker: without the marker it
/// would leave out what the producer committed later.
#[tokio::test(start_paused = true)]
async fn the_marker_of_an_abort_stays_while_readers_are_told_of_it() {
    let world = world(compacted()).await;
    let mut producer = Producer::new(&world, 9);
    producer.send(&["a"]);
    let marker = producer.end(ControlKind::Abort);
    for _ in 0..3 {
        pass(&world, "x").await;
        world.clock.advance(2 * HORIZON_MS);
    }
    assert!(
        headers(&world)
            .await
            .iter()
            .any(|header| header.base_offset == marker)
    );
    world.tail.forget_aborted(A);
    for _ in 0..2 {
        pass(&world, "x").await;
        world.clock.advance(2 * HORIZON_MS);
    }
    assert!(
        headers(&world)
            .await
            .iter()
            .all(|header| header.base_offset != marker)
    );
}

#[tokio::test(start_paused = true)]
async fn the_batch_that_a_producer_is_remembered_by_stays_without_its_records() {
    let world = world(compacted()).await;
    let mut producer = Producer::new(&world, 9);
    let base = producer.send(&["a", "b"]);
    producer.end(ControlKind::Abort);
    world.tail.need(A, 9, Offset(base.0 + 1));
    for _ in 0..3 {
        pass(&world, "x").await;
        world.clock.advance(2 * HORIZON_MS);
        let kept = headers(&world).await[0];
        assert_eq!((kept.base_offset, kept.records_count), (base, 0));
        assert_eq!((kept.producer_id, kept.last_sequence()), (9, 1));
    }
    world.tail.need(A, 9, Offset(99));
    pass(&world, "x").await;
    assert_ne!(headers(&world).await[0].base_offset, base, "the producer went on");
}

#[tokio::test(start_paused = true)]
async fn deletions_go_at_their_horizon_although_nobody_writes_any_more() {
    let world = world(compacted()).await;
    upload_each(
        &world,
        &[
            &[record("a", "1", 1)],
            &[tombstone("a", 2)],
            &[record("z", "1", 3)],
        ],
    )
    .await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1, 2]);
    world.clock.advance(HORIZON_MS + 1);
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [2]);
    let (puts, _) = world.objects.counts();
    world.clock.advance(10 * HORIZON_MS);
    world.housekeep().await;
    assert_eq!(world.objects.counts().0, puts, "nothing is left to look for");
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_compacted_and_lose_what_is_old() {
    let both = StreamPolicy {
        retention: Some(Duration::from_millis(1000)),
        delete: true,
        ..compacted()
    };
    let world = world(both).await;
    let now = 1_000_000;
    upload_each(
        &world,
        &[
            &[record("a", "1", now), record("b", "1", now)],
            &[record("a", "2", now)],
        ],
    )
    .await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1, 2], "compacted");
    world.clock.advance(1001);
    upload_each(&world, &[&[record("c", "1", now + 1001)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [3], "and aged");
}
