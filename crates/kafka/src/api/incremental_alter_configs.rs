//! IncrementalAlterConfigs (44): sets, deletes, appends to and subtracts from settings (KIP-339). All changes of a resource, or none.
//!
//! Versions 0-1. v1 flexible.

use crate::api::alterations::{Alteration, Edit, Refusal, alter_all, null_value};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_broker::Dry;
use millstream_broker::configs::alter::ConfigChange;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::incremental_alter_configs::{
    AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use std::sync::Arc;

pub(crate) struct IncrementalAlterConfigs;

impl Api for IncrementalAlterConfigs {
    type Request = IncrementalAlterConfigsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: IncrementalAlterConfigsRequest,
    ) -> Begun<IncrementalAlterConfigsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let alterations = request.resources.into_iter().map(|asked| Alteration {
            edit: asked
                .configs
                .iter()
                .map(change)
                .collect::<Result<Vec<_>, _>>()
                .map(Edit::Change),
            resource_type: asked.resource_type,
            name: asked.resource_name,
        });
        let altered = alter_all(&kafka, &call, alterations.collect(), dry).await;
        let responses = altered.into_iter().map(|one| AlterConfigsResourceResponse {
            error_code: one.code.0,
            error_message: one.message,
            resource_type: one.resource_type,
            resource_name: one.name,
        });
        Begun::Done(IncrementalAlterConfigsResponse {
            responses: responses.collect(),
            ..Default::default()
        })
    }
}

fn change(config: &AlterableConfig) -> Result<(String, ConfigChange), Refusal> {
    let name = config.name.to_string();
    let value = || {
        let value = config.value.as_ref().map(Str::to_string);
        value.ok_or_else(|| null_value(&name))
    };
    let change = match config.config_operation {
        0 => ConfigChange::Set(value()?),
        1 => ConfigChange::Delete,
        2 => ConfigChange::Append(value()?),
        3 => ConfigChange::Subtract(value()?),
        other => {
            let what = format!("Unknown operation {other} for {name}");
            return Err((ErrorCode::INVALID_REQUEST, what));
        }
    };
    Ok((name, change))
}
