//! Somebody who signs tokens, and the key set by which others verify them.

use crate::wire::base64url;
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};
use std::time::{SystemTime, UNIX_EPOCH};

pub struct Signer {
    id: &'static str,
    key: KeyPair,
}

impl Signer {
    pub fn new(id: &'static str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        Self { id, key }
    }

    /// A token that names its subject and ends an hour from now.
    pub fn token(&self, subject: &str) -> String {
        let header = format!("{{\"alg\":\"EdDSA\",\"kid\":\"{}\"}}", self.id);
        let claims = format!("{{\"sub\":\"{subject}\",\"exp\":{}}}", now() + 3600);
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        );
        let signature = self.key.sign(signed.as_bytes()).expect("it signs");
        format!("{signed}.{}", base64url(&signature))
    }

    /// A JSON web key.
    fn public(&self) -> String {
        let point = base64url(self.key.public_key_raw());
        format!(
            "{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"kid\":\"{}\",\"x\":\"{point}\"}}",
            self.id
        )
    }
}

/// A JSON web key set.
pub fn key_set(signers: &[&Signer]) -> String {
    let keys: Vec<String> = signers.iter().map(|signer| signer.public()).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the broker under test has the machine's clock"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}
