//! DescribeDelegationToken (41): tokens with their secrets, for their owners and for who may describe them (KIP-48).
//!
//! Versions 1-3. v2 flexible; v3 requesters (KIP-373).

use crate::access::{Operation, Resource};
use crate::api::create_delegation_token::{may_use_tokens, requester};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::{IssuedToken, Principal};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_delegation_token::{
    DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, DescribedDelegationToken,
    DescribedDelegationTokenRenewer,
};
use std::sync::Arc;

pub(crate) struct DescribeDelegationToken;

impl Api for DescribeDelegationToken {
    type Request = DescribeDelegationTokenRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeDelegationTokenRequest,
    ) -> Begun<DescribeDelegationTokenResponse> {
        Begun::Done(match list(&kafka, &call, &request) {
            Ok(tokens) => DescribeDelegationTokenResponse {
                tokens: tokens.into_iter().map(|token| encode(&call, token)).collect(),
                ..Default::default()
            },
            Err(code) => DescribeDelegationTokenResponse {
                error_code: code.0,
                ..Default::default()
            },
        })
    }
}

/// Those of the owners that are asked for (no list: of all; an empty one: of none) which the asker may see.
fn list(
    kafka: &Kafka,
    call: &Call,
    request: &DescribeDelegationTokenRequest,
) -> Result<Vec<IssuedToken>, ErrorCode> {
    may_use_tokens(call)?;
    let mut tokens = kafka.broker.list_tokens().map_err(|error| error.code())?;
    if let Some(owners) = &request.owners {
        let wanted: Vec<String> = owners
            .iter()
            .map(|owner| Principal::of_kind(&owner.principal_type, &owner.principal_name).to_string())
            .collect();
        tokens.retain(|token| wanted.contains(&token.facts.owner));
    }
    tokens.retain(|token| {
        let own = call.principal.as_str();
        token.facts.owner == own
            || token.facts.requester == own
            || token.facts.renewers.iter().any(|renewer| renewer == own)
            || kafka.authorize(
                call,
                Operation::Describe,
                Resource::DelegationToken(&token.facts.id),
            )
            || kafka.authorize(
                call,
                Operation::DescribeTokens,
                Resource::User(&token.facts.owner),
            )
    });
    Ok(tokens)
}

fn encode(call: &Call, token: IssuedToken) -> DescribedDelegationToken {
    let split = |principal: &str| {
        let (kind, name) = principal.split_once(':').unwrap_or(("", principal));
        (Str::from(kind.to_owned()), Str::from(name.to_owned()))
    };
    let (principal_type, principal_name) = split(&token.facts.owner);
    let asked_by = token
        .facts
        .requester
        .parse()
        .unwrap_or_else(|_| Principal::anonymous());
    let (requester_type, requester_name) = requester(call, &asked_by);
    let renewers = token.facts.renewers.iter().map(|renewer| {
        let (principal_type, principal_name) = split(renewer);
        DescribedDelegationTokenRenewer {
            principal_type,
            principal_name,
        }
    });
    DescribedDelegationToken {
        renewers: renewers.collect(),
        principal_type,
        principal_name,
        token_requester_principal_type: requester_type,
        token_requester_principal_name: requester_name,
        issue_timestamp: token.facts.issued_ms,
        expiry_timestamp: token.facts.expires_ms,
        max_timestamp: token.facts.ends_ms,
        token_id: Str::from(token.facts.id),
        hmac: token.hmac.into(),
    }
}
