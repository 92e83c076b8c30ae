//! Classic consumer groups (KIP-62, 211, 345, 394, 429, 447, 496, 814): membership, rebalance, committed offsets.
//!
//! Owns: who is in a group, which generation holds, what was committed. Never: a socket, a wire version, a clock.
//! `machine` decides (pure), `record` and `durable` remember, `driver` runs one machine per offsets partition.
//!
//! **Invariant** (trap T12): whatever survives a restart is a fold over records that the live machine wrote, applied by the
//! same function; an answer that promises durability leaves only after the record is durable. Lies beside the data path:
//! appends go through the broker's state streams.

mod answer;
mod config;
mod driver;
mod durable;
mod error;
mod machine;
mod name;
mod partitioner;
mod record;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{
    Answer, CommittedTopic, DescribedGroup, DescribedMember, DescribedShareGroup, DescribedShareMember,
    EncodedRecord, FetchedOffset, FetchedTopic, GroupKind, GroupState, JoinRefused, Joined, JoinedMember,
    LeaveResults, ListedGroup, Output, Share, ShareBeaten, Synced,
};
pub use config::{GROUPS_PER_SHARD_MAX, GroupConfig, NEW_MEMBER_JOIN_TIMEOUT, PENDING_MEMBERS_MAX};
pub use driver::{Coordinator, CoordinatorConfig};
pub use durable::DurableGroup;
pub use error::{GroupError, PersistError};
pub use machine::{Now, Shard, ShardLoader};
pub use name::{GroupId, InstanceId, MemberId, ProtocolName, TopicId, TopicName};
pub use partitioner::partition_of;
pub use record::{
    CommittedOffset, GroupMetadata, MemberMetadata, Record, RecordError, ShareEpoch, ShareMember,
    ShareRecord, ShareState,
};
pub use request::{
    ClientInfo, CommitPartition, CommitRequest, CommitTopic, DeleteOffsetsRequest, EndOffsetsRequest,
    FetchRequest, FetchTopic, HeartbeatRequest, Input, JoinRequest, LeaveRequest, Leaver, ListRequest,
    OffsetProducer, PersistToken, Protocol, Request, RequestId, ShareHeartbeat, ShareTerms, SyncRequest,
    TopicView, Topics,
};
