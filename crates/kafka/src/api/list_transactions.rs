//! ListTransactions (66): transactional ids by state, producer, age and name (KIP-664).
//!
//! Versions 0-2. v1 age (KIP-994); v2 a pattern that the whole id has to match (KIP-1152). States that Kafka does not know are told back;
//! those that it knows and that cannot be here match nothing.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::transaction::{ListFilter, ListedTransaction, Phase};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse, TransactionState,
};
use regex::{Regex, RegexBuilder};
use std::sync::Arc;

pub(crate) struct ListTransactions;

/// States that Kafka has and this coordinator never shows: it does what they stand for in one step.
const KNOWN_AND_NEVER: [&str; 2] = ["Dead", "PrepareEpochFence"];

/// The most memory that one pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl Api for ListTransactions {
    type Request = ListTransactionsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ListTransactionsRequest,
    ) -> Begun<ListTransactionsResponse> {
        let (phases, unknown) = phases(&request.state_filters);
        let listed = match pattern(request.transactional_id_pattern.as_ref()) {
            Err(code) => Err(code),
            Ok(pattern) => {
                let filter = ListFilter {
                    phases,
                    producer_ids: request.producer_id_filters,
                    older_than_ms: request.duration_filter,
                    pattern,
                };
                let listed = kafka.transactions.list(filter).await;
                let shown = listed.map(|mut all| {
                    let may =
                        |id: &str| kafka.authorize(&call, Operation::Describe, Resource::TransactionalId(id));
                    all.retain(|one| may(one.id.as_str()));
                    all
                });
                shown.map_err(|error| error.code())
            }
        };
        let code = listed.as_ref().err().map_or(ErrorCode::NONE, |code| *code);
        let mut listed = listed.unwrap_or_default();
        listed.retain(|one| {
            kafka.authorize(
                &call,
                Operation::Describe,
                Resource::TransactionalId(one.id.as_str()),
            )
        });
        Begun::Done(ListTransactionsResponse {
            error_code: code.0,
            unknown_state_filters: unknown,
            transaction_states: listed.iter().map(encode).collect(),
            ..Default::default()
        })
    }
}

fn encode(listed: &ListedTransaction) -> TransactionState {
    TransactionState {
        transactional_id: Str::from(listed.id.as_str().to_owned()),
        producer_id: listed.producer_id,
        transaction_state: Str::from_static(listed.phase.name()),
    }
}

/// The phases asked for, `None` for any, and the names that are none.
fn phases(names: &[Str]) -> (Option<Vec<Phase>>, Vec<Str>) {
    if names.is_empty() {
        return (None, Vec::new());
    }
    let mut phases = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        match Phase::ALL.into_iter().find(|phase| phase.name() == name.as_str()) {
            Some(phase) => phases.push(phase),
            None if KNOWN_AND_NEVER.contains(&name.as_str()) => {}
            None => unknown.push(name.clone()),
        }
    }
    (Some(phases), unknown)
}

fn pattern(text: Option<&Str>) -> Result<Option<Regex>, ErrorCode> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let whole = format!("^(?:{})$", text.as_str());
    let built = RegexBuilder::new(&whole).size_limit(PATTERN_BYTES_MAX).build();
    built.map(Some).map_err(|_| ErrorCode::INVALID_REGULAR_EXPRESSION)
}
