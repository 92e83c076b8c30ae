//! Writes the generators of random messages, for tests: every value is valid at its version.

use super::rust::{NOTICE, condition, snake};
use super::schema::{Base, Field, Struct, Table};

/// `generated/arbitrary/mod.rs`.
pub fn modules(tables: &[Table]) -> String {
    let mut out = String::from("//! Random messages, one module an API.\n//!\n");
    out += NOTICE;
    out.push('\n');
    for table in tables {
        out += &format!("mod {};\n", snake(&table.name));
    }
    out
}

/// `generated/arbitrary/API.rs`.
pub fn table(table: &Table) -> String {
    let mut out = format!("//! Random messages of {}.\n//!\n{NOTICE}\n", table.name);
    out += "use crate::testing::{Arbitrary, Rng};\nuse crate::wire::At;\n";
    let mut body = String::new();
    for of in table.messages.iter().flat_map(|message| &message.structs) {
        body += &arbitrary(of);
    }
    for (word, path) in [
        ("Records::", "crate::records::Records"),
        ("Str::", "crate::text::Str"),
        ("Uuid::", "crate::uuid::Uuid"),
        ("Bytes::", "bytes::Bytes"),
    ] {
        if body.contains(word) {
            out += &format!("use {path};\n");
        }
    }
    out += &format!("use super::super::{}::*;\n", snake(&table.name));
    out + &body
}

fn arbitrary(of: &Struct) -> String {
    let mut fields = String::new();
    for field in &of.fields {
        let value = match condition(field.versions, of.versions) {
            None => value(field),
            Some(when) => format!(
                "if {when} {{ {} }} else {{ {} }}",
                value(field),
                field.default_value()
            ),
        };
        fields += &format!("{}: {value},\n", field.name);
    }
    let at = if fields.contains("at.") || fields.contains("(at)") {
        "at"
    } else {
        "_at"
    };
    let rng = if fields.contains("rng") { "rng" } else { "_rng" };
    format!(
        "\nimpl Arbitrary for {} {{\nfn arbitrary({rng}: &mut Rng, {at}: At) -> Self {{\nSelf {{\n{fields}}}\n}}\n}}\n",
        of.name
    )
}

fn value(field: &Field) -> String {
    let method = field.method();
    let at = if field.array || matches!(field.base, Base::Struct(_)) {
        "at"
    } else {
        ""
    };
    let plain = format!("rng.{method}({at})").replace("rng.struct(", "rng.structure(");
    let value = match field.nullable {
        None => plain,
        Some(range) => {
            let some = format!("rng.present().then(|| {plain})");
            match condition(range, field.versions) {
                None => some,
                Some(when) => format!("if {when} {{ {some} }} else {{ Some({plain}) }}"),
            }
        }
    };
    // A tagged field is often absent.
    if field.tag.is_some() {
        format!(
            "if rng.present() {{ {value} }} else {{ {} }}",
            field.default_value()
        )
    } else {
        value
    }
}
