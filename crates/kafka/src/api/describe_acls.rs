//! DescribeAcls (29): the access rules that a filter means (KIP-140).
//!
//! Versions 1-3. v1 patterns (KIP-290); v2 flexible; v3 user resources (KIP-373). Without an authoriser: SECURITY_DISABLED.

use crate::access::{Operation, Resource};
use crate::api::acl_codes::{acl_filter, any};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::security::AclBinding;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_acls::{
    AclDescription, DescribeAclsRequest, DescribeAclsResource, DescribeAclsResponse,
};
use std::sync::Arc;

pub(crate) struct DescribeAcls;

impl Api for DescribeAcls {
    type Request = DescribeAclsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeAclsRequest,
    ) -> Begun<DescribeAclsResponse> {
        Begun::Done(match list(&kafka, &call, &request) {
            Ok(bindings) => DescribeAclsResponse {
                resources: encode(&bindings),
                ..Default::default()
            },
            Err((code, what)) => DescribeAclsResponse {
                error_code: code.0,
                error_message: Some(Str::from(what)),
                ..Default::default()
            },
        })
    }
}

fn list(
    kafka: &Kafka,
    call: &Call,
    request: &DescribeAclsRequest,
) -> Result<Vec<AclBinding>, (ErrorCode, String)> {
    kafka
        .need(call, Operation::Describe, Resource::Cluster)
        .map_err(|code| (code, "Cluster authorization failed.".to_owned()))?;
    let filter = acl_filter(
        (request.resource_type_filter, request.pattern_type_filter),
        request.resource_name_filter.as_ref(),
        any(request.principal_filter.as_ref()),
        any(request.host_filter.as_ref()),
        (request.operation, request.permission_type),
    )?;
    let listed = kafka.broker.list_acls(&filter);
    listed.map_err(|error| (error.code(), error.to_string()))
}

/// Rules of one resource stand together: they are in the order of their resources.
fn encode(bindings: &[AclBinding]) -> Vec<DescribeAclsResource> {
    let same =
        |a: &AclBinding, b: &AclBinding| (a.resource, a.pattern, &a.name) == (b.resource, b.pattern, &b.name);
    let mut resources = Vec::new();
    for together in bindings.chunk_by(same) {
        let first = &together[0];
        let acls = together.iter().map(|binding| AclDescription {
            principal: Str::from(binding.principal.clone()),
            host: Str::from(binding.host.clone()),
            operation: binding.operation.code().cast_signed(),
            permission_type: binding.permission.code().cast_signed(),
        });
        resources.push(DescribeAclsResource {
            resource_type: first.resource.code().cast_signed(),
            resource_name: Str::from(first.name.clone()),
            pattern_type: first.pattern.code().cast_signed(),
            acls: acls.collect(),
        });
    }
    resources
}
