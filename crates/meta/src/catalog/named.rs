//! Settings of named things that are neither topics nor brokers: whom a quota binds, subscriptions of client metrics, groups,
//! the cluster's feature levels.
//!
//! Owns: that a change is atomic for its name and lost to no other; how any name is spelt as a key. Never: what a name or a
//! setting means (the broker's).
//! **Invariant**: two names have two keys, and one name has one key: `unspell(spell(name)) == name`, and nothing else is read.

use super::configs::{check_configs, put_configs};
use super::image::Image;
use super::{Catalog, CatalogError, ConfigMap, ROUNDS_MAX};
use crate::key::Key;
use crate::settle::Settled;
use crate::store::{Txn, TxnOutcome};
use std::fmt;
use std::fmt::Write as _;

/// The longest spelling of a name. With the longest prefix it fits a key of the store.
pub const NAMED_SPELLING_BYTES_MAX: usize = 440;

/// What has settings under a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedKind {
    /// Whom a quota binds.
    Quota,
    /// A subscription of client metrics (KIP-714).
    ClientMetrics,
    /// A group (Kafka: the resource type GROUP).
    Group,
    /// The cluster's feature levels (KIP-584).
    Features,
}

impl NamedKind {
    const ALL: [Self; 4] = [Self::Quota, Self::ClientMetrics, Self::Group, Self::Features];

    fn word(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::ClientMetrics => "client-metrics",
            Self::Group => "group-configs",
            Self::Features => "features",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for NamedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A byte that stands for itself in a key. `%` and `/` never do.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._=,:@<>".contains(&byte)
}

/// Spells a name so that a key can hold it: readable for usual names, `%XX` for every other byte.
pub(crate) fn spell(name: &str) -> String {
    let mut spelt = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            spelt.push(char::from(byte));
        } else {
            write!(spelt, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    spelt
}

/// The name of a spelling; `None` if `spell` never writes it.
pub(crate) fn unspell(spelt: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(spelt.len());
    let mut rest = spelt.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        rest = after;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    let name = String::from_utf8(bytes).ok()?;
    // One spelling only.
    (spell(&name) == spelt).then_some(name)
}

impl Image {
    /// Settings made under a name; none are an empty map.
    #[must_use]
    pub fn named(&self, kind: NamedKind, name: &str) -> ConfigMap {
        let stored = self.named_settings(kind, name);
        stored.map(|(configs, _)| configs.clone()).unwrap_or_default()
    }
}

impl Catalog {
    /// As `edit_topic_configs`, for the settings under a name. An empty map is no settings.
    ///
    /// # Errors
    /// `NameTooLong` if no key can hold the name; else as for topics.
    pub async fn edit_named(
        &self,
        kind: NamedKind,
        name: &str,
        mut edit: impl FnMut(&ConfigMap) -> Result<ConfigMap, String> + Send,
    ) -> Result<(), CatalogError> {
        let spelt = spell(name);
        if spelt.is_empty() || spelt.len() > NAMED_SPELLING_BYTES_MAX {
            return Err(CatalogError::NameTooLong);
        }
        let key = Key::Named { kind, spelt: &spelt }.encode();
        for _ in 0..ROUNDS_MAX {
            let image = self.image();
            let used = image.named_settings(kind, name).map(|(_, revision)| revision);
            let present = image.named(kind, name);
            let configs = edit(&present).map_err(CatalogError::Refused)?;
            check_configs(&configs)?;
            if configs == present {
                return Ok(());
            }
            let guard = Txn::new().when_unchanged(&key, used);
            let Settled { outcome, doubted } = self.send(put_configs(guard, &key, &configs)).await?;
            if let TxnOutcome::Committed { revision } = outcome {
                self.shown(revision).await;
                return Ok(());
            }
            let now = |image: &Image| image.named_settings(kind, name).map(|(_, revision)| revision);
            self.wait_until(|image| now(image) != used).await;
            if doubted && self.image().named(kind, name) == configs {
                return Ok(());
            }
        }
        Err(CatalogError::Contended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::KEY_BYTES_MAX;
    use proptest::prelude::*;

    #[test]
    fn usual_names_are_readable_and_others_are_escaped() {
        assert_eq!(
            spell("user=alice,client-id=app-1.x"),
            "user=alice,client-id=app-1.x"
        );
        assert_eq!(spell("a b/c%\u{e4}"), "a%20b%2Fc%25%C3%A4");
        for wrong in ["%", "%2", "%2f", "%41", "a/b", "a b", "%FF", "\u{e4}"] {
            assert_eq!(unspell(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_longest_spelling_fits_a_key() {
        for kind in NamedKind::ALL {
            let spelt = "x".repeat(NAMED_SPELLING_BYTES_MAX);
            assert!(Key::Named { kind, spelt: &spelt }.encode().len() <= KEY_BYTES_MAX);
            assert_eq!(NamedKind::from_word(kind.word()), Some(kind));
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back_from_its_key(name in any::<String>()) {
            prop_assert_eq!(unspell(&spell(&name)), Some(name));
        }
    }
}
