//! DeleteGroups (42): forgets groups without members, their offsets included.
//!
//! Versions 0-2. v2 flexible.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::code_of;
use crate::group::GroupId;
use crate::node::Kafka;
use millstream_kafka_wire::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};
use std::sync::Arc;

pub(crate) struct DeleteGroups;

impl Api for DeleteGroups {
    type Request = DeleteGroupsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DeleteGroupsRequest,
    ) -> Begun<DeleteGroupsResponse> {
        let mut response = DeleteGroupsResponse::default();
        for group_id in request.groups_names {
            let allowed = kafka.need(&call, Operation::Delete, Resource::Group(group_id.as_str()));
            let error_code = match allowed {
                Ok(()) => code_of(&kafka.groups.delete(GroupId::from(group_id.as_str())).await),
                Err(code) => code.0,
            };
            response
                .results
                .push(DeletableGroupResult { group_id, error_code });
        }
        Begun::Done(response)
    }
}
