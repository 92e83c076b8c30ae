//! StreamsGroupDescribe (89): state, topology, members and tasks of streams groups (KIP-1071).
//!
//! Version 0.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{
    self, DescribedStreamsGroup, DescribedStreamsMember, GroupId, InternalTopic, TaskSet, Tasks, TopicName,
    by_subtopology,
};
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::streams_group_describe::{
    Assignment, DescribedGroup, Endpoint, KeyValue, Member, StreamsGroupDescribeRequest,
    StreamsGroupDescribeResponse, Subtopology, TaskIds, TopicInfo, Topology,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct StreamsGroupDescribe;

impl Api for StreamsGroupDescribe {
    type Request = StreamsGroupDescribeRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: StreamsGroupDescribeRequest,
    ) -> Begun<StreamsGroupDescribeResponse> {
        let mut response = StreamsGroupDescribeResponse::default();
        for group_id in request.group_ids {
            let asked = request.include_authorized_operations;
            let operations = kafka.group_operations(&call, asked, group_id.as_str());
            let mut described = match kafka.need(&call, Operation::Describe, Resource::Group(&group_id)) {
                Ok(()) => describe(&kafka, &call, group_id).await,
                Err(code) => refused(group_id, code, "Not authorized to describe the group.".to_owned()),
            };
            described.authorized_operations = operations;
            response.groups.push(described);
        }
        Begun::Done(response)
    }
}

fn refused(group_id: Str, code: ErrorCode, message: String) -> DescribedGroup {
    DescribedGroup {
        error_code: code.0,
        error_message: Some(Str::from(message)),
        group_id,
        ..Default::default()
    }
}

async fn describe(kafka: &Kafka, call: &Call, group_id: Str) -> DescribedGroup {
    let asked = GroupId::from(group_id.as_str());
    let group = match kafka.groups.describe_streams(asked).await {
        Ok(group) => group,
        Err(error) => return refused(group_id, error.code(), error.to_string()),
    };
    // Who may not know one of the topics learns nothing of the application.
    let sees = |topic: &TopicName| {
        let topic = Resource::Topic(topic.as_str());
        kafka.authorize(call, Operation::Describe, topic)
    };
    let topology = group.topology.as_ref();
    if !topology.is_none_or(|topology| topology.names().into_iter().all(sees)) {
        let what = "The group has described topic(s) that the client is not authorized to describe.";
        return refused(group_id, ErrorCode::TOPIC_AUTHORIZATION_FAILED, what.to_owned());
    }
    encode(group_id, group)
}

fn encode(group_id: Str, group: DescribedStreamsGroup) -> DescribedGroup {
    DescribedGroup {
        group_id,
        group_state: Str::from_static(group.state.name()),
        group_epoch: group.epoch,
        assignment_epoch: group.target_epoch,
        topology: group.topology.as_ref().map(topology),
        members: group.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn topology(told: &group::Topology) -> Topology {
    let part = |(id, part): (&group::SubtopologyId, &group::Subtopology)| Subtopology {
        subtopology_id: Str::from(id.as_str()),
        source_topics: part.sources.iter().map(name).collect(),
        repartition_sink_topics: part.repartition_sinks.iter().map(name).collect(),
        state_changelog_topics: internal(&part.changelogs),
        repartition_source_topics: internal(&part.repartition_sources),
    };
    Topology {
        epoch: told.epoch,
        subtopologies: Some(told.subtopologies.iter().map(part).collect()),
    }
}

fn name(topic: &TopicName) -> Str {
    Str::from(topic.as_str())
}

fn pairs(pairs: &BTreeMap<String, String>) -> Vec<KeyValue> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| KeyValue {
            key: Str::from(key.as_str()),
            value: Str::from(value.as_str()),
        })
        .collect()
}

fn internal(topics: &BTreeMap<TopicName, InternalTopic>) -> Vec<TopicInfo> {
    let topics = topics.iter();
    topics
        .map(|(topic, told)| TopicInfo {
            name: name(topic),
            partitions: i32::try_from(told.partitions).unwrap_or(i32::MAX),
            replication_factor: told.replication_factor,
            topic_configs: pairs(&told.configs),
        })
        .collect()
}

fn member(member: DescribedStreamsMember) -> Member {
    let told = &member.told;
    Member {
        member_id: Str::from(member.member.as_str()),
        member_epoch: member.epoch,
        instance_id: told
            .instance
            .as_ref()
            .map(|instance| Str::from(instance.as_str())),
        rack_id: told.rack.as_deref().map(Str::from),
        client_id: Str::from(&*told.client.id),
        client_host: Str::from(&*told.client.host),
        topology_epoch: told.topology_epoch,
        process_id: Str::from(&*told.process),
        user_endpoint: told.endpoint.as_ref().map(|(host, port)| Endpoint {
            host: Str::from(&**host),
            port: *port,
        }),
        client_tags: pairs(&told.tags),
        assignment: tasks(&member.assigned),
        target_assignment: tasks(&member.target),
        ..Default::default()
    }
}

fn tasks(tasks: &Tasks) -> Assignment {
    let role = |tasks: &TaskSet| {
        let parts = by_subtopology(tasks).into_iter();
        parts
            .map(|(id, partitions)| TaskIds {
                subtopology_id: Str::from(id),
                partitions,
            })
            .collect()
    };
    Assignment {
        active_tasks: role(&tasks.active),
        standby_tasks: role(&tasks.standby),
        warmup_tasks: role(&tasks.warmup),
    }
}
