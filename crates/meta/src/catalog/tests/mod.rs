//! Tests of the catalog: operations, lost answers, several brokers, sizes.
//!
//! Owns: nothing but tests. Never: the records' bytes (`records_tests`).
//! **Invariant**: none.

mod faults;
mod model;
mod operations;

use super::{Catalog, CatalogConfig, ConfigMap, Image, NewTopic};
use crate::conformance::{CountingEntropy, RuntimeClock};
use crate::memory::MemoryStore;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One store, any number of brokers on it.
struct Cluster {
    store: MemoryStore,
    entropy: Arc<CountingEntropy>,
}

impl Cluster {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(RuntimeClock::starting_now()),
            entropy: Arc::default(),
        }
    }

    async fn broker(&self, broker: u32) -> Catalog {
        let config = CatalogConfig {
            broker,
            session: None,
        };
        let catalog = Catalog::open(Arc::new(self.store.clone()), self.entropy.clone(), config).await;
        catalog.unwrap_or_else(|e| panic!("{e}"))
    }
}

fn topic(name: &str, partitions: u32) -> NewTopic {
    NewTopic {
        name: name.into(),
        partitions,
        configs: ConfigMap::new(),
    }
}

fn configs(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// What holds for every image, whatever happened.
fn check_image(image: &Image) {
    let mut streams = BTreeSet::new();
    let mut partitions = 0;
    let mut last: Option<&str> = None;
    for facts in image.topics() {
        assert!(
            last.is_none_or(|last| last < facts.name.as_str()),
            "in the order of names"
        );
        last = Some(&facts.name);
        assert!(Arc::ptr_eq(image.topic(&facts.name).expect("listed"), facts));
        assert!(Arc::ptr_eq(image.topic_by_id(facts.id).expect("listed"), facts));
        assert!(Arc::ptr_eq(
            image
                .topic_colliding_with(&facts.name.replace('.', "_"))
                .expect("listed"),
            facts
        ));
        assert_eq!(facts.partitions.len(), facts.partition_count as usize);
        partitions += facts.partitions.len() as u64;
        assert!(
            facts
                .partitions
                .iter()
                .all(|partition| streams.insert(partition.stream)),
            "a stream is used once"
        );
    }
    assert_eq!(image.partition_count(), partitions);
    assert_eq!(image.topic_count(), image.topics().count());
}
