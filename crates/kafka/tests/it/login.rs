//! Logins as clients see them: what is answered before one, what a wrong one gets, how one is renewed.

use crate::access::{ON, allow, name};
use crate::harness::{Client, Server};
use crate::mechanisms::{
    authenticate, authenticate_request, base64, bearer, handshake, know_users, unsecured,
};
use millstream_broker::security::sasl::scram::{NameKind, ScramClient, salted};
use millstream_broker::security::{
    Operation, Principal, ResourceType, ScramChange, ScramMechanism, TokenKey,
};
use millstream_broker::testing::World;
use millstream_kafka::{CallError, ConnectionError, LoginRules};
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MECHANISM: ScramMechanism = ScramMechanism::Sha512;

/// A broker that asks for rights, with the users alice (by every mechanism) and bob (PLAIN, and by unsigned tokens), password `wonderland`.
async fn secured() -> Server {
    let mut world = World::new(ON);
    know_users(&mut world);
    let day = Duration::from_secs(86_400);
    world.authenticators.token_key = Some(TokenKey::new("a secret of the test", 7 * day, day));
    let server = Server::over(world, |_| {}).await;
    let change = ScramChange::Upsert {
        iterations: 4096,
        salt: b"salt".to_vec(),
        salted_password: salted(MECHANISM, "wonderland", b"salt", 4096),
    };
    let changed = server.broker.change_scram("alice", MECHANISM, &change).await;
    changed.expect("the credential is acceptable");
    server.topic("t", 1, &[]).await;
    server
}

async fn plain(client: &mut Client, user: &str, password: &str) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, "PLAIN").await.error_code, 0);
    authenticate(client, format!("\0{user}\0{password}")).await
}

/// A whole exchange; the last answer.
async fn scram(client: &mut Client, user: &str, password: &str, kind: NameKind) -> SaslAuthenticateResponse {
    assert_eq!(handshake(client, "SCRAM-SHA-512").await.error_code, 0);
    let exchange = ScramClient::new(MECHANISM, user, password, "nonce");
    let mut exchange = match kind {
        NameKind::User => exchange,
        NameKind::Token => exchange.with_token(),
    };
    let first = authenticate(client, exchange.first()).await;
    assert_eq!(first.error_code, 0);
    let challenge = String::from_utf8(first.auth_bytes.to_vec()).expect("text");
    let last = exchange.last(&challenge).expect("it makes sense");
    let answer = authenticate(client, last).await;
    let said = String::from_utf8(answer.auth_bytes.to_vec()).expect("text");
    assert_eq!(answer.error_code == 0, exchange.trusts(&said));
    answer
}

fn metadata() -> MetadataRequest {
    MetadataRequest {
        topics: None,
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_but_versions_and_the_login_is_answered_before_the_login() {
    let server = secured().await;
    let mut client = server.connect_to_login(LoginRules::default());
    let versions = ApiVersionsRequest {
        client_software_name: name("t"),
        client_software_version: name("1"),
    };
    assert_eq!(client.ask(&versions).await.error_code, 0);
    client.send(12, &metadata()).await;
    assert!(client.receive_frame().await.is_none());
    let ended = client.ended().await;
    assert!(
        matches!(ended, Err(ConnectionError::Call(CallError::NotLoggedIn))),
        "{ended:?}"
    );
}

/// The connection once ended without a word, which clients take for a broker that went away.
#[tokio::test(start_paused = true)]
async fn a_request_between_handshake_and_proof_is_answered_late_and_ends_the_connection() {
    let server = secured().await;
    let connect = || server.connect_to_login(LoginRules::default());
    let begun = tokio::time::Instant::now();
    let mut client = connect();
    handshake(&mut client, "PLAIN").await;
    assert_eq!(
        client.call(0, &ApiVersionsRequest::default()).await.error_code,
        34
    );
    assert!(begun.elapsed() >= Duration::from_millis(100), "it was held back");
    assert!(client.receive_frame().await.is_none());
    let mut client = connect();
    handshake(&mut client, "PLAIN").await;
    let answer = client.call(13, &metadata()).await;
    assert_eq!((answer.error_code, answer.topics.len()), (34, 0));
    assert!(client.receive_frame().await.is_none());
    // Version 12 of the answer has no place for the error.
    let mut client = connect();
    handshake(&mut client, "PLAIN").await;
    client.send(12, &metadata()).await;
    assert!(client.receive_frame().await.is_none());
    assert_eq!(server.kafka.metrics.logins(), (0, 3), "each is a failed login");
}

#[tokio::test(start_paused = true)]
async fn every_mechanism_logs_in_by_the_right_proof() {
    let server = secured().await;
    let read = allow("User:alice", Operation::Read, ResourceType::Topic, "t");
    server.broker.create_acls(&[read]).await.expect("a new rule");
    for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
        let mut client = server.connect_to_login(LoginRules::default());
        let answer = match mechanism {
            "PLAIN" => plain(&mut client, "alice", "wonderland").await,
            _ => scram(&mut client, "alice", "wonderland", NameKind::User).await,
        };
        assert_eq!(
            (answer.error_code, answer.session_lifetime_ms),
            (0, 0),
            "{mechanism}"
        );
        assert_eq!(client.ask(&metadata()).await.topics.len(), 1, "alice may read it");
    }
    let mut client = server.connect_to_login(LoginRules::default());
    assert_eq!(plain(&mut client, "bob", "wonderland").await.error_code, 0);
    assert!(client.ask(&metadata()).await.topics.is_empty(), "bob may not");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_proof_is_answered_late_and_ends_the_connection() {
    let server = secured().await;
    for (user, password) in [("alice", "wrong"), ("nobody", "wonderland"), ("bob", "wonder")] {
        for mechanism in ["PLAIN", "SCRAM-SHA-512"] {
            let mut client = server.connect_to_login(LoginRules::default());
            let begun = tokio::time::Instant::now();
            let answer = match mechanism {
                "PLAIN" => plain(&mut client, user, password).await,
                _ => scram(&mut client, user, password, NameKind::User).await,
            };
            assert_eq!(answer.error_code, 58, "{mechanism} {user}");
            let message = answer.error_message.expect("a reason");
            assert!(
                !message.contains(user) && !message.contains(password),
                "{message}"
            );
            assert!(begun.elapsed() >= Duration::from_millis(100), "it was held back");
            assert!(client.receive_frame().await.is_none(), "and the connection ends");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mechanism_that_is_not_offered_is_refused_with_those_that_are() {
    let server = secured().await;
    let rules = LoginRules {
        mechanisms: vec!["SCRAM-SHA-512".parse().expect("a mechanism")],
        ..LoginRules::default()
    };
    let mut client = server.connect_to_login(rules);
    let answer = handshake(&mut client, "PLAIN").await;
    assert_eq!(
        (answer.error_code, answer.mechanisms),
        (33, vec![name("SCRAM-SHA-512")])
    );
    assert!(client.receive_frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_in_time_is_cut() {
    let server = secured().await;
    let client = server.connect_to_login(LoginRules::default());
    let ended = client.ended().await;
    assert!(matches!(ended, Err(ConnectionError::LoginTimeout)), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_frame_before_the_login_is_refused_by_its_length() {
    let server = secured().await;
    let mut client = server.connect_to_login(LoginRules::default());
    client
        .stream
        .write_i32((512 << 10) + 1)
        .await
        .expect("the connection is open");
    let ended = client.ended().await;
    assert!(matches!(ended, Err(ConnectionError::FrameLength(_))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn the_old_form_of_the_login_travels_bare() {
    let server = secured().await;
    let mut client = server.connect_to_login(LoginRules::default());
    let ask = SaslHandshakeRequest {
        mechanism: name("PLAIN"),
    };
    assert_eq!(client.call(0, &ask).await.error_code, 0);
    let proof = b"\0alice\0wonderland";
    client.stream.write_i32(proof.len() as i32).await.expect("open");
    client.stream.write_all(proof).await.expect("open");
    assert_eq!(client.stream.read_i32().await.expect("an answer"), 0);
    assert_eq!(client.ask(&metadata()).await.error_code, 0);
    // A wrong one has no answer.
    let mut client = server.connect_to_login(LoginRules::default());
    client.call(0, &ask).await;
    client.stream.write_i32(4).await.expect("open");
    client.stream.write_all(b"\0a\0b").await.expect("open");
    assert!(client.receive_frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_ends_is_renewed_by_the_same_user_or_not_at_all() {
    let server = secured().await;
    let rules = || LoginRules {
        reauth_max: Some(Duration::from_secs(60)),
        ..LoginRules::default()
    };
    let mut client = server.connect_to_login(rules());
    assert_eq!(
        plain(&mut client, "alice", "wonderland")
            .await
            .session_lifetime_ms,
        60_000
    );
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(client.ask(&metadata()).await.error_code, 0);
    assert_eq!(plain(&mut client, "alice", "wonderland").await.error_code, 0);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(client.ask(&metadata()).await.error_code, 0, "it was renewed");
    tokio::time::advance(Duration::from_secs(2)).await;
    client.send(12, &metadata()).await;
    assert!(client.receive_frame().await.is_none(), "it has ended");
    let ended = client.ended().await;
    assert!(
        matches!(ended, Err(ConnectionError::Call(CallError::SessionEnded))),
        "{ended:?}"
    );

    let mut client = server.connect_to_login(rules());
    plain(&mut client, "alice", "wonderland").await;
    assert_eq!(
        plain(&mut client, "bob", "wonderland").await.error_code,
        58,
        "another user"
    );
    let mut client = server.connect_to_login(rules());
    plain(&mut client, "alice", "wonderland").await;
    assert_eq!(
        scram(&mut client, "alice", "wonderland", NameKind::User)
            .await
            .error_code,
        58,
        "another mechanism"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_where_none_is_due_is_a_wrong_state() {
    let server = secured().await;
    let mut client = server.connect();
    assert_eq!(handshake(&mut client, "PLAIN").await.error_code, 34);
    assert_eq!(authenticate(&mut client, "x").await.error_code, 34);
    let mut client = server.connect_to_login(LoginRules::default());
    plain(&mut client, "alice", "wonderland").await;
    assert_eq!(
        handshake(&mut client, "PLAIN").await.error_code,
        34,
        "this login never ends"
    );
    assert_eq!(client.ask(&metadata()).await.error_code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_delegation_token_logs_its_owner_in_until_it_ends() {
    let server = secured().await;
    let mut alice = server.connect_as(Principal::user("alice"));
    let create = CreateDelegationTokenRequest {
        owner_principal_type: None,
        owner_principal_name: None,
        renewers: Vec::new(),
        max_lifetime_ms: 60_000,
    };
    let token = alice.ask(&create).await;
    assert_eq!((token.error_code, token.principal_name.as_str()), (0, "alice"));
    let secret = base64(&token.hmac);
    let mut client = server.connect_to_login(LoginRules::default());
    let answer = scram(&mut client, &token.token_id, &secret, NameKind::Token).await;
    assert_eq!((answer.error_code, answer.session_lifetime_ms), (0, 60_000));
    assert_eq!(client.ask(&create).await.error_code, 64, "a token makes no token");
    let mut client = server.connect_to_login(LoginRules::default());
    let answer = scram(&mut client, &token.token_id, &secret, NameKind::User).await;
    assert_eq!(answer.error_code, 58, "a token is no user");
    let mut client = server.connect_to_login(LoginRules::default());
    assert_eq!(
        scram(&mut client, &token.token_id, "wrong", NameKind::Token)
            .await
            .error_code,
        58
    );
    server.world.clock.advance(Duration::from_secs(61));
    let mut client = server.connect_to_login(LoginRules::default());
    assert_eq!(
        scram(&mut client, &token.token_id, &secret, NameKind::Token)
            .await
            .error_code,
        58
    );
    let bob = server.connect_as(Principal::user("bob")).ask(&create).await;
    assert_eq!(bob.error_code, 0);
    let renew = RenewDelegationTokenRequest {
        hmac: bob.hmac,
        renew_period_ms: 1000,
    };
    assert_eq!(alice.ask(&renew).await.error_code, 63, "it is bob's");
    assert_eq!(
        server.connect().ask(&create).await.error_code,
        64,
        "nobody in particular"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_token_key_tokens_are_answered_as_disabled() {
    let server = Server::start().await;
    let mut client = server.connect_as(Principal::user("alice"));
    let answer = client.ask(&DescribeDelegationTokenRequest { owners: None }).await;
    assert_eq!(answer.error_code, 61);
}

#[tokio::test(start_paused = true)]
async fn a_login_is_renewed_at_most_once_a_second() {
    let server = secured().await;
    let rules = LoginRules {
        reauth_max: Some(Duration::from_secs(60)),
        ..LoginRules::default()
    };
    let mut client = server.connect_to_login(rules);
    plain(&mut client, "alice", "wonderland").await;
    assert_eq!(
        plain(&mut client, "alice", "wonderland").await.error_code,
        0,
        "the first renewal"
    );
    assert_eq!(
        handshake(&mut client, "PLAIN").await.error_code,
        34,
        "at once again"
    );
    assert_eq!(
        client.ask(&metadata()).await.error_code,
        0,
        "the login holds all the same"
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(plain(&mut client, "alice", "wonderland").await.error_code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_by_a_token_ends_with_the_token_and_is_renewed_by_another() {
    let server = secured().await;
    let rules = || LoginRules {
        reauth_max: Some(Duration::from_secs(3600)),
        ..LoginRules::default()
    };
    let by = async |client: &mut Client, seconds| {
        assert_eq!(handshake(client, "OAUTHBEARER").await.error_code, 0);
        authenticate(client, bearer(&unsecured("alice", seconds))).await
    };
    let mut client = server.connect_to_login(rules());
    let answer = by(&mut client, 60).await;
    assert_eq!(
        (answer.error_code, answer.session_lifetime_ms),
        (0, 60_000),
        "the shorter of both"
    );
    let pass = async |seconds| {
        server.world.clock.advance(Duration::from_secs(seconds));
        tokio::time::advance(Duration::from_secs(seconds)).await;
    };
    pass(59).await;
    let answer = by(&mut client, 7200).await;
    assert_eq!((answer.error_code, answer.session_lifetime_ms), (0, 3_600_000));
    pass(3599).await;
    assert_eq!(client.ask(&metadata()).await.error_code, 0);
    pass(1).await;
    client.send(12, &metadata()).await;
    assert!(client.receive_frame().await.is_none(), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_heard_is_worth_nothing_on_another_connection() {
    let server = secured().await;
    let mut alice = server.connect_to_login(LoginRules::default());
    assert_eq!(handshake(&mut alice, "SCRAM-SHA-512").await.error_code, 0);
    let mut exchange = ScramClient::new(MECHANISM, "alice", "wonderland", "nonce");
    let first = exchange.first();
    let challenge = authenticate(&mut alice, first.clone()).await;
    let challenge = String::from_utf8(challenge.auth_bytes.to_vec()).expect("text");
    let last = exchange.last(&challenge).expect("it makes sense");
    assert_eq!(authenticate(&mut alice, last.clone()).await.error_code, 0);
    // Both messages again, as they were heard.
    let mut thief = server.connect_to_login(LoginRules::default());
    handshake(&mut thief, "SCRAM-SHA-512").await;
    assert_eq!(
        authenticate(&mut thief, first).await.error_code,
        0,
        "anybody may begin"
    );
    assert_eq!(authenticate(&mut thief, last.clone()).await.error_code, 58);
    assert!(thief.receive_frame().await.is_none());
    // The last one alone.
    let mut thief = server.connect_to_login(LoginRules::default());
    handshake(&mut thief, "SCRAM-SHA-512").await;
    assert_eq!(authenticate(&mut thief, last).await.error_code, 58);
    // A bearer's token is good until it expires, and no longer.
    let heard = bearer(&unsecured("alice", 60));
    for (passed, expected) in [(0, 0), (89, 0), (1, 58)] {
        server.world.clock.advance(Duration::from_secs(passed));
        let mut thief = server.connect_to_login(LoginRules::default());
        handshake(&mut thief, "OAUTHBEARER").await;
        let mut answer = authenticate(&mut thief, heard.clone()).await;
        if !answer.auth_bytes.is_empty() {
            answer = authenticate(&mut thief, "\u{1}").await;
        }
        assert_eq!(answer.error_code, expected, "{passed} s later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proof_without_a_handshake_ends_the_connection() {
    let server = secured().await;
    let mut client = server.connect_to_login(LoginRules::default());
    client.send(2, &authenticate_request("\0alice\0wonderland")).await;
    assert!(client.receive_frame().await.is_none());
    let ended = client.ended().await;
    assert!(
        matches!(ended, Err(ConnectionError::Call(CallError::NotLoggedIn))),
        "{ended:?}"
    );
}

/// Whoever watches the log or the counters for attempts must see those that never come to a proof, too.
#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_off_before_its_login_is_a_failed_login() {
    let server = secured().await;
    let failed = || server.kafka.metrics.logins().1;
    let connect = || server.connect_to_login(LoginRules::default());
    // It takes too long.
    assert!(connect().ended().await.is_err());
    assert_eq!(failed(), 1);
    // A proof, or a request, where a handshake is due.
    let mut client = connect();
    client.send(2, &authenticate_request("\0alice\0wonderland")).await;
    assert!(client.ended().await.is_err());
    let mut client = connect();
    client.send(12, &metadata()).await;
    assert!(client.ended().await.is_err());
    assert_eq!(failed(), 3);
    // Frames that are none, and a handshake without a body.
    for bytes in [
        &i32::MAX.to_be_bytes()[..],
        &[0, 0, 0, 10, 0, 17, 0, 1, 0, 0, 0, 1, 0xff, 0xff],
    ] {
        let mut client = connect();
        client.stream.write_all(bytes).await.expect("it is open");
        assert!(client.ended().await.is_err());
    }
    assert_eq!(failed(), 5);
    // A wrong proof counts once, and who leaves, or is served, does not.
    let mut client = connect();
    assert_eq!(plain(&mut client, "alice", "wrong").await.error_code, 58);
    assert!(client.receive_frame().await.is_none());
    let mut client = connect();
    assert_eq!(plain(&mut client, "alice", "wonderland").await.error_code, 0);
    client
        .stream
        .write_all(&i32::MAX.to_be_bytes())
        .await
        .expect("it is open");
    assert!(client.ended().await.is_err());
    let mut client = connect();
    client.stream.shutdown().await.expect("it is open");
    assert!(client.ended().await.is_ok());
    assert_eq!(failed(), 6);
}
