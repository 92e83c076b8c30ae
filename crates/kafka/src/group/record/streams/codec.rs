//! The values of a streams group's records, drawn in docs/format/group.md.
//!
//! Owns: the bytes. Never: keys and fold (`super`). **Invariant**: what one half writes the other half reads.

use super::{
    InternalTopic, StreamsCurrent, StreamsEpoch, StreamsMember, Subtopology, Task, TaskSet, Tasks, Topology,
};
use crate::group::name::{InstanceId, SubtopologyId, TopicName};
use crate::group::record::MemberState;
use crate::group::request::ClientInfo;
use crate::state::RecordError;
use crate::state::codec::{Reader, put_length, put_optional_text, put_text, read_value, value_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn epoch(epoch: &StreamsEpoch) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&epoch.epoch.to_le_bytes());
        out.extend_from_slice(&epoch.topics.to_le_bytes());
        out.extend_from_slice(&epoch.standby_replicas.to_le_bytes());
    })
}

pub(super) fn read_epoch(value: &[u8]) -> Result<StreamsEpoch, RecordError> {
    read_value(value, |reader| {
        Ok(StreamsEpoch {
            epoch: reader.i32()?,
            topics: u64::from_le_bytes(reader.array()?),
            standby_replicas: reader.u32()?,
        })
    })
}

pub(super) fn target_epoch(epoch: i32) -> Vec<u8> {
    value_of(|out| out.extend_from_slice(&epoch.to_le_bytes()))
}

pub(super) fn read_target_epoch(value: &[u8]) -> Result<i32, RecordError> {
    read_value(value, |reader| reader.i32())
}

pub(super) fn topology(topology: &Topology) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&topology.epoch.to_le_bytes());
        put_length(out, topology.subtopologies.len());
        for (id, part) in &topology.subtopologies {
            put_text(out, id.as_str());
            put_names(out, &part.sources);
            put_internal(out, &part.repartition_sources);
            put_names(out, &part.repartition_sinks);
            put_internal(out, &part.changelogs);
            put_length(out, part.copartitioned.len());
            part.copartitioned.iter().for_each(|names| put_names(out, names));
        }
    })
}

pub(super) fn read_topology(value: &[u8]) -> Result<Topology, RecordError> {
    read_value(value, |reader| {
        let mut topology = Topology {
            epoch: reader.i32()?,
            ..Topology::default()
        };
        for _ in 0..reader.length()? {
            let id = SubtopologyId::from(reader.text()?);
            let mut part = Subtopology {
                sources: read_names(reader)?,
                repartition_sources: read_internal(reader)?,
                repartition_sinks: read_names(reader)?,
                changelogs: read_internal(reader)?,
                copartitioned: Vec::new(),
            };
            // No capacity is taken from the count: the bytes that follow bound the loop.
            for _ in 0..reader.length()? {
                part.copartitioned.push(read_names(reader)?);
            }
            topology.subtopologies.insert(id, part);
        }
        Ok(topology)
    })
}

fn put_names(out: &mut Vec<u8>, names: &BTreeSet<TopicName>) {
    put_length(out, names.len());
    names.iter().for_each(|name| put_text(out, name.as_str()));
}

fn read_names(reader: &mut Reader<'_>) -> Result<BTreeSet<TopicName>, RecordError> {
    let mut names = BTreeSet::new();
    for _ in 0..reader.length()? {
        names.insert(TopicName::from(reader.text()?));
    }
    Ok(names)
}

fn put_internal(out: &mut Vec<u8>, topics: &BTreeMap<TopicName, InternalTopic>) {
    put_length(out, topics.len());
    for (name, topic) in topics {
        put_text(out, name.as_str());
        out.extend_from_slice(&topic.partitions.to_le_bytes());
        out.extend_from_slice(&topic.replication_factor.to_le_bytes());
        put_pairs(out, &topic.configs);
    }
}

fn read_internal(reader: &mut Reader<'_>) -> Result<BTreeMap<TopicName, InternalTopic>, RecordError> {
    let mut topics = BTreeMap::new();
    for _ in 0..reader.length()? {
        let name = TopicName::from(reader.text()?);
        let topic = InternalTopic {
            partitions: reader.u32()?,
            replication_factor: reader.i16()?,
            configs: read_pairs(reader)?,
        };
        topics.insert(name, topic);
    }
    Ok(topics)
}

fn put_pairs(out: &mut Vec<u8>, pairs: &BTreeMap<String, String>) {
    put_length(out, pairs.len());
    for (key, value) in pairs {
        put_text(out, key);
        put_text(out, value);
    }
}

fn read_pairs(reader: &mut Reader<'_>) -> Result<BTreeMap<String, String>, RecordError> {
    let mut pairs = BTreeMap::new();
    for _ in 0..reader.length()? {
        let key = reader.text()?.to_owned();
        pairs.insert(key, reader.text()?.to_owned());
    }
    Ok(pairs)
}

pub(super) fn member(member: &StreamsMember) -> Vec<u8> {
    value_of(|out| {
        put_optional_text(out, member.instance.as_ref().map(InstanceId::as_str));
        put_optional_text(out, member.rack.as_deref());
        put_text(out, &member.client.id);
        put_text(out, &member.client.host);
        out.extend_from_slice(&member.rebalance_timeout_ms.to_le_bytes());
        out.extend_from_slice(&member.topology_epoch.to_le_bytes());
        put_text(out, &member.process);
        put_optional_text(out, member.endpoint.as_ref().map(|(host, _)| &**host));
        let port = member.endpoint.as_ref().map_or(0, |(_, port)| *port);
        out.extend_from_slice(&port.to_le_bytes());
        put_pairs(out, &member.tags);
    })
}

pub(super) fn read_member(value: &[u8]) -> Result<StreamsMember, RecordError> {
    read_value(value, |reader| {
        Ok(StreamsMember {
            instance: reader.optional_text()?.map(InstanceId::from),
            rack: reader.optional_text()?.map(Arc::from),
            client: ClientInfo {
                id: Arc::from(reader.text()?),
                host: Arc::from(reader.text()?),
            },
            rebalance_timeout_ms: reader.u32()?,
            topology_epoch: reader.i32()?,
            process: Arc::from(reader.text()?),
            endpoint: {
                let host = reader.optional_text()?.map(Arc::from);
                let port = u16::from_le_bytes(reader.array()?);
                host.map(|host| (host, port))
            },
            tags: read_pairs(reader)?,
        })
    })
}

pub(super) fn target(tasks: &Tasks) -> Vec<u8> {
    value_of(|out| put_tasks(out, tasks))
}

pub(super) fn read_target(value: &[u8]) -> Result<Tasks, RecordError> {
    read_value(value, read_tasks)
}

pub(super) fn current(current: &StreamsCurrent) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&current.epoch.to_le_bytes());
        out.extend_from_slice(&current.previous_epoch.to_le_bytes());
        current.state.put(out);
        put_tasks(out, &current.assigned);
        put_tasks(out, &current.revoking);
        put_length(out, current.since.len());
        for (task, epoch) in &current.since {
            put_task(out, task);
            out.extend_from_slice(&epoch.to_le_bytes());
        }
    })
}

pub(super) fn read_current(value: &[u8]) -> Result<StreamsCurrent, RecordError> {
    read_value(value, |reader| {
        let mut current = StreamsCurrent {
            epoch: reader.i32()?,
            previous_epoch: reader.i32()?,
            state: MemberState::read(reader)?,
            assigned: read_tasks(reader)?,
            revoking: read_tasks(reader)?,
            since: BTreeMap::new(),
        };
        for _ in 0..reader.length()? {
            let task = read_task(reader)?;
            current.since.insert(task, reader.i32()?);
        }
        Ok(current)
    })
}

fn put_tasks(out: &mut Vec<u8>, tasks: &Tasks) {
    for role in [&tasks.active, &tasks.standby, &tasks.warmup] {
        put_length(out, role.len());
        role.iter().for_each(|task| put_task(out, task));
    }
}

fn read_tasks(reader: &mut Reader<'_>) -> Result<Tasks, RecordError> {
    Ok(Tasks {
        active: read_role(reader)?,
        standby: read_role(reader)?,
        warmup: read_role(reader)?,
    })
}

fn read_role(reader: &mut Reader<'_>) -> Result<TaskSet, RecordError> {
    let mut tasks = TaskSet::new();
    for _ in 0..reader.length()? {
        tasks.insert(read_task(reader)?);
    }
    Ok(tasks)
}

fn put_task(out: &mut Vec<u8>, task: &Task) {
    put_text(out, task.subtopology.as_str());
    out.extend_from_slice(&task.partition.to_le_bytes());
}

fn read_task(reader: &mut Reader<'_>) -> Result<Task, RecordError> {
    Ok(Task {
        subtopology: SubtopologyId::from(reader.text()?),
        partition: reader.i32()?,
    })
}
