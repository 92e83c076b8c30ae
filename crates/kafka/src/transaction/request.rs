//! What the coordinator of transactions is asked: one struct per operation, already decoded, checked and authorised by `api/`.
//!
//! Owns: the inputs of the state machine. Never: wire versions (differences between them are spelled out as fields), never a clock.

use super::error::PersistError;
use super::name::{Partitions, TransactionalId};
use super::state::{EpochPolicy, Phase, ProducerEpoch};
use crate::state::{PersistToken, RequestId};
use regex::Regex;

/// Everything that can happen to a shard.
#[derive(Clone, Debug)]
pub enum Input {
    /// A client asks.
    Request(RequestId, Request),
    /// The oldest write that had no outcome yet has one now.
    Persisted(PersistToken, Result<(), PersistError>),
    /// Every marker of the job is durable.
    Marked(TransactionalId),
    /// Time has passed; deadlines are looked at.
    Tick,
}

/// One question; the answer has the variant of the same name.
#[derive(Clone, Debug)]
pub enum Request {
    /// InitProducerId.
    Init(InitRequest),
    /// AddPartitionsToTxn, AddOffsetsToTxn, and what later clients' produce and offset requests imply.
    Add(AddRequest),
    /// Whether partitions are part of the transaction, on behalf of produce and offset requests of older clients.
    Verify(VerifyRequest),
    /// EndTxn.
    End(EndRequest),
    /// DescribeTransactions, one id.
    Describe(TransactionalId),
    /// ListTransactions.
    List(ListFilter),
}

/// InitProducerId.
#[derive(Clone, Debug)]
pub struct InitRequest {
    /// Whose.
    pub id: TransactionalId,
    /// As sent, milliseconds; checked against the allowed range.
    pub timeout_ms: i32,
    /// Who the client says it is, if it wants its own epoch raised (KIP-360).
    pub expected: Option<ProducerEpoch>,
    /// A producer id that nobody has had: taken if one is needed.
    pub fresh_id: i64,
}

/// Partitions for a transaction.
#[derive(Clone, Debug)]
pub struct AddRequest {
    /// Whose.
    pub id: TransactionalId,
    /// Who asks.
    pub producer: ProducerEpoch,
    /// What is added.
    pub partitions: Partitions,
    /// How the client's epochs rise.
    pub policy: EpochPolicy,
}

/// A question about partitions.
#[derive(Clone, Debug)]
pub struct VerifyRequest {
    /// Whose.
    pub id: TransactionalId,
    /// Who asks.
    pub producer: ProducerEpoch,
    /// What is asked about.
    pub partitions: Partitions,
}

/// EndTxn.
#[derive(Clone, Debug)]
pub struct EndRequest {
    /// Whose.
    pub id: TransactionalId,
    /// Who asks.
    pub producer: ProducerEpoch,
    /// Commit, or else abort.
    pub commit: bool,
    /// How the client's epochs rise (version 5 and later: per transaction).
    pub policy: EpochPolicy,
    /// A producer id that nobody has had; needed where the epochs of the present one run out.
    pub fresh_id: Option<i64>,
}

/// Which transactions are wanted.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// In one of these phases; empty: any. `Some(phases)` without any of ours matches nothing.
    pub phases: Option<Vec<Phase>>,
    /// Of one of these producers; empty: any.
    pub producer_ids: Vec<i64>,
    /// Begun longer ago than this, milliseconds; below zero: any.
    pub older_than_ms: i64,
    /// Whose whole id matches.
    pub pattern: Option<Regex>,
}
