//! Where a value comes from: the topic, the broker, the cluster default, the start-up settings, the table's default; in that order.

use super::row::ConfigRow;
use super::{BROKER_ROWS, GROUP_ROWS, TOPIC_ROWS};
use std::collections::BTreeMap;

/// Names and values as text, as the catalog and the start-up settings hold them.
pub type ConfigMap = BTreeMap<String, String>;

/// Origin of a value, with the numbers of DescribeConfigs (KIP-226).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on the topic.
    DynamicTopic,
    /// Set on this broker.
    DynamicBroker,
    /// Set for all brokers.
    DynamicDefaultBroker,
    /// Given at start.
    StaticBroker,
    /// Set on the group.
    DynamicGroup,
    /// Set on a subscription of client metrics.
    DynamicClientMetrics,
    /// Nobody set it.
    Default,
}

/// One value that a setting might have, and where it stands: what Kafka calls a synonym.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The name under which it is set (another one, for a broker's value of a topic setting).
    pub name: &'static str,
    /// The value; `None` is Kafka's null.
    pub value: Option<String>,
    /// Its origin.
    pub source: ConfigSource,
}

/// One setting as DescribeConfigs shows it.
#[derive(Clone, Debug)]
pub struct ConfigEntry {
    /// The row.
    pub row: &'static ConfigRow,
    /// The value in force.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// All candidates, the one in force first.
    pub synonyms: Vec<Synonym>,
}

/// The broker's layers, weakest last.
#[derive(Clone, Copy)]
pub struct BrokerLayers<'a> {
    /// Changed for this broker while running.
    pub dynamic: &'a ConfigMap,
    /// Changed for all brokers while running.
    pub dynamic_default: &'a ConfigMap,
    /// Given at start.
    pub fixed: &'a ConfigMap,
}

impl BrokerLayers<'_> {
    fn candidates(&self, name: &'static str, into: &mut Vec<Synonym>) {
        let layers = [
            (self.dynamic, ConfigSource::DynamicBroker),
            (self.dynamic_default, ConfigSource::DynamicDefaultBroker),
            (self.fixed, ConfigSource::StaticBroker),
        ];
        for (map, source) in layers {
            if let Some(value) = map.get(name) {
                into.push(Synonym {
                    name,
                    value: Some(value.clone()),
                    source,
                });
            }
        }
    }

    /// Every broker setting.
    #[must_use]
    pub fn describe(&self) -> Vec<ConfigEntry> {
        BROKER_ROWS
            .iter()
            .map(|row| {
                let mut synonyms = Vec::new();
                self.candidates(row.name, &mut synonyms);
                entry(row, row.name, synonyms)
            })
            .collect()
    }

    /// Whether a broker setting is true.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }

    /// The value of one broker setting, as text.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let set = [self.dynamic, self.dynamic_default, self.fixed]
            .into_iter()
            .find_map(|map| map.get(name));
        set.map(String::as_str)
            .or_else(|| super::broker_row(name).and_then(|row| row.default))
    }
}

/// Every setting of a topic.
#[must_use]
pub fn describe_topic(topic: &ConfigMap, broker: BrokerLayers<'_>) -> Vec<ConfigEntry> {
    TOPIC_ROWS
        .iter()
        .map(|row| describe_topic_row(row, topic, broker))
        .collect()
}

/// Every setting of a group.
#[must_use]
pub fn describe_group(group: &ConfigMap, broker: BrokerLayers<'_>) -> Vec<ConfigEntry> {
    let describe = |row: &'static ConfigRow| {
        let mut synonyms = Vec::new();
        if let Some(value) = group.get(row.name) {
            synonyms.push(Synonym {
                name: row.name,
                value: Some(value.clone()),
                source: ConfigSource::DynamicGroup,
            });
        }
        if let Some(synonym) = row.synonym {
            broker.candidates(synonym, &mut synonyms);
        }
        entry(row, row.synonym.unwrap_or(row.name), synonyms)
    };
    GROUP_ROWS.iter().map(describe).collect()
}

fn describe_topic_row(row: &'static ConfigRow, topic: &ConfigMap, broker: BrokerLayers<'_>) -> ConfigEntry {
    let mut synonyms = Vec::new();
    if let Some(value) = topic.get(row.name) {
        synonyms.push(Synonym {
            name: row.name,
            value: Some(value.clone()),
            source: ConfigSource::DynamicTopic,
        });
    }
    if let Some(synonym) = row.synonym {
        broker.candidates(synonym, &mut synonyms);
        if row.name == "retention.ms" {
            coarser_retention(broker, &mut synonyms);
        }
    }
    entry(row, row.synonym.unwrap_or(row.name), synonyms)
}

/// Kafka's coarser spellings of log.retention.ms, only from the start-up settings.
fn coarser_retention(broker: BrokerLayers<'_>, into: &mut Vec<Synonym>) {
    for (name, unit_ms) in [
        ("log.retention.minutes", 60_000_i64),
        ("log.retention.hours", 3_600_000),
    ] {
        let Some(value) = broker
            .fixed
            .get(name)
            .and_then(|text| text.trim().parse::<i64>().ok())
        else {
            continue;
        };
        let ms = if value < 0 {
            -1
        } else {
            value.saturating_mul(unit_ms)
        };
        into.push(Synonym {
            name,
            value: Some(ms.to_string()),
            source: ConfigSource::StaticBroker,
        });
    }
}

fn entry(row: &'static ConfigRow, default_name: &'static str, mut synonyms: Vec<Synonym>) -> ConfigEntry {
    if row.default.is_some() {
        let value = row.default.map(str::to_owned);
        synonyms.push(Synonym {
            name: default_name,
            value,
            source: ConfigSource::Default,
        });
    }
    let (value, source) = synonyms.first().map_or((None, ConfigSource::Default), |first| {
        (first.value.clone(), first.source)
    });
    ConfigEntry {
        row,
        value,
        source,
        synonyms,
    }
}
