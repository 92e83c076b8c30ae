//! Quotas described and changed: filters over entities, and changes that are checked as a whole.
//!
//! Owns: which limits an entity may have and which values. Never: how either is asked for on the wire.

use super::entity::{Entity, EntityError, Part, PartKind};
use super::table::QuotaKind;
use crate::Broker;
use crate::configs::resolve::ConfigMap;
use crate::named::NamedError;
use crate::topics::Dry;
use millstream_meta::catalog::NamedKind;
use thiserror::Error;

/// What a part of an entity must be to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartMatch {
    /// This name.
    Exactly(String),
    /// The default.
    Default,
    /// Any name, or the default.
    Any,
}

impl PartMatch {
    fn fits(&self, part: &Part) -> bool {
        match self {
            Self::Exactly(name) => part.name() == Some(name),
            Self::Default => *part == Part::Default,
            Self::Any => true,
        }
    }
}

/// Which entities are to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaFilter {
    /// Every one of these parts must be there and fit.
    pub parts: Vec<(PartKind, PartMatch)>,
    /// And no other part.
    pub only: OtherParts,
}

/// Whether an entity may have parts that a filter does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherParts {
    /// It may.
    #[default]
    Allowed,
    /// It may not (Kafka: strict).
    Forbidden,
}

impl QuotaFilter {
    fn fits(&self, entity: &Entity) -> bool {
        let all = self
            .parts
            .iter()
            .all(|(kind, wanted)| entity.part(*kind).is_some_and(|part| wanted.fits(part)));
        all && (self.only == OtherParts::Allowed || entity.parts().len() == self.parts.len())
    }
}

/// One change of one limit: a value, or none to take it away.
pub type LimitChange = (String, Option<f64>);

/// Why a limit is not taken.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum QuotaError {
    /// Not an entity.
    #[error(transparent)]
    Entity(#[from] EntityError),
    /// No such limit, or not of this entity.
    #[error("{key} is no limit of {of}")]
    UnknownKey {
        /// The name given.
        key: String,
        /// Of what.
        of: &'static str,
    },
    /// The same limit twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// Nobody can be limited to that.
    #[error("{key} must be greater than 0, and {value} is not")]
    NotPositive {
        /// The limit.
        key: &'static str,
        /// The value.
        value: f64,
    },
    /// Whole units only, or too many of them.
    #[error("{key} is a whole number of at most {max}, and {value} is not")]
    NotWhole {
        /// The limit.
        key: &'static str,
        /// The value.
        value: f64,
        /// The largest.
        max: u64,
    },
}

fn check(kind: QuotaKind, value: f64) -> Result<(), QuotaError> {
    let key = kind.key();
    // Not a number is not greater either.
    if value.is_nan() || value <= 0.0 {
        return Err(QuotaError::NotPositive { key, value });
    }
    let whole_max = match kind {
        QuotaKind::Produce | QuotaKind::Fetch => i64::MAX as u64,
        QuotaKind::Connection => i32::MAX as u64,
        QuotaKind::Request | QuotaKind::Mutation if value.is_finite() => return Ok(()),
        QuotaKind::Request | QuotaKind::Mutation => u64::MAX,
    };
    if value.fract() != 0.0 || value > whole_max as f64 {
        return Err(QuotaError::NotWhole {
            key,
            value,
            max: whole_max,
        });
    }
    Ok(())
}

/// The limits after the changes.
fn apply(entity: &Entity, kept: &ConfigMap, changes: &[LimitChange]) -> Result<ConfigMap, QuotaError> {
    let of_address = entity.part(PartKind::Ip).is_some();
    let mut next = kept.clone();
    for (at, (key, value)) in changes.iter().enumerate() {
        if changes[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(QuotaError::Twice(key.clone()));
        }
        let kind = QuotaKind::from_key(key)
            .filter(|kind| kind.is_of_addresses() == of_address)
            .ok_or_else(|| QuotaError::UnknownKey {
                key: key.clone(),
                of: if of_address {
                    "an address"
                } else {
                    "users and clients"
                },
            })?;
        match value {
            Some(value) => {
                check(kind, *value)?;
                next.insert(key.clone(), value.to_string());
            }
            None => {
                next.remove(key);
            }
        }
    }
    Ok(next)
}

impl Broker {
    /// Entities that fit, in the order of their names, each with its limits.
    #[must_use]
    pub fn describe_quotas(&self, filter: &QuotaFilter) -> Vec<(Entity, Vec<(QuotaKind, f64)>)> {
        let all = self.named_all(NamedKind::Quota).into_iter();
        let fitting = all.filter_map(|(name, values)| {
            let entity = Entity::from_name(&name).filter(|entity| filter.fits(entity))?;
            let limit = |kind: QuotaKind| Some((kind, values.get(kind.key())?.parse().ok()?));
            let limits = QuotaKind::ALL.into_iter().filter_map(limit);
            Some((entity, limits.collect()))
        });
        fitting.collect()
    }

    /// Changes the limits of one entity: all changes, or none.
    ///
    /// # Errors
    /// What is wrong with a change; what the catalog says.
    pub async fn alter_quotas(
        &self,
        entity: &Entity,
        changes: &[LimitChange],
        dry: Dry,
    ) -> Result<(), NamedError<QuotaError>> {
        let edit = |kept: &ConfigMap| apply(entity, kept, changes);
        let altered = self.edit_named(NamedKind::Quota, &entity.name(), dry, edit).await;
        // Also after an error: an attempt without an answer may have been done.
        self.refresh_quotas();
        altered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(name: &str) -> Entity {
        Entity::from_name(name).expect("an entity")
    }

    fn change(key: &str, value: Option<f64>) -> Vec<LimitChange> {
        vec![(key.to_owned(), value)]
    }

    #[test]
    fn a_limit_is_set_changed_and_taken_away() {
        let user = entity("user=u");
        let set = apply(
            &user,
            &ConfigMap::new(),
            &change("request_percentage", Some(12.5)),
        )
        .expect("fits");
        assert_eq!(set.get("request_percentage"), Some(&"12.5".to_owned()));
        let gone = apply(&user, &set, &change("request_percentage", None)).expect("fits");
        assert!(gone.is_empty());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        let (user, ip) = (entity("user=u"), entity("ip"));
        let none = ConfigMap::new();
        let refused =
            |of: &Entity, key: &str, value: f64| apply(of, &none, &change(key, Some(value))).is_err();
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.5, 1e19] {
            assert!(refused(&user, "producer_byte_rate", value), "{value}");
        }
        assert!(refused(&user, "request_percentage", f64::INFINITY));
        assert!(
            refused(&user, "connection_creation_rate", 1.0),
            "only of addresses"
        );
        assert!(refused(&ip, "producer_byte_rate", 1.0), "not of addresses");
        assert!(refused(&ip, "connection_creation_rate", 3e9));
        assert!(refused(&user, "nonsense", 1.0));
        let twice = [
            change("producer_byte_rate", Some(1.0)),
            change("producer_byte_rate", None),
        ]
        .concat();
        assert!(apply(&user, &none, &twice).is_err());
    }

    #[test]
    fn filters_ask_for_parts_and_may_forbid_others() {
        let filter = |parts: &[(PartKind, PartMatch)], only| QuotaFilter {
            parts: parts.to_vec(),
            only,
        };
        let any_user = (PartKind::User, PartMatch::Any);
        let fits = |filter: &QuotaFilter, name: &str| filter.fits(&entity(name));
        let users = filter(std::slice::from_ref(&any_user), OtherParts::Allowed);
        assert!(fits(&users, "user=u") && fits(&users, "user") && fits(&users, "user=u,client-id=c"));
        assert!(!fits(&users, "client-id=c") && !fits(&users, "ip"));
        let only_users = filter(&[any_user], OtherParts::Forbidden);
        assert!(fits(&only_users, "user") && !fits(&only_users, "user=u,client-id=c"));
        let default_user = filter(&[(PartKind::User, PartMatch::Default)], OtherParts::Allowed);
        assert!(fits(&default_user, "user,client-id=c") && !fits(&default_user, "user=u"));
        let exactly = filter(
            &[(PartKind::User, PartMatch::Exactly("u".into()))],
            OtherParts::Allowed,
        );
        assert!(fits(&exactly, "user=u") && !fits(&exactly, "user=v") && !fits(&exactly, "user"));
        assert!(fits(&filter(&[], OtherParts::Allowed), "ip"), "everything");
        assert!(!fits(&filter(&[], OtherParts::Forbidden), "ip"));
    }
}
