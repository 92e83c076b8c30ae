//! From the write-ahead log into objects, and reading across both.

use crate::support::{ALL, EPOCH, STREAM, World, append, batch, read_all};
use millstream_log::manifest::memory::AppendFault;
use millstream_log::{AppendError, Offset, ReadError, StreamId, StreamPolicy, invariants};

#[tokio::test(start_paused = true)]
async fn reads_are_the_same_before_and_after_an_upload_and_without_any_cache() {
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for index in 0..40 {
        append(&stream, batch(&format!("{index}:{}", "x".repeat(3000)), 2)).await;
    }
    let before = read_all(&stream).await;
    assert_eq!(before.len(), 80);
    log.upload_now().await.unwrap();
    assert_eq!(log.stats().unuploaded_bytes, 0);
    assert_eq!(read_all(&stream).await, before);
    for index in 40..50 {
        append(&stream, batch(&format!("{index}"), 2)).await;
    }
    let across = read_all(&stream).await;
    assert_eq!(across[..80], before[..]);
    invariants::streams_are_dense(&log).unwrap();
    log.close().await;
    drop((log, stream));
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    assert_eq!(read_all(&stream).await, across);
    assert_eq!(stream.local_start(), Offset(80), "the rest is in objects only");
}

#[tokio::test(start_paused = true)]
async fn uploads_start_by_themselves_and_keep_the_log_small() {
    let mut world = World::new();
    world.config.upload_bytes = 128 << 10;
    world.config.wal_unuploaded_bytes_max = 512 << 10;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for _ in 0..300 {
        append(&stream, batch(&"y".repeat(9000), 1)).await;
    }
    let files: usize = world.disk.files().into_iter().map(|(_, len)| len).sum();
    assert!(files < 2 << 20, "{files} bytes of segments after 2.7 MB");
    assert_eq!(read_all(&stream).await.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn records_are_found_by_time_wherever_they_are() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    assert_eq!(stream.find_by_time(0).await.unwrap(), None);
    // Timestamps are the base time plus the index in the batch.
    for round in 0..3 {
        append(&stream, batch("a", 5 + round)).await;
        if round == 0 {
            log.upload_now().await.unwrap();
        }
        let base = 1_700_000_000_000;
        let first = stream.find_by_time(base).await.unwrap().unwrap();
        assert_eq!((first.offset, first.timestamp), (Offset(0), base));
        let third = stream.find_by_time(base + 3).await.unwrap().unwrap();
        assert_eq!(third.offset, Offset(3));
        let max = stream.find_max_time().await.unwrap().unwrap();
        assert_eq!(max.timestamp, base + 4 + round as i64);
        assert_eq!(max.offset.plus(1), stream.bounds().end);
        assert_eq!(stream.find_by_time(base + 100).await.unwrap(), None);
    }
    stream.trim(Offset(4)).await.unwrap();
    let first = stream.find_by_time(0).await.unwrap().unwrap();
    assert_eq!(first.offset, Offset(4), "not below the start");
}

#[tokio::test(start_paused = true)]
async fn a_trim_survives_restart_also_inside_the_tail() {
    for is_uploaded in [false, true] {
        let world = World::new();
        let log = world.open().await.unwrap();
        let stream = log.open_stream(STREAM, EPOCH);
        for _ in 0..10 {
            append(&stream, batch("x", 3)).await;
        }
        if is_uploaded {
            log.upload_now().await.unwrap();
        }
        assert_eq!(stream.trim(Offset(16)).await, Ok(Offset(16)));
        let trimmed = ReadError::OffsetOutOfRange {
            start: Offset(16),
            end: Offset(30),
        };
        assert_eq!(stream.read(Offset(15), ALL).await.err(), Some(trimmed));
        drop((log, stream));
        world.disk.kill();
        let log = world.open().await.unwrap();
        let stream = log.open_stream(STREAM, EPOCH);
        assert_eq!(
            (stream.bounds().start, stream.bounds().end),
            (Offset(16), Offset(30))
        );
        assert_eq!(stream.read(Offset(16), ALL).await.unwrap().next, Offset(30));
        append(&stream, batch("x", 3)).await;
        log.upload_now().await.unwrap();
        invariants::streams_are_dense(&log).unwrap();
        let records = read_all(&stream).await;
        assert_eq!(records.last().unwrap().0, 32);
        assert_eq!(records.len(), 18, "from the batch that holds the start");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fully_trimmed_tail_goes_on_after_an_upload_and_a_restart() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("x", 3)).await;
    log.upload_now().await.unwrap();
    append(&stream, batch("x", 3)).await;
    stream.trim(Offset(6)).await.unwrap();
    log.upload_now().await.unwrap();
    append(&stream, batch("y", 3)).await;
    log.close().await;
    drop((log, stream));
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    assert_eq!(
        (stream.bounds().start, stream.bounds().end),
        (Offset(6), Offset(9))
    );
    assert_eq!(read_all(&stream).await.len(), 3);
    log.upload_now().await.unwrap();
    assert_eq!(read_all(&stream).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_stream_is_gone_for_good() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let (stream, other) = (
        log.open_stream(STREAM, EPOCH),
        log.open_stream(StreamId(8), EPOCH),
    );
    append(&stream, batch("x", 3)).await;
    append(&other, batch("x", 3)).await;
    let queued = stream.append(EPOCH, batch("queued", 1)).await.unwrap();
    log.delete_stream(STREAM).await.unwrap();
    assert_eq!(queued.durable().await, Err(AppendError::StreamGone));
    assert_eq!(
        stream.append(EPOCH, batch("x", 1)).await.err(),
        Some(AppendError::StreamGone)
    );
    assert_eq!(
        stream.read(Offset::ZERO, ALL).await.err(),
        Some(ReadError::StreamGone)
    );
    assert_eq!(log.stream_ids(), [StreamId(8)]);
    drop((log, stream, other));
    world.disk.kill();
    let log = world.open().await.unwrap();
    assert_eq!(log.stream_ids(), [StreamId(8)]);
    log.upload_now().await.unwrap();
    log.delete_stream(STREAM).await.unwrap();
    assert_eq!(log.stream_ids(), [StreamId(8)]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_streams_cost_no_file_and_come_back() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let mut tickets = Vec::new();
    for id in 0..10_000 {
        tickets.push(
            log.open_stream(StreamId(id), EPOCH)
                .append(EPOCH, batch("x", 1))
                .await
                .unwrap(),
        );
    }
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    log.upload_now().await.unwrap();
    assert!(world.disk.files().len() < 10, "files do not grow with streams");
    log.close().await;
    drop(log);
    let log = world.open().await.unwrap();
    assert_eq!(log.stream_ids().len(), 10_000);
    assert_eq!(read_all(&log.open_stream(StreamId(9_999), EPOCH)).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_behind_what_compaction_took_away_whole() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    // Records without a key have no place in a compacted stream.
    append(&stream, batch("gone", 3)).await;
    log.upload_now().await.unwrap();
    stream.set_policy(StreamPolicy {
        compact: true,
        delete: false,
        ..StreamPolicy::default()
    });
    log.housekeep_now().await.unwrap();
    append(&stream, batch("kept", 2)).await;
    log.close().await;
    drop((log, stream));
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let mut from = Offset::ZERO;
    while from < stream.bounds().end {
        let outcome = stream.read(from, ALL).await.unwrap();
        assert!(
            !outcome.chunks.is_empty(),
            "a client that gets nothing asks for {from} again"
        );
        from = outcome.next;
    }
    assert_eq!(from, Offset(5));
}

#[tokio::test(start_paused = true)]
async fn a_stream_opened_while_it_is_deleted_takes_nothing() {
    let world = World::new();
    let log = world.open().await.unwrap();
    append(&log.open_stream(STREAM, EPOCH), batch("x", 1)).await;
    log.upload_now().await.unwrap();
    log.close().await;
    drop(log);
    // In objects only: nobody has opened it in this life.
    let log = world.open().await.unwrap();
    let mut deletion = std::pin::pin!(log.delete_stream(STREAM));
    world.manifest.inject([AppendFault::UnknownNotDone]);
    assert!(futures_util::poll!(&mut deletion).is_pending());
    let stream = log.open_stream(STREAM, EPOCH);
    deletion.await.unwrap();
    assert_eq!(
        stream.append(EPOCH, batch("x", 1)).await.err(),
        Some(AppendError::StreamGone)
    );
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_did_not_become_durable_loses_nothing() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("in objects", 2)).await;
    log.upload_now().await.unwrap();
    append(&stream, batch("in the tail", 3)).await;
    world.manifest.inject([AppendFault::NotDone]);
    log.delete_stream(STREAM).await.unwrap_err();
    assert_eq!(
        stream.read(Offset(0), ALL).await.err(),
        Some(ReadError::StreamGone),
        "refused until it is tried again"
    );
    for _ in 0..2 {
        append(&log.open_stream(StreamId(8), EPOCH), batch("other", 1)).await;
        log.upload_now().await.unwrap();
    }
    drop((log, stream));
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    assert_eq!(read_all(&stream).await.len(), 5);
    log.delete_stream(STREAM).await.unwrap();
    log.upload_now().await.unwrap();
    assert_eq!(log.stream_ids(), [StreamId(8)]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_caller_went_away_is_for_good_or_did_not_happen() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("in the tail", 3)).await;
    world.manifest.inject([AppendFault::UnknownDone]);
    {
        let mut deletion = std::pin::pin!(log.delete_stream(STREAM));
        assert!(futures_util::poll!(&mut deletion).is_pending());
    }
    for _ in 0..3 {
        append(&log.open_stream(StreamId(8), EPOCH), batch("other", 1)).await;
        log.upload_now().await.unwrap();
    }
    log.close().await;
    drop((log, stream));
    let log = world.open().await.unwrap();
    assert_eq!(log.stream_ids(), [StreamId(8)]);
}

#[tokio::test(start_paused = true)]
async fn a_trim_whose_caller_went_away_is_heard_of() {
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for _ in 0..3 {
        append(&stream, batch("x", 2)).await;
    }
    log.upload_now().await.unwrap();
    world.manifest.inject([AppendFault::UnknownDone]);
    {
        let mut trim = std::pin::pin!(stream.trim(Offset(2)));
        assert!(futures_util::poll!(&mut trim).is_pending());
    }
    append(&log.open_stream(StreamId(8), EPOCH), batch("other", 1)).await;
    log.upload_now().await.unwrap();
    let trimmed = ReadError::OffsetOutOfRange {
        start: Offset(2),
        end: Offset(6),
    };
    assert_eq!(stream.read(Offset(0), ALL).await.err(), Some(trimmed));
    assert_eq!(
        stream.bounds().start,
        Offset(2),
        "a reader that starts over finds it"
    );
    assert_eq!(read_all(&stream).await.len(), 4);
}
