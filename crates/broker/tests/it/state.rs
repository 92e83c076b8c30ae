//! State streams: what is replayed is what was live.

use bytes::Bytes;
use millstream_broker::testing::World;
use millstream_broker::testing::batch::BatchError;
use millstream_broker::{Broker, OFFSETS_TOPIC, StateError, StateRecord, StateStream};
use std::collections::BTreeMap;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

async fn open(broker: &Broker) -> (StateStream, Map) {
    let topic = broker
        .topic_or_create(OFFSETS_TOPIC)
        .await
        .expect("it can be made");
    let mut map = Map::new();
    let on_record = |key: &[u8], value: Option<&[u8]>| match value {
        Some(value) => drop(map.insert(key.to_vec(), value.to_vec())),
        None => drop(map.remove(key)),
    };
    let stream = broker.open_state(&topic, 3, on_record).await.expect("it replays");
    (stream, map)
}

fn record(key: u32, value: Option<u32>) -> StateRecord {
    StateRecord {
        key: Bytes::from(key.to_be_bytes().to_vec()),
        value: value.map(|value| Bytes::from(value.to_be_bytes().to_vec())),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_replayed_is_what_was_live() {
    let world = World::new(&[("offsets.topic.num.partitions", "4")]);
    let mut live = Map::new();
    for life in 0_u32..4 {
        let broker = world.open().await;
        let (stream, replayed) = open(&broker).await;
        assert_eq!(replayed, live);
        let mut pending = Vec::new();
        for step in 0..200_u32 {
            let mixed = step.wrapping_mul(2_654_435_761).rotate_left(life);
            let changes = [
                record(mixed % 17, Some(step)),
                record(mixed % 5, (mixed % 3 > 0).then_some(life)),
            ];
            for change in &changes {
                match &change.value {
                    Some(value) => drop(live.insert(change.key.to_vec(), value.to_vec())),
                    None => drop(live.remove(&change.key[..])),
                }
            }
            pending.push(stream.append(changes.to_vec()).await.expect("queued"));
        }
        // Many changes are in flight at once, and durable in their order.
        for change in pending {
            change.durable().await.expect("kept");
        }
        // Killed, not closed.
        world.disk.kill();
    }
    let broker = world.open().await;
    assert_eq!(open(&broker).await.1, live);
}

/// What could not be opened again would make all other state of the stream unreadable with it.
#[tokio::test(start_paused = true)]
async fn a_change_that_replay_would_not_open_is_refused_and_the_stream_stays_readable() {
    let world = World::new(&[("offsets.topic.num.partitions", "4")]);
    let broker = world.open().await;
    let (stream, _) = open(&broker).await;
    let half = |key: &'static [u8]| StateRecord {
        key: Bytes::from_static(key),
        value: Some(Bytes::from(vec![7; 32 << 20])),
    };
    let refused = stream.append(vec![half(b"a"), half(b"b")]).await.err();
    assert_eq!(refused, Some(StateError::Refused(BatchError::TooLarge)));
    let kept = stream.append(vec![record(1, Some(2))]).await.expect("queued");
    kept.durable().await.expect("kept");
    world.disk.kill();
    let (_, replayed) = open(&world.open().await).await;
    assert_eq!(replayed.len(), 1);
}
