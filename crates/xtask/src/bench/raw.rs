//! The raw numbers of a run in a file, so that tables can be made again, and of several runs, without measuring.

use super::metric::Metric;
use super::party::Party;
use super::table::Measured;
use super::workload::Workload;
use crate::process::create;
use anyhow::Context;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Replaces the file by everything that is known so far.
pub fn write(path: &Path, measured: &Measured) -> anyhow::Result<()> {
    create(path)?;
    let text = format!("{:#}\n", to_json(measured));
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads files; a workload that is in several is taken whole from the first.
pub fn read(paths: &[PathBuf]) -> anyhow::Result<Measured> {
    let mut measured = Measured::new(&[]);
    for path in paths {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        measured.absorb(from_json(&value).with_context(|| format!("in {}", path.display()))?);
    }
    Ok(measured)
}

fn to_json(measured: &Measured) -> Value {
    let numbers = measured.numbers().iter().map(|number| {
        json!({
            "peer": number.party.name(),
            "workload": number.workload,
            "metric": number.metric.name,
            "value": number.value,
        })
    });
    let failures = measured.failures().iter().map(|failure| {
        json!({
            "peer": failure.party.name(),
            "workload": failure.workload,
            "why": failure.why,
        })
    });
    json!({
        "runs": measured.runs(),
        "numbers": numbers.collect::<Vec<_>>(),
        "failures": failures.collect::<Vec<_>>(),
    })
}

fn from_json(value: &Value) -> anyhow::Result<Measured> {
    let list = |name: &str| value[name].as_array().with_context(|| format!("no {name}"));
    let mut parties = Vec::new();
    for one in list("numbers")? {
        let party = Party::parse(text(one, "peer")?)?;
        if !parties.contains(&party) {
            parties.push(party);
        }
    }
    let mut measured = Measured::new(&parties);
    for one in list("numbers")? {
        let value = one["value"].as_f64().context("a value is no number")?;
        let workload = Workload::named(text(one, "workload")?)?.name;
        let party = Party::parse(text(one, "peer")?)?;
        measured.add(party, workload, Metric::named(text(one, "metric")?)?, value);
    }
    for one in list("failures")? {
        let workload = Workload::named(text(one, "workload")?)?.name;
        measured.fail(Party::parse(text(one, "peer")?)?, workload, text(one, "why")?);
    }
    for run in list("runs")? {
        measured.ran(run.as_str().context("a run is no text")?.to_owned());
    }
    Ok(measured)
}

fn text<'a>(value: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    value[name].as_str().with_context(|| format!("no {name}"))
}

#[cfg(test)]
mod tests {
    use super::super::metric::RATE;
    use super::*;

    #[test]
    fn tables_made_from_a_file_are_those_of_the_run() {
        let mut measured = Measured::new(&[Party::MILLSTREAM, Party::KAFKA]);
        measured.add(Party::MILLSTREAM, "produce-1", &RATE, 600.25);
        measured.add(Party::KAFKA, "produce-1", &RATE, 400.5);
        measured.fail(Party::KAFKA, "mixed", "it died");
        measured.ran("one run".to_owned());
        let again = from_json(&to_json(&measured)).expect("what was written can be read");
        assert_eq!(again.tables(), measured.tables());
        assert_eq!(again.runs(), measured.runs());
        assert!(from_json(&json!({})).is_err());
    }
}
