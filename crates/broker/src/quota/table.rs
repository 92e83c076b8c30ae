//! Quotas as they hold: every entity's limits, found for one client in a fixed number of look-ups.
//!
//! Owns: Kafka's precedence. Pure; built anew when a quota changes. Never: what was used.
//!
//! **Invariant**: of all entities that fit a client, the limit of the most specific one that sets this limit holds, and nothing
//! else: user and client before user alone before client alone, a name before the default, the user's name first.

use super::entity::{Entity, Part, PartKind};
use crate::configs::resolve::ConfigMap;
use std::collections::HashMap;
use std::net::IpAddr;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaKind {
    /// Bytes of produce requests a second.
    Produce,
    /// Bytes of fetch answers a second.
    Fetch,
    /// Percent of one processor's time.
    Request,
    /// Partitions created and deleted a second.
    Mutation,
    /// Connections opened a second.
    Connection,
}

impl QuotaKind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 5] = [
        Self::Connection,
        Self::Fetch,
        Self::Mutation,
        Self::Produce,
        Self::Request,
    ];

    /// Kafka's name of the limit.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Produce => "producer_byte_rate",
            Self::Fetch => "consumer_byte_rate",
            Self::Request => "request_percentage",
            Self::Mutation => "controller_mutation_rate",
            Self::Connection => "connection_creation_rate",
        }
    }

    /// What a name means.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// Whether the limit is of connections from an address; else it is of users and clients.
    #[must_use]
    pub fn is_of_addresses(self) -> bool {
        self == Self::Connection
    }
}

/// The limits of one entity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Limits([Option<f64>; QuotaKind::ALL.len()]);

impl Limits {
    fn of(values: &ConfigMap) -> Self {
        let limit = |kind: QuotaKind| values.get(kind.key())?.parse::<f64>().ok();
        Self(QuotaKind::ALL.map(limit))
    }

    fn get(&self, kind: QuotaKind) -> Option<f64> {
        let at = QuotaKind::ALL.iter().position(|of| *of == kind)?;
        self.0[at]
    }
}

/// What is kept for one user, or for the default user, or for no user in particular.
#[derive(Clone, Debug, Default)]
struct OfUser {
    alone: Limits,
    any_client: Limits,
    clients: HashMap<String, Limits>,
}

impl OfUser {
    fn with_client(&self, client_id: &str, kind: QuotaKind) -> Option<f64> {
        let own = self.clients.get(client_id).and_then(|limits| limits.get(kind));
        own.or_else(|| self.any_client.get(kind))
    }
}

/// By what a limit counts its use together: its bucket's name begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Each pair of user and client for itself.
    Both,
    /// All clients of a user together.
    User,
    /// All users of a client's name together.
    Client,
}

/// A limit that holds for a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Units a second, or percent.
    pub value: f64,
    /// Who uses it up together.
    pub share: Share,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct QuotaTable {
    users: HashMap<String, OfUser>,
    default_user: OfUser,
    no_user: OfUser,
    addresses: HashMap<IpAddr, f64>,
    any_address: Option<f64>,
    /// Which kinds anybody is limited in: most clusters have none, and then nobody is looked up.
    used: [bool; QuotaKind::ALL.len()],
}

impl QuotaTable {
    /// From the catalog's entities; a name that is none (written by a later version) binds nobody.
    pub fn build<'a>(entries: impl Iterator<Item = (&'a str, &'a ConfigMap)>) -> Self {
        let mut table = Self::default();
        for (name, values) in entries {
            if let Some(entity) = Entity::from_name(name) {
                table.add(&entity, Limits::of(values));
            }
        }
        table
    }

    fn add(&mut self, entity: &Entity, limits: Limits) {
        for (used, limit) in self.used.iter_mut().zip(limits.0) {
            *used |= limit.is_some();
        }
        if let Some(ip) = entity.part(PartKind::Ip) {
            let rate = limits.get(QuotaKind::Connection);
            match ip.name().map(str::parse::<IpAddr>) {
                None => self.any_address = rate,
                Some(Ok(address)) => self.addresses.extend(rate.map(|rate| (address, rate))),
                Some(Err(_)) => {}
            }
            return;
        }
        let user = match entity.part(PartKind::User) {
            None => &mut self.no_user,
            Some(Part::Default) => &mut self.default_user,
            Some(Part::Named(name)) => self.users.entry(name.clone()).or_default(),
        };
        match entity.part(PartKind::ClientId) {
            None => user.alone = limits,
            Some(Part::Default) => user.any_client = limits,
            Some(Part::Named(name)) => {
                user.clients.insert(name.clone(), limits);
            }
        }
    }

    /// Whether anybody has a limit of this kind.
    #[must_use]
    pub fn limits_anybody(&self, kind: QuotaKind) -> bool {
        let at = QuotaKind::ALL.iter().position(|of| *of == kind);
        at.is_some_and(|at| self.used[at])
    }

    /// Whether users or clients have limits of any kind.
    #[must_use]
    pub fn limits_any_client(&self) -> bool {
        let kinds = QuotaKind::ALL.iter().zip(self.used);
        let mut of_clients = kinds.filter(|(kind, _)| !kind.is_of_addresses());
        of_clients.any(|(_, used)| used)
    }

    /// The limit that holds for a client of a user.
    #[must_use]
    pub fn find(&self, kind: QuotaKind, user: &str, client_id: &str) -> Option<Limit> {
        if !self.limits_anybody(kind) {
            return None;
        }
        let of = |value: Option<f64>, share: Share| value.map(|value| Limit { value, share });
        let of_user = |user: &OfUser| {
            let both = of(user.with_client(client_id, kind), Share::Both);
            both.or_else(|| of(user.alone.get(kind), Share::User))
        };
        let named = self.users.get(user).and_then(of_user);
        named
            .or_else(|| of_user(&self.default_user))
            .or_else(|| of(self.no_user.with_client(client_id, kind), Share::Client))
    }

    /// Connections a second that may come from an address.
    #[must_use]
    pub fn connection_rate(&self, address: IpAddr) -> Option<f64> {
        self.addresses
            .get(&address.to_canonical())
            .copied()
            .or(self.any_address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, f64)]) -> QuotaTable {
        let entries: Vec<(String, ConfigMap)> = entries
            .iter()
            .map(|(name, rate)| {
                let values = ConfigMap::from([("producer_byte_rate".to_owned(), rate.to_string())]);
                ((*name).to_owned(), values)
            })
            .collect();
        QuotaTable::build(entries.iter().map(|(name, values)| (name.as_str(), values)))
    }

    /// The eight entities that fit user `u` with client `c`, most specific first.
    const ORDER: [(&str, Share); 8] = [
        ("user=u,client-id=c", Share::Both),
        ("user=u,client-id", Share::Both),
        ("user=u", Share::User),
        ("user,client-id=c", Share::Both),
        ("user,client-id", Share::Both),
        ("user", Share::User),
        ("client-id=c", Share::Client),
        ("client-id", Share::Client),
    ];

    #[test]
    fn the_most_specific_entity_holds_in_kafkas_order() {
        for first in 0..ORDER.len() {
            let entries: Vec<(&str, f64)> = ORDER[first..]
                .iter()
                .zip(0_u32..)
                .map(|((name, _), place)| (*name, f64::from(place) + 1.0))
                .collect();
            let found = table(&entries).find(QuotaKind::Produce, "u", "c");
            assert_eq!(
                found,
                Some(Limit {
                    value: 1.0,
                    share: ORDER[first].1
                })
            );
        }
        assert_eq!(table(&[]).find(QuotaKind::Produce, "u", "c"), None);
    }

    #[test]
    fn an_entity_without_this_limit_does_not_hide_another_that_has_it() {
        let percent = ConfigMap::from([("request_percentage".to_owned(), "50".to_owned())]);
        let bytes = ConfigMap::from([("producer_byte_rate".to_owned(), "7".to_owned())]);
        let entries = [("user=u", &percent), ("client-id=c", &bytes)];
        let table = QuotaTable::build(entries.into_iter());
        assert_eq!(
            table.find(QuotaKind::Produce, "u", "c").map(|limit| limit.value),
            Some(7.0)
        );
        assert_eq!(
            table.find(QuotaKind::Request, "u", "c").map(|limit| limit.value),
            Some(50.0)
        );
        assert_eq!(table.find(QuotaKind::Fetch, "u", "c"), None);
        assert_eq!(table.find(QuotaKind::Request, "v", "c"), None);
    }

    #[test]
    fn an_address_has_its_own_rate_or_the_default() {
        let rate = |text: &str| ConfigMap::from([("connection_creation_rate".to_owned(), text.to_owned())]);
        let (own, any) = (rate("5"), rate("100"));
        let entries = [("ip=10.0.0.1", &own), ("ip", &any)];
        let table = QuotaTable::build(entries.into_iter());
        let of = |text: &str| table.connection_rate(text.parse().expect("an address"));
        assert_eq!(of("10.0.0.1"), Some(5.0));
        assert_eq!(of("::ffff:10.0.0.1"), Some(5.0));
        assert_eq!(of("10.0.0.2"), Some(100.0));
        assert!(!table.limits_any_client());
    }
}
