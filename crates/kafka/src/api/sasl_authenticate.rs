//! SaslAuthenticate (36): carries the messages of a login (KIP-152).
//!
//! Versions 0-2. v1 how long the login holds (KIP-368); v2 flexible. The connection itself answers (`connection/login.rs`); what comes
//! here came where no login is due.

use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use std::sync::Arc;

pub(crate) struct SaslAuthenticate;

impl Api for SaslAuthenticate {
    type Request = SaslAuthenticateRequest;

    async fn begin(
        _kafka: Arc<Kafka>,
        _call: Call,
        _request: SaslAuthenticateRequest,
    ) -> Begun<SaslAuthenticateResponse> {
        let what = "SaslAuthenticate request received after successful authentication";
        Begun::Done(SaslAuthenticateResponse {
            error_code: ErrorCode::ILLEGAL_SASL_STATE.0,
            error_message: Some(Str::from_static(what)),
            ..Default::default()
        })
    }
}
