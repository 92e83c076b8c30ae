//! Which tokens log in: signatures, algorithms, times, issuers, audiences.

use super::*;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

const NOW_MS: i64 = 1_700_000_000_000;
const NOW: i64 = NOW_MS / 1000;

/// A key pair that exists for this run only.
struct Signer {
    private: EncodingKey,
    set: Vec<u8>,
}

fn signer(id: &str) -> Signer {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
    let private = pair.to_pkcs8v1().expect("it encodes");
    // The uncompressed point: 4, x, y.
    let point = pair.public_key().as_ref().to_vec();
    let _ = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(pair.public_key());
    let set = json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    }]});
    Signer {
        private: EncodingKey::from_ec_der(private.as_ref()),
        set: set.to_string().into_bytes(),
    }
}

fn token(signer: &Signer, id: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(id.to_owned());
    encode(&header, claims, &signer.private).expect("it signs")
}

fn rules(signer: &Signer) -> TokenRules {
    let rules = TokenRules {
        issuer: Some("https://issuer.test".into()),
        audiences: vec!["millstream".into()],
        ..TokenRules::default()
    };
    assert_eq!(rules.replace_keys(&signer.set), Ok(1));
    rules
}

fn good() -> Value {
    json!({ "sub": "alice", "exp": NOW + 60, "iss": "https://issuer.test", "aud": ["other", "millstream"] })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

#[test]
fn a_signed_token_that_holds_logs_its_subject_in_until_it_ends() {
    let signer = signer("k1");
    let logged_in = rules(&signer).validate(&token(&signer, "k1", &good()), NOW_MS);
    let expected = LoggedIn {
        principal: Principal::user("alice"),
        ends_ms: Some(NOW_MS + 60_000),
        by_token: false,
    };
    assert_eq!(logged_in, Ok(expected));
}

#[test]
fn a_token_of_another_time_issuer_audience_or_signer_is_refused() {
    let signer = signer("k1");
    let rules = rules(&signer);
    let refused = |claims: Value| rules.validate(&token(&signer, "k1", &claims), NOW_MS).is_err();
    assert!(refused(with("exp", json!(NOW - 31))));
    assert!(!refused(with("exp", json!(NOW - 29))), "clocks differ a little");
    assert!(refused(with("exp", Value::Null)));
    assert!(refused(with("nbf", json!(NOW + 31))));
    assert!(refused(with("iss", json!("https://other.test"))));
    assert!(refused(with("aud", json!("other"))));
    assert!(refused(with("aud", Value::Null)));
    assert!(refused(with("sub", json!(""))));
    let other = self::signer("k1");
    assert!(rules.validate(&token(&other, "k1", &good()), NOW_MS).is_err());
    assert!(
        rules.validate(&token(&signer, "k2", &good()), NOW_MS).is_err(),
        "no key of that id"
    );
}

#[test]
fn a_token_that_nobody_signed_is_refused_unless_that_is_configured() {
    let signer = signer("k1");
    let mut rules = rules(&signer);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let bare = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&good()));
    assert!(rules.validate(&bare, NOW_MS).is_err());
    // The public key as a shared secret: the classic confusion.
    let shared = EncodingKey::from_secret(&signer.set);
    let confused = encode(&Header::new(Algorithm::HS256), &good(), &shared).expect("it signs");
    assert!(rules.validate(&confused, NOW_MS).is_err());
    rules.allow_unsecured = true;
    assert!(rules.validate(&bare, NOW_MS).is_ok());
    assert!(rules.validate(&confused, NOW_MS).is_err());
}

#[test]
fn a_key_set_that_cannot_be_read_replaces_nothing() {
    let signer = signer("k1");
    let rules = rules(&signer);
    assert!(rules.replace_keys(b"{}").is_err());
    assert!(
        rules
            .replace_keys(b"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}")
            .is_err()
    );
    assert!(rules.validate(&token(&signer, "k1", &good()), NOW_MS).is_ok());
}

/// Whether a fetch of the set would begin now.
fn asks_for_keys(rules: &TokenRules) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let asked = std::pin::pin!(rules.unknown_key());
    asked.poll(&mut context).is_ready()
}

/// Such a set was once fetched anew at every login, for no token's key is in it by name.
#[test]
fn keys_without_ids_are_asked_for_anew_only_if_none_of_them_verifies() {
    let named = signer("k1");
    let mut set: Value = serde_json::from_slice(&named.set).expect("a set");
    set["keys"][0].as_object_mut().expect("a key").remove("kid");
    let nameless = Signer {
        private: named.private,
        set: set.to_string().into_bytes(),
    };
    let rules = rules(&nameless);
    assert!(rules.validate(&token(&nameless, "k1", &good()), NOW_MS).is_ok());
    assert!(!asks_for_keys(&rules));
    let successor = signer("k2");
    assert!(rules.validate(&token(&successor, "k2", &good()), NOW_MS).is_err());
    assert!(asks_for_keys(&rules));
    assert_eq!(rules.replace_keys(&successor.set), Ok(1));
    assert!(rules.validate(&token(&successor, "k2", &good()), NOW_MS).is_ok());
    assert!(!asks_for_keys(&rules));
    assert!(rules.validate(&token(&nameless, "k1", &good()), NOW_MS).is_err());
    assert!(asks_for_keys(&rules), "of keys with ids none has that one");
}

#[test]
fn a_refusal_is_told_in_two_steps() {
    let signer = signer("k1");
    let rules = rules(&signer);
    let mut exchange = OauthExchange::default();
    let first = exchange.step(Some(&rules), b"n,,\x01auth=Bearer x.y.z\x01\x01", NOW_MS);
    assert_eq!(first, Ok(Step::Continue(INVALID_TOKEN.into())));
    assert!(exchange.step(Some(&rules), b"\x01", NOW_MS).is_err());
    for wrong in [
        "",
        "n,,",
        "n,,\u{1}\u{1}",
        "n,,\u{1}auth=Basic x\u{1}\u{1}",
        "p=x,,\u{1}auth=Bearer x\u{1}\u{1}",
    ] {
        assert!(
            OauthExchange::default()
                .step(Some(&rules), wrong.as_bytes(), NOW_MS)
                .is_err(),
            "{wrong:?}"
        );
    }
}

#[test]
fn nobody_acts_for_another_by_a_token_of_their_own() {
    let signer = signer("k1");
    let rules = rules(&signer);
    let step = |header: &str| {
        let message = format!(
            "{header}\u{1}auth=Bearer {}\u{1}\u{1}",
            token(&signer, "k1", &good())
        );
        OauthExchange::default().step(Some(&rules), message.as_bytes(), NOW_MS)
    };
    assert!(matches!(step("n,,"), Ok(Step::Done(..))));
    assert!(matches!(step("n,a=alice,"), Ok(Step::Done(..))));
    assert!(step("n,a=bob,").is_err(), "the token is alice's");
    assert!(step("n,bob,").is_err());
    assert!(step("n,a=ali=00ce,").is_err());
}

#[test]
fn a_token_that_was_heard_is_worth_nothing_once_it_has_expired() {
    let signer = signer("k1");
    let rules = rules(&signer);
    let heard = format!("n,,\u{1}auth=Bearer {}\u{1}\u{1}", token(&signer, "k1", &good()));
    let step = |now_ms| OauthExchange::default().step(Some(&rules), heard.as_bytes(), now_ms);
    assert!(matches!(step(NOW_MS), Ok(Step::Done(..))));
    let ends_ms = NOW_MS + 60_000 + 30_000;
    assert!(
        matches!(step(ends_ms - 1), Ok(Step::Done(..))),
        "clocks differ a little"
    );
    assert_eq!(step(ends_ms), Ok(Step::Continue(INVALID_TOKEN.into())));
}
