//! Changes of the settings of several resources, as AlterConfigs and IncrementalAlterConfigs ask for them: one loop, one place that
//! knows which kinds of resources have settings.
//!
//! Owns: that a resource named twice is refused, and whose settings a type and a name mean. Never: the rules of a setting (the
//! broker's), a message of either API.

use crate::access::Operation;
use crate::api::describe_configs::{check_broker_name, check_group_name, need_configs, resource};
use crate::api::repeated::repeated;
use crate::dispatch::Call;
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::telemetry::subscription::{CLIENT_METRICS_TABLE, MetricsSubscription};
use millstream_broker::configs::alter::{AlterError, ConfigChange};
use millstream_broker::configs::resolve::ConfigMap;
use millstream_broker::{BrokerScope, Dry, NamedError, NamedKind};
use millstream_kafka_wire::Str;

/// Why a resource was left alone.
pub(crate) type Refusal = (ErrorCode, String);

/// What is to happen to one resource's settings: all of it, or nothing.
pub(crate) enum Edit {
    /// The settings become these.
    Replace(Vec<(String, Option<String>)>),
    /// The settings change by these.
    Change(Vec<(String, ConfigChange)>),
}

/// One resource of a request.
pub(crate) struct Alteration {
    pub resource_type: i8,
    pub name: Str,
    /// What is asked for, or what is wrong with the asking.
    pub edit: Result<Edit, Refusal>,
}

/// What became of it.
pub(crate) struct Altered {
    pub resource_type: i8,
    pub name: Str,
    pub code: ErrorCode,
    pub message: Option<Str>,
}

/// Carries out the alterations one after the other.
pub(crate) async fn alter_all(
    kafka: &Kafka,
    call: &Call,
    alterations: Vec<Alteration>,
    dry: Dry,
) -> Vec<Altered> {
    let key = |one: &Alteration| (one.resource_type, one.name.clone());
    let twice = repeated(alterations.iter().map(key));
    let mut all = Vec::with_capacity(alterations.len());
    for one in alterations {
        let outcome = match one.edit {
            _ if twice.contains(&(one.resource_type, one.name.clone())) => Err(named_twice()),
            edit => alter(kafka, call, one.resource_type, one.name.as_str(), edit, dry).await,
        };
        let (code, message) = outcome
            .err()
            .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
        all.push(Altered {
            resource_type: one.resource_type,
            name: one.name,
            code,
            message: message.map(Str::from),
        });
    }
    all
}

async fn alter(
    kafka: &Kafka,
    call: &Call,
    resource_type: i8,
    name: &str,
    edit: Result<Edit, Refusal>,
    dry: Dry,
) -> Result<(), Refusal> {
    need_configs(kafka, call, Operation::AlterConfigs, resource_type, name)?;
    let edit = &edit?;
    let broker = &kafka.broker;
    match resource_type {
        resource::TOPIC => {
            let altered = match edit {
                Edit::Replace(values) => broker.replace_topic_configs(name, values, dry).await,
                Edit::Change(changes) => broker.alter_topic_configs(name, changes, dry).await,
            };
            altered.map_err(refusal)
        }
        resource::BROKER => {
            let scope = broker_scope(kafka, name)?;
            let altered = match edit {
                Edit::Replace(values) => broker.replace_broker_configs(scope, values, dry).await,
                Edit::Change(changes) => broker.alter_broker_configs(scope, changes, dry).await,
            };
            altered.map_err(refusal)
        }
        resource::GROUP => {
            check_group_name(name)?;
            let altered = match edit {
                Edit::Replace(values) => broker.replace_group_configs(name, values, dry).await,
                Edit::Change(changes) => broker.alter_group_configs(name, changes, dry).await,
            };
            altered.map_err(refusal)
        }
        resource::CLIENT_METRICS => {
            let altered = alter_client_metrics(kafka, name, edit, dry).await;
            altered.map_err(refusal)
        }
        other => Err((
            ErrorCode::INVALID_REQUEST,
            format!("Unknown resource type {other}"),
        )),
    }
}

/// A subscription is kept only if it can be read.
async fn alter_client_metrics(
    kafka: &Kafka,
    name: &str,
    edit: &Edit,
    dry: Dry,
) -> Result<(), NamedError<AlterError>> {
    let change = |present: &ConfigMap| {
        let next = match edit {
            Edit::Replace(values) => CLIENT_METRICS_TABLE.check_replacement(values)?,
            Edit::Change(changes) => {
                CLIENT_METRICS_TABLE.apply(present, changes, |name| present.get(name).cloned())?
            }
        };
        MetricsSubscription::parse(&next)?;
        Ok(next)
    };
    let edited = kafka
        .broker
        .edit_named(NamedKind::ClientMetrics, name, dry, change);
    let altered = edited.await;
    // Also after an error: an attempt without an answer may have been done.
    kafka.telemetry.refresh(&kafka.broker);
    altered
}

fn refusal<E: Coded + ToString>(error: E) -> Refusal {
    (error.code(), error.to_string())
}

/// The refusal of a value that is not there.
pub(crate) fn null_value(name: &str) -> Refusal {
    let what = format!("Null value not supported for : {name}");
    (ErrorCode::INVALID_REQUEST, what)
}

fn named_twice() -> Refusal {
    let what = "Each resource must appear at most once.";
    (ErrorCode::INVALID_REQUEST, what.to_owned())
}

/// The empty name means all brokers.
fn broker_scope(kafka: &Kafka, name: &str) -> Result<BrokerScope, Refusal> {
    if name.is_empty() {
        return Ok(BrokerScope::Default);
    }
    check_broker_name(kafka, name)?;
    Ok(BrokerScope::This)
}
