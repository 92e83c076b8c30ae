//! Nothing that the broker says anywhere holds a secret: logs at their most talkative, pages, settings, answers to tools, files.

use crate::process::{Folder, millstream};
use crate::security::{ADMIN, ALICE, secured, start};
use crate::signer::{Signer, key_set};
use crate::wire::{Wire, base64, base64url};
use millstream_broker::security::ScramMechanism;
use millstream_broker::security::sasl::scram::{keys_of, salted};
use millstream_kafka_wire::*;
use std::fs;
use std::path::Path;

const WRONG: &str = "not-the-password-of-anybody";
const BOB: &str = "the-builder-of-castles";
const TOKEN_KEY: &str = "what-every-token-follows-from";
const CLOUD: &str = "wJalrXUtnFEMI-K7MDENG-bPxRfiCY-example";
const SETTING: &str = "a-password-that-is-given-as-a-setting";

/// Secrets, and what each is called in a failure.
#[derive(Default)]
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    fn keep(&mut self, what: &str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref().to_vec();
        assert!(secret.len() >= 8, "{what} is too short to be found");
        self.0.push((what.to_owned(), secret));
    }

    /// None of them stands in what was said, in any spelling.
    fn check(&self, place: &str, said: &[u8]) {
        let said = latin(said);
        for (what, secret) in &self.0 {
            for spelling in spellings(secret) {
                assert!(
                    !said.contains(&spelling),
                    "{what} stands in {place} as {spelling}"
                );
            }
        }
    }
}

/// One character for each byte: the search in texts is a fast one.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// How a secret could be written: raw, escaped, as a list of numbers, in hexadecimal, in base64 wherever it begins in a message.
fn spellings(secret: &[u8]) -> Vec<String> {
    let numbers = format!("{secret:?}");
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut spellings = vec![
        latin(secret),
        secret.escape_ascii().to_string(),
        numbers.trim_matches(['[', ']']).to_owned(),
        hex.to_uppercase(),
        hex,
    ];
    for encode in [base64, base64url] {
        for before in 0..3 {
            let text = encode(&[vec![0; before], secret.to_vec()].concat());
            // The letters that depend on nothing but the secret.
            let first = (8 * before).div_ceil(6);
            let last = 8 * (before + secret.len()) / 6;
            spellings.push(text[first..last].to_owned());
        }
    }
    spellings
}

/// Every file below a directory, as one text.
fn files(folder: &Path, into: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("a directory").flatten() {
        match entry.file_type().expect("an entry").is_dir() {
            true => files(&entry.path(), into),
            false => into.extend(fs::read(entry.path()).unwrap_or_default()),
        }
    }
}

const PAGES: &[&str] = &[
    "/",
    "/health",
    "/ready",
    "/metrics",
    "/api/v1/broker",
    "/api/v1/configs",
    "/api/v1/topics",
    "/api/v1/groups",
    "/api/v1/openapi.json",
    "/debug",
];

#[test]
fn no_secret_stands_in_a_log_a_page_a_setting_or_a_file() {
    let folder = Folder::new();
    secured(&folder);
    let path = folder.path();
    let mut secrets = Secrets::default();
    for (what, secret) in [
        ("a password", ADMIN),
        ("a password", ALICE),
        ("a wrong password", WRONG),
        ("a new password", BOB),
    ] {
        secrets.keep(what, secret);
    }
    secrets.keep("the token key", TOKEN_KEY);
    secrets.keep("the key of the object store", CLOUD);
    secrets.keep("a setting", SETTING);
    fs::write(path.join("token-key"), format!("{TOKEN_KEY}\n")).expect("written");
    let private = fs::read_to_string(path.join("broker.key")).expect("a key");
    secrets.keep("the private key", private.lines().nth(1).expect("it has lines"));
    let signer = Signer::new("k");
    fs::write(path.join("jwks"), key_set(&[&signer])).expect("written");
    let at = |name: &str| path.join(name).display().to_string();
    let (token_key, jwks) = (at("token-key"), at("jwks"));
    let more = [
        "--security-sasl-mechanisms",
        "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER",
        "--security-token-key-file",
        &token_key,
        "--oauth-jwks-file",
        &jwks,
        "--log-wal-segment-bytes",
        "1MiB",
    ];
    let broker = start(&folder, "SASL_PLAINTEXT", &more);
    let (_, address) = broker.kafka.split_once("://").expect("a protocol");
    logins(address, &signer, &mut secrets);
    changes(address, &mut secrets);
    for page in PAGES {
        let (_, body) = broker.get(page);
        secrets.check(page, body.as_bytes());
    }
    secrets.check("the line at start", broker.line.as_bytes());
    assert!(broker.stop().success());
    let log = fs::read(path.join("log")).expect("a log");
    assert!(log.len() > 1000, "it was traced");
    secrets.check("the log", &log);
    let mut kept = Vec::new();
    files(&path.join("data"), &mut kept);
    assert!(kept.len() > 1000, "there are files");
    // What is kept of a password checks a proof, and makes none: it is not looked for here.
    let made = Secrets(
        secrets
            .0
            .into_iter()
            .filter(|(what, _)| !what.starts_with("a kept"))
            .collect(),
    );
    made.check("the data directory", &kept);
    let show = ["config", "show", "--security-token-key-file", &token_key];
    for args in [&show[..], &["config", "show", "--json"]] {
        let output = millstream()
            .args(args)
            .env("AWS_SECRET_ACCESS_KEY", CLOUD)
            .output()
            .expect("it runs");
        assert!(output.status.success());
        made.check("the settings", &output.stdout);
    }
}

/// Every mechanism, right and wrong.
fn logins(address: &str, signer: &Signer, secrets: &mut Secrets) {
    assert_eq!(Wire::connect(address).plain("alice", ALICE), 0);
    assert_eq!(Wire::connect(address).plain("alice", WRONG), 58);
    for (password, expected) in [(ALICE, 0), (WRONG, 58)] {
        let (code, last) = Wire::connect(address).scram("alice", password, false);
        assert_eq!(code, expected);
        let (_, proof) = last.rsplit_once(",p=").expect("a proof");
        secrets.keep("a proof", proof);
    }
    let stranger = Signer::new("k");
    for (signer, expected) in [(signer, 0), (&stranger, 58)] {
        let token = signer.token("alice");
        assert_eq!(Wire::connect(address).bearer(&token), expected);
        let (_, signature) = token.rsplit_once('.').expect("a signature");
        secrets.keep("a token's signature", signature);
    }
}

/// A user and a token are made and used, and settings given that hold passwords.
fn changes(address: &str, secrets: &mut Secrets) {
    let mut admin = Wire::connect(address);
    assert_eq!(admin.scram("admin", ADMIN, false).0, 0);
    make_user(&mut admin, secrets);
    assert_eq!(Wire::connect(address).scram("bob", BOB, false).0, 0);
    make_token(&mut admin, address, secrets);
    give_settings(&mut admin, secrets);
}

fn make_user(admin: &mut Wire, secrets: &mut Secrets) {
    let mechanism = ScramMechanism::Sha512;
    let salted_password = salted(mechanism, BOB, b"salt", 4096);
    let keys = keys_of("bob", mechanism, 4096, b"salt", &salted_password);
    secrets.keep("a salted password", &salted_password);
    secrets.keep("a kept key", keys.stored_key);
    secrets.keep("a kept key", keys.server_key);
    let upsertion = alter_user_scram_credentials::ScramCredentialUpsertion {
        name: Str::from_static("bob"),
        mechanism: 2,
        iterations: 4096,
        salt: b"salt".as_slice().into(),
        salted_password: salted_password.clone().into(),
    };
    let mut alter = AlterUserScramCredentialsRequest {
        upsertions: vec![upsertion.clone()],
        ..Default::default()
    };
    assert_eq!(admin.ask(&alter).expect("an answer").results[0].error_code, 0);
    // The same with a mistake in it.
    alter.upsertions = vec![alter_user_scram_credentials::ScramCredentialUpsertion {
        iterations: 1,
        ..upsertion
    }];
    assert_ne!(admin.ask(&alter).expect("an answer").results[0].error_code, 0);
}

fn make_token(admin: &mut Wire, address: &str, secrets: &mut Secrets) {
    let create = CreateDelegationTokenRequest {
        max_lifetime_ms: -1,
        ..Default::default()
    };
    let token = admin.ask(&create).expect("an answer");
    assert_eq!(token.error_code, 0);
    secrets.keep("a token's secret", &token.hmac);
    assert_eq!(
        Wire::connect(address)
            .scram(&token.token_id, &base64(&token.hmac), true)
            .0,
        0
    );
    assert_eq!(Wire::connect(address).scram(&token.token_id, WRONG, true).0, 58);
    let renew = RenewDelegationTokenRequest {
        hmac: token.hmac.clone(),
        renew_period_ms: 1000,
    };
    assert_eq!(admin.ask(&renew).expect("an answer").error_code, 0);
}

fn give_settings(admin: &mut Wire, secrets: &Secrets) {
    for (resource_type, resource_name) in [(2, "t"), (4, "1")] {
        let config = incremental_alter_configs::AlterableConfig {
            name: Str::from_static("listener.name.x.ssl.keystore.password"),
            value: Some(Str::from_static(SETTING)),
            ..Default::default()
        };
        let alter = IncrementalAlterConfigsRequest {
            resources: vec![incremental_alter_configs::AlterConfigsResource {
                resource_type,
                resource_name: Str::from_static(resource_name),
                configs: vec![config],
            }],
            validate_only: false,
        };
        let answer = admin.ask(&alter).expect("an answer").responses.remove(0);
        assert_ne!(answer.error_code, 0, "it is no setting of ours");
        secrets.check("an answer", format!("{answer:?}").as_bytes());
    }
    let describe = DescribeConfigsRequest {
        resources: vec![describe_configs::DescribeConfigsResource {
            resource_type: 4,
            resource_name: Str::from_static("1"),
            configuration_keys: None,
        }],
        include_synonyms: true,
        include_documentation: true,
    };
    let described = format!("{:?}", admin.ask(&describe).expect("an answer"));
    secrets.check("the broker's settings", described.as_bytes());
}

#[test]
fn a_secret_is_found_however_it_is_spelt() {
    let mut secrets = Secrets::default();
    secrets.keep("a password", ALICE);
    let message = format!("\0alice\0{ALICE}\0");
    for said in [
        message.clone(),
        base64(message.as_bytes()),
        base64url(format!("n={message}").as_bytes()),
        format!("{:?}", message.as_bytes()),
        message.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ] {
        let found = std::panic::catch_unwind(|| secrets.check("a place", said.as_bytes()));
        assert!(found.is_err(), "{said}");
    }
    secrets.check("a place", b"somebody logged in");
}
