//! Topics: how they come, grow and go, and what is seen of it meanwhile.

use crate::{end_of, produce, spec, with_topic};
use futures_util::future::join_all;
use millstream_broker::testing::{World, batch_of};
use millstream_broker::{AppendError, Dry, Offset, ProduceError, TopicError};

#[tokio::test(start_paused = true)]
async fn a_topic_lives_across_restarts_with_its_id_settings_and_records() {
    let world = World::default();
    let (broker, topic) = with_topic(&world, 3, &[("retention.ms", "5000")]).await;
    produce(&broker, &topic, 2, &["a", "b"]).await;
    broker.close().await;
    let again = world.open().await;
    let same = again.topic("t").expect("it is kept");
    assert_eq!(same.id(), topic.id());
    assert_eq!(same.partitions(), 3);
    assert_eq!(same.configs(), topic.configs());
    assert_eq!(end_of(&same, 2).await, Offset(2));
    assert_eq!(again.topic_by_id(&topic.id()).expect("by id, too").name(), "t");
}

#[tokio::test(start_paused = true)]
async fn a_topic_without_a_count_gets_the_brokers_default() {
    let world = World::new(&[("num.partitions", "7")]);
    let broker = world.open().await;
    let mut wanted = spec("t", 1, &[]);
    wanted.partitions = None;
    assert_eq!(
        broker.create_topic(&wanted, Dry::Run).await.unwrap().partitions,
        7
    );
    assert_eq!(broker.topic("t").unwrap().partitions(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_check_creates_nothing_and_refuses_what_creation_would() {
    let broker = World::default().open().await;
    let draft = broker
        .create_topic(&spec("t", 2, &[("retention.ms", "9")]), Dry::CheckOnly)
        .await;
    let draft = draft.unwrap();
    assert_eq!((draft.id, draft.partitions), (None, 2));
    let retention = draft
        .configs
        .iter()
        .find(|entry| entry.row.name == "retention.ms")
        .unwrap();
    assert_eq!(retention.value.as_deref(), Some("9"));
    assert!(broker.topics().is_empty());
    for refused in [
        spec("bad name", 1, &[]),
        spec("t", 0, &[]),
        spec("t", 100_001, &[]),
        spec("t", 1, &[("retention.ms", "x")]),
        spec("t", 1, &[("no.such", "1")]),
    ] {
        let check = broker.create_topic(&refused, Dry::CheckOnly).await.unwrap_err();
        let run = broker.create_topic(&refused, Dry::Run).await.unwrap_err();
        assert_eq!(check, run, "{refused:?}");
    }
    assert!(broker.topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn names_that_metrics_cannot_tell_apart_are_refused() {
    let broker = World::default().open().await;
    broker.create_topic(&spec("a.b", 1, &[]), Dry::Run).await.unwrap();
    let same = broker
        .create_topic(&spec("a.b", 1, &[]), Dry::Run)
        .await
        .unwrap_err();
    assert_eq!(same, TopicError::Exists("a.b".to_owned()));
    let colliding = broker
        .create_topic(&spec("a_b", 1, &[]), Dry::Run)
        .await
        .unwrap_err();
    assert!(matches!(colliding, TopicError::InvalidName(_)), "{colliding}");
    let auto = broker.topic_or_create("a_b").await.err().unwrap();
    assert!(matches!(auto, TopicError::InvalidName(_)), "{auto}");
}

#[tokio::test(start_paused = true)]
async fn all_who_create_a_topic_at_once_get_the_same_one() {
    let broker = World::default().open().await;
    let ids = join_all((0..32).map(|_| async { broker.topic_or_create("t").await.unwrap().id() })).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(broker.topics().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_not_created_by_the_way_where_that_is_off_or_the_name_is_invalid() {
    let broker = World::new(&[("auto.create.topics.enable", "false")]).open().await;
    assert_eq!(broker.topic_or_create("t").await.err(), Some(TopicError::Unknown));
    let broker = World::default().open().await;
    for name in ["", ".", "..", "a b", "ä", &"x".repeat(250)] {
        let refused = broker.topic_or_create(name).await.err().unwrap();
        assert!(matches!(refused, TopicError::InvalidName(_)), "{name}: {refused}");
    }
    assert!(broker.topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn added_partitions_are_empty_and_the_old_ones_go_on() {
    let world = World::default();
    let (broker, topic) = with_topic(&world, 1, &[]).await;
    produce(&broker, &topic, 0, &["a"]).await;
    assert!(broker.add_partitions("t", 3, Dry::CheckOnly).await.is_ok());
    assert_eq!(broker.topic("t").unwrap().partitions(), 1);
    broker.add_partitions("t", 3, Dry::Run).await.unwrap();
    let raised = broker.topic("t").unwrap();
    assert_eq!((raised.partitions(), raised.id()), (3, topic.id()));
    assert_eq!(end_of(&raised, 0).await, Offset(1));
    assert_eq!(produce(&broker, &raised, 2, &["b"]).await.base, Offset(0));
    // Who still holds the topic as it was appends to the same stream.
    assert_eq!(produce(&broker, &topic, 0, &["c"]).await.base, Offset(1));
    for (count, what) in [
        (3, "already has 3"),
        (2, "currently has 3"),
        (0, "currently has 3"),
    ] {
        let refused = broker.add_partitions("t", count, Dry::Run).await.unwrap_err();
        assert!(
            matches!(&refused, TopicError::InvalidPartitions(text) if text.contains(what)),
            "{refused}"
        );
    }
    assert_eq!(
        broker.add_partitions("u", 3, Dry::Run).await,
        Err(TopicError::Unknown)
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_raises_at_once_the_topic_ends_with_the_larger_count() {
    let (broker, _) = with_topic(&World::default(), 1, &[]).await;
    let raises = join_all([5, 9, 7].map(|count| broker.add_partitions("t", count, Dry::Run))).await;
    assert!(raises[1].is_ok(), "{raises:?}");
    assert_eq!(broker.topic("t").unwrap().partitions(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_topic_made_again_under_the_same_name_is_another_and_empty() {
    let world = World::default();
    let (broker, old) = with_topic(&world, 2, &[]).await;
    produce(&broker, &old, 0, &["old"]).await;
    broker.delete_topic(&old).await.unwrap();
    assert!(broker.topic("t").is_none() && broker.topic_by_id(&old.id()).is_none());
    let gone = broker.append(&old, 0, batch_of(&["late"])).await.err().unwrap();
    assert_eq!(gone, ProduceError::Log(AppendError::StreamGone));
    broker.create_topic(&spec("t", 1, &[]), Dry::Run).await.unwrap();
    let new = broker.topic("t").unwrap();
    assert_ne!(new.id(), old.id());
    assert_eq!(end_of(&new, 0).await, Offset(0));
    assert_eq!(produce(&broker, &new, 0, &["new"]).await.base, Offset(0));
    // Who still means the old one does not delete the new one.
    assert_eq!(broker.delete_topic(&old).await, Err(TopicError::Unknown));
    assert_eq!(broker.topic("t").unwrap().id(), new.id());
    broker.close().await;
    let again = world.open().await;
    assert_eq!(end_of(&again.topic("t").unwrap(), 0).await, Offset(1));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_and_a_creation_at_once_leave_the_table_as_the_catalog() {
    let (broker, old) = with_topic(&World::default(), 1, &[]).await;
    for round in 0..20 {
        let topic = broker.topic("t").unwrap_or_else(|| old.clone());
        let wanted = spec("t", 1 + round % 3, &[]);
        let _ = tokio::join!(
            broker.delete_topic(&topic),
            broker.create_topic(&wanted, Dry::Run),
            broker.add_partitions("t", 5, Dry::Run),
            broker.topic_or_create("t"),
        );
        if let Some(topic) = broker.topic("t") {
            // What the table shows is alive.
            produce(&broker, &topic, 0, &["x"]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_a_crash_cut_short_is_finished_at_the_next_start() {
    let world = World::default();
    let (broker, topic) = with_topic(&world, 1, &[]).await;
    produce(&broker, &topic, 0, &["a"]).await;
    // The catalog forgets the topic, the log is not told: as if the broker had died in between.
    let (lost, kept) = (topic.stream(0).unwrap().id(), world.meta.clone());
    broker.close().await;
    let catalog = millstream_meta::Catalog::open(
        std::sync::Arc::new(kept),
        std::sync::Arc::new(millstream_meta::SystemEntropy),
        millstream_meta::catalog::CatalogConfig {
            broker: 1,
            session: None,
        },
    );
    catalog.await.unwrap().delete_topic("t").await.unwrap();
    let again = world.open().await;
    assert!(again.topic("t").is_none());
    assert!(!again.log_stream_ids().contains(&lost));
}

#[tokio::test(start_paused = true)]
async fn deletion_is_refused_where_it_is_off_and_for_internal_topics() {
    let (broker, topic) = with_topic(&World::new(&[("delete.topic.enable", "false")]), 1, &[]).await;
    assert_eq!(
        broker.delete_topic(&topic).await,
        Err(TopicError::DeletionDisabled)
    );
    let broker = World::default().open().await;
    let internal = broker.topic_or_create("__consumer_offsets").await.unwrap();
    assert_eq!((internal.partitions(), internal.is_internal()), (50, true));
    assert!(internal.settings().compacted);
    assert_eq!(broker.delete_topic(&internal).await, Err(TopicError::Internal));
    let refused = broker.append(&internal, 0, batch_of(&["a"])).await.err();
    assert_eq!(refused, Some(ProduceError::InternalTopic));
}

/// Groups once were looked for in partitions where nothing was known of them, after the next restart.
#[tokio::test(start_paused = true)]
async fn topics_that_hold_state_do_not_grow() {
    let broker = World::default().open().await;
    for name in ["__consumer_offsets", "__transaction_state", "__share_group_state"] {
        let topic = broker.topic_or_create(name).await.unwrap();
        for dry in [Dry::CheckOnly, Dry::Run] {
            let refused = broker.add_partitions(name, 60, dry).await;
            assert!(
                matches!(refused, Err(TopicError::InvalidPartitions(_))),
                "{refused:?}"
            );
        }
        assert_eq!(broker.topic(name).unwrap().partitions(), topic.partitions());
    }
}
