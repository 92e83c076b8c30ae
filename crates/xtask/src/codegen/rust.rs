//! How fields look in Rust: names, types, default values, conditions on versions. Shared by the emitters.

use super::schema::{Base, Field, Struct, Versions};

/// First line of every generated file, which `tidy` can look for.
pub const NOTICE: &str = "//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.\n";

/// `OffsetFetch` -> `offset_fetch`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The condition under which a field with `versions` exists in a struct with `around`; `None` when it always does.
pub fn condition(versions: Versions, around: Versions) -> Option<String> {
    let Versions { min, max } = versions;
    match (min > around.min, max < around.max) {
        (false, false) => None,
        (true, false) => Some(format!("at.version >= {min}")),
        (false, true) => Some(format!("at.version <= {max}")),
        (true, true) if min == max => Some(format!("at.version == {min}")),
        (true, true) => Some(format!("({min}..={max}).contains(&at.version)")),
    }
}

/// The opposite of [`condition`]: when the field does not exist; `None` when it always does.
pub fn absence(versions: Versions, around: Versions) -> Option<String> {
    let Versions { min, max } = versions;
    match (min > around.min, max < around.max) {
        (false, false) => None,
        (true, false) => Some(format!("at.version < {min}")),
        (false, true) => Some(format!("at.version > {max}")),
        (true, true) => Some(format!("!({min}..={max}).contains(&at.version)")),
    }
}

impl Field {
    /// Name of the reader's, encoder's and generator's method for the type, without `opt_`.
    pub fn method(&self) -> &'static str {
        if self.array {
            return "array";
        }
        match self.base {
            Base::Bool => "boolean",
            Base::Int8 => "i8",
            Base::Int16 => "i16",
            Base::Uint16 => "u16",
            Base::Int32 => "i32",
            Base::Int64 => "i64",
            Base::Float64 => "f64",
            Base::Uuid => "uuid",
            Base::String => "string",
            Base::Bytes => "bytes",
            Base::Records => "records",
            Base::Struct(_) => "struct",
        }
    }

    /// Whether reading and writing it depends on the version's flexibility.
    pub fn needs_at(&self) -> bool {
        self.array
            || matches!(
                self.base,
                Base::String | Base::Bytes | Base::Records | Base::Struct(_)
            )
    }

    fn element_type(&self) -> &str {
        match &self.base {
            Base::Bool => "bool",
            Base::Int8 => "i8",
            Base::Int16 => "i16",
            Base::Uint16 => "u16",
            Base::Int32 => "i32",
            Base::Int64 => "i64",
            Base::Float64 => "f64",
            Base::Uuid => "Uuid",
            Base::String => "Str",
            Base::Bytes => "Bytes",
            Base::Records => "Records",
            Base::Struct(name) => name,
        }
    }

    pub fn rust_type(&self) -> String {
        let element = self.element_type();
        let whole = if self.array {
            format!("Vec<{element}>")
        } else {
            element.to_owned()
        };
        if self.nullable.is_some() {
            format!("Option<{whole}>")
        } else {
            whole
        }
    }

    /// The value of the field where it is absent: Kafka's default.
    pub fn default_value(&self) -> String {
        if self.default.as_deref() == Some("null") {
            return "None".to_owned();
        }
        // Kafka's default of records is null even where the schema does not say so.
        if self.base == Base::Records && self.nullable.is_some() {
            return "None".to_owned();
        }
        let value = if self.array {
            "Vec::new()".to_owned()
        } else {
            self.scalar_default()
        };
        if self.nullable.is_some() {
            format!("Some({value})")
        } else {
            value
        }
    }

    fn scalar_default(&self) -> String {
        match (&self.base, self.default.as_deref()) {
            (Base::Bool, value) => value.unwrap_or("false").to_owned(),
            (Base::Uuid, _) => "Uuid::ZERO".to_owned(),
            (Base::String, None) => "Str::new()".to_owned(),
            (Base::String, Some(text)) => format!("Str::from_static({text:?})"),
            (Base::Bytes, _) => "Bytes::new()".to_owned(),
            (Base::Records, _) => "Records::new()".to_owned(),
            (Base::Struct(name), _) => format!("{name}::default()"),
            (Base::Float64, value) => value.unwrap_or("0.0").to_owned(),
            (_, Some("9223372036854775807")) => "i64::MAX".to_owned(),
            (_, Some("2147483647")) => "i32::MAX".to_owned(),
            (_, Some("-2147483648")) => "i32::MIN".to_owned(),
            (_, value) => value.unwrap_or("0").to_owned(),
        }
    }

    /// Whether `#[derive(Default)]` gives Kafka's default.
    pub fn derives_default(&self) -> bool {
        if self.nullable.is_some() {
            return self.default_value() == "None";
        }
        self.default.is_none()
    }

    /// Expression that is true when the field of `self` differs from its default.
    pub fn is_set(&self) -> String {
        let name = &self.name;
        let default = self.default_value();
        if default == "None" {
            return format!("self.{name}.is_some()");
        }
        let emptiable = self.array || matches!(self.base, Base::String | Base::Bytes | Base::Records);
        if emptiable && self.default.is_none() {
            return if self.nullable.is_some() {
                format!("self.{name}.as_ref().is_none_or(|value| !value.is_empty())")
            } else {
                format!("!self.{name}.is_empty()")
            };
        }
        match (&self.base, default.as_str()) {
            (Base::Bool, "true") => format!("!self.{name}"),
            (Base::Bool, _) => format!("self.{name}"),
            _ => format!("self.{name} != {default}"),
        }
    }

    /// One sentence or two about the field for its doc comment: facts of the table only.
    pub fn doc(&self, of: &Struct) -> String {
        let Versions { min, max } = self.versions;
        let mut doc = match (min > of.versions.min, max < of.versions.max) {
            (false, false) => "All versions.".to_owned(),
            (_, false) => format!("Version {min} and later."),
            _ if min == max => format!("Version {min} only."),
            _ => format!("Versions {min} to {max}."),
        };
        match self.nullable {
            Some(range) if range.covers(self.versions) => doc.push_str(" May be null."),
            Some(range) if range.max < self.versions.max => {
                doc.push_str(&format!(
                    " May be null at versions {} to {}.",
                    range.min, range.max
                ));
            }
            Some(range) => doc.push_str(&format!(" May be null from version {} on.", range.min)),
            None => {}
        }
        if let Some(tag) = self.tag {
            doc.push_str(&format!(" Tag {tag}."));
        }
        if let Some(default) = &self.default {
            doc.push_str(&format!(" Default: {default}."));
        }
        if !self.versions.covers(of.versions) && !self.ignorable {
            doc.push_str(" Must be left at its default at other versions.");
        }
        doc
    }
}
