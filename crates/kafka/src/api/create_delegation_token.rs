//! CreateDelegationToken (38): makes a token with which others can act for its owner (KIP-48).
//!
//! Versions 1-3. v2 flexible; v3 for another owner (KIP-373). Who logged in by a token gets no other; without a token key the answer
//! is DELEGATION_TOKEN_AUTH_DISABLED.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::{ANONYMOUS, IssuedToken, Principal, USER};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::create_delegation_token::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse,
};
use std::sync::Arc;

pub(crate) struct CreateDelegationToken;

impl Api for CreateDelegationToken {
    type Request = CreateDelegationTokenRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: CreateDelegationTokenRequest,
    ) -> Begun<CreateDelegationTokenResponse> {
        let owner = owner(&call, &request);
        let requester = requester(&call, &call.principal);
        let told = CreateDelegationTokenResponse {
            principal_type: Str::from(owner.kind().to_owned()),
            principal_name: Str::from(owner.name().to_owned()),
            token_requester_principal_type: requester.0,
            token_requester_principal_name: requester.1,
            issue_timestamp_ms: -1,
            expiry_timestamp_ms: -1,
            max_timestamp_ms: -1,
            ..Default::default()
        };
        Begun::Done(match create(&kafka, &call, &owner, &request).await {
            Ok(token) => CreateDelegationTokenResponse {
                issue_timestamp_ms: token.facts.issued_ms,
                expiry_timestamp_ms: token.facts.expires_ms,
                max_timestamp_ms: token.facts.ends_ms,
                token_id: Str::from(token.facts.id),
                hmac: token.hmac.into(),
                ..told
            },
            Err(code) => CreateDelegationTokenResponse {
                error_code: code.0,
                ..told
            },
        })
    }
}

/// The first version that tells who asked for a token.
const VERSION_REQUESTER: i16 = 3;

/// Kind and name of a requester, where the version can tell it.
pub(super) fn requester(call: &Call, principal: &Principal) -> (Str, Str) {
    match call.version >= VERSION_REQUESTER {
        true => (
            Str::from(principal.kind().to_owned()),
            Str::from(principal.name().to_owned()),
        ),
        false => (Str::new(), Str::new()),
    }
}

/// The asker, unless another is named.
fn owner(call: &Call, request: &CreateDelegationTokenRequest) -> Principal {
    match (&request.owner_principal_type, &request.owner_principal_name) {
        (Some(kind), Some(name)) if !name.is_empty() => Principal::of_kind(kind, name),
        _ => Principal::clone(&call.principal),
    }
}

async fn create(
    kafka: &Kafka,
    call: &Call,
    owner: &Principal,
    request: &CreateDelegationTokenRequest,
) -> Result<IssuedToken, ErrorCode> {
    may_use_tokens(call)?;
    let renewers = request.renewers.iter().map(|renewer| {
        let user = renewer.principal_type == *USER;
        let spelt = Principal::of_kind(&renewer.principal_type, &renewer.principal_name).to_string();
        user.then_some(spelt).ok_or(ErrorCode::INVALID_PRINCIPAL_TYPE)
    });
    let renewers = renewers.collect::<Result<Vec<_>, _>>()?;
    if owner != &*call.principal {
        kafka.need(call, Operation::CreateTokens, Resource::User(owner.as_str()))?;
    }
    let created = kafka
        .broker
        .create_token(owner, &call.principal, renewers, request.max_lifetime_ms);
    created.await.map_err(|error| error.code())
}

/// Who has not logged in has nobody to act for, and who logged in by a token could make it live for ever.
pub(super) fn may_use_tokens(call: &Call) -> Result<(), ErrorCode> {
    match call.principal.name() == ANONYMOUS || call.by_token {
        true => Err(ErrorCode::DELEGATION_TOKEN_REQUEST_NOT_ALLOWED),
        false => Ok(()),
    }
}
