//! The layers of the configuration: flag over environment over file over default, each text with the place it came from, so that
//! an error names the place to change.

use super::broker_settings::{self, BrokerTexts};
use super::table::{ROWS, Settings};
use super::value::without_credentials;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Bytes of a configuration file beyond which it is certainly not one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Names that are so different from the written one are not suggested.
const SUGGESTION_SIMILARITY_MIN: f64 = 0.7;

/// Where a setting's text came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The table's default.
    Default,
    /// A file, and the line in it.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A flag, without its dashes.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// Why the configuration is refused. Every message names the place and what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        why: String,
    },
    /// The file is not TOML, or a key has a value that no setting has.
    #[error("{path}:{line}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A value is refused.
    #[error("{source_shown}: {name} = \"{text}\": {why}")]
    Value {
        /// Where it was written.
        source_shown: String,
        /// The setting's name.
        name: String,
        /// What was written.
        text: String,
        /// What was expected.
        why: String,
    },
}

/// One text for each row of the table, with its source.
#[derive(Clone, Debug)]
pub struct Layers {
    texts: Vec<(String, Source)>,
    broker: BrokerTexts,
}

impl Default for Layers {
    fn default() -> Self {
        let of_row = |row: &super::table::Row| (row.default.to_owned(), Source::Default);
        Self {
            texts: ROWS.iter().map(of_row).collect(),
            broker: BrokerTexts::new(),
        }
    }
}

impl Layers {
    /// Lays file, environment and flags over the defaults. `environment` is asked for the value of a variable.
    ///
    /// # Errors
    /// The first thing that is unreadable, unknown or refused.
    pub fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: &super::SettingFlags,
    ) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        if let Some(path) = file {
            layers.add_text(path, &read(path)?)?;
        }
        for (index, row) in ROWS.iter().enumerate() {
            let name = row.variable();
            if let Some(text) = environment(&name) {
                layers.set(index, text, Source::Environment(name))?;
            }
        }
        for name in broker_settings::names() {
            let variable = broker_settings::variable(name);
            if let Some(text) = environment(&variable) {
                layers.set_broker(name, text, Source::Environment(variable))?;
            }
        }
        for (index, text) in &flags.0 {
            layers.set(*index, text.clone(), Source::Flag(ROWS[*index].flag()))?;
        }
        Ok(layers)
    }

    /// What holds for `millstream serve` with these arguments, in this process's environment.
    ///
    /// # Errors
    /// As for [`Layers::load`].
    pub fn for_serve(args: &crate::cli::ServeArgs) -> Result<Self, ConfigError> {
        let environment = |name: &str| std::env::var(name).ok();
        let mut layers = Self::load(args.config.as_deref(), environment, &args.settings)?;
        for (name, text) in &args.set {
            layers.set_broker(name, text.clone(), Source::Flag("set".to_owned()))?;
        }
        Ok(layers)
    }

    /// Settings with Kafka's names that were set.
    #[must_use]
    pub fn broker(&self) -> &BrokerTexts {
        &self.broker
    }

    /// The typed settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::from_texts(|row| self.texts[row].0.as_str())
            .expect("every text was checked when it was set")
    }

    /// Text and source of a row.
    #[must_use]
    pub fn text(&self, row: usize) -> (&str, &Source) {
        let (text, source) = &self.texts[row];
        (text, source)
    }

    fn set(&mut self, index: usize, text: String, source: Source) -> Result<(), ConfigError> {
        let row = &ROWS[index];
        if let Err(why) = (row.check)(&text) {
            return Err(ConfigError::Value {
                source_shown: source.to_string(),
                name: row.name(),
                text: without_credentials(&text),
                why,
            });
        }
        self.texts[index] = (text, source);
        Ok(())
    }

    fn set_broker(&mut self, name: &str, text: String, source: Source) -> Result<(), ConfigError> {
        if let Err(why) = broker_settings::check(name, &text) {
            return Err(ConfigError::Value {
                source_shown: source.to_string(),
                name: format!("{BROKER_PREFIX}{name}"),
                text,
                why,
            });
        }
        self.broker.insert(name.to_owned(), (text, source));
        Ok(())
    }

    /// Lays the TOML text of `path` over what is there.
    pub(super) fn add_text(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let wrong = |offset: usize, what: String| ConfigError::File {
            path: path.to_owned(),
            line: line_of(text, offset),
            what,
        };
        let document = DeTable::parse(text).map_err(|error| {
            wrong(
                error.span().map_or(0, |span| span.start),
                error.message().to_owned(),
            )
        })?;
        for (group, value) in document.get_ref() {
            let at = group.span().start;
            let group = group.get_ref().as_ref();
            if !is_group(group) && matches!(value.get_ref(), DeValue::Table(keys) if keys.is_empty()) {
                return Err(wrong(at, unknown(group)));
            }
            let mut written = Vec::new();
            flatten(group.to_owned(), at, value.get_ref(), &mut written);
            for (name, at, value) in written {
                let source = Source::File(path.to_owned(), line_of(text, at));
                let text = scalar(value).ok_or_else(|| wrong(at, format!("{name} takes one value")));
                if let Some(name) = name
                    .strip_prefix(BROKER_PREFIX)
                    .filter(|name| broker_settings::exists(name))
                {
                    self.set_broker(name, text?, source)?;
                } else if let Some(index) = ROWS.iter().position(|row| row.name() == name) {
                    self.set(index, text?, source)?;
                } else {
                    return Err(wrong(at, unknown(&name)));
                }
            }
        }
        Ok(())
    }
}

/// What stands before a broker setting's own name, in the file and in errors.
const BROKER_PREFIX: &str = "broker.";

fn is_group(name: &str) -> bool {
    name == broker_settings::GROUP || ROWS.iter().any(|row| row.group == name)
}

/// Names, places and values of everything below a key. `[broker]` with `num.partitions = 3` is a table in a table to TOML, which
/// means the same as the quoted name.
fn flatten<'a>(
    name: String,
    at: usize,
    value: &'a DeValue<'a>,
    into: &mut Vec<(String, usize, &'a DeValue<'a>)>,
) {
    let DeValue::Table(keys) = value else {
        into.push((name, at, value));
        return;
    };
    for (key, value) in keys {
        flatten(
            format!("{name}.{}", key.get_ref()),
            key.span().start,
            value.get_ref(),
            into,
        );
    }
}

/// Names of variables that look like ours and are not: a typing error that would otherwise pass in silence.
///
/// Only to be warned of, as orchestrators invent variables too (`MILLSTREAM_PORT` for a service named so).
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    let of_broker = broker_settings::names().map(broker_settings::variable);
    let known: Vec<String> = ROWS
        .iter()
        .map(super::table::Row::variable)
        .chain(of_broker)
        .collect();
    names
        .filter(|name| name.starts_with("MILLSTREAM_"))
        .filter(|name| !known.contains(name) && !NOT_SETTINGS.contains(&name.as_str()))
        .collect()
}

/// Variables that the command line reads and that are no rows.
const NOT_SETTINGS: &[&str] = &[
    "MILLSTREAM_CONFIG",
    "MILLSTREAM_BOOTSTRAP",
    "MILLSTREAM_SECURITY_PROTOCOL",
    "MILLSTREAM_SASL_MECHANISM",
    "MILLSTREAM_USERNAME",
    "MILLSTREAM_PASSWORD",
    "MILLSTREAM_PASSWORD_FILE",
    "MILLSTREAM_CA",
    "MILLSTREAM_CLIENT_CERT",
    "MILLSTREAM_CLIENT_KEY",
];

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!(
            "{length} bytes are more than a configuration has"
        )));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

/// What was written, if it is one value.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// 1-based line of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

fn unknown(name: &str) -> String {
    let broker = broker_settings::names().map(|name| format!("{BROKER_PREFIX}{name}"));
    let similar = ROWS
        .iter()
        .map(super::table::Row::name)
        .chain(broker)
        .map(|known| (strsim::jaro_winkler(&known, name), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match similar {
        Some((similarity, meant)) if similarity >= SUGGESTION_SIMILARITY_MIN => {
            format!("there is no setting {name}; did you mean {meant}?")
        }
        _ => format!("there is no setting {name}; `millstream config show` lists all"),
    }
}
