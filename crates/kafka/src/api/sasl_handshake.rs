//! SaslHandshake (17): chooses the mechanism of a login (KIP-43, KIP-152).
//!
//! Versions 0-1. After version 0 the mechanism's messages travel bare, after version 1 in SaslAuthenticate. The connection itself
//! answers (`connection/login.rs`); what comes here came where no login is due.

use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
use std::sync::Arc;

pub(crate) struct SaslHandshake;

impl Api for SaslHandshake {
    type Request = SaslHandshakeRequest;

    async fn begin(
        _kafka: Arc<Kafka>,
        _call: Call,
        _request: SaslHandshakeRequest,
    ) -> Begun<SaslHandshakeResponse> {
        Begun::Done(SaslHandshakeResponse {
            error_code: ErrorCode::ILLEGAL_SASL_STATE.0,
            ..Default::default()
        })
    }
}
