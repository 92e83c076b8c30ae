//! The numbers and versions of the APIs.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use crate::api::Facts;

/// An API of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum ApiKey {
    /// Appends record batches to partitions.
    Produce = 0,
    /// Reads record batches from partitions, with incremental sessions.
    Fetch = 1,
    /// Finds an offset by timestamp or by a special position (earliest, latest, max timestamp, tiers).
    ListOffsets = 2,
    /// Brokers, topics and who leads each partition.
    Metadata = 3,
    /// Stores the positions of a consumer group.
    OffsetCommit = 8,
    /// Reads the stored positions of consumer groups.
    OffsetFetch = 9,
    /// Which broker coordinates a group, a transactional id or a share partition.
    FindCoordinator = 10,
    /// Classic group protocol: enters a group and learns the generation.
    JoinGroup = 11,
    /// Classic group protocol: says that a member is alive.
    Heartbeat = 12,
    /// Classic group protocol: takes members out of a group.
    LeaveGroup = 13,
    /// Classic group protocol: the leader gives and each member gets its assignment.
    SyncGroup = 14,
    /// State and members of classic groups.
    DescribeGroups = 15,
    /// The groups that a broker coordinates.
    ListGroups = 16,
    /// Chooses the SASL mechanism of a connection.
    SaslHandshake = 17,
    /// Which APIs and versions a broker serves. Its response header never has tags.
    ApiVersions = 18,
    /// Creates topics.
    CreateTopics = 19,
    /// Deletes topics by name or id.
    DeleteTopics = 20,
    /// Raises the start offset of partitions.
    DeleteRecords = 21,
    /// Hands out the producer id and epoch of an idempotent or transactional producer.
    InitProducerId = 22,
    /// Where a leader epoch ended.
    OffsetForLeaderEpoch = 23,
    /// Takes partitions into a transaction, or verifies that they are in it.
    AddPartitionsToTxn = 24,
    /// Takes a group's offsets into a transaction.
    AddOffsetsToTxn = 25,
    /// Commits or aborts a transaction.
    EndTxn = 26,
    /// Coordinator to leader: writes commit and abort markers.
    WriteTxnMarkers = 27,
    /// Stores a group's positions inside a transaction.
    TxnOffsetCommit = 28,
    /// Lists access rules that match a filter.
    DescribeAcls = 29,
    /// Adds access rules.
    CreateAcls = 30,
    /// Removes access rules that match filters.
    DeleteAcls = 31,
    /// Effective settings of resources with their sources.
    DescribeConfigs = 32,
    /// Replaces all settings of a resource.
    AlterConfigs = 33,
    /// Moves replicas between directories of one broker.
    AlterReplicaLogDirs = 34,
    /// Directories of a broker and what they hold.
    DescribeLogDirs = 35,
    /// Carries the tokens of a SASL exchange.
    SaslAuthenticate = 36,
    /// Adds partitions to topics.
    CreatePartitions = 37,
    /// Makes a delegation token.
    CreateDelegationToken = 38,
    /// Prolongs a delegation token.
    RenewDelegationToken = 39,
    /// Ends a delegation token.
    ExpireDelegationToken = 40,
    /// Lists delegation tokens.
    DescribeDelegationToken = 41,
    /// Deletes empty groups.
    DeleteGroups = 42,
    /// Starts leader elections.
    ElectLeaders = 43,
    /// Sets, deletes, appends to or subtracts from single settings.
    IncrementalAlterConfigs = 44,
    /// Starts or cancels moves of partitions.
    AlterPartitionReassignments = 45,
    /// Moves of partitions that are going on.
    ListPartitionReassignments = 46,
    /// Deletes stored positions of a group.
    OffsetDelete = 47,
    /// Quotas that match a filter.
    DescribeClientQuotas = 48,
    /// Sets and removes quotas.
    AlterClientQuotas = 49,
    /// Which SCRAM mechanisms users have; never the secrets.
    DescribeUserScramCredentials = 50,
    /// Sets and removes SCRAM credentials.
    AlterUserScramCredentials = 51,
    /// State of the metadata quorum.
    DescribeQuorum = 55,
    /// Raises or lowers the cluster's feature levels.
    UpdateFeatures = 57,
    /// Cluster id, controller and brokers.
    DescribeCluster = 60,
    /// Active producers of partitions.
    DescribeProducers = 61,
    /// State of transactional ids.
    DescribeTransactions = 65,
    /// Transactions that a broker coordinates.
    ListTransactions = 66,
    /// New group protocol: the one call of a member, and its assignment.
    ConsumerGroupHeartbeat = 68,
    /// State and members of groups of the new protocol.
    ConsumerGroupDescribe = 69,
    /// Which metrics a client is to push.
    GetTelemetrySubscriptions = 71,
    /// Metrics of a client.
    PushTelemetry = 72,
    /// Names of resources that have settings; version 0 lists client metrics subscriptions only.
    ListConfigResources = 74,
    /// Partitions of topics page by page.
    DescribeTopicPartitions = 75,
    /// Share groups: the one call of a member, and its assignment.
    ShareGroupHeartbeat = 76,
    /// State and members of share groups.
    ShareGroupDescribe = 77,
    /// Share groups: acquires records, and acknowledges others on the way.
    ShareFetch = 78,
    /// Share groups: accepts, releases or rejects acquired records.
    ShareAcknowledge = 79,
    /// Streams groups: the one call of a member, and its tasks.
    StreamsGroupHeartbeat = 88,
    /// State and members of streams groups.
    StreamsGroupDescribe = 89,
    /// Start offsets of share groups.
    DescribeShareGroupOffsets = 90,
    /// Sets start offsets of a share group.
    AlterShareGroupOffsets = 91,
    /// Deletes start offsets of a share group.
    DeleteShareGroupOffsets = 92,
}

impl ApiKey {
    /// All APIs, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Produce,
        Self::Fetch,
        Self::ListOffsets,
        Self::Metadata,
        Self::OffsetCommit,
        Self::OffsetFetch,
        Self::FindCoordinator,
        Self::JoinGroup,
        Self::Heartbeat,
        Self::LeaveGroup,
        Self::SyncGroup,
        Self::DescribeGroups,
        Self::ListGroups,
        Self::SaslHandshake,
        Self::ApiVersions,
        Self::CreateTopics,
        Self::DeleteTopics,
        Self::DeleteRecords,
        Self::InitProducerId,
        Self::OffsetForLeaderEpoch,
        Self::AddPartitionsToTxn,
        Self::AddOffsetsToTxn,
        Self::EndTxn,
        Self::WriteTxnMarkers,
        Self::TxnOffsetCommit,
        Self::DescribeAcls,
        Self::CreateAcls,
        Self::DeleteAcls,
        Self::DescribeConfigs,
        Self::AlterConfigs,
        Self::AlterReplicaLogDirs,
        Self::DescribeLogDirs,
        Self::SaslAuthenticate,
        Self::CreatePartitions,
        Self::CreateDelegationToken,
        Self::RenewDelegationToken,
        Self::ExpireDelegationToken,
        Self::DescribeDelegationToken,
        Self::DeleteGroups,
        Self::ElectLeaders,
        Self::IncrementalAlterConfigs,
        Self::AlterPartitionReassignments,
        Self::ListPartitionReassignments,
        Self::OffsetDelete,
        Self::DescribeClientQuotas,
        Self::AlterClientQuotas,
        Self::DescribeUserScramCredentials,
        Self::AlterUserScramCredentials,
        Self::DescribeQuorum,
        Self::UpdateFeatures,
        Self::DescribeCluster,
        Self::DescribeProducers,
        Self::DescribeTransactions,
        Self::ListTransactions,
        Self::ConsumerGroupHeartbeat,
        Self::ConsumerGroupDescribe,
        Self::GetTelemetrySubscriptions,
        Self::PushTelemetry,
        Self::ListConfigResources,
        Self::DescribeTopicPartitions,
        Self::ShareGroupHeartbeat,
        Self::ShareGroupDescribe,
        Self::ShareFetch,
        Self::ShareAcknowledge,
        Self::StreamsGroupHeartbeat,
        Self::StreamsGroupDescribe,
        Self::DescribeShareGroupOffsets,
        Self::AlterShareGroupOffsets,
        Self::DeleteShareGroupOffsets,
    ];

    pub(crate) const fn from_code(code: i16) -> Option<Self> {
        Some(match code {
            0 => Self::Produce,
            1 => Self::Fetch,
            2 => Self::ListOffsets,
            3 => Self::Metadata,
            8 => Self::OffsetCommit,
            9 => Self::OffsetFetch,
            10 => Self::FindCoordinator,
            11 => Self::JoinGroup,
            12 => Self::Heartbeat,
            13 => Self::LeaveGroup,
            14 => Self::SyncGroup,
            15 => Self::DescribeGroups,
            16 => Self::ListGroups,
            17 => Self::SaslHandshake,
            18 => Self::ApiVersions,
            19 => Self::CreateTopics,
            20 => Self::DeleteTopics,
            21 => Self::DeleteRecords,
            22 => Self::InitProducerId,
            23 => Self::OffsetForLeaderEpoch,
            24 => Self::AddPartitionsToTxn,
            25 => Self::AddOffsetsToTxn,
            26 => Self::EndTxn,
            27 => Self::WriteTxnMarkers,
            28 => Self::TxnOffsetCommit,
            29 => Self::DescribeAcls,
            30 => Self::CreateAcls,
            31 => Self::DeleteAcls,
            32 => Self::DescribeConfigs,
            33 => Self::AlterConfigs,
            34 => Self::AlterReplicaLogDirs,
            35 => Self::DescribeLogDirs,
            36 => Self::SaslAuthenticate,
            37 => Self::CreatePartitions,
            38 => Self::CreateDelegationToken,
            39 => Self::RenewDelegationToken,
            40 => Self::ExpireDelegationToken,
            41 => Self::DescribeDelegationToken,
            42 => Self::DeleteGroups,
            43 => Self::ElectLeaders,
            44 => Self::IncrementalAlterConfigs,
            45 => Self::AlterPartitionReassignments,
            46 => Self::ListPartitionReassignments,
            47 => Self::OffsetDelete,
            48 => Self::DescribeClientQuotas,
            49 => Self::AlterClientQuotas,
            50 => Self::DescribeUserScramCredentials,
            51 => Self::AlterUserScramCredentials,
            55 => Self::DescribeQuorum,
            57 => Self::UpdateFeatures,
            60 => Self::DescribeCluster,
            61 => Self::DescribeProducers,
            65 => Self::DescribeTransactions,
            66 => Self::ListTransactions,
            68 => Self::ConsumerGroupHeartbeat,
            69 => Self::ConsumerGroupDescribe,
            71 => Self::GetTelemetrySubscriptions,
            72 => Self::PushTelemetry,
            74 => Self::ListConfigResources,
            75 => Self::DescribeTopicPartitions,
            76 => Self::ShareGroupHeartbeat,
            77 => Self::ShareGroupDescribe,
            78 => Self::ShareFetch,
            79 => Self::ShareAcknowledge,
            88 => Self::StreamsGroupHeartbeat,
            89 => Self::StreamsGroupDescribe,
            90 => Self::DescribeShareGroupOffsets,
            91 => Self::AlterShareGroupOffsets,
            92 => Self::DeleteShareGroupOffsets,
            _ => return None,
        })
    }

    pub(crate) const fn facts(self) -> Facts {
        match self {
            Self::Produce => Facts::row("Produce", 3, 13, 13, 9),
            Self::Fetch => Facts::row("Fetch", 4, 18, 18, 12),
            Self::ListOffsets => Facts::row("ListOffsets", 1, 11, 11, 6),
            Self::Metadata => Facts::row("Metadata", 0, 13, 13, 9),
            Self::OffsetCommit => Facts::row("OffsetCommit", 2, 10, 10, 8),
            Self::OffsetFetch => Facts::row("OffsetFetch", 1, 10, 10, 6),
            Self::FindCoordinator => Facts::row("FindCoordinator", 0, 6, 6, 3),
            Self::JoinGroup => Facts::row("JoinGroup", 0, 9, 9, 6),
            Self::Heartbeat => Facts::row("Heartbeat", 0, 4, 4, 4),
            Self::LeaveGroup => Facts::row("LeaveGroup", 0, 5, 5, 4),
            Self::SyncGroup => Facts::row("SyncGroup", 0, 5, 5, 4),
            Self::DescribeGroups => Facts::row("DescribeGroups", 0, 6, 6, 5),
            Self::ListGroups => Facts::row("ListGroups", 0, 5, 5, 3),
            Self::SaslHandshake => Facts::row("SaslHandshake", 0, 1, 1, i16::MAX),
            Self::ApiVersions => Facts::row("ApiVersions", 0, 4, 4, 3),
            Self::CreateTopics => Facts::row("CreateTopics", 2, 7, 7, 5),
            Self::DeleteTopics => Facts::row("DeleteTopics", 1, 6, 6, 4),
            Self::DeleteRecords => Facts::row("DeleteRecords", 0, 2, 2, 2),
            Self::InitProducerId => Facts::row("InitProducerId", 0, 6, 5, 2),
            Self::OffsetForLeaderEpoch => Facts::row("OffsetForLeaderEpoch", 2, 4, 4, 4),
            Self::AddPartitionsToTxn => Facts::row("AddPartitionsToTxn", 0, 5, 5, 3),
            Self::AddOffsetsToTxn => Facts::row("AddOffsetsToTxn", 0, 4, 4, 3),
            Self::EndTxn => Facts::row("EndTxn", 0, 5, 5, 3),
            Self::WriteTxnMarkers => Facts::row("WriteTxnMarkers", 1, 2, 2, 1),
            Self::TxnOffsetCommit => Facts::row("TxnOffsetCommit", 0, 5, 5, 3),
            Self::DescribeAcls => Facts::row("DescribeAcls", 1, 3, 3, 2),
            Self::CreateAcls => Facts::row("CreateAcls", 1, 3, 3, 2),
            Self::DeleteAcls => Facts::row("DeleteAcls", 1, 3, 3, 2),
            Self::DescribeConfigs => Facts::row("DescribeConfigs", 1, 4, 4, 4),
            Self::AlterConfigs => Facts::row("AlterConfigs", 0, 2, 2, 2),
            Self::AlterReplicaLogDirs => Facts::row("AlterReplicaLogDirs", 1, 2, 2, 2),
            Self::DescribeLogDirs => Facts::row("DescribeLogDirs", 1, 5, 5, 2),
            Self::SaslAuthenticate => Facts::row("SaslAuthenticate", 0, 2, 2, 2),
            Self::CreatePartitions => Facts::row("CreatePartitions", 0, 3, 3, 2),
            Self::CreateDelegationToken => Facts::row("CreateDelegationToken", 1, 3, 3, 2),
            Self::RenewDelegationToken => Facts::row("RenewDelegationToken", 1, 2, 2, 2),
            Self::ExpireDelegationToken => Facts::row("ExpireDelegationToken", 1, 2, 2, 2),
            Self::DescribeDelegationToken => Facts::row("DescribeDelegationToken", 1, 3, 3, 2),
            Self::DeleteGroups => Facts::row("DeleteGroups", 0, 2, 2, 2),
            Self::ElectLeaders => Facts::row("ElectLeaders", 0, 2, 2, 2),
            Self::IncrementalAlterConfigs => Facts::row("IncrementalAlterConfigs", 0, 1, 1, 1),
            Self::AlterPartitionReassignments => Facts::row("AlterPartitionReassignments", 0, 1, 1, 0),
            Self::ListPartitionReassignments => Facts::row("ListPartitionReassignments", 0, 0, 0, 0),
            Self::OffsetDelete => Facts::row("OffsetDelete", 0, 0, 0, i16::MAX),
            Self::DescribeClientQuotas => Facts::row("DescribeClientQuotas", 0, 1, 1, 1),
            Self::AlterClientQuotas => Facts::row("AlterClientQuotas", 0, 1, 1, 1),
            Self::DescribeUserScramCredentials => Facts::row("DescribeUserScramCredentials", 0, 0, 0, 0),
            Self::AlterUserScramCredentials => Facts::row("AlterUserScramCredentials", 0, 0, 0, 0),
            Self::DescribeQuorum => Facts::row("DescribeQuorum", 0, 2, 2, 0),
            Self::UpdateFeatures => Facts::row("UpdateFeatures", 0, 2, 2, 0),
            Self::DescribeCluster => Facts::row("DescribeCluster", 0, 2, 2, 0),
            Self::DescribeProducers => Facts::row("DescribeProducers", 0, 0, 0, 0),
            Self::DescribeTransactions => Facts::row("DescribeTransactions", 0, 0, 0, 0),
            Self::ListTransactions => Facts::row("ListTransactions", 0, 2, 2, 0),
            Self::ConsumerGroupHeartbeat => Facts::row("ConsumerGroupHeartbeat", 0, 1, 1, 0),
            Self::ConsumerGroupDescribe => Facts::row("ConsumerGroupDescribe", 0, 1, 1, 0),
            Self::GetTelemetrySubscriptions => Facts::row("GetTelemetrySubscriptions", 0, 0, 0, 0),
            Self::PushTelemetry => Facts::row("PushTelemetry", 0, 0, 0, 0),
            Self::ListConfigResources => Facts::row("ListConfigResources", 0, 1, 1, 0),
            Self::DescribeTopicPartitions => Facts::row("DescribeTopicPartitions", 0, 0, 0, 0),
            Self::ShareGroupHeartbeat => Facts::row("ShareGroupHeartbeat", 1, 1, 1, 1),
            Self::ShareGroupDescribe => Facts::row("ShareGroupDescribe", 1, 1, 1, 1),
            Self::ShareFetch => Facts::row("ShareFetch", 1, 2, 2, 1),
            Self::ShareAcknowledge => Facts::row("ShareAcknowledge", 1, 2, 2, 1),
            Self::StreamsGroupHeartbeat => Facts::row("StreamsGroupHeartbeat", 0, 0, 0, 0),
            Self::StreamsGroupDescribe => Facts::row("StreamsGroupDescribe", 0, 0, 0, 0),
            Self::DescribeShareGroupOffsets => Facts::row("DescribeShareGroupOffsets", 0, 1, 1, 0),
            Self::AlterShareGroupOffsets => Facts::row("AlterShareGroupOffsets", 0, 0, 0, 0),
            Self::DeleteShareGroupOffsets => Facts::row("DeleteShareGroupOffsets", 0, 0, 0, 0),
        }
    }
}
