//! The configuration as text: `millstream config show` (what holds, and why) and `millstream config docs` (docs/CONFIG.md).

use super::broker_settings;
use super::layers::{Layers, Source};
use super::table::{GROUPS, ROWS, Row};
use std::fmt::Write as _;

/// The effective settings as a file that gives the same settings; where a value is not the default, its source stands beside it.
#[must_use]
pub fn toml(layers: &Layers) -> String {
    let mut out = String::new();
    for (group, title) in GROUPS {
        let _ = writeln!(out, "# {}\n[{group}]", title.trim());
        for (index, row) in ROWS.iter().enumerate().filter(|(_, row)| row.group == *group) {
            let (text, source) = layers.text(index);
            let note = match source {
                Source::Default => String::new(),
                source => format!("  # {source}"),
            };
            let _ = writeln!(out, "{} = {}{note}", row.key, quoted(text));
        }
        out.push('\n');
    }
    if !layers.broker().is_empty() {
        let _ = writeln!(out, "# Settings with Kafka's names\n[{}]", broker_settings::GROUP);
        for (name, (text, source)) in layers.broker() {
            let _ = writeln!(out, "{} = {}  # {source}", quoted(name), quoted(text));
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The effective settings for scripts.
#[must_use]
pub fn json(layers: &Layers) -> serde_json::Value {
    let of_row = |(index, row): (usize, &Row)| {
        let (text, source) = layers.text(index);
        let value =
            serde_json::json!({ "value": text, "default": row.default, "source": source.to_string() });
        (row.name(), value)
    };
    let of_broker = layers.broker().iter().map(|(name, (text, source))| {
        let value = serde_json::json!({ "value": text, "source": source.to_string() });
        (format!("{}.{name}", broker_settings::GROUP), value)
    });
    ROWS.iter().enumerate().map(of_row).chain(of_broker).collect()
}

/// docs/CONFIG.md.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for (group, title) in GROUPS {
        let _ = writeln!(out, "\n## {}: `[{group}]`\n", title.trim());
        out.push_str("| Setting | Kind | Default | What it does |\n|---|---|---|---|\n");
        for row in ROWS.iter().filter(|row| row.group == *group) {
            let default = match row.default {
                "" => "none".to_owned(),
                text => format!("`{text}`"),
            };
            let _ = writeln!(
                out,
                "| `{}` | {} | {default} | {} |",
                row.name(),
                kind(row),
                row.doc
            );
        }
    }
    out.push_str(&broker_settings::markdown());
    out
}

/// What docs/CONFIG.md opens with.
const INTRODUCTION: &str = "\
# Configuration

<!-- Written by `millstream config docs` from crates/server/src/config/table.rs; a test compares. -->

No setting is needed. Each can be given in three places; the first that gives it wins:

1. a flag of `millstream serve`: `--group-name`, e.g. `--log-flush async` for `log.flush`;
2. an environment variable: `MILLSTREAM_GROUP_NAME`, e.g. `MILLSTREAM_LOG_FLUSH=async`;
3. a TOML file, named by `--config FILE` or `MILLSTREAM_CONFIG`:

```toml
[log]
flush = \"async\"
```

A name that is not in the tables below is an error, so that a slip of the pen is seen. `millstream config show` prints what holds and
where it came from. Sizes are written `64MiB` (powers of two), `64MB` (powers of ten) or in bytes; durations `250ms`, `10s`, `5m`, `12h`,
`7d`.
";

fn kind(row: &Row) -> String {
    match (row.kind, row.range) {
        ("choice", _) => row.example.to_owned(),
        (kind, Some((least, most))) => format!("{kind}, {least} to {most}"),
        (kind, None) => kind.to_owned(),
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
