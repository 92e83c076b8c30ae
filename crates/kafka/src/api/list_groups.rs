//! ListGroups (16): all groups of this broker.
//!
//! Versions 0-5. v3 flexible; v4 by state (KIP-518); v5 by type (KIP-848); names in any case.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::Coded;
use crate::group::ListRequest;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};
use std::sync::Arc;

pub(crate) struct ListGroups;

impl Api for ListGroups {
    type Request = ListGroupsRequest;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: ListGroupsRequest) -> Begun<ListGroupsResponse> {
        let names = |filter: Vec<Str>| filter.into_iter().map(String::from).collect();
        let ask = ListRequest {
            states: names(request.states_filter),
            types: names(request.types_filter),
        };
        Begun::Done(match kafka.groups.list(ask).await {
            Ok(groups) => {
                let all = kafka.authorize(&call, Operation::Describe, Resource::Cluster);
                let shown = groups.into_iter().filter(|group| {
                    all || kafka.authorize(&call, Operation::Describe, Resource::Group(group.group.as_str()))
                });
                ListGroupsResponse {
                    groups: shown.map(encode).collect(),
                    ..Default::default()
                }
            }
            Err(error) => ListGroupsResponse {
                error_code: error.code().0,
                ..Default::default()
            },
        })
    }
}

fn encode(group: crate::group::ListedGroup) -> ListedGroup {
    let protocol_type = group.protocol_type;
    ListedGroup {
        group_id: Str::from(group.group.as_str()),
        protocol_type: protocol_type.map_or_else(Str::new, |kind| Str::from(kind.as_str())),
        group_state: Str::from_static(group.state.name()),
        group_type: Str::from_static(group.kind.name()),
    }
}
