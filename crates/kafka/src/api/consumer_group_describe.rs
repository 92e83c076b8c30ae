//! ConsumerGroupDescribe (69): state, epochs, members, what they have and what they are to have, of consumer groups (KIP-848).
//!
//! Versions 0-1. v1 the type of each member (KIP-1099): 0 classic, 1 consumer.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{
    Assignment as Partitions, DescribedConsumerGroup, DescribedConsumerMember, GroupError, GroupId,
    GroupState,
};
use crate::node::Kafka;
use millstream_broker::TopicId;
use millstream_kafka_wire::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
    TopicPartitions,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct ConsumerGroupDescribe;

/// The first version that tells the members' types.
const VERSION_MEMBER_TYPE: i16 = 1;

const TYPE_CLASSIC: i8 = 0;
const TYPE_CONSUMER: i8 = 1;
const TYPE_UNTOLD: i8 = -1;

impl Api for ConsumerGroupDescribe {
    type Request = ConsumerGroupDescribeRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ConsumerGroupDescribeRequest,
    ) -> Begun<ConsumerGroupDescribeResponse> {
        let mut response = ConsumerGroupDescribeResponse::default();
        for group in request.group_ids {
            let asked = request.include_authorized_operations;
            let operations = kafka.group_operations(&call, asked, group.as_str());
            if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Group(group.as_str())) {
                response.groups.push(forbidden(group, code));
                continue;
            }
            let described = kafka
                .groups
                .describe_consumer(GroupId::from(group.as_str()))
                .await;
            let mut encoded = match described {
                Ok(described) if !sees_topics(&kafka, &call, &described) => {
                    forbidden(group, ErrorCode::TOPIC_AUTHORIZATION_FAILED)
                }
                Ok(described) => encode(&kafka, call.version, group, described),
                Err(error) => refused(group, &error),
            };
            encoded.authorized_operations = operations;
            response.groups.push(encoded);
        }
        Begun::Done(response)
    }
}

/// Who may not know one of the topics learns nothing of the members.
fn sees_topics(kafka: &Kafka, call: &Call, group: &DescribedConsumerGroup) -> bool {
    let has = |member: &DescribedConsumerMember| {
        let topics = member.assigned.keys().chain(member.target.keys());
        let named: Vec<_> = topics
            .map(|topic| kafka.broker.topic_by_id(&TopicId(topic.0)))
            .collect();
        named
    };
    let mut topics = group.members.iter().flat_map(has).flatten();
    topics.all(|topic| kafka.authorize(call, Operation::Describe, Resource::Topic(topic.name())))
}

fn forbidden(group_id: Str, code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code: code.0,
        group_id,
        ..Default::default()
    }
}

fn refused(group_id: Str, error: &GroupError) -> DescribedGroup {
    DescribedGroup {
        error_code: error.code().0,
        error_message: Some(Str::from(message(&group_id, error))),
        group_id,
        group_state: Str::from_static(GroupState::Dead.name()),
        ..Default::default()
    }
}

/// In Kafka's words.
pub(super) fn message(group_id: &str, error: &GroupError) -> String {
    match error {
        GroupError::GroupIdNotFound => format!("Group {group_id} not found."),
        GroupError::NotOfKind(kind) => format!("Group {group_id} is not a {} group.", kind.name()),
        other => other.to_string(),
    }
}

fn encode(kafka: &Kafka, version: i16, group_id: Str, group: DescribedConsumerGroup) -> DescribedGroup {
    let members = group
        .members
        .into_iter()
        .map(|member| encode_member(kafka, version, member));
    DescribedGroup {
        group_id,
        group_state: Str::from_static(group.state.name()),
        group_epoch: group.epoch,
        assignment_epoch: group.target_epoch,
        assignor_name: Str::from_static(group.assignor.name()),
        members: members.collect(),
        ..Default::default()
    }
}

fn encode_member(kafka: &Kafka, version: i16, member: DescribedConsumerMember) -> Member {
    let names = member
        .subscription
        .names
        .iter()
        .map(|name| Str::from(name.as_str()));
    let member_type = match (version >= VERSION_MEMBER_TYPE, member.is_classic) {
        (false, _) => TYPE_UNTOLD,
        (true, true) => TYPE_CLASSIC,
        (true, false) => TYPE_CONSUMER,
    };
    Member {
        member_id: Str::from(member.member.as_str()),
        instance_id: member
            .instance
            .as_ref()
            .map(|instance| Str::from(instance.as_str())),
        rack_id: member.rack.as_deref().map(Str::from),
        member_epoch: member.epoch,
        client_id: Str::from(&*member.client.id),
        client_host: Str::from(&*member.client.host),
        subscribed_topic_names: names.collect(),
        subscribed_topic_regex: member.subscription.pattern.as_deref().map(Str::from),
        assignment: partitions(kafka, &member.assigned),
        target_assignment: partitions(kafka, &member.target),
        member_type,
    }
}

/// A topic that is gone has no name to show.
fn partitions(kafka: &Kafka, assignment: &Partitions) -> Assignment {
    let topics = assignment.iter().filter_map(|(topic, partitions)| {
        let found = kafka.broker.topic_by_id(&millstream_broker::TopicId(topic.0))?;
        Some(TopicPartitions {
            topic_id: Uuid(topic.0),
            topic_name: Str::from(found.name().to_owned()),
            partitions: partitions.iter().copied().collect(),
        })
    });
    Assignment {
        topic_partitions: topics.collect(),
    }
}
