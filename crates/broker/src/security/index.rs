//! Access rules in the form in which they are asked: by kind of resource, then by name. Pure.
//!
//! Owns: which rules concern a question, and what they say together. Never: who is beyond rules (super users), where rules come from.
//!
//! **Invariant**: one denial that applies beats every allowance (KIP-11); the order of the rules changes nothing.
//!
//! A question costs one look-up for the name, one for `*`, and one for each length that prefixes have; rules of other names cost
//! nothing.

use super::{Asker, Resource};
use millstream_meta::catalog::{AclBinding, Operation, PatternType, Permission, ResourceType};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

/// As a literal name: every name.
const EVERY_NAME: &str = "*";
/// As a principal: everybody.
const EVERYBODY: &str = "User:*";
/// As a host: from everywhere.
const EVERYWHERE: &str = "*";

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule allows it and none denies it.
    Allowed,
    /// A rule denies it, or there are rules for the resource and none allows it.
    Denied,
    /// There is no rule for the resource at all.
    NoRule,
}

/// Every rule of a cluster.
#[derive(Debug, Default)]
pub struct AclIndex {
    kinds: HashMap<ResourceType, OfKind>,
}

/// The rules of one kind of resource. The maps are only ever asked, never walked, but by `names`.
#[derive(Debug, Default)]
struct OfKind {
    literal: HashMap<String, Vec<Rule>>,
    prefixed: HashMap<String, Vec<Rule>>,
    /// Which lengths prefixes have, in bytes.
    prefix_lengths: BTreeSet<usize>,
    /// Who some rule names.
    principals: HashSet<String>,
    /// Whence, as some rule says.
    hosts: HashSet<IpAddr>,
}

/// What of an asker the rules of one kind of resource look at: askers that agree in this get the same verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regard {
    /// Nothing is refused to them.
    Trusted,
    /// Rules decide.
    Ruled {
        /// Some rule names the principal.
        principal: bool,
        /// Some rule names the address.
        host: bool,
    },
}

#[derive(Debug)]
struct Rule {
    /// `None`: everybody.
    principal: Option<String>,
    host: Host,
    operation: Operation,
    permission: Permission,
}

#[derive(Debug)]
enum Host {
    Everywhere,
    Address(IpAddr),
    /// Not an address: nobody comes from there.
    Nowhere,
}

impl AclIndex {
    /// The index of these rules.
    pub fn of<'a>(bindings: impl Iterator<Item = &'a AclBinding>) -> Self {
        let mut index = Self::default();
        for binding in bindings {
            let kind = index.kinds.entry(binding.resource).or_default();
            let by_name = match binding.pattern {
                PatternType::Literal => &mut kind.literal,
                PatternType::Prefixed => {
                    kind.prefix_lengths.insert(binding.name.len());
                    &mut kind.prefixed
                }
            };
            let rules = by_name.entry(binding.name.clone()).or_default();
            let rule = Rule::of(binding);
            kind.principals.extend(rule.principal.clone());
            if let Host::Address(address) = rule.host {
                kind.hosts.insert(address);
            }
            rules.push(rule);
        }
        index
    }

    /// What the rules say of one question.
    #[must_use]
    pub fn verdict(&self, asker: Asker<'_>, operation: Operation, resource: Resource<'_>) -> Verdict {
        let mut verdict = Verdict::NoRule;
        let Some(kind) = self.kinds.get(&resource.kind()) else {
            return verdict;
        };
        for rule in kind.rules(resource.name()) {
            match rule.says(asker, operation) {
                Some(Permission::Deny) => return Verdict::Denied,
                Some(Permission::Allow) => verdict = Verdict::Allowed,
                // There is a rule, so that who is not allowed is refused.
                None if verdict == Verdict::NoRule => verdict = Verdict::Denied,
                None => {}
            }
        }
        verdict
    }

    /// What of the asker the rules of this kind look at.
    #[must_use]
    pub fn regard(&self, asker: Asker<'_>, kind: ResourceType) -> Regard {
        let kind = self.kinds.get(&kind);
        Regard::Ruled {
            principal: kind.is_some_and(|kind| kind.principals.contains(asker.principal.as_str())),
            host: kind.is_some_and(|kind| kind.hosts.contains(&asker.host.to_canonical())),
        }
    }

    /// Whether any resource of the kind is allowed that no denial covers wholly (as Kafka's `authorizeByResourceType`).
    #[must_use]
    pub fn allows_any(&self, asker: Asker<'_>, operation: Operation, kind: ResourceType) -> bool {
        let Some(kind) = self.kinds.get(&kind) else {
            return false;
        };
        if kind.denies_every_name(asker, operation) {
            return false;
        }
        let allows = |rules: &Vec<Rule>| {
            rules
                .iter()
                .any(|rule| rule.is(asker, operation, Permission::Allow))
        };
        let denies = |rules: &Vec<Rule>| {
            rules
                .iter()
                .any(|rule| rule.is(asker, operation, Permission::Deny))
        };
        let covered = |name: &str| kind.prefixes_of(name).any(denies);
        let literal = kind
            .literal
            .iter()
            .any(|(name, rules)| allows(rules) && (name == EVERY_NAME || !denies(rules) && !covered(name)));
        literal
            || kind
                .prefixed
                .iter()
                .any(|(name, rules)| allows(rules) && !covered(name))
    }

    /// Whether every name of the kind is denied.
    #[must_use]
    pub fn denies_all(&self, asker: Asker<'_>, operation: Operation, kind: ResourceType) -> bool {
        let kind = self.kinds.get(&kind);
        kind.is_some_and(|kind| kind.denies_every_name(asker, operation))
    }
}

impl OfKind {
    /// Every rule that concerns the name.
    fn rules<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Rule> {
        let own = self.literal.get(name).into_iter().flatten();
        let every = self.literal.get(EVERY_NAME).filter(|_| name != EVERY_NAME);
        own.chain(every.into_iter().flatten())
            .chain(self.prefixes_of(name).flatten())
    }

    /// The rules of each prefix of the name.
    fn prefixes_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Vec<Rule>> {
        let lengths = self.prefix_lengths.range(..=name.len());
        // A length inside a character is no prefix of this name.
        let prefixes = lengths.filter_map(|length| name.get(..*length));
        prefixes.filter_map(|prefix| self.prefixed.get(prefix))
    }

    fn denies_every_name(&self, asker: Asker<'_>, operation: Operation) -> bool {
        let rules = self.literal.get(EVERY_NAME).into_iter().flatten();
        rules
            .into_iter()
            .any(|rule| rule.is(asker, operation, Permission::Deny))
    }
}

impl Rule {
    fn of(binding: &AclBinding) -> Self {
        Self {
            principal: (binding.principal != EVERYBODY).then(|| binding.principal.clone()),
            host: match (binding.host.as_str(), binding.host.parse::<IpAddr>()) {
                (EVERYWHERE, _) => Host::Everywhere,
                (_, Ok(address)) => Host::Address(address.to_canonical()),
                (_, Err(_)) => Host::Nowhere,
            },
            operation: binding.operation,
            permission: binding.permission,
        }
    }

    /// What this rule says, if it concerns the question.
    fn says(&self, asker: Asker<'_>, operation: Operation) -> Option<Permission> {
        let concerns = match self.permission {
            Permission::Deny => self.operation == operation || self.operation == Operation::All,
            Permission::Allow => implies(self.operation, operation),
        };
        (concerns && self.concerns(asker)).then_some(self.permission)
    }

    /// As `says`, without what an allowance implies.
    fn is(&self, asker: Asker<'_>, operation: Operation, permission: Permission) -> bool {
        let same = self.operation == operation || self.operation == Operation::All;
        same && self.permission == permission && self.concerns(asker)
    }

    fn concerns(&self, asker: Asker<'_>) -> bool {
        let who = self
            .principal
            .as_ref()
            .is_none_or(|principal| **principal == *asker.principal.as_str());
        who && match self.host {
            Host::Everywhere => true,
            Host::Address(address) => address == asker.host.to_canonical(),
            Host::Nowhere => false,
        }
    }
}

/// Whether being allowed `held` is being allowed `wanted`: who may read, write, delete or alter a thing may know of it.
fn implies(held: Operation, wanted: Operation) -> bool {
    use Operation::*;
    held == wanted
        || held == All
        || matches!(
            (held, wanted),
            (Read | Write | Delete | Alter, Describe) | (AlterConfigs, DescribeConfigs)
        )
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
