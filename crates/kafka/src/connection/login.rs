//! A connection's login: SASL over Kafka's own requests (KIP-152), logins that are renewed (KIP-368), and who the peer is.
//!
//! Owns: which request may come when, and the session's end. Never: whether a proof is good (`Broker::login_step`).
//!
//! **Invariant**: on a listener that asks for a login, nothing but ApiVersions, SaslHandshake and SaslAuthenticate is answered before
//! it has succeeded; a login that failed ends the connection, and one that is renewed is the same principal's by the same mechanism.

use crate::dispatch::{Answer, ApiRow, CallError};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use bytes::Bytes;
use millstream_broker::security::Principal;
use millstream_broker::security::sasl::{Exchange, LoggedIn, LoginFailed, Mechanism, Step};
use millstream_kafka_wire::{
    ApiKey, Frame, Reader, Request, RequestHeader, Response, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse, Str, decode_request,
    encode_response,
};
use std::sync::Arc;
use std::time::Duration;

/// The largest frame before the login (Kafka: sasl.server.max.receive.size).
pub(super) const FRAME_BYTES_MAX: usize = 512 << 10;

/// A login is renewed no more often (KIP-368): each renewal costs as much as a login.
const RENEWAL_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// How the clients of a listener log in.
#[derive(Clone, Debug)]
pub struct LoginRules {
    /// The mechanisms that are taken (Kafka: sasl.enabled.mechanisms).
    pub mechanisms: Vec<Mechanism>,
    /// After how long a login must be renewed (Kafka: connections.max.reauth.ms); `None`: never, unless a token ends.
    pub reauth_max: Option<Duration>,
    /// How long the answer to a failed login is held back (Kafka: connection.failed.authentication.delay.ms).
    pub failure_delay: Duration,
    /// In which time a connection must have logged in.
    pub time_max: Duration,
}

impl Default for LoginRules {
    fn default() -> Self {
        Self {
            mechanisms: Mechanism::ALL.to_vec(),
            reauth_max: None,
            failure_delay: Duration::from_millis(100),
            time_max: Duration::from_secs(30),
        }
    }
}

/// What a request of the login has led to.
pub(super) enum Outcome {
    /// Answered.
    Answered(Answer),
    /// Answered, after a time, and the connection ends.
    Failed(Failure),
}

/// How a login failed.
pub(super) struct Failure {
    pub answer: Answer,
    /// How long the answer is held back.
    pub delay: Duration,
    /// The reason, which holds no secret.
    pub why: String,
}

/// The login of one connection.
pub(super) struct Login {
    rules: Option<Arc<LoginRules>>,
    principal: Arc<Principal>,
    state: State,
    /// Once logged in: by what.
    mechanism: Option<Mechanism>,
    /// When the session ends, on the monotonic clock.
    ends_at: Option<Duration>,
    /// When the last renewal began, on the same clock.
    renewed_at: Option<Duration>,
    by_token: bool,
}

enum State {
    /// SaslHandshake comes next.
    Unknown,
    /// SaslAuthenticate comes next, or the bare bytes of the mechanism after a handshake of version 0.
    Exchanging(Exchange, Mechanism, Framing),
    LoggedIn,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Requests,
    Bare,
}

impl Login {
    pub fn new(rules: Option<Arc<LoginRules>>, principal: Arc<Principal>) -> Self {
        let state = match rules {
            Some(_) => State::Unknown,
            None => State::LoggedIn,
        };
        Self {
            rules,
            principal,
            state,
            mechanism: None,
            ends_at: None,
            renewed_at: None,
            by_token: false,
        }
    }

    /// Who the peer has proved to be.
    pub fn principal(&self) -> Arc<Principal> {
        self.principal.clone()
    }

    /// Whether they proved it with a delegation token.
    pub fn by_token(&self) -> bool {
        self.by_token
    }

    /// In which time the login must be over; `None` once it is.
    pub fn time_max(&self) -> Option<Duration> {
        let rules = self.rules.as_ref().filter(|_| !self.is_over())?;
        Some(rules.time_max)
    }

    /// Whether requests are answered.
    pub fn is_over(&self) -> bool {
        // A login that is renewed has been good once.
        matches!(self.state, State::LoggedIn)
            || self.mechanism.is_some() && !matches!(self.state, State::Failed)
    }

    /// Whether the peer has yet to log in for the first time, and has not failed.
    pub fn is_under_way(&self) -> bool {
        !self.is_over() && !matches!(self.state, State::Failed)
    }

    /// Whether the next frame is bare bytes of the mechanism.
    pub fn takes_bare_bytes(&self) -> bool {
        matches!(self.state, State::Exchanging(_, _, Framing::Bare))
    }

    /// Whether a request may be answered now.
    pub fn admit(&self, key: i16, now: Duration) -> Result<(), CallError> {
        let of_login = key == ApiKey::SaslHandshake.code() || key == ApiKey::SaslAuthenticate.code();
        if self.ends_at.is_some_and(|ends_at| now >= ends_at) && !of_login {
            return Err(CallError::SessionEnded);
        }
        let asks_versions = key == ApiKey::ApiVersions.code() && matches!(self.state, State::Unknown);
        match self.is_over() || of_login || asks_versions {
            true => Ok(()),
            false => Err(CallError::NotLoggedIn),
        }
    }

    /// Whether nothing but a proof may come, for the first login.
    pub fn awaits_proof(&self) -> bool {
        self.mechanism.is_none() && matches!(self.state, State::Exchanging(..))
    }

    /// Another request where the proof is due. Kafka answers it by ILLEGAL_SASL_STATE before it closes the connection. Its message is
    /// not read, so where the error would stand beside each thing that was asked for, the connection is closed at once.
    pub fn disturb(&mut self, row: &ApiRow, header: &RequestHeader) -> Result<Outcome, CallError> {
        let answer = row.refused(ErrorCode::ILLEGAL_SASL_STATE, header);
        let answer = answer.ok_or(CallError::NotLoggedIn)?;
        Ok(self.fail(answer, "another request where the proof was due"))
    }

    /// Takes a SaslHandshake or SaslAuthenticate.
    pub fn request(
        &mut self,
        kafka: &Kafka,
        header: &RequestHeader,
        body: &Bytes,
    ) -> Result<Outcome, CallError> {
        let reader = Reader::new(body);
        if header.api_key == ApiKey::SaslHandshake.code() {
            let request = decode::<SaslHandshakeRequest>(reader, header)?;
            return Ok(self.handshake(header, &request, kafka.monotonic()));
        }
        if matches!(self.state, State::Unknown) {
            return Err(CallError::NotLoggedIn);
        }
        let request = decode::<SaslAuthenticateRequest>(reader, header)?;
        Ok(self.authenticate(kafka, header, &request))
    }

    fn handshake(
        &mut self,
        header: &RequestHeader,
        request: &SaslHandshakeRequest,
        now: Duration,
    ) -> Outcome {
        let offered: &[Mechanism] = self.rules.as_ref().map_or(&[], |rules| &rules.mechanisms);
        let mut response = SaslHandshakeResponse {
            mechanisms: offered.iter().map(|one| Str::from_static(one.name())).collect(),
            ..Default::default()
        };
        // Only a login that ends is renewed.
        let may_begin = match self.state {
            State::Unknown => true,
            State::LoggedIn => self.ends_at.is_some() && self.may_renew(now),
            State::Exchanging(..) | State::Failed => false,
        };
        if !may_begin {
            response.error_code = ErrorCode::ILLEGAL_SASL_STATE.0;
            return match self.is_over() {
                true => Outcome::Answered(encode(&response, header)),
                false => self.fail(
                    encode(&response, header),
                    "SaslHandshake in the middle of a login",
                ),
            };
        }
        let asked: Option<Mechanism> = request.mechanism.parse().ok();
        let Some(mechanism) = asked.filter(|one| offered.contains(one)) else {
            response.error_code = ErrorCode::UNSUPPORTED_SASL_MECHANISM.0;
            return self.fail(encode(&response, header), "a mechanism that is not offered");
        };
        let framing = match header.api_version {
            0 => Framing::Bare,
            _ => Framing::Requests,
        };
        // What the exchange is checked against comes with its first message.
        if matches!(self.state, State::LoggedIn) {
            self.renewed_at = Some(now);
        }
        self.state = State::Exchanging(Exchange::of(mechanism), mechanism, framing);
        Outcome::Answered(encode(&response, header))
    }

    fn may_renew(&self, now: Duration) -> bool {
        self.renewed_at
            .is_none_or(|before| now.saturating_sub(before) >= RENEWAL_INTERVAL_MIN)
    }

    fn authenticate(
        &mut self,
        kafka: &Kafka,
        header: &RequestHeader,
        request: &SaslAuthenticateRequest,
    ) -> Outcome {
        let refused = |code: ErrorCode, what: String| SaslAuthenticateResponse {
            error_code: code.0,
            error_message: Some(Str::from(what)),
            ..Default::default()
        };
        if matches!(self.state, State::LoggedIn) {
            let what = "SaslAuthenticate request received after successful authentication".to_owned();
            let response = refused(ErrorCode::ILLEGAL_SASL_STATE, what);
            return Outcome::Answered(encode(&response, header));
        }
        match self.step(kafka, &request.auth_bytes) {
            Ok((auth_bytes, lifetime)) => {
                let response = SaslAuthenticateResponse {
                    auth_bytes: auth_bytes.into(),
                    session_lifetime_ms: lifetime.map_or(0, millis),
                    ..Default::default()
                };
                Outcome::Answered(encode(&response, header))
            }
            Err(failed) => {
                let response = refused(ErrorCode::SASL_AUTHENTICATION_FAILED, failed.to_string());
                self.fail(encode(&response, header), &failed.0)
            }
        }
    }

    /// Takes a frame of bare bytes; the answer is one, too.
    pub fn bare(&mut self, kafka: &Kafka, message: &Bytes) -> Outcome {
        match self.step(kafka, message) {
            Ok((answer, _)) => Outcome::Answered(Ok(Some(Frame::of_bytes(answer.into())))),
            // This form has no word for a failure: the connection ends.
            Err(failed) => self.fail(Ok(None), &failed.0),
        }
    }

    /// Takes a message of the mechanism: its answer, and after the last one how long the session lives.
    fn step(&mut self, kafka: &Kafka, message: &[u8]) -> Result<(Vec<u8>, Option<Duration>), LoginFailed> {
        let State::Exchanging(exchange, mechanism, _) = &mut self.state else {
            return Err(LoginFailed("SaslAuthenticate without SaslHandshake".to_owned()));
        };
        let mechanism = *mechanism;
        match kafka.broker.login_step(exchange, message)? {
            Step::Continue(answer) => Ok((answer, None)),
            Step::Done(answer, logged_in) => {
                let lifetime = self.enter(kafka, mechanism, logged_in)?;
                Ok((answer, lifetime))
            }
        }
    }

    /// The proof was good.
    fn enter(
        &mut self,
        kafka: &Kafka,
        mechanism: Mechanism,
        logged_in: LoggedIn,
    ) -> Result<Option<Duration>, LoginFailed> {
        if self.mechanism.is_some_and(|before| before != mechanism) {
            let what = "The SASL mechanism cannot change during re-authentication".to_owned();
            return Err(LoginFailed(what));
        }
        if self.mechanism.is_some() && *self.principal != logged_in.principal {
            let what = format!(
                "Cannot change principals during re-authentication from {} to {}",
                self.principal, logged_in.principal
            );
            return Err(LoginFailed(what));
        }
        let of_proof = logged_in.ends_ms.map(|ends_ms| {
            let left = ends_ms.saturating_sub(kafka.broker.clock().wall_ms());
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        let of_rules = self.rules.as_ref().and_then(|rules| rules.reauth_max);
        let lifetime = [of_proof, of_rules].into_iter().flatten().min();
        self.ends_at = lifetime.map(|lifetime| kafka.monotonic().saturating_add(lifetime));
        self.by_token = logged_in.by_token;
        self.principal = Arc::new(logged_in.principal);
        self.mechanism = Some(mechanism);
        self.state = State::LoggedIn;
        kafka.metrics.count_login();
        Ok(lifetime)
    }

    fn fail(&mut self, answer: Answer, why: &str) -> Outcome {
        self.state = State::Failed;
        let delay = self
            .rules
            .as_ref()
            .map_or(Duration::ZERO, |rules| rules.failure_delay);
        Outcome::Failed(Failure {
            answer,
            delay,
            why: why.to_owned(),
        })
    }
}

fn decode<R: Request>(reader: Reader<'_>, header: &RequestHeader) -> Result<R, CallError> {
    decode_request::<R>(reader, header.api_version).map_err(CallError::Malformed)
}

fn encode<R: Response>(response: &R, header: &RequestHeader) -> Answer {
    encode_response(response, header.api_version, header.correlation_id)
        .map(Some)
        .map_err(CallError::Unencodable)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
