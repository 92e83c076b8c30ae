//! Topologies of streams applications as they come over the wire (KIP-1071).
//!
//! Owns: what is refused before anybody looks at topics. Never: partition counts; those are the group's.

use crate::errors::ErrorCode;
use crate::group::{InternalTopic, Subtopology, SubtopologyId, TopicName, Topology};
use millstream_kafka_wire::streams_group_heartbeat as wire;
use std::collections::{BTreeMap, BTreeSet};

type Refusal = (ErrorCode, String);

fn invalid<T>(what: String) -> Result<T, Refusal> {
    Err((ErrorCode::STREAMS_INVALID_TOPOLOGY, what))
}

/// The topology, if it is one.
pub(super) fn decode(told: &wire::Topology) -> Result<Topology, Refusal> {
    let mut topology = Topology {
        epoch: told.epoch,
        ..Topology::default()
    };
    for part in &told.subtopologies {
        let id = SubtopologyId::from(part.subtopology_id.as_str());
        let decoded = decode_part(part)?;
        if topology.subtopologies.insert(id, decoded).is_some() {
            return invalid(format!("Subtopology {} is named twice.", part.subtopology_id));
        }
    }
    let internal: Vec<&str> = topology
        .names()
        .into_iter()
        .map(TopicName::as_str)
        .filter(|name| millstream_broker::topics::is_internal(name))
        .collect();
    if !internal.is_empty() {
        return invalid(format!(
            "Use of Kafka internal topics {} in a Kafka Streams topology is prohibited.",
            internal.join(",")
        ));
    }
    Ok(topology)
}

fn decode_part(part: &wire::Subtopology) -> Result<Subtopology, Refusal> {
    if !part.source_topic_regex.is_empty() {
        let what = "Regular expressions for source topics are not supported yet.".to_owned();
        return Err((ErrorCode::INVALID_REQUEST, what));
    }
    let name = |name: &millstream_kafka_wire::Str| TopicName::from(name.as_str());
    for changelog in &part.state_changelog_topics {
        if changelog.partitions != 0 {
            return invalid(format!(
                "Changelog topic {} must have an undefined partition count, but it is set to {}.",
                changelog.name, changelog.partitions
            ));
        }
    }
    let mut copartitioned = Vec::new();
    for group in &part.copartition_groups {
        copartitioned.push(together(part, group)?);
    }
    Ok(Subtopology {
        sources: part.source_topics.iter().map(name).collect(),
        repartition_sources: internal_topics(&part.repartition_source_topics)?,
        repartition_sinks: part.repartition_sink_topics.iter().map(name).collect(),
        changelogs: internal_topics(&part.state_changelog_topics)?,
        copartitioned,
    })
}

fn internal_topics(topics: &[wire::TopicInfo]) -> Result<BTreeMap<TopicName, InternalTopic>, Refusal> {
    let mut decoded = BTreeMap::new();
    for topic in topics {
        let Ok(partitions) = u32::try_from(topic.partitions) else {
            return invalid(format!(
                "Topic {} has a negative number of partitions.",
                topic.name
            ));
        };
        let configs = topic.topic_configs.iter();
        let internal = InternalTopic {
            partitions,
            replication_factor: topic.replication_factor,
            configs: configs
                .map(|pair| (pair.key.to_string(), pair.value.to_string()))
                .collect(),
        };
        decoded.insert(TopicName::from(topic.name.as_str()), internal);
    }
    Ok(decoded)
}

/// The topics that a copartition group names by their places in the part's lists.
fn together(
    part: &wire::Subtopology,
    group: &wire::CopartitionGroup,
) -> Result<BTreeSet<TopicName>, Refusal> {
    let mut names = BTreeSet::new();
    let sources = group.source_topics.iter();
    let repartitions = group.repartition_source_topics.iter();
    let found = sources
        .map(|place| Some(part.source_topics.get(usize::try_from(*place).ok()?)?.as_str()))
        .chain(repartitions.map(|place| {
            let topics = &part.repartition_source_topics;
            Some(topics.get(usize::try_from(*place).ok()?)?.name.as_str())
        }));
    for name in found {
        let Some(name) = name else {
            return invalid(format!(
                "A copartition group of subtopology {} names a topic that is not there.",
                part.subtopology_id
            ));
        };
        names.insert(TopicName::from(name));
    }
    Ok(names)
}
