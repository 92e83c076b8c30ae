//! Questions about offsets: the ends of partitions, places by time, and what groups have committed.

use super::cluster::{Cluster, Missing, Retry};
use super::error::ClientError;
use super::fetcher::Isolation;
use millstream_kafka_wire::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use millstream_kafka_wire::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use millstream_kafka_wire::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopic};
use millstream_kafka_wire::{
    ErrorCode, ListOffsetsRequest, ListOffsetsResponse, OffsetCommitRequest, OffsetFetchRequest,
    OffsetFetchResponse, Str,
};
use std::collections::BTreeMap;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: usize,
}

/// A place in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first offset that is kept.
    Earliest,
    /// One past the last record.
    Latest,
    /// The first record at or after this time, milliseconds since the epoch; the end if there is none.
    AtTime(i64),
}

impl Place {
    fn timestamp(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Earliest => -2,
            // Negative times would be taken for the special ones.
            Self::AtTime(ms) => ms.max(0),
        }
    }
}

/// The offset of `place` in every partition of a topic; `None` for a time after the last record.
pub async fn find(cluster: &mut Cluster, topic: &str, place: Place) -> Result<Vec<Option<i64>>, ClientError> {
    let mut retry = Retry::default();
    loop {
        match try_find(cluster, topic, place, Isolation::ReadUncommitted).await {
            Ok(found) => return Ok(found),
            Err(error) => retry.after(error).await?,
        }
    }
}

/// As `find`, for the places that every partition has: the first record, and the end as a reader of this isolation sees it. An
/// answer that leaves one out says nothing of that partition, and it is asked again; what is not known is never taken for 0.
pub async fn find_all(
    cluster: &mut Cluster,
    topic: &str,
    place: Place,
    isolation: Isolation,
) -> Result<Vec<i64>, ClientError> {
    let mut retry = Retry::default();
    loop {
        let found = try_find(cluster, topic, place, isolation).await;
        match found.and_then(|found| every(topic, found)) {
            Ok(found) => return Ok(found),
            Err(error) => retry.after(error).await?,
        }
    }
}

/// The offsets of all partitions, or which of them is not known.
pub(super) fn every(topic: &str, found: Vec<Option<i64>>) -> Result<Vec<i64>, ClientError> {
    let known = found.into_iter().enumerate().map(|(partition, offset)| {
        let what = || {
            format!("topic {topic}, partition {partition}: the broker does not say where it begins and ends")
        };
        offset.ok_or_else(|| ClientError::refused(what(), ErrorCode::LEADER_NOT_AVAILABLE))
    });
    known.collect()
}

async fn try_find(
    cluster: &mut Cluster,
    topic: &str,
    place: Place,
    isolation: Isolation,
) -> Result<Vec<Option<i64>>, ClientError> {
    let leaders = cluster.layout(topic, Missing::Refuse).await?.leaders;
    let mut by_leader: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (partition, leader) in leaders.iter().enumerate() {
        by_leader.entry(*leader).or_default().push(partition);
    }
    let mut found = vec![None; leaders.len()];
    for (leader, partitions) in by_leader {
        let request = request(topic, &partitions, place, isolation);
        let answer = cluster.ask_node(leader, &request, 2..=7).await?;
        read_answer(topic, &answer, &mut found)?;
    }
    Ok(found)
}

fn request(topic: &str, partitions: &[usize], place: Place, isolation: Isolation) -> ListOffsetsRequest {
    let of_partition = |partition: &usize| ListOffsetsPartition {
        partition_index: i32::try_from(*partition).unwrap_or(i32::MAX),
        current_leader_epoch: -1,
        timestamp: place.timestamp(),
    };
    let topic = ListOffsetsTopic {
        name: Str::from(topic),
        partitions: partitions.iter().map(of_partition).collect(),
    };
    ListOffsetsRequest {
        replica_id: -1,
        isolation_level: isolation.level(),
        topics: vec![topic],
        ..Default::default()
    }
}

pub(super) fn read_answer(
    topic: &str,
    answer: &ListOffsetsResponse,
    into: &mut [Option<i64>],
) -> Result<(), ClientError> {
    for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
        let index = partition.partition_index;
        ClientError::check(
            || format!("topic {topic}, partition {index}"),
            partition.error_code,
            None,
        )?;
        if let Some(place) = usize::try_from(index).ok().and_then(|index| into.get_mut(index)) {
            *place = (partition.offset >= 0).then_some(partition.offset);
        }
    }
    Ok(())
}

/// What a group has committed, all topics.
pub async fn committed(
    cluster: &mut Cluster,
    group: &str,
) -> Result<BTreeMap<TopicPartition, i64>, ClientError> {
    let coordinator = cluster.coordinator(group).await?;
    let version = cluster
        .node(coordinator)
        .await?
        .version::<OffsetFetchRequest>(2..=9)?;
    // From version 8 on a request names several groups (KIP-709); `None` stands for all topics.
    let request = match version {
        8.. => OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: Str::from(group),
                member_epoch: -1,
                topics: None,
                ..Default::default()
            }],
            ..Default::default()
        },
        _ => OffsetFetchRequest {
            group_id: Str::from(group),
            topics: None::<Vec<OffsetFetchRequestTopic>>,
            ..Default::default()
        },
    };
    let answer = cluster
        .ask_coordinator(group, &request, version..=version, fetch_code)
        .await?;
    ClientError::check(|| format!("group {group}"), fetch_code(&answer), None)?;
    let mut found = BTreeMap::new();
    for topic in answer.groups.iter().flat_map(|group| &group.topics) {
        for partition in &topic.partitions {
            keep(
                &mut found,
                &topic.name,
                partition.partition_index,
                partition.committed_offset,
            );
        }
    }
    for topic in &answer.topics {
        for partition in &topic.partitions {
            keep(
                &mut found,
                &topic.name,
                partition.partition_index,
                partition.committed_offset,
            );
        }
    }
    Ok(found)
}

fn fetch_code(answer: &OffsetFetchResponse) -> i16 {
    answer
        .groups
        .first()
        .map_or(answer.error_code, |group| group.error_code)
}

fn keep(found: &mut BTreeMap<TopicPartition, i64>, topic: &Str, partition: i32, offset: i64) {
    let Ok(partition) = usize::try_from(partition) else {
        return;
    };
    if offset >= 0 {
        let topic = topic.as_str().to_owned();
        found.insert(TopicPartition { topic, partition }, offset);
    }
}

/// Who commits: a member of the group's generation, or somebody from outside while the group is empty.
#[derive(Clone, Debug)]
pub struct Committer {
    /// Member id; empty from outside.
    pub member_id: String,
    /// Generation; -1 from outside.
    pub generation: i32,
}

impl Committer {
    /// Somebody who is no member.
    #[must_use]
    pub fn outside() -> Self {
        Self {
            member_id: String::new(),
            generation: -1,
        }
    }
}

/// Commits offsets, all or an error that names the first that failed.
pub async fn commit(
    cluster: &mut Cluster,
    group: &str,
    committer: &Committer,
    offsets: &BTreeMap<TopicPartition, i64>,
) -> Result<(), ClientError> {
    let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (place, offset) in offsets {
        let partition = OffsetCommitRequestPartition {
            partition_index: i32::try_from(place.partition).unwrap_or(i32::MAX),
            committed_offset: *offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::new()),
        };
        topics.entry(&place.topic).or_default().push(partition);
    }
    let topics = topics
        .into_iter()
        .map(|(name, partitions)| OffsetCommitRequestTopic {
            name: Str::from(name),
            partitions,
            ..Default::default()
        });
    let request = OffsetCommitRequest {
        group_id: Str::from(group),
        generation_id_or_member_epoch: committer.generation,
        member_id: Str::from(committer.member_id.as_str()),
        retention_time_ms: -1,
        topics: topics.collect(),
        ..Default::default()
    };
    let first_code = |answer: &millstream_kafka_wire::OffsetCommitResponse| {
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        partitions
            .map(|partition| partition.error_code)
            .find(|code| *code != 0)
            .unwrap_or(0)
    };
    let answer = cluster
        .ask_coordinator(group, &request, 2..=9, first_code)
        .await?;
    ClientError::check(|| format!("commit of group {group}"), first_code(&answer), None)
}
