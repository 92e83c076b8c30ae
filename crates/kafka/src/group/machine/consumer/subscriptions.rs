//! What the members of a group subscribe to, and the topics that this means.
//!
//! Owns: the distinct subscriptions with their members counted, patterns compiled and resolved once. Never: who subscribes.
//!
//! **Invariant**: a pattern is matched in time linear in the name, and its compiled form is bounded: the engine has neither
//! back-references nor look-around (KIP-848 asks for RE2's language).

use crate::group::assignor::Spec;
use crate::group::facts::{Facts, TopicView};
use crate::group::machine::fnv::Fnv1a;
use crate::group::name::{TopicId, TopicName};
use crate::group::record::{PatternReader, Subscription};
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes of a pattern. Topic names have 249 at most; nobody needs more to describe them.
const PATTERN_BYTES_MAX: usize = 4_096;

/// Bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Topics by name.
pub(super) type View = BTreeMap<TopicName, TopicView>;

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// How many members have each.
    counts: BTreeMap<Arc<Subscription>, usize>,
    patterns: BTreeMap<PatternKey, Pattern>,
}

/// A pattern finds what its reader may see.
type PatternKey = (Arc<str>, Option<PatternReader>);

fn key_of(subscription: &Subscription) -> Option<PatternKey> {
    let text = subscription.pattern.clone()?;
    Some((text, subscription.reader.clone()))
}

#[derive(Debug)]
struct Pattern {
    /// How many subscriptions have it.
    users: usize,
    /// `None`: it does not compile (any more); it matches nothing.
    regex: Option<Regex>,
    names: BTreeSet<TopicName>,
}

impl Pattern {
    fn resolve(&mut self, reader: Option<&PatternReader>, facts: &dyn Facts) {
        if let Some(regex) = &self.regex {
            facts.each_topic(reader, &mut |name| {
                if regex.is_match(name) {
                    self.names.insert(TopicName::from(name));
                }
            });
        }
    }
}

/// The pattern, to be matched against whole names; `None`: it is none.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let quoted = unquote(pattern);
    // First by itself: a stray parenthesis must not close the group that is put around it.
    let build = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        builder
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(COMPILED_BYTES_MAX);
        builder.build().ok()
    };
    build(&quoted)?;
    build(&format!(r"\A(?:{quoted})\z"))
}

/// RE2 has `\Q...\E` for literal text, the engine here has not.
fn unquote(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        if let Some(literal) = after.strip_prefix("\\Q") {
            let (literal, behind) = literal.split_once("\\E").unwrap_or((literal, ""));
            out.push_str(&regex::escape(literal));
            rest = behind;
        } else {
            // An escape and the character that it escapes.
            let mut end = 1;
            end += after[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&after[..end]);
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    out
}

impl Subscriptions {
    /// One more member has it.
    pub fn add(&mut self, subscription: &Arc<Subscription>, facts: &dyn Facts) {
        if let Some(count) = self.counts.get_mut(subscription) {
            *count += 1;
            return;
        }
        self.counts.insert(subscription.clone(), 1);
        if let Some(key) = key_of(subscription) {
            let (text, reader) = key.clone();
            let pattern = self.patterns.entry(key).or_insert_with(|| {
                let mut pattern = Pattern {
                    users: 0,
                    regex: compile(&text),
                    names: BTreeSet::new(),
                };
                pattern.resolve(reader.as_ref(), facts);
                pattern
            });
            pattern.users += 1;
        }
    }

    /// One member less has it.
    pub fn remove(&mut self, subscription: &Arc<Subscription>) {
        let Some(count) = self.counts.get_mut(subscription) else {
            return;
        };
        *count -= 1;
        if *count > 0 {
            return;
        }
        self.counts.remove(subscription);
        if let Some(key) = key_of(subscription)
            && let Some(pattern) = self.patterns.get_mut(&key)
        {
            pattern.users -= 1;
            if pattern.users == 0 {
                self.patterns.remove(&key);
            }
        }
    }

    /// Topics came or went, or rights did. Whether any pattern finds something else than before: all of them together may find the
    /// same, if only the rights of one reader changed.
    pub fn resolve_again(&mut self, facts: &dyn Facts) -> bool {
        let mut changed = false;
        for ((_, reader), pattern) in &mut self.patterns {
            let before = std::mem::take(&mut pattern.names);
            pattern.resolve(reader.as_ref(), facts);
            changed |= pattern.names != before;
        }
        changed
    }

    /// Whether somebody subscribes to the topic.
    pub fn contains(&self, topic: &TopicName) -> bool {
        self.counts
            .keys()
            .any(|subscription| subscription.names.contains(topic))
            || self
                .patterns
                .values()
                .any(|pattern| pattern.names.contains(topic))
    }

    fn names<'a>(&'a self, subscription: &'a Subscription) -> impl Iterator<Item = &'a TopicName> {
        let pattern = key_of(subscription).and_then(|key| self.patterns.get(&key));
        subscription
            .names
            .iter()
            .chain(pattern.into_iter().flat_map(|pattern| &pattern.names))
    }

    /// The topics that members subscribe to, as far as they exist.
    pub fn view(&self, facts: &dyn Facts) -> View {
        let names: BTreeSet<&TopicName> = self.counts.keys().flat_map(|one| self.names(one)).collect();
        let found = names.into_iter();
        found
            .filter_map(|name| Some((name.clone(), facts.topic(name.as_str())?)))
            .collect()
    }

    /// Subscriptions and topics for an assignor, and where each subscription stands among them. Those that come to the same topics
    /// are one: readers of one pattern who may see the same are treated as equals.
    pub fn spec(&self, view: &View) -> (Spec<'static>, BTreeMap<Arc<Subscription>, usize>) {
        let mut subscriptions: Vec<BTreeSet<TopicId>> = Vec::new();
        let mut known: BTreeMap<BTreeSet<TopicId>, usize> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for subscription in self.counts.keys() {
            let names = self.names(subscription);
            let ids: BTreeSet<TopicId> = names.filter_map(|name| Some(view.get(name)?.id)).collect();
            let place = *known.entry(ids).or_insert_with_key(|ids| {
                subscriptions.push(ids.clone());
                subscriptions.len() - 1
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

/// What the epoch of a group depends on: names, ids and partition counts.
pub(super) fn hash(view: &View) -> u64 {
    let mut hash = Fnv1a::default();
    for (name, topic) in view {
        hash.add(name.as_str().as_bytes());
        hash.add(&[0]);
        hash.add(&topic.id.0);
        hash.add(&topic.partitions.to_le_bytes());
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names_in_the_language_of_re2() {
        let matches = |pattern: &str, name: &str| compile(pattern).unwrap().is_match(name);
        assert!(matches("a.*", "abc") && !matches("a.*", "ba"));
        assert!(
            matches("a|ab", "ab"),
            "the whole name, whichever branch comes first"
        );
        assert!(matches(r"\Qa.b\E.*", "a.bc") && !matches(r"\Qa.b\E.*", "axbc"));
        assert!(matches(r"\Qa.", "a.") && matches(r"\\Q", r"\Q"));
        assert!(matches(r"\pL+", "abc") && matches("(?i)ABC", "abc"));
        for refused in ["(", ")", "a)(b", r"(a)\1", "(?=a)", "[", "a{100000}{100000}"] {
            assert!(compile(refused).is_none(), "{refused}");
        }
        assert!(compile(&"a".repeat(PATTERN_BYTES_MAX + 1)).is_none());
    }
}
