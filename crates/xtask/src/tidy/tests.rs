//! Tidy on small made-up files, then on this very tree.

use super::arrows::{Edge, Kind, judge};
use super::{allow, check, docs, source};
use crate::shell::root;

fn rules(path: &str, text: &str) -> Vec<&'static str> {
    source::check(path, text)
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

fn function_of(lines: usize) -> String {
    let body = "    work();\n".repeat(lines - 2);
    format!("//! Long.\nfn long() {{\n{body}}}\n")
}

#[test]
fn a_rust_file_opens_with_its_purpose() {
    assert_eq!(rules("a.rs", "fn main() {}\n"), ["header"]);
    assert!(rules("a.rs", "//! Owns nothing.\nfn main() {}\n").is_empty());
}

#[test]
fn a_function_fits_a_screen() {
    assert!(rules("a.rs", &function_of(source::FUNCTION_LINES_MAX)).is_empty());
    let findings = source::check("a.rs", &function_of(source::FUNCTION_LINES_MAX + 1));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].place, "a.rs::long");
    assert_eq!(findings[0].measure, Some(source::FUNCTION_LINES_MAX + 1));
}

#[test]
fn a_trait_method_without_a_body_is_not_measured_to_the_next_brace() {
    let filler = "    // filler\n".repeat(100);
    let text =
        format!("//! T.\ntrait T {{\n    fn a(&self);\n{filler}    fn b(\n        &self,\n    );\n}}\n");
    assert!(rules("a.rs", &text).is_empty());
}

#[test]
fn a_file_is_short_unless_it_is_generated() {
    let long = format!("//! Long.\n{}", "// line\n".repeat(source::FILE_LINES_MAX));
    assert_eq!(rules("a.rs", &long), ["file-lines"]);
    let generated = format!(
        "//! Written by codegen; {} edit.\n{}",
        "do not",
        "// line \n".repeat(source::FILE_LINES_MAX)
    );
    assert!(rules("a.rs", &generated).is_empty());
}

#[test]
fn unwrap_is_for_tests() {
    let call = concat!("x.unw", "rap();");
    let shipped = format!("//! A.\nfn a() {{ {call} }}\n");
    assert_eq!(rules("crates/a/src/a.rs", &shipped), ["words"]);
    assert!(rules("crates/a/src/a/tests.rs", &shipped).is_empty());
    let inline = format!("//! A.\n#[cfg(test)]\nmod tests {{\n    fn a() {{ {call} }}\n}}\n");
    assert!(rules("crates/a/src/a.rs", &inline).is_empty());
}

#[test]
fn a_sibling_test_module_does_not_excuse_the_file_that_names_it() {
    let call = concat!("x.unw", "rap();");
    let text = format!("//! A.\n#[cfg(test)]\nmod tests;\nfn a() {{ {call} }}\n");
    assert_eq!(rules("crates/a/src/a.rs", &text), ["words"]);
}

#[test]
fn unfinished_code_is_found_in_tests_too() {
    let text = format!("//! A.\nfn a() {{ {}{}) }}\n", "todo", "!(");
    assert_eq!(rules("crates/a/tests/it/main.rs", &text), ["words"]);
}

#[test]
fn trailing_white_space_is_found() {
    assert_eq!(rules("a.md", "one \ntwo\n"), ["white-space"]);
    assert_eq!(rules("a.md", "one"), ["white-space"]);
    assert!(rules("a.bin", "one \n").is_empty());
}

#[test]
fn an_arrow_that_points_up_is_found() {
    let edge = |from: &str, to: &str| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        kind: Kind::Shipped,
    };
    assert!(judge(&[edge("millstream-broker", "millstream-log")]).is_empty());
    assert!(judge(&[edge("millstream-broker", "serde")]).is_empty());
    assert_eq!(judge(&[edge("millstream-log", "millstream-broker")]).len(), 1);
    assert_eq!(judge(&[edge("millstream-log", "thiserror")]).len(), 1);
    assert_eq!(judge(&[edge("millstream-utils", "serde")]).len(), 1);
}

#[test]
fn the_allow_list_is_a_ratchet() {
    let rows = allow::parse("# comment\nfile-lines a.rs 510 one table\n").expect("a good list");
    let long = |lines: usize| format!("//! Long.\n{}", "// line\n".repeat(lines - 1));
    let judged = |lines: usize| allow::apply(&rows, source::check("a.rs", &long(lines)));
    assert!(judged(510).is_empty());
    assert_eq!(judged(511)[0].rule, "file-lines");
    assert!(judged(505)[0].what.contains("lower it"));
    assert!(judged(400)[0].what.contains("take the row out"));
}

#[test]
fn an_allowance_gives_its_reason() {
    assert!(allow::parse("file-lines a.rs 510\n").is_err());
    assert!(allow::parse("file-lines a.rs many because\n").is_err());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "[a](Cargo.toml) [b](no-such-file.md) [c](https://example.invalid/) [d](#here)\n";
    let findings = docs::dead_links(&root(), "README.md", text);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.contains("no-such-file.md"));
}

#[test]
fn this_tree_is_tidy() {
    let findings = check(&root()).expect("the tree can be read");
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}
