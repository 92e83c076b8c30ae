//! A topology laid over the topics that there are: how many tasks each part has, which topics are to be made with how many
//! partitions, and what is in the way.
//!
//! Owns: the arithmetic of partitions. Never: a topic is made here. Pure.
//!
//! **Invariant**: a part has tasks only if every topic that the application names exists and all counts fit each other.

use crate::group::error::GroupError;
use crate::group::facts::Facts;
use crate::group::machine::fnv::Fnv1a;
use crate::group::name::{SubtopologyId, TopicName};
use crate::group::record::{InternalTopic, Subtopology, Topology};
use crate::group::streams::{MissingTopic, StreamsStatus};
use std::collections::{BTreeMap, BTreeSet};

/// Names that one message lists; the rest is counted.
const NAMES_TOLD_MAX: usize = 20;

/// Tasks of one application. They are stored by member and walked over by heartbeats.
const TASKS_MAX: u32 = 100_000;

/// Bytes of the tasks, each written out: one write of state has all of them, their copies and what a member has of them.
const TASK_BYTES_MAX: usize = 8 << 20;

/// Bytes of a task beside its part's id.
const TASK_FIXED_BYTES: usize = 8;

/// A topology over the topics of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Laid {
    /// Tasks of each part; none while anything is in the way.
    pub tasks: BTreeMap<SubtopologyId, u32>,
    /// Partitions of every topic, as they are or are to be.
    pub partitions: BTreeMap<TopicName, u32>,
    /// What is in the way.
    pub fault: Option<(StreamsStatus, String)>,
    /// What is to be made.
    pub missing: Vec<MissingTopic>,
}

impl Laid {
    pub fn is_ready(&self) -> bool {
        self.fault.is_none()
    }

    fn faulty(status: StreamsStatus, detail: String) -> Self {
        Self {
            fault: Some((status, detail)),
            ..Self::default()
        }
    }
}

/// Why a topology cannot be laid out.
enum Fault {
    Status(StreamsStatus, String),
    /// The topology contradicts itself, whatever topics there are.
    Invalid,
}

/// The topics that a topology names that others make.
fn external(topology: &Topology) -> BTreeSet<&TopicName> {
    let parts = topology.subtopologies.values();
    parts.flat_map(|part| &part.sources).collect()
}

/// What the epoch of a group depends on: names, ids and partition counts.
pub(super) fn hash(topology: &Topology, facts: &dyn Facts) -> u64 {
    let mut hash = Fnv1a::default();
    for name in topology.names() {
        if let Some(topic) = facts.topic(name.as_str()) {
            hash.add(name.as_str().as_bytes());
            hash.add(&[0]);
            hash.add(&topic.id.0);
            hash.add(&topic.partitions.to_le_bytes());
        }
    }
    hash.finish()
}

/// Whether a topology can be laid out at all, once its sources are there.
pub(super) fn check(topology: &Topology) -> Result<(), GroupError> {
    let parts = || topology.subtopologies.values();
    let has_sources = |part: &Subtopology| !part.sources.is_empty() || !part.repartition_sources.is_empty();
    if !parts().all(has_sources) {
        return Err(GroupError::InvalidTopology("A subtopology has no source topics."));
    }
    // One partition each: whether counts can be had does not depend on how many there are.
    let mut counts: BTreeMap<&TopicName, u32> =
        external(topology).into_iter().map(|name| (name, 1)).collect();
    match repartition(topology, &mut counts) {
        Ok(()) => Ok(()),
        Err(_) => Err(GroupError::InvalidTopology(
            "Partition counts of repartition topics do not follow from the topology: one is never written to, or there is a loop.",
        )),
    }
}

/// Lays a topology over the topics that there are.
pub(super) fn lay(topology: &Topology, facts: &dyn Facts) -> Laid {
    match try_lay(topology, facts) {
        Ok(laid) => laid,
        Err(Fault::Status(status, detail)) => Laid::faulty(status, detail),
        Err(Fault::Invalid) => Laid::faulty(
            StreamsStatus::IncorrectlyPartitionedTopics,
            "Partition counts do not follow from the topology.".to_owned(),
        ),
    }
}

fn try_lay(topology: &Topology, facts: &dyn Facts) -> Result<Laid, Fault> {
    let mut counts: BTreeMap<&TopicName, u32> = BTreeMap::new();
    let mut absent = Vec::new();
    for name in external(topology) {
        match facts.topic(name.as_str()) {
            Some(topic) => drop(counts.insert(name, topic.partitions)),
            None => absent.push(name.as_str()),
        }
    }
    if !absent.is_empty() {
        let detail = format!("Source topics {} are missing.", listed(&absent));
        return Err(Fault::Status(StreamsStatus::MissingSourceTopics, detail));
    }
    repartition(topology, &mut counts)?;
    copartition(topology, &mut counts)?;
    let mut tasks = BTreeMap::new();
    let (mut all, mut bytes) = (0_u32, 0_usize);
    for (id, part) in &topology.subtopologies {
        let count = widest(part, &counts).ok_or(Fault::Invalid)?;
        all = all.saturating_add(count);
        let each = id.as_str().len() + TASK_FIXED_BYTES;
        bytes = bytes.saturating_add(each.saturating_mul(count as usize));
        if all > TASKS_MAX || bytes > TASK_BYTES_MAX {
            let detail = format!(
                "The topics have so many partitions that there are more than {TASKS_MAX} tasks, or {TASK_BYTES_MAX} bytes of them."
            );
            return Err(Fault::Status(StreamsStatus::IncorrectlyPartitionedTopics, detail));
        }
        tasks.insert(id.clone(), count);
        for name in part.changelogs.keys() {
            counts.insert(name, count);
        }
    }
    let missing = missing(topology, &counts, facts)?;
    let fault = (!missing.is_empty()).then(|| {
        let names: Vec<&str> = missing.iter().map(|topic| topic.name.as_str()).collect();
        let detail = format!("Internal topics are missing: {}", listed(&names));
        (StreamsStatus::MissingInternalTopics, detail)
    });
    Ok(Laid {
        tasks,
        partitions: counts
            .into_iter()
            .map(|(name, count)| (name.clone(), count))
            .collect(),
        fault,
        missing,
    })
}

/// The most partitions that one of the part's sources has; `None` while one is unknown.
fn widest(part: &Subtopology, counts: &BTreeMap<&TopicName, u32>) -> Option<u32> {
    let sources = part.sources.iter().chain(part.repartition_sources.keys());
    let counts: Option<Vec<u32>> = sources.map(|name| counts.get(name).copied()).collect();
    counts?.into_iter().max()
}

/// Repartition topics that say nothing have as many partitions as the widest part that writes to them has tasks.
fn repartition<'a>(topology: &'a Topology, counts: &mut BTreeMap<&'a TopicName, u32>) -> Result<(), Fault> {
    let parts = || topology.subtopologies.values();
    let mut open: BTreeSet<&TopicName> = BTreeSet::new();
    for (name, topic) in parts().flat_map(|part| &part.repartition_sources) {
        if topic.partitions > 0 {
            counts.insert(name, topic.partitions);
        } else {
            open.insert(name);
        }
    }
    open.retain(|name| !counts.contains_key(name));
    match spread(topology, &open, counts) == open.len() {
        true => Ok(()),
        false => Err(Fault::Invalid),
    }
}

/// How far a topic without a count is.
#[derive(Default)]
struct Open {
    /// Parts that write to it and whose tasks are not known yet.
    writers: usize,
    /// Tasks of the widest of the others.
    width: u32,
    /// Parts that read it, by place.
    readers: Vec<usize>,
}

/// Gives the open topics their counts, as far as they follow; how many did. Looks at each part once and at each of its topics once.
fn spread<'a>(
    topology: &'a Topology,
    open: &BTreeSet<&'a TopicName>,
    counts: &mut BTreeMap<&'a TopicName, u32>,
) -> usize {
    let parts: Vec<&Subtopology> = topology.subtopologies.values().collect();
    let mut topics: BTreeMap<&TopicName, Open> = open.iter().map(|name| (*name, Open::default())).collect();
    // How many open topics a part waits for before its own tasks are known.
    let mut waits = vec![0_usize; parts.len()];
    for (at, part) in parts.iter().enumerate() {
        for name in part.repartition_sources.keys() {
            if let Some(topic) = topics.get_mut(name) {
                topic.readers.push(at);
                waits[at] += 1;
            }
        }
        for name in &part.repartition_sinks {
            if let Some(topic) = topics.get_mut(name) {
                topic.writers += 1;
            }
        }
    }
    let mut ready: Vec<usize> = (0..parts.len()).filter(|at| waits[*at] == 0).collect();
    let mut found = 0;
    while let Some(at) = ready.pop() {
        let Some(width) = widest(parts[at], counts) else {
            continue;
        };
        for name in &parts[at].repartition_sinks {
            let Some(topic) = topics.get_mut(name) else {
                continue;
            };
            topic.width = topic.width.max(width);
            topic.writers -= 1;
            if topic.writers > 0 {
                continue;
            }
            counts.insert(name, topic.width);
            found += 1;
            for reader in &topic.readers {
                waits[*reader] -= 1;
                if waits[*reader] == 0 {
                    ready.push(*reader);
                }
            }
        }
    }
    found
}

/// Sources that are joined must have as many partitions as one another; where a repartition topic leaves it open, it follows.
fn copartition<'a>(topology: &'a Topology, counts: &mut BTreeMap<&'a TopicName, u32>) -> Result<(), Fault> {
    for part in topology.subtopologies.values() {
        for together in &part.copartitioned {
            let is_open = |name: &TopicName| {
                let topic = part.repartition_sources.get(name);
                topic.is_some_and(|topic| topic.partitions == 0)
            };
            let fixed: Vec<&TopicName> = together.iter().filter(|name| !is_open(name)).collect();
            let widths: BTreeSet<u32> = fixed
                .iter()
                .filter_map(|name| counts.get(*name).copied())
                .collect();
            if widths.len() > 1 {
                let names: Vec<&str> = fixed.iter().map(|name| name.as_str()).collect();
                let detail = format!(
                    "Following topics do not have the same number of partitions: [{}]",
                    listed(&names)
                );
                return Err(Fault::Status(StreamsStatus::IncorrectlyPartitionedTopics, detail));
            }
            let all = together.iter().filter_map(|name| counts.get(name).copied());
            let Some(width) = widths.first().copied().or_else(|| all.max()) else {
                continue;
            };
            for name in together.iter().filter(|name| is_open(name)) {
                counts.insert(name, width);
            }
        }
    }
    Ok(())
}

/// The topics of the application that are not there; one that is there must have the right count.
fn missing(
    topology: &Topology,
    counts: &BTreeMap<&TopicName, u32>,
    facts: &dyn Facts,
) -> Result<Vec<MissingTopic>, Fault> {
    let mut missing: BTreeMap<&TopicName, InternalTopic> = BTreeMap::new();
    for part in topology.subtopologies.values() {
        for (name, told) in part.repartition_sources.iter().chain(&part.changelogs) {
            let count = counts.get(name).copied().ok_or(Fault::Invalid)?;
            match facts.topic(name.as_str()) {
                Some(topic) if topic.partitions != count => {
                    let detail = format!(
                        "Existing topic {name} has different number of partitions: expected {count}, found {}",
                        topic.partitions
                    );
                    return Err(Fault::Status(StreamsStatus::IncorrectlyPartitionedTopics, detail));
                }
                Some(_) => {}
                None => {
                    let topic = InternalTopic {
                        partitions: count,
                        ..told.clone()
                    };
                    missing.insert(name, topic);
                }
            }
        }
    }
    let of = |(name, topic): (&TopicName, InternalTopic)| MissingTopic {
        name: name.clone(),
        topic,
    };
    Ok(missing.into_iter().map(of).collect())
}

fn listed(names: &[&str]) -> String {
    let told = &names[..names.len().min(NAMES_TOLD_MAX)];
    let mut text = told.join(", ");
    if names.len() > told.len() {
        text.push_str(&format!(" and {} additional topics", names.len() - told.len()));
    }
    text
}
