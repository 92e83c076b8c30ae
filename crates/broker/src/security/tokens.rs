//! Delegation tokens (KIP-48): somebody lets others act for them for a time, without handing over a password.
//!
//! Owns: how long tokens live, who may renew them, and how their secret follows from their id. Never: the secret itself, which is
//! computed and not kept.

use super::Principal;
use super::sasl::LoggedIn;
use super::sasl::scram::{NameKind, Proof, keys_of, salted};
use crate::Broker;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream_meta::catalog::{CatalogError, DelegationToken, ScramCredential, ScramMechanism};
use std::fmt;
use std::time::Duration;

/// Iterations for a token's secret: it is drawn, not chosen, so that the fewest are enough.
const TOKEN_ITERATIONS: u32 = 4096;

/// Tokens in one cluster.
pub const TOKENS_MAX: usize = 10_000;

/// The cluster's key and how long tokens live.
#[derive(Clone)]
pub struct TokenKey {
    key: hmac::Key,
    /// delegation.token.max.lifetime.ms.
    pub lifetime_max: Duration,
    /// delegation.token.expiry.time.ms.
    pub expiry: Duration,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

impl TokenKey {
    /// From the configured secret.
    #[must_use]
    pub fn new(secret: &str, lifetime_max: Duration, expiry: Duration) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()),
            lifetime_max,
            expiry,
        }
    }

    /// The secret of a token.
    fn secret(&self, id: &str) -> Vec<u8> {
        hmac::sign(&self.key, id.as_bytes()).as_ref().to_vec()
    }
}

/// Why a token was not made, renewed or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// delegation.token.secret.key is not set.
    #[error("Delegation token feature is not enabled.")]
    Disabled,
    /// No such token.
    #[error("Delegation Token is not found on server.")]
    NotFound,
    /// The token is somebody else's.
    #[error("Specified Principal is not valid Owner/Renewer.")]
    OwnerMismatch,
    /// The token has ended.
    #[error("Delegation Token is expired.")]
    Expired,
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The metadata store failed; the text tells whether it may have happened.
    #[error("{0}")]
    Store(String),
}

impl From<CatalogError> for TokenError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Refused(why) => Self::Invalid(why),
            other => Self::Store(other.to_string()),
        }
    }
}

/// A token with its secret.
#[derive(Clone)]
pub struct IssuedToken {
    /// What is kept of it.
    pub facts: DelegationToken,
    /// Its secret: what stands for a password, in base64, and what renewals name.
    pub hmac: Vec<u8>,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedToken({:?})", self.facts)
    }
}

impl Broker {
    fn token_key(&self) -> Result<&TokenKey, TokenError> {
        let key = self.inner.config.authenticators.token_key.as_ref();
        key.ok_or(TokenError::Disabled)
    }

    /// Makes a token for `owner`. A lifetime below zero is the longest that is allowed.
    pub async fn create_token(
        &self,
        owner: &Principal,
        requester: &Principal,
        renewers: Vec<String>,
        lifetime_ms: i64,
    ) -> Result<IssuedToken, TokenError> {
        let key = self.token_key()?;
        if self.inner.catalog.image().tokens().count() >= TOKENS_MAX {
            return Err(TokenError::Invalid(format!(
                "a cluster has at most {TOKENS_MAX} tokens"
            )));
        }
        let now = self.clock().wall_ms();
        let longest = millis(key.lifetime_max);
        let lifetime = if lifetime_ms <= 0 {
            longest
        } else {
            lifetime_ms.min(longest)
        };
        let ends_ms = now.saturating_add(lifetime);
        let facts = DelegationToken {
            id: self.inner.catalog.draw_token_id(),
            owner: owner.to_string(),
            requester: requester.to_string(),
            renewers,
            issued_ms: now,
            expires_ms: ends_ms.min(now.saturating_add(millis(key.expiry))),
            ends_ms,
        };
        self.inner.catalog.put_token(&facts).await?;
        self.forget_expired_tokens(now).await;
        let hmac = key.secret(&facts.id);
        Ok(IssuedToken { facts, hmac })
    }

    /// Lets a token live longer; when it ends then. A period below zero is the usual one.
    pub async fn renew_token(&self, hmac: &[u8], by: &Principal, period_ms: i64) -> Result<i64, TokenError> {
        let key = self.token_key()?;
        let token = self.token_of(key, hmac, by)?;
        let now = self.clock().wall_ms();
        if token.ends_ms < now || token.expires_ms < now {
            return Err(TokenError::Expired);
        }
        let period = if period_ms < 0 {
            millis(key.expiry)
        } else {
            period_ms
        };
        self.set_expiry(token, now.saturating_add(period)).await
    }

    /// Ends a token, at once if the period is below zero; when it ends then.
    pub async fn expire_token(&self, hmac: &[u8], by: &Principal, period_ms: i64) -> Result<i64, TokenError> {
        let key = self.token_key()?;
        let token = self.token_of(key, hmac, by)?;
        let now = self.clock().wall_ms();
        if period_ms < 0 {
            self.inner.catalog.delete_tokens(&[token.id]).await?;
            return Ok(now);
        }
        if token.ends_ms < now || token.expires_ms < now {
            return Err(TokenError::Expired);
        }
        self.set_expiry(token, now.saturating_add(period_ms)).await
    }

    /// Tokens that have not ended, with their secrets: for their owners, and for who may describe them.
    pub fn list_tokens(&self) -> Result<Vec<IssuedToken>, TokenError> {
        let key = self.token_key()?;
        let now = self.clock().wall_ms();
        let image = self.inner.catalog.image();
        let alive = image.tokens().filter(|token| token.expires_ms >= now);
        let issued = |token: &DelegationToken| IssuedToken {
            hmac: key.secret(&token.id),
            facts: token.clone(),
        };
        Ok(alive.map(issued).collect())
    }

    async fn set_expiry(&self, token: DelegationToken, expires_ms: i64) -> Result<i64, TokenError> {
        let expires_ms = expires_ms.min(token.ends_ms);
        let renewed = DelegationToken { expires_ms, ..token };
        self.inner.catalog.put_token(&renewed).await?;
        Ok(expires_ms)
    }

    /// The token with this secret, if it is `by`'s to renew.
    fn token_of(&self, key: &TokenKey, secret: &[u8], by: &Principal) -> Result<DelegationToken, TokenError> {
        let image = self.inner.catalog.image();
        let is = |token: &&DelegationToken| verify_slices_are_equal(&key.secret(&token.id), secret).is_ok();
        let token = image.tokens().find(is).ok_or(TokenError::NotFound)?;
        let by = by.as_str();
        let allowed =
            token.owner == by || token.requester == by || token.renewers.iter().any(|one| one == by);
        if allowed {
            Ok(token.clone())
        } else {
            Err(TokenError::OwnerMismatch)
        }
    }

    /// Tokens that have expired are of no use to anybody.
    async fn forget_expired_tokens(&self, now: i64) {
        let image = self.inner.catalog.image();
        let expired = image.tokens().filter(|token| token.expires_ms < now);
        let ids: Vec<String> = expired.map(|token| token.id.clone()).collect();
        if let Err(error) = self.inner.catalog.delete_tokens(&ids).await {
            tracing::warn!(%error, "expired delegation tokens are left for later");
        }
    }

    /// What a SCRAM login is checked against. For a name that does not exist a salt is made up that is always the same.
    pub(super) fn scram_proof(&self, name: &str, kind: NameKind, mechanism: ScramMechanism) -> Proof {
        let image = self.inner.catalog.image();
        let found = match kind {
            NameKind::User => image.scram(name, mechanism).cloned().map(|credential| Proof {
                logged_in: Some(LoggedIn {
                    principal: Principal::user(&credential.user),
                    ends_ms: None,
                    by_token: false,
                }),
                credential,
            }),
            NameKind::Token => self.token_proof(image.token(name), mechanism),
        };
        found.unwrap_or_else(|| Proof {
            credential: self.made_up(name, mechanism),
            logged_in: None,
        })
    }

    fn token_proof(&self, token: Option<&DelegationToken>, mechanism: ScramMechanism) -> Option<Proof> {
        let (token, key) = (token?, self.token_key().ok()?);
        if token.expires_ms < self.clock().wall_ms() {
            return None;
        }
        let password = STANDARD.encode(key.secret(&token.id));
        let salt = &self.made_up(&token.id, mechanism).salt;
        let salted = salted(mechanism, &password, salt, TOKEN_ITERATIONS);
        Some(Proof {
            credential: keys_of(&token.id, mechanism, TOKEN_ITERATIONS, salt, &salted),
            logged_in: Some(LoggedIn {
                principal: token.owner.parse().ok()?,
                ends_ms: Some(token.expires_ms),
                by_token: true,
            }),
        })
    }

    /// Keys that nobody has.
    fn made_up(&self, name: &str, mechanism: ScramMechanism) -> ScramCredential {
        let key = hmac::Key::new(hmac::HMAC_SHA512, &self.inner.salt_key);
        let bytes = hmac::sign(&key, name.as_bytes());
        let salt = &bytes.as_ref()[..mechanism.key_bytes().min(16)];
        keys_of(name, mechanism, TOKEN_ITERATIONS, salt, bytes.as_ref())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
