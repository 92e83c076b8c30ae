//! How `consume` writes a record: value, key and value, JSON, raw bytes, or a format of the user's own.

use crate::client::offsets::TopicPartition;
use millstream_log::batch::RecordRef;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// A format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// The value and a line end.
    Value,
    /// Key, tab, value and a line end.
    KeyValue,
    /// One JSON object a line.
    Json,
    /// The value, nothing between two.
    Raw,
    /// The user's own; see [`Piece`].
    Custom(Vec<Piece>),
}

/// A piece of a format of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// `%t`.
    Topic,
    /// `%p`.
    Partition,
    /// `%o`.
    Offset,
    /// `%T`: milliseconds since the epoch.
    Timestamp,
    /// `%k`: nothing for null.
    Key,
    /// `%K`: bytes of the key, -1 for null.
    KeyLength,
    /// `%s`: nothing for null.
    Value,
    /// `%S`: bytes of the value, -1 for null.
    ValueLength,
    /// `%h`: name=value, separated by commas.
    Headers,
}

/// What may be written.
const EXPECTED: &str = "must be value, key-value, json, raw, or a format with % in it: %t topic, %p partition, %o offset, \
     %T timestamp in ms, %k key, %s value, %K and %S their lengths, %h headers, %% a percent sign, \\n \\t \\0 \\\\";

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "value" => Ok(Self::Value),
            "key-value" => Ok(Self::KeyValue),
            "json" => Ok(Self::Json),
            "raw" => Ok(Self::Raw),
            custom if custom.contains('%') => parse(custom).map(Self::Custom),
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let piece = match c {
            '%' => match chars.next() {
                Some('t') => Piece::Topic,
                Some('p') => Piece::Partition,
                Some('o') => Piece::Offset,
                Some('T') => Piece::Timestamp,
                Some('k') => Piece::Key,
                Some('K') => Piece::KeyLength,
                Some('s') => Piece::Value,
                Some('S') => Piece::ValueLength,
                Some('h') => Piece::Headers,
                Some('%') => Piece::Literal(b"%".to_vec()),
                other => {
                    return Err(format!(
                        "%{} means nothing; {EXPECTED}",
                        other.map_or(String::new(), String::from)
                    ));
                }
            },
            '\\' => Piece::Literal(match chars.next() {
                Some('n') => b"\n".to_vec(),
                Some('t') => b"\t".to_vec(),
                Some('r') => b"\r".to_vec(),
                Some('0') => b"\0".to_vec(),
                Some('\\') => b"\\".to_vec(),
                other => {
                    return Err(format!(
                        "\\{} means nothing; {EXPECTED}",
                        other.map_or(String::new(), String::from)
                    ));
                }
            }),
            c => Piece::Literal(c.to_string().into_bytes()),
        };
        match piece {
            Piece::Literal(bytes) => literal.extend(bytes),
            piece => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(piece);
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

impl Format {
    /// Writes one record.
    pub fn write(
        &self,
        out: &mut impl Write,
        place: &TopicPartition,
        record: &RecordRef<'_>,
    ) -> io::Result<()> {
        match self {
            Self::Value => {
                out.write_all(record.value.unwrap_or_default())?;
                out.write_all(b"\n")
            }
            Self::KeyValue => {
                out.write_all(record.key.unwrap_or_default())?;
                out.write_all(b"\t")?;
                out.write_all(record.value.unwrap_or_default())?;
                out.write_all(b"\n")
            }
            Self::Raw => out.write_all(record.value.unwrap_or_default()),
            Self::Json => {
                serde_json::to_writer(&mut *out, &as_json(place, record))?;
                out.write_all(b"\n")
            }
            Self::Custom(pieces) => pieces
                .iter()
                .try_for_each(|piece| write_piece(piece, out, place, record)),
        }
    }
}

fn write_piece(
    piece: &Piece,
    out: &mut impl Write,
    place: &TopicPartition,
    record: &RecordRef<'_>,
) -> io::Result<()> {
    let length =
        |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    match piece {
        Piece::Literal(bytes) => out.write_all(bytes),
        Piece::Topic => out.write_all(place.topic.as_bytes()),
        Piece::Partition => write!(out, "{}", place.partition),
        Piece::Offset => write!(out, "{}", record.offset),
        Piece::Timestamp => write!(out, "{}", record.timestamp),
        Piece::Key => out.write_all(record.key.unwrap_or_default()),
        Piece::KeyLength => write!(out, "{}", length(record.key)),
        Piece::Value => out.write_all(record.value.unwrap_or_default()),
        Piece::ValueLength => write!(out, "{}", length(record.value)),
        Piece::Headers => {
            for (index, (name, value)) in record.headers().enumerate() {
                if index > 0 {
                    out.write_all(b",")?;
                }
                out.write_all(name)?;
                out.write_all(b"=")?;
                out.write_all(value.unwrap_or_default())?;
            }
            Ok(())
        }
    }
}

/// The record as JSON. Bytes that are UTF-8 are text; others are `{"base64": "..."}`, so that the two are never taken for each
/// other.
fn as_json(place: &TopicPartition, record: &RecordRef<'_>) -> Value {
    let headers = record
        .headers()
        .map(|(name, value)| json!([bytes(Some(name)), bytes(value)]));
    let mut object = Map::new();
    object.insert("topic".into(), place.topic.clone().into());
    object.insert("partition".into(), place.partition.into());
    object.insert("offset".into(), record.offset.0.into());
    object.insert("timestamp".into(), record.timestamp.into());
    object.insert("key".into(), bytes(record.key));
    object.insert("value".into(), bytes(record.value));
    object.insert("headers".into(), headers.collect());
    Value::Object(object)
}

fn bytes(bytes: Option<&[u8]>) -> Value {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => Value::Null,
        Some((_, Ok(text))) => text.into(),
        Some((bytes, Err(_))) => json!({ "base64": base64(bytes) }),
    }
}

/// RFC 4648, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            match index <= three.len() {
                true => out.push(char::from(DIGITS[(bits >> (18 - 6 * index)) as usize & 63])),
                false => out.push('='),
            }
        }
    }
    out
}
