//! Access rules, SCRAM users, delegation tokens and logins, at every version.

use super::{Covered, name};
use crate::harness::{Client, Server};
use bytes::Bytes;
use millstream_broker::security::{Principal, TokenKey};
use millstream_broker::testing::World;
use millstream_kafka::LoginRules;
use millstream_kafka_wire::*;
use std::sync::Mutex;
use std::time::Duration;

pub(super) async fn all(covered: &mut Covered) {
    let mut world = World::new(&[("authorizer.class.name", "x"), ("super.users", "User:admin")]);
    let day = Duration::from_secs(86_400);
    world.authenticators.token_key = Some(TokenKey::new("a secret of the test", 7 * day, day));
    world
        .authenticators
        .plain
        .replace("admin:secret")
        .expect("it is well written");
    let server = Server::over(world, |_| {}).await;
    let mut client = server.connect_as(Principal::user("admin"));
    acls(covered, &mut client).await;
    scram(covered, &mut client).await;
    tokens(covered, &mut client).await;
    logins(covered, &server).await;
}

async fn acls(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |_| CreateAclsRequest {
                creations: vec![create_acls::AclCreation {
                    resource_type: 2,
                    resource_name: name("t"),
                    resource_pattern_type: 3,
                    principal: name("User:a"),
                    host: name("*"),
                    operation: 3,
                    permission_type: 3,
                }],
            },
            |_, response| assert_eq!(response.results[0].error_code, 0),
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeAclsRequest {
                resource_type_filter: 1,
                resource_name_filter: None,
                pattern_type_filter: 1,
                principal_filter: None,
                host_filter: None,
                operation: 1,
                permission_type: 1,
            },
            |_, response| {
                assert_eq!((response.error_code, response.resources.len()), (0, 1));
                assert_eq!(response.resources[0].acls[0].principal, "User:a");
            },
        )
        .await;
    let deleted = Mutex::new(0);
    covered
        .each(
            client,
            |_| DeleteAclsRequest {
                filters: vec![delete_acls::DeleteAclsFilter {
                    resource_type_filter: 2,
                    resource_name_filter: Some(name("t")),
                    pattern_type_filter: 3,
                    principal_filter: None,
                    host_filter: None,
                    operation: 1,
                    permission_type: 1,
                }],
            },
            |_, response| {
                assert_eq!(response.filter_results[0].error_code, 0);
                *deleted.lock().expect("no panic holds it") += response.filter_results[0].matching_acls.len();
            },
        )
        .await;
    assert_eq!(*deleted.lock().expect("no panic holds it"), 1, "once");
}

async fn scram(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |_| AlterUserScramCredentialsRequest {
                deletions: Vec::new(),
                upsertions: vec![alter_user_scram_credentials::ScramCredentialUpsertion {
                    name: name("alice"),
                    mechanism: 1,
                    iterations: 4096,
                    salt: Bytes::from_static(b"salt"),
                    salted_password: Bytes::from_static(&[7; 32]),
                }],
            },
            |_, response| assert_eq!(response.results[0].error_code, 0),
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeUserScramCredentialsRequest { users: None },
            |_, response| {
                let alice = &response.results[0];
                assert_eq!((response.error_code, alice.user.as_str()), (0, "alice"));
                assert_eq!(alice.credential_infos[0].iterations, 4096);
            },
        )
        .await;
}

async fn tokens(covered: &mut Covered, client: &mut Client) {
    let hmac = Mutex::new(Bytes::new());
    covered
        .each(
            client,
            |_| CreateDelegationTokenRequest {
                max_lifetime_ms: -1,
                ..Default::default()
            },
            |_, response| {
                assert_eq!(
                    (response.error_code, response.principal_name.as_str()),
                    (0, "admin")
                );
                *hmac.lock().expect("no panic holds it") = response.hmac;
            },
        )
        .await;
    let hmac = hmac.into_inner().expect("no panic held it");
    covered
        .each(
            client,
            |_| RenewDelegationTokenRequest {
                hmac: hmac.clone(),
                renew_period_ms: 1000,
            },
            |_, response| assert_eq!(response.error_code, 0),
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeDelegationTokenRequest { owners: None },
            |_, response| assert_eq!((response.error_code, response.tokens.len()), (0, 3)),
        )
        .await;
    covered
        .each(
            client,
            |_| ExpireDelegationTokenRequest {
                hmac: hmac.clone(),
                expiry_time_period_ms: 1000,
            },
            |_, response| assert_eq!(response.error_code, 0),
        )
        .await;
}

/// Each version needs a connection of its own: one logs in once.
async fn logins(covered: &mut Covered, server: &Server) {
    covered.0.insert(ApiKey::SaslHandshake.code());
    covered.0.insert(ApiKey::SaslAuthenticate.code());
    let handshake = SaslHandshakeRequest {
        mechanism: name("PLAIN"),
    };
    for version in ApiKey::SaslHandshake.stable_versions() {
        let mut client = server.connect_to_login(LoginRules::default());
        let answer = client.call(version, &handshake).await;
        assert_eq!((answer.error_code, answer.mechanisms.len()), (0, 4));
    }
    for version in ApiKey::SaslAuthenticate.stable_versions() {
        let mut client = server.connect_to_login(LoginRules::default());
        client.call(1, &handshake).await;
        let proof = SaslAuthenticateRequest {
            auth_bytes: Bytes::from_static(b"\0admin\0secret"),
        };
        assert_eq!(client.call(version, &proof).await.error_code, 0);
    }
}
