//! Feature levels (KIP-584): what this version can do, what the cluster has agreed on, and when a level may change.
//!
//! Owns: the table of features and the rules of their levels. Never: what a level turns on (whoever serves the feature asks
//! [`level`]), or where levels are kept (the broker's).
//!
//! **Invariant**: a level in force lies within what this version supports; one that nobody chose is the row's own.

use crate::node::Kafka;
use millstream_broker::configs::resolve::ConfigMap;
use millstream_broker::{Broker, Dry, NamedError, NamedKind};
use thiserror::Error;

/// The one name under which levels are kept: they change together or not at all.
const LEVELS: &str = "levels";

/// One feature.
#[derive(Debug)]
pub(crate) struct FeatureRow {
    /// Kafka's name.
    pub name: &'static str,
    /// The lowest level that can be chosen; 0 is "off".
    pub min: i16,
    /// The highest.
    pub max: i16,
    /// In force while nobody has chosen.
    pub initial: i16,
}

/// The feature that stands for the format of the metadata, to which the releases of Kafka give names.
pub(crate) const METADATA_VERSION: &str = "metadata.version";

/// The feature that stands for streams groups (KIP-1071).
pub(crate) const STREAMS_VERSION: &str = "streams.version";

/// Every feature, sorted by name. A row is a promise: whoever serves a feature adds it.
pub(crate) const FEATURES: &[FeatureRow] = &[
    // 1: consumer groups (KIP-848).
    FeatureRow {
        name: "group.version",
        min: 0,
        max: 1,
        initial: 1,
    },
    // From 3.3-IV3 to 4.3-IV0. Our metadata has a format of its own; the level tells tools which Kafka we stand for.
    FeatureRow {
        name: METADATA_VERSION,
        min: 7,
        max: 30,
        initial: 30,
    },
    // Share groups (KIP-932); 2 adds dead letters (KIP-1191).
    FeatureRow {
        name: "share.version",
        min: 0,
        max: 2,
        initial: 2,
    },
    // 1: streams groups (KIP-1071).
    FeatureRow {
        name: STREAMS_VERSION,
        min: 0,
        max: 1,
        initial: 1,
    },
    // 2: an epoch for each transaction, partitions added by the first batch (KIP-890). A lower level only keeps clients from using it.
    FeatureRow {
        name: "transaction.version",
        min: 0,
        max: 2,
        initial: 2,
    },
];

/// How a level may move (KIP-584, KIP-778).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Only up.
    Upgrade,
    /// Also down.
    Downgrade,
}

/// One change of one level.
#[derive(Clone, Debug)]
pub(crate) struct FeatureChange {
    pub name: String,
    pub level: i16,
    pub direction: Option<Direction>,
}

/// Why levels were not changed; none was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum FeatureError {
    #[error("this cluster has no feature {0}")]
    Unknown(String),
    #[error("{name} {level} is not supported: this cluster supports {min} to {max}")]
    Unsupported {
        name: String,
        level: i16,
        min: i16,
        max: i16,
    },
    #[error("{name} is at {present}; going down to {level} must be asked for as a downgrade")]
    NotUpgrade { name: String, present: i16, level: i16 },
    #[error("the kind of change of {0} is not known")]
    UnknownDirection(String),
    #[error("{0} is named twice")]
    Twice(String),
}

fn find(name: &str) -> Option<&'static FeatureRow> {
    FEATURES.iter().find(|row| row.name == name)
}

/// The level in force of a row.
fn level_of(row: &FeatureRow, kept: &ConfigMap) -> i16 {
    let chosen = kept.get(row.name).and_then(|text| text.parse::<i16>().ok());
    // A level of a later version is no level of ours.
    chosen
        .filter(|level| (row.min..=row.max).contains(level))
        .unwrap_or(row.initial)
}

/// The level in force of a feature; 0 of one that there is not.
pub(crate) fn level(broker: &Broker, name: &str) -> i16 {
    find(name).map_or(0, |row| level_of(row, &broker.named(NamedKind::Features, LEVELS)))
}

/// Every row with its level in force, and the epoch of these levels: it rises with each change.
pub(crate) fn finalized(kafka: &Kafka) -> (Vec<(&'static FeatureRow, i16)>, i64) {
    let (kept, revision) = kafka.broker.named_with_revision(NamedKind::Features, LEVELS);
    let levels = FEATURES.iter().map(|row| (row, level_of(row, &kept)));
    (levels.collect(), i64::try_from(revision).unwrap_or(i64::MAX))
}

/// Makes all changes, or none.
pub(crate) async fn change(
    kafka: &Kafka,
    changes: &[FeatureChange],
    dry: Dry,
) -> Result<(), NamedError<FeatureError>> {
    let edit = |kept: &ConfigMap| apply(kept, changes);
    kafka
        .broker
        .edit_named(NamedKind::Features, LEVELS, dry, edit)
        .await
}

/// The levels after the changes.
fn apply(kept: &ConfigMap, changes: &[FeatureChange]) -> Result<ConfigMap, FeatureError> {
    let mut next = kept.clone();
    for (
        at,
        FeatureChange {
            name,
            level,
            direction,
        },
    ) in changes.iter().enumerate()
    {
        if changes[..at].iter().any(|earlier| earlier.name == *name) {
            return Err(FeatureError::Twice(name.clone()));
        }
        let row = find(name).ok_or_else(|| FeatureError::Unknown(name.clone()))?;
        let direction = direction.ok_or_else(|| FeatureError::UnknownDirection(name.clone()))?;
        if !(row.min..=row.max).contains(level) {
            return Err(FeatureError::Unsupported {
                name: name.clone(),
                level: *level,
                min: row.min,
                max: row.max,
            });
        }
        let present = level_of(row, kept);
        if *level < present && direction == Direction::Upgrade {
            return Err(FeatureError::NotUpgrade {
                name: name.clone(),
                present,
                level: *level,
            });
        }
        next.insert(name.clone(), level.to_string());
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata_version() -> &'static FeatureRow {
        find(METADATA_VERSION).expect("it stands in the table")
    }

    fn change_to(level: i16, direction: Direction) -> Vec<FeatureChange> {
        vec![FeatureChange {
            name: METADATA_VERSION.to_owned(),
            level,
            direction: Some(direction),
        }]
    }

    #[test]
    fn rows_are_sorted_and_their_first_level_is_supported() {
        assert!(FEATURES.is_sorted_by(|a, b| a.name < b.name));
        for row in FEATURES {
            assert!(0 <= row.min && row.min <= row.initial && row.initial <= row.max);
        }
    }

    #[test]
    fn a_level_goes_down_only_as_a_downgrade() {
        let none = ConfigMap::new();
        let refused = apply(&none, &change_to(20, Direction::Upgrade));
        assert!(matches!(
            refused,
            Err(FeatureError::NotUpgrade {
                present: 30,
                level: 20,
                ..
            })
        ));
        let lower = apply(&none, &change_to(20, Direction::Downgrade)).expect("a downgrade");
        assert_eq!(level_of(metadata_version(), &lower), 20);
        let back = apply(&lower, &change_to(30, Direction::Upgrade)).expect("an upgrade");
        assert_eq!(level_of(metadata_version(), &back), 30);
    }

    #[test]
    fn what_is_not_supported_changes_nothing() {
        for level in [-1, 0, 6, 31, i16::MAX] {
            let refused = apply(&ConfigMap::new(), &change_to(level, Direction::Downgrade));
            assert!(
                matches!(refused, Err(FeatureError::Unsupported { .. })),
                "{level}"
            );
        }
        let twice = [
            change_to(29, Direction::Downgrade),
            change_to(28, Direction::Downgrade),
        ]
        .concat();
        assert!(matches!(
            apply(&ConfigMap::new(), &twice),
            Err(FeatureError::Twice(_))
        ));
    }

    #[test]
    fn a_level_of_a_later_version_counts_as_none() {
        let kept = ConfigMap::from([(METADATA_VERSION.to_owned(), "99".to_owned())]);
        assert_eq!(level_of(metadata_version(), &kept), 30);
    }
}
