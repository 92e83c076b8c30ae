//! Questions about offsets, and raising the start.

use crate::{produce, with_topic};
use millstream_broker::testing::{BatchBuilder, Codec, START_MS, World, batch_with};
use millstream_broker::{Broker, Epoch, FetchError, Isolation, Offset, OffsetQuery, Topic, TrimError};

async fn ask(broker: &Broker, topic: &Topic, query: OffsetQuery) -> (Option<u64>, Option<i64>) {
    let isolation = Isolation::ReadUncommitted;
    let answer = broker
        .list_offset(topic, 0, None, query, isolation)
        .await
        .expect("no error");
    (answer.offset.map(|offset| offset.0), answer.timestamp)
}

#[tokio::test(start_paused = true)]
async fn every_query_on_an_empty_partition_has_its_answer() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    for (query, offset) in [
        (OffsetQuery::Earliest, Some(0)),
        (OffsetQuery::Latest, Some(0)),
        (OffsetQuery::EarliestLocal, Some(0)),
        (OffsetQuery::EarliestPendingUpload, Some(0)),
        (OffsetQuery::LatestTiered, None),
        (OffsetQuery::MaxTimestamp, None),
        (OffsetQuery::AtOrAfter(0), None),
    ] {
        assert_eq!(ask(&broker, &topic, query).await, (offset, None), "{query:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_finds_the_record_not_just_its_batch() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    // Records at START, START + 1, START + 2; then the same again: the first of equals is found.
    for codec in [Codec::None, Codec::Zstd] {
        let records = [(None, "a"), (None, "b"), (None, "c")];
        let batch = batch_with(BatchBuilder::new(codec), &records);
        let pending = broker.append(&topic, 0, batch).await.unwrap();
        pending.durable().await.unwrap();
    }
    let at = |ms: i64| OffsetQuery::AtOrAfter(START_MS + ms);
    assert_eq!(ask(&broker, &topic, at(-9)).await, (Some(0), Some(START_MS)));
    assert_eq!(ask(&broker, &topic, at(1)).await, (Some(1), Some(START_MS + 1)));
    assert_eq!(ask(&broker, &topic, at(3)).await, (None, None));
    assert_eq!(
        ask(&broker, &topic, OffsetQuery::MaxTimestamp).await,
        (Some(2), Some(START_MS + 2))
    );
    assert_eq!(ask(&broker, &topic, OffsetQuery::Latest).await, (Some(6), None));
    broker.delete_records(&topic, 0, Some(Offset(2))).await.unwrap();
    assert_eq!(ask(&broker, &topic, OffsetQuery::Earliest).await, (Some(2), None));
    assert_eq!(ask(&broker, &topic, at(0)).await, (Some(2), Some(START_MS + 2)));
}

#[tokio::test(start_paused = true)]
async fn a_question_under_a_wrong_epoch_or_about_no_partition_is_refused() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    let newer = Epoch(topic.stream(0).unwrap().epoch().0 + 1);
    let ask = |partition, epoch| {
        let isolation = Isolation::ReadCommitted;
        broker.list_offset(&topic, partition, epoch, OffsetQuery::Latest, isolation)
    };
    assert_eq!(ask(0, Some(newer)).await, Err(FetchError::UnknownEpoch));
    assert_eq!(ask(1, None).await, Err(FetchError::UnknownPartition));
    let end = |epoch| broker.epoch_end(&topic, 0, None, epoch);
    let held = topic.stream(0).unwrap().epoch();
    assert_eq!(end(held), Ok(Some((held, Offset(0)))));
    assert_eq!(end(newer), Ok(None), "an epoch that is yet to come has no end");
}

#[tokio::test(start_paused = true)]
async fn deleted_records_stay_deleted_and_the_start_never_falls() {
    let world = World::default();
    let (broker, topic) = with_topic(&world, 1, &[]).await;
    for _ in 0..3 {
        produce(&broker, &topic, 0, &["a", "b"]).await;
    }
    assert_eq!(
        broker.delete_records(&topic, 0, Some(Offset(3))).await,
        Ok(Offset(3))
    );
    assert_eq!(
        broker.delete_records(&topic, 0, Some(Offset(1))).await,
        Ok(Offset(3))
    );
    let above = broker.delete_records(&topic, 0, Some(Offset(7))).await;
    assert_eq!(above, Err(TrimError::OffsetOutOfRange));
    let nowhere = broker.delete_records(&topic, 5, None).await;
    assert_eq!(nowhere, Err(TrimError::UnknownPartition));
    broker.close().await;
    let again = world.open().await;
    let topic = again.topic("t").unwrap();
    assert_eq!(topic.stream(0).unwrap().bounds().start, Offset(3));
    assert_eq!(again.delete_records(&topic, 0, None).await, Ok(Offset(6)));
    assert_eq!(produce(&again, &topic, 0, &["c"]).await.base, Offset(6));
}

#[tokio::test(start_paused = true)]
async fn records_are_deleted_only_where_the_policy_says_so_and_never_from_internal_topics() {
    let (broker, topic) = with_topic(&World::default(), 1, &[("cleanup.policy", "compact")]).await;
    assert_eq!(
        broker.delete_records(&topic, 0, None).await,
        Err(TrimError::Policy)
    );
    let internal = broker.topic_or_create("__consumer_offsets").await.unwrap();
    assert_eq!(
        broker.delete_records(&internal, 0, None).await,
        Err(TrimError::InternalTopic)
    );
}
