//! Reads the table of error codes and writes `generated/error_code.rs`.

use super::rust::NOTICE;

/// One row of the table.
pub struct ErrorRow {
    code: i16,
    name: String,
    retriable: bool,
}

/// The rows of `CODE NAME [retriable]`.
pub fn parse(text: &str) -> Result<Vec<ErrorRow>, String> {
    let lines = text.lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|(index, line)| row(line).ok_or_else(|| format!("error_codes.txt:{}: `{line}`", index + 1)))
        .collect()
}

fn row(line: &str) -> Option<ErrorRow> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (code, name, retriable) = match words.as_slice() {
        [code, name] => (code, name, false),
        [code, name, "retriable"] => (code, name, true),
        _ => return None,
    };
    Some(ErrorRow {
        code: code.parse().ok()?,
        name: (*name).to_owned(),
        retriable,
    })
}

/// The file, before rustfmt.
pub fn emit(rows: &[ErrorRow]) -> String {
    let (mut constants, mut names, mut retriable) = (String::new(), String::new(), Vec::new());
    for ErrorRow {
        code,
        name,
        retriable: again,
    } in rows
    {
        let doc = if *again {
            format!("Code {code}; clients try again.")
        } else {
            format!("Code {code}.")
        };
        constants += &format!("/// {doc}\npub const {name}: Self = Self({code});\n");
        names += &format!("{code} => {name:?},\n");
        retriable.extend(again.then(|| code.to_string()));
    }
    format!(
        "//! The error codes of the protocol.\n//!\n{NOTICE}\n\
         use crate::error_code::ErrorCode;\n\n\
         impl ErrorCode {{\n{constants}\n\
         pub(crate) const fn known_name(self) -> Option<&'static str> {{\nSome(match self.0 {{\n{names}_ => return None,\n}})\n}}\n\n\
         /// Whether Kafka's clients send the request again.\n#[must_use]\n\
         pub const fn is_retriable(self) -> bool {{\nmatches!(self.0, {})\n}}\n}}\n",
        retriable.join(" | ")
    )
}
