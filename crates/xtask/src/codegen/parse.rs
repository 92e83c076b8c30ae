//! Reads a schema table (`*.ws`; the notation is explained in crates/kafka-wire/schema/README.md). Checks all that can be
//! checked without looking at Rust; every error names file and line.

use super::schema::{Base, Field, Message, Role, Struct, Table, Versions};

/// A line without its comment: number, depth in steps of two spaces, words.
struct Line<'a> {
    number: usize,
    depth: usize,
    words: Vec<&'a str>,
}

type Parsed<T> = Result<T, (usize, String)>;

fn fail<T>(line: &Line<'_>, message: impl Into<String>) -> Parsed<T> {
    Err((line.number, message.into()))
}

/// The table that `text` writes down; `file` is for errors.
pub fn parse(file: &str, text: &str) -> Result<Table, String> {
    table(text).map_err(|(number, message)| format!("{file}:{number}: {message}"))
}

fn table(text: &str) -> Parsed<Table> {
    let docs = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .map(|line| line.trim().to_owned())
        .collect();
    let lines = lines(text)?;
    let mut rest = lines.as_slice();
    let mut table = head(&mut rest)?;
    table.docs = docs;
    while let Some((line, after)) = rest.split_first() {
        rest = after;
        if line.depth != 0 {
            return fail(
                line,
                "expected `request`, `response` or `message NAME` at the margin",
            );
        }
        let (role, name) = match line.words.as_slice() {
            ["request"] => (Role::Request, format!("{}Request", table.name)),
            ["response"] => (Role::Response, format!("{}Response", table.name)),
            ["message", name] => (Role::Data, (*name).to_owned()),
            _ => return fail(line, "expected `request`, `response` or `message NAME`"),
        };
        let mut parser = Body {
            structs: Vec::new(),
            flexible_from: table.flexible_from,
        };
        parser.body(&mut rest, 1, name, table.versions)?;
        let structs = resolve(parser.structs, line)?;
        table.messages.push(Message { role, structs });
    }
    Ok(table)
}

fn lines(text: &str) -> Parsed<Vec<Line<'_>>> {
    let mut lines = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let content = raw.split('#').next().unwrap_or_default();
        let words: Vec<&str> = content.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let spaces = content.len() - content.trim_start_matches(' ').len();
        let line = Line {
            number: index + 1,
            depth: spaces / 2,
            words,
        };
        if spaces % 2 != 0 {
            return fail(&line, "indentation is two spaces a level");
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The lines before the first message.
fn head(rest: &mut &[Line<'_>]) -> Parsed<Table> {
    let mut table = Table {
        name: String::new(),
        key: None,
        versions: Versions { min: 0, max: -1 },
        flexible_from: None,
        unstable_from: None,
        docs: Vec::new(),
        messages: Vec::new(),
    };
    while let Some((line, after)) = rest.split_first() {
        match line.words.as_slice() {
            ["api", name, key] => {
                table.name = (*name).to_owned();
                table.key = Some(number(line, key)?);
            }
            ["data", name] => table.name = (*name).to_owned(),
            ["versions", range] => {
                table.versions = versions(
                    line,
                    range,
                    Versions {
                        min: 0,
                        max: i16::MAX,
                    },
                )?
            }
            ["flexible", "none"] => {}
            ["flexible", from] => table.flexible_from = Some(number(line, from)?),
            ["unstable", from] => table.unstable_from = Some(number(line, from)?),
            _ if table.name.is_empty() || table.versions.max < 0 => {
                return fail(
                    line,
                    "expected `api NAME KEY` or `data NAME`, and `versions MIN-MAX`, first",
                );
            }
            _ => return Ok(table),
        }
        *rest = after;
    }
    Err((0, "the table has no message".to_owned()))
}

struct Body {
    structs: Vec<Struct>,
    flexible_from: Option<i16>,
}

impl Body {
    /// Reads the lines of `depth` as the fields of struct `name`, and deeper ones as those of the struct named above them.
    fn body(&mut self, rest: &mut &[Line<'_>], depth: usize, name: String, around: Versions) -> Parsed<()> {
        let place = self.structs.len();
        self.structs.push(Struct {
            name,
            versions: around,
            fields: Vec::new(),
        });
        while let Some((line, after)) = rest.split_first() {
            if line.depth < depth {
                break;
            }
            if line.depth > depth {
                return fail(line, "indented deeper than a field that has fields");
            }
            *rest = after;
            if let ["struct", shared] = line.words.as_slice() {
                self.body(rest, depth + 1, (*shared).to_owned(), around)?;
                continue;
            }
            let field = self.field(line, around)?;
            let inner = rest.first().is_some_and(|next| next.depth > depth);
            if let (Base::Struct(name), true) = (&field.base, inner) {
                self.body(rest, depth + 1, name.clone(), field.versions)?;
            }
            self.structs[place].fields.push(field);
        }
        Ok(())
    }

    fn field(&self, line: &Line<'_>, around: Versions) -> Parsed<Field> {
        let [name, kind, attributes @ ..] = line.words.as_slice() else {
            return fail(line, "expected `NAME TYPE [VERSIONS] [ATTRIBUTES]`");
        };
        let (range, attributes) = match attributes.split_first() {
            Some((first, after)) if first.starts_with(|c: char| c.is_ascii_digit()) => {
                (versions(line, first, around)?, after)
            }
            _ => (around, attributes),
        };
        let (kind, nullable) = match kind.split_once('?') {
            None => (*kind, None),
            Some((kind, "")) => (kind, Some(range)),
            Some((kind, text)) => (kind, Some(versions(line, text, range)?)),
        };
        let (kind, array) = kind.strip_prefix("[]").map_or((kind, false), |kind| (kind, true));
        let mut field = Field {
            name: (*name).to_owned(),
            base: base(kind),
            array,
            versions: range,
            nullable,
            tag: None,
            default: None,
            ignorable: false,
            secret: false,
        };
        for attribute in attributes {
            match attribute.split_once('=') {
                Some(("tag", tag)) => field.tag = Some(number(line, tag)?),
                Some(("default", value)) => field.default = Some(value.to_owned()),
                None if *attribute == "ignorable" => field.ignorable = true,
                None if *attribute == "secret" => field.secret = true,
                _ => return fail(line, format!("unknown attribute `{attribute}`")),
            }
        }
        self.check(line, field)
    }

    /// Refuses what the emitters could not write.
    fn check(&self, line: &Line<'_>, field: Field) -> Parsed<Field> {
        let is_struct = matches!(field.base, Base::Struct(_)) && !field.array;
        let is_blob = matches!(field.base, Base::Bytes | Base::Records);
        let is_fixed = !field.array && !is_struct && !is_blob && field.base != Base::String;
        if field.tag.is_some() && self.flexible_from.is_none_or(|from| field.versions.min < from) {
            return fail(line, "a tagged field needs flexible versions only");
        }
        if field.tag.is_some() && is_blob {
            return fail(
                line,
                "a byte field cannot be tagged: its chunk would be shared inside a moved part",
            );
        }
        if field.array && is_blob {
            return fail(line, "arrays of byte fields do not occur in the protocol");
        }
        if field.nullable.is_some() && is_fixed {
            return fail(line, "a number cannot be null");
        }
        if is_struct && field.nullable.is_some_and(|range| !range.covers(field.versions)) {
            return fail(line, "a struct is nullable at all its versions or at none");
        }
        if is_struct && field.nullable.is_some() && field.default.as_deref() != Some("null") {
            return fail(line, "a nullable struct defaults to null");
        }
        if field.default.as_deref() == Some("null") && field.nullable.is_none() {
            return fail(line, "defaults to null but is not nullable");
        }
        Ok(field)
    }
}

fn base(name: &str) -> Base {
    match name {
        "bool" => Base::Bool,
        "int8" => Base::Int8,
        "int16" => Base::Int16,
        "uint16" => Base::Uint16,
        "int32" => Base::Int32,
        "int64" => Base::Int64,
        "float64" => Base::Float64,
        "uuid" => Base::Uuid,
        "string" => Base::String,
        "bytes" => Base::Bytes,
        "records" => Base::Records,
        name => Base::Struct(name.to_owned()),
    }
}

fn number<N: std::str::FromStr>(line: &Line<'_>, text: &str) -> Parsed<N> {
    text.parse()
        .or_else(|_| fail(line, format!("`{text}` is no number that fits here")))
}

/// `3`, `3-5` or `3+`, inside `around`.
fn versions(line: &Line<'_>, text: &str, around: Versions) -> Parsed<Versions> {
    let range = if let Some(min) = text.strip_suffix('+') {
        Versions {
            min: number(line, min)?,
            max: around.max,
        }
    } else {
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        Versions {
            min: number(line, min)?,
            max: number(line, max)?,
        }
    };
    if range.min > range.max || !around.covers(range) {
        return fail(
            line,
            format!("versions {text} are empty or leave {}-{}", around.min, around.max),
        );
    }
    Ok(range)
}

/// Checks that every struct that is named exists once, and finds out at which versions each occurs.
fn resolve(mut structs: Vec<Struct>, line: &Line<'_>) -> Parsed<Vec<Struct>> {
    let mut found: Vec<Option<Versions>> = vec![None; structs.len()];
    found[0] = Some(structs[0].versions);
    // A struct can be used before it stands in the list, so look until nothing widens.
    let mut before = Vec::new();
    while before != found {
        before.clone_from(&found);
        for (user, of) in structs.iter().enumerate() {
            for field in &of.fields {
                let Base::Struct(name) = &field.base else { continue };
                let mut places = structs
                    .iter()
                    .enumerate()
                    .filter(|(_, candidate)| candidate.name == *name);
                let (Some((used, _)), None) = (places.next(), places.next()) else {
                    return fail(
                        line,
                        format!("struct {name} is not defined exactly once in this message"),
                    );
                };
                if found[user].is_some() {
                    found[used] =
                        Some(found[used].map_or(field.versions, |known| known.union(field.versions)));
                }
            }
        }
    }
    if let Some(own) = cyclic(&structs) {
        return fail(
            line,
            format!("struct {own} contains itself: decoding would recurse without a limit"),
        );
    }
    let tagged = structs
        .iter()
        .flat_map(|of| &of.fields)
        .filter(|field| field.tag.is_some());
    for field in tagged {
        if let Base::Struct(name) = &field.base
            && holds_blob(&structs, name)
        {
            return fail(
                line,
                format!(
                    "tagged field {} holds a byte field, which cannot be moved",
                    field.name
                ),
            );
        }
    }
    for (of, found) in structs.iter_mut().zip(found) {
        match found {
            Some(versions) => of.versions = versions,
            None => return fail(line, format!("struct {} is not used", of.name)),
        }
    }
    Ok(structs)
}

/// A struct that contains itself. Found by taking away, again and again, the structs that contain only structs taken away before.
fn cyclic(structs: &[Struct]) -> Option<&str> {
    let mut left: Vec<&Struct> = structs.iter().collect();
    loop {
        let names: Vec<&str> = left.iter().map(|of| of.name.as_str()).collect();
        let blocked =
            |field: &Field| matches!(&field.base, Base::Struct(name) if names.contains(&name.as_str()));
        left.retain(|of| of.fields.iter().any(blocked));
        if left.len() == names.len() {
            return left.first().map(|of| of.name.as_str());
        }
    }
}

/// Whether a byte field lies somewhere in the struct; ends because no struct contains itself.
fn holds_blob(structs: &[Struct], name: &str) -> bool {
    let found = structs.iter().filter(|of| of.name == name);
    found.flat_map(|of| &of.fields).any(|field| match &field.base {
        Base::Bytes | Base::Records => true,
        Base::Struct(inner) => holds_blob(structs, inner),
        _ => false,
    })
}
