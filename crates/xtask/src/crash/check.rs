//! The promises of the crash test, as a pure function of what clients were told and what can be read in the end.
//!
//! 1. Every acknowledged record is read at the offset of its acknowledgement.
//! 2. No value of an idempotent producer is read twice, acknowledged or not.
//! 3. The offsets of a partition are read strictly rising, from 0 and without a hole.
//! 4. No producer was given an error for good.
//! 5. The group consumer found nothing wrong, and committed and resumed at all.

use anyhow::{Context, bail};
use std::collections::HashMap;
use std::fmt;

/// How many violations are printed.
const SHOWN_MAX: usize = 20;

/// One producer and its journal: lines `<partition> <offset> <value>` and `ERROR <value> <reason>`.
pub struct Producer {
    /// Prefix of its values.
    pub name: &'static str,
    /// Whether promise 2 holds for it.
    pub idempotent: bool,
    /// The file's text.
    pub journal: String,
}

/// What was found.
#[derive(Debug)]
pub struct Verdict {
    /// Each broken promise, as a sentence.
    pub violations: Vec<String>,
    acknowledged: Vec<(&'static str, usize)>,
    records_read: usize,
    commits: usize,
    resumptions: usize,
}

/// Judges a whole run. `dump` has a line `<partition> <offset> <value>` for each record, in the order it was read.
pub fn check(producers: &[Producer], dump: &str, group: &str) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict {
        violations: Vec::new(),
        acknowledged: Vec::new(),
        records_read: 0,
        commits: count(group, "COMMIT "),
        resumptions: count(group, "RESUME "),
    };
    let read = verdict.read_dump(dump)?;
    for producer in producers {
        verdict.check_producer(producer, &read)?;
    }
    let broken = group.lines().filter_map(|line| line.strip_prefix("VIOLATION "));
    verdict
        .violations
        .extend(broken.map(|what| format!("group: {what}")));
    for (number, what) in [(verdict.commits, "commit"), (verdict.resumptions, "resumption")] {
        if number == 0 {
            verdict
                .violations
                .push(format!("group: not one {what} was seen, so nothing was tested"));
        }
    }
    Ok(verdict)
}

/// Where each value was read: partition and offset, once or more.
type Read<'a> = HashMap<&'a str, Vec<(u32, u64)>>;

impl Verdict {
    /// Promise 3, and the index for the others.
    fn read_dump<'a>(&mut self, dump: &'a str) -> anyhow::Result<Read<'a>> {
        let mut read: Read = HashMap::new();
        let mut next: HashMap<u32, u64> = HashMap::new();
        for line in dump.lines() {
            let (partition, offset, value) =
                record(line).with_context(|| format!("the final read has the line \"{line}\""))?;
            let expected = next.entry(partition).or_insert(0);
            if offset != *expected {
                self.violations.push(format!(
                    "partition {partition}: read offset {offset}, expected {expected}"
                ));
            }
            *expected = offset + 1;
            read.entry(value).or_default().push((partition, offset));
            self.records_read += 1;
        }
        Ok(read)
    }

    /// Promises 1, 2 and 4.
    fn check_producer(&mut self, producer: &Producer, read: &Read) -> anyhow::Result<()> {
        let mut acknowledged = 0;
        for line in producer.journal.lines() {
            if let Some(error) = line.strip_prefix("ERROR ") {
                self.violations
                    .push(format!("{}: gave up on {error}", producer.name));
                continue;
            }
            let (partition, offset, value) =
                record(line).with_context(|| format!("{} has the line \"{line}\"", producer.name))?;
            acknowledged += 1;
            let places = read.get(value).map_or(&[][..], Vec::as_slice);
            if !places.contains(&(partition, offset)) {
                self.violations.push(format!(
                    "{value}: acknowledged at partition {partition} offset {offset}, read at {places:?}"
                ));
            }
        }
        if producer.idempotent {
            let prefix = format!("{}-", producer.name);
            let twice = read
                .iter()
                .filter(|(value, places)| places.len() > 1 && value.starts_with(&prefix));
            let mut found: Vec<String> = twice
                .map(|(value, places)| format!("{value}: read {} times, at {places:?}", places.len()))
                .collect();
            found.sort();
            self.violations.extend(found);
        }
        self.acknowledged.push((producer.name, acknowledged));
        Ok(())
    }
}

fn record(line: &str) -> anyhow::Result<(u32, u64, &str)> {
    let mut words = line.splitn(3, ' ');
    let (Some(partition), Some(offset), Some(value)) = (words.next(), words.next(), words.next()) else {
        bail!("a record wants partition, offset and value");
    };
    Ok((partition.parse()?, offset.parse()?, value))
}

fn count(text: &str, prefix: &str) -> usize {
    text.lines().filter(|line| line.starts_with(prefix)).count()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, number) in &self.acknowledged {
            writeln!(f, "{name:<24} {number:>8} records acknowledged")?;
        }
        writeln!(f, "{:<24} {:>8} records", "final read", self.records_read)?;
        writeln!(
            f,
            "{:<24} {:>8} commits confirmed, {} resumptions checked",
            "group", self.commits, self.resumptions
        )?;
        for violation in self.violations.iter().take(SHOWN_MAX) {
            writeln!(f, "VIOLATION {violation}")?;
        }
        let more = self.violations.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            writeln!(f, "... and {more} more")?;
        }
        write!(f, "{} broken promises", self.violations.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Producer, check};

    const GROUP: &str = "COMMIT 0 1\nRESUME 0 1\n";

    fn violations(idempotent: bool, journal: &str, dump: &str, group: &str) -> Vec<String> {
        let producer = Producer {
            name: "p",
            idempotent,
            journal: journal.to_owned(),
        };
        check(&[producer], dump, group)
            .expect("well-formed text")
            .violations
    }

    #[test]
    fn a_clean_history_has_no_violation() {
        let dump = "0 0 p-0\n0 1 p-1\n1 0 p-2\n";
        assert_eq!(
            violations(true, "0 0 p-0\n1 0 p-2\n", dump, GROUP),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_lost_and_a_moved_acknowledged_record_are_found() {
        assert_eq!(violations(true, "0 1 p-1\n", "0 0 p-0\n", GROUP).len(), 1);
        assert_eq!(
            violations(true, "0 0 p-1\n", "0 0 p-0\n0 1 p-1\n", GROUP).len(),
            1
        );
    }

    #[test]
    fn a_second_copy_is_found_for_idempotent_producers_only() {
        let dump = "0 0 p-0\n0 1 p-0\n";
        assert_eq!(violations(true, "", dump, GROUP).len(), 1);
        assert_eq!(violations(false, "", dump, GROUP).len(), 0);
    }

    #[test]
    fn holes_and_repeated_offsets_are_found() {
        assert_eq!(violations(false, "", "0 0 p-0\n0 2 p-1\n", GROUP).len(), 1);
        assert_eq!(violations(false, "", "0 0 p-0\n0 0 p-1\n", GROUP).len(), 1);
    }

    #[test]
    fn what_the_group_and_the_producers_complain_of_counts() {
        let group = format!("{GROUP}VIOLATION partition 0: resumed at 7\n");
        assert_eq!(violations(false, "", "", &group).len(), 1);
        assert_eq!(violations(false, "ERROR p-0 OUT_OF_ORDER\n", "", GROUP).len(), 1);
        assert_eq!(violations(false, "", "", "").len(), 2);
    }
}
