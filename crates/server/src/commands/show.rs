//! What commands print: tables for people, JSON for scripts, progress bars on long work.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

impl Output {
    /// Prints that something was done to a named thing.
    pub fn done(self, done: &str, kind: &str, name: &str) -> anyhow::Result<()> {
        match self {
            Self::Json => json(&serde_json::json!({ kind: name, "result": done })),
            Self::Text => line(&format!("{done} {kind} {name}")),
        }
    }
}

/// Prints a value as one JSON document.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Prints a line.
pub fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints rows below their heads, columns aligned. Columns whose cells are all numbers stand right.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    io::stdout()
        .lock()
        .write_all(table_text(heads, rows).as_bytes())?;
    Ok(())
}

/// See [`table`].
#[must_use]
pub fn table_text(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let is_number = |cell: &String| cell == "-" || cell.parse::<i64>().is_ok();
    let columns: Vec<(usize, bool)> = (0..heads.len())
        .map(|column| {
            (
                width(column),
                !rows.is_empty() && rows.iter().all(|row| is_number(&row[column])),
            )
        })
        .collect();
    let mut out = String::new();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut text = String::new();
        for (cell, (width, right)) in row.iter().zip(&columns) {
            let padding = " ".repeat(width - cell.chars().count());
            let (before, after) = if *right {
                (padding.as_str(), "")
            } else {
                ("", padding.as_str())
            };
            text.extend([before, cell, after, "  "]);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// What a progress bar counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Bytes of input.
    Bytes,
    /// Things.
    Items,
}

/// A bar on the standard error; none when that is no terminal, so that scripts and logs stay clean.
#[must_use]
pub fn progress(unit: Unit, total: u64, what: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = match unit {
        Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        Unit::Items => "{msg} {wide_bar} {pos}/{len} {eta}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_message(what.to_owned());
    bar
}

/// A count with its noun: `1 record`, `2 records`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
