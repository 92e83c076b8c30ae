//! The allow list: what exceeds a measured limit, by how much, and why. A ratchet: rows may only shrink and vanish.

use super::Finding;
use anyhow::{Context, bail};

/// Where the list is kept.
pub const FILE: &str = "crates/xtask/tidy-allow.txt";

/// One row: `<rule> <place> <most> <reason>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1-based line in the list.
    pub line: usize,
    /// Name of the rule.
    pub rule: String,
    /// File, or `file::function`.
    pub place: String,
    /// The measure that is put up with, at most.
    pub most: usize,
}

/// Reads the list. Empty lines and lines that begin with `#` say nothing.
pub fn parse(text: &str) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        rows.push(parse_row(index + 1, line).with_context(|| format!("{FILE}:{}", index + 1))?);
    }
    Ok(rows)
}

fn parse_row(line: usize, text: &str) -> anyhow::Result<Row> {
    let mut words = text.split_whitespace();
    let (Some(rule), Some(place), Some(most)) = (words.next(), words.next(), words.next()) else {
        bail!("a row is: <rule> <place> <most> <reason>");
    };
    if words.next().is_none() {
        bail!("a row gives its reason");
    }
    Ok(Row {
        line,
        rule: rule.to_owned(),
        place: place.to_owned(),
        most: most.parse().context("the third word is a number")?,
    })
}

/// Findings that no row covers, and findings about rows that allow more than is needed.
pub fn apply(rows: &[Row], findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept = Vec::new();
    let mut needed = vec![0; rows.len()];
    for finding in findings {
        let row = rows
            .iter()
            .position(|row| row.rule == finding.rule && row.place == finding.place);
        match (row, finding.measure) {
            (Some(index), Some(measure)) if measure <= rows[index].most => {
                needed[index] = needed[index].max(measure);
            }
            _ => kept.push(finding),
        }
    }
    for (row, needed) in rows.iter().zip(needed) {
        if needed < row.most {
            kept.push(stale(row, needed));
        }
    }
    kept
}

fn stale(row: &Row, needed: usize) -> Finding {
    let what = match needed {
        0 => format!(
            "\"{} {}\" is within the limit now: take the row out",
            row.rule, row.place
        ),
        _ => format!("\"{} {}\" needs only {needed} now: lower it", row.rule, row.place),
    };
    Finding {
        rule: "allow",
        place: FILE.to_owned(),
        line: row.line,
        measure: None,
        what,
    }
}
