//! The matrix: every API that is served, by who has not logged in, has given a wrong proof, has not the right, has every other right,
//! and has the right. What comes is what Kafka answers, in the place where Kafka answers it.

use super::probe::{Probe, REFUSALS, Stage, all_rights, implies};
use super::{allow, rows};
use crate::harness::{Client, Server};
use crate::mechanisms::{self, How, PASSWORD, Proof};
use millstream_broker::security::{CLUSTER_NAME, ResourceType};
use millstream_kafka::{CallError, ConnectionError, LoginRules, Right, supported_apis};
use millstream_kafka_wire::ApiKey;
use std::collections::BTreeSet;

/// What is answered before the login, and with which code.
const BEFORE_THE_LOGIN: &[(ApiKey, i16)] = &[(ApiKey::ApiVersions, 0), (ApiKey::SaslHandshake, 0)];

/// Kafka's SASL_AUTHENTICATION_FAILED.
const FAILED: i16 = 58;

#[tokio::test(start_paused = true)]
async fn every_api_that_is_served_has_its_rows() {
    let rows: BTreeSet<i16> = rows::all(&Stage::new().await)
        .iter()
        .map(|probe| probe.key.code())
        .collect();
    let missing = supported_apis()
        .into_iter()
        .filter(|api| !rows.contains(&api.key));
    let missing: Vec<&str> = missing.map(|api| api.name).collect();
    assert_eq!(missing, [""; 0], "each needs a row in tests/it/access/rows");
}

#[tokio::test(start_paused = true)]
async fn without_a_login_only_versions_and_the_login_itself_are_answered() {
    let stage = Stage::new().await;
    for probe in rows::all(&stage) {
        let _ = stage.server.broker.take_asked();
        let mut client = stage.server.connect_to_login(LoginRules::default());
        let answered = BEFORE_THE_LOGIN.iter().find(|(key, _)| *key == probe.key);
        if let Some((_, code)) = answered {
            assert_eq!(probe.ask(&mut client).await, *code, "{}", probe.key.name());
        } else {
            probe.send(&mut client).await;
            ends_unanswered(client, &probe).await;
        }
        asked_nothing(&stage.server, &probe);
        // Between the handshake and the proof: nothing but the proof.
        if probe.key != ApiKey::SaslAuthenticate && probe.key != ApiKey::SaslHandshake {
            let mut client = stage.server.connect_to_login(LoginRules::default());
            assert_eq!(mechanisms::handshake(&mut client, "PLAIN").await.error_code, 0);
            let (as_expected, ended) = probe.disturb(client).await;
            assert!(as_expected, "{}: {ended:?}", probe.key.name());
            asked_nothing(&stage.server, &probe);
        }
    }
}

async fn ends_unanswered(mut client: Client, probe: &Probe) {
    assert!(client.receive_frame().await.is_none(), "{}", probe.key.name());
    let ended = client.ended().await;
    let expected = matches!(ended, Err(ConnectionError::Call(CallError::NotLoggedIn)));
    assert!(expected, "{}: {ended:?}", probe.key.name());
}

fn asked_nothing(server: &Server, probe: &Probe) {
    let asked = server.broker.take_asked();
    assert!(asked.is_empty(), "{} asked for {asked:?}", probe.key.name());
}

#[tokio::test(start_paused = true)]
async fn after_a_wrong_proof_no_api_is_answered() {
    let stage = Stage::new().await;
    mechanisms::know_scram_user(&stage.server, "alice").await;
    for how in mechanisms::ALL {
        for probe in rows::all(&stage) {
            let mut client = stage.server.connect_to_login(LoginRules::default());
            let last =
                mechanisms::before_the_last(&mut client, &stage.server, *how, "alice", Proof::Wrong).await;
            let _ = stage.server.broker.take_asked();
            // The request travels right behind the proof, before the answer is known.
            let newest = *ApiKey::SaslAuthenticate.stable_versions().end();
            client.send(newest, &mechanisms::authenticate_request(last)).await;
            probe.send(&mut client).await;
            let (_, answer) = client
                .receive::<millstream_kafka_wire::SaslAuthenticateResponse>(newest)
                .await;
            let message = answer.error_message.expect("a reason");
            assert_eq!(answer.error_code, FAILED, "{how:?}: {message}");
            assert!(
                !message.contains("alice") && !message.contains(PASSWORD),
                "{message}"
            );
            assert!(
                client.receive_frame().await.is_none(),
                "{how:?} {}",
                probe.key.name()
            );
            asked_nothing(&stage.server, &probe);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_without_the_right_is_refused_and_one_with_it_is_not() {
    let mut wrong = Vec::new();
    for at in 0..rows::all(&Stage::new().await).len() {
        // A broker for each row: requests of who has the right take effect.
        let stage = Stage::new().await;
        let probe = rows::all(&stage).swap_remove(at);
        let server = &stage.server;
        grant_to_all(server, &probe).await;
        for user in ["bare", "others", "right"] {
            let found = answer_to(server, user, &probe).await;
            let good = match user {
                "right" if !probe.rights().is_empty() => !REFUSALS.contains(&found),
                _ => found == probe.refused,
            };
            if !good {
                let (api, expected, given) = (probe.key.name(), probe.refused, probe.given);
                wrong.push(format!(
                    "{api} by {user} beside {given:?}: {found}, not {expected}"
                ));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// What each user of the matrix may: nothing but what the row gives to everybody; all but what the row asks for; just that.
async fn grant_to_all(server: &Server, probe: &Probe) {
    let given = probe.given;
    let needed: Vec<Right> = probe
        .rights()
        .iter()
        .copied()
        .filter(|right| !given.contains(right))
        .collect();
    let others = all_rights()
        .filter(|right| given.contains(right) || !needed.iter().any(|needed| implies(*right, *needed)));
    grant(server, "bare", given.iter().copied()).await;
    grant(server, "others", others).await;
    grant(server, "right", probe.rights().iter().copied()).await;
}

async fn grant(server: &Server, user: &str, rights: impl Iterator<Item = Right>) {
    let principal = format!("User:{user}");
    let rules: Vec<_> = rights
        .map(|(operation, kind)| allow(&principal, operation, kind, every(kind)))
        .collect();
    server.broker.create_acls(&rules).await.expect("new rules");
}

/// How a rule names every resource of a kind.
fn every(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Cluster => CLUSTER_NAME,
        _ => "*",
    }
}

/// The code that somebody who has logged in gets; the API asks for rights of its row and for no others.
async fn answer_to(server: &Server, user: &str, probe: &Probe) -> i16 {
    let mut client = server.connect_to_login(LoginRules::default());
    let answer = mechanisms::log_in(&mut client, server, How::Plain, user, Proof::Right).await;
    assert_eq!(answer.error_code, 0, "{user}");
    let _ = server.broker.take_asked();
    let code = probe.ask(&mut client).await;
    let asked = server.broker.take_asked();
    for right in &asked {
        let name = probe.key.name();
        assert!(
            probe.rights().contains(right),
            "{name} asked for {right:?}, which is not in its row"
        );
    }
    assert_eq!(
        asked.is_empty(),
        probe.rights().is_empty(),
        "{}",
        probe.key.name()
    );
    code
}
