//! The pages that a reader is promised: they exist, and their relative links lead somewhere.

use super::Finding;
use std::path::Path;

/// Pages that must be there.
const PAGES: &[&str] = &[
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/CONFIG.md",
    "docs/GLOSSARY.md",
    "docs/decisions/README.md",
];

/// Missing pages, and links of present ones that lead nowhere.
pub fn check(root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in PAGES {
        match std::fs::read_to_string(root.join(page)) {
            Ok(text) => findings.extend(dead_links(root, page, &text)),
            Err(error) => findings.push(finding(page, 0, format!("is missing: {error}"))),
        }
    }
    findings
}

/// Links `](target)` to files that do not exist. Addresses and anchors inside the page are not looked at.
pub fn dead_links(root: &Path, page: &str, text: &str) -> Vec<Finding> {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for after in line.split("](").skip(1) {
            let target = after.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !root.join(folder).join(target).exists() {
                findings.push(finding(
                    page,
                    index + 1,
                    format!("links to {target}, which does not exist"),
                ));
            }
        }
    }
    findings
}

fn finding(page: &str, line: usize, what: String) -> Finding {
    Finding {
        rule: "docs",
        place: page.to_owned(),
        line,
        measure: None,
        what,
    }
}
