//! What a request names more than once: most administrative APIs refuse it, once, and leave it alone.

use std::collections::HashSet;
use std::hash::Hash;

/// The keys that occur at least twice.
pub(crate) fn repeated<K: Hash + Eq + Clone>(keys: impl IntoIterator<Item = K>) -> HashSet<K> {
    let mut seen = HashSet::new();
    let twice = keys.into_iter().filter(|key| !seen.insert(key.clone()));
    twice.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_occurs_twice_is_repeated() {
        assert_eq!(repeated([1, 2, 1, 3, 1]), HashSet::from([1]));
        assert!(repeated::<u8>([]).is_empty());
    }
}
