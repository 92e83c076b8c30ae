//! SCRAM (RFC 5802, RFC 7677): the client proves that it knows the password, the server that it has the password's keys. No channel
//! binding, as with Kafka.
//!
//! Owns: the server's side of the exchange, and the keys of a salted password. Never: where keys are kept.
//!
//! **Invariant**: a proof is good for one exchange: half of its nonce is drawn here. A user that does not exist gets a salt like any
//! other, and fails at the end.

use super::{LoggedIn, LoginFailed, Step};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream_meta::catalog::{ScramCredential, ScramMechanism};

/// The fewest and the most iterations of a credential (KIP-554).
pub const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=16384;

/// The longest message of an exchange that is looked at, in bytes.
const MESSAGE_BYTES_MAX: usize = 8192;

/// What an exchange is checked against.
#[derive(Debug)]
pub struct Proof {
    /// The keys; made up for a user that does not exist.
    pub credential: ScramCredential,
    /// Who has logged in if the proof is good; `None`: nobody, whatever the proof.
    pub logged_in: Option<LoggedIn>,
}

/// Which names the client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Of a user.
    User,
    /// The id of a delegation token (KIP-48: the extension `tokenauth=true`).
    Token,
}

/// The server's side.
pub struct ScramExchange {
    mechanism: ScramMechanism,
    state: State,
}

enum State {
    First,
    Final(Box<Challenge>),
    Over,
}

/// What the last message must fit.
struct Challenge {
    gs2_header: String,
    nonce: String,
    /// The client's first message without its header, and ours.
    said: String,
    proof: Proof,
}

impl ScramExchange {
    /// Before the first message.
    #[must_use]
    pub fn new(mechanism: ScramMechanism) -> Self {
        Self {
            mechanism,
            state: State::First,
        }
    }

    /// Which one it is.
    #[must_use]
    pub fn mechanism(&self) -> ScramMechanism {
        self.mechanism
    }

    /// Takes a message; `drawn` is random, `keys` finds what a name is checked against.
    pub fn step(
        &mut self,
        message: &[u8],
        drawn: [u8; 16],
        keys: impl FnOnce(&str, NameKind) -> Proof,
    ) -> Result<Step, LoginFailed> {
        let text = std::str::from_utf8(message).ok();
        let text = text.filter(|text| text.len() <= MESSAGE_BYTES_MAX);
        let step = match (std::mem::replace(&mut self.state, State::Over), text) {
            (State::First, Some(text)) => self.first(text, drawn, keys),
            (State::Final(challenge), Some(text)) => self.last(text, &challenge),
            _ => None,
        };
        step.ok_or_else(|| {
            LoginFailed(format!(
                "Authentication failed during authentication due to invalid credentials with SASL mechanism {}",
                self.mechanism
            ))
        })
    }

    fn first(
        &mut self,
        text: &str,
        drawn: [u8; 16],
        keys: impl FnOnce(&str, NameKind) -> Proof,
    ) -> Option<Step> {
        // gs2-cbind-flag "," [authzid] "," client-first-message-bare
        let mut parts = text.splitn(3, ',');
        let (binding, acts_for, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if !matches!(binding, "n" | "y") {
            return None;
        }
        let mut fields = bare.split(',');
        let name = unescape(fields.next()?.strip_prefix("n=")?)?;
        let client_nonce = fields
            .next()?
            .strip_prefix("r=")
            .filter(|nonce| is_nonce(nonce))?;
        let kind = match fields.any(|extension| extension.eq_ignore_ascii_case("tokenauth=true")) {
            true => NameKind::Token,
            false => NameKind::User,
        };
        if !acts_for.is_empty() && unescape(acts_for.strip_prefix("a=")?)? != name {
            return None;
        }
        let proof = keys(&name, kind);
        let nonce = format!("{client_nonce}{}", STANDARD.encode(drawn));
        let answer = format!(
            "r={nonce},s={},i={}",
            STANDARD.encode(&proof.credential.salt),
            proof.credential.iterations
        );
        self.state = State::Final(Box::new(Challenge {
            gs2_header: format!("{binding},{acts_for},"),
            nonce,
            said: format!("{bare},{answer}"),
            proof,
        }));
        Some(Step::Continue(answer.into_bytes()))
    }

    fn last(&self, text: &str, challenge: &Challenge) -> Option<Step> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut fields = without_proof.split(',');
        let binding = STANDARD.decode(fields.next()?.strip_prefix("c=")?).ok()?;
        let nonce = fields.next()?.strip_prefix("r=")?;
        if binding != challenge.gs2_header.as_bytes() || nonce != challenge.nonce {
            return None;
        }
        let proof = STANDARD.decode(proof).ok()?;
        let said = format!("{},{without_proof}", challenge.said);
        let keys = &challenge.proof.credential;
        let signature = sign(self.mechanism, &keys.stored_key, said.as_bytes());
        if proof.len() != signature.as_ref().len() {
            return None;
        }
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let stored_key = hash(self.mechanism, &client_key);
        let proved = verify_slices_are_equal(stored_key.as_ref(), &keys.stored_key).is_ok();
        let logged_in = challenge.proof.logged_in.clone().filter(|_| proved)?;
        let signature = sign(self.mechanism, &keys.server_key, said.as_bytes());
        let answer = format!("v={}", STANDARD.encode(signature.as_ref()));
        Some(Step::Done(answer.into_bytes(), logged_in))
    }
}

/// Printable ASCII without the comma.
fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// `=2C` is a comma and `=3D` an equals sign; nothing else may follow one.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        name.push(character);
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

/// The keys of a salted password, which is all that is kept of it.
#[must_use]
pub fn keys_of(
    user: &str,
    mechanism: ScramMechanism,
    iterations: u32,
    salt: &[u8],
    salted_password: &[u8],
) -> ScramCredential {
    let client_key = sign(mechanism, salted_password, b"Client Key");
    ScramCredential {
        user: user.to_owned(),
        mechanism,
        iterations,
        salt: salt.to_vec(),
        stored_key: hash(mechanism, client_key.as_ref()).as_ref().to_vec(),
        server_key: sign(mechanism, salted_password, b"Server Key").as_ref().to_vec(),
    }
}

/// The salted password (RFC 5802: `Hi`).
#[must_use]
pub fn salted(mechanism: ScramMechanism, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512, derive};
    let algorithm = match mechanism {
        ScramMechanism::Sha256 => PBKDF2_HMAC_SHA256,
        ScramMechanism::Sha512 => PBKDF2_HMAC_SHA512,
    };
    let mut salted = vec![0; mechanism.key_bytes()];
    let iterations = std::num::NonZeroU32::new(iterations).unwrap_or(std::num::NonZeroU32::MIN);
    derive(algorithm, iterations, salt, password.as_bytes(), &mut salted);
    salted
}

fn sign(mechanism: ScramMechanism, key: &[u8], message: &[u8]) -> hmac::Tag {
    let algorithm = match mechanism {
        ScramMechanism::Sha256 => hmac::HMAC_SHA256,
        ScramMechanism::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), message)
}

fn hash(mechanism: ScramMechanism, message: &[u8]) -> digest::Digest {
    match mechanism {
        ScramMechanism::Sha256 => digest::digest(&digest::SHA256, message),
        ScramMechanism::Sha512 => digest::digest(&digest::SHA512, message),
    }
}

/// The client's side of the same, for whoever logs in elsewhere: the command line and tests.
pub struct ScramClient {
    mechanism: ScramMechanism,
    password: String,
    nonce: String,
    first_bare: String,
    server_signature: Option<Vec<u8>>,
}

impl ScramClient {
    /// An exchange for this user; `nonce` is random and printable.
    #[must_use]
    pub fn new(mechanism: ScramMechanism, user: &str, password: &str, nonce: &str) -> Self {
        let escaped = user.replace('=', "=3D").replace(',', "=2C");
        Self {
            mechanism,
            password: password.to_owned(),
            nonce: nonce.to_owned(),
            first_bare: format!("n={escaped},r={nonce}"),
            server_signature: None,
        }
    }

    /// The name is a delegation token's id, the password its secret in base64.
    #[must_use]
    pub fn with_token(mut self) -> Self {
        self.first_bare.push_str(",tokenauth=true");
        self
    }

    /// The first message.
    #[must_use]
    pub fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// The answer to the server's first message; `None` if that makes no sense.
    pub fn last(&mut self, server_first: &str) -> Option<String> {
        let mut fields = server_first.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(fields.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        let ours = self.nonce.as_str();
        if !nonce.starts_with(ours) || nonce.len() == ours.len() || iterations > 1_000_000 {
            return None;
        }
        let salted = salted(self.mechanism, &self.password, &salt, iterations);
        let without_proof = format!("c=biws,r={nonce}");
        let said = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = sign(self.mechanism, &salted, b"Client Key");
        let stored_key = hash(self.mechanism, client_key.as_ref());
        let signature = sign(self.mechanism, stored_key.as_ref(), said.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = sign(self.mechanism, &salted, b"Server Key");
        let server_signature = sign(self.mechanism, server_key.as_ref(), said.as_bytes());
        self.server_signature = Some(server_signature.as_ref().to_vec());
        Some(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Whether the server has the password's keys, too.
    #[must_use]
    pub fn trusts(&self, server_final: &str) -> bool {
        let signature = server_final
            .strip_prefix("v=")
            .and_then(|text| STANDARD.decode(text).ok());
        match (&self.server_signature, signature) {
            (Some(expected), Some(given)) => verify_slices_are_equal(expected, &given).is_ok(),
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;
