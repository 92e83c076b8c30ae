//! All numbers of a run, their medians and spread, and the tables made of them.

use super::metric::{Metric, Target};
use super::workload::{WORKLOADS, Workload};
use crate::brokers::Peer;
use std::fmt::Write;

/// The verdict on a target that was not reached.
const MISSED: &str = "**no**";

/// One value of one turn.
pub struct Number {
    /// Whose.
    pub peer: Peer,
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
    pub peer: Peer,
    /// Name of the workload.
    pub workload: &'static str,
    /// The error.
    pub why: String,
}

/// Everything that was measured.
pub struct Measured {
    peers: Vec<Peer>,
    numbers: Vec<Number>,
    failures: Vec<Failure>,
    /// For each run: when, where, how.
    runs: Vec<String>,
}

impl Measured {
    /// Nothing yet.
    pub fn new(peers: &[Peer]) -> Self {
        Self {
            peers: peers.to_vec(),
            numbers: Vec::new(),
            failures: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Adds one turn's value.
    pub fn add(&mut self, peer: Peer, workload: &'static str, metric: &'static Metric, value: f64) {
        self.numbers.push(Number {
            peer,
            workload,
            metric,
            value,
        });
    }

    /// Adds one turn's failure.
    pub fn fail(&mut self, peer: Peer, workload: &'static str, why: &str) {
        let failure = Failure {
            peer,
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

    /// Takes over another run's peers, and its workloads of which this one has no numbers.
    pub fn absorb(&mut self, other: Self) {
        for peer in other.peers {
            if !self.peers.contains(&peer) {
                self.peers.push(peer);
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
            self.fail(failure.peer, failure.workload, &failure.why);
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
                    label(failure.peer),
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
                let ours = self.values(Peer::Millstream, workload.name, metric);
                let kafkas = self.values(Peer::Kafka, workload.name, metric);
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
        let ours = median(&self.values(Peer::Millstream, workload.name, metric));
        let kafkas = median(&self.values(Peer::Kafka, workload.name, metric));
        match target.is_met(metric, ours, kafkas) {
            Some(true) => "yes",
            Some(false) => MISSED,
            None => "not measured",
        }
    }

    fn table(&self, workload: &Workload) -> String {
        let of = |number: &&Number| number.workload == workload.name;
        let peers: Vec<Peer> = self
            .peers
            .iter()
            .copied()
            .filter(|peer| self.numbers.iter().filter(of).any(|n| n.peer == *peer))
            .collect();
        let others: Vec<Peer> = peers
            .iter()
            .copied()
            .filter(|peer| *peer != Peer::Millstream && peers.contains(&Peer::Millstream))
            .collect();
        let mut columns: Vec<String> = peers.iter().map(|peer| label(*peer).to_owned()).collect();
        columns.extend(others.iter().map(|peer| format!("ahead of {}", label(*peer))));
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
            text += &self.row(workload, metric, &peers, &others);
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

    fn row(&self, workload: &Workload, metric: &'static Metric, peers: &[Peer], others: &[Peer]) -> String {
        let mut cells = vec![metric.name.to_owned()];
        cells.extend(
            peers
                .iter()
                .map(|peer| spread(&self.values(*peer, workload.name, metric))),
        );
        let ours = median(&self.values(Peer::Millstream, workload.name, metric));
        for other in others {
            let theirs = median(&self.values(*other, workload.name, metric));
            cells.push(times(metric.ahead(ours, theirs)));
        }
        if !workload.targets.is_empty() {
            let target = workload.targets.iter().find(|(named, _)| *named == metric);
            cells.push(target.map_or_else(String::new, |(_, target)| target.text()));
            let verdict = target.map(|(_, target)| self.verdict(workload, metric, *target));
            cells.push(verdict.unwrap_or_default().to_owned());
        }
        format!("| {} |\n", cells.join(" | "))
    }

    fn values(&self, peer: Peer, workload: &str, metric: &Metric) -> Vec<f64> {
        let mut values: Vec<f64> = self
            .numbers
            .iter()
            .filter(|n| n.peer == peer && n.workload == workload && n.metric == metric)
            .map(|n| n.value)
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

fn label(peer: Peer) -> &'static str {
    match peer {
        Peer::Millstream => "Millstream",
        Peer::Kafka => "Kafka",
        Peer::KafkaFlushing => "Kafka, flushing",
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
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::metric::{CPU_GB, RATE};
    use super::*;

    fn measured() -> Measured {
        let mut measured = Measured::new(&[Peer::Millstream, Peer::Kafka]);
        for (metric, ours, theirs) in [(&RATE, 4.0, 2.0), (&CPU_GB, 4.0, 2.0)] {
            measured.add(Peer::Millstream, "produce-1", metric, ours);
            measured.add(Peer::Kafka, "produce-1", metric, theirs);
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
    fn what_limits_a_workload_is_said_where_a_target_is_missed() {
        let missed = measured().tables();
        assert!(missed.contains("What limits it: "), "{missed}");
        let mut met = Measured::new(&[Peer::Millstream, Peer::Kafka]);
        for metric in [&RATE, &CPU_GB] {
            let (ours, theirs) = if metric == &RATE { (9.0, 1.0) } else { (1.0, 9.0) };
            met.add(Peer::Millstream, "produce-1", metric, ours);
            met.add(Peer::Kafka, "produce-1", metric, theirs);
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
        measured.fail(Peer::Kafka, "consume", "no\nluck");
        measured.fail(Peer::Kafka, "consume", "no\nluck");
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
        let mut second = Measured::new(&[Peer::Millstream, Peer::KafkaFlushing]);
        second.add(Peer::KafkaFlushing, "produce-1", &RATE, 100.0);
        second.add(Peer::Millstream, "consume", &RATE, 5.0);
        first.fail(Peer::Kafka, "consume", "it failed at first");
        first.absorb(second);
        assert!(first.failures().is_empty(), "the row is there now");
        assert!(first.values(Peer::KafkaFlushing, "produce-1", &RATE).is_empty());
        assert_eq!(first.values(Peer::Millstream, "consume", &RATE), [5.0]);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert_eq!(spread(&[1.0, 2.0, 300.0]), "2.00 (1.00..300)");
        assert_eq!(spread(&[]), "-");
    }
}
