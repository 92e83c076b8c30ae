//! AlterConfigs (33): replaces all settings of a resource at once. Superseded by IncrementalAlterConfigs, still sent by tools.
//!
//! Versions 0-2. v2 flexible.

use crate::api::alterations::{Alteration, Edit, Refusal, alter_all, null_value};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::node::Kafka;
use millstream_broker::Dry;
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
        call: Call,
        request: AlterConfigsRequest,
    ) -> Begun<AlterConfigsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let alterations = request.resources.into_iter().map(|asked| Alteration {
            edit: replacement(&asked),
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
        Begun::Done(AlterConfigsResponse {
            responses: responses.collect(),
            ..Default::default()
        })
    }
}

fn replacement(asked: &AlterConfigsResource) -> Result<Edit, Refusal> {
    if let Some(null) = asked.configs.iter().find(|config| config.value.is_none()) {
        return Err(null_value(null.name.as_str()));
    }
    let values = asked
        .configs
        .iter()
        .map(|c| (c.name.to_string(), c.value.as_ref().map(Str::to_string)));
    Ok(Edit::Replace(values.collect()))
}
