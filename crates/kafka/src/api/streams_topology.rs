//! Topologies of streams applications as they come over the wire (KIP-1071).
//!
//! Owns: what is refused before anybody looks at topics. Never: partition counts; those are the group's.
//!
//! **Invariant**: a topology that is too large for any application is refused before anything is allocated by it: it is stored with
//! the group, and every heartbeat walks over it.

use crate::errors::ErrorCode;
use crate::group::{InternalTopic, Subtopology, SubtopologyId, TopicName, Topology};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::streams_group_heartbeat as wire;
use std::collections::{BTreeMap, BTreeSet};

/// Parts of an application.
const SUBTOPOLOGIES_MAX: usize = 1_000;

/// Names of topics in all parts and roles together.
const NAMES_MAX: usize = 10_000;

/// Sets of joined topics in one part.
const COPARTITION_GROUPS_MAX: usize = 1_000;

/// Settings of one topic that is made for the application.
const TOPIC_CONFIGS_MAX: usize = 100;

/// Bytes of a setting's name, and of its value.
const CONFIG_BYTES_MAX: usize = 4 << 10;

/// Bytes of a part's id: as of a topic's name, of which it becomes a part.
const SUBTOPOLOGY_ID_BYTES_MAX: usize = 249;

/// Bytes of all texts as they are stored: the record of a topology is far smaller than what a stream of state takes.
const TOPOLOGY_BYTES_MAX: usize = 16 << 20;

type Refusal = (ErrorCode, String);

fn invalid<T>(what: String) -> Result<T, Refusal> {
    Err((ErrorCode::STREAMS_INVALID_TOPOLOGY, what))
}

/// The topology, if it is one.
pub(super) fn decode(told: &wire::Topology) -> Result<Topology, Refusal> {
    check_bounds(told)?;
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

/// Allocates nothing.
fn check_bounds(told: &wire::Topology) -> Result<(), Refusal> {
    let parts = || told.subtopologies.iter();
    if told.subtopologies.len() > SUBTOPOLOGIES_MAX {
        return invalid(format!(
            "A topology has at most {SUBTOPOLOGIES_MAX} subtopologies."
        ));
    }
    if parts().map(|part| names(part).count()).sum::<usize>() > NAMES_MAX {
        return invalid(format!("A topology names at most {NAMES_MAX} topics."));
    }
    let mut bytes = 0_usize;
    for part in parts() {
        bytes = bytes.saturating_add(check_part(part)?);
        if bytes > TOPOLOGY_BYTES_MAX {
            return invalid(format!("A topology has at most {TOPOLOGY_BYTES_MAX} bytes."));
        }
    }
    Ok(())
}

/// Every topic that the part names.
fn names(part: &wire::Subtopology) -> impl Iterator<Item = &Str> {
    let plain = part.source_topics.iter().chain(&part.repartition_sink_topics);
    plain.chain(infos(part).map(|topic| &topic.name))
}

/// The topics that are made for the part.
fn infos(part: &wire::Subtopology) -> impl Iterator<Item = &wire::TopicInfo> {
    part.repartition_source_topics
        .iter()
        .chain(&part.state_changelog_topics)
}

/// Bytes of the part's texts.
fn check_part(part: &wire::Subtopology) -> Result<usize, Refusal> {
    let id = &part.subtopology_id;
    if id.is_empty() || id.len() > SUBTOPOLOGY_ID_BYTES_MAX {
        return invalid(format!(
            "The id of a subtopology has between 1 and {SUBTOPOLOGY_ID_BYTES_MAX} bytes."
        ));
    }
    let mut bytes = id.len();
    for name in names(part) {
        if let Err(error) = millstream_broker::topics::check_name(name) {
            return invalid(format!("Subtopology {id} names a topic that cannot be: {error}"));
        }
        bytes += name.len();
    }
    for topic in infos(part) {
        let pairs = || topic.topic_configs.iter();
        let is_long = |pair: &wire::KeyValue| pair.key.len().max(pair.value.len()) > CONFIG_BYTES_MAX;
        if topic.topic_configs.len() > TOPIC_CONFIGS_MAX || pairs().any(is_long) {
            return invalid(format!(
                "Topic {} has more than {TOPIC_CONFIGS_MAX} configs, or one of more than {CONFIG_BYTES_MAX} bytes.",
                topic.name
            ));
        }
        bytes += pairs()
            .map(|pair| pair.key.len() + pair.value.len())
            .sum::<usize>();
    }
    let sources = part.source_topics.len() + part.repartition_source_topics.len();
    let members = |group: &wire::CopartitionGroup| {
        group
            .source_topics
            .len()
            .saturating_add(group.repartition_source_topics.len())
    };
    let groups = || part.copartition_groups.iter();
    if part.copartition_groups.len() > COPARTITION_GROUPS_MAX
        || groups().any(|group| members(group) > sources)
    {
        return invalid(format!(
            "Subtopology {id} has more than {COPARTITION_GROUPS_MAX} copartition groups, or one of more topics than it reads."
        ));
    }
    // Names are written out with each set that they are in.
    let longest = names(part).map(|name| name.len()).max().unwrap_or_default();
    let sets: usize = groups().map(members).sum();
    Ok(bytes.saturating_add(sets.saturating_mul(longest)))
}

fn decode_part(part: &wire::Subtopology) -> Result<Subtopology, Refusal> {
    if !part.source_topic_regex.is_empty() {
        let what = "Regular expressions for source topics are not supported yet.".to_owned();
        return Err((ErrorCode::INVALID_REQUEST, what));
    }
    let name = |name: &Str| TopicName::from(name.as_str());
    for changelog in &part.state_changelog_topics {
        if changelog.partitions != 0 {
            return invalid(format!(
                "Changelog topic {} must have an undefined partition count, but it is set to {}.",
                changelog.name, changelog.partitions
            ));
        }
    }
    let sources: Vec<TopicName> = part.source_topics.iter().map(name).collect();
    let read = &part.repartition_source_topics;
    let repartitions: Vec<TopicName> = read.iter().map(|topic| name(&topic.name)).collect();
    let mut copartitioned = Vec::new();
    for group in &part.copartition_groups {
        let Some(names) = together(group, &sources, &repartitions) else {
            return invalid(format!(
                "A copartition group of subtopology {} names a topic that is not there.",
                part.subtopology_id
            ));
        };
        copartitioned.push(names);
    }
    Ok(Subtopology {
        sources: sources.into_iter().collect(),
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

/// The topics that a copartition group names by their places in the part's lists: shared with these, not copied.
fn together(
    group: &wire::CopartitionGroup,
    sources: &[TopicName],
    repartitions: &[TopicName],
) -> Option<BTreeSet<TopicName>> {
    let at = |names: &[TopicName], place: i16| names.get(usize::try_from(place).ok()?).cloned();
    let plain = group.source_topics.iter().map(|place| at(sources, *place));
    let read = group.repartition_source_topics.iter();
    plain.chain(read.map(|place| at(repartitions, *place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str) -> wire::Subtopology {
        wire::Subtopology {
            subtopology_id: Str::from(id.to_owned()),
            source_topics: vec![Str::from_static("in")],
            ..Default::default()
        }
    }

    fn changelog(name: &str) -> wire::TopicInfo {
        wire::TopicInfo {
            name: Str::from(name.to_owned()),
            ..Default::default()
        }
    }

    fn refused(subtopologies: Vec<wire::Subtopology>) -> bool {
        let told = wire::Topology {
            epoch: 0,
            subtopologies,
        };
        match decode(&told) {
            Ok(_) => false,
            Err((code, message)) => {
                assert_eq!(code, ErrorCode::STREAMS_INVALID_TOPOLOGY, "{message}");
                assert!(message.len() < 1_000, "a message does not grow with the request");
                true
            }
        }
    }

    fn is_refused_with(change: impl Fn(&mut wire::Subtopology)) -> bool {
        let mut changed = part("0");
        change(&mut changed);
        refused(vec![changed])
    }

    #[test]
    fn what_is_named_could_be_a_topic() {
        assert!(!refused(vec![part(&"p".repeat(249))]));
        assert!(refused(vec![part(&"p".repeat(250))]) && refused(vec![part("")]));
        for name in ["", "a b", "..", &"t".repeat(250), &"t".repeat(1 << 20)] {
            let text = || Str::from(name.to_owned());
            assert!(is_refused_with(|part| part.source_topics.push(text())));
            assert!(is_refused_with(|part| part.repartition_sink_topics.push(text())));
            assert!(is_refused_with(|part| part
                .repartition_source_topics
                .push(changelog(name))));
            assert!(is_refused_with(|part| part
                .state_changelog_topics
                .push(changelog(name))));
        }
    }

    #[test]
    fn no_topology_is_larger_than_an_application_can_be() {
        let parts = |count: usize| (0..count).map(|at| part(&at.to_string())).collect();
        assert!(!refused(parts(SUBTOPOLOGIES_MAX)) && refused(parts(SUBTOPOLOGIES_MAX + 1)));
        let named = |count: usize| {
            is_refused_with(|part| {
                part.source_topics = (0..count).map(|at| Str::from(format!("t{at}"))).collect();
            })
        };
        assert!(!named(NAMES_MAX) && named(NAMES_MAX + 1));
        // In all parts together.
        let mut two = vec![part("0"), part("1")];
        for part in &mut two {
            part.source_topics = vec![Str::from_static("in"); NAMES_MAX / 2 + 1];
        }
        assert!(refused(two));
    }

    #[test]
    fn sets_of_joined_topics_are_few_and_share_their_names() {
        let group = |places: Vec<i16>| wire::CopartitionGroup {
            source_topics: places,
            ..Default::default()
        };
        let groups =
            |count: usize| is_refused_with(|part| part.copartition_groups = vec![group(vec![0]); count]);
        assert!(!groups(COPARTITION_GROUPS_MAX) && groups(COPARTITION_GROUPS_MAX + 1));
        assert!(is_refused_with(
            |part| part.copartition_groups = vec![group(vec![0, 0])]
        ));
        assert!(is_refused_with(
            |part| part.copartition_groups = vec![group(vec![1])]
        ));
        assert!(is_refused_with(|part| {
            // A hundred thousand times a name of a hundred and fifty bytes and more.
            part.source_topics = (100..200)
                .map(|at| Str::from(format!("{at}{}", "t".repeat(200))))
                .collect();
            part.copartition_groups = vec![group((0..100).collect()); COPARTITION_GROUPS_MAX];
        }));
        let mut joined = part("0");
        joined.repartition_source_topics = vec![changelog("r")];
        joined.copartition_groups = vec![wire::CopartitionGroup {
            source_topics: vec![0],
            repartition_source_topics: vec![0],
            ..Default::default()
        }];
        let decoded = decode_part(&joined).expect("it is one");
        let names = decoded.sources.iter().chain(decoded.copartitioned[0].get("in"));
        let texts: Vec<*const u8> = names.map(|name| name.as_str().as_ptr()).collect();
        assert_eq!((texts.len(), texts[0]), (2, texts[1]));
        assert!(decoded.copartitioned[0].contains("r"));
    }

    #[test]
    fn settings_of_topics_are_few_and_short() {
        let with = |count: usize, key: usize, value: usize| {
            is_refused_with(|part| {
                let mut topic = changelog("log");
                let pair = |at: usize| wire::KeyValue {
                    key: Str::from(format!("{at:0key$}")),
                    value: Str::from("v".repeat(value)),
                };
                topic.topic_configs = (0..count).map(pair).collect();
                part.state_changelog_topics = vec![topic];
            })
        };
        assert!(!with(TOPIC_CONFIGS_MAX, CONFIG_BYTES_MAX, CONFIG_BYTES_MAX));
        assert!(with(TOPIC_CONFIGS_MAX + 1, 4, 1));
        assert!(with(1, CONFIG_BYTES_MAX + 1, 1) && with(1, 4, CONFIG_BYTES_MAX + 1));
    }
}
