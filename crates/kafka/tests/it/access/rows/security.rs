//! Access rules, users, delegation tokens, and the login itself.

use super::*;
use crate::mechanisms::{PASSWORD, authenticate_request};
use millstream_kafka_wire::*;

/// Kafka's DELEGATION_TOKEN_OWNER_MISMATCH: a right of the token's owner and renewers, which no rule gives.
const ANOTHERS: i16 = 63;
/// Kafka's ILLEGAL_SASL_STATE: who has logged in need not.
const ILLEGAL_STATE: i16 = 34;

pub fn rows() -> Vec<Probe> {
    let describe = DescribeAclsRequest {
        resource_type_filter: 1,
        pattern_type_filter: 1,
        operation: 1,
        permission_type: 1,
        ..Default::default()
    };
    let create = CreateAclsRequest {
        creations: vec![create_acls::AclCreation::default()],
    };
    let delete = DeleteAclsRequest {
        filters: vec![delete_acls::DeleteAclsFilter::default()],
    };
    let users = DescribeUserScramCredentialsRequest { users: None };
    let alter = AlterUserScramCredentialsRequest {
        deletions: vec![alter_user_scram_credentials::ScramCredentialDeletion {
            name: name("a"),
            mechanism: 1,
        }],
        upsertions: Vec::new(),
    };
    vec![
        probe(CLUSTER, describe, |answer| answer.error_code),
        probe(CLUSTER, create, |answer| answer.results[0].error_code),
        probe(CLUSTER, delete, |answer| answer.filter_results[0].error_code),
        probe(CLUSTER, users, |answer| answer.error_code),
        probe(CLUSTER, alter, |answer| answer.results[0].error_code),
    ]
}

pub fn tokens(stage: &Stage) -> Vec<Probe> {
    let create = CreateDelegationTokenRequest {
        owner_principal_type: Some(name("User")),
        owner_principal_name: Some(name("another")),
        max_lifetime_ms: -1,
        ..Default::default()
    };
    let renew = RenewDelegationTokenRequest {
        hmac: stage.token.clone(),
        renew_period_ms: 1000,
    };
    let expire = ExpireDelegationTokenRequest {
        hmac: stage.token.clone(),
        expiry_time_period_ms: -1,
    };
    let describe = DescribeDelegationTokenRequest { owners: None };
    vec![
        probe(TOKEN, create, |answer| answer.error_code),
        probe(ANOTHERS, renew, |answer| answer.error_code),
        probe(ANOTHERS, expire, |answer| answer.error_code),
        probe(HIDDEN, describe, |answer| {
            unless_hidden(answer.error_code, answer.tokens.is_empty())
        }),
    ]
}

pub fn logins() -> Vec<Probe> {
    let handshake = SaslHandshakeRequest {
        mechanism: name("PLAIN"),
    };
    let proof = authenticate_request(format!("\0alice\0{PASSWORD}"));
    vec![
        probe(ILLEGAL_STATE, handshake, |answer| answer.error_code),
        probe(ILLEGAL_STATE, proof, |answer| answer.error_code),
    ]
}
