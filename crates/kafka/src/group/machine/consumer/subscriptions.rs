//! What the members of a group subscribe to, and the topics that this means.
//!
//! Owns: the distinct subscriptions with their members counted. Never: who subscribes, what a pattern finds (`patterns`).

use super::patterns::Patterns;
use crate::group::assignor::Spec;
use crate::group::facts::{Eyes, Facts, TopicView};
use crate::group::machine::fnv::Fnv1a;
use crate::group::name::{TopicId, TopicName};
use crate::group::record::Subscription;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Topics by name.
pub(super) type View = BTreeMap<TopicName, TopicView>;

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// How many members have each.
    counts: BTreeMap<Arc<Subscription>, usize>,
    patterns: Patterns,
}

/// What a subscription finds follows from this: its names, its pattern and its reader's eyes.
type Kind<'a> = (&'a BTreeSet<TopicName>, Option<(&'a Arc<str>, &'a Eyes)>);

impl Subscriptions {
    /// One more member has it.
    pub fn add(&mut self, subscription: &Arc<Subscription>, facts: &dyn Facts) {
        if let Some(count) = self.counts.get_mut(subscription) {
            *count += 1;
            return;
        }
        self.counts.insert(subscription.clone(), 1);
        self.patterns.add(subscription, facts);
    }

    /// One member less has it.
    pub fn remove(&mut self, subscription: &Arc<Subscription>) {
        let Some(count) = self.counts.get_mut(subscription) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(subscription);
            self.patterns.remove(subscription);
        }
    }

    /// Topics came or went, or rights did.
    pub fn resolve_again(&mut self, facts: &dyn Facts) {
        self.patterns.resolve_again(facts);
    }

    /// Whether somebody subscribes to the topic.
    pub fn contains(&self, topic: &TopicName) -> bool {
        let mut named = self.counts.keys();
        named.any(|subscription| subscription.names.contains(topic)) || self.patterns.contains(topic)
    }

    /// The topics that members subscribe to, as far as they exist.
    pub fn view(&self, facts: &dyn Facts) -> View {
        let named = self.counts.keys().flat_map(|subscription| &subscription.names);
        let names: BTreeSet<&TopicName> = named.chain(self.patterns.all_found()).collect();
        let found = names.into_iter();
        found
            .filter_map(|name| Some((name.clone(), facts.topic(name.as_str())?)))
            .collect()
    }

    /// What the epoch of a group depends on: names, ids and partition counts of the topics in view, and which of them each reader finds
    /// by its pattern. It is stored with the epoch, so that a change is seen however often the write fails, or the broker restarts.
    pub fn hash(&self, view: &View) -> u64 {
        let mut hash = Fnv1a::default();
        for (name, topic) in view {
            hash.add(name.as_str().as_bytes());
            hash.add(&[0]);
            hash.add(&topic.id.0);
            hash.add(&topic.partitions.to_le_bytes());
        }
        self.patterns.hash_into(&mut hash);
        hash.finish()
    }

    /// Subscriptions and topics for an assignor, and where each subscription stands among them. Those that come to the same topics
    /// are one: readers of one pattern who may see the same are treated as equals.
    pub fn spec(&self, view: &View) -> (Spec<'static>, BTreeMap<Arc<Subscription>, usize>) {
        let mut subscriptions: Vec<BTreeSet<TopicId>> = Vec::new();
        let mut known: BTreeMap<BTreeSet<TopicId>, usize> = BTreeMap::new();
        let mut kinds: BTreeMap<Kind<'_>, usize> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for subscription in self.counts.keys() {
            let found = self.patterns.found(subscription);
            let kind: Kind<'_> = (
                &subscription.names,
                found.as_ref().map(|found| (found.text, found.eyes)),
            );
            let place = *kinds.entry(kind).or_insert_with(|| {
                let names = subscription
                    .names
                    .iter()
                    .chain(found.into_iter().flat_map(|found| found.names));
                let ids: BTreeSet<TopicId> = names.filter_map(|name| Some(view.get(name)?.id)).collect();
                *known.entry(ids).or_insert_with_key(|ids| {
                    subscriptions.push(ids.clone());
                    subscriptions.len() - 1
                })
            });
            places.insert(subscription.clone(), place);
        }
        let spec = Spec {
            members: Vec::new(),
            subscriptions,
            topics: view.values().map(|topic| (topic.id, topic.partitions)).collect(),
        };
        (spec, places)
    }
}
