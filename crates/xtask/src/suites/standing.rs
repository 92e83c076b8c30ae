//! Failures that stand because we decided so: which page under `docs/decisions/` says why.
//!
//! **Invariant**: every test that passes on Apache Kafka and fails here by the records under `tests/suites/` has a row, or a note of what
//! in its surroundings made it fail (`tests/suites/NAME.notes`); every row has a page and a test that passes on Kafka. A failure without a page is a fault to be mended, not one to be listed.

/// Suite, test, page.
const STANDING: &[(&str, &str, &str)] = &[
    (
        "rust-rdkafka",
        "test_low_producers::test_base_producer_timeout",
        "answers-are-not-held-back.md",
    ),
    (
        "librdkafka",
        "0077_compaction",
        "compaction-waits-for-the-upload.md",
    ),
];

/// The page that explains a failure.
pub fn page(suite: &str, test: &str) -> Option<&'static str> {
    let found = STANDING.iter().find(|row| (row.0, row.1) == (suite, test));
    found.map(|(_, _, page)| *page)
}

#[cfg(test)]
mod tests {
    use super::super::outcome::{Outcome, Record};
    use super::super::{SUITES, sources};
    use super::{STANDING, page};
    use crate::brokers::Peer;
    use crate::shell::root;

    fn record(suite: &str, peer: Peer) -> Record {
        Record::read(suite, peer).expect("the records parse")
    }

    #[test]
    fn a_failure_that_counts_is_explained_by_a_page() {
        let mut silent = Vec::new();
        for suite in SUITES {
            let there = record(suite.name, Peer::Kafka);
            let notes = sources::notes(suite.name);
            for (test, outcome) in record(suite.name, Peer::Millstream).tests {
                let counts = matches!(outcome, Outcome::Failed(_)) && there.passes(&test);
                if counts && page(suite.name, &test).is_none() && !notes.contains_key(&test) {
                    silent.push(format!("{} {test}", suite.name));
                }
            }
        }
        assert_eq!(silent, [""; 0], "mend it, or write a page and a row");
    }

    #[test]
    fn a_page_that_is_named_is_there_and_its_test_is_a_judge() {
        let decisions = root().join("docs/decisions");
        let list = std::fs::read_to_string(decisions.join("README.md")).expect("a list");
        for (suite, test, page) in STANDING {
            assert!(record(suite, Peer::Kafka).passes(test), "{suite} {test}");
            assert!(decisions.join(page).exists(), "{page} is missing");
            assert!(list.contains(&format!("]({page})")), "{page} is not listed");
        }
    }
}
