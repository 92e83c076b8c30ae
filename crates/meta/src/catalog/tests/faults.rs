//! Operations of the catalog whose answers are lost, come late, or never come.
//!
//! Owns: nothing but tests. Never: operations without faults.
//! **Invariant**: none.

use super::super::*;
use super::{Cluster, check_image, configs, topic};
use crate::memory::TxnFault::{self, *};

const FAULTS: [TxnFault; 4] = [NotDone, DoneButUnknown, NotDoneButUnknown, Late];

/// A broker that has its block of stream ids, so that the next transaction is the operation's own.
async fn broker_with_ids(cluster: &Cluster) -> Catalog {
    let catalog = cluster.broker(1).await;
    catalog.create_topic(topic("first", 1)).await.expect("a new name");
    catalog
}

#[tokio::test(start_paused = true)]
async fn one_lost_answer_changes_no_outcome() {
    for fault in FAULTS {
        let cluster = Cluster::new();
        let catalog = broker_with_ids(&cluster).await;
        cluster.store.inject(fault);
        let created = catalog.create_topic(topic("t", 2)).await.expect("created");
        cluster.store.inject(fault);
        let grown = catalog.add_partitions("t", 3).await.expect("more");
        assert_eq!((grown.id, grown.partitions.len()), (created.id, 3), "{fault:?}");
        cluster.store.inject(fault);
        catalog
            .set_topic_configs("t", configs(&[("k", "v")]))
            .await
            .expect("set");
        cluster.store.inject(fault);
        catalog
            .set_broker_configs(None, configs(&[("k", "v")]))
            .await
            .expect("set");
        cluster.store.inject(fault);
        let first = catalog.allocate_producer_ids().await.expect("allocated");
        assert!(catalog.allocate_producer_ids().await.expect("allocated").start >= first.end);
        assert_eq!(
            catalog.image().topic("t").expect("there").configs,
            configs(&[("k", "v")])
        );
        check_image(&catalog.image());
        cluster.store.inject(fault);
        catalog.delete_topic("t").await.expect("deleted");
        assert_eq!(catalog.image().topic("t"), None);
        cluster.store.release_late();
        assert_eq!(cluster.broker(2).await.image().topic("t"), None, "{fault:?}");
    }
}

/// `NotDone` is a promise: no attempt may be carried out later.
#[tokio::test(start_paused = true)]
async fn without_any_answer_the_outcome_is_named_as_what_it_is() {
    for (faults, fate) in [
        ([NotDone; 6], Fate::NotDone),
        ([NotDoneButUnknown; 6], Fate::Unknown),
        (
            [NotDone, NotDone, NotDoneButUnknown, NotDone, NotDone, NotDone],
            Fate::Unknown,
        ),
        ([Late, NotDone, NotDone, NotDone, NotDone, NotDone], Fate::Unknown),
    ] {
        let cluster = Cluster::new();
        let catalog = broker_with_ids(&cluster).await;
        faults.into_iter().for_each(|fault| cluster.store.inject(fault));
        let answer = catalog.create_topic(topic("t", 1)).await;
        let Err(CatalogError::Store(failure)) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(failure.fate, fate, "{faults:?}");
        cluster.store.release_late();
        if fate == Fate::NotDone {
            assert_eq!(cluster.broker(2).await.image().topic("t"), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_made_by_a_lost_answer_is_seen_once_the_store_is_back() {
    let cluster = Cluster::new();
    let catalog = broker_with_ids(&cluster).await;
    cluster.store.inject(DoneButUnknown);
    (0..5).for_each(|_| cluster.store.inject(NotDoneButUnknown));
    catalog.create_topic(topic("t", 1)).await.expect_err("no answer");
    catalog
        .changed()
        .wait_for(|_| catalog.image().topic("t").is_some())
        .await
        .expect("it follows");
    assert_eq!(
        catalog.create_topic(topic("t", 1)).await,
        Err(CatalogError::TopicExists("t".into()))
    );
}

/// Our answer was lost; when we ask again another broker has the name. That is no success of ours.
#[tokio::test(start_paused = true)]
async fn anothers_topic_after_a_lost_answer_is_not_ours() {
    let cluster = Cluster::new();
    let (ours, theirs) = (broker_with_ids(&cluster).await, cluster.broker(2).await);
    cluster.store.inject(NotDoneButUnknown);
    let create = async {
        let (a, b) = tokio::join!(ours.create_topic(topic("t", 1)), async {
            // Comes while the other pauses after its lost answer.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            theirs.create_topic(topic("t", 1)).await
        });
        (a, b)
    };
    let (a, b) = create.await;
    assert_eq!(a, Err(CatalogError::TopicExists("t".into())));
    b.expect("theirs");
}

#[tokio::test(start_paused = true)]
async fn a_broker_whose_session_has_expired_changes_nothing() {
    let cluster = Cluster::new();
    let session = cluster
        .store
        .open_session(Duration::from_secs(5))
        .await
        .expect("answers");
    let config = CatalogConfig {
        broker: 1,
        session: Some(session.id),
    };
    let store = Arc::new(cluster.store.clone());
    let catalog = Catalog::open(store, cluster.entropy.clone(), config)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    catalog.create_topic(topic("t", 1)).await.expect("it lives");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = cluster.store.revision();
    let refused = [
        catalog.create_topic(topic("u", 1)).await.map(|_| ()),
        catalog.delete_topic("t").await.map(|_| ()),
        catalog.add_partitions("t", 2).await.map(|_| ()),
        catalog
            .set_topic_configs("t", configs(&[("k", "v")]))
            .await
            .map(|_| ()),
        catalog.set_broker_configs(None, configs(&[("k", "v")])).await,
        catalog.allocate_producer_ids().await.map(|_| ()),
    ];
    for answer in refused {
        let failed = matches!(&answer, Err(CatalogError::Store(failure)) if failure.fate == Fate::NotDone);
        assert!(failed, "{answer:?}");
    }
    assert_eq!(cluster.store.revision(), before);
}
