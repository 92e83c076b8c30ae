//! DescribeClientQuotas (48): limits of users, clients and addresses (KIP-546).
//!
//! Versions 0-1. v1 flexible.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_broker::QuotaKind;
use millstream_broker::quota::change::{OtherParts, PartMatch, QuotaFilter};
use millstream_broker::quota::entity::{Entity, PartKind};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_client_quotas::{
    ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse, EntityData, EntryData,
    ValueData,
};
use std::sync::Arc;

pub(crate) struct DescribeClientQuotas;

/// How a part is asked for (KIP-546).
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const ANY: i8 = 2;

type Refusal = (ErrorCode, String);

impl Api for DescribeClientQuotas {
    type Request = DescribeClientQuotasRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeClientQuotasRequest,
    ) -> Begun<DescribeClientQuotasResponse> {
        if let Err(code) = kafka.need(&call, Operation::DescribeConfigs, Resource::Cluster) {
            return Begun::Done(DescribeClientQuotasResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("Cluster authorization failed.")),
                entries: None,
                ..Default::default()
            });
        }
        let mut response = DescribeClientQuotasResponse {
            error_message: None,
            ..Default::default()
        };
        match filter(&request) {
            Ok(filter) => {
                let described = kafka.broker.describe_quotas(&filter).into_iter();
                response.entries = Some(
                    described
                        .map(|(entity, limits)| entry(&entity, &limits))
                        .collect(),
                );
            }
            Err((code, what)) => {
                response.error_code = code.0;
                response.error_message = Some(Str::from(what));
                response.entries = None;
            }
        }
        Begun::Done(response)
    }
}

fn filter(request: &DescribeClientQuotasRequest) -> Result<QuotaFilter, Refusal> {
    let mut parts: Vec<(PartKind, PartMatch)> = Vec::with_capacity(request.components.len());
    for component in &request.components {
        let kind = kind(component.entity_type.as_str())?;
        if parts.iter().any(|(earlier, _)| *earlier == kind) {
            return Err(invalid(format!("{} is asked for twice", kind.word())));
        }
        parts.push((kind, part_match(component)?));
    }
    let has_address = parts.iter().any(|(kind, _)| *kind == PartKind::Ip);
    if has_address && parts.len() > 1 {
        return Err(invalid("an ip stands alone".to_owned()));
    }
    Ok(QuotaFilter {
        parts,
        only: if request.strict {
            OtherParts::Forbidden
        } else {
            OtherParts::Allowed
        },
    })
}

fn part_match(component: &ComponentData) -> Result<PartMatch, Refusal> {
    match (component.match_type, &component.match_value) {
        (EXACT, Some(name)) => Ok(PartMatch::Exactly(name.to_string())),
        (EXACT, None) => Err(invalid("an exact match needs a name".to_owned())),
        (DEFAULT | ANY, Some(_)) => Err(invalid("only an exact match has a name".to_owned())),
        (DEFAULT, None) => Ok(PartMatch::Default),
        (ANY, None) => Ok(PartMatch::Any),
        (other, _) => Err(invalid(format!("there is no match type {other}"))),
    }
}

/// The kind of a part by its word.
pub(crate) fn kind(word: &str) -> Result<PartKind, Refusal> {
    PartKind::from_word(word).ok_or_else(|| match word {
        "" => invalid("an entity type must not be empty".to_owned()),
        _ => (
            ErrorCode::UNSUPPORTED_VERSION,
            format!("quotas bind user, client-id and ip, not {word}"),
        ),
    })
}

fn invalid(what: String) -> Refusal {
    (ErrorCode::INVALID_REQUEST, what)
}

fn entry(entity: &Entity, limits: &[(QuotaKind, f64)]) -> EntryData {
    let parts = entity.parts().iter().map(|(kind, part)| EntityData {
        entity_type: Str::from_static(kind.word()),
        entity_name: part.name().map(|name| Str::from(name.to_owned())),
    });
    let values = limits.iter().map(|(kind, value)| ValueData {
        key: Str::from_static(kind.key()),
        value: *value,
    });
    EntryData {
        entity: parts.collect(),
        values: values.collect(),
    }
}
