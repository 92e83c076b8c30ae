//! AlterClientQuotas (49): sets and takes away limits of users, clients and addresses (KIP-546). All changes of an entity, or none.
//!
//! Versions 0-1. v1 flexible.

use crate::access::{Operation, Resource};
use crate::api::describe_client_quotas::kind;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::Dry;
use millstream_broker::quota::change::LimitChange;
use millstream_broker::quota::entity::{Entity, Part};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::alter_client_quotas::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, RequestEntityData, RequestEntryData,
    ResponseEntityData, ResponseEntryData,
};
use std::sync::Arc;

pub(crate) struct AlterClientQuotas;

impl Api for AlterClientQuotas {
    type Request = AlterClientQuotasRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AlterClientQuotasRequest,
    ) -> Begun<AlterClientQuotasResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let allowed = kafka
            .need(&call, Operation::AlterConfigs, Resource::Cluster)
            .map_err(|code| (code, "Cluster authorization failed.".to_owned()));
        let mut response = AlterClientQuotasResponse::default();
        for asked in request.entries {
            let outcome = match &allowed {
                Ok(()) => alter(&kafka, &asked, dry).await,
                Err(refused) => Err(refused.clone()),
            };
            let (code, message) = outcome
                .err()
                .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
            let entity = asked.entity.into_iter().map(|part| ResponseEntityData {
                entity_type: part.entity_type,
                entity_name: part.entity_name,
            });
            response.entries.push(ResponseEntryData {
                error_code: code.0,
                error_message: message.map(Str::from),
                entity: entity.collect(),
            });
        }
        Begun::Done(response)
    }
}

async fn alter(kafka: &Kafka, asked: &RequestEntryData, dry: Dry) -> Result<(), (ErrorCode, String)> {
    let parts = asked
        .entity
        .iter()
        .map(
            |RequestEntityData {
                 entity_type,
                 entity_name,
             }| {
                let name = entity_name.as_ref().map(Str::to_string);
                Ok((kind(entity_type.as_str())?, Part::from(name)))
            },
        )
        .collect::<Result<Vec<_>, _>>()?;
    let entity = Entity::new(parts).map_err(|error| (ErrorCode::INVALID_REQUEST, error.to_string()))?;
    let changes: Vec<LimitChange> = asked
        .ops
        .iter()
        .map(|op| (op.key.to_string(), (!op.remove).then_some(op.value)))
        .collect();
    let altered = kafka.broker.alter_quotas(&entity, &changes, dry).await;
    altered.map_err(|error| (error.code(), error.to_string()))
}
