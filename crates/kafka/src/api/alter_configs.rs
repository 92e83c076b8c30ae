//! AlterConfigs (33): replaces all settings of a topic or broker at once. Superseded by IncrementalAlterConfigs, still sent by tools.
//!
//! Versions 0-2. v2 flexible.

use crate::api::describe_configs::{check_broker_name, check_group_name, resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{BrokerScope, Dry};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use std::sync::Arc;

pub(crate) struct AlterConfigs;

impl Api for AlterConfigs {
    type Request = AlterConfigsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        _call: Call,
        request: AlterConfigsRequest,
    ) -> Begun<AlterConfigsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let mut response = AlterConfigsResponse::default();
        let twice = repeated(request.resources.iter().map(resource_key));
        for asked in request.resources {
            let outcome = match twice.contains(&resource_key(&asked)) {
                true => Err(named_twice()),
                false => replace(&kafka, &asked, dry).await,
            };
            let (code, message) = outcome
                .err()
                .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
            response.responses.push(AlterConfigsResourceResponse {
                error_code: code.0,
                error_message: message.map(Str::from),
                resource_type: asked.resource_type,
                resource_name: asked.resource_name,
            });
        }
        Begun::Done(response)
    }
}

fn resource_key(resource: &AlterConfigsResource) -> (i8, Str) {
    (resource.resource_type, resource.resource_name.clone())
}

async fn replace(kafka: &Kafka, asked: &AlterConfigsResource, dry: Dry) -> Result<(), (ErrorCode, String)> {
    let name = asked.resource_name.as_str();
    if let Some(null) = asked.configs.iter().find(|config| config.value.is_none()) {
        let what = format!("Null value not supported for : {}", null.name);
        return Err((ErrorCode::INVALID_REQUEST, what));
    }
    let values: Vec<(String, Option<String>)> = asked
        .configs
        .iter()
        .map(|c| (c.name.to_string(), c.value.as_ref().map(Str::to_string)))
        .collect();
    match asked.resource_type {
        resource::TOPIC => {
            let replaced = kafka.broker.replace_topic_configs(name, &values, dry).await;
            replaced.map_err(|error| (error.code(), error.to_string()))
        }
        resource::BROKER => {
            let scope = broker_scope(kafka, name)?;
            let replaced = kafka.broker.replace_broker_configs(scope, &values, dry).await;
            replaced.map_err(|error| (error.code(), error.to_string()))
        }
        resource::GROUP => {
            check_group_name(name)?;
            let replaced = kafka.broker.replace_group_configs(name, &values, dry).await;
            replaced.map_err(|error| (error.code(), error.to_string()))
        }
        other => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Unknown resource type {other}"),
        )),
    }
}

/// The refusal of a resource that a request names more than once.
pub(crate) fn named_twice() -> (ErrorCode, String) {
    let what = "Each resource must appear at most once.";
    (ErrorCode::INVALID_REQUEST, what.to_owned())
}

/// The empty name means all brokers.
pub(crate) fn broker_scope(kafka: &Kafka, name: &str) -> Result<BrokerScope, (ErrorCode, String)> {
    if name.is_empty() {
        return Ok(BrokerScope::Default);
    }
    check_broker_name(kafka, name)?;
    Ok(BrokerScope::This)
}
