//! Names of topics: Kafka's rules, and which names count as the same.
//!
//! Owns: validity and the unified spelling. Never: whether a name is taken.
//! **Invariant**: two valid names that differ only in `.` against `_` have one unified spelling.

use std::borrow::Cow;
use std::fmt;

/// The longest name of a topic, in bytes (Kafka: a file name of 255 less the partition's suffix).
pub const TOPIC_NAME_BYTES_MAX: usize = 249;

/// Why a name cannot be given to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing at all.
    Empty,
    /// `.` or `..`.
    Dots,
    /// Longer than `TOPIC_NAME_BYTES_MAX`.
    TooLong,
    /// Something else than ASCII letters, digits, `.`, `_` and `-`.
    Characters(String),
    /// Only `.` against `_` tells it from a topic that exists; metrics spell both the same.
    Collides {
        /// The new name.
        name: String,
        /// The topic that exists.
        with: String,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "Topic name is invalid: it is empty"),
            Self::Dots => write!(f, "Topic name is invalid: it cannot be \".\" or \"..\""),
            Self::TooLong => {
                write!(
                    f,
                    "Topic name is invalid: it is longer than {TOPIC_NAME_BYTES_MAX} characters"
                )
            }
            Self::Characters(name) => write!(
                f,
                "Topic name is invalid: '{}' holds something else than ASCII letters, digits, '.', '_' and '-'",
                name.escape_debug()
            ),
            Self::Collides { name, with } => write!(f, "Topic '{name}' collides with existing topic: {with}"),
        }
    }
}

impl std::error::Error for NameError {}

/// Whether a topic may have this name.
///
/// # Errors
/// The first rule that it breaks; never `Collides`.
pub fn check_topic_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name == "." || name == ".." {
        return Err(NameError::Dots);
    }
    if name.len() > TOPIC_NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err(NameError::Characters(name.to_owned()));
    }
    Ok(())
}

/// The spelling that colliding names share.
pub(crate) fn unify(name: &str) -> Cow<'_, str> {
    if name.contains('.') {
        Cow::Owned(name.replace('.', "_"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_and_refused_as_kafka_does() {
        for valid in ["a", "a.b", "A-9_.", "...", "__consumer_offsets", &"n".repeat(249)] {
            assert_eq!(check_topic_name(valid), Ok(()), "{valid}");
        }
        assert_eq!(check_topic_name(""), Err(NameError::Empty));
        assert_eq!(check_topic_name("."), Err(NameError::Dots));
        assert_eq!(check_topic_name(".."), Err(NameError::Dots));
        assert_eq!(check_topic_name(&"n".repeat(250)), Err(NameError::TooLong));
        for wrong in ["a b", "a/b", "\u{e4}", "a\0", "a\n", "a+b", "a:b"] {
            assert_eq!(check_topic_name(wrong), Err(NameError::Characters(wrong.into())));
        }
    }

    #[test]
    fn colliding_names_share_a_spelling() {
        assert_eq!(unify("a.b_c"), unify("a_b.c"));
        assert_ne!(unify("a.b"), unify("a-b"));
    }
}
