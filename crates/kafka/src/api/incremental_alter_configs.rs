//! IncrementalAlterConfigs (44): sets, deletes, appends to and subtracts from settings (KIP-339). All changes of a resource, or none.
//!
//! Versions 0-1. v1 flexible.

use crate::api::alter_configs::{broker_scope, named_twice};
use crate::api::describe_configs::{check_group_name, resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::Dry;
use millstream_broker::configs::alter::ConfigChange;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use std::sync::Arc;

pub(crate) struct IncrementalAlterConfigs;

impl Api for IncrementalAlterConfigs {
    type Request = IncrementalAlterConfigsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        _call: Call,
        request: IncrementalAlterConfigsRequest,
    ) -> Begun<IncrementalAlterConfigsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let mut response = IncrementalAlterConfigsResponse::default();
        let twice = repeated(request.resources.iter().map(resource_key));
        for asked in request.resources {
            let outcome = match twice.contains(&resource_key(&asked)) {
                true => Err(named_twice()),
                false => alter(&kafka, &asked, dry).await,
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

async fn alter(kafka: &Kafka, asked: &AlterConfigsResource, dry: Dry) -> Result<(), (ErrorCode, String)> {
    let name = asked.resource_name.as_str();
    let changes = asked.configs.iter().map(change).collect::<Result<Vec<_>, _>>()?;
    match asked.resource_type {
        resource::TOPIC => {
            let altered = kafka.broker.alter_topic_configs(name, &changes, dry).await;
            altered.map_err(|error| (error.code(), error.to_string()))
        }
        resource::BROKER => {
            let scope = broker_scope(kafka, name)?;
            let altered = kafka.broker.alter_broker_configs(scope, &changes, dry).await;
            altered.map_err(|error| (error.code(), error.to_string()))
        }
        resource::GROUP => {
            check_group_name(name)?;
            let altered = kafka.broker.alter_group_configs(name, &changes, dry).await;
            altered.map_err(|error| (error.code(), error.to_string()))
        }
        other => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Unknown resource type {other}"),
        )),
    }
}

fn change(config: &AlterableConfig) -> Result<(String, ConfigChange), (ErrorCode, String)> {
    let name = config.name.to_string();
    let value = || {
        let value = config.value.as_ref().map(Str::to_string);
        value.ok_or_else(|| {
            (
                ErrorCode::INVALID_REQUEST,
                format!("Null value not supported for : {name}"),
            )
        })
    };
    let change = match config.config_operation {
        0 => ConfigChange::Set(value()?),
        1 => ConfigChange::Delete,
        2 => ConfigChange::Append(value()?),
        3 => ConfigChange::Subtract(value()?),
        other => {
            return Err((
                ErrorCode::INVALID_REQUEST,
                format!("Unknown operation {other} for {name}"),
            ));
        }
    };
    Ok((name, change))
}
