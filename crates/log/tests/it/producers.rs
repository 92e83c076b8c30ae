//! Idempotent producers, through the log.

use crate::support::{EPOCH, STREAM, World, append, read_all, sequenced};
use millstream_log::{AppendError, Appended, Offset};
use std::time::Duration;

// T2: a retry that arrives while the first try is in flight must not be told "duplicate, all is well" before the data is there.
#[tokio::test(start_paused = true)]
async fn a_retry_of_a_pending_batch_waits_for_its_outcome() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, sequenced(1, 0, 0, 2)).await;
    let first = stream.append(EPOCH, sequenced(1, 0, 2, 2)).await.unwrap();
    let retry = stream.append(EPOCH, sequenced(1, 0, 2, 2)).await.unwrap();
    assert_eq!(stream.bounds().end, Offset(2), "neither is durable");
    let (first, retry) = tokio::join!(first.durable(), retry.durable());
    let appended = Appended {
        base: Offset(2),
        last: Offset(3),
        duplicate: false,
    };
    assert_eq!(first, Ok(appended));
    assert_eq!(
        retry,
        Ok(Appended {
            duplicate: true,
            ..appended
        })
    );
    assert_eq!(read_all(&stream).await.len(), 4);
}

// T2, the bad end: the first try fails. If its sequence had been recorded, the retry would succeed without data.
#[tokio::test(start_paused = true)]
async fn a_retry_of_a_pending_batch_fails_with_it_and_the_next_one_is_written() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, sequenced(1, 0, 0, 2)).await;
    world.disk.fail_sync_after(0);
    let first = stream.append(EPOCH, sequenced(1, 0, 2, 2)).await.unwrap();
    let retry = stream.append(EPOCH, sequenced(1, 0, 2, 2)).await.unwrap();
    let (first, retry) = tokio::join!(first.durable(), retry.durable());
    assert!(matches!(first, Err(AppendError::Storage { .. })));
    assert_eq!(first, retry);
    let again = append(&stream, sequenced(1, 0, 2, 2)).await;
    assert_eq!(
        again,
        Appended {
            base: Offset(2),
            last: Offset(3),
            duplicate: false
        }
    );
    assert_eq!(read_all(&stream).await.len(), 4);
}

// T11
#[tokio::test(start_paused = true)]
async fn a_good_producer_goes_on_after_a_crash_with_and_without_an_upload() {
    for is_uploaded in [false, true] {
        let world = World::new();
        let mut sequence = 0;
        for life in 0..4 {
            let log = world.open().await.unwrap();
            let stream = log.open_stream(STREAM, EPOCH);
            if sequence > 0 {
                let retry = append(&stream, sequenced(1, 0, sequence - 3, 3)).await;
                assert!(retry.duplicate, "life {life}, uploaded {is_uploaded}");
                assert_eq!(retry.last, Offset(sequence as u64 - 1));
            }
            for _ in 0..7 {
                assert_eq!(
                    append(&stream, sequenced(1, 0, sequence, 3)).await.base,
                    Offset(sequence as u64)
                );
                sequence += 3;
            }
            if is_uploaded {
                log.upload_now().await.unwrap();
            }
            let gap = stream.append(EPOCH, sequenced(1, 0, sequence + 1, 1)).await.err();
            assert_eq!(gap, Some(AppendError::OutOfOrderSequence));
            drop((log, stream));
            world.disk.kill();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_producers_is_the_same_live_and_replayed() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for round in 0..10 {
        world.clock.advance(Duration::from_millis(7));
        for producer in 0..5 {
            append(&stream, sequenced(producer, 1, round * 2, 2)).await;
        }
        if round == 4 {
            log.upload_now().await.unwrap();
        }
    }
    let live = stream.producers();
    assert_eq!(live.len(), 5);
    drop((log, stream));
    world.disk.kill();
    let log = world.open().await.unwrap();
    assert_eq!(log.open_stream(STREAM, EPOCH).producers(), live);
}

#[tokio::test(start_paused = true)]
async fn a_silent_producer_is_forgotten() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, sequenced(1, 0, 0, 2)).await;
    world
        .clock
        .advance(world.config.producer_expiry + Duration::from_millis(1));
    assert!(stream.producers().is_empty());
    let any = append(&stream, sequenced(1, 0, 77, 1)).await;
    assert!(!any.duplicate);
}
