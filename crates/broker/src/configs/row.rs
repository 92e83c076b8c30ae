//! One row of the table of settings: name, type, default, bounds, synonym, and whether it means something here.
//!
//! Owns: the check of a single value. Never: where values are kept or what they do.

use std::fmt;

/// Kafka's config types, with the numbers of DescribeConfigs (KIP-569).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigKind {
    /// `true` or `false`.
    Boolean,
    /// Any text.
    String,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 64 bits.
    Long,
    /// Floating point.
    Double,
    /// Comma-separated.
    List,
    /// A secret: never shown.
    Password,
}

/// Which values are allowed beyond the type.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Whatever the type admits.
    Any,
    /// Whole numbers from..=to.
    Range(i64, i64),
    /// Fractions from..=to.
    Fraction(f64, f64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of these words, none twice.
    ListOf(&'static [&'static str]),
    /// What this function accepts; it says what it expected.
    By(fn(&str) -> Result<(), String>),
    /// `User:alice`, several with semicolons between.
    Principals,
}

/// Whether a value changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what Kafka's documentation says.
    Works,
    /// It tells what holds. It is set at start, under this name of ours.
    SetAs(&'static str),
    /// Accepted and kept so that tools go on, but nothing here depends on it; the text says why.
    NoMeaning(&'static str),
}

/// Whether a value can be changed while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// By AlterConfigs.
    Dynamic,
    /// Only at start.
    Static,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct ConfigRow {
    /// Kafka's name.
    pub name: &'static str,
    /// Its type.
    pub kind: ConfigKind,
    /// The default as text; `None` where Kafka shows null.
    pub default: Option<&'static str>,
    /// Allowed values.
    pub check: Check,
    /// For topic settings: the broker setting that gives the default.
    pub synonym: Option<&'static str>,
    /// When it can change.
    pub mutability: Mutability,
    /// Whether it does anything.
    pub effect: Effect,
    /// One sentence.
    pub doc: &'static str,
}

/// A row of the tables of topics and of groups: every setting has a default, and can change at any time.
pub(super) const fn dynamic_row(
    name: &'static str,
    kind: ConfigKind,
    default: &'static str,
    check: Check,
    synonym: Option<&'static str>,
    effect: Effect,
    doc: &'static str,
) -> ConfigRow {
    ConfigRow {
        name,
        kind,
        default: Some(default),
        check,
        synonym,
        mutability: Mutability::Dynamic,
        effect,
        doc,
    }
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// The setting.
    pub name: String,
    /// The value.
    pub value: String,
    /// What would be right.
    pub reason: String,
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Invalid value {} for configuration {}: {}",
            self.value, self.name, self.reason
        )
    }
}

impl ConfigRow {
    /// Checks type and bounds.
    pub fn validate(&self, value: &str) -> Result<(), InvalidValue> {
        self.validate_kind(value.trim()).map_err(|reason| InvalidValue {
            name: self.name.to_owned(),
            value: value.to_owned(),
            reason,
        })
    }

    fn validate_kind(&self, value: &str) -> Result<(), String> {
        match self.kind {
            ConfigKind::Boolean => match value.to_ascii_lowercase().as_str() {
                "true" | "false" => Ok(()),
                _ => Err("Expected value to be either true or false".to_owned()),
            },
            ConfigKind::Short => self.validate_whole(value, i64::from(i16::MIN), i64::from(i16::MAX)),
            ConfigKind::Int => self.validate_whole(value, i64::from(i32::MIN), i64::from(i32::MAX)),
            ConfigKind::Long => self.validate_whole(value, i64::MIN, i64::MAX),
            ConfigKind::Double => self.validate_fraction(value),
            ConfigKind::List => self.validate_list(value),
            ConfigKind::String | ConfigKind::Password => self.validate_word(value),
        }
    }

    fn validate_whole(&self, value: &str, low: i64, high: i64) -> Result<(), String> {
        let number: i64 = value
            .parse()
            .map_err(|_| "Not a number of the setting's type".to_owned())?;
        let (from, to) = match self.check {
            Check::Range(from, to) => (from.max(low), to.min(high)),
            _ => (low, high),
        };
        if number < from {
            return Err(format!("Value must be at least {from}"));
        }
        if number > to {
            return Err(format!("Value must be no more than {to}"));
        }
        Ok(())
    }

    fn validate_fraction(&self, value: &str) -> Result<(), String> {
        let number: f64 = value.parse().map_err(|_| "Not a number".to_owned())?;
        match self.check {
            Check::Fraction(from, to) if !(from..=to).contains(&number) => {
                Err(format!("Value must be between {from} and {to}"))
            }
            _ if number.is_finite() => Ok(()),
            _ => Err("Not a finite number".to_owned()),
        }
    }

    fn validate_list(&self, value: &str) -> Result<(), String> {
        let Check::ListOf(words) = self.check else {
            return Ok(());
        };
        let mut seen: Vec<&str> = Vec::new();
        for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if !words.contains(&item) {
                return Err(format!("String must be one of: {}", words.join(", ")));
            }
            if seen.contains(&item) {
                return Err(format!("{item} is listed twice"));
            }
            seen.push(item);
        }
        if seen.is_empty() {
            Err("The list must not be empty".to_owned())
        } else {
            Ok(())
        }
    }

    fn validate_word(&self, value: &str) -> Result<(), String> {
        match self.check {
            Check::By(accepts) => accepts(value),
            Check::OneOf(words) if !words.contains(&value) => {
                Err(format!("String must be one of: {}", words.join(", ")))
            }
            _ => Ok(()),
        }
    }
}
