//! Waiting for streams to move.

use crate::support::{EPOCH, World, append, batch};
use futures_util::FutureExt;
use millstream_log::{Offset, StreamId, WakeSet};

#[tokio::test(start_paused = true)]
async fn a_move_between_register_and_wait_is_not_missed() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let streams: Vec<_> = (0..3).map(|id| log.open_stream(StreamId(id), EPOCH)).collect();
    let mut wake = WakeSet::register(&streams);
    assert!(wake.woken().now_or_never().is_none());
    append(&streams[1], batch("x", 1)).await;
    wake.woken().await;
    assert!(wake.woken().now_or_never().is_none(), "one wake for one move");
    for stream in &streams {
        append(stream, batch("x", 1)).await;
        wake.woken().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_group_that_moves_many_streams_wakes_once() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let streams: Vec<_> = (0..50).map(|id| log.open_stream(StreamId(id), EPOCH)).collect();
    append(&streams[0], batch("warm", 1)).await;
    let mut wake = WakeSet::register(&streams);
    let mut tickets = Vec::new();
    for stream in &streams {
        tickets.push(stream.append(EPOCH, batch("x", 1)).await.unwrap());
    }
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    wake.woken().await;
    assert!(wake.woken().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn trims_and_deletions_wake_too() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(StreamId(1), EPOCH);
    append(&stream, batch("x", 2)).await;
    let mut wake = WakeSet::register([&stream]);
    stream.trim(Offset(1)).await.unwrap();
    wake.woken().await;
    log.delete_stream(StreamId(1)).await.unwrap();
    wake.woken().await;
}
