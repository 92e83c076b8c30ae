//! The pure parts: who gets which tasks, and how many partitions follow from a topology.

use super::assign::{Spec, assign};
use super::topology::{check, lay};
use crate::group::facts::{Facts, TopicView};
use crate::group::name::{MemberId, SubtopologyId, TopicName};
use crate::group::record::{InternalTopic, Subtopology, Tasks, Topology};
use crate::group::streams::StreamsStatus;
use crate::group::tests::harness::TestFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn tasks_of(parts: &[(&str, u32)]) -> BTreeMap<SubtopologyId, u32> {
    parts.iter().map(|(id, count)| ((*id).into(), *count)).collect()
}

/// Deals `tasks` out; all keep state. Members by process, with what they had.
fn deal(
    members: &[(MemberId, &str, Tasks)],
    tasks: &BTreeMap<SubtopologyId, u32>,
    standby_replicas: u32,
) -> Vec<Tasks> {
    let members = members.iter();
    let spec = Spec {
        members: members
            .map(|(id, process, had)| (id, Arc::from(*process), had))
            .collect(),
        stateful: tasks.keys().collect(),
        tasks,
        standby_replicas,
    };
    assign(&spec)
}

#[test]
fn every_task_is_active_once_and_its_copies_lie_with_other_processes() {
    for members in 1..7_usize {
        for threads in 1..3_usize {
            for standby_replicas in 0..3_u32 {
                let tasks = tasks_of(&[("0", 5), ("1", 3)]);
                let processes: Vec<String> = (0..members).map(|at| format!("p{}", at / threads)).collect();
                let named: Vec<(MemberId, &str, Tasks)> = processes
                    .iter()
                    .enumerate()
                    .map(|(at, process)| (format!("m{at}").into(), process.as_str(), Tasks::default()))
                    .collect();
                let shares = deal(&named, &tasks, standby_replicas);
                let active: usize = shares.iter().map(|share| share.active.len()).sum();
                let all: BTreeSet<_> = shares.iter().flat_map(|share| &share.active).collect();
                assert_eq!((active, all.len()), (8, 8));
                let even = 8_usize.div_ceil(members);
                assert!(shares.iter().all(|share| share.active.len() <= even));
                let mut homes = BTreeSet::new();
                for (share, process) in shares.iter().zip(&processes) {
                    assert!(share.all().all(|task| homes.insert((process, task))));
                }
                let others = members.div_ceil(threads) - 1;
                assert_eq!(homes.len(), 8 * (1 + others.min(standby_replicas as usize)));
            }
        }
    }
}

#[test]
fn tasks_stay_where_they_are_and_go_to_copies_first() {
    let tasks = tasks_of(&[("0", 4)]);
    let nothing = Tasks::default;
    let two = [("a".into(), "p", nothing()), ("b".into(), "q", nothing())];
    let before = deal(&two, &tasks, 1);
    let [a, b] = &before[..] else { panic!("two shares") };
    assert_eq!((&a.active, &b.active), (&b.standby, &a.standby));
    // Another process comes: nobody who stays takes anything from one who stays.
    let three = [
        ("a".into(), "p", a.clone()),
        ("b".into(), "q", b.clone()),
        ("c".into(), "r", nothing()),
    ];
    let after = deal(&three, &tasks, 1);
    assert!(after[0].active.is_subset(&a.active) && after[1].active.is_subset(&b.active));
    // One goes: its tasks are where the copies are.
    let one = [("b".into(), "q", b.clone())];
    let alone = deal(&one, &tasks, 1);
    assert_eq!((alone[0].active.len(), alone[0].standby.len()), (4, 0));
}

/// To look through all members and their processes for each task would take minutes.
#[test]
fn many_tasks_are_dealt_out_among_many_members_of_few_processes() {
    let tasks = tasks_of(&[("0", 30_000), ("1", 10_000)]);
    let processes: Vec<String> = (0..5).map(|at| format!("p{at}")).collect();
    let named = |shares: &[Tasks]| -> Vec<(MemberId, &str, Tasks)> {
        (0..1_000)
            .map(|at| {
                let had = shares.get(at).cloned().unwrap_or_default();
                (format!("m{at:04}").into(), processes[at % 5].as_str(), had)
            })
            .collect()
    };
    let shares = deal(&named(&[]), &tasks, 1);
    let even = |share: &Tasks| (share.active.len(), share.standby.len()) == (40, 40);
    assert!(shares.iter().all(even));
    assert!(deal(&named(&shares), &tasks, 1) == shares, "nothing moves");
}

fn names(names: &[&str]) -> BTreeSet<TopicName> {
    names.iter().map(|name| TopicName::from(*name)).collect()
}

fn internal(topics: &[(&str, u32)]) -> BTreeMap<TopicName, InternalTopic> {
    let topic = |partitions| InternalTopic {
        partitions,
        ..InternalTopic::default()
    };
    topics
        .iter()
        .map(|(name, partitions)| ((*name).into(), topic(*partitions)))
        .collect()
}

/// Reads "in" and writes "r"; reads "r" and "side", which are joined, and keeps state.
fn joining() -> Topology {
    let reads = Subtopology {
        sources: names(&["in"]),
        repartition_sinks: names(&["r"]),
        ..Subtopology::default()
    };
    let joins = Subtopology {
        sources: names(&["side"]),
        repartition_sources: internal(&[("r", 0)]),
        changelogs: internal(&[("store", 0)]),
        copartitioned: vec![names(&["r", "side"])],
        ..Subtopology::default()
    };
    Topology {
        epoch: 0,
        subtopologies: [("0".into(), reads), ("1".into(), joins)].into(),
    }
}

#[test]
fn partition_counts_follow_from_sources_and_from_what_is_joined() {
    let facts = TestFacts::default();
    let laid = lay(&joining(), &facts);
    let (status, detail) = laid.fault.expect("the sources are missing");
    assert_eq!(status, StreamsStatus::MissingSourceTopics);
    assert_eq!(detail, "Source topics in, side are missing.");
    facts.put("in", 6, 1);
    facts.put("side", 4, 1);
    let laid = lay(&joining(), &facts);
    assert_eq!(
        laid.fault.map(|(status, _)| status),
        Some(StreamsStatus::MissingInternalTopics)
    );
    let missing: Vec<(&str, u32)> = laid
        .missing
        .iter()
        .map(|missing| (missing.name.as_str(), missing.topic.partitions))
        .collect();
    assert_eq!(missing, [("r", 4), ("store", 4)]);
    facts.put("r", 4, 1);
    facts.put("store", 4, 1);
    let laid = lay(&joining(), &facts);
    assert_eq!((laid.fault, laid.tasks), (None, tasks_of(&[("0", 6), ("1", 4)])));
    facts.put("store", 3, 1);
    let (status, _) = lay(&joining(), &facts).fault.expect("it does not fit");
    assert_eq!(status, StreamsStatus::IncorrectlyPartitionedTopics);
}

#[test]
fn topics_that_are_joined_and_differ_are_told() {
    let facts = TestFacts::default();
    facts.put("a", 2, 1);
    facts.put("b", 3, 1);
    let part = Subtopology {
        sources: names(&["a", "b"]),
        copartitioned: vec![names(&["a", "b"])],
        ..Subtopology::default()
    };
    let mut topology = Topology {
        epoch: 0,
        subtopologies: [("0".into(), part)].into(),
    };
    let (status, _) = lay(&topology, &facts).fault.expect("they differ");
    assert_eq!(status, StreamsStatus::IncorrectlyPartitionedTopics);
    assert_eq!(
        facts.topic("a").map(|TopicView { partitions, .. }| partitions),
        Some(2)
    );
    // A repartition topic that nobody writes to has no count, whatever topics there are.
    let reads = Subtopology {
        repartition_sources: internal(&[("nobody", 0)]),
        ..Subtopology::default()
    };
    topology.subtopologies.insert("1".into(), reads);
    assert!(check(&topology).is_err() && check(&joining()).is_ok());
}

/// Each part reads what the one before writes: looking through all of them for each of them would take an hour.
#[test]
fn counts_follow_along_a_long_chain() {
    let facts = TestFacts::default();
    facts.put("in", 7, 1);
    let link = |at: usize| {
        let read = format!("r{at}");
        Subtopology {
            sources: names(&["in"][usize::from(at > 0)..]),
            repartition_sources: internal(&[(&*read, 0)][usize::from(at == 0)..]),
            repartition_sinks: names(&[&format!("r{}", at + 1)]),
            ..Subtopology::default()
        }
    };
    // The last comes first by id.
    let mut topology = Topology {
        epoch: 0,
        subtopologies: (0..5_000)
            .map(|at| (format!("{:04}", 5_000 - at).as_str().into(), link(at)))
            .collect(),
    };
    assert!(check(&topology).is_ok());
    let missing = lay(&topology, &facts).missing;
    assert_eq!(missing.len(), 4_999);
    assert!(missing.iter().all(|missing| missing.topic.partitions == 7));
    // The end feeds the beginning.
    let first = topology.subtopologies.get_mut("5000").expect("it is there");
    first.repartition_sources = internal(&[("r5000", 0)]);
    assert!(check(&topology).is_err());
}

#[test]
fn an_application_of_too_many_tasks_has_none() {
    let facts = TestFacts::default();
    let of = |parts: u32, id: usize| Topology {
        epoch: 0,
        subtopologies: (0..parts)
            .map(|at| {
                let part = Subtopology {
                    sources: names(&["in"]),
                    changelogs: internal(&[("store", 0)]),
                    ..Subtopology::default()
                };
                (format!("{at:0id$}").as_str().into(), part)
            })
            .collect(),
    };
    facts.put("in", 1_000, 1);
    facts.put("store", 1_000, 1);
    let laid = lay(&of(100, 3), &facts);
    assert_eq!((laid.fault, laid.tasks.len()), (None, 100));
    for (parts, partitions, id) in [(101, 1_000, 3), (1_000, u32::MAX, 3), (100, 1_000, 249)] {
        facts.put("in", partitions, 1);
        facts.put("store", partitions, 1);
        let laid = lay(&of(parts, id), &facts);
        let (status, _) = laid.fault.expect("too many");
        assert_eq!(status, StreamsStatus::IncorrectlyPartitionedTopics);
        assert!(laid.tasks.is_empty() && laid.missing.is_empty());
    }
}
