//! The rows of the matrix: at least one request of each API, and Kafka's code for it without the right.

mod cluster;
mod configs;
mod groups;
mod records;
mod security;
mod share;
mod streams;
mod topics;
mod transactions;

use super::name;
use super::probe::{
    CLUSTER, GROUP, HIDDEN, Probe, Stage, TOKEN, TOPIC, TRANSACTION, probe, probe_at, unless_hidden,
};
use millstream_broker::security::{Operation, ResourceType};
use millstream_kafka::Right;

const READ_GROUP: Right = (Operation::Read, ResourceType::Group);
const DESCRIBE_GROUP: Right = (Operation::Describe, ResourceType::Group);
const DELETE_GROUP: Right = (Operation::Delete, ResourceType::Group);
const WRITE_TRANSACTION: Right = (Operation::Write, ResourceType::TransactionalId);

pub fn all(stage: &Stage) -> Vec<Probe> {
    let rows = [
        records::rows(stage),
        groups::rows(),
        groups::offsets(stage),
        share::rows(stage),
        streams::rows(),
        topics::rows(),
        cluster::rows(),
        configs::rows(),
        security::rows(),
        security::tokens(stage),
        security::logins(),
        transactions::rows(),
        transactions::of_tools(),
    ];
    rows.into_iter().flatten().collect()
}
