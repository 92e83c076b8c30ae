//! A page of the docs that several tasks write: each task owns the text between its own two markers.
//!
//! Invariant: writing one section leaves every other section as it was, whichever task wrote first.

use crate::shell::root;
use anyhow::Context;

/// One page and its sections.
pub struct Page {
    /// From the root of the workspace.
    pub path: &'static str,
    /// What stands above the first section.
    pub head: &'static str,
    /// The sections in the order of the page.
    pub sections: &'static [&'static str],
}

/// Stock clients and the suites of other projects.
pub const CLIENTS: Page = Page {
    path: "docs/CLIENTS.md",
    head: "# Clients and suites of other projects\n\n\
           Written by tasks, not by hand: `cargo xtask clients --write` and `cargo xtask suites --write`, each its own section.\n",
    sections: &["clients", "secured", "suites"],
};

/// Where CPU time and system calls go.
pub const PROFILES: Page = Page {
    path: "docs/profiles/README.md",
    head: "# Profiles\n\n\
           Where the broker's CPU time goes and how often it calls the kernel, on its defaults. Written by `cargo xtask profile --write`, not \
           by hand. A flame graph, opened by itself, can be searched and zoomed into; what is below 0.5 % is left out.\n\n\
           What a request may cost in allocations, reads and writes is kept by tests that count: `crates/kafka/tests/it/cost.rs`.\n",
    sections: &["produce", "consume"],
};

impl Page {
    /// Replaces one section of the page on disk.
    pub fn write(&self, section: &str, text: &str) -> anyhow::Result<()> {
        let path = root().join(self.path);
        // A page that does not exist yet has no other section to keep.
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        let new = self.replaced(&old, section, text);
        std::fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
        Ok(())
    }

    fn replaced(&self, old: &str, section: &str, text: &str) -> String {
        let mut page = self.head.to_owned();
        for name in self.sections {
            let (begin, end) = (
                format!("\n<!-- begin {name} -->\n"),
                format!("\n<!-- end {name} -->\n"),
            );
            let body = if *name == section {
                Some(text)
            } else {
                old.split_once(&begin)
                    .and_then(|(_, rest)| rest.split_once(&end))
                    .map(|(body, _)| body)
            };
            if let Some(body) = body {
                page += &begin;
                page += body.trim_end();
                page += &end;
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::CLIENTS;

    #[test]
    fn each_task_replaces_its_own_section_and_keeps_the_other() {
        let first = CLIENTS.replaced("", "suites", "suites one\n");
        let second = CLIENTS.replaced(&first, "clients", "clients one\n");
        let third = CLIENTS.replaced(&second, "suites", "suites two\n");
        assert!(!third.contains("suites one"), "{third}");
        let (clients, suites) = (third.find("clients one"), third.find("suites two"));
        assert!(clients.is_some() && clients < suites, "{third}");
        assert_eq!(CLIENTS.replaced(&third, "suites", "suites two\n"), third);
    }
}
