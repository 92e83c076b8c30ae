//! Aborted transactions of a stream: the same live and replayed, wherever their batches lie, until they are trimmed.

use crate::support::{EPOCH, STREAM, World, append, sequenced};
use millstream_log::batch::{BatchBuilder, Codec, ControlKind, ControlRecord, NewRecord, ValidBatch};
use millstream_log::{AbortedTransaction, AppendError, Log, Offset, Stream, StreamPolicy};
use std::time::Duration;

const ALL: Offset = Offset(u64::MAX);

fn data(producer_id: i64, epoch: i16, sequence: i32, keys: &[&str]) -> ValidBatch {
    let mut builder = BatchBuilder::new(Codec::None)
        .producer(producer_id, epoch, sequence)
        .transactional();
    for key in keys {
        let record = NewRecord {
            timestamp: 1_700_000_000_000,
            key: Some(key.as_bytes()),
            value: Some(b"value"),
            headers: &[],
        };
        builder.push(&record).unwrap();
    }
    builder.finish().unwrap()
}

fn marker(producer_id: i64, epoch: i16, kind: ControlKind) -> ValidBatch {
    let record = ControlRecord {
        kind,
        coordinator_epoch: 3,
    };
    record.build(producer_id, epoch, 1_700_000_000_000).unwrap()
}

fn aborted(producer_id: i64, first: u64, marker: u64, stable_after: u64) -> AbortedTransaction {
    AbortedTransaction {
        producer_id,
        first: Offset(first),
        marker: Offset(marker),
        stable_after: Offset(stable_after),
    }
}

/// Two transactions across each other, the first aborted behind the second; then a committed one.
async fn write(stream: &Stream) -> Vec<AbortedTransaction> {
    append(stream, data(1, 0, 0, &["a", "b"])).await; // 0, 1
    append(stream, data(2, 0, 0, &["c"])).await; // 2
    append(stream, marker(2, 1, ControlKind::Abort)).await; // 3
    append(stream, data(1, 0, 2, &["d"])).await; // 4
    append(stream, marker(1, 1, ControlKind::Abort)).await; // 5
    append(stream, data(3, 0, 0, &["e"])).await; // 6
    append(stream, marker(3, 0, ControlKind::Commit)).await; // 7
    vec![aborted(2, 2, 3, 0), aborted(1, 0, 5, 6)]
}

async fn restart(world: &World, log: Log) -> (Log, Stream) {
    log.close().await;
    drop(log);
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    (log, stream)
}

#[tokio::test(start_paused = true)]
async fn the_stable_end_and_the_aborted_list_follow_the_markers() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, data(1, 0, 0, &["a"])).await;
    assert_eq!(
        (stream.bounds().end, stream.bounds().stable_end),
        (Offset(1), Offset(0))
    );
    assert!(
        stream.aborted_between(Offset(0), ALL).is_empty(),
        "it is not decided"
    );
    append(&stream, marker(1, 0, ControlKind::Abort)).await;
    assert_eq!(stream.bounds().stable_end, Offset(2));
    assert_eq!(stream.aborted_between(Offset(0), ALL), [aborted(1, 0, 1, 2)]);
    assert!(stream.aborted_between(Offset(2), ALL).is_empty(), "over before");
}

#[tokio::test(start_paused = true)]
async fn a_search_finds_what_overlaps_and_nothing_else() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let all = write(&stream).await;
    assert_eq!(stream.aborted_between(Offset(0), ALL), all);
    assert_eq!(stream.aborted_between(Offset(0), Offset(2)), [all[1]]);
    assert_eq!(stream.aborted_between(Offset(4), Offset(5)), [all[1]]);
    assert!(stream.aborted_between(Offset(6), Offset(8)).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_list_is_the_same_after_a_restart_from_the_write_ahead_log_from_objects_and_from_both() {
    for uploads in [[false, false], [true, false], [true, true]] {
        let world = World::new();
        let mut log = world.open().await.unwrap();
        let mut stream = log.open_stream(STREAM, EPOCH);
        let mut expected = write(&stream).await;
        if uploads[0] {
            log.upload_now().await.unwrap();
        }
        // Open over the restart.
        append(&stream, data(4, 0, 0, &["f"])).await; // 8
        if uploads[1] {
            log.upload_now().await.unwrap();
        }
        let live = stream.producers();
        (log, stream) = restart(&world, log).await;
        assert_eq!(stream.producers(), live, "{uploads:?}");
        assert_eq!(stream.bounds().stable_end, Offset(8), "{uploads:?}");
        assert_eq!(stream.aborted_between(Offset(0), ALL), expected, "{uploads:?}");
        append(&stream, marker(4, 1, ControlKind::Abort)).await; // 9
        expected.push(aborted(4, 8, 9, 10));
        log.upload_now().await.unwrap();
        (log, stream) = restart(&world, log).await;
        assert_eq!(stream.aborted_between(Offset(0), ALL), expected, "{uploads:?}");
        let stale = stream.append(EPOCH, data(4, 0, 1, &["late"])).await.err();
        assert_eq!(stale, Some(AppendError::StaleProducerEpoch), "{uploads:?}");
        drop(log);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trim_forgets_what_ended_below_it_also_for_the_next_start() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let all = write(&stream).await;
    log.upload_now().await.unwrap();
    stream.trim(Offset(4)).await.unwrap();
    assert_eq!(stream.aborted_between(Offset(0), ALL), [all[1]]);
    let (log, stream) = restart(&world, log).await;
    assert_eq!(stream.aborted_between(Offset(0), ALL), [all[1]]);
    stream.trim(Offset(8)).await.unwrap();
    assert!(stream.aborted_between(Offset(0), ALL).is_empty());
    drop(log);
}

#[tokio::test(start_paused = true)]
async fn a_trim_into_an_open_transaction_does_not_hide_what_follows() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, data(1, 0, 0, &["a", "b", "c"])).await;
    stream.trim(Offset(2)).await.unwrap();
    assert_eq!(stream.bounds().stable_end, Offset(2), "never below the start");
    append(&stream, marker(1, 0, ControlKind::Abort)).await;
    assert_eq!(stream.aborted_between(Offset(2), ALL), [aborted(1, 0, 3, 4)]);
}

#[tokio::test(start_paused = true)]
async fn compaction_takes_aborted_records_and_after_a_restart_nobody_is_told_of_them() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    stream.set_policy(StreamPolicy {
        compact: true,
        delete: false,
        dirty_percent_min: 0,
        ..StreamPolicy::default()
    });
    let all = write(&stream).await;
    append(&stream, data(3, 0, 1, &["a", "e"])).await; // 8, 9
    append(&stream, marker(3, 0, ControlKind::Commit)).await; // 10
    log.upload_now().await.unwrap();
    log.housekeep_now().await.unwrap();
    assert_eq!(
        stream.aborted_between(Offset(0), ALL),
        all,
        "readers may hold what was there before"
    );
    let (log, stream) = restart(&world, log).await;
    assert!(stream.aborted_between(Offset(0), ALL).is_empty());
    assert_eq!(stream.bounds().stable_end, Offset(11));
    drop(log);
}

/// The list of a compacted stream once shrank at a restart only; at its limit no transaction begins any more.
#[tokio::test(start_paused = true)]
async fn aborted_transactions_that_were_compacted_away_are_forgotten_once_their_readers_are_gone() {
    let mut world = World::new();
    // What lies in the tail is read as it was written.
    world.config.tail_cache_bytes = 1;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    stream.set_policy(StreamPolicy {
        compact: true,
        delete: false,
        dirty_percent_min: 0,
        ..StreamPolicy::default()
    });
    let all = write(&stream).await;
    log.upload_now().await.unwrap();
    log.housekeep_now().await.unwrap();
    tokio::time::sleep(Duration::from_secs(240)).await;
    log.housekeep_now().await.unwrap();
    assert_eq!(
        stream.aborted_between(Offset(0), ALL),
        all,
        "somebody may still read"
    );
    // One that came later stays.
    append(&stream, data(5, 0, 0, &["f"])).await; // 8
    append(&stream, marker(5, 1, ControlKind::Abort)).await; // 9
    tokio::time::sleep(Duration::from_secs(120)).await;
    log.housekeep_now().await.unwrap();
    assert_eq!(stream.aborted_between(Offset(0), ALL), [aborted(5, 8, 9, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_asked_about_before_a_marker_is_refused_after_it() {
    // The request of a client whose transaction ended while its coordinator was asked (KIP-890).
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let guard = stream.transaction_guard(1, 0);
    assert!(!guard.is_open());
    append(&stream, marker(1, 0, ControlKind::Abort)).await;
    let late = stream
        .append_in_transaction(EPOCH, data(1, 0, 0, &["a"]), guard)
        .await;
    assert_eq!(late.err(), Some(AppendError::NotInTransaction));
    assert_eq!(stream.bounds().stable_end, Offset(1), "nothing hangs");
    let guard = stream.transaction_guard(1, 0);
    let asked = stream
        .append_in_transaction(EPOCH, data(1, 0, 0, &["a"]), guard)
        .await;
    asked.unwrap().durable().await.unwrap();
    assert!(stream.transaction_guard(1, 0).is_open());
    let outside = stream.append(EPOCH, sequenced(1, 0, 1, 1)).await.err();
    assert_eq!(
        outside,
        Some(AppendError::NotInTransaction),
        "a transaction is not left for a moment"
    );
}
