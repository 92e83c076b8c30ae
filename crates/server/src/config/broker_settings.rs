//! The broker's settings under Kafka's names (`num.partitions`): start values for what Kafka's tools show and change while the broker
//! runs. Their table is the broker's own; here is only how they are written: `[broker]` in the file, `MILLSTREAM_BROKER_...` in the
//! environment, `--set name=value` as flags.

use super::layers::Source;
use millstream_broker::configs::alter::BROKER_TABLE;
use millstream_broker::configs::resolve::ConfigMap;
use millstream_broker::configs::row::Effect;
use millstream_broker::configs::{BROKER_ROWS, broker_row};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Table of the file, and first word of the variables.
pub const GROUP: &str = "broker";

/// What was set, where.
pub type BrokerTexts = BTreeMap<String, (String, Source)>;

/// Whether a value may be set; the error is the broker's own.
pub fn check(name: &str, text: &str) -> Result<(), String> {
    let checked = BROKER_TABLE.check_start(&[(name.to_owned(), Some(text.to_owned()))]);
    checked.map(drop).map_err(|error| error.to_string())
}

/// The environment variable of a setting.
#[must_use]
pub fn variable(name: &str) -> String {
    format!("MILLSTREAM_{GROUP}_{name}")
        .to_uppercase()
        .replace('.', "_")
}

/// Names of all settings.
pub fn names() -> impl Iterator<Item = &'static str> {
    BROKER_ROWS.iter().map(|row| row.name)
}

/// Whether there is a setting of that name.
#[must_use]
pub fn exists(name: &str) -> bool {
    broker_row(name).is_some()
}

/// The values alone.
#[must_use]
pub fn values(texts: &BrokerTexts) -> ConfigMap {
    texts
        .iter()
        .map(|(name, (text, _))| (name.clone(), text.clone()))
        .collect()
}

/// The section of docs/CONFIG.md.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for row in BROKER_ROWS
        .iter()
        .filter(|row| matches!(row.effect, Effect::Works))
    {
        let default = match row.default {
            None | Some("") => "none".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        let _ = writeln!(out, "| `{}` | {default} | {} |", row.name, row.doc);
    }
    out
}

const INTRODUCTION: &str = "
## Settings with Kafka's names: `[broker]`

What Kafka's own tools show and change (`kafka-configs --entity-type brokers`). Start values are given by a flag `--set NAME=VALUE`, a
variable `MILLSTREAM_BROKER_NAME` with `_` for `.`, or in the file; a change made while the broker runs is kept and wins.

```toml
[broker]
num.partitions = 3
```

Settings of Kafka that mean nothing here are accepted, and say so when they are described.

| Setting | Default | What it does |
|---|---|---|
";
