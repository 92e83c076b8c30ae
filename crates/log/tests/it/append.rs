//! Appending, acknowledging, reading back.

use crate::support::{ALL, EPOCH, STREAM, World, append, batch, read_all};
use millstream_log::{Offset, StreamId};

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
}
