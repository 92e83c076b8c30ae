//! All numbers of a run, their medians and spread, and the tables made of them.

use super::metric::{Better, CPU_GB, Metric, RATE, Target};
use super::party::Party;
use super::workload::{WORKLOADS, Workload};
use std::fmt::Write;

/// The verdict on a target that was not reached.
const MISSED: &str = "**no**";

/// What the bare loop is the yardstick of.
const AGAINST_THE_BARE_LOOP: [&Metric; 2] = [&RATE, &CPU_GB];

/// One value of one turn.
pub struct Number {
    /// Whose.
    pub party: Party,
    /// Name of the workload.
    pub workload: &'static str,
    /// What it is.
    pub metric: &'static Metric,
    /// In the metric's unit.
    pub value: f64,
}

/// A workload that gave no numbers in a turn.
#[derive(PartialEq, Eq)]
pub struct Failure {
    /// Whose.
    pub party: Party,
    /// Name of the workload.
    pub workload: &'static str,
    /// The error.
    pub why: String,
}

/// Everything that was measured.
pub struct Measured {
    parties: Vec<Party>,
    numbers: Vec<Number>,
    failures: Vec<Failure>,
    /// For each run: when, where, how.
    runs: Vec<String>,
}

impl Measured {
    /// Nothing yet.
    pub fn new(parties: &[Party]) -> Self {
        Self {
            parties: parties.to_vec(),
            numbers: Vec::new(),
            failures: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Adds one turn's value.
    pub fn add(&mut self, party: Party, workload: &'static str, metric: &'static Metric, value: f64) {
        self.numbers.push(Number {
            party,
            workload,
            metric,
            value,
        });
    }

    /// Adds one turn's failure.
    pub fn fail(&mut self, party: Party, workload: &'static str, why: &str) {
        let failure = Failure {
            party,
            workload,
            why: why.to_owned(),
        };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    /// Adds what the page says about a run.
    pub fn ran(&mut self, line: String) {
        self.runs.push(line);
    }

    /// Of every run.
    pub fn runs(&self) -> &[String] {
        &self.runs
    }

    /// Of every turn.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// Of every turn.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Whether anything is known of a workload.
    pub fn knows(&self, workload: &str) -> bool {
        self.numbers.iter().any(|n| n.workload == workload)
            || self.failures.iter().any(|f| f.workload == workload)
    }

    /// Takes over another run's parties, and its workloads of which this one has no numbers.
    pub fn absorb(&mut self, other: Self) {
        for party in other.parties {
            if !self.parties.contains(&party) {
                self.parties.push(party);
            }
        }
        let has = |numbers: &[Number], workload: &str| numbers.iter().any(|n| n.workload == workload);
        let known: Vec<&str> = WORKLOADS
            .iter()
            .map(|workload| workload.name)
            .filter(|name| has(&self.numbers, name))
            .collect();
        let is_new = |workload: &str| !known.contains(&workload);
        self.failures
            .retain(|f| !(is_new(f.workload) && has(&other.numbers, f.workload)));
        self.numbers
            .extend(other.numbers.into_iter().filter(|n| is_new(n.workload)));
        for failure in other.failures.iter().filter(|f| is_new(f.workload)) {
            self.fail(failure.party, failure.workload, &failure.why);
        }
        self.runs.extend(other.runs);
    }

    /// Markdown: the targets, one table for each workload, and what failed.
    pub fn tables(&self) -> String {
        let mut text = self.target_table();
        for workload in WORKLOADS.iter().filter(|workload| self.knows(workload.name)) {
            text += &self.table(workload);
        }
        if !self.failures.is_empty() {
            text += "### Rows that failed\n\n";
            for failure in &self.failures {
                writeln!(
                    text,
                    "- {}, {}: {}",
                    failure.workload,
                    failure.party.label(),
                    failure.why.replace('\n', " ")
                )
                .expect("a String takes every write");
            }
        }
        text.trim_end().to_owned() + "\n"
    }

    /// Every target, measured in this run or not.
    fn target_table(&self) -> String {
        let mut text = "### Targets\n\n\
            | workload | metric | Millstream | Kafka | ahead | target | met |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
        for workload in WORKLOADS {
            for (metric, target) in workload.targets {
                let ours = self.values(Party::MILLSTREAM, workload.name, metric);
                let kafkas = self.values(Party::KAFKA, workload.name, metric);
                writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    workload.name,
                    metric.name,
                    spread(&ours),
                    spread(&kafkas),
                    times(metric.ahead(median(&ours), median(&kafkas))),
                    target.text(),
                    self.verdict(workload, metric, *target),
                )
                .expect("a String takes every write");
            }
        }
        text + "\n"
    }

    fn verdict(&self, workload: &Workload, metric: &Metric, target: Target) -> &'static str {
        let ours = median(&self.values(Party::MILLSTREAM, workload.name, metric));
        let kafkas = median(&self.values(Party::KAFKA, workload.name, metric));
        match target.is_met(metric, ours, kafkas) {
            Some(true) => "yes",
            Some(false) => MISSED,
            None => "not measured",
        }
    }

    fn table(&self, workload: &Workload) -> String {
        let of = |number: &&Number| number.workload == workload.name;
        let parties: Vec<Party> = self
            .parties
            .iter()
            .copied()
            .filter(|party| self.numbers.iter().filter(of).any(|n| n.party == *party))
            .collect();
        let others: Vec<Party> = parties
            .iter()
            .copied()
            .filter(|party| party.is_rival() && parties.contains(&Party::MILLSTREAM))
            .collect();
        let mut columns: Vec<String> = parties.iter().map(|party| party.label().to_owned()).collect();
        columns.extend(others.iter().map(|party| format!("ahead of {}", party.label())));
        if !workload.targets.is_empty() {
            columns.extend(["target", "met"].map(str::to_owned));
        }
        let mut text = format!(
            "### {}: {}\n\n| | {} |\n|---|{}\n",
            workload.name,
            workload.about,
            columns.join(" | "),
            "---|".repeat(columns.len())
        );
        for metric in self.metrics(workload.name) {
            text += &self.row(workload, metric, &parties, &others);
        }
        if parties.contains(&Party::BareLoop) && parties.len() > 1 {
            text += &self.against_the_bare_loop(workload, &parties);
        }
        let is_missed =
            |(metric, target): &(&'static Metric, Target)| self.verdict(workload, metric, *target) == MISSED;
        if !workload.limit.is_empty() && workload.targets.iter().any(is_missed) {
            text += &format!("\nWhat limits it: {}\n", workload.limit);
        }
        text + "\n"
    }

    /// A workload's metrics in the order in which they were added.
    fn metrics(&self, workload: &str) -> Vec<&'static Metric> {
        let mut metrics: Vec<&'static Metric> = Vec::new();
        for number in self.numbers.iter().filter(|n| n.workload == workload) {
            if !metrics.contains(&number.metric) {
                metrics.push(number.metric);
            }
        }
        metrics
    }

    fn row(
        &self,
        workload: &Workload,
        metric: &'static Metric,
        parties: &[Party],
        others: &[Party],
    ) -> String {
        let mut cells = vec![metric.name.to_owned()];
        cells.extend(
            parties
                .iter()
                .map(|party| spread(&self.values(*party, workload.name, metric))),
        );
        let ours = median(&self.values(Party::MILLSTREAM, workload.name, metric));
        for other in others {
            let theirs = median(&self.values(*other, workload.name, metric));
            cells.push(match metric.better {
                Better::Neither => String::new(),
                Better::Higher | Better::Lower => times(metric.ahead(ours, theirs)),
            });
        }
        if !workload.targets.is_empty() {
            let target = workload.targets.iter().find(|(named, _)| *named == metric);
            cells.push(target.map_or_else(String::new, |(_, target)| target.text()));
            let verdict = target.map(|(_, target)| self.verdict(workload, metric, *target));
            cells.push(verdict.unwrap_or_default().to_owned());
        }
        format!("| {} |\n", cells.join(" | "))
    }

    /// Every broker's throughput and CPU time as multiples of the bare loop's.
    fn against_the_bare_loop(&self, workload: &Workload, parties: &[Party]) -> String {
        let ratios = |metric: &'static Metric| {
            let of = |party: Party| median(&self.values(party, workload.name, metric));
            let brokers = parties.iter().filter(|party| **party != Party::BareLoop);
            let each = brokers.map(|party| {
                let ratio = times(of(*party) / of(Party::BareLoop));
                format!("{ratio} ({})", party.label())
            });
            format!("{} {}", metric.name, each.collect::<Vec<_>>().join(", "))
        };
        let text = AGAINST_THE_BARE_LOOP.map(ratios).join("; ");
        format!("\nTimes the bare loop's: {text}.\n")
    }

    fn values(&self, party: Party, workload: &str, metric: &Metric) -> Vec<f64> {
        let mut values: Vec<f64> = self
            .numbers
            .iter()
            .filter(|n| n.party == party && n.workload == workload && n.metric == metric)
            .map(|n| n.value)
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

/// Of sorted values.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Median and, when there are several values, the smallest and the largest.
fn spread(sorted: &[f64]) -> String {
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if sorted.len() > 1 => {
            format!("{} ({}..{})", short(median(sorted)), short(*least), short(*most))
        }
        (Some(only), _) => short(*only),
        _ => "-".to_owned(),
    }
}

fn times(ahead: f64) -> String {
    match ahead.is_nan() {
        true => "-".to_owned(),
        false => format!("{ahead:.2}"),
    }
}

/// Three digits that matter.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::metric::FLUSH_P99;
    use super::*;

    fn measured() -> Measured {
        let mut measured = Measured::new(&[Party::MILLSTREAM, Party::KAFKA]);
        for (metric, ours, theirs) in [(&RATE, 4.0, 2.0), (&CPU_GB, 4.0, 2.0)] {
            measured.add(Party::MILLSTREAM, "produce-1", metric, ours);
            measured.add(Party::KAFKA, "produce-1", metric, theirs);
        }
        measured
    }

    #[test]
    fn above_one_means_that_millstream_is_better_whichever_way_that_is() {
        let tables = measured().tables();
        let row = |metric: &Metric, rest: &str| format!("| {} | {rest} |", metric.name);
        let ahead = row(&RATE, "4.00 | 2.00 | 2.00 | 2 times ahead of Kafka | yes");
        let behind = row(&CPU_GB, "4.00 | 2.00 | 0.50 | 3 times ahead of Kafka | **no**");
        assert!(tables.contains(&ahead), "{tables}");
        assert!(tables.contains(&behind), "{tables}");
        assert!(tables.contains("### produce-1: "), "{tables}");
    }

    #[test]
    fn the_bare_loop_is_a_column_and_what_every_broker_is_a_multiple_of() {
        let mut measured = measured();
        measured.parties.push(Party::BareLoop);
        measured.add(Party::BareLoop, "produce-1", &RATE, 8.0);
        measured.add(Party::BareLoop, "produce-1", &CPU_GB, 1.0);
        let tables = measured.tables();
        for text in [
            "| | Millstream | Kafka | bare loop | ahead of Kafka | target | met |",
            "| throughput, MB/s | 4.00 | 2.00 | 8.00 | 2.00 | 2 times ahead of Kafka | yes |",
            "Times the bare loop's: throughput, MB/s 0.50 (Millstream), 0.25 (Kafka); \
             broker CPU-seconds a GB 4.00 (Millstream), 2.00 (Kafka).",
        ] {
            assert!(tables.contains(text), "{text} in {tables}");
        }
    }

    #[test]
    fn what_the_disk_did_puts_nobody_ahead() {
        let mut measured = Measured::new(&[Party::MILLSTREAM, Party::KAFKA]);
        measured.add(Party::MILLSTREAM, "latency-1000", &FLUSH_P99, 4.0);
        measured.add(Party::KAFKA, "latency-1000", &FLUSH_P99, 2.0);
        let tables = measured.tables();
        let row = format!("| {} | 4.00 | 2.00 |  |\n", FLUSH_P99.name);
        assert!(tables.contains(&row), "{tables}");
    }

    #[test]
    fn what_limits_a_workload_is_said_where_a_target_is_missed() {
        let missed = measured().tables();
        assert!(missed.contains("What limits it: "), "{missed}");
        let mut met = Measured::new(&[Party::MILLSTREAM, Party::KAFKA]);
        for metric in [&RATE, &CPU_GB] {
            let (ours, theirs) = if metric == &RATE { (9.0, 1.0) } else { (1.0, 9.0) };
            met.add(Party::MILLSTREAM, "produce-1", metric, ours);
            met.add(Party::KAFKA, "produce-1", metric, theirs);
        }
        let met = met.tables();
        assert!(!met.contains("What limits it: "), "{met}");
    }

    #[test]
    fn every_target_has_a_row_though_it_was_not_measured() {
        let tables = measured().tables();
        let missing = "| restart | first record acknowledged, s | - | - | - | at most 1 | not measured |";
        assert!(tables.contains(missing), "{tables}");
    }

    #[test]
    fn a_failed_row_is_named_once_and_costs_no_other() {
        let mut measured = measured();
        measured.fail(Party::KAFKA, "consume", "no\nluck");
        measured.fail(Party::KAFKA, "consume", "no\nluck");
        let tables = measured.tables();
        assert_eq!(
            tables.matches("- consume, Kafka: no luck\n").count(),
            1,
            "{tables}"
        );
        assert!(tables.contains("### produce-1: "), "{tables}");
    }

    #[test]
    fn a_workload_is_never_mixed_from_two_runs() {
        let mut first = measured();
        let mut second = Measured::new(&[Party::MILLSTREAM, Party::KAFKA_FLUSHING]);
        second.add(Party::KAFKA_FLUSHING, "produce-1", &RATE, 100.0);
        second.add(Party::MILLSTREAM, "consume", &RATE, 5.0);
        first.fail(Party::KAFKA, "consume", "it failed at first");
        first.absorb(second);
        assert!(first.failures().is_empty(), "the row is there now");
        assert!(first.values(Party::KAFKA_FLUSHING, "produce-1", &RATE).is_empty());
        assert_eq!(first.values(Party::MILLSTREAM, "consume", &RATE), [5.0]);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert_eq!(spread(&[1.0, 2.0, 300.0]), "2.00 (1.00..300)");
        assert_eq!(spread(&[]), "-");
    }
}
