//! Rules about the text of one file. Cheap on purpose: they read lines as rustfmt leaves them, they do not parse Rust.

use super::Finding;

/// Lines of a file that a person wrote.
pub const FILE_LINES_MAX: usize = 500;

/// Lines of a function, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// A generated file says so in one of its first lines; limits of size do not bind it.
const GENERATED_MARK: &str = concat!("do not", " edit");

/// How many lines are searched for the mark.
const MARK_LINES: usize = 10;

/// Words that may stand nowhere in Rust code, and why. Spelled in two halves, so that this file passes its own rule.
const BANNED: &[(&str, &str)] = &[
    (
        concat!("todo", "!("),
        "an unfinished path ends in an error, never in a panic",
    ),
    (
        concat!("unimplemented", "!("),
        "an unfinished path ends in an error, never in a panic",
    ),
    (concat!("#[", "ignore"), "a test that does not run proves nothing"),
    (
        concat!("unbounded", "_channel"),
        "every queue has a limit, and the limit has a name",
    ),
    (concat!("TO", "DO"), "file an issue instead"),
    (concat!("FIX", "ME"), "file an issue instead"),
    (concat!("XX", "X:"), "file an issue instead"),
];

/// Words that only tests may use.
const TESTS_ONLY: &[(&str, &str)] = &[(
    concat!(".unw", "rap()"),
    "write expect(\"why it cannot fail\"), or return the error",
)];

/// Suffixes of text files whose white space is looked at.
const TEXT_SUFFIXES: &[&str] = &[
    ".rs", ".md", ".toml", ".txt", ".sh", ".py", ".go", ".js", ".mjs", ".java", ".html", ".css", ".yml",
    ".yaml",
];

/// Every finding about the file `path` (relative to the root) with the contents `text`.
pub fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let generated = text
        .lines()
        .take(MARK_LINES)
        .any(|line| line.contains(GENERATED_MARK));
    if TEXT_SUFFIXES.iter().any(|suffix| path.ends_with(suffix)) && !generated {
        findings.extend(white_space(path, text));
    }
    if !path.ends_with(".rs") {
        return findings;
    }
    if !text.starts_with("//! ") {
        let what = "begins without `//!`: what it owns, what it never does, its invariant".to_owned();
        findings.push(finding("header", path, 1, what));
    }
    findings.extend(words(path, text));
    if !generated {
        findings.extend(file_lines(path, text));
        findings.extend(function_lines(path, text));
    }
    findings
}

fn white_space(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(finding(
                "white-space",
                path,
                index + 1,
                "ends in white space".to_owned(),
            ));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        let what = "the last line has no end".to_owned();
        findings.push(finding("white-space", path, text.lines().count(), what));
    }
    findings
}

fn words(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tests = is_test_file(path);
    for (index, line) in text.lines().enumerate() {
        // Inline test modules stand last in a file (rule "top-down files"), so from here on all is test.
        tests |= line.trim_start().starts_with("#[cfg(test)]") && opens_module(text, index);
        for (word, reason) in BANNED {
            if line.contains(word) {
                findings.push(finding("words", path, index + 1, format!("\"{word}\": {reason}")));
            }
        }
        let comment = line.trim_start().starts_with("//");
        for (word, reason) in TESTS_ONLY {
            if !tests && !comment && line.contains(word) {
                findings.push(finding("words", path, index + 1, format!("\"{word}\": {reason}")));
            }
        }
    }
    findings
}

/// Whether the line after `index` opens an inline module.
fn opens_module(text: &str, index: usize) -> bool {
    text.lines()
        .nth(index + 1)
        .is_some_and(|next| next.trim_start().starts_with("mod ") && next.ends_with('{'))
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

fn file_lines(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > FILE_LINES_MAX).then(|| {
        let what = format!("{lines} lines; the limit is {FILE_LINES_MAX}: split it");
        measured("file-lines", path.to_owned(), 0, lines, what)
    })
}

/// Functions that are too long. A body ends at the first line that is a closing brace in the column of its `fn` line.
fn function_lines(path: &str, text: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let length = lines[start..]
            .iter()
            .position(|line| {
                *line == end || (line.starts_with(indent) && line.ends_with(';') && at(indent, line))
            })
            .map_or(0, |found| found + 1);
        if length > FUNCTION_LINES_MAX {
            let what = format!("{length} lines; the limit is {FUNCTION_LINES_MAX}: split it");
            findings.push(measured(
                "function-lines",
                format!("{path}::{name}"),
                start + 1,
                length,
                what,
            ));
        }
    }
    findings
}

/// Whether the line's own indentation is `indent`, no deeper: then a `;` ends a function without a body.
fn at(indent: &str, line: &str) -> bool {
    !line[indent.len()..].starts_with([' ', '\t'])
}

/// The name, if the line begins a function.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(after) = rest.strip_prefix("pub") {
        rest = match after.strip_prefix('(') {
            Some(scoped) => scoped.split_once(')')?.1,
            None => after,
        };
        rest = rest.strip_prefix(' ')?;
    }
    for modifier in ["default ", "const ", "async "] {
        rest = rest.strip_prefix(modifier).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    let end = name.find(['(', '<'])?;
    Some(&name[..end])
}

fn finding(rule: &'static str, path: &str, line: usize, what: String) -> Finding {
    Finding {
        rule,
        place: path.to_owned(),
        line,
        measure: None,
        what,
    }
}

fn measured(rule: &'static str, place: String, line: usize, measure: usize, what: String) -> Finding {
    Finding {
        rule,
        place,
        line,
        measure: Some(measure),
        what,
    }
}
