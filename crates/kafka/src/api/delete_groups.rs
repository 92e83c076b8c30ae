//! DeleteGroups (42): forgets groups without members, their offsets included.
//!
//! Versions 0-2. v2 flexible.

use crate::access::{Operation, Resource};
use crate::api::delete_share_group_offsets::forget;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::code_of;
use crate::group::{GroupError, GroupId};
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
                Ok(()) => code_of(&delete(&kafka, &group_id).await),
                Err(code) => code.0,
            };
            response
                .results
                .push(DeletableGroupResult { group_id, error_code });
        }
        Begun::Done(response)
    }
}

/// Deletes a group, and what the queues keep for it if it is a share group. Where the group is gone already, they may have been left
/// over: then deleting them is what was asked for.
async fn delete(kafka: &Kafka, group: &str) -> Result<(), GroupError> {
    let deleted = kafka.groups.delete(GroupId::from(group)).await;
    if !matches!(deleted, Ok(()) | Err(GroupError::GroupIdNotFound)) {
        return deleted;
    }
    match forget(kafka, group, None).await {
        Ok(0) => deleted,
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!(group, %error, "what queues keep for a deleted group is left over");
            Err(GroupError::CoordinatorNotAvailable)
        }
    }
}
