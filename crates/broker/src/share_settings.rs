//! Settings of single share groups that the table of settings cannot check by itself: where a group begins, and where its dead letters go.
//!
//! Owns: the checks, and the reading of `share.auto.offset.reset`. Never: what a setting does (`queue`, and the front end).

use crate::configs::alter::AlterError;
use crate::configs::resolve::ConfigMap;
use crate::group_settings::invalid;
use crate::queue::StartAt;
use std::time::Duration;

const RESET: &str = "share.auto.offset.reset";
const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// Whether the settings of a share group say something that can be done.
pub(crate) fn check(configs: &ConfigMap) -> Result<(), AlterError> {
    let invalid = |name: &str, reason: &str| {
        let value = configs.get(name).cloned().unwrap_or_default();
        Err(invalid(name, value, reason.to_owned()))
    };
    if configs.get(RESET).is_some_and(|text| start_at(text).is_none()) {
        return invalid(RESET, "it must be latest, earliest or by_duration:PnDTnHnMn.nS");
    }
    if configs
        .get(DEAD_LETTERS)
        .is_some_and(|name| name.starts_with("__"))
    {
        return invalid(DEAD_LETTERS, "names of dead-letter topics do not begin with __");
    }
    Ok(())
}

/// share.auto.offset.reset: "earliest", "latest", "by_duration:" and a duration in the form of ISO 8601.
#[must_use]
pub fn start_at(text: &str) -> Option<StartAt> {
    match text.trim() {
        "earliest" => Some(StartAt::Earliest),
        "latest" => Some(StartAt::Latest),
        text => {
            let age = text.strip_prefix("by_duration:").and_then(iso_duration)?;
            Some(StartAt::Ago(age))
        }
    }
}

/// PnDTnHnMn.nS, as Java's Duration reads it; no part may be negative.
fn iso_duration(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_uppercase();
    let body = text.strip_prefix('P')?;
    let (days, mut rest) = body.split_once('T').unwrap_or((body, ""));
    if body.is_empty() || body.ends_with('T') {
        return None;
    }
    let mut total = Duration::ZERO;
    if !days.is_empty() {
        let days: u64 = days.strip_suffix('D')?.parse().ok()?;
        total += Duration::from_secs(days.checked_mul(86_400)?);
    }
    for (unit, seconds) in [('H', 3_600), ('M', 60)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            let number: u64 = number.parse().ok()?;
            total = total.checked_add(Duration::from_secs(number.checked_mul(seconds)?))?;
            rest = behind;
        }
    }
    if !rest.is_empty() {
        let seconds: f64 = rest.strip_suffix('S')?.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        let seconds = |text: &str| iso_duration(text).map(|age| age.as_secs_f64());
        assert_eq!(seconds("PT5H"), Some(18_000.0));
        assert_eq!(seconds("P2DT3H"), Some(183_600.0));
        assert_eq!(seconds("PT1.5S"), Some(1.5));
        assert_eq!(seconds("PT2H30M"), Some(9_000.0));
        assert_eq!(seconds("P1D"), Some(86_400.0));
        for bad in ["", "P", "PT", "P1DT", "5H", "PT-1S", "PTxS", "P1H"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
