//! Subscriptions of client metrics (KIP-714): which clients push what, and how often. Settings under a name.
//!
//! Owns: the table of their settings, and which subscriptions fit a client. Pure. Never: what is pushed.

use millstream_broker::configs::alter::{AlterError, ConfigTable};
use millstream_broker::configs::resolve::{ConfigEntry, ConfigMap, ConfigSource, Synonym};
use millstream_broker::configs::row::{Check, ConfigKind, ConfigRow, Effect, InvalidValue, Mutability};
use regex::{Regex, RegexBuilder};

/// Between two pushes where no subscription says otherwise.
const INTERVAL_MS_DEFAULT: u32 = 300_000;
/// The longest pattern, and the memory that one may take when it is compiled.
const PATTERN_BYTES_MAX: usize = 1_024;
const PATTERN_MEMORY_BYTES_MAX: usize = 256 << 10;
/// The word for every metric.
const EVERYTHING: &str = "*";

const fn row(
    name: &'static str,
    kind: ConfigKind,
    default: &'static str,
    check: Check,
    doc: &'static str,
) -> ConfigRow {
    ConfigRow {
        name,
        kind,
        default: Some(default),
        check,
        synonym: None,
        mutability: Mutability::Dynamic,
        effect: Effect::Works,
        doc,
    }
}

/// Every setting of a subscription, sorted by name.
#[rustfmt::skip]
const ROWS: &[ConfigRow] = &[
    row("interval.ms", ConfigKind::Int, "300000", Check::Range(100, 3_600_000), "Milliseconds between two pushes of a client."),
    row("match", ConfigKind::List, "", Check::Any, "Clients that are meant, as SELECTOR=PATTERN; all of them must fit."),
    row("metrics", ConfigKind::List, "", Check::Any, "Prefixes of the names of metrics; * for all."),
];

/// The table of a subscription's settings.
pub(crate) const CLIENT_METRICS_TABLE: ConfigTable = ConfigTable {
    kind: "client metrics",
    row: |name| ROWS.iter().find(|row| row.name == name),
};

/// What is known of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFacts {
    pub instance_id: String,
    pub client_id: String,
    pub software_name: String,
    pub software_version: String,
    pub address: String,
    pub port: String,
}

impl ClientFacts {
    fn get(&self, selector: &str) -> Option<&str> {
        Some(match selector {
            "client_instance_id" => &self.instance_id,
            "client_id" => &self.client_id,
            "client_software_name" => &self.software_name,
            "client_software_version" => &self.software_version,
            "client_source_address" => &self.address,
            "client_source_port" => &self.port,
            _ => return None,
        })
    }
}

/// One subscription.
pub(crate) struct MetricsSubscription {
    interval_ms: u32,
    metrics: Vec<String>,
    patterns: Vec<(String, Regex)>,
}

fn items(values: &ConfigMap, name: &str) -> Vec<String> {
    let list = values.get(name).map(String::as_str).unwrap_or_default();
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

impl MetricsSubscription {
    /// From its settings.
    pub fn parse(values: &ConfigMap) -> Result<Self, AlterError> {
        let interval = values.get("interval.ms").and_then(|text| text.parse().ok());
        let patterns = items(values, "match").into_iter().map(|item| pattern(&item));
        Ok(Self {
            interval_ms: interval.unwrap_or(INTERVAL_MS_DEFAULT),
            metrics: items(values, "metrics"),
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }

    fn fits(&self, client: &ClientFacts) -> bool {
        let fits = |(selector, pattern): &(String, Regex)| {
            client.get(selector).is_some_and(|text| pattern.is_match(text))
        };
        self.patterns.iter().all(fits)
    }
}

/// `SELECTOR=PATTERN`; the pattern covers the whole text.
fn pattern(item: &str) -> Result<(String, Regex), AlterError> {
    let refused = |reason: String| {
        AlterError::Invalid(InvalidValue {
            name: "match".to_owned(),
            value: item.to_owned(),
            reason,
        })
    };
    let (selector, pattern) = item
        .split_once('=')
        .ok_or_else(|| refused("Expected SELECTOR=PATTERN".to_owned()))?;
    let (selector, pattern) = (selector.trim(), pattern.trim());
    if ClientFacts::default().get(selector).is_none() {
        return Err(refused(format!("There is no selector {selector}")));
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(refused(format!(
            "A pattern has at most {PATTERN_BYTES_MAX} bytes"
        )));
    }
    let regex = RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_MEMORY_BYTES_MAX)
        .dfa_size_limit(PATTERN_MEMORY_BYTES_MAX)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    Ok((selector.to_owned(), regex))
}

/// What a client is to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub interval_ms: u32,
    /// Prefixes of names, sorted; one `*` for all; none for nothing.
    pub metrics: Vec<String>,
    /// Changes with what is wanted.
    pub id: i32,
}

/// What all subscriptions that fit want together: every prefix, at the shortest interval.
pub(crate) fn wanted<'a>(
    subscriptions: impl Iterator<Item = &'a MetricsSubscription>,
    client: &ClientFacts,
) -> Wanted {
    let fitting: Vec<&MetricsSubscription> = subscriptions
        .filter(|subscription| !subscription.metrics.is_empty() && subscription.fits(client))
        .collect();
    let mut metrics: Vec<String> = fitting.iter().flat_map(|one| one.metrics.clone()).collect();
    if metrics.iter().any(|prefix| prefix == EVERYTHING) {
        metrics = vec![EVERYTHING.to_owned()];
    }
    metrics.sort_unstable();
    metrics.dedup();
    let interval_ms = fitting.iter().map(|one| one.interval_ms).min();
    let interval_ms = interval_ms.unwrap_or(INTERVAL_MS_DEFAULT);
    let id = identity(&metrics, interval_ms);
    Wanted {
        interval_ms,
        metrics,
        id,
    }
}

/// FNV-1a over everything: equal wishes have equal ids, on every broker and after every start.
fn identity(metrics: &[String], interval_ms: u32) -> i32 {
    let mut hash = 0x811c_9dc5_u32;
    let names = metrics.iter().flat_map(|name| name.bytes().chain([0]));
    for byte in names.chain(interval_ms.to_be_bytes()) {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash.cast_signed()
}

/// Every setting of a subscription, with its origin.
pub(crate) fn describe(values: &ConfigMap) -> Vec<ConfigEntry> {
    let entry = |row: &'static ConfigRow| {
        let candidate = |value: &str, source| Synonym {
            name: row.name,
            value: Some(value.to_owned()),
            source,
        };
        let set = values.get(row.name);
        let set = set.map(|value| candidate(value, ConfigSource::DynamicClientMetrics));
        let default = row.default.map(|value| candidate(value, ConfigSource::Default));
        let synonyms: Vec<Synonym> = set.into_iter().chain(default).collect();
        ConfigEntry {
            row,
            value: synonyms[0].value.clone(),
            source: synonyms[0].source,
            synonyms,
        }
    };
    ROWS.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(interval: &str, metrics: &str, patterns: &str) -> MetricsSubscription {
        let values = [
            ("interval.ms", interval),
            ("metrics", metrics),
            ("match", patterns),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        MetricsSubscription::parse(&values.into()).expect("a subscription")
    }

    fn client(name: &str) -> ClientFacts {
        ClientFacts {
            client_id: name.to_owned(),
            software_name: "apache-kafka-java".to_owned(),
            ..ClientFacts::default()
        }
    }

    #[test]
    fn what_fits_is_put_together() {
        let all = [
            subscription(
                "60000",
                "org.b.,org.a.",
                "client_id=app-.*,client_software_name=.*java",
            ),
            subscription("10000", "org.b.", "client_id=app-1"),
            subscription("100", "org.c.", "client_id=other"),
        ];
        let both = wanted(all.iter(), &client("app-1"));
        assert_eq!(
            (both.interval_ms, both.metrics.clone()),
            (10_000, vec!["org.a.".into(), "org.b.".into()])
        );
        let first = wanted(all.iter(), &client("app-22"));
        assert_eq!(first.interval_ms, 60_000);
        assert_ne!(first.id, both.id);
        let none = wanted(all.iter(), &client("an app-1 within"));
        assert_eq!((none.interval_ms, none.metrics.len()), (INTERVAL_MS_DEFAULT, 0));
    }

    #[test]
    fn everything_swallows_prefixes() {
        let all = [subscription("1000", "*", ""), subscription("1000", "org.a.", "")];
        assert_eq!(wanted(all.iter(), &client("x")).metrics, ["*"]);
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        for wrong in [
            "client_id",
            "shoe_size=.*",
            "client_id=(",
            "client_id=(a{1000}){1000}",
        ] {
            let values = ConfigMap::from([("match".to_owned(), wrong.to_owned())]);
            assert!(MetricsSubscription::parse(&values).is_err(), "{wrong}");
        }
    }
}
