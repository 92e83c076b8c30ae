//! PLAIN (RFC 4616): name and password in one message.
//!
//! Owns: users and passwords as they are configured, kept as hashes. Never: a password after it was hashed.

use super::{ACTS_FOR_ANOTHER, LoggedIn, LoginFailed, Step};
use crate::security::Principal;
use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use std::collections::HashMap;
use std::fmt;

/// The most users that are configured so.
pub const PLAIN_USERS_MAX: usize = 10_000;

/// Users and their passwords' hashes; replaced whole when the file changes.
#[derive(Default)]
pub struct PlainUsers(ArcSwap<HashMap<String, Digest>>);

impl fmt::Debug for PlainUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainUsers({})", self.0.load().len())
    }
}

impl PlainUsers {
    /// Replaces all by the users of a text: one `name:password` a line; empty lines and lines that begin with `#` mean nothing.
    ///
    /// # Errors
    /// The number of the line that is neither. Nothing was replaced then.
    pub fn replace(&self, text: &str) -> Result<(), String> {
        let mut users = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, password) = line
                .split_once(':')
                .filter(|(name, password)| !name.is_empty() && !password.is_empty())
                .ok_or_else(|| format!("line {number}: a user is written NAME:PASSWORD"))?;
            users.insert(name.to_owned(), digest(&SHA256, password.as_bytes()));
            if users.len() > PLAIN_USERS_MAX {
                return Err(format!("line {number}: at most {PLAIN_USERS_MAX} users"));
            }
        }
        self.0.store(users.into());
        Ok(())
    }

    /// Whether this is the user's password.
    #[must_use]
    pub fn proves(&self, name: &str, password: &str) -> bool {
        let given = digest(&SHA256, password.as_bytes());
        let users = self.0.load();
        match users.get(name) {
            Some(expected) => verify_slices_are_equal(given.as_ref(), expected.as_ref()).is_ok(),
            None => false,
        }
    }
}

pub(super) fn check(users: &PlainUsers, message: &[u8]) -> Result<Step, LoginFailed> {
    let failed = || LoginFailed("Authentication failed: Invalid username or password".to_owned());
    let malformed = || LoginFailed("Invalid SASL/PLAIN response: expected 3 tokens".to_owned());
    let text = std::str::from_utf8(message).map_err(|_| malformed())?;
    let mut parts = text.split('\0');
    let (Some(acts_for), Some(name), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    if name.is_empty() || password.is_empty() || !users.proves(name, password) {
        return Err(failed());
    }
    if !acts_for.is_empty() && acts_for != name {
        return Err(LoginFailed(ACTS_FOR_ANOTHER.to_owned()));
    }
    let logged_in = LoggedIn {
        principal: Principal::user(name),
        ends_ms: None,
        by_token: false,
    };
    Ok(Step::Done(Vec::new(), logged_in))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> PlainUsers {
        let users = PlainUsers::default();
        users
            .replace("# who\nalice:wonder:land\n\nbob:b")
            .expect("it is well written");
        users
    }

    #[test]
    fn only_the_right_password_proves_a_user() {
        let users = users();
        let Ok(Step::Done(answer, who)) = check(&users, b"\0alice\0wonder:land") else {
            panic!("the password is right");
        };
        assert!(answer.is_empty());
        assert_eq!(who.principal, Principal::user("alice"));
        assert!(check(&users, b"bob\0bob\0b").is_ok());
        let wrong: [&[u8]; 7] = [
            b"\0alice\0wonder",
            b"\0carol\0wonder:land",
            b"\0alice\0",
            b"\0\0wonder:land",
            b"bob\0alice\0wonder:land",
            b"\0alice",
            b"\0alice\0wonder:land\0",
        ];
        for message in wrong {
            assert!(check(&users, message).is_err(), "{message:?}");
        }
        assert_eq!(
            check(&users, b"\0alice\0x"),
            check(&users, b"\0nobody\0x"),
            "nobody learns who exists"
        );
    }

    #[test]
    fn a_file_that_is_no_list_of_users_replaces_nothing() {
        let users = users();
        let error = users.replace("carol:c\nno colon").expect_err("a line is wrong");
        assert!(
            error.starts_with("line 2") && !error.contains("no colon"),
            "{error}"
        );
        assert!(users.proves("alice", "wonder:land") && !users.proves("carol", "c"));
        assert!(!format!("{users:?}").contains("alice"));
    }
}
