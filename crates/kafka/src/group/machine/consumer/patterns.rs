//! The patterns of a group's members, and the topics that each finds for each sort of reader.
//!
//! Owns: compiled forms, what matches, who sees what of it. Never: who subscribes (`subscriptions`), a right (the broker's).
//!
//! **Invariant**: a pattern is matched in time linear in the name, and its compiled form is bounded: the engine has neither
//! back-references nor look-around (KIP-848 asks for RE2's language).
//!
//! **Invariant**: a name is matched once for each pattern and change of names; rights are asked once for each pattern, sort of reader
//! and change of either. A member more costs neither.

use crate::group::facts::{Eyes, Facts, Versions};
use crate::group::machine::fnv::Fnv1a;
use crate::group::name::TopicName;
use crate::group::record::{PatternReader, Subscription};
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes of a pattern. Topic names have 249 at most; nobody needs more to describe them.
const PATTERN_BYTES_MAX: usize = 4_096;

/// Bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 1 << 20;

type Names = BTreeSet<TopicName>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    by_text: BTreeMap<Arc<str>, Pattern>,
    /// As of when everything was last resolved.
    resolved: Option<Versions>,
}

#[derive(Debug)]
struct Pattern {
    /// `None`: it does not compile (any more); it matches nothing.
    regex: Option<Regex>,
    matches: Arc<Names>,
    readers: BTreeMap<Option<PatternReader>, Viewer>,
    /// What of the matches each sort of reader sees.
    sights: BTreeMap<Eyes, Sight>,
}

#[derive(Debug)]
struct Viewer {
    /// How many subscriptions have it.
    users: usize,
    eyes: Eyes,
}

#[derive(Debug)]
struct Sight {
    /// How many readers have these eyes.
    readers: usize,
    names: Arc<Names>,
    /// Hash of the names.
    digest: u64,
}

impl Patterns {
    /// One more subscription has a pattern, if it has one.
    pub fn add(&mut self, subscription: &Subscription, facts: &dyn Facts) {
        let Some(text) = &subscription.pattern else { return };
        let pattern = self.by_text.entry(text.clone()).or_insert_with(|| {
            let mut pattern = Pattern {
                regex: compile(text),
                matches: Arc::default(),
                readers: BTreeMap::new(),
                sights: BTreeMap::new(),
            };
            if pattern.regex.is_some() {
                pattern.match_names(&names_of(facts));
            }
            pattern
        });
        if let Some(reader) = pattern.readers.get_mut(&subscription.reader) {
            reader.users += 1;
            return;
        }
        let eyes = pattern.open_eyes(subscription.reader.as_ref(), facts);
        let reader = Viewer { users: 1, eyes };
        pattern.readers.insert(subscription.reader.clone(), reader);
    }

    /// One subscription less has it.
    pub fn remove(&mut self, subscription: &Subscription) {
        let Some(text) = &subscription.pattern else { return };
        let Some(pattern) = self.by_text.get_mut(text) else {
            return;
        };
        pattern.remove(&subscription.reader);
        if pattern.readers.is_empty() {
            self.by_text.remove(text);
        }
    }

    /// Topics came or went, or rights did.
    pub fn resolve_again(&mut self, facts: &dyn Facts) {
        // Before the look: what changes meanwhile is looked at again.
        let versions = facts.versions();
        let before = self.resolved.replace(versions);
        if self.by_text.is_empty() || before == Some(versions) {
            return;
        }
        if before.is_none_or(|before| before.topics != versions.topics) {
            let names = names_of(facts);
            for pattern in self.by_text.values_mut() {
                pattern.match_names(&names);
            }
        }
        for pattern in self.by_text.values_mut() {
            pattern.look_again(facts);
        }
    }

    /// What the subscription's pattern finds for its reader, and by which eyes; `None`: it has no pattern.
    pub fn found<'a>(&'a self, subscription: &'a Subscription) -> Option<Found<'a>> {
        let (text, pattern) = self.by_text.get_key_value(subscription.pattern.as_ref()?)?;
        let eyes = &pattern.readers.get(&subscription.reader)?.eyes;
        let names = &pattern.sights.get(eyes)?.names;
        Some(Found { text, eyes, names })
    }

    /// Everything that is found for anybody.
    pub fn all_found(&self) -> impl Iterator<Item = &TopicName> {
        let sights = self.by_text.values().flat_map(|pattern| pattern.sights.values());
        sights.flat_map(|sight| &*sight.names)
    }

    /// Whether the topic is found for anybody.
    pub fn contains(&self, topic: &TopicName) -> bool {
        let mut sights = self.by_text.values().flat_map(|pattern| pattern.sights.values());
        sights.any(|sight| sight.names.contains(topic))
    }

    /// Adds what each pattern finds for each reader: all of them together may find the same topics while the right of one to see a
    /// topic has become the right of another. Nothing is added where there are no patterns.
    pub fn hash_into(&self, hash: &mut Fnv1a) {
        for (text, pattern) in &self.by_text {
            hash.add(text.as_bytes());
            hash.add(&[0]);
            for (reader, Viewer { eyes, .. }) in &pattern.readers {
                if let Some(reader) = reader {
                    hash.add(reader.principal.as_bytes());
                    hash.add(&[0]);
                    hash.add(reader.host.to_string().as_bytes());
                }
                hash.add(&[0]);
                let digest = pattern.sights.get(eyes).map_or(0, |sight| sight.digest);
                hash.add(&digest.to_le_bytes());
            }
        }
    }
}

/// What a pattern finds for one reader.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub text: &'a Arc<str>,
    pub eyes: &'a Eyes,
    pub names: &'a Names,
}

fn names_of(facts: &dyn Facts) -> Vec<TopicName> {
    let mut names = Vec::new();
    facts.each_topic(&mut |name| names.push(TopicName::from(name)));
    names
}

impl Pattern {
    fn match_names(&mut self, names: &[TopicName]) {
        let matches = |name: &&TopicName| {
            self.regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(name.as_str()))
        };
        self.matches = Arc::new(names.iter().filter(matches).cloned().collect());
    }

    /// The reader's eyes, with what is seen by them.
    fn open_eyes(&mut self, reader: Option<&PatternReader>, facts: &dyn Facts) -> Eyes {
        let eyes = facts.eyes(reader);
        let matches = &self.matches;
        let sight = self.sights.entry(eyes.clone()).or_insert_with(|| {
            let names = match eyes {
                Eyes::Every => matches.clone(),
                Eyes::Closed => Arc::default(),
                Eyes::Ruled(..) => {
                    let seen = facts.seen(reader, matches);
                    if seen == **matches {
                        matches.clone()
                    } else {
                        Arc::new(seen)
                    }
                }
            };
            let mut hash = Fnv1a::default();
            for name in &*names {
                hash.add(name.as_str().as_bytes());
                hash.add(&[0]);
            }
            Sight {
                readers: 0,
                names,
                digest: hash.finish(),
            }
        });
        sight.readers += 1;
        eyes
    }

    fn look_again(&mut self, facts: &dyn Facts) {
        self.sights.clear();
        let mut readers = std::mem::take(&mut self.readers);
        for (reader, held) in &mut readers {
            held.eyes = self.open_eyes(reader.as_ref(), facts);
        }
        self.readers = readers;
    }

    fn remove(&mut self, reader: &Option<PatternReader>) {
        let Some(held) = self.readers.get_mut(reader) else {
            return;
        };
        held.users -= 1;
        if held.users > 0 {
            return;
        }
        if let Some(sight) = self.sights.get_mut(&held.eyes) {
            sight.readers -= 1;
            if sight.readers == 0 {
                self.sights.remove(&held.eyes);
            }
        }
        self.readers.remove(reader);
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
