//! Changes of settings: AlterConfigs (replace all) and IncrementalAlterConfigs (set, delete, append, subtract; KIP-339),
//! validated as a whole before anything is kept.

use super::resolve::ConfigMap;
use super::row::{ConfigKind, ConfigRow, Effect, InvalidValue, Mutability};
use thiserror::Error;

/// One change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Sets the value.
    Set(String),
    /// Goes back to the default.
    Delete,
    /// Adds items to a list.
    Append(String),
    /// Takes items from a list.
    Subtract(String),
}

/// Why a change is refused; nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AlterError {
    /// The value is not allowed.
    #[error("{0}")]
    Invalid(InvalidValue),
    /// No such setting.
    #[error("Unknown {kind} config name: {name}")]
    Unknown {
        /// topic or broker.
        kind: &'static str,
        /// The name given.
        name: String,
    },
    /// Cannot change while the broker runs.
    #[error("Cannot update these configs dynamically: {0}")]
    Static(String),
    /// Append or subtract on a setting that is no list.
    #[error("Config value append/subtract is not allowed for config key: {0}")]
    NotAList(String),
    /// More than one resource may have.
    #[error("{0}")]
    TooLarge(String),
    /// The same name twice.
    #[error("Error due to duplicate config keys: {0}")]
    Duplicate(String),
}

/// Which table applies.
#[derive(Clone, Copy)]
pub struct ConfigTable {
    /// topic or broker, for messages.
    pub kind: &'static str,
    /// Finds a row.
    pub row: fn(&str) -> Option<&'static ConfigRow>,
}

/// Settings of topics.
pub const TOPIC_TABLE: ConfigTable = ConfigTable {
    kind: "topic",
    row: super::topic_row,
};
/// Settings of single groups.
pub const GROUP_TABLE: ConfigTable = ConfigTable {
    kind: "group",
    row: super::group_row,
};
/// Settings of brokers.
pub const BROKER_TABLE: ConfigTable = ConfigTable {
    kind: "broker",
    row: super::broker_row,
};

impl ConfigTable {
    fn find(self, name: &str) -> Result<&'static ConfigRow, AlterError> {
        (self.row)(name).ok_or_else(|| AlterError::Unknown {
            kind: self.kind,
            name: name.to_owned(),
        })
    }

    /// Checks a whole map as given to CreateTopics or AlterConfigs; returns what is to be kept.
    pub fn check_all(self, values: &[(String, Option<String>)]) -> Result<ConfigMap, AlterError> {
        let mut kept = ConfigMap::new();
        for (name, value) in values {
            let row = self.find(name)?;
            let value = value
                .as_ref()
                .ok_or_else(|| invalid(name, "null", "Null value not supported"))?;
            row.validate(value).map_err(AlterError::Invalid)?;
            if kept.insert(name.clone(), value.trim().to_owned()).is_some() {
                return Err(AlterError::Duplicate(name.clone()));
            }
        }
        Ok(kept)
    }

    /// As `check_all`, for values that are to hold from a start on: what is set under another name is refused, so that nobody
    /// sees a value that does not hold.
    pub fn check_start(self, values: &[(String, Option<String>)]) -> Result<ConfigMap, AlterError> {
        for (name, value) in values {
            if let Effect::SetAs(ours) = self.find(name)?.effect {
                let reason = format!("it is set as {ours}");
                return Err(invalid(name, value.as_deref().unwrap_or("null"), &reason));
            }
        }
        self.check_all(values)
    }

    /// As `check_all`, for values that replace others while the broker runs: what is fixed at start is refused.
    pub fn check_replacement(self, values: &[(String, Option<String>)]) -> Result<ConfigMap, AlterError> {
        for (name, _) in values {
            if self.find(name)?.mutability == Mutability::Static {
                return Err(AlterError::Static(name.clone()));
            }
        }
        self.check_all(values)
    }

    /// Applies changes to the map as it stands; `in_force` gives a list setting's present value for append and subtract.
    pub fn apply(
        self,
        present: &ConfigMap,
        changes: &[(String, ConfigChange)],
        in_force: impl Fn(&str) -> Option<String>,
    ) -> Result<ConfigMap, AlterError> {
        let mut next = present.clone();
        for (at, (name, change)) in changes.iter().enumerate() {
            if changes[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(AlterError::Duplicate(name.clone()));
            }
            let row = self.find(name)?;
            if row.mutability == Mutability::Static {
                return Err(AlterError::Static(name.clone()));
            }
            let value = match change {
                ConfigChange::Delete => {
                    next.remove(name);
                    continue;
                }
                ConfigChange::Set(value) => value.trim().to_owned(),
                ConfigChange::Append(items) => edit_list(row, in_force(name), items, true)?,
                ConfigChange::Subtract(items) => edit_list(row, in_force(name), items, false)?,
            };
            row.validate(&value).map_err(AlterError::Invalid)?;
            next.insert(name.clone(), value);
        }
        Ok(next)
    }
}

fn edit_list(row: &ConfigRow, present: Option<String>, items: &str, add: bool) -> Result<String, AlterError> {
    if row.kind != ConfigKind::List {
        return Err(AlterError::NotAList(row.name.to_owned()));
    }
    let present = present.unwrap_or_default();
    let mut list: Vec<&str> = split(&present).collect();
    if add {
        for item in split(items) {
            if !list.contains(&item) {
                list.push(item);
            }
        }
    } else {
        list.retain(|kept| !split(items).any(|item| item == *kept));
    }
    Ok(list.join(","))
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn invalid(name: &str, value: &str, reason: &str) -> AlterError {
    AlterError::Invalid(InvalidValue {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    })
}
