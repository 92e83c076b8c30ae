//! The words of a text and their counts, and what a word count that is exactly once must have written: pure functions.
//!
//! With a record for each word and no cache, the committed records of a word are 1, 2, 3 and so on to its count: a word that was
//! counted twice skips or repeats a number, one that was left out stops short.

use anyhow::{Context, bail};
use std::collections::BTreeMap;

/// How often each word occurs.
pub type Counts = BTreeMap<String, u64>;

/// Counts the words of a line as the program does: runs of the letters A to Z, in lower case. How many there were.
pub fn count(line: &[u8], counts: &mut Counts) -> u64 {
    let words = line
        .split(|byte| !byte.is_ascii_alphabetic())
        .filter(|word| !word.is_empty());
    let mut found = 0;
    for word in words {
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        *counts.entry(word).or_default() += 1;
        found += 1;
    }
    found
}

/// How an output differs from what it must be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Committed records.
    pub records: u64,
    /// Words whose last count is not the right one, and words that are not in the text.
    pub wrong: u64,
    /// Records that do not follow the one before of their word.
    pub out_of_sequence: u64,
}

/// Judges lines `<partition> <offset> <word> <count>` of a dump of committed records.
pub fn judge(dump: &str, expected: &Counts) -> anyhow::Result<Verdict> {
    let mut last = Counts::new();
    let mut verdict = Verdict::default();
    for line in dump.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, _, word, count] = fields[..] else {
            bail!("no record in {line:?}");
        };
        let count: u64 = count.parse().with_context(|| format!("no count in {line:?}"))?;
        let before = last.insert(word.to_owned(), count).unwrap_or(0);
        verdict.records += 1;
        verdict.out_of_sequence += u64::from(count != before + 1);
    }
    let unknown = last.keys().filter(|word| !expected.contains_key(*word)).count();
    let wrong = expected
        .iter()
        .filter(|(word, count)| last.get(*word) != Some(count))
        .count();
    verdict.wrong = (wrong + unknown) as u64;
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Counts {
        let mut counts = Counts::new();
        assert_eq!(count(b"It is, it's\xffIT 3x", &mut counts), 6);
        counts
    }

    #[test]
    fn words_are_runs_of_letters_in_lower_case() {
        let counts: Vec<(String, u64)> = expected().into_iter().collect();
        let named = |word: &str, count| (word.to_owned(), count);
        assert_eq!(
            counts,
            [named("is", 1), named("it", 3), named("s", 1), named("x", 1)]
        );
    }

    #[test]
    fn only_the_right_counts_in_sequence_are_right() {
        let right = "0 0 it 1\n0 1 is 1\n0 2 it 2\n1 0 s 1\n1 5 x 1\n0 9 it 3\n";
        let verdict = judge(right, &expected()).expect("a dump");
        assert_eq!(
            (verdict.records, verdict.wrong, verdict.out_of_sequence),
            (6, 0, 0)
        );
        // Counted twice, counted never, and a word from nowhere.
        let twice = judge(&format!("{right}0 11 it 4\n"), &expected()).expect("a dump");
        assert_eq!((twice.wrong, twice.out_of_sequence), (1, 0));
        let again = judge(&format!("{right}0 11 it 3\n"), &expected()).expect("a dump");
        assert_eq!((again.wrong, again.out_of_sequence), (0, 1));
        let short = judge("0 0 it 1\n0 1 is 1\n", &expected()).expect("a dump");
        assert_eq!((short.wrong, short.out_of_sequence), (3, 0));
        let unknown = judge(&format!("{right}0 11 ti 1\n"), &expected()).expect("a dump");
        assert_eq!(unknown.wrong, 1);
    }
}
