//! ShareGroupDescribe (77): members of share groups and what they consume (KIP-932).
//!
//! Version 1.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{DescribedShareMember, GroupId};
use crate::node::Kafka;
use millstream_broker::TopicId;
use millstream_kafka_wire::share_group_describe::{
    Assignment, DescribedGroup, Member, ShareGroupDescribeRequest, ShareGroupDescribeResponse,
    TopicPartitions,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct ShareGroupDescribe;

/// The only assignor (Kafka: group.share.assignors).
const ASSIGNOR: &str = "simple";

impl Api for ShareGroupDescribe {
    type Request = ShareGroupDescribeRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ShareGroupDescribeRequest,
    ) -> Begun<ShareGroupDescribeResponse> {
        let mut response = ShareGroupDescribeResponse::default();
        for group_id in request.group_ids {
            let asked = request.include_authorized_operations;
            let operations = kafka.group_operations(&call, asked, group_id.as_str());
            let mut described = match kafka.need(&call, Operation::Describe, Resource::Group(&group_id)) {
                Ok(()) => describe(&kafka, &call, group_id).await,
                Err(code) => refused(group_id, code, "Not authorized to describe the group."),
            };
            described.authorized_operations = operations;
            response.groups.push(described);
        }
        Begun::Done(response)
    }
}

/// Who may not know one of the topics learns nothing of the members.
fn sees_topics(kafka: &Kafka, call: &Call, members: &[DescribedShareMember]) -> bool {
    let mut topics = members.iter().flat_map(|member| &member.told.subscribed);
    topics.all(|topic| kafka.authorize(call, Operation::Describe, Resource::Topic(topic.as_str())))
}

fn refused(group_id: Str, code: ErrorCode, message: &'static str) -> DescribedGroup {
    DescribedGroup {
        error_code: code.0,
        error_message: Some(Str::from_static(message)),
        group_id,
        ..Default::default()
    }
}

async fn describe(kafka: &Kafka, call: &Call, group_id: Str) -> DescribedGroup {
    match kafka
        .groups
        .describe_share(GroupId::from(group_id.as_str()))
        .await
    {
        Ok(group) if !sees_topics(kafka, call, &group.members) => refused(
            group_id,
            ErrorCode::TOPIC_AUTHORIZATION_FAILED,
            "The group has described topic(s) that the client is not authorized to describe.",
        ),
        Ok(group) => DescribedGroup {
            group_state: Str::from_static(group.state.name()),
            group_epoch: group.epoch,
            assignment_epoch: group.epoch,
            assignor_name: Str::from_static(ASSIGNOR),
            members: group
                .members
                .into_iter()
                .map(|member| encode(kafka, member))
                .collect(),
            group_id,
            ..Default::default()
        },
        Err(error) => DescribedGroup {
            error_code: error.code().0,
            error_message: Some(Str::from(error.to_string())),
            group_id,
            ..Default::default()
        },
    }
}

fn encode(kafka: &Kafka, member: DescribedShareMember) -> Member {
    let topics = member.assigned.iter().filter_map(|(topic, partitions)| {
        // A topic that is gone is nobody's any more.
        let found = kafka.broker.topic_by_id(&TopicId(topic.0))?;
        Some(TopicPartitions {
            topic_id: Uuid(topic.0),
            topic_name: Str::from(found.name().to_owned()),
            partitions: partitions.iter().copied().collect(),
        })
    });
    let told = &member.told;
    Member {
        member_id: Str::from(member.member.as_str()),
        rack_id: told.rack.as_deref().map(Str::from),
        member_epoch: member.epoch,
        client_id: Str::from(&*told.client.id),
        client_host: Str::from(&*told.client.host),
        subscribed_topic_names: told
            .subscribed
            .iter()
            .map(|name| Str::from(name.as_str()))
            .collect(),
        assignment: Assignment {
            topic_partitions: topics.collect(),
        },
    }
}
