//! CreateAcls (30): adds access rules (KIP-140). A rule that there is already stays.
//!
//! Versions 1-3. v1 patterns (KIP-290); v2 flexible; v3 user resources (KIP-373). Without an authoriser: SECURITY_DISABLED.

use crate::access::{Operation, Resource};
use crate::api::acl_codes::one;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::{AclBinding, AclError, PatternType, Permission, ResourceType};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::create_acls::{
    AclCreation, AclCreationResult, CreateAclsRequest, CreateAclsResponse,
};
use std::sync::Arc;

pub(crate) struct CreateAcls;

/// Why a rule is not made.
type Refusal = (ErrorCode, String);

impl Api for CreateAcls {
    type Request = CreateAclsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: CreateAclsRequest) -> Begun<CreateAclsResponse> {
        let allowed = kafka
            .need(&call, Operation::Alter, Resource::Cluster)
            .map_err(|code| (code, "Cluster authorization failed.".to_owned()));
        let checked: Vec<Result<AclBinding, Refusal>> = request
            .creations
            .iter()
            .map(|creation| {
                allowed.clone()?;
                let binding = binding(creation)?;
                kafka.broker.check_acl(&binding).map_err(refusal)?;
                Ok(binding)
            })
            .collect();
        let good: Vec<AclBinding> = checked.iter().flatten().cloned().collect();
        // All that make sense, together: a script's hundred rules cost a few transactions.
        let made = match good.is_empty() {
            true => Ok(()),
            false => kafka.broker.create_acls(&good).await.map_err(refusal),
        };
        let results = checked
            .into_iter()
            .map(|one| encode(one.and_then(|_| made.clone())));
        Begun::Done(CreateAclsResponse {
            results: results.collect(),
            ..Default::default()
        })
    }
}

fn refusal(error: AclError) -> Refusal {
    (error.code(), error.to_string())
}

fn binding(creation: &AclCreation) -> Result<AclBinding, Refusal> {
    Ok(AclBinding {
        resource: one(creation.resource_type, ResourceType::from_code, "resource type")?,
        pattern: one(
            creation.resource_pattern_type,
            PatternType::from_code,
            "pattern type",
        )?,
        name: creation.resource_name.to_string(),
        principal: creation.principal.to_string(),
        host: creation.host.to_string(),
        operation: one(creation.operation, Operation::from_code, "operation")?,
        permission: one(creation.permission_type, Permission::from_code, "permission type")?,
    })
}

fn encode(outcome: Result<(), Refusal>) -> AclCreationResult {
    match outcome {
        Ok(()) => AclCreationResult::default(),
        Err((code, what)) => AclCreationResult {
            error_code: code.0,
            error_message: Some(Str::from(what)),
        },
    }
}
