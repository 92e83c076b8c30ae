//! What the admin side is told of groups: state and members from the coordinator, lag from its commits and the broker's ends.

use millstream_admin::{GROUP_SERIES_MAX, GroupDetail, GroupInfo, GroupOffset, MemberInfo};
use millstream_broker::Broker;
use millstream_kafka::Kafka;
use millstream_kafka::group::{
    DescribedConsumerMember, DescribedMember, DescribedStreamsMember, FetchRequest, FetchedTopic, GroupError,
    GroupId, GroupKind, GroupState, ListRequest,
};

/// All groups, sorted by id; empty while groups are being loaded and nobody can tell which there are. Members and lag are found
/// out for as many as have series of their own.
pub async fn list(broker: &Broker, kafka: &Kafka) -> Vec<GroupInfo> {
    let listed = kafka
        .groups
        .list(ListRequest::default())
        .await
        .unwrap_or_default();
    let mut groups: Vec<(GroupId, GroupInfo)> = listed
        .into_iter()
        .map(|group| (group.group.clone(), info(&group.group, group.kind, group.state)))
        .collect();
    groups.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    for (id, group) in groups.iter_mut().take(GROUP_SERIES_MAX) {
        let offsets = offsets(broker, kafka, id).await;
        group.lag = lag(&offsets);
        if let Some(seen) = seen(kafka, id).await {
            group.members = count(seen.members.len());
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// One group; `None` if there is none, or it is being loaded.
pub async fn detail(broker: &Broker, kafka: &Kafka, id: &str) -> Option<GroupDetail> {
    let id = GroupId::from(id);
    let seen = seen(kafka, &id).await?;
    let offsets = offsets(broker, kafka, &id).await;
    let mut group = info(&id, seen.kind, seen.state);
    group.members = count(seen.members.len());
    group.lag = lag(&offsets);
    Some(GroupDetail {
        group,
        assignor: seen.assignor,
        member_list: seen.members,
        offsets,
    })
}

/// The only assignor of streams groups, as Kafka names it.
const STREAMS_ASSIGNOR: &str = "sticky";

/// A group of any kind, as the pages show it.
struct Seen {
    kind: GroupKind,
    state: GroupState,
    assignor: String,
    members: Vec<MemberInfo>,
}

async fn seen(kafka: &Kafka, id: &GroupId) -> Option<Seen> {
    match kafka.groups.describe(id.clone()).await {
        Ok(group) => Some(Seen {
            kind: GroupKind::Classic,
            state: group.state,
            assignor: group
                .protocol
                .map(|name| name.as_str().to_owned())
                .unwrap_or_default(),
            members: group.members.iter().map(member).collect(),
        }),
        Err(GroupError::NotOfKind(_)) => match kafka.groups.describe_consumer(id.clone()).await {
            Ok(group) => Some(Seen {
                kind: GroupKind::Consumer,
                state: group.state,
                assignor: group.assignor.name().to_owned(),
                members: group.members.iter().map(consumer_member).collect(),
            }),
            Err(GroupError::NotOfKind(_)) => seen_streams(kafka, id).await,
            Err(_) => None,
        },
        Err(_) => None,
    }
}

async fn seen_streams(kafka: &Kafka, id: &GroupId) -> Option<Seen> {
    let group = kafka.groups.describe_streams(id.clone()).await.ok()?;
    Some(Seen {
        kind: GroupKind::Streams,
        state: group.state,
        assignor: STREAMS_ASSIGNOR.to_owned(),
        members: group.members.iter().map(streams_member).collect(),
    })
}

fn streams_member(member: &DescribedStreamsMember) -> MemberInfo {
    MemberInfo {
        id: member.member.as_str().to_owned(),
        client_id: member.told.client.id.to_string(),
        host: member.told.client.host.to_string(),
    }
}

fn consumer_member(member: &DescribedConsumerMember) -> MemberInfo {
    MemberInfo {
        id: member.member.as_str().to_owned(),
        client_id: member.client.id.to_string(),
        host: member.client.host.to_string(),
    }
}

fn info(id: &GroupId, kind: GroupKind, state: GroupState) -> GroupInfo {
    GroupInfo {
        id: id.as_str().to_owned(),
        kind: kind.name().to_owned(),
        state: state.name().to_owned(),
        members: 0,
        lag: None,
    }
}

fn member(member: &DescribedMember) -> MemberInfo {
    MemberInfo {
        id: member.member.as_str().to_owned(),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
    }
}

fn count(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}

fn lag(offsets: &[GroupOffset]) -> Option<u64> {
    (!offsets.is_empty()).then(|| offsets.iter().map(|offset| offset.lag).sum())
}

async fn offsets(broker: &Broker, kafka: &Kafka, id: &GroupId) -> Vec<GroupOffset> {
    let request = FetchRequest {
        group: id.clone(),
        member: None,
        member_epoch: -1,
        topics: None,
        require_stable: false,
    };
    let fetched = kafka.groups.fetch(request).await.await.unwrap_or_default();
    let mut offsets: Vec<GroupOffset> = fetched.iter().flat_map(|topic| of_topic(broker, topic)).collect();
    offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    offsets
}

/// Commits for partitions that are gone have no end, and no lag worth a number.
fn of_topic(broker: &Broker, fetched: &FetchedTopic) -> Vec<GroupOffset> {
    let Some(topic) = broker.topic(fetched.topic.as_str()) else {
        return Vec::new();
    };
    let committed = fetched.partitions.iter().filter_map(|(partition, outcome)| {
        let offset = outcome.as_ref().ok()?.as_ref()?.offset;
        Some((u32::try_from(*partition).ok()?, u64::try_from(offset).ok()?))
    });
    let offset_of = |(partition, committed_offset): (u32, u64)| {
        let end_offset = topic.stream(partition)?.bounds().end.0;
        Some(GroupOffset {
            topic: topic.name().to_owned(),
            partition,
            committed_offset,
            end_offset,
            lag: end_offset.saturating_sub(committed_offset),
        })
    };
    committed.filter_map(offset_of).collect()
}
