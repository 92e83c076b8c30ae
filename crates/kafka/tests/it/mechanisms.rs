//! Every way to log in, by the right proof and by a wrong one, message by message.

use crate::access::name;
use crate::harness::{Client, Server};
use bytes::Bytes;
use millstream_broker::security::sasl::oauth::TokenRules;
use millstream_broker::security::sasl::scram::{ScramClient, salted};
use millstream_broker::security::{Principal, ScramChange, ScramMechanism};
use millstream_broker::testing::{START_MS, World};
use millstream_kafka_wire::*;

/// Of every user of the tests.
pub const PASSWORD: &str = "wonderland";

/// Users of PLAIN.
const USERS: &[&str] = &["alice", "bob", "bare", "others", "right"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Plain,
    Scram(ScramMechanism),
    OauthBearer,
    /// A delegation token, by SCRAM.
    Token,
}

pub const ALL: &[How] = &[
    How::Plain,
    How::Scram(ScramMechanism::Sha256),
    How::Scram(ScramMechanism::Sha512),
    How::OauthBearer,
    How::Token,
];

impl How {
    pub fn mechanism(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(ScramMechanism::Sha256) => "SCRAM-SHA-256",
            Self::Scram(ScramMechanism::Sha512) | Self::Token => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Right,
    Wrong,
}

/// Lets the users log in by PLAIN and, with tokens that nobody has signed, by OAUTHBEARER.
pub fn know_users(world: &mut World) {
    let users: Vec<String> = USERS.iter().map(|user| format!("{user}:{PASSWORD}")).collect();
    let users = world.authenticators.plain.replace(&users.join("\n"));
    users.expect("it is well written");
    let mut rules = TokenRules::default();
    rules.allow_unsecured = true;
    world.authenticators.oauth = Some(rules.into());
}

/// Lets `user` log in by SCRAM.
pub async fn know_scram_user(server: &Server, user: &str) {
    for mechanism in ScramMechanism::ALL {
        let change = ScramChange::Upsert {
            iterations: 4096,
            salt: b"salt".to_vec(),
            salted_password: salted(*mechanism, PASSWORD, b"salt", 4096),
        };
        let changed = server.broker.change_scram(user, *mechanism, &change).await;
        changed.expect("the credential is acceptable");
    }
}

pub async fn handshake(client: &mut Client, mechanism: &'static str) -> SaslHandshakeResponse {
    let ask = SaslHandshakeRequest {
        mechanism: name(mechanism),
    };
    client.call(1, &ask).await
}

pub fn authenticate_request(message: impl Into<Bytes>) -> SaslAuthenticateRequest {
    SaslAuthenticateRequest {
        auth_bytes: message.into(),
    }
}

pub async fn authenticate(client: &mut Client, message: impl Into<Bytes>) -> SaslAuthenticateResponse {
    client.ask(&authenticate_request(message)).await
}

/// The whole login; the last answer.
pub async fn log_in(
    client: &mut Client,
    server: &Server,
    how: How,
    user: &str,
    proof: Proof,
) -> SaslAuthenticateResponse {
    let last = before_the_last(client, server, how, user, proof).await;
    authenticate(client, last).await
}

/// Goes through the login up to its last message, which is returned and not sent.
pub async fn before_the_last(
    client: &mut Client,
    server: &Server,
    how: How,
    user: &str,
    proof: Proof,
) -> Bytes {
    assert_eq!(handshake(client, how.mechanism()).await.error_code, 0);
    let password = match proof {
        Proof::Right => PASSWORD,
        Proof::Wrong => "not the password",
    };
    match how {
        How::Plain => format!("\0{user}\0{password}").into(),
        How::OauthBearer => match proof {
            Proof::Right => bearer(&unsecured(user, 600)).into(),
            Proof::Wrong => {
                let told = authenticate(client, bearer("x.y.z")).await;
                assert_eq!((told.error_code, told.auth_bytes.is_empty()), (0, false));
                Bytes::from_static(b"\x01")
            }
        },
        How::Scram(mechanism) => {
            challenged(client, ScramClient::new(mechanism, user, password, "nonce")).await
        }
        How::Token => {
            let (id, secret) = token_of(server, user).await;
            let secret = match proof {
                Proof::Right => secret,
                Proof::Wrong => password.to_owned(),
            };
            let exchange = ScramClient::new(ScramMechanism::Sha512, &id, &secret, "nonce");
            challenged(client, exchange.with_token()).await
        }
    }
}

async fn challenged(client: &mut Client, mut exchange: ScramClient) -> Bytes {
    let challenge = authenticate(client, exchange.first()).await;
    assert_eq!(challenge.error_code, 0);
    let challenge = String::from_utf8(challenge.auth_bytes.to_vec()).expect("text");
    exchange.last(&challenge).expect("it makes sense").into()
}

/// A new delegation token: its id, and its secret as a password.
async fn token_of(server: &Server, user: &str) -> (String, String) {
    let create = CreateDelegationTokenRequest {
        max_lifetime_ms: -1,
        ..Default::default()
    };
    let mut owner = server.connect_as(Principal::user(user));
    let token = owner.ask(&create).await;
    assert_eq!(token.error_code, 0);
    (token.token_id.to_string(), base64(&token.hmac))
}

/// The message of OAUTHBEARER.
pub fn bearer(token: &str) -> String {
    format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}")
}

/// A token that nobody has signed, for some seconds from the world's beginning.
pub fn unsecured(user: &str, seconds: i64) -> String {
    let part = |json: &str| {
        base64(json.as_bytes())
            .replace('+', "-")
            .replace('/', "_")
            .replace('=', "")
    };
    let ends = START_MS / 1000 + seconds;
    let claims = format!("{{\"sub\":\"{user}\",\"exp\":{ends}}}");
    format!("{}.{}.", part("{\"alg\":\"none\"}"), part(&claims))
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) & 63;
            text.push(match at <= chunk.len() {
                true => char::from(ALPHABET[six as usize]),
                false => '=',
            });
        }
    }
    text
}
