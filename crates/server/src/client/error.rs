//! What can go wrong between the CLI and a broker, in words for the person at the terminal.

use super::codes;
use millstream_kafka_wire::{DecodeError, EncodeError, ErrorCode};
use std::ops::RangeInclusive;

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody accepts connections there.
    #[error(
        "cannot connect to {address}: {why}; is a broker running there? (--bootstrap HOST:PORT names another)"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// The system's answer.
        why: std::io::Error,
    },
    /// The connection broke while a request was on its way; whether it was carried out is not known.
    #[error("the connection to {address} broke during {api}: {why}")]
    Lost {
        /// Whose.
        address: String,
        /// What was asked.
        api: &'static str,
        /// The system's answer.
        why: std::io::Error,
    },
    /// No answer in time.
    #[error("{address} did not answer {api} within {seconds} s")]
    Timeout {
        /// Whose.
        address: String,
        /// What was asked.
        api: &'static str,
        /// How long was waited.
        seconds: u64,
    },
    /// The other end does not speak Kafka's protocol, or not correctly.
    #[error("{address} answered {api} with something that is not Kafka's protocol: {why}")]
    Malformed {
        /// Whose.
        address: String,
        /// What was asked.
        api: &'static str,
        /// Where it stops making sense.
        why: String,
    },
    /// A request that cannot be written: a name or a value is too long for the protocol.
    #[error("the request cannot be written: {0}")]
    Unencodable(String),
    /// No version in common.
    #[error("the broker speaks {api} in versions {theirs:?}, this client in {ours:?}")]
    Unsupported {
        /// The API.
        api: &'static str,
        /// The broker's versions; none when it does not know the API.
        theirs: Option<RangeInclusive<i16>>,
        /// This client's.
        ours: RangeInclusive<i16>,
    },
    /// The broker refused, with a code of the protocol.
    #[error("{what}: {}", codes::explain(*code, message.as_deref()))]
    Refused {
        /// What was asked, for a person: `topic orders`.
        what: String,
        /// Kafka's error code.
        code: ErrorCode,
        /// The broker's own words.
        message: Option<String>,
    },
    /// An answer that lacks what was asked for, or asks the impossible.
    #[error("{0}")]
    Unexpected(String),
}

impl ClientError {
    /// A refusal.
    pub fn refused(what: impl Into<String>, code: impl Into<ErrorCode>) -> Self {
        Self::refused_with(what, code, None)
    }

    /// A refusal with the broker's words.
    pub fn refused_with(what: impl Into<String>, code: impl Into<ErrorCode>, message: Option<&str>) -> Self {
        Self::Refused {
            what: what.into(),
            code: code.into(),
            message: message.filter(|text| !text.is_empty()).map(str::to_owned),
        }
    }

    /// `Err` unless the code is 0.
    pub fn check(
        what: impl FnOnce() -> String,
        code: impl Into<ErrorCode>,
        message: Option<&str>,
    ) -> Result<(), Self> {
        match code.into() {
            ErrorCode::NONE => Ok(()),
            code => Err(Self::refused_with(what(), code, message)),
        }
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same request may pass a little later. A broker that cannot be reached at all is not waited for.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Refused { code, .. } => codes::is_retriable(*code),
            Self::Lost { .. } | Self::Timeout { .. } => true,
            _ => false,
        }
    }
}

impl From<EncodeError> for ClientError {
    fn from(error: EncodeError) -> Self {
        Self::Unencodable(error.to_string())
    }
}

/// A decode error needs the place where it happened; see [`ClientError::Malformed`].
pub(super) fn malformed(address: &str, api: &'static str, error: &DecodeError) -> ClientError {
    ClientError::Malformed {
        address: address.to_owned(),
        api,
        why: error.to_string(),
    }
}
