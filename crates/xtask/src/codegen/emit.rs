//! Writes the Rust file of one table: the structs, how they are read and how they are written.

use super::rust::{NOTICE, absence, condition};
use super::schema::{Base, Field, Message, Role, Struct, Table, Versions};
use std::fmt::Write;

/// The field of an answer that tells the client for how long it will not be read (KIP-124, KIP-219).
const THROTTLE: &str = "throttle_time_ms";

/// The field of an answer that tells why nothing that was asked for was done.
const ERROR_CODE: &str = "error_code";

/// The whole file, before rustfmt.
pub fn table(table: &Table) -> String {
    let mut body = String::new();
    for message in &table.messages {
        for of in &message.structs {
            definition(&mut body, table, message, of);
            wire(&mut body, table, message, of);
        }
        root(&mut body, table, message);
    }
    let mut docs = table.docs.iter();
    let purpose = docs.next().map_or(table.name.as_str(), String::as_str);
    let mut out = format!("//! {purpose}\n//!\n{NOTICE}");
    for (index, doc) in docs.enumerate() {
        out += if index == 0 { "//!\n" } else { "" };
        out += &format!("//! {doc}\n");
    }
    out += &imports(table, &body);
    out + &body
}

/// Only what the body names: an unused import is a warning.
fn imports(table: &Table, body: &str) -> String {
    let mut out = String::from("\n");
    if table.key.is_some() {
        out += "use super::ApiKey;\n";
    }
    out += "use crate::encoder::Encoder;\nuse crate::error::{DecodeError, EncodeError};\nuse crate::reader::Reader;\n";
    for (word, path) in [
        ("Records", "crate::records::Records"),
        ("Str", "crate::text::Str"),
        ("Uuid", "crate::uuid::Uuid"),
    ] {
        if has_word(body, word) {
            out += &format!("use {path};\n");
        }
    }
    out += if table.key.is_some() {
        "use crate::wire::{At, Message, Request, Response, Wire};\n"
    } else {
        "use crate::wire::{At, Message, Wire};\n"
    };
    if has_word(body, "Bytes") {
        out += "use bytes::Bytes;\n";
    }
    out
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|found| found == word)
}

fn definition(out: &mut String, table: &Table, message: &Message, of: &Struct) {
    let name = &of.name;
    let root = &message.root().name;
    let Versions { min, max } = of.versions;
    let doc = if name != root {
        format!("Part of [`{root}`], versions {min} to {max}.")
    } else if let Some(key) = table.key {
        let kind = if message.role == Role::Request {
            "request"
        } else {
            "response"
        };
        format!(
            "The {kind} of {} (API key {key}), versions {min} to {max}.",
            table.name
        )
    } else {
        format!("Versions {min} to {max}.")
    };
    let derives = of.fields.iter().all(Field::derives_default);
    let secret = of.fields.iter().any(|field| field.secret);
    let mut traits = vec!["Clone"];
    traits.extend((!secret).then_some("Debug"));
    traits.extend(derives.then_some("Default"));
    traits.push("PartialEq");
    *out += &format!(
        "\n/// {doc}\n#[derive({})]\npub struct {name} {{\n",
        traits.join(", ")
    );
    for field in &of.fields {
        *out += &format!(
            "/// {}\npub {}: {},\n",
            field.doc(of),
            field.name,
            field.rust_type()
        );
    }
    *out += "}\n";
    if !derives {
        *out += &format!("\nimpl Default for {name} {{\nfn default() -> Self {{\nSelf {{\n");
        for field in &of.fields {
            *out += &format!("{}: {},\n", field.name, field.default_value());
        }
        *out += "}\n}\n}\n";
    }
    if secret {
        debug(out, of);
    }
}

/// A `Debug` that shows a secret's presence only.
fn debug(out: &mut String, of: &Struct) {
    let name = &of.name;
    *out += &format!(
        "\nimpl std::fmt::Debug for {name} {{\n\
         fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\nf.debug_struct({name:?})\n"
    );
    for field in &of.fields {
        let field_name = &field.name;
        *out += &if field.secret {
            format!(".field({field_name:?}, &\"(secret)\")\n")
        } else {
            format!(".field({field_name:?}, &self.{field_name})\n")
        };
    }
    *out += ".finish()\n}\n}\n";
}

fn wire(out: &mut String, table: &Table, message: &Message, of: &Struct) {
    let read = read(table, of);
    let write = write(table, of);
    // Structs without fields leave arguments unused.
    let under = |text: &str, word: &str| {
        if has_word(text, word) {
            word.to_owned()
        } else {
            format!("_{word}")
        }
    };
    let bytes_min = table.bytes_min(message, &of.name).max(1);
    write!(
        out,
        "\nimpl Wire for {name} {{\n\
         const BYTES_MIN: usize = {bytes_min};\n\n\
         fn read({reader}: &mut Reader<'_>, {read_at}: At) -> Result<Self, DecodeError> {{\n{read}}}\n\n\
         fn write(&self, {encoder}: &mut Encoder, {write_at}: At) -> Result<(), EncodeError> {{\n{write}}}\n\
         }}\n",
        name = of.name,
        reader = under(&read, "reader"),
        read_at = under(&read, "at"),
        encoder = under(&write, "encoder"),
        write_at = under(&write, "at"),
    )
    .expect("writing to a string cannot fail");
}

/// Wraps `statement` so that it runs at flexible versions only.
fn if_flexible(table: &Table, of: &Struct, statement: &str) -> String {
    match table.flexible_from {
        Some(from) if from <= of.versions.min => statement.to_owned(),
        Some(from) if from <= of.versions.max => format!("if at.flexible {{\n{statement}}}\n"),
        _ => String::new(),
    }
}

fn tagged(of: &Struct) -> Vec<&Field> {
    let mut tagged: Vec<&Field> = of.fields.iter().filter(|field| field.tag.is_some()).collect();
    tagged.sort_by_key(|field| field.tag);
    tagged
}

/// The versions of the struct at which it can have tagged fields.
fn flexible_part(table: &Table, of: &Struct) -> Versions {
    let from = table.flexible_from.unwrap_or(i16::MAX);
    Versions {
        min: of.versions.min.max(from),
        max: of.versions.max,
    }
}

fn read(table: &Table, of: &Struct) -> String {
    let tagged = tagged(of);
    let mut literal = String::from("Self {\n");
    for field in &of.fields {
        let value = match condition(field.versions, of.versions) {
            _ if field.tag.is_some() => field.default_value(),
            None => read_value(field),
            Some(when) => format!(
                "if {when} {{ {} }} else {{ {} }}",
                read_value(field),
                field.default_value()
            ),
        };
        literal += &format!("{}: {value},\n", field.name);
    }
    literal += "}";
    if table.flexible_from.is_none_or(|from| from > of.versions.max) {
        return format!("Ok({literal})\n");
    }
    if tagged.is_empty() {
        let skip = if_flexible(table, of, "reader.skip_tags()?;\n");
        return format!("let message = {literal};\n{skip}Ok(message)\n");
    }
    let mut arms = String::new();
    for field in tagged {
        let guard = condition(field.versions, flexible_part(table, of));
        let tag = field.tag.expect("only tagged fields come here");
        let guard = guard.map(|when| format!(" if {when}")).unwrap_or_default();
        arms += &format!(
            "{tag}{guard} => message.{} = {},\n",
            field.name,
            read_value(field)
        );
    }
    let tags = format!(
        "reader.tags(|tag, reader| {{\nmatch tag {{\n{arms}_ => return Ok(false),\n}}\nOk(true)\n}})?;\n"
    );
    let tags = if_flexible(table, of, &tags);
    format!("let mut message = {literal};\n{tags}Ok(message)\n")
}

fn read_value(field: &Field) -> String {
    let method = field.method();
    let at = if field.needs_at() { "at" } else { "" };
    let plain = if matches!(field.base, Base::Struct(_)) && !field.array {
        "Wire::read(reader, at)?".to_owned()
    } else {
        format!("reader.{method}({at})?")
    };
    match field.nullable {
        None => plain,
        Some(range) => match condition(range, field.versions) {
            None => format!("reader.opt_{method}(at)?"),
            Some(when) => format!("if {when} {{ reader.opt_{method}(at)? }} else {{ Some({plain}) }}"),
        },
    }
}

fn write(table: &Table, of: &Struct) -> String {
    let mut out = String::new();
    for field in &of.fields {
        let when = condition(field.versions, of.versions);
        let refusal = format!("return Err(at.no_field({:?}));", field.name);
        match (&field.tag, when) {
            (None, None) => out += &write_value(field),
            (None, Some(when)) => {
                out += &format!("if {when} {{\n{}}}", write_value(field));
                if !field.ignorable {
                    out += &format!(" else if {} {{\n{refusal}\n}}", field.is_set());
                }
                out.push('\n');
            }
            (Some(_), _) if field.ignorable => {}
            (Some(_), _) => {
                if let Some(absent) = absence(field.versions, of.versions) {
                    out += &format!("if {absent} && {} {{\n{refusal}\n}}\n", field.is_set());
                }
            }
        }
    }
    out += &if_flexible(table, of, &write_tags(table, of));
    out + "Ok(())\n"
}

fn write_tags(table: &Table, of: &Struct) -> String {
    let tagged = tagged(of);
    if tagged.is_empty() {
        return "encoder.uvarint(0);\n".to_owned();
    }
    let (mut presence, mut sum, mut fields) = (String::new(), Vec::new(), String::new());
    for field in tagged {
        let name = &field.name;
        let when = condition(field.versions, flexible_part(table, of))
            .map(|when| format!("{when} && "))
            .unwrap_or_default();
        presence += &format!("let has_{name} = {when}{};\n", field.is_set());
        sum.push(format!("u32::from(has_{name})"));
        let tag = field.tag.expect("only tagged fields come here");
        let value = write_value(field);
        let value = match value.strip_suffix("?;\n") {
            Some(last) => last.to_owned(),
            None => format!("{{\n{value}Ok(())\n}}"),
        };
        fields += &format!("if has_{name} {{\nencoder.tag({tag}, |encoder| {value})?;\n}}\n");
    }
    format!("{presence}encoder.uvarint({});\n{fields}", sum.join(" + "))
}

fn write_value(field: &Field) -> String {
    let (name, method) = (&field.name, field.method());
    if !field.needs_at() {
        return format!("encoder.{method}(self.{name});\n");
    }
    match field.nullable {
        None if method == "struct" => format!("self.{name}.write(encoder, at)?;\n"),
        None => format!("encoder.{method}(&self.{name}, at)?;\n"),
        Some(range) => {
            let refused = absence(range, field.versions).map(|absent| {
                format!("if self.{name}.is_none() && {absent} {{\nreturn Err(at.no_null({name:?}));\n}}\n")
            });
            refused.unwrap_or_default() + &format!("encoder.opt_{method}(&self.{name}, at)?;\n")
        }
    }
}

/// `Response::refused`, where the answer has an error of its own.
fn refused(table: &Table, message: &Message) -> String {
    let fields = &message.root().fields;
    let Some(field) = fields.iter().find(|field| field.name == ERROR_CODE) else {
        return String::new();
    };
    let rest = if fields.len() > 1 {
        ", ..Self::default()"
    } else {
        ""
    };
    let made = format!("Self {{ {ERROR_CODE}{rest} }}");
    let (name, made) = match condition(field.versions, table.versions) {
        None => ("_version", format!("Some({made})")),
        Some(when) => (
            "version",
            format!("({}).then(|| {made})", when.replace("at.", "")),
        ),
    };
    format!("fn refused({ERROR_CODE}: i16, {name}: i16) -> Option<Self> {{\n{made}\n}}\n")
}

fn root(out: &mut String, table: &Table, message: &Message) {
    let name = &message.root().name;
    let Versions { min, max } = table.versions;
    let flexible_from = table
        .flexible_from
        .map_or("i16::MAX".to_owned(), |from| from.to_string());
    *out += &format!(
        "\nimpl Message for {name} {{\n\
         const VERSION_MIN: i16 = {min};\nconst VERSION_MAX: i16 = {max};\n\
         const FLEXIBLE_FROM: i16 = {flexible_from};\n}}\n"
    );
    let api = &table.name;
    match message.role {
        Role::Data => {}
        Role::Response => {
            *out += &format!("\nimpl Response for {name} {{\nconst KEY: ApiKey = ApiKey::{api};\n");
            if message.root().fields.iter().any(|field| field.name == THROTTLE) {
                *out += &format!("fn throttle(&mut self, time_ms: i32) {{\nself.{THROTTLE} = time_ms;\n}}\n");
            }
            *out += &refused(table, message);
            *out += "}\n";
        }
        Role::Request => {
            *out += &format!(
                "\nimpl Request for {name} {{\nconst KEY: ApiKey = ApiKey::{api};\ntype Response = {api}Response;\n}}\n"
            );
        }
    }
}
