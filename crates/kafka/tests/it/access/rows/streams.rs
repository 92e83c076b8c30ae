//! Streams groups.

use super::*;
use millstream_kafka_wire::*;

const DESCRIBE_TOPIC: Right = (Operation::Describe, ResourceType::Topic);

pub fn rows() -> Vec<Probe> {
    let beat = || {
        let application = crate::streams_groups::Application {
            source: "t",
            changelog: "t-changelog",
        };
        application.join("st", "m")
    };
    let describe = StreamsGroupDescribeRequest {
        group_ids: vec![name("st")],
        include_authorized_operations: false,
    };
    vec![
        probe(GROUP, beat(), |answer| answer.error_code),
        probe(TOPIC, beat(), |answer| answer.error_code).given(&[READ_GROUP]),
        // The member is in; what is missing for its topics is told as the application's trouble.
        probe(TOPIC, beat(), |answer| {
            let mut statuses = answer.status.iter().flatten();
            match statuses.any(|status| status.status_detail.contains("Unauthorized to CREATE")) {
                true => TOPIC,
                false => answer.error_code,
            }
        })
        .given(&[READ_GROUP, DESCRIBE_TOPIC]),
        probe(GROUP, describe, |answer| answer.groups[0].error_code),
    ]
}
