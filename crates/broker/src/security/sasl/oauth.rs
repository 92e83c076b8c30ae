//! OAUTHBEARER (RFC 7628): a token that somebody else has signed, a JSON web token.
//!
//! Owns: which signatures, issuers, audiences and times are accepted. Never: how keys are fetched (the server's).
//!
//! **Invariant**: only algorithms of [`ALGORITHMS`] are accepted, all of them asymmetric: a public key is never taken for a shared
//! secret, and a token without a signature counts only where `allow_unsecured` says so.

use super::scram::unescape;
use super::{ACTS_FOR_ANOTHER, LoggedIn, LoginFailed, Step};
use crate::security::Principal;
use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;

/// The most keys of a set.
pub const KEYS_MAX: usize = 256;

/// What a signature may be made with.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// One public key.
struct PublicKey {
    id: Option<String>,
    /// What the key's owner says that it is for.
    algorithm: Option<String>,
    key: DecodingKey,
}

/// Which tokens log in whom.
pub struct TokenRules {
    keys: ArcSwap<Vec<PublicKey>>,
    /// Told when a token names a key that is not here, and no key without a name verifies it.
    unknown_key: Notify,
    /// `iss` must be this one.
    pub issuer: Option<String>,
    /// `aud` must name one of these.
    pub audiences: Vec<String>,
    /// The claim that holds the user's name.
    pub subject_claim: String,
    /// How far the clocks of signer and broker may be apart.
    pub clock_skew: Duration,
    /// Tokens without a signature are taken. For tests of clients, never for production.
    pub allow_unsecured: bool,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            keys: ArcSwap::default(),
            unknown_key: Notify::new(),
            issuer: None,
            audiences: Vec::new(),
            subject_claim: "sub".to_owned(),
            clock_skew: Duration::from_secs(30),
            allow_unsecured: false,
        }
    }
}

impl fmt::Debug for TokenRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRules({} keys)", self.keys.load().len())
    }
}

impl TokenRules {
    /// Replaces the keys by those of a JSON web key set. Keys of kinds that are not accepted are left out.
    ///
    /// # Errors
    /// What is wrong with the set. Nothing was replaced then.
    pub fn replace_keys(&self, set: &[u8]) -> Result<usize, String> {
        let set: JwkSet =
            serde_json::from_slice(set).map_err(|error| format!("no JSON web key set: {error}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("a key set has at most {KEYS_MAX} keys"));
        }
        let mut keys = Vec::new();
        for jwk in &set.keys {
            if matches!(jwk.algorithm, jsonwebtoken::jwk::AlgorithmParameters::OctetKey(_)) {
                continue;
            }
            let Ok(key) = DecodingKey::from_jwk(jwk) else {
                continue;
            };
            keys.push(PublicKey {
                id: jwk.common.key_id.clone(),
                algorithm: jwk.common.key_algorithm.map(|algorithm| algorithm.to_string()),
                key,
            });
        }
        if keys.is_empty() {
            return Err("the key set holds no key that can be used".to_owned());
        }
        let count = keys.len();
        self.keys.store(keys.into());
        Ok(count)
    }

    /// Resolves when a token has come since the last call that no key verifies, and whose key is not in the set: its owner may have
    /// other keys by now.
    pub async fn unknown_key(&self) {
        self.unknown_key.notified().await;
    }

    /// Who the token says that its bearer is, if it holds now.
    fn validate(&self, token: &str, now_ms: i64) -> Result<LoggedIn, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("it is too long");
        }
        let claims = match self.allow_unsecured.then(|| unsecured(token)).flatten() {
            Some(claims) => claims,
            None => self.signed(token)?,
        };
        let skew = i64::try_from(self.clock_skew.as_millis()).unwrap_or(i64::MAX);
        let ends_ms = time_ms(&claims, "exp").ok_or("it does not say when it ends")?;
        if now_ms.saturating_sub(skew) >= ends_ms {
            return Err("it has expired");
        }
        if time_ms(&claims, "nbf").is_some_and(|from| from > now_ms.saturating_add(skew)) {
            return Err("it does not hold yet");
        }
        if let Some(issuer) = &self.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return Err("it is another issuer's");
        }
        if !self.audiences.is_empty() && !names_one(claims.get("aud"), &self.audiences) {
            return Err("it is for another audience");
        }
        let subject = claims.get(&self.subject_claim).and_then(Value::as_str);
        let subject = subject
            .filter(|subject| !subject.is_empty())
            .ok_or("it names nobody")?;
        Ok(LoggedIn {
            principal: Principal::user(subject),
            ends_ms: Some(ends_ms),
            by_token: false,
        })
    }

    /// The claims of a token whose signature one of the keys verifies.
    fn signed(&self, token: &str) -> Result<Map<String, Value>, &'static str> {
        let header = decode_header(token).map_err(|_| "it is no signed token")?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err("its algorithm is not accepted");
        }
        let mut validation = Validation::new(header.alg);
        // Times are compared by the broker's own clock, the rest beside it.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let algorithm = format!("{:?}", header.alg);
        let keys = self.keys.load();
        let fits = |key: &&PublicKey| {
            let named = header.kid.is_none() || key.id.is_none() || header.kid == key.id;
            named && key.algorithm.as_ref().is_none_or(|own| *own == algorithm)
        };
        let mut fitting = keys.iter().filter(fits);
        let verified =
            fitting.find_map(|key| decode::<Map<String, Value>>(token, &key.key, &validation).ok());
        // A key without an id may be the one that the token names.
        if verified.is_none() && header.kid.is_some() && keys.iter().all(|key| key.id != header.kid) {
            self.unknown_key.notify_one();
        }
        verified
            .map(|token| token.claims)
            .ok_or("no key verifies its signature")
    }
}

/// The claims of a token that says itself that nobody has signed it.
fn unsecured(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let json = |part: &str| -> Option<Map<String, Value>> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let none = json(header)?.get("alg").and_then(Value::as_str) == Some("none");
    (none && signature.is_empty() && parts.next().is_none())
        .then(|| json(claims))
        .flatten()
}

/// A claim in seconds, as milliseconds.
fn time_ms(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    let whole = value.as_i64().and_then(|seconds| seconds.checked_mul(1000));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond the range saturates"
    )]
    let fraction = || value.as_f64().map(|seconds| (seconds * 1000.0) as i64);
    whole.or_else(fraction)
}

/// `aud` is one name or several.
fn names_one(claim: Option<&Value>, wanted: &[String]) -> bool {
    let is_wanted = |value: &Value| {
        value
            .as_str()
            .is_some_and(|name| wanted.iter().any(|one| one == name))
    };
    match claim {
        Some(Value::Array(names)) => names.iter().any(is_wanted),
        Some(one) => is_wanted(one),
        None => false,
    }
}

/// The server's side.
#[derive(Debug, Default)]
pub struct OauthExchange {
    refused: bool,
}

/// What the client is told before it is told that it has failed (RFC 7628, section 3.2.2).
const INVALID_TOKEN: &str = "{\"status\":\"invalid_token\"}";

impl OauthExchange {
    pub(super) fn step(
        &mut self,
        rules: Option<&TokenRules>,
        message: &[u8],
        now_ms: i64,
    ) -> Result<Step, LoginFailed> {
        if self.refused {
            return Err(LoginFailed(INVALID_TOKEN.to_owned()));
        }
        let first = first_message(message);
        let (acts_for, token) =
            first.ok_or_else(|| LoginFailed("Invalid OAUTHBEARER client first message".to_owned()))?;
        let validated = match rules {
            Some(rules) => rules.validate(token, now_ms),
            None => Err("tokens are not configured"),
        };
        match validated {
            Ok(logged_in) if acts_for.is_some_and(|name| name != logged_in.principal.name()) => {
                Err(LoginFailed(ACTS_FOR_ANOTHER.to_owned()))
            }
            Ok(logged_in) => Ok(Step::Done(Vec::new(), logged_in)),
            Err(why) => {
                // The reason is for the operator; the client learns only that the token is not good.
                tracing::debug!(why, "a token was refused");
                self.refused = true;
                Ok(Step::Continue(INVALID_TOKEN.into()))
            }
        }
    }
}

/// Whom the client wants to act for, if it says so, and its token, from
/// `gs2-header kvsep auth=Bearer TOKEN kvsep *(key=value kvsep) kvsep`, where kvsep is the byte 1.
fn first_message(message: &[u8]) -> Option<(Option<String>, &str)> {
    let text = std::str::from_utf8(message).ok()?;
    let (header, pairs) = text.split_once('\u{1}')?;
    let (binding, acts_for) = header.strip_suffix(',')?.split_once(',')?;
    if !matches!(binding, "n" | "y") {
        return None;
    }
    let acts_for = match acts_for {
        "" => None,
        name => Some(unescape(name.strip_prefix("a=")?)?),
    };
    let pairs = pairs
        .strip_suffix("\u{1}\u{1}")
        .or_else(|| pairs.strip_suffix('\u{1}'))?;
    let mut values = pairs.split('\u{1}').filter_map(|pair| pair.strip_prefix("auth="));
    let (scheme, token) = values.next()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some((acts_for, token))
}

#[cfg(test)]
#[path = "oauth_tests.rs"]
mod tests;
