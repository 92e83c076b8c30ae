//! Groups: classic ones (KIP-62, 211, 345, 394, 429, 447, 496, 814), consumer groups (KIP-848), share groups (KIP-932) and streams
//! groups (KIP-1071): membership, rebalance, committed offsets.
//!
//! Owns: who is in a group, which generation holds, what was committed. Never: a socket, a wire version, a clock.
//! `machine` decides (pure), `record` and `durable` remember, `driver` runs one machine per offsets partition.
//!
//! **Invariant** (trap T12): whatever survives a restart is a fold over records that the live machine wrote, applied by the
//! same function; an answer that promises durability leaves only after the record is durable. Lies beside the data path:
//! appends go through the broker's state streams.

mod answer;
mod assignor;
mod config;
mod driver;
mod durable;
mod error;
mod facts;
mod machine;
mod name;
mod partitioner;
mod record;
mod request;
mod streams;
#[cfg(test)]
mod tests;

pub use crate::state::{Now, PersistToken, RecordError, RequestId};
pub use answer::{
    Answer, Beaten, CommittedTopic, DescribedConsumerGroup, DescribedConsumerMember, DescribedGroup,
    DescribedMember, DescribedShareGroup, DescribedShareMember, FetchedOffset, FetchedTopic, GroupKind,
    GroupState, JoinRefused, Joined, JoinedMember, LeaveResults, ListedGroup, Output, ShareBeaten, Synced,
};
pub use assignor::{Assignment, Assignor};
pub use config::{
    ConsumerGroupConfig, GROUPS_PER_SHARD_MAX, GroupConfig, MigrationPolicy, NEW_MEMBER_JOIN_TIMEOUT,
    PENDING_MEMBERS_MAX,
};
pub use driver::{Coordinator, CoordinatorConfig};
pub use durable::DurableGroup;
pub use error::{GroupError, PersistError};
pub use facts::{Eyes, Facts, GroupOverrides, TopicView, Versions};
pub use machine::{Shard, ShardLoader};
pub use name::{GroupId, InstanceId, MemberId, ProtocolName, SubtopologyId, TopicId, TopicName};
pub use partitioner::partition_of;
pub use record::{
    ClassicTraits, CommittedOffset, ConsumerMember, ConsumerRecord, ConsumerState, Current, GroupEpoch,
    GroupMetadata, InternalTopic, MemberMetadata, MemberState, PatternReader, Record, ShareEpoch,
    ShareMember, ShareRecord, ShareState, StreamsCurrent, StreamsEpoch, StreamsMember, StreamsRecord,
    StreamsState, Subscription, Subtopology, Task, TaskSet, Tasks, Topology,
};
pub use request::{
    ClientInfo, CommitPartition, CommitRequest, CommitTopic, ConsumerHeartbeat, DeleteOffsetsRequest,
    EndOffsetsRequest, FetchRequest, FetchTopic, HeartbeatRequest, Input, JoinRequest, LeaveRequest, Leaver,
    ListRequest, OffsetProducer, Protocol, Request, ShareHeartbeat, ShareTerms, SyncRequest,
};
pub use streams::{
    DescribedStreamsGroup, DescribedStreamsMember, EndpointPartitions, MissingTopic, StreamsBeaten,
    StreamsHeartbeat, StreamsStatus, by_subtopology,
};
