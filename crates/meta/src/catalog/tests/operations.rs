//! Each operation of the catalog, without faults.
//!
//! Owns: nothing but tests. Never: lost answers (`faults`), sequences (`model`).
//! **Invariant**: none.

use super::super::records::{self, encode_topic};
use super::super::*;
use super::{Cluster, check_image, configs, topic};
use crate::EmbeddedStore;
use crate::conformance::RuntimeClock;
use crate::entropy::SystemEntropy;
use crate::store::Revision;
use bytes::Bytes;
use futures_util::future::join_all;
use millstream_log::OpenError;
use std::collections::BTreeSet;

#[tokio::test(start_paused = true)]
async fn a_topic_is_there_once_its_creation_was_answered() {
    let catalog = Cluster::new().broker(3).await;
    let mut new = topic("orders", 3);
    new.configs = configs(&[("cleanup.policy", "compact")]);
    let created = catalog.create_topic(new).await.expect("a new name");
    let image = catalog.image();
    assert_eq!(image.topic("orders"), Some(&created));
    assert_eq!(image.topic_by_id(created.id), Some(&created));
    assert_eq!(created.configs["cleanup.policy"], "compact");
    assert!(
        created
            .partitions
            .iter()
            .all(|partition| (partition.owner, partition.epoch) == (3, Epoch(0)))
    );
    let streams: Vec<u64> = created
        .partitions
        .iter()
        .map(|partition| partition.stream.0)
        .collect();
    assert_eq!(streams, [1, 2, 3]);
    check_image(&image);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_topic_is_refused_and_changes_nothing() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    catalog.create_topic(topic("a.b", 1)).await.expect("a new name");
    let before = cluster.store.revision();
    let mut large = topic("large", 1);
    large.configs = configs(&[("k", &"v".repeat(CONFIG_VALUE_BYTES_MAX + 1))]);
    let collides = NameError::Collides {
        name: "a_b".into(),
        with: "a.b".into(),
    };
    let refused = [
        (topic("a.b", 1), CatalogError::TopicExists("a.b".into())),
        (topic("a_b", 1), CatalogError::InvalidName(collides)),
        (topic("", 1), CatalogError::InvalidName(NameError::Empty)),
        (
            topic("n", 0),
            CatalogError::InvalidPartitions(PartitionCountError::Zero),
        ),
        (
            topic("n", 100_001),
            CatalogError::InvalidPartitions(PartitionCountError::TooMany),
        ),
        (large, CatalogError::ConfigsTooLarge),
    ];
    for (new, error) in refused {
        assert_eq!(catalog.check_new_topic(&new), Err(error.clone()));
        assert_eq!(catalog.create_topic(new).await, Err(error));
    }
    assert_eq!(cluster.store.revision(), before);
}

#[tokio::test(start_paused = true)]
async fn a_topic_of_any_allowed_size_is_one_transaction() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    for (name, count) in [
        ("small", 1),
        ("ten-thousand", 10_000),
        ("largest", PARTITIONS_PER_TOPIC_MAX),
    ] {
        // Takes the block of stream ids beforehand.
        let first = catalog.allocate_streams(count).await.expect("answers");
        let left = catalog.allocate_streams(1).await.expect("answers");
        assert!(left > first);
        let before = cluster.store.revision();
        let mut new = topic(name, count);
        new.configs = configs(&[("k", "v")]);
        let created = catalog.create_topic(new).await.expect("a new name");
        assert_eq!(created.partitions.len(), count as usize);
        let counter = u64::from(count > 900);
        assert_eq!(
            cluster.store.revision(),
            Revision(before.0 + 1 + counter),
            "{name}"
        );
    }
    check_image(&catalog.image());
    let reopened = cluster.broker(1).await;
    assert!(reopened.image().topics().eq(catalog.image().topics()));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_topic_leaves_nothing_and_its_name_is_free() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    let mut new = topic("a.b", 3000);
    new.configs = configs(&[("k", "v")]);
    let old = catalog.create_topic(new).await.expect("a new name");
    assert_eq!(catalog.delete_topic("a.b").await, Ok(old.clone()));
    assert_eq!(catalog.image().topic("a.b"), None);
    assert_eq!(catalog.delete_topic("a.b").await, Err(CatalogError::UnknownTopic));
    assert_eq!(
        catalog.delete_topic("not a name").await,
        Err(CatalogError::UnknownTopic)
    );
    let left = crate::store::range_all(&cluster.store, crate::store::KeyRange::prefix("catalog/")).await;
    assert_eq!(left.expect("answers").0.len(), 1, "the cluster's id");
    let new = catalog.create_topic(topic("a_b", 1)).await.expect("free");
    assert_ne!(new.id, old.id);
    assert!(new.configs.is_empty());
    assert!(
        !old.partitions.contains(&new.partitions[0]),
        "a stream is never used again"
    );
    check_image(&catalog.image());
}

#[tokio::test(start_paused = true)]
async fn partitions_are_added_and_never_taken_away() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    let mut before = catalog
        .create_topic(topic("t", 1))
        .await
        .expect("a new name")
        .partitions
        .clone();
    // Within a chunk, to its end, from its end, over several.
    for total in [2, 2047, 2048, 2049, 4096, 10_000] {
        let facts = catalog.add_partitions("t", total).await.expect("more");
        assert_eq!(facts.partitions.len(), total as usize);
        assert_eq!(
            facts.partitions[..before.len()],
            before,
            "those that were there stay as they were"
        );
        before = facts.partitions.clone();
        check_image(&catalog.image());
    }
    for total in [1, 10_000] {
        let refused = catalog.add_partitions("t", total).await;
        let error = PartitionCountError::NotMore { present: 10_000 };
        assert_eq!(refused, Err(CatalogError::InvalidPartitions(error)));
    }
    assert_eq!(
        catalog.add_partitions("other", 2).await,
        Err(CatalogError::UnknownTopic)
    );
    assert_eq!(
        cluster.broker(1).await.image().topic("t"),
        catalog.image().topic("t")
    );
}

fn with(present: &ConfigMap, name: &str, value: &str) -> ConfigMap {
    let mut next = present.clone();
    next.insert(name.to_owned(), value.to_owned());
    next
}

#[tokio::test(start_paused = true)]
async fn settings_change_as_a_whole_or_step_by_step() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    catalog.create_topic(topic("t", 1)).await.expect("a new name");
    catalog
        .set_topic_configs("t", configs(&[("a", "1"), ("b", "2")]))
        .await
        .expect("set");
    let edit = |present: &ConfigMap| {
        let mut next = present.clone();
        next.remove("a");
        next.insert("c".into(), "3".into());
        Ok(next)
    };
    let facts = catalog.edit_topic_configs("t", edit).await.expect("edited");
    assert_eq!(facts.configs, configs(&[("b", "2"), ("c", "3")]));
    let before = cluster.store.revision();
    catalog
        .set_topic_configs("t", facts.configs.clone())
        .await
        .expect("nothing to do");
    let refused = catalog.edit_topic_configs("t", |_| Err("no".into())).await;
    assert_eq!(refused, Err(CatalogError::Refused("no".into())));
    assert_eq!(cluster.store.revision(), before);
    catalog
        .set_topic_configs("t", ConfigMap::new())
        .await
        .expect("cleared");
    assert!(catalog.image().topic("t").expect("there").configs.is_empty());
    assert_eq!(
        catalog.set_topic_configs("u", ConfigMap::new()).await,
        Err(CatalogError::UnknownTopic)
    );
}

#[tokio::test(start_paused = true)]
async fn brokers_have_settings_of_their_own_and_in_common() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    catalog
        .set_broker_configs(None, configs(&[("a", "all")]))
        .await
        .expect("set");
    catalog
        .set_broker_configs(Some(1), configs(&[("a", "one")]))
        .await
        .expect("set");
    let edit = |present: &ConfigMap| Ok(with(present, "b", "2"));
    catalog.edit_broker_configs(Some(1), edit).await.expect("altered");
    let reopened = cluster.broker(2).await;
    for image in [catalog.image(), reopened.image()] {
        assert_eq!(image.broker_configs(None), configs(&[("a", "all")]));
        assert_eq!(
            image.broker_configs(Some(1)),
            configs(&[("a", "one"), ("b", "2")])
        );
        assert_eq!(image.broker_configs(Some(2)), ConfigMap::new());
    }
}

#[tokio::test(start_paused = true)]
async fn the_cluster_has_one_id_for_ever() {
    let cluster = Cluster::new();
    let (first, second) = tokio::join!(cluster.broker(1), cluster.broker(2));
    assert_eq!(first.cluster_id(), second.cluster_id());
    assert_eq!(first.cluster_id().len(), 22);
    assert_ne!(
        Cluster::new().broker(1).await.cluster_id(),
        "AAAAAAAAAAAAAAAAAAAAAA"
    );
}

#[tokio::test(start_paused = true)]
async fn a_broker_sees_what_another_does() {
    let cluster = Cluster::new();
    let (first, second) = (cluster.broker(1).await, cluster.broker(2).await);
    let mut changed = second.changed();
    first.create_topic(topic("t", 2)).await.expect("a new name");
    changed
        .wait_for(|_| second.image().topic("t").is_some())
        .await
        .expect("it follows");
    // Also before its image does: whoever names a topic has seen it somewhere.
    first.create_topic(topic("u", 2)).await.expect("a new name");
    assert_eq!(
        second.add_partitions("u", 3).await.expect("known").partitions[2].owner,
        2
    );
    assert!(matches!(
        second.create_topic(topic("u", 1)).await,
        Err(CatalogError::TopicExists(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn of_brokers_that_create_the_same_topic_one_wins() {
    let cluster = Cluster::new();
    let brokers = join_all((0..8).map(|broker| cluster.broker(broker))).await;
    let names = ["t.u", "t_u"];
    let answers = brokers
        .iter()
        .enumerate()
        .map(|(i, broker)| broker.create_topic(topic(names[i % 2], 1)));
    let answers = join_all(answers).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "{answers:?}"
    );
    let taken = |answer: &Result<_, CatalogError>| {
        matches!(
            answer,
            Ok(_) | Err(CatalogError::TopicExists(_) | CatalogError::InvalidName(NameError::Collides { .. }))
        )
    };
    assert!(answers.iter().all(taken), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn concurrent_edits_of_one_topic_lose_none() {
    let cluster = Cluster::new();
    let brokers = join_all((0..4).map(|broker| cluster.broker(broker))).await;
    brokers[0].create_topic(topic("t", 1)).await.expect("a new name");
    let edits = brokers.iter().enumerate().map(|(i, broker)| async move {
        for round in 0..3 {
            let edit = |present: &ConfigMap| Ok(with(present, &format!("{i}-{round}"), "set"));
            broker.edit_topic_configs("t", edit).await.expect("edited");
        }
    });
    let grow = async { brokers[0].add_partitions("t", 5).await.expect("more") };
    tokio::join!(join_all(edits), grow);
    let facts = cluster
        .broker(9)
        .await
        .image()
        .topic("t")
        .cloned()
        .expect("there");
    assert_eq!((facts.configs.len(), facts.partitions.len()), (12, 5));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_lags_is_read_anew() {
    let cluster = Cluster::new();
    let (first, second) = (cluster.broker(1).await, cluster.broker(2).await);
    first.create_topic(topic("gone", 1)).await.expect("a new name");
    let mut changed = second.changed();
    changed
        .wait_for(|_| second.image().topic("gone").is_some())
        .await
        .expect("it follows");
    // Written behind the images' back, then history is forgotten before they are polled.
    let record = records::TopicRecord {
        name: "behind".into(),
        id: TopicId([9; 16]),
        partition_count: 1,
    };
    let partition = PartitionFacts {
        stream: StreamId(99),
        epoch: Epoch(0),
        owner: 1,
    };
    let gone = first.image().topic("gone").expect("there").id;
    let txn = Txn::new()
        .put("catalog/topic/behind", encode_topic(&record))
        .put(
            &Key::Partitions {
                topic: record.id,
                chunk: 0,
            }
            .encode(),
            records::encode_partitions(&[partition]),
        )
        .delete("catalog/topic/gone")
        .delete_range(Key::all_partitions(gone));
    cluster.store.txn(txn).await.expect("answers");
    cluster.store.compact();
    changed
        .wait_for(|_| second.image().topic("behind").is_some())
        .await
        .expect("it follows");
    assert_eq!(second.image().topic("gone"), None);
    second.create_topic(topic("next", 1)).await.expect("it goes on");
    check_image(&second.image());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_topics_are_created_at_once_and_found() {
    let cluster = Cluster::new();
    let catalog = cluster.broker(1).await;
    let names: Vec<String> = (0..10_000).map(|i| format!("topic.{i}")).collect();
    for some in names.chunks(500) {
        let created = join_all(some.iter().map(|name| catalog.create_topic(topic(name, 2)))).await;
        assert!(created.iter().all(Result::is_ok));
    }
    let image = catalog.image();
    assert_eq!((image.topic_count(), image.partition_count()), (10_000, 20_000));
    assert!(names.iter().all(|name| image.topic(name).is_some()));
    assert_eq!(image.topics_from("topic.9998").count(), 2);
    check_image(&image);
    assert!(cluster.broker(1).await.image().topics().eq(image.topics()));
}

#[tokio::test(start_paused = true)]
async fn producer_ids_are_handed_out_once() {
    let cluster = Cluster::new();
    let (first, second) = (cluster.broker(1).await, cluster.broker(2).await);
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let (a, b) = tokio::join!(first.allocate_producer_ids(), second.allocate_producer_ids());
        for block in [a.expect("answers"), b.expect("answers")] {
            assert_eq!(block.end - block.start, 1000);
            assert!(seen.insert(block.start), "{block:?}");
        }
    }
    assert_eq!(seen.first(), Some(&0));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_read_fails_the_opening_and_says_which() {
    let damaged = Bytes::from_static(b"Mm\x03\x01 damaged");
    let later = crate::record::Encoder::new(crate::record::Kind::Topic, 9).finish();
    let alone = encode_topic(&records::TopicRecord {
        name: "t".into(),
        id: TopicId([9; 16]),
        partition_count: 1,
    });
    let cases = [
        ("catalog/topic/t", damaged, false),
        ("catalog/topic/t", later, true),
        ("catalog/topic/t", alone.clone(), false),
        ("catalog/topic/other", alone, false),
        ("catalog/later/something", Bytes::new(), true),
    ];
    for (key, value, is_later) in cases {
        let cluster = Cluster::new();
        cluster
            .store
            .txn(Txn::new().put(key, value))
            .await
            .expect("answers");
        let config = CatalogConfig {
            broker: 1,
            session: None,
        };
        let opened = Catalog::open(Arc::new(cluster.store.clone()), cluster.entropy.clone(), config).await;
        match opened.map(|_| ()) {
            Err(OpenError::UnknownVersion(what)) if is_later => assert!(what.contains(key), "{what}"),
            Err(OpenError::Corrupt(what)) if !is_later => assert!(what.contains(key), "{what}"),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_catalog_survives_a_restart_of_the_broker() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().join("meta.redb");
    let config = CatalogConfig {
        broker: 1,
        session: None,
    };
    let mut before = None;
    for round in 0..3 {
        let store = EmbeddedStore::open(&path, RuntimeClock::starting_now())
            .await
            .expect("opens");
        let catalog = Catalog::open(Arc::new(store.clone()), Arc::new(SystemEntropy), config)
            .await
            .expect("opens");
        let image = catalog.image();
        if let Some((id, topics)) = before {
            assert_eq!(catalog.cluster_id(), id);
            assert_eq!(image.topics().cloned().collect::<Vec<_>>(), topics);
        }
        let names: Vec<String> = (0..50).map(|i| format!("t-{round}-{i}")).collect();
        let created = join_all(names.iter().map(|name| catalog.create_topic(topic(name, 3)))).await;
        assert!(created.iter().all(Result::is_ok));
        let image = catalog.image();
        check_image(&image);
        before = Some((catalog.cluster_id(), image.topics().cloned().collect::<Vec<_>>()));
        store.close().await;
    }
}
