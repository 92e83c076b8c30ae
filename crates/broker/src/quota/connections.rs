//! Connections: how many may be open, in all and from one address, and how fast new ones may come.
//!
//! Owns: the counts and the decision. Never: a socket; whoever accepts asks here and holds the permit as long as the connection lives.
//!
//! **Invariant**: the counts are those of the permits that live.

use super::bucket::{Buckets, Rate, TokenBucket};
use crate::Broker;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What settings say of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// max.connections.
    pub max: u32,
    /// max.connections.per.ip.
    pub per_address_max: u32,
    /// max.connections.per.ip.overrides.
    pub overrides: Vec<(IpAddr, u32)>,
    /// max.connection.creation.rate, a second.
    pub rate: u32,
}

impl ConnectionSettings {
    fn max_of(&self, address: IpAddr) -> u32 {
        let own = self.overrides.iter().find(|(of, _)| *of == address);
        own.map_or(self.per_address_max, |(_, max)| *max)
    }
}

/// Reads `ADDRESS:COUNT,ADDRESS:COUNT`.
///
/// # Errors
/// What was expected instead.
pub fn parse_overrides(text: &str) -> Result<Vec<(IpAddr, u32)>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (address, count) = item.rsplit_once(':')?;
            let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
            Some((address.to_canonical(), count.parse::<u32>().ok()?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| "Expected a list of ADDRESS:COUNT".to_owned())
}

/// What is to become of a connection that was just made.
#[derive(Debug)]
pub enum Admission {
    /// It is served. The next is accepted only after the pause.
    Admitted {
        /// Held as long as it is open.
        permit: ConnectionPermit,
        /// Zero as a rule.
        pause: Duration,
    },
    /// It is closed: too many are open.
    Full {
        /// The bound.
        max: u32,
    },
    /// It is closed: too many from its address are open.
    FullForAddress {
        /// The bound.
        max: u32,
    },
    /// It is closed, after this time: its address opens them too fast, and one that is closed at once is tried again at once.
    TooFast(Duration),
}

/// Counts of what is open, and buckets of what came.
#[derive(Default)]
pub struct Connections(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    all: u32,
    // Never walked.
    by_address: HashMap<IpAddr, u32>,
    rate: Option<TokenBucket>,
    address_rates: Buckets,
}

/// One open connection; dropping it counts it out.
pub struct ConnectionPermit {
    open: Arc<Mutex<Open>>,
    address: IpAddr,
}

impl std::fmt::Debug for ConnectionPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConnectionPermit({})", self.address)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        open.all -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// The limits as they apply to one address.
pub struct Bounds<'a> {
    /// How many.
    pub settings: &'a ConnectionSettings,
    /// How fast from everywhere.
    pub rate: Rate,
    /// How fast from this address.
    pub address_rate: Option<Rate>,
}

impl Connections {
    /// Whether one from this address is served.
    pub fn admit(&self, address: IpAddr, bounds: &Bounds<'_>, now: Duration) -> Admission {
        let mut open = self.0.lock();
        let max = bounds.settings.max;
        if open.all >= max {
            return Admission::Full { max };
        }
        let max = bounds.settings.max_of(address);
        if open.by_address.get(&address).is_some_and(|count| *count >= max) || max == 0 {
            return Admission::FullForAddress { max };
        }
        if let Some(rate) = &bounds.address_rate {
            let name = address.to_string();
            let bucket = open.address_rates.bucket(&name, "*", rate, now);
            let wait = bucket.wait(rate, now);
            if !wait.is_zero() {
                return Admission::TooFast(wait);
            }
            // Overdrawn by this one, perhaps: then the next is too fast.
            let _ = bucket.charge(rate, 1.0, now);
        }
        let bucket = open.rate.get_or_insert(TokenBucket::full(&bounds.rate, now));
        let pause = bucket.charge(&bounds.rate, 1.0, now);
        open.all += 1;
        *open.by_address.entry(address).or_default() += 1;
        let permit = ConnectionPermit {
            open: self.0.clone(),
            address,
        };
        Admission::Admitted { permit, pause }
    }
}

impl Broker {
    /// Whether a connection from this address is served.
    #[must_use]
    pub fn admit_connection(&self, address: IpAddr) -> Admission {
        let address = address.to_canonical();
        let settings = self.settings();
        let seconds = settings.quota_windows.usual_seconds;
        let over = |per_second: f64| Rate::over(per_second, seconds);
        let bounds = Bounds {
            settings: &settings.connections,
            // No connection at all is said by the other bound.
            rate: over(f64::from(settings.connections.rate.max(1))),
            address_rate: self.connection_rate_of(address).map(over),
        };
        let now = self.clock().monotonic();
        self.inner.quotas.connections.admit(address, &bounds, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

    fn settings() -> ConnectionSettings {
        ConnectionSettings {
            max: 5,
            per_address_max: 2,
            overrides: vec![(THERE, 1)],
            rate: 1_000,
        }
    }

    fn bounds(settings: &ConnectionSettings) -> Bounds<'_> {
        Bounds {
            settings,
            rate: Rate::over(f64::from(settings.rate), 1.0),
            address_rate: None,
        }
    }

    fn admitted(admission: Admission) -> ConnectionPermit {
        match admission {
            Admission::Admitted { permit, .. } => permit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_has_its_own_bound_and_gets_its_place_back() {
        let settings = settings();
        let connections = Connections::default();
        let ask = |address| connections.admit(address, &bounds(&settings), Duration::ZERO);
        let first = admitted(ask(HERE));
        let _second = admitted(ask(HERE));
        assert!(matches!(ask(HERE), Admission::FullForAddress { max: 2 }));
        let _other = admitted(ask(THERE));
        assert!(matches!(ask(THERE), Admission::FullForAddress { max: 1 }));
        drop(first);
        let _third = admitted(ask(HERE));
        assert!(matches!(ask(HERE), Admission::FullForAddress { max: 2 }));
    }

    #[test]
    fn all_together_have_a_bound() {
        let settings = ConnectionSettings { max: 1, ..settings() };
        let connections = Connections::default();
        let ask = |address| connections.admit(address, &bounds(&settings), Duration::ZERO);
        let first = admitted(ask(HERE));
        assert!(matches!(ask(THERE), Admission::Full { max: 1 }));
        drop(first);
        admitted(ask(THERE));
    }

    #[test]
    fn new_ones_come_no_faster_than_their_rate() {
        let settings = ConnectionSettings {
            max: 1_000,
            per_address_max: 1_000,
            rate: 10,
            ..settings()
        };
        let connections = Connections::default();
        let ask = |now| match connections.admit(HERE, &bounds(&settings), now) {
            Admission::Admitted { pause, .. } => pause,
            other => panic!("{other:?}"),
        };
        for _ in 0..10 {
            assert_eq!(ask(Duration::ZERO), Duration::ZERO, "the burst");
        }
        assert_eq!(ask(Duration::ZERO), Duration::from_millis(100));
        assert_eq!(ask(Duration::from_millis(100)), Duration::from_millis(100));
    }

    #[test]
    fn an_address_that_is_too_fast_is_closed_and_the_others_are_not() {
        let settings = ConnectionSettings {
            max: 1_000,
            per_address_max: 1_000,
            ..settings()
        };
        let connections = Connections::default();
        let ask = |address, rate: Option<f64>, now| {
            let bounds = Bounds {
                address_rate: rate.map(|rate| Rate::over(rate, 1.0)),
                ..bounds(&settings)
            };
            connections.admit(address, &bounds, now)
        };
        let mut wait = None;
        for _ in 0..4 {
            if let Admission::TooFast(time) = ask(HERE, Some(2.0), Duration::ZERO) {
                wait = Some(time);
            }
        }
        let wait = wait.expect("the fourth came too fast");
        assert_eq!(wait, Duration::from_millis(500));
        admitted(ask(THERE, None, Duration::ZERO));
        admitted(ask(HERE, Some(2.0), wait));
    }

    #[test]
    fn overrides_are_addresses_with_counts() {
        let parsed = parse_overrides("10.0.0.9:1, [::1]:5,2001:db8::1:7").expect("a list");
        let text: Vec<String> = parsed.iter().map(|(ip, max)| format!("{ip} {max}")).collect();
        assert_eq!(text, ["10.0.0.9 1", "::1 5", "2001:db8::1 7"]);
        assert_eq!(parse_overrides(""), Ok(vec![]));
        assert!(parse_overrides("host:1").is_err() && parse_overrides("10.0.0.1").is_err());
    }
}
