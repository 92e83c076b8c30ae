//! The coordinator: one task an offsets partition, on a runtime of its own, so that data at full rate never delays a
//! heartbeat.
//!
//! Owns: which partition a group belongs to, the mailboxes, the ids of new members. Never: a decision (`machine`) or a wire
//! version (`api/`). **Invariant**: every question is answered, if need be with "ask again", also across a reload and a
//! shutdown.

mod facts;
mod member_ids;
mod shard;
mod state;
#[cfg(test)]
mod tests;

use super::answer::{
    Answer, Beaten, CommittedTopic, DescribedConsumerGroup, DescribedGroup, DescribedShareGroup,
    FetchedTopic, JoinRefused, Joined, LeaveResults, ListedGroup, ShareBeaten, Synced,
};
use super::config::GroupConfig;
use super::error::GroupError;
use super::facts::Facts;
use super::name::{GroupId, InstanceId, MemberId, TopicId, TopicName};
use super::partitioner::partition_of;
use super::request::{
    CommitRequest, ConsumerHeartbeat, DeleteOffsetsRequest, EndOffsetsRequest, FetchRequest,
    HeartbeatRequest, JoinRequest, LeaveRequest, ListRequest, Request, ShareHeartbeat, SyncRequest,
};
use super::streams::{DescribedStreamsGroup, StreamsBeaten, StreamsHeartbeat};
use facts::BrokerFacts;
use member_ids::MemberIds;
use millstream_broker::{Broker, OFFSETS_TOPIC};
use shard::{Ask, Task};
use state::{BrokerState, State};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// Questions that wait in one shard's mailbox; beyond it the asking connection waits.
const MAILBOX_MAX: usize = 1_024;

/// What the coordinator needs of the server.
#[derive(Clone, Debug)]
pub struct CoordinatorConfig {
    /// Where the shards run: threads that serve no data.
    pub runtime: Handle,
    /// 128 random bits, drawn at every start: member ids come from them and must not be guessed.
    pub member_id_seed: u128,
}

/// The coordinator of all groups of this broker.
pub struct Coordinator {
    broker: Broker,
    runtime: Handle,
    member_ids: MemberIds,
    /// Mailboxes by partition; empty until the offsets topic exists.
    shards: OnceLock<Vec<mpsc::Sender<Ask>>>,
}

impl Coordinator {
    /// A coordinator that begins to load at once if there is anything to load.
    #[must_use]
    pub fn new(broker: Broker, config: CoordinatorConfig) -> Self {
        let coordinator = Self {
            member_ids: MemberIds::new(config.member_id_seed),
            broker,
            runtime: config.runtime,
            shards: OnceLock::new(),
        };
        coordinator.started();
        coordinator
    }

    /// The mailboxes, if the offsets topic exists. The number of its partitions is fixed from then on: a group's partition
    /// follows from it.
    fn started(&self) -> Option<&[mpsc::Sender<Ask>]> {
        if self.shards.get().is_none() {
            let topic = self.broker.topic(OFFSETS_TOPIC)?;
            let partitions = topic.partitions();
            let state: Arc<dyn State> = Arc::new(BrokerState::new(self.broker.clone(), topic));
            self.shards.get_or_init(|| {
                let config = GroupConfig::from(&self.broker.settings().groups);
                let facts: Arc<dyn Facts> = Arc::new(BrokerFacts(self.broker.clone()));
                let shard = |partition| {
                    let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
                    let task = Task {
                        partition,
                        config: config.clone(),
                        state: state.clone(),
                        facts: facts.clone(),
                        topics: self.broker.topics_changed(),
                        clock: self.broker.clock().clone(),
                        inbox,
                    };
                    self.runtime.spawn(task.run());
                    mailbox
                };
                (0..partitions).map(shard).collect()
            });
        }
        self.shards.get().map(Vec::as_slice)
    }

    /// Makes sure that groups can be served: creates the offsets topic if this is the first time that anybody asks.
    pub async fn ensure_started(&self) -> Result<(), GroupError> {
        if self.started().is_some() {
            return Ok(());
        }
        if let Err(error) = self.broker.topic_or_create(OFFSETS_TOPIC).await {
            tracing::warn!(%error, "the topic of group offsets could not be created");
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.started()
            .map(|_| ())
            .ok_or(GroupError::CoordinatorNotAvailable)
    }

    /// An id for a new member, as Kafka forms it: the instance's or the client's own name and 128 bits that nobody guesses.
    #[must_use]
    pub fn new_member_id(&self, client_id: &str, instance: Option<&InstanceId>) -> MemberId {
        self.member_ids
            .next(instance.map_or(client_id, InstanceId::as_str))
    }

    /// Puts the question into its shard's mailbox, where it has its place before those that are asked later.
    async fn ask(&self, group: &GroupId, request: Request) -> Asked {
        let Some(shards) = self.started() else {
            return Asked(None);
        };
        let count = u32::try_from(shards.len()).expect("partitions are counted in 32 bits");
        ask_shard(&shards[partition_of(group.as_str(), count) as usize], request).await
    }

    /// All groups that match; an error while any shard is not loaded, so that no list is silently short.
    pub async fn list(&self, list: ListRequest) -> Result<Vec<ListedGroup>, GroupError> {
        let mut groups = Vec::new();
        for shard in self.started().unwrap_or_default() {
            match ask_shard(shard, Request::List(list.clone()))
                .await
                .answer()
                .await?
            {
                Answer::List(listed) => groups.extend(listed),
                _ => return Err(GroupError::UnknownServerError),
            }
        }
        Ok(groups)
    }

    /// Ends a transaction in one offsets partition.
    pub async fn end_offsets(&self, partition: u32, end: EndOffsetsRequest) -> Result<(), GroupError> {
        let shards = self.started().unwrap_or_default();
        // Nobody ever had offsets there.
        let Some(shard) = shards.get(partition as usize) else {
            return Ok(());
        };
        match ask_shard(shard, Request::EndOffsets(end)).await.answer().await? {
            Answer::EndOffsets(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// How many partitions the offsets topic has; `None` before there is one.
    #[must_use]
    pub fn offsets_partitions(&self) -> Option<u32> {
        let shards = self.started()?;
        Some(u32::try_from(shards.len()).expect("partitions are counted in 32 bits"))
    }

    /// Forgets the offsets of a topic that was deleted. A shard that is loading finds out by itself.
    pub async fn topic_deleted(&self, topic: TopicName, topic_id: TopicId) {
        for shard in self.started().unwrap_or_default() {
            // A shard that has ended forgets them when it is next loaded.
            let _ = shard.send(Ask::TopicDeleted(topic.clone(), topic_id)).await;
        }
    }

    /// Finishes the writes under way, tells everybody else to look for another coordinator, and ends.
    pub async fn close(&self) {
        for shard in self.shards.get().map_or(&[][..], Vec::as_slice) {
            let (done, ended) = oneshot::channel();
            if shard.send(Ask::Close(done)).await.is_ok() {
                let _ = ended.await;
            }
        }
    }

    /// JoinGroup.
    pub async fn join(
        &self,
        join: JoinRequest,
    ) -> impl Future<Output = Result<Joined, JoinRefused>> + Send + use<> {
        let member = join.member.clone();
        let asked = self.ask(&join.group.clone(), Request::Join(join)).await;
        async move {
            let refused = |error| JoinRefused { error, member };
            match asked.answer().await {
                Ok(Answer::Join(outcome)) => outcome,
                Ok(_) => Err(refused(GroupError::UnknownServerError)),
                Err(error) => Err(refused(error)),
            }
        }
    }

    /// DescribeGroups, one group.
    pub async fn describe(&self, group: GroupId) -> Result<DescribedGroup, GroupError> {
        match self
            .ask(&group.clone(), Request::Describe(group))
            .await
            .answer()
            .await?
        {
            Answer::Describe(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// ConsumerGroupDescribe, one group.
    pub async fn describe_consumer(&self, group: GroupId) -> Result<DescribedConsumerGroup, GroupError> {
        match self
            .ask(&group.clone(), Request::DescribeConsumer(group))
            .await
            .answer()
            .await?
        {
            Answer::DescribeConsumer(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// ShareGroupDescribe, one group.
    pub async fn describe_share(&self, group: GroupId) -> Result<DescribedShareGroup, GroupError> {
        match self
            .ask(&group.clone(), Request::DescribeShare(group))
            .await
            .answer()
            .await?
        {
            Answer::DescribeShare(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// StreamsGroupDescribe, one group.
    pub async fn describe_streams(&self, group: GroupId) -> Result<DescribedStreamsGroup, GroupError> {
        match self
            .ask(&group.clone(), Request::DescribeStreams(group))
            .await
            .answer()
            .await?
        {
            Answer::DescribeStreams(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// Makes sure that there is a share group of that name, and that it has no members.
    pub async fn empty_share(&self, group: GroupId) -> Result<(), GroupError> {
        match self
            .ask(&group.clone(), Request::EmptyShare(group))
            .await
            .answer()
            .await?
        {
            Answer::EmptyShare(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }

    /// DeleteGroups, one group.
    pub async fn delete(&self, group: GroupId) -> Result<(), GroupError> {
        match self
            .ask(&group.clone(), Request::Delete(group))
            .await
            .answer()
            .await?
        {
            Answer::Delete(outcome) => outcome,
            _ => Err(GroupError::UnknownServerError),
        }
    }
}

/// One method an operation, in two steps: the first await puts the question behind those asked before, the second one awaits
/// the answer. So the requests of one connection take effect in their order, while many of them are in flight.
macro_rules! operations {
    ($($(#[$doc:meta])* $method:ident($request:ty) as $variant:ident -> $answer:ty;)*) => {
        impl Coordinator {
            $(
                $(#[$doc])*
                pub async fn $method(
                    &self,
                    request: $request,
                ) -> impl Future<Output = Result<$answer, GroupError>> + Send + use<> {
                    let asked = self.ask(&request.group.clone(), Request::$variant(request)).await;
                    async move {
                        match asked.answer().await? {
                            Answer::$variant(outcome) => outcome,
                            _ => Err(GroupError::UnknownServerError),
                        }
                    }
                }
            )*
        }
    };
}

operations! {
    /// SyncGroup.
    sync(SyncRequest) as Sync -> Synced;
    /// Heartbeat.
    heartbeat(HeartbeatRequest) as Heartbeat -> ();
    /// LeaveGroup.
    leave(LeaveRequest) as Leave -> LeaveResults;
    /// OffsetCommit.
    commit(CommitRequest) as Commit -> Vec<CommittedTopic>;
    /// OffsetFetch, one group.
    fetch(FetchRequest) as Fetch -> Vec<FetchedTopic>;
    /// ConsumerGroupHeartbeat.
    consumer_heartbeat(ConsumerHeartbeat) as ConsumerHeartbeat -> Beaten;
    /// ShareGroupHeartbeat.
    share_heartbeat(ShareHeartbeat) as ShareHeartbeat -> ShareBeaten;
    /// StreamsGroupHeartbeat.
    streams_heartbeat(Box<StreamsHeartbeat>) as StreamsHeartbeat -> StreamsBeaten;
    /// OffsetDelete.
    delete_offsets(DeleteOffsetsRequest) as DeleteOffsets -> Vec<CommittedTopic>;
}

/// A question on its way; `None`: nobody could be asked.
struct Asked(Option<oneshot::Receiver<Result<Answer, GroupError>>>);

impl Asked {
    /// A shard that ends, or reloads, drops the questions it has not answered: their groups are to be looked for again.
    async fn answer(self) -> Result<Answer, GroupError> {
        match self.0 {
            Some(answer) => answer.await.unwrap_or(Err(GroupError::NotCoordinator)),
            None => Err(GroupError::NotCoordinator),
        }
    }
}

async fn ask_shard(shard: &mpsc::Sender<Ask>, request: Request) -> Asked {
    let (reply, answer) = oneshot::channel();
    let sent = shard.send(Ask::Request(Box::new(request), reply)).await;
    Asked(sent.is_ok().then_some(answer))
}
