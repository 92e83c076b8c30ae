//! Appending, acknowledging, reading back.

use crate::support::{ALL, EPOCH, STREAM, World, append, batch, read_all};
use millstream_log::batch::split;
use millstream_log::{AppendError, Epoch, Offset, ReadError, ReadLimit, StreamId};

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_is_read_at_its_offset_and_after_restart() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for (index, count) in [1, 3, 2].into_iter().enumerate() {
        append(&stream, batch(&format!("batch{index}"), count)).await;
    }
    let before = read_all(&stream).await;
    assert_eq!(before.len(), 6);
    assert_eq!(before[1], (1, "batch1.0".into()));
    log.close().await;
    drop((log, stream));

    let log = world.open().await.unwrap();
    assert_eq!(log.stream_ids(), [STREAM]);
    let stream = log.open_stream(STREAM, EPOCH);
    assert_eq!(read_all(&stream).await, before);
    assert_eq!(append(&stream, batch("next", 1)).await.base, Offset(6));
}

#[tokio::test(start_paused = true)]
async fn an_empty_stream_reads_as_empty_and_costs_no_medium() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let writes = world.disk.writes();
    let stream = log.open_stream(StreamId(1), EPOCH);
    let outcome = stream.read(Offset::ZERO, ALL).await.unwrap();
    assert!(outcome.chunks.is_empty());
    assert_eq!(outcome.next, Offset::ZERO);
    assert_eq!(world.disk.writes(), writes);
    assert!(log.stream_ids().is_empty());
}

// T1: offsets are given before the data is durable; neither a reader nor an acknowledgement may see them before.
#[tokio::test(start_paused = true)]
async fn append_is_not_acked_and_not_readable_before_it_is_durable() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("first", 1)).await;
    let ticket = stream.append(EPOCH, batch("second", 2)).await.unwrap();
    // Nothing has run since: the batch has its offsets, and only those.
    let syncs = world.disk.syncs();
    assert_eq!(stream.bounds().end, Offset(1));
    let past = stream.read(Offset(1), ALL).await.unwrap();
    assert!(past.chunks.is_empty());
    assert_eq!(world.disk.syncs(), syncs, "still not flushed");
    assert_eq!(ticket.durable().await.unwrap().base, Offset(1));
    assert!(world.disk.syncs() > syncs, "a flush came before the answer");
    assert_eq!(stream.bounds().end, Offset(3));
}

#[tokio::test(start_paused = true)]
async fn many_appends_share_one_flush() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("warm", 1)).await;
    let (syncs, groups) = (world.disk.syncs(), log.stats().wal_groups);
    let mut tickets = Vec::new();
    for index in 0..500 {
        let other = log.open_stream(StreamId(100 + index % 50), EPOCH);
        tickets.push(other.append(EPOCH, batch("x", 1)).await.unwrap());
    }
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    // Not one: the runtime lets the commit loop run between the appends now and then.
    let groups = log.stats().wal_groups - groups;
    assert!(groups <= 10, "{groups}");
    let syncs = world.disk.syncs() - syncs;
    assert!(
        syncs <= groups + 2,
        "{syncs}: one a group, and the next segments' headers"
    );
}

#[tokio::test(start_paused = true)]
async fn another_epoch_is_fenced() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, Epoch(3));
    let fenced = AppendError::Fenced { current: Epoch(3) };
    assert_eq!(
        stream.append(Epoch(2), batch("old", 1)).await.err(),
        Some(fenced.clone())
    );
    assert_eq!(stream.append(Epoch(4), batch("new", 1)).await.err(), Some(fenced));
    assert_eq!(
        log.open_stream(STREAM, Epoch(1)).epoch(),
        Epoch(3),
        "a lower epoch leaves the open one"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_each_epoch_is_known_also_after_restart() {
    let world = World::new();
    let mut log = world.open().await.unwrap();
    for epoch in [2, 5, 9] {
        let stream = log.open_stream(STREAM, Epoch(epoch));
        for _ in 0..epoch {
            let ticket = stream.append(Epoch(epoch), batch("x", 1)).await.unwrap();
            ticket.durable().await.unwrap();
        }
    }
    for life in 0..3 {
        let stream = log.open_stream(STREAM, Epoch(9));
        assert_eq!(stream.epoch_end(Epoch(1)), None);
        assert_eq!(stream.epoch_end(Epoch(2)), Some((Epoch(2), Offset(2))));
        assert_eq!(stream.epoch_end(Epoch(4)), Some((Epoch(2), Offset(2))));
        assert_eq!(stream.epoch_end(Epoch(5)), Some((Epoch(5), Offset(7))));
        assert_eq!(stream.epoch_end(Epoch(9)), Some((Epoch(9), Offset(16))));
        assert_eq!(stream.epoch_end(Epoch(10)), None);
        if life == 1 {
            log.upload_now().await.unwrap();
        }
        log.close().await;
        log = world.open().await.unwrap();
    }
}

// T13
#[tokio::test(start_paused = true)]
async fn a_read_from_the_middle_of_a_batch_returns_the_whole_batch() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("a", 10)).await;
    append(&stream, batch("b", 10)).await;
    let outcome = stream.read(Offset(15), ALL).await.unwrap();
    let (header, _) = split(outcome.chunks[0].clone()).next().unwrap().unwrap();
    assert_eq!(header.base_offset, Offset(10));
    assert_eq!(outcome.next, Offset(20));
}

#[tokio::test(start_paused = true)]
async fn read_limits_hold() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for _ in 0..10 {
        append(&stream, batch("0123456789", 2)).await;
    }
    let one = stream
        .read(Offset::ZERO, ReadLimit { bytes_max: 1, ..ALL })
        .await
        .unwrap();
    assert_eq!(one.next, Offset(2), "one batch, although it is larger");
    let size = one.bytes;
    let exact = ReadLimit {
        bytes_max: 3 * size,
        at_least_one: false,
        ..ALL
    };
    assert_eq!(stream.read(Offset(4), exact).await.unwrap().next, Offset(10));
    let none = ReadLimit {
        bytes_max: size - 1,
        at_least_one: false,
        ..ALL
    };
    let outcome = stream.read(Offset(4), none).await.unwrap();
    assert_eq!((outcome.next, outcome.bytes), (Offset(4), 0));
    let below = ReadLimit {
        below: Offset(7),
        ..ALL
    };
    assert_eq!(
        stream.read(Offset::ZERO, below).await.unwrap().next,
        Offset(6),
        "no batch that reaches above"
    );
    let error = stream.read(Offset(21), ALL).await.err();
    let range = ReadError::OffsetOutOfRange {
        start: Offset(0),
        end: Offset(20),
    };
    assert_eq!(error, Some(range));
}

// T14: a batch sliced out of a large network buffer must not keep that buffer.
#[tokio::test(start_paused = true)]
async fn an_append_pins_no_network_buffer_once_it_is_answered() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let encoded = batch("tiny", 1).into_bytes();
    let mut network = vec![0_u8; 1 << 20];
    network[..encoded.len()].copy_from_slice(&encoded);
    let network = bytes::Bytes::from(network);
    let slice = network.slice(..encoded.len());
    append(&stream, millstream_log::batch::ValidBatch::verify(slice).unwrap()).await;
    assert!(network.is_unique(), "nothing in the log refers to the buffer");
    let pinned = log.stats().tail_cache_bytes;
    assert!(pinned < 1000, "the cache pins what it charges: {pinned}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_log_answers_what_was_queued_and_refuses_the_rest() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let queued = stream.append(EPOCH, batch("queued", 1)).await.unwrap();
    log.close().await;
    queued.durable().await.unwrap();
    let refused = stream.append(EPOCH, batch("late", 1)).await.err();
    assert_eq!(refused, Some(AppendError::Closed));
    log.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_larger_than_queue_group_and_segment_is_appended() {
    let mut world = World::new();
    world.config.wal_queue_bytes_max = 100_000;
    world.config.wal_group_bytes_max = 50_000;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let huge = "h".repeat(300_000);
    append(&stream, batch("small", 1)).await;
    append(&stream, batch(&huge, 1)).await;
    append(&stream, batch("small", 1)).await;
    drop((log, stream));
    world.disk.kill();
    let log = world.open().await.unwrap();
    let records = read_all(&log.open_stream(STREAM, EPOCH)).await;
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].1.len(), huge.len() + 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_appends_wait_and_loses_nothing() {
    let mut world = World::new();
    world.config.wal_queue_bytes_max = 2000;
    world.config.wal_group_bytes_max = 500;
    let log = world.open().await.unwrap();
    let mut tasks = Vec::new();
    for task in 0..20 {
        let stream = log.open_stream(StreamId(task % 4), EPOCH);
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                append(&stream, batch("0123456789", 3)).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for id in 0..4 {
        assert_eq!(
            read_all(&log.open_stream(StreamId(id), EPOCH)).await.len(),
            5 * 20 * 3
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_given_up_while_it_waits_leaves_no_trace() {
    let mut world = World::new();
    world.config.wal_queue_bytes_max = 1;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let first = stream.append(EPOCH, batch("first", 1)).await.unwrap();
    let waiting = stream.append(EPOCH, batch("given up", 1));
    tokio::select! {
        biased;
        _ = waiting => panic!("the queue is full"),
        () = std::future::ready(()) => {}
    }
    first.durable().await.unwrap();
    assert_eq!(append(&stream, batch("second", 1)).await.base, Offset(1));
    log.upload_now().await.unwrap();
    assert_eq!(log.stats().unuploaded_bytes, 0);
}
