//! Rights: the one place where an API asks whether the asker may, and the table of what each API asks for.
//!
//! Owns: which code a refusal has, and how a topic is looked up without telling who may not know whether it exists. Never: the
//! verdict (`Broker::authorize`), nor who somebody is (the connection).
//!
//! **Invariant**: every API of `dispatch::TABLE` has a row in [`RIGHTS`], and asks for no right outside its row; a test walks both.

use crate::dispatch::Call;
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_broker::security::{Asker, ResourceType};
use millstream_broker::{Topic, TopicId};
use millstream_kafka_wire::{ApiKey, Uuid};
use std::sync::Arc;

pub(crate) use millstream_broker::security::{Operation, Resource};

/// One right: what is done, with what kind of thing.
pub type Right = (Operation, ResourceType);

impl Call {
    /// Who asks.
    pub fn asker(&self) -> Asker<'_> {
        Asker {
            principal: &self.principal,
            host: self.peer.address.ip(),
        }
    }
}

impl Kafka {
    /// Whether the asker may do `operation` with `resource`.
    pub(crate) fn authorize(&self, call: &Call, operation: Operation, resource: Resource<'_>) -> bool {
        self.broker.authorize(call.asker(), operation, resource)
    }

    /// The same, with the code of the refusal.
    pub(crate) fn need(
        &self,
        call: &Call,
        operation: Operation,
        resource: Resource<'_>,
    ) -> Result<(), ErrorCode> {
        match self.authorize(call, operation, resource) {
            true => Ok(()),
            false => Err(refusal(resource.kind())),
        }
    }

    /// Whether the asker may produce idempotently: a right of its own, or the right to write any topic (KIP-679).
    pub(crate) fn need_idempotent_write(&self, call: &Call) -> Result<(), ErrorCode> {
        if self
            .broker
            .authorize_any(call.asker(), Operation::Write, ResourceType::Topic)
        {
            return Ok(());
        }
        self.need(call, Operation::IdempotentWrite, Resource::Cluster)
    }

    /// The topic of that name. Who may not gets the same answer whether it exists or not.
    pub(crate) fn topic_for(
        &self,
        call: &Call,
        operation: Operation,
        name: &str,
    ) -> Result<Arc<Topic>, ErrorCode> {
        self.need(call, operation, Resource::Topic(name))?;
        let topic = self.broker.topic(name);
        topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }

    /// The topic of that id. Ids are drawn, so that nobody learns by guessing them; Kafka, too, tells which exist.
    pub(crate) fn topic_by_id_for(
        &self,
        call: &Call,
        operation: Operation,
        id: Uuid,
    ) -> Result<Arc<Topic>, ErrorCode> {
        let topic = self.broker.topic_by_id(&TopicId(id.0));
        let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        self.need(call, operation, Resource::Topic(topic.name()))?;
        Ok(topic)
    }
}

/// How the protocol says that a right is missing.
pub(crate) fn refusal(kind: ResourceType) -> ErrorCode {
    match kind {
        ResourceType::Topic => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        ResourceType::Group => ErrorCode::GROUP_AUTHORIZATION_FAILED,
        ResourceType::Cluster => ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
        ResourceType::TransactionalId => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ResourceType::DelegationToken | ResourceType::User => {
            ErrorCode::DELEGATION_TOKEN_AUTHORIZATION_FAILED
        }
    }
}

/// The rights that an API may ask for, as Kafka does; `None` if the API has no row. An empty row is an API that everybody may use.
#[must_use]
pub fn rights_of(key: ApiKey) -> Option<&'static [Right]> {
    let row = RIGHTS.iter().find(|(api, _)| *api == key);
    row.map(|(_, rights)| *rights)
}

use Operation::{
    Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe, DescribeConfigs,
    DescribeTokens, IdempotentWrite, Read, Write,
};
use ResourceType::{Cluster, DelegationToken, Group, TransactionalId, User};

const TOPIC: ResourceType = ResourceType::Topic;

/// What each API asks for. APIs that are not served yet have their rows already.
#[rustfmt::skip]
const RIGHTS: &[(ApiKey, &[Right])] = &[
    (ApiKey::Produce, &[(Write, TOPIC), (Write, TransactionalId)]),
    (ApiKey::Fetch, &[(Read, TOPIC)]),
    (ApiKey::ListOffsets, &[(Describe, TOPIC)]),
    (ApiKey::Metadata, &[(Describe, TOPIC), (Create, Cluster), (Create, TOPIC), (Describe, Cluster)]),
    (ApiKey::OffsetCommit, &[(Read, Group), (Read, TOPIC)]),
    (ApiKey::OffsetFetch, &[(Describe, Group), (Describe, TOPIC)]),
    (ApiKey::FindCoordinator, &[(Describe, Group), (Describe, TransactionalId), (ClusterAction, Cluster)]),
    (ApiKey::JoinGroup, &[(Read, Group)]),
    (ApiKey::Heartbeat, &[(Read, Group)]),
    (ApiKey::LeaveGroup, &[(Read, Group)]),
    (ApiKey::SyncGroup, &[(Read, Group)]),
    (ApiKey::DescribeGroups, &[(Describe, Group)]),
    (ApiKey::ListGroups, &[(Describe, Cluster), (Describe, Group)]),
    (ApiKey::SaslHandshake, &[]),
    (ApiKey::ApiVersions, &[]),
    (ApiKey::CreateTopics, &[(Create, Cluster), (Create, TOPIC), (DescribeConfigs, TOPIC)]),
    (ApiKey::DeleteTopics, &[(Describe, TOPIC), (Delete, TOPIC)]),
    (ApiKey::DeleteRecords, &[(Delete, TOPIC)]),
    (ApiKey::InitProducerId, &[(Write, TransactionalId), (Write, TOPIC), (IdempotentWrite, Cluster), (Operation::TwoPhaseCommit, TransactionalId)]),
    (ApiKey::OffsetForLeaderEpoch, &[(Describe, TOPIC)]),
    (ApiKey::AddPartitionsToTxn, &[(Write, TransactionalId), (Write, TOPIC), (ClusterAction, Cluster)]),
    (ApiKey::AddOffsetsToTxn, &[(Write, TransactionalId), (Read, Group)]),
    (ApiKey::EndTxn, &[(Write, TransactionalId)]),
    (ApiKey::WriteTxnMarkers, &[(Alter, Cluster), (ClusterAction, Cluster)]),
    (ApiKey::TxnOffsetCommit, &[(Write, TransactionalId), (Read, Group), (Read, TOPIC)]),
    (ApiKey::DescribeAcls, &[(Describe, Cluster)]),
    (ApiKey::CreateAcls, &[(Alter, Cluster)]),
    (ApiKey::DeleteAcls, &[(Alter, Cluster)]),
    (ApiKey::DescribeConfigs, &[(DescribeConfigs, TOPIC), (DescribeConfigs, Cluster), (DescribeConfigs, Group)]),
    (ApiKey::AlterConfigs, &[(AlterConfigs, TOPIC), (AlterConfigs, Cluster), (AlterConfigs, Group)]),
    (ApiKey::AlterReplicaLogDirs, &[(Alter, Cluster)]),
    (ApiKey::DescribeLogDirs, &[(Describe, Cluster)]),
    (ApiKey::SaslAuthenticate, &[]),
    (ApiKey::CreatePartitions, &[(Alter, TOPIC)]),
    (ApiKey::CreateDelegationToken, &[(CreateTokens, User)]),
    (ApiKey::RenewDelegationToken, &[]),
    (ApiKey::ExpireDelegationToken, &[]),
    (ApiKey::DescribeDelegationToken, &[(DescribeTokens, User), (Describe, DelegationToken)]),
    (ApiKey::DeleteGroups, &[(Delete, Group)]),
    (ApiKey::ElectLeaders, &[(Alter, Cluster)]),
    (ApiKey::IncrementalAlterConfigs, &[(AlterConfigs, TOPIC), (AlterConfigs, Cluster), (AlterConfigs, Group)]),
    (ApiKey::AlterPartitionReassignments, &[(Alter, Cluster)]),
    (ApiKey::ListPartitionReassignments, &[(Describe, Cluster)]),
    (ApiKey::OffsetDelete, &[(Delete, Group), (Read, TOPIC)]),
    (ApiKey::DescribeClientQuotas, &[(DescribeConfigs, Cluster)]),
    (ApiKey::AlterClientQuotas, &[(AlterConfigs, Cluster)]),
    (ApiKey::DescribeUserScramCredentials, &[(Describe, Cluster)]),
    (ApiKey::AlterUserScramCredentials, &[(Alter, Cluster)]),
    (ApiKey::DescribeQuorum, &[(Describe, Cluster)]),
    (ApiKey::UpdateFeatures, &[(Alter, Cluster)]),
    (ApiKey::DescribeCluster, &[(Describe, Cluster)]),
    (ApiKey::UnregisterBroker, &[(Alter, Cluster)]),
    (ApiKey::DescribeProducers, &[(Read, TOPIC)]),
    (ApiKey::DescribeTransactions, &[(Describe, TransactionalId), (Describe, TOPIC)]),
    (ApiKey::ListTransactions, &[(Describe, TransactionalId)]),
    (ApiKey::ConsumerGroupHeartbeat, &[(Read, Group), (Describe, TOPIC)]),
    (ApiKey::ConsumerGroupDescribe, &[(Describe, Group), (Describe, TOPIC)]),
    (ApiKey::GetTelemetrySubscriptions, &[]),
    (ApiKey::PushTelemetry, &[]),
    (ApiKey::ListConfigResources, &[(DescribeConfigs, Cluster)]),
    (ApiKey::DescribeTopicPartitions, &[(Describe, TOPIC)]),
    (ApiKey::ShareGroupHeartbeat, &[(Read, Group), (Describe, TOPIC)]),
    (ApiKey::ShareGroupDescribe, &[(Describe, Group), (Describe, TOPIC)]),
    (ApiKey::ShareFetch, &[(Read, Group), (Read, TOPIC)]),
    (ApiKey::ShareAcknowledge, &[(Read, Group), (Read, TOPIC)]),
    (ApiKey::StreamsGroupHeartbeat, &[(Read, Group), (Describe, TOPIC), (Create, Cluster), (Create, TOPIC)]),
    (ApiKey::StreamsGroupDescribe, &[(Describe, Group), (Describe, TOPIC)]),
    (ApiKey::DescribeShareGroupOffsets, &[(Describe, Group), (Describe, TOPIC)]),
    (ApiKey::AlterShareGroupOffsets, &[(Read, Group), (Read, TOPIC)]),
    (ApiKey::DeleteShareGroupOffsets, &[(Delete, Group), (Read, TOPIC)]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::TABLE;

    #[test]
    fn every_api_that_is_served_says_which_rights_it_asks_for() {
        let without: Vec<&str> = TABLE
            .iter()
            .filter(|row| rights_of(row.key).is_none())
            .map(|row| row.key.name())
            .collect();
        assert_eq!(
            without, [""; 0],
            "give them a row in RIGHTS, and ask `Kafka::authorize`"
        );
    }
}
