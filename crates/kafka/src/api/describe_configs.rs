//! DescribeConfigs (32): settings of topics, brokers, groups and subscriptions of client metrics, with their origins.
//!
//! Versions 1-4. v1 sources and synonyms (KIP-226); v3 types and documentation (KIP-569); v4 flexible.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::telemetry::subscription;
use millstream_broker::NamedKind;
use millstream_broker::configs::resolve::{ConfigEntry, ConfigSource, Synonym};
use millstream_broker::configs::row::{ConfigKind, Effect, Mutability};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use std::sync::Arc;

pub(crate) struct DescribeConfigs;

/// Resource types (Kafka: ConfigResource.Type).
pub(crate) mod resource {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const BROKER_LOGGER: i8 = 8;
    pub const CLIENT_METRICS: i8 = 16;
    pub const GROUP: i8 = 32;
}

impl Api for DescribeConfigs {
    type Request = DescribeConfigsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeConfigsRequest,
    ) -> Begun<DescribeConfigsResponse> {
        let (synonyms, documentation) = (request.include_synonyms, request.include_documentation);
        let results = request.resources.into_iter().map(|asked| {
            let (kind, name) = (asked.resource_type, asked.resource_name.as_str());
            let allowed = need_configs(&kafka, &call, Operation::DescribeConfigs, kind, name);
            let found = allowed.and_then(|()| entries(&kafka, &asked));
            encode(asked, found, synonyms, documentation)
        });
        Begun::Done(DescribeConfigsResponse {
            results: results.collect(),
            ..Default::default()
        })
    }
}

/// The right to settings of a resource: its own for topics and groups, the cluster's for everything else.
pub(crate) fn need_configs(
    kafka: &Kafka,
    call: &Call,
    operation: Operation,
    kind: i8,
    name: &str,
) -> Result<(), (ErrorCode, String)> {
    let resource = match kind {
        resource::TOPIC => Resource::Topic(name),
        resource::GROUP => Resource::Group(name),
        _ => Resource::Cluster,
    };
    let allowed = kafka.need(call, operation, resource);
    allowed.map_err(|code| (code, "Authorization failed.".to_owned()))
}

fn entries(kafka: &Kafka, asked: &DescribeConfigsResource) -> Result<Vec<ConfigEntry>, (ErrorCode, String)> {
    let name = asked.resource_name.as_str();
    match asked.resource_type {
        resource::TOPIC => {
            if let Err(error) = kafka.broker.check_topic_name(name) {
                return Err((error.code(), error.to_string()));
            }
            let unknown = || {
                let what = format!("Topic {name} does not exist");
                (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, what)
            };
            let topic = kafka.broker.topic(name).ok_or_else(unknown)?;
            Ok(kafka.broker.describe_topic_configs(&topic))
        }
        resource::BROKER if name.is_empty() => Ok(kafka.broker.describe_default_configs()),
        resource::BROKER => {
            check_broker_name(kafka, name)?;
            Ok(kafka.broker.describe_broker_configs())
        }
        resource::GROUP => {
            check_group_name(name)?;
            Ok(kafka.broker.describe_group_configs(name))
        }
        resource::CLIENT_METRICS if name.is_empty() => Err((
            ErrorCode::INVALID_REQUEST,
            "a subscription of client metrics has a name".to_owned(),
        )),
        resource::CLIENT_METRICS => {
            let values = kafka.broker.named(NamedKind::ClientMetrics, name);
            Ok(subscription::describe(&values))
        }
        other => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Unsupported resource type: {other}"),
        )),
    }
}

/// A group with settings needs a name, and no more: it may come later.
pub(crate) fn check_group_name(name: &str) -> Result<(), (ErrorCode, String)> {
    if name.is_empty() {
        return Err((
            ErrorCode::INVALID_REQUEST,
            "Group name must not be empty".to_owned(),
        ));
    }
    Ok(())
}

/// The name of a broker resource is its id; only this broker's is answered here.
pub(crate) fn check_broker_name(kafka: &Kafka, name: &str) -> Result<(), (ErrorCode, String)> {
    let expected = kafka.node_id();
    match name.parse::<i32>() {
        Ok(id) if id == expected => Ok(()),
        Ok(id) => {
            let what =
                format!("Unexpected broker id, expected {expected} or empty string, but received {id}");
            Err((ErrorCode::INVALID_REQUEST, what))
        }
        Err(_) => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Broker id must be an integer, but it is: {name}"),
        )),
    }
}

fn encode(
    asked: DescribeConfigsResource,
    found: Result<Vec<ConfigEntry>, (ErrorCode, String)>,
    synonyms: bool,
    documentation: bool,
) -> DescribeConfigsResult {
    let mut result = DescribeConfigsResult {
        resource_type: asked.resource_type,
        resource_name: asked.resource_name,
        error_message: None,
        ..Default::default()
    };
    let wanted = asked.configuration_keys.filter(|keys| !keys.is_empty());
    match found {
        Ok(entries) => {
            let entries = entries.into_iter().filter(|entry| match &wanted {
                Some(keys) => keys.iter().any(|key| key.as_str() == entry.row.name),
                None => true,
            });
            result.configs = entries
                .map(|entry| encode_entry(entry, synonyms, documentation))
                .collect();
        }
        Err((code, message)) => {
            result.error_code = code.0;
            result.error_message = Some(Str::from(message));
        }
    }
    result
}

fn encode_entry(entry: ConfigEntry, synonyms: bool, documentation: bool) -> DescribeConfigsResourceResult {
    let secret = entry.row.kind == ConfigKind::Password;
    let show = |value: Option<String>| if secret { None } else { value.map(Str::from) };
    let told = entry.synonyms.into_iter().filter(|_| synonyms);
    DescribeConfigsResourceResult {
        name: Str::from_static(entry.row.name),
        value: show(entry.value),
        read_only: entry.row.mutability == Mutability::Static,
        config_source: source_code(entry.source),
        is_sensitive: secret,
        synonyms: told
            .map(|Synonym { name, value, source }| DescribeConfigsSynonym {
                name: Str::from_static(name),
                value: show(value),
                source: source_code(source),
            })
            .collect(),
        config_type: kind_code(entry.row.kind),
        documentation: documentation.then(|| match entry.row.effect {
            Effect::Works => Str::from_static(entry.row.doc),
            Effect::SetAs(ours) => Str::from(format!("{} Set at start as {ours}.", entry.row.doc)),
            Effect::NoMeaning(why) => Str::from(format!("{} Has no effect here: {why}.", entry.row.doc)),
        }),
    }
}

/// Numbers of KIP-226 and, for groups, KIP-848.
pub(crate) fn source_code(source: ConfigSource) -> i8 {
    match source {
        ConfigSource::DynamicTopic => 1,
        ConfigSource::DynamicBroker => 2,
        ConfigSource::DynamicDefaultBroker => 3,
        ConfigSource::StaticBroker => 4,
        ConfigSource::Default => 5,
        ConfigSource::DynamicGroup => 8,
        ConfigSource::DynamicClientMetrics => 7,
    }
}

/// Numbers of KIP-569.
fn kind_code(kind: ConfigKind) -> i8 {
    match kind {
        ConfigKind::Boolean => 1,
        ConfigKind::String => 2,
        ConfigKind::Int => 3,
        ConfigKind::Short => 4,
        ConfigKind::Long => 5,
        ConfigKind::Double => 6,
        ConfigKind::List => 7,
        ConfigKind::Password => 9,
    }
}
