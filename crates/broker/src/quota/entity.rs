//! Whom a quota binds: a user, a client by its own name, both together, or an address; each named or the default of its kind.
//!
//! Owns: which combinations there are, and the one name under which the catalog keeps each. Never: a rate.
//!
//! **Invariant**: `Entity::from_name(entity.name()) == entity`, and two entities have two names.

use std::fmt::Write as _;
use std::net::IpAddr;
use thiserror::Error;

/// One part of an entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Whoever has no quota of their own (Kafka: `<default>`).
    Default,
    /// This one.
    Named(String),
}

impl Part {
    /// The name; none is the default.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Named(name) => Some(name),
        }
    }
}

impl From<Option<String>> for Part {
    fn from(name: Option<String>) -> Self {
        name.map_or(Self::Default, Self::Named)
    }
}

/// What a part names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKind {
    /// A principal's name.
    User,
    /// What a client calls itself.
    ClientId,
    /// An address that connections come from.
    Ip,
}

impl PartKind {
    const ALL: [Self; 3] = [Self::User, Self::ClientId, Self::Ip];

    /// The word for it in requests and in the catalog.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ClientId => "client-id",
            Self::Ip => "ip",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Why there is no such entity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EntityError {
    /// No part at all.
    #[error("a quota binds somebody: the entity is empty")]
    Empty,
    /// A kind twice.
    #[error("the entity names {0} twice")]
    Twice(&'static str),
    /// A name without a character.
    #[error("the name of a {0} must not be empty; the default has no name")]
    Nameless(&'static str),
    /// An address beside something else.
    #[error("an ip stands alone: connections are counted before anybody has said who they are")]
    IpBeside,
    /// Not an address.
    #[error("{0} is no IP address")]
    NotAnAddress(String),
}

/// Whom a quota binds. At least one part; an address stands alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity {
    // In the order of the kinds.
    parts: Vec<(PartKind, Part)>,
}

impl Entity {
    /// Of these parts, in any order.
    ///
    /// # Errors
    /// What makes it no entity.
    pub fn new(mut parts: Vec<(PartKind, Part)>) -> Result<Self, EntityError> {
        if parts.is_empty() {
            return Err(EntityError::Empty);
        }
        parts.sort();
        if let Some(twice) = parts.windows(2).find(|two| two[0].0 == two[1].0) {
            return Err(EntityError::Twice(twice[0].0.word()));
        }
        if let Some((kind, _)) = parts.iter().find(|(_, part)| part.name() == Some("")) {
            return Err(EntityError::Nameless(kind.word()));
        }
        for (kind, part) in &mut parts {
            if let (PartKind::Ip, Part::Named(text)) = (&*kind, &mut *part) {
                let address: IpAddr = text
                    .parse()
                    .map_err(|_| EntityError::NotAnAddress(text.clone()))?;
                // One spelling for one address.
                *text = address.to_canonical().to_string();
            }
        }
        let entity = Self { parts };
        if entity.part(PartKind::Ip).is_some() && entity.parts.len() > 1 {
            return Err(EntityError::IpBeside);
        }
        Ok(entity)
    }

    /// Its parts, in the order of the kinds.
    #[must_use]
    pub fn parts(&self) -> &[(PartKind, Part)] {
        &self.parts
    }

    /// The part of a kind.
    #[must_use]
    pub fn part(&self, kind: PartKind) -> Option<&Part> {
        self.parts
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, part)| part)
    }

    /// The name under which the catalog keeps its quotas: `user=alice,client-id`; a part without `=` is the default.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = String::new();
        for (kind, part) in &self.parts {
            if !name.is_empty() {
                name.push(',');
            }
            name.push_str(kind.word());
            if let Some(of) = part.name() {
                name.push('=');
                escape(of, &mut name);
            }
        }
        name
    }

    /// Reads a name; `None` if no entity has it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let parts = name.split(',').map(|part| match part.split_once('=') {
            Some((word, of)) => Some((PartKind::from_word(word)?, Part::Named(unescape(of)?))),
            None => Some((PartKind::from_word(part)?, Part::Default)),
        });
        let entity = Self::new(parts.collect::<Option<_>>()?).ok()?;
        (entity.name() == name).then_some(entity)
    }
}

/// `,` parts parts and `+` is the escape: each becomes `+` and two hexadecimal digits.
fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        if matches!(character, ',' | '+') {
            write!(into, "+{:02x}", u32::from(character)).expect("writing to a string cannot fail");
        } else {
            into.push(character);
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut pieces = text.split('+');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        plain.push(char::from(u8::from_str_radix(digits, 16).ok()?));
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Part {
        Part::Named(name.to_owned())
    }

    #[test]
    fn an_entity_comes_back_from_its_name() {
        use PartKind::*;
        let cases = [
            (vec![(User, named("alice"))], "user=alice"),
            (
                vec![(ClientId, Part::Default), (User, Part::Default)],
                "user,client-id",
            ),
            (
                vec![(User, named("a,b+c=d")), (ClientId, named("x"))],
                "user=a+2cb+2bc=d,client-id=x",
            ),
            (vec![(Ip, named("::ffff:10.0.0.1"))], "ip=10.0.0.1"),
            (vec![(Ip, Part::Default)], "ip"),
        ];
        for (parts, name) in cases {
            let entity = Entity::new(parts).expect("an entity");
            assert_eq!(entity.name(), name);
            assert_eq!(Entity::from_name(name), Some(entity));
        }
    }

    #[test]
    fn what_is_no_entity_is_refused() {
        use PartKind::*;
        assert_eq!(Entity::new(vec![]), Err(EntityError::Empty));
        let twice = vec![(User, named("a")), (User, Part::Default)];
        assert_eq!(Entity::new(twice), Err(EntityError::Twice("user")));
        let beside = vec![(User, named("a")), (Ip, named("::1"))];
        assert_eq!(Entity::new(beside), Err(EntityError::IpBeside));
        assert_eq!(
            Entity::new(vec![(ClientId, named(""))]),
            Err(EntityError::Nameless("client-id"))
        );
        assert!(matches!(
            Entity::new(vec![(Ip, named("host"))]),
            Err(EntityError::NotAnAddress(_))
        ));
        for wrong in [
            "",
            "user=",
            "client-id,user",
            "group=a",
            "user=a+",
            "user=a+zz",
            "ip=::ffff:10.0.0.1",
        ] {
            assert_eq!(Entity::from_name(wrong), None, "{wrong}");
        }
    }
}
