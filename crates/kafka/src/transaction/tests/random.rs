//! Random histories of several producers of one id, with crashes at any point. A model of the partitions judges: what was told to be
//! committed has commit markers and nothing else, what a zombie does never counts, and replay gives what was live.

use super::harness::{Bench, ID};
use crate::transaction::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one step does; indexes choose among the producers that exist.
#[derive(Clone, Debug)]
enum Step {
    Init {
        named: Option<usize>,
    },
    Add {
        by: usize,
        partition: i32,
        per_transaction: bool,
    },
    End {
        by: usize,
        commit: bool,
        per_transaction: bool,
    },
    PersistOne,
    MarkOne,
    Pass {
        ms: u64,
    },
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => proptest::option::of(0usize..8).prop_map(|named| Step::Init { named }),
        6 => (0usize..8, 0i32..3, any::<bool>())
            .prop_map(|(by, partition, per_transaction)| Step::Add { by, partition, per_transaction }),
        5 => (0usize..8, any::<bool>(), any::<bool>())
            .prop_map(|(by, commit, per_transaction)| Step::End { by, commit, per_transaction }),
        10 => Just(Step::PersistOne),
        6 => Just(Step::MarkOne),
        2 => (0u64..70_000).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 1..120)
}

/// Everything that producers were told, and what markers did.
#[derive(Default)]
struct World {
    producers: Vec<ProducerEpoch>,
    asked: BTreeMap<RequestId, Step>,
    /// By epoch of a producer id, where each transaction has its own: how it was told to have ended.
    told: BTreeMap<(i64, i16), bool>,
    /// Highest epoch that markers carried, by producer id.
    marked: BTreeMap<i64, i16>,
}

impl World {
    fn take_answers(&mut self, bench: &mut Bench) -> Result<(), TestCaseError> {
        for (id, answer) in std::mem::take(&mut bench.answers) {
            let Some(step) = self.asked.remove(&id) else {
                continue;
            };
            match (step, answer) {
                (Step::Init { .. }, Answer::Init(Ok(given))) => {
                    let highest = self.marked.get(&given.id).copied().unwrap_or(-1);
                    prop_assert!(given.epoch >= highest, "an epoch below a marker's was given out");
                    self.producers.push(given);
                }
                (Step::End { by, commit, .. }, Answer::End(Ok(next))) => {
                    let asker = self.producers[by % self.producers.len().max(1)];
                    let per_epoch = next != asker;
                    // Without an epoch a transaction, the next one may end otherwise under the same.
                    let earlier = per_epoch.then(|| self.told.insert((asker.id, asker.epoch), commit));
                    prop_assert!(
                        earlier.flatten().is_none_or(|earlier| earlier == commit),
                        "one transaction was told both ends"
                    );
                    if per_epoch {
                        self.producers.push(next);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn apply(step: &Step, bench: &mut Bench, world: &mut World) -> Result<(), TestCaseError> {
    let pick = |by: usize, world: &World| (!world.producers.is_empty()).then(|| by % world.producers.len());
    let policy = |per_transaction: bool| match per_transaction {
        true => EpochPolicy::PerTransaction,
        false => EpochPolicy::PerProducer,
    };
    match step {
        Step::Init { named } => {
            let expected = named.and_then(|by| pick(by, world)).map(|by| world.producers[by]);
            let request = bench.init_request(expected);
            let id = bench.send(request);
            world.asked.insert(id, step.clone());
        }
        Step::Add {
            by,
            partition,
            per_transaction,
        } => {
            if let Some(by) = pick(*by, world) {
                let request = Bench::add_request(
                    world.producers[by],
                    policy(*per_transaction),
                    &[("t", *partition)],
                );
                let id = bench.send(request);
                world.asked.insert(id, step.clone());
            }
        }
        Step::End {
            by,
            commit,
            per_transaction,
        } => {
            if let Some(by) = pick(*by, world) {
                let id = bench.send(Request::End(EndRequest {
                    id: ID.into(),
                    producer: world.producers[by],
                    commit: *commit,
                    policy: policy(*per_transaction),
                    fresh_id: None,
                }));
                let step = Step::End {
                    by,
                    commit: *commit,
                    per_transaction: *per_transaction,
                };
                world.asked.insert(id, step);
            }
        }
        Step::PersistOne => {
            bench.persist_one();
        }
        Step::MarkOne => {
            if let Some(job) = bench.mark_one() {
                let highest = world.marked.entry(job.producer.id).or_insert(-1);
                prop_assert!(job.producer.epoch >= *highest, "markers go back in epochs");
                *highest = job.producer.epoch;
            }
        }
        Step::Pass { ms } => bench.pass(Duration::from_millis(*ms)),
        Step::Crash => {
            bench.restart();
            world.asked.clear();
        }
    }
    world.take_answers(bench)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_replay_equals_live_and_every_question_gets_an_answer(steps in steps()) {
        let mut bench = Bench::new();
        let mut world = World::default();
        for step in &steps {
            apply(step, &mut bench, &mut world)?;
            if bench.shard.writes_in_flight() == 0 {
                let replayed = bench.replayed(&mut Vec::new());
                prop_assert_eq!(replayed.states(), bench.shard.states());
            }
        }
        bench.settle();
        bench.pass(WAIT_MAX);
        bench.settle();
        world.take_answers(&mut bench)?;
        prop_assert!(world.asked.is_empty(), "left without an answer: {:?}", world.asked);
        let replayed = bench.replayed(&mut Vec::new());
        prop_assert_eq!(replayed.states(), bench.shard.states());
        // Nothing is stuck: a new producer always gets in.
        let newest = bench.init(None);
        prop_assert!(newest.is_ok(), "{newest:?}");
    }

    #[test]
    fn markers_are_those_of_a_durable_decision(steps in steps()) {
        let mut bench = Bench::new();
        let mut world = World::default();
        for step in &steps {
            apply(step, &mut bench, &mut world)?;
            for job in &bench.jobs {
                let replayed = bench.replayed(&mut Vec::new());
                let durable = &replayed.states()[&job.id];
                let expected = if job.commit { Phase::PrepareCommit } else { Phase::PrepareAbort };
                prop_assert_eq!(durable.phase, expected);
                prop_assert_eq!(&durable.partitions, &job.partitions);
                prop_assert_eq!(durable.producer, job.producer);
            }
        }
    }
}
