//! AlterUserScramCredentials (51): sets and removes what users log in by with SCRAM (KIP-554). All changes of a user, or none.
//!
//! Version 0. Tools send the password salted and hashed; only keys that follow from that are kept.

use crate::access::{Operation, Resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::{ScramChange, ScramMechanism};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::alter_user_scram_credentials::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, AlterUserScramCredentialsResult,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct AlterUserScramCredentials;

/// One change: the mechanism's number, and what is done.
type Change = (i8, ScramChange);

/// Why a user's changes are not made.
type Refusal = (ErrorCode, String);

impl Api for AlterUserScramCredentials {
    type Request = AlterUserScramCredentialsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AlterUserScramCredentialsRequest,
    ) -> Begun<AlterUserScramCredentialsResponse> {
        let allowed = kafka
            .need(&call, Operation::Alter, Resource::Cluster)
            .map_err(|code| (code, "Cluster authorization failed.".to_owned()));
        let mut response = AlterUserScramCredentialsResponse::default();
        for (user, changes) in by_user(request) {
            let outcome = match &allowed {
                Ok(()) => alter(&kafka, user.as_str(), &changes).await,
                Err(refused) => Err(refused.clone()),
            };
            let (code, message) = outcome
                .err()
                .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
            response.results.push(AlterUserScramCredentialsResult {
                user,
                error_code: code.0,
                error_message: message.map(Str::from),
            });
        }
        Begun::Done(response)
    }
}

fn by_user(request: AlterUserScramCredentialsRequest) -> BTreeMap<Str, Vec<Change>> {
    let mut users: BTreeMap<Str, Vec<Change>> = BTreeMap::new();
    for deletion in request.deletions {
        let changes = users.entry(deletion.name).or_default();
        changes.push((deletion.mechanism, ScramChange::Delete));
    }
    for upsertion in request.upsertions {
        let change = ScramChange::Upsert {
            iterations: i64::from(upsertion.iterations),
            salt: upsertion.salt.to_vec(),
            salted_password: upsertion.salted_password.to_vec(),
        };
        let changes = users.entry(upsertion.name).or_default();
        changes.push((upsertion.mechanism, change));
    }
    users
}

async fn alter(kafka: &Kafka, user: &str, changes: &[Change]) -> Result<(), Refusal> {
    if !repeated(changes.iter().map(|(mechanism, _)| *mechanism)).is_empty() {
        let what = "A user credential cannot be altered twice in the same request";
        return Err((ErrorCode::DUPLICATE_RESOURCE, what.to_owned()));
    }
    let mut checked = Vec::with_capacity(changes.len());
    for (code, change) in changes {
        let mechanism = u8::try_from(*code).ok().and_then(ScramMechanism::from_code);
        let mechanism = mechanism.ok_or_else(|| {
            let what = "Unknown SCRAM mechanism".to_owned();
            (ErrorCode::UNSUPPORTED_SASL_MECHANISM, what)
        })?;
        let fine = kafka.broker.check_scram(user, mechanism, change);
        fine.map_err(|error| (error.code(), error.to_string()))?;
        checked.push((mechanism, change));
    }
    for (mechanism, change) in checked {
        let changed = kafka.broker.change_scram(user, mechanism, change).await;
        changed.map_err(|error| (error.code(), error.to_string()))?;
    }
    Ok(())
}
