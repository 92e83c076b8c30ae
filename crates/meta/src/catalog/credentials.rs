//! What users prove themselves with, as facts: keys of SCRAM users, and delegation tokens.
//!
//! Owns: what is kept of them. Never: a password or a token's secret, and how a proof is checked (the broker's).
//! **Invariant**: nothing here prints a key; who reads the store can check a proof, and cannot make one.

use super::acl::numbered;
use std::fmt;

/// The longest name of a SCRAM user, in bytes: it stands in its key as hexadecimal digits.
pub const SCRAM_USER_BYTES_MAX: usize = 200;
/// The longest salt, in bytes.
pub const SCRAM_SALT_BYTES_MAX: usize = 256;
/// The longest principal that a token names, in bytes.
pub const TOKEN_PRINCIPAL_BYTES_MAX: usize = 512;
/// How many may renew one token.
pub const TOKEN_RENEWERS_MAX: usize = 16;
/// Bytes of a token's id: a drawn id as Kafka spells it.
pub const TOKEN_ID_BYTES: usize = 22;

numbered! {
    /// A mechanism of RFC 5802; the numbers are those of KIP-554.
    ScramMechanism {
        /// RFC 7677.
        Sha256 = 1 "SCRAM-SHA-256",
        /// The same with SHA-512.
        Sha512 = 2 "SCRAM-SHA-512",
    }
}

impl ScramMechanism {
    /// Bytes of its hash, and of both keys.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// What is kept of a user's password for one mechanism (RFC 5802, section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    /// The user's name.
    pub user: String,
    /// For which mechanism.
    pub mechanism: ScramMechanism,
    /// How often the password was hashed.
    pub iterations: u32,
    /// The salt, which clients are told.
    pub salt: Vec<u8>,
    /// Proves a client.
    pub stored_key: Vec<u8>,
    /// Proves the server.
    pub server_key: Vec<u8>,
}

impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            mechanism,
            iterations,
            ..
        } = self;
        write!(f, "ScramCredential({user}, {mechanism}, {iterations} iterations)")
    }
}

/// A delegation token (KIP-48). Its secret follows from its id and the cluster's token key, and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegationToken {
    /// Its id: what stands for the user's name at login.
    pub id: String,
    /// Who acts with it, `User:alice`.
    pub owner: String,
    /// Who asked for it.
    pub requester: String,
    /// Who may renew it beside the owner.
    pub renewers: Vec<String>,
    /// When it was made, in milliseconds of the wall clock.
    pub issued_ms: i64,
    /// When it ends unless it is renewed.
    pub expires_ms: i64,
    /// When it ends for good.
    pub ends_ms: i64,
}
