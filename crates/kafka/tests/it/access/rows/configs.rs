//! Settings of every kind of resource that has any.

use super::*;
use millstream_kafka_wire::*;

/// Kafka's numbers for topics, brokers, their loggers, subscriptions of client metrics and groups; whose right is asked for.
const RESOURCES: &[(i8, &str, i16)] = &[
    (2, "t", TOPIC),
    (4, "1", CLUSTER),
    (8, "1", CLUSTER),
    (16, "m", CLUSTER),
    (32, "g", GROUP),
];

pub fn rows() -> Vec<Probe> {
    let mut rows = vec![probe(CLUSTER, ListConfigResourcesRequest::default(), |answer| {
        answer.error_code
    })];
    for (resource_type, resource, refused) in RESOURCES {
        let (resource_type, resource_name) = (*resource_type, name(resource));
        let describe = DescribeConfigsRequest {
            resources: vec![describe_configs::DescribeConfigsResource {
                resource_type,
                resource_name: resource_name.clone(),
                configuration_keys: None,
            }],
            ..Default::default()
        };
        let replace = AlterConfigsRequest {
            resources: vec![alter_configs::AlterConfigsResource {
                resource_type,
                resource_name: resource_name.clone(),
                configs: Vec::new(),
            }],
            ..Default::default()
        };
        let alter = IncrementalAlterConfigsRequest {
            resources: vec![incremental_alter_configs::AlterConfigsResource {
                resource_type,
                resource_name,
                configs: Vec::new(),
            }],
            ..Default::default()
        };
        rows.extend([
            probe(*refused, describe, |answer| answer.results[0].error_code),
            probe(*refused, replace, |answer| answer.responses[0].error_code),
            probe(*refused, alter, |answer| answer.responses[0].error_code),
        ]);
    }
    rows
}
