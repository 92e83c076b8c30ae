//! Random operations of two brokers, with lost answers, against a simple map.
//!
//! Owns: the map that says what each operation must answer. Never: single operations.
//! **Invariant**: none.

use super::super::*;
use super::{Cluster, check_image};
use crate::memory::TxnFault;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 5] = ["a", "b", "c.d", "c_d", "e.f.g"];

#[derive(Clone, Debug)]
enum Step {
    Create {
        name: usize,
        partitions: u32,
        setting: Option<u8>,
    },
    Delete {
        name: usize,
    },
    Grow {
        name: usize,
        total: u32,
    },
    Set {
        name: usize,
        key: u8,
        value: Option<u8>,
    },
    Reopen,
    Compact,
}

fn any_step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    // Around the end of a chunk as well as small.
    let count = || prop_oneof![0_u32..5, 2046_u32..2050, Just(5000)];
    prop_oneof![
        4 => (name.clone(), count(), any::<Option<u8>>())
            .prop_map(|(name, partitions, setting)| Step::Create { name, partitions, setting }),
        2 => name.clone().prop_map(|name| Step::Delete { name }),
        3 => (name.clone(), count()).prop_map(|(name, total)| Step::Grow { name, total }),
        3 => (name, 0_u8..3, any::<Option<u8>>()).prop_map(|(name, key, value)| Step::Set { name, key, value }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

fn any_fault() -> impl Strategy<Value = Option<TxnFault>> {
    prop_oneof![
        6 => Just(None),
        1 => Just(Some(TxnFault::NotDone)),
        1 => Just(Some(TxnFault::DoneButUnknown)),
        1 => Just(Some(TxnFault::NotDoneButUnknown)),
        1 => Just(Some(TxnFault::Late)),
    ]
}

#[derive(Default)]
struct Model {
    topics: BTreeMap<&'static str, (u32, ConfigMap)>,
    streams_ever: BTreeSet<StreamId>,
    ids_ever: BTreeSet<TopicId>,
}

/// What kind of answer.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Exists,
    Collides,
    Unknown,
    Count,
}

fn kind<T>(answer: Result<T, CatalogError>) -> Answer {
    match answer {
        Ok(_) => Answer::Done,
        Err(CatalogError::TopicExists(_)) => Answer::Exists,
        Err(CatalogError::InvalidName(NameError::Collides { .. })) => Answer::Collides,
        Err(CatalogError::UnknownTopic) => Answer::Unknown,
        Err(CatalogError::InvalidPartitions(_)) => Answer::Count,
        Err(other) => panic!("{other}"),
    }
}

impl Model {
    fn create(&mut self, name: &'static str, partitions: u32, configs: ConfigMap) -> Answer {
        let unified = name.replace('.', "_");
        if partitions == 0 {
            return Answer::Count;
        }
        match self
            .topics
            .keys()
            .find(|taken| taken.replace('.', "_") == unified)
        {
            Some(taken) if *taken == name => return Answer::Exists,
            Some(_) => return Answer::Collides,
            None => {}
        }
        self.topics.insert(name, (partitions, configs));
        Answer::Done
    }

    fn grow(&mut self, name: &str, total: u32) -> Answer {
        if total == 0 {
            return Answer::Count;
        }
        match self.topics.get_mut(name) {
            None => Answer::Unknown,
            Some((count, _)) if total <= *count => Answer::Count,
            Some((count, _)) => {
                *count = total;
                Answer::Done
            }
        }
    }

    fn set(&mut self, name: &str, key: u8, value: Option<u8>) -> Answer {
        let Some((_, configs)) = self.topics.get_mut(name) else {
            return Answer::Unknown;
        };
        match value {
            Some(value) => configs.insert(format!("k{key}"), value.to_string()),
            None => configs.remove(&format!("k{key}")),
        };
        Answer::Done
    }

    fn check(&self, image: &Image) {
        check_image(image);
        let shown = image
            .topics()
            .map(|facts| (facts.name.as_str(), (facts.partition_count, &facts.configs)));
        let wanted = self
            .topics
            .iter()
            .map(|(name, (count, configs))| (*name, (*count, configs)));
        assert!(shown.eq(wanted), "{image:?}\n{:?}", self.topics);
    }

    /// New ids are new for all time.
    fn note_new(&mut self, facts: &TopicFacts, first_new: usize) {
        if first_new == 0 {
            assert!(self.ids_ever.insert(facts.id));
        }
        for partition in &facts.partitions[first_new..] {
            assert!(self.streams_ever.insert(partition.stream), "{partition:?} again");
        }
    }
}

struct Run {
    cluster: Cluster,
    brokers: [Catalog; 2],
    model: Model,
}

impl Run {
    async fn take(&mut self, step: Step, which: usize) {
        let (broker, model) = (&self.brokers[which], &mut self.model);
        match step {
            Step::Create {
                name,
                partitions,
                setting,
            } => {
                let configs: ConfigMap = setting
                    .iter()
                    .map(|value| ("k0".into(), value.to_string()))
                    .collect();
                let new = NewTopic {
                    name: NAMES[name].into(),
                    partitions,
                    configs: configs.clone(),
                };
                let answer = broker.create_topic(new).await;
                answer.iter().for_each(|facts| model.note_new(facts, 0));
                assert_eq!(kind(answer), model.create(NAMES[name], partitions, configs));
            }
            Step::Delete { name } => {
                let wanted = model
                    .topics
                    .remove(NAMES[name])
                    .map_or(Answer::Unknown, |_| Answer::Done);
                assert_eq!(kind(broker.delete_topic(NAMES[name]).await), wanted);
            }
            Step::Grow { name, total } => {
                let present = model
                    .topics
                    .get(NAMES[name])
                    .map_or(0, |(count, _)| *count as usize);
                let answer = broker.add_partitions(NAMES[name], total).await;
                answer.iter().for_each(|facts| model.note_new(facts, present));
                assert_eq!(kind(answer), model.grow(NAMES[name], total));
            }
            Step::Set { name, key, value } => {
                let key_name = format!("k{key}");
                let edit = |present: &ConfigMap| {
                    let mut next = present.clone();
                    match value {
                        Some(value) => next.insert(key_name.clone(), value.to_string()),
                        None => next.remove(&key_name),
                    };
                    Ok(next)
                };
                let answer = broker.edit_topic_configs(NAMES[name], edit).await;
                assert_eq!(kind(answer), model.set(NAMES[name], key, value));
            }
            Step::Reopen => {
                let id = u32::try_from(which).expect("two brokers");
                self.brokers[which] = self.cluster.broker(id).await;
            }
            Step::Compact => self.cluster.store.compact(),
        }
    }

    /// The broker reads its own writes at once, and the other's once it has caught up.
    async fn check(&self, which: usize) {
        let broker = &self.brokers[which];
        let latest = self
            .brokers
            .iter()
            .map(|broker| broker.image().revision())
            .max()
            .expect("two brokers");
        broker
            .changed()
            .wait_for(|revision| *revision >= latest)
            .await
            .expect("it follows");
        self.model.check(&broker.image());
    }
}

async fn run(steps: Vec<(Step, bool, Option<TxnFault>)>) {
    let cluster = Cluster::new();
    let brokers = [cluster.broker(0).await, cluster.broker(1).await];
    let mut run = Run {
        cluster,
        brokers,
        model: Model::default(),
    };
    for (step, which, fault) in steps {
        let which = usize::from(which);
        run.cluster.store.clear_injected();
        fault
            .into_iter()
            .for_each(|fault| run.cluster.store.inject(fault));
        run.take(step, which).await;
        run.check(which).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_catalog_behaves_as_a_map_whatever_answers_are_lost(
        steps in prop::collection::vec((any_step(), any::<bool>(), any_fault()), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(steps));
    }
}
