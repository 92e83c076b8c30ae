//! Authorised operations (KIP-430): a bit set of what the asker may do with a resource. Nobody is refused anything yet, so it is
//! always all that the resource's type knows, as Kafka answers without an authorizer.

/// Codes of Kafka's AclOperation; the bit of an operation is `1 << code`.
mod operation {
    pub const READ: u32 = 3;
    pub const WRITE: u32 = 4;
    pub const CREATE: u32 = 5;
    pub const DELETE: u32 = 6;
    pub const ALTER: u32 = 7;
    pub const DESCRIBE: u32 = 8;
    pub const CLUSTER_ACTION: u32 = 9;
    pub const DESCRIBE_CONFIGS: u32 = 10;
    pub const ALTER_CONFIGS: u32 = 11;
    pub const IDEMPOTENT_WRITE: u32 = 12;
}

use operation::*;

/// What the protocol says when nobody asked.
const NOT_ASKED: i32 = i32::MIN;

const TOPIC: i32 = bits(&[
    READ,
    WRITE,
    CREATE,
    DELETE,
    ALTER,
    DESCRIBE,
    DESCRIBE_CONFIGS,
    ALTER_CONFIGS,
]);

const CLUSTER: i32 = bits(&[
    CREATE,
    ALTER,
    DESCRIBE,
    CLUSTER_ACTION,
    DESCRIBE_CONFIGS,
    ALTER_CONFIGS,
    IDEMPOTENT_WRITE,
]);

const GROUP: i32 = bits(&[READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS]);

const fn bits(operations: &[u32]) -> i32 {
    let mut set = 0;
    let mut at = 0;
    while at < operations.len() {
        set |= 1 << operations[at];
        at += 1;
    }
    set
}

/// The set for a topic.
pub(crate) fn topic_operations(asked: bool) -> i32 {
    if asked { TOPIC } else { NOT_ASKED }
}

/// The set for the cluster.
pub(crate) fn cluster_operations(asked: bool) -> i32 {
    if asked { CLUSTER } else { NOT_ASKED }
}

/// The set for a group.
pub(crate) fn group_operations(asked: bool) -> i32 {
    if asked { GROUP } else { NOT_ASKED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_those_that_kafka_answers() {
        // As Kafka 4 answers them without an authorizer.
        assert_eq!(topic_operations(true), 0b1101_1111_1000);
        assert_eq!(cluster_operations(true), 0b1_1111_1010_0000);
        assert_eq!(topic_operations(false), -2_147_483_648);
        assert_eq!(group_operations(true), 0b1101_0100_1000);
    }
}
