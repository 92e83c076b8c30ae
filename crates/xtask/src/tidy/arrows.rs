//! The arrows between the crates (docs/ARCHITECTURE.md, "Crates"): an edge that is not in [`ALLOWED`] is a finding. The layering is
//! kept by the compiler, and by this table the compiler's input is kept.

use super::Finding;
use crate::shell::{cargo, output};
use anyhow::Context;
use serde_json::Value;

/// Every project crate's name begins so.
const PREFIX: &str = "millstream-";

/// For each crate, the crates that it may name, in any kind of dependency. `*` stands for all but those after it.
const ALLOWED: &[(&str, &[&str])] = &[
    ("log", &[]),
    ("meta", &["log"]),
    ("broker", &["log", "meta"]),
    ("kafka-wire", &[]),
    ("kafka", &["broker", "kafka-wire"]),
    ("admin", &["broker"]),
    (
        "server",
        &["admin", "broker", "kafka", "kafka-wire", "log", "meta"],
    ),
    (
        "sim",
        &["admin", "broker", "kafka", "kafka-wire", "log", "meta", "server"],
    ),
    // Code generation and the load tools speak the wire format; nothing of the broker itself is a developer task.
    ("xtask", &["kafka-wire", "log"]),
];

/// Procedural macros cost compile time for everything above; these crates have everything above them.
const NO_PROC_MACROS: &[&str] = &["log", "meta", "kafka-wire"];

/// Well-known crates whose use means derive macros.
const PROC_MACRO_CRATES: &[&str] = &["thiserror", "serde_derive", "serde", "async-trait", "strum"];

/// Findings of the workspace of this very build.
pub fn check() -> anyhow::Result<Vec<Finding>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata printed no JSON")?;
    let mut edges = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let from = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let dev = dependency["kind"].as_str() == Some("dev");
            edges.push(Edge {
                from: from.to_owned(),
                to: to.to_owned(),
                kind: if dev { Kind::Dev } else { Kind::Shipped },
            });
        }
    }
    Ok(judge(&edges))
}

/// Whether a dependency is only there for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Shipped,
    Dev,
}

/// One crate names another.
#[derive(Clone, Debug)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub kind: Kind,
}

/// The edges that the table does not allow.
pub fn judge(edges: &[Edge]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for edge in edges {
        let from = edge.from.strip_prefix(PREFIX).unwrap_or(&edge.from);
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == from) else {
            findings.push(finding(
                from,
                format!("has no row in the table of arrows ({})", file!()),
            ));
            continue;
        };
        match edge.to.strip_prefix(PREFIX) {
            // A crate names itself to switch one of its features on for its own tests.
            Some(to) if to == from && edge.kind == Kind::Dev => {}
            Some(to) if !allowed.contains(&to) => {
                findings.push(finding(
                    from,
                    format!("may not depend on {to}; allowed: {allowed:?}"),
                ));
            }
            None if edge.kind == Kind::Shipped
                && NO_PROC_MACROS.contains(&from)
                && PROC_MACRO_CRATES.contains(&edge.to.as_str()) =>
            {
                let what = format!(
                    "depends on {}: below the broker there are no derive macros",
                    edge.to
                );
                findings.push(finding(from, what));
            }
            _ => {}
        }
    }
    findings
}

fn finding(from: &str, what: String) -> Finding {
    Finding {
        rule: "arrows",
        place: format!("crates/{from}/Cargo.toml"),
        line: 0,
        measure: None,
        what,
    }
}
