//! Authorised operations (KIP-430): a bit set of what the asker may do with a resource.
//!
//! Owns: which operations each kind of resource knows. Never: the verdict on one (`access.rs`).

use crate::access::{Operation, Resource};
use crate::dispatch::Call;
use crate::node::Kafka;
use Operation::*;

/// What the protocol says when nobody asked.
const NOT_ASKED: i32 = i32::MIN;

const TOPIC: &[Operation] = &[
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    DescribeConfigs,
    AlterConfigs,
];

const CLUSTER: &[Operation] = &[
    Create,
    Alter,
    Describe,
    ClusterAction,
    DescribeConfigs,
    AlterConfigs,
    IdempotentWrite,
];

const GROUP: &[Operation] = &[Read, Delete, Describe, DescribeConfigs, AlterConfigs];

impl Kafka {
    /// What the asker may do with a topic.
    pub(crate) fn topic_operations(&self, call: &Call, asked: bool, name: &str) -> i32 {
        self.operations(call, asked, TOPIC, Resource::Topic(name))
    }

    /// What the asker may do with the cluster; nothing at all is told to who may not describe it.
    pub(crate) fn cluster_operations(&self, call: &Call, asked: bool) -> i32 {
        if asked && !self.authorize(call, Describe, Resource::Cluster) {
            return 0;
        }
        self.operations(call, asked, CLUSTER, Resource::Cluster)
    }

    /// What the asker may do with a group.
    pub(crate) fn group_operations(&self, call: &Call, asked: bool, id: &str) -> i32 {
        self.operations(call, asked, GROUP, Resource::Group(id))
    }

    /// The bit of an operation is `1 << code`.
    fn operations(&self, call: &Call, asked: bool, all: &[Operation], resource: Resource<'_>) -> i32 {
        if !asked {
            return NOT_ASKED;
        }
        let may = |operation: &&Operation| self.broker.would_authorize(call.asker(), **operation, resource);
        all.iter()
            .filter(may)
            .fold(0, |set, operation| set | 1 << operation.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(all: &[Operation]) -> i32 {
        all.iter().fold(0, |set, operation| set | 1 << operation.code())
    }

    #[test]
    fn the_sets_are_those_that_kafka_answers() {
        // As Kafka 4 answers them without an authorizer.
        assert_eq!(bits(TOPIC), 0b1101_1111_1000);
        assert_eq!(bits(CLUSTER), 0b1_1111_1010_0000);
        assert_eq!(bits(GROUP), 0b1101_0100_1000);
    }
}
