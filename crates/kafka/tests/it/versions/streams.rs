//! Streams groups, at every version.

use super::{Covered, name};
use crate::harness::Client;
use crate::streams_groups::Application;
use millstream_kafka_wire::*;

pub(super) async fn all(covered: &mut Covered, client: &mut Client) {
    let application = Application {
        source: "t",
        changelog: "t-log",
    };
    covered
        .each(
            client,
            |_| application.join("application", "m"),
            |version, response| {
                assert_eq!(
                    (response.error_code, response.member_id.as_str()),
                    (0, "m"),
                    "v{version}"
                );
                assert_eq!(
                    response.active_tasks,
                    Some(Vec::new()),
                    "more members are waited for"
                );
            },
        )
        .await;
    covered
        .each(
            client,
            |_| StreamsGroupDescribeRequest {
                group_ids: vec![name("application")],
                include_authorized_operations: true,
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(
                    (group.error_code, group.group_state.as_str()),
                    (0, "Assigning"),
                    "v{version}"
                );
                assert_eq!(group.members.len(), 1);
            },
        )
        .await;
    let left = client.ask(&application.leave("application", "m")).await;
    assert_eq!((left.error_code, left.member_epoch), (0, -1));
}
