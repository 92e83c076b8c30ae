//! DeleteAcls (31): deletes the access rules that filters mean (KIP-140), and tells which they were.
//!
//! Versions 1-3. v1 patterns (KIP-290); v2 flexible; v3 user resources (KIP-373). Without an authoriser: SECURITY_DISABLED.

use crate::access::{Operation, Resource};
use crate::api::acl_codes::{acl_filter, any};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::AclBinding;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::delete_acls::{
    DeleteAclsFilter, DeleteAclsFilterResult, DeleteAclsMatchingAcl, DeleteAclsRequest, DeleteAclsResponse,
};
use std::sync::Arc;

pub(crate) struct DeleteAcls;

impl Api for DeleteAcls {
    type Request = DeleteAclsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: DeleteAclsRequest) -> Begun<DeleteAclsResponse> {
        let mut response = DeleteAclsResponse::default();
        for filter in &request.filters {
            let result = match delete(&kafka, &call, filter).await {
                Ok(deleted) => DeleteAclsFilterResult {
                    matching_acls: deleted.into_iter().map(encode).collect(),
                    ..Default::default()
                },
                Err((code, what)) => DeleteAclsFilterResult {
                    error_code: code.0,
                    error_message: Some(Str::from(what)),
                    ..Default::default()
                },
            };
            response.filter_results.push(result);
        }
        Begun::Done(response)
    }
}

async fn delete(
    kafka: &Kafka,
    call: &Call,
    filter: &DeleteAclsFilter,
) -> Result<Vec<AclBinding>, (ErrorCode, String)> {
    kafka
        .need(call, Operation::Alter, Resource::Cluster)
        .map_err(|code| (code, "Cluster authorization failed.".to_owned()))?;
    let filter = acl_filter(
        (filter.resource_type_filter, filter.pattern_type_filter),
        filter.resource_name_filter.as_ref(),
        any(filter.principal_filter.as_ref()),
        any(filter.host_filter.as_ref()),
        (filter.operation, filter.permission_type),
    )?;
    let deleted = kafka.broker.delete_acls(&filter).await;
    deleted.map_err(|error| (error.code(), error.to_string()))
}

fn encode(binding: AclBinding) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl {
        resource_type: binding.resource.code().cast_signed(),
        resource_name: Str::from(binding.name),
        pattern_type: binding.pattern.code().cast_signed(),
        principal: Str::from(binding.principal),
        host: Str::from(binding.host),
        operation: binding.operation.code().cast_signed(),
        permission_type: binding.permission.code().cast_signed(),
        ..Default::default()
    }
}
