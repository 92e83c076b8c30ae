//! Settings of single share groups that the table of settings cannot check by itself: bounds that are settings of the broker, and where a
//! group begins.
//!
//! Owns: the checks, and the reading of `share.auto.offset.reset`. Never: what a setting does (`queue`, and the front end).

use crate::configs::alter::AlterError;
use crate::configs::resolve::{BrokerLayers, ConfigMap};
use crate::configs::row::InvalidValue;
use crate::queue::StartAt;
use std::time::Duration;

/// Settings of a group, each with the broker's settings that bound it.
const BOUNDS: &[(&str, &str, &str)] = &[
    (
        "share.session.timeout.ms",
        "group.share.min.session.timeout.ms",
        "group.share.max.session.timeout.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        "group.share.min.heartbeat.interval.ms",
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "share.record.lock.duration.ms",
        "group.share.min.record.lock.duration.ms",
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "share.delivery.count.limit",
        "group.share.min.delivery.count.limit",
        "group.share.max.delivery.count.limit",
    ),
    (
        "share.partition.max.record.locks",
        "group.share.min.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
    ),
];

const RESET: &str = "share.auto.offset.reset";
const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// Whether a group's settings hold together, and lie within the broker's bounds.
pub(crate) fn check(configs: &ConfigMap, layers: BrokerLayers<'_>) -> Result<(), AlterError> {
    for (name, min, max) in BOUNDS {
        let Some(value) = configs.get(*name).and_then(|text| whole(text)) else {
            continue;
        };
        if layers.value(min).and_then(whole).is_some_and(|min| value < min) {
            let reason = format!("it must be greater than or equal to {min}");
            return Err(invalid(name, configs, reason));
        }
        if layers.value(max).and_then(whole).is_some_and(|max| value > max) {
            let reason = format!("it must be less than or equal to {max}");
            return Err(invalid(name, configs, reason));
        }
    }
    if configs.get(RESET).is_some_and(|text| start_at(text).is_none()) {
        let reason = "it must be latest, earliest or by_duration:PnDTnHnMn.nS".to_owned();
        return Err(invalid(RESET, configs, reason));
    }
    if configs
        .get(DEAD_LETTERS)
        .is_some_and(|name| name.starts_with("__"))
    {
        let reason = "names of dead-letter topics do not begin with __".to_owned();
        return Err(invalid(DEAD_LETTERS, configs, reason));
    }
    Ok(())
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn invalid(name: &str, configs: &ConfigMap, reason: String) -> AlterError {
    AlterError::Invalid(InvalidValue {
        name: name.to_owned(),
        value: configs.get(name).cloned().unwrap_or_default(),
        reason,
    })
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

    #[test]
    fn a_group_stays_within_the_brokers_bounds() {
        let nothing = ConfigMap::new();
        let layers = BrokerLayers {
            dynamic: &nothing,
            dynamic_default: &nothing,
            fixed: &nothing,
        };
        let good = [
            ("share.delivery.count.limit", "10"),
            ("share.record.lock.duration.ms", "15000"),
            ("share.auto.offset.reset", "by_duration:PT1H"),
        ];
        let bad = [
            ("share.delivery.count.limit", "11"),
            ("share.record.lock.duration.ms", "14999"),
            ("share.partition.max.record.locks", "4001"),
            ("share.session.timeout.ms", "44999"),
            ("share.auto.offset.reset", "sometimes"),
            ("errors.deadletterqueue.topic.name", "__dead"),
        ];
        let map = |(name, value): (&str, &str)| ConfigMap::from([(name.to_owned(), value.to_owned())]);
        for pair in good {
            assert!(check(&map(pair), layers).is_ok(), "{pair:?}");
        }
        for pair in bad {
            assert!(check(&map(pair), layers).is_err(), "{pair:?}");
        }
    }
}
