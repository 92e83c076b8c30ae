//! ExpireDelegationToken (40): ends a token (KIP-48). Its owner, its requester and its renewers may.
//!
//! Versions 1-2. v2 flexible.

use crate::api::create_delegation_token::may_use_tokens;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_kafka_wire::expire_delegation_token::{
    ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
};
use std::sync::Arc;

pub(crate) struct ExpireDelegationToken;

impl Api for ExpireDelegationToken {
    type Request = ExpireDelegationTokenRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ExpireDelegationTokenRequest,
    ) -> Begun<ExpireDelegationTokenResponse> {
        Begun::Done(match expire(&kafka, &call, &request).await {
            Ok(expiry_timestamp_ms) => ExpireDelegationTokenResponse {
                expiry_timestamp_ms,
                ..Default::default()
            },
            Err(code) => ExpireDelegationTokenResponse {
                error_code: code.0,
                expiry_timestamp_ms: -1,
                ..Default::default()
            },
        })
    }
}

async fn expire(
    kafka: &Kafka,
    call: &Call,
    request: &ExpireDelegationTokenRequest,
) -> Result<i64, ErrorCode> {
    may_use_tokens(call)?;
    let done = kafka
        .broker
        .expire_token(&request.hmac, &call.principal, request.expiry_time_period_ms);
    done.await.map_err(|error| error.code())
}
