//! Who somebody is: a kind and a name, `User:alice`.
//!
//! Owns: the spelling. Never: the proof.

use std::fmt;
use std::str::FromStr;

/// The kind of nearly every principal.
pub const USER: &str = "User";
/// Who has not logged in.
pub const ANONYMOUS: &str = "ANONYMOUS";

/// Somebody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// `User:alice`.
    text: Box<str>,
    /// Where the name begins in it.
    name_at: usize,
}

/// The text is not of the form `Kind:name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a principal is written KIND:NAME, e.g. User:alice")]
pub struct PrincipalError;

impl Principal {
    /// A user.
    #[must_use]
    pub fn user(name: &str) -> Self {
        Self::of_kind(USER, name)
    }

    /// Somebody of any kind; the kind has no colon.
    #[must_use]
    pub fn of_kind(kind: &str, name: &str) -> Self {
        Self {
            text: format!("{kind}:{name}").into(),
            name_at: kind.len() + 1,
        }
    }

    /// Who has not logged in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::user(ANONYMOUS)
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.text[..self.name_at - 1]
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.name_at..]
    }

    /// Kind and name as rules spell them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        match text.split_once(':') {
            Some((kind, name)) if !kind.is_empty() => Ok(Self::of_kind(kind, name)),
            _ => Err(PrincipalError),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_spelt_kind_and_name() {
        let alice: Principal = "User:CN=alice:1,O=x".parse().expect("of that form");
        assert_eq!((alice.kind(), alice.name()), ("User", "CN=alice:1,O=x"));
        assert_eq!(Principal::anonymous().as_str(), "User:ANONYMOUS");
        assert!("alice".parse::<Principal>().is_err());
        assert!(":alice".parse::<Principal>().is_err());
    }
}
