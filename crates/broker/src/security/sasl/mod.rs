//! Logins by SASL: the exchanges of PLAIN, SCRAM and OAUTHBEARER, as bytes in and bytes out. Pure, but for nonces.
//!
//! Owns: what proves a user. Never: how the bytes travel, and what a user may do.
//!
//! **Invariant**: nothing that fails says whether the user exists, and nothing here prints a secret. Secrets are compared in constant
//! time.

pub mod oauth;
pub mod plain;
pub mod scram;

use super::Principal;
use crate::Broker;
use millstream_meta::catalog::ScramMechanism;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How somebody logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// RFC 4616: name and password.
    Plain,
    /// RFC 5802, 7677: a proof of the password.
    Scram(ScramMechanism),
    /// RFC 7628: a token that somebody else has signed.
    OauthBearer,
}

impl Mechanism {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Plain,
        Self::Scram(ScramMechanism::Sha256),
        Self::Scram(ScramMechanism::Sha512),
        Self::OauthBearer,
    ];

    /// Its registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(ScramMechanism::Sha256) => "SCRAM-SHA-256",
            Self::Scram(ScramMechanism::Sha512) => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No mechanism of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER")]
pub struct UnknownMechanism(String);

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, UnknownMechanism> {
        let found = Self::ALL.iter().find(|mechanism| mechanism.name() == name);
        found.copied().ok_or_else(|| UnknownMechanism(name.to_owned()))
    }
}

/// Who has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// Who.
    pub principal: Principal,
    /// When what they proved themselves with ends, in milliseconds of the wall clock.
    pub ends_ms: Option<i64>,
    /// Whether it was a delegation token.
    pub by_token: bool,
}

/// What one message of the client has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The answer; the client has more to say.
    Continue(Vec<u8>),
    /// The last answer.
    Done(Vec<u8>, LoggedIn),
}

/// The proof failed. What clients are told, which is the same for a wrong name and a wrong password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoginFailed(pub String);

/// What whoever proves to be one user and asks to act for another is told: nobody may.
const ACTS_FOR_ANOTHER: &str =
    "Authentication failed: Client requested an authorization id that is different from username";

/// What users of mechanisms whose proofs are not in the catalog are checked against.
#[derive(Clone, Debug, Default)]
pub struct Authenticators {
    /// Users of PLAIN.
    pub plain: Arc<plain::PlainUsers>,
    /// Keys and rules for tokens.
    pub oauth: Option<Arc<oauth::TokenRules>>,
    /// delegation.token.secret.key: what the secrets of delegation tokens follow from.
    pub token_key: Option<super::tokens::TokenKey>,
}

/// One exchange, from the first message of the client on.
pub enum Exchange {
    /// One message.
    Plain,
    /// Two messages.
    Scram(Box<scram::ScramExchange>),
    /// One message, or a second one after a refusal.
    OauthBearer(oauth::OauthExchange),
}

impl Exchange {
    /// Before the first message.
    #[must_use]
    pub fn of(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Plain => Self::Plain,
            Mechanism::Scram(mechanism) => Self::Scram(Box::new(scram::ScramExchange::new(mechanism))),
            Mechanism::OauthBearer => Self::OauthBearer(oauth::OauthExchange::default()),
        }
    }
}

impl Broker {
    /// Takes the client's next message.
    ///
    /// # Errors
    /// The proof failed, and the exchange with it.
    pub fn login_step(&self, exchange: &mut Exchange, message: &[u8]) -> Result<Step, LoginFailed> {
        let authenticators = &self.inner.config.authenticators;
        match exchange {
            Exchange::Plain => plain::check(&authenticators.plain, message),
            Exchange::Scram(exchange) => {
                let nonce = self.inner.catalog.draw();
                let mechanism = exchange.mechanism();
                exchange.step(message, nonce, |name, kind| {
                    self.scram_proof(name, kind, mechanism)
                })
            }
            Exchange::OauthBearer(exchange) => {
                let rules = authenticators.oauth.as_deref();
                exchange.step(rules, message, self.clock().wall_ms())
            }
        }
    }
}
