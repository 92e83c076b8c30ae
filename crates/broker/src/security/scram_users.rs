//! SCRAM users as they are listed, set and removed (KIP-554).
//!
//! Owns: which credentials are acceptable. Never: a password: tools send it salted, and only keys that follow from it are kept.

use super::sasl::scram::{ITERATIONS, keys_of, salted};
use crate::Broker;
use millstream_meta::catalog::{CatalogError, SCRAM_USER_BYTES_MAX, ScramMechanism};
use std::collections::BTreeMap;
use std::fmt;

/// One change of one user's credential.
#[derive(Clone, PartialEq, Eq)]
pub enum ScramChange {
    /// Takes it away.
    Delete,
    /// Sets it.
    Upsert {
        /// How often the password was hashed.
        iterations: i64,
        /// The salt.
        salt: Vec<u8>,
        /// The salted password.
        salted_password: Vec<u8>,
    },
}

impl fmt::Debug for ScramChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete => f.write_str("Delete"),
            Self::Upsert { iterations, .. } => write!(f, "Upsert({iterations} iterations)"),
        }
    }
}

/// Why a credential was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// There is none.
    #[error("Attempt to delete a user credential that does not exist")]
    NotFound,
    /// It would not be safe, or makes no sense.
    #[error("{0}")]
    Unacceptable(String),
    /// The metadata store failed; the text tells whether it may have happened.
    #[error("{0}")]
    Store(String),
}

impl From<CatalogError> for ScramError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Refused(why) => Self::Unacceptable(why),
            other => Self::Store(other.to_string()),
        }
    }
}

/// A user's mechanisms with their iterations.
pub type ScramListing = Vec<(ScramMechanism, u32)>;

impl Broker {
    /// Every user with what they can log in by, in the order of their names.
    #[must_use]
    pub fn scram_users(&self) -> BTreeMap<String, ScramListing> {
        let image = self.inner.catalog.image();
        let mut users: BTreeMap<String, ScramListing> = BTreeMap::new();
        for credential in image.scrams() {
            let listing = users.entry(credential.user.clone()).or_default();
            listing.push((credential.mechanism, credential.iterations));
        }
        users.values_mut().for_each(|listing| listing.sort_unstable());
        users
    }

    /// Gives a user without SCRAM credentials those of a password, for every mechanism.
    pub async fn make_scram_user(&self, user: &str, password: &str, salt: &[u8]) -> Result<(), ScramError> {
        let known = |mechanism: &ScramMechanism| self.inner.catalog.image().scram(user, *mechanism).is_some();
        if ScramMechanism::ALL.iter().any(known) {
            return Ok(());
        }
        for mechanism in ScramMechanism::ALL {
            let iterations = *ITERATIONS.start();
            let change = ScramChange::Upsert {
                iterations: i64::from(iterations),
                salt: salt.to_vec(),
                salted_password: salted(*mechanism, password, salt, iterations),
            };
            self.change_scram(user, *mechanism, &change).await?;
        }
        Ok(())
    }

    /// Whether a change could be made.
    pub fn check_scram(
        &self,
        user: &str,
        mechanism: ScramMechanism,
        change: &ScramChange,
    ) -> Result<(), ScramError> {
        let unacceptable = |what: &str| Err(ScramError::Unacceptable(what.to_owned()));
        match change {
            _ if user.is_empty() => unacceptable("Username must not be empty"),
            ScramChange::Delete => match self.inner.catalog.image().scram(user, mechanism) {
                Some(_) => Ok(()),
                None => Err(ScramError::NotFound),
            },
            _ if user.len() > SCRAM_USER_BYTES_MAX => unacceptable("Username is too long"),
            ScramChange::Upsert { iterations, .. } if *iterations > i64::from(*ITERATIONS.end()) => {
                unacceptable("Too many iterations")
            }
            ScramChange::Upsert { iterations, .. } if *iterations < i64::from(*ITERATIONS.start()) => {
                unacceptable("Too few iterations")
            }
            ScramChange::Upsert { salted_password, .. } if salted_password.len() != mechanism.key_bytes() => {
                unacceptable("The salted password does not have the length of the mechanism's hash")
            }
            ScramChange::Upsert { .. } => Ok(()),
        }
    }

    /// Makes a change.
    pub async fn change_scram(
        &self,
        user: &str,
        mechanism: ScramMechanism,
        change: &ScramChange,
    ) -> Result<(), ScramError> {
        self.check_scram(user, mechanism, change)?;
        match change {
            ScramChange::Delete => self.inner.catalog.delete_scram(user, mechanism).await?,
            ScramChange::Upsert {
                iterations,
                salt,
                salted_password,
            } => {
                let iterations = u32::try_from(*iterations).unwrap_or(*ITERATIONS.end());
                let keys = keys_of(user, mechanism, iterations, salt, salted_password);
                self.inner.catalog.put_scram(&keys).await?;
            }
        }
        Ok(())
    }
}
