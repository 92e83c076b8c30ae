//! RenewDelegationToken (39): prolongs a token (KIP-48). Its owner, its requester and its renewers may.
//!
//! Versions 1-2. v2 flexible.

use crate::api::create_delegation_token::may_use_tokens;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_kafka_wire::renew_delegation_token::{
    RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};
use std::sync::Arc;

pub(crate) struct RenewDelegationToken;

impl Api for RenewDelegationToken {
    type Request = RenewDelegationTokenRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: RenewDelegationTokenRequest,
    ) -> Begun<RenewDelegationTokenResponse> {
        Begun::Done(match renew(&kafka, &call, &request).await {
            Ok(expiry_timestamp_ms) => RenewDelegationTokenResponse {
                expiry_timestamp_ms,
                ..Default::default()
            },
            Err(code) => RenewDelegationTokenResponse {
                error_code: code.0,
                expiry_timestamp_ms: -1,
                ..Default::default()
            },
        })
    }
}

async fn renew(kafka: &Kafka, call: &Call, request: &RenewDelegationTokenRequest) -> Result<i64, ErrorCode> {
    may_use_tokens(call)?;
    let done = kafka
        .broker
        .renew_token(&request.hmac, &call.principal, request.renew_period_ms);
    done.await.map_err(|error| error.code())
}
