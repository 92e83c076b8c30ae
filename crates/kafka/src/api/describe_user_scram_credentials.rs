//! DescribeUserScramCredentials (50): which users can log in by SCRAM, and how (KIP-554). Never the keys.
//!
//! Version 0.

use crate::access::{Operation, Resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_broker::security::ScramListing;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_user_scram_credentials::{
    CredentialInfo, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
    DescribeUserScramCredentialsResult,
};
use std::sync::Arc;

pub(crate) struct DescribeUserScramCredentials;

impl Api for DescribeUserScramCredentials {
    type Request = DescribeUserScramCredentialsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeUserScramCredentialsRequest,
    ) -> Begun<DescribeUserScramCredentialsResponse> {
        if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Cluster) {
            return Begun::Done(DescribeUserScramCredentialsResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("Cluster authorization failed.")),
                ..Default::default()
            });
        }
        let all = kafka.broker.scram_users();
        let asked = request.users.filter(|users| !users.is_empty());
        let results = match asked {
            None => {
                let users = all.iter();
                users
                    .map(|(user, listing)| found(Str::from(user.clone()), listing))
                    .collect()
            }
            Some(users) => {
                let twice = repeated(users.iter().map(|user| user.name.clone()));
                let mut results: Vec<_> = twice.iter().map(|name| named_twice(name.clone())).collect();
                results.sort_by(|a, b| a.user.cmp(&b.user));
                let once = users.into_iter().filter(|user| !twice.contains(&user.name));
                results.extend(once.map(|user| match all.get(user.name.as_str()) {
                    Some(listing) => found(user.name, listing),
                    None => refused(
                        user.name,
                        ErrorCode::RESOURCE_NOT_FOUND,
                        "Attempt to describe a user credential that does not exist",
                    ),
                }));
                results
            }
        };
        Begun::Done(DescribeUserScramCredentialsResponse {
            results,
            ..Default::default()
        })
    }
}

fn found(user: Str, listing: &ScramListing) -> DescribeUserScramCredentialsResult {
    let infos = listing.iter().map(|(mechanism, iterations)| CredentialInfo {
        mechanism: mechanism.code().cast_signed(),
        iterations: i32::try_from(*iterations).unwrap_or(i32::MAX),
    });
    DescribeUserScramCredentialsResult {
        user,
        credential_infos: infos.collect(),
        ..Default::default()
    }
}

fn named_twice(user: Str) -> DescribeUserScramCredentialsResult {
    let what = "Cannot describe SCRAM credentials for the same user twice in a single request";
    refused(user, ErrorCode::DUPLICATE_RESOURCE, what)
}

fn refused(user: Str, code: ErrorCode, what: &'static str) -> DescribeUserScramCredentialsResult {
    DescribeUserScramCredentialsResult {
        user,
        error_code: code.0,
        error_message: Some(Str::from_static(what)),
        ..Default::default()
    }
}
