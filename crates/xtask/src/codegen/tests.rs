//! The committed files, and what the parser of schema tables refuses.

use super::parse::parse;

#[test]
fn the_committed_files_are_what_the_tables_give() {
    super::check().unwrap();
}

/// The error for a table whose request holds `fields`.
fn refused(fields: &str) -> String {
    let text =
        format!("# Test.\napi Test 7\nversions 2-9\nflexible 6\n\nrequest\n{fields}\n\nresponse\n  a int8\n");
    parse("Test.ws", &text).unwrap_err()
}

#[test]
fn mistakes_in_a_table_are_named_with_their_line() {
    let cases = [
        ("  a", "Test.ws:7: expected `NAME TYPE"),
        ("   a int8", "Test.ws:7: indentation"),
        ("    a int8", "Test.ws:7: indented deeper"),
        ("  a int8 1+", "leave 2-9"),
        ("  a int8 8-12", "leave 2-9"),
        ("  a int8 sticky", "unknown attribute `sticky`"),
        ("  a int8 default=null", "not nullable"),
        ("  a int8?", "a number cannot be null"),
        ("  a string 4+ tag=0", "flexible versions only"),
        ("  a bytes 6+ tag=0", "cannot be tagged"),
        ("  a []Inner 6+ tag=0\n    b bytes", "holds a byte field"),
        ("  a []bytes", "arrays of byte fields"),
        ("  a Missing", "not defined exactly once"),
        (
            "  a Inner\n    b int8\n  c Inner\n    d int8",
            "not defined exactly once",
        ),
        ("  struct Idle\n    b int8\n  a int8", "struct Idle is not used"),
        ("  a Inner\n    b []Inner", "contains itself"),
        ("  a Inner?\n    b int8", "defaults to null"),
    ];
    for (fields, expected) in cases {
        let error = refused(fields);
        assert!(error.contains(expected), "{fields:?}: {error}");
    }
}

#[test]
fn a_shared_struct_has_the_versions_of_all_its_users() {
    let fields = "  struct Pair\n    x int8 5+\n  a []Pair 3-4\n  b []Pair 7+";
    let text = format!("# Test.\napi Test 7\nversions 2-9\nflexible none\n\nrequest\n{fields}\n");
    let table = parse("Test.ws", &text).unwrap();
    let pair = table.messages[0].find("Pair").unwrap();
    assert_eq!((pair.versions.min, pair.versions.max), (3, 9));
}
