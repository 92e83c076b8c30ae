//! Ids of topics and of the cluster: sixteen random bytes, printed as Kafka prints them.
//!
//! Owns: how an id is drawn and spelt. Never: who has it.
//! **Invariant**: an id is a version 4 UUID, therefore none of those that Kafka reserves (zero, one, ... 99), and its spelling
//! does not begin with `-`, which command lines take for an option.

use crate::entropy::Entropy;
use std::fmt;

/// A topic's id (KIP-516). Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub [u8; 16]);

/// The cluster's id, drawn when its metadata was first opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClusterId(pub [u8; 16]);

impl TopicId {
    /// A new one.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Self {
        Self(draw_uuid(entropy))
    }
}

impl ClusterId {
    /// A new one.
    pub(crate) fn draw(entropy: &dyn Entropy) -> Self {
        Self(draw_uuid(entropy))
    }
}

/// Draws at most this often: one draw in 64 begins with `-`.
const DRAWS_MAX: usize = 64;

fn draw_uuid(entropy: &dyn Entropy) -> [u8; 16] {
    let mut id = [0; 16];
    for _ in 0..DRAWS_MAX {
        id = entropy.draw();
        // RFC 9562, section 5.4: version 4, variant 10.
        id[6] = (id[6] & 0x0f) | 0x40;
        id[8] = (id[8] & 0x3f) | 0x80;
        if first_character(&id) != b'-' {
            break;
        }
    }
    id
}

/// RFC 4648, section 5: the alphabet that needs no escaping in a URL.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn first_character(id: &[u8; 16]) -> u8 {
    ALPHABET[usize::from(id[0] >> 2)]
}

/// 22 characters: 16 bytes in base64url without padding.
fn write_base64(id: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // 132 bits, 22 characters of six: the id and four zero bits.
    let bits = u128::from_be_bytes(*id);
    for at in 0..22 {
        let below = 122 - 6 * at;
        let six = if below >= 0 { bits >> below } else { bits << -below };
        write!(f, "{}", char::from(ALPHABET[(six & 63) as usize]))?;
    }
    Ok(())
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base64(&self.0, f)
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicId({self})")
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base64(&self.0, f)
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed([u8; 16]);

    impl Entropy for Fixed {
        fn draw(&self) -> [u8; 16] {
            self.0
        }
    }

    #[test]
    fn an_id_is_spelt_as_kafka_spells_it() {
        assert_eq!(TopicId([0; 16]).to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(TopicId([0xff; 16]).to_string(), "_____________________w");
        let counted: [u8; 16] = std::array::from_fn(|i| i as u8);
        assert_eq!(TopicId(counted).to_string(), "AAECAwQFBgcICQoLDA0ODw");
    }

    #[test]
    fn a_drawn_id_is_a_version_4_uuid() {
        let id = TopicId::draw(&Fixed([0; 16])).0;
        assert_eq!((id[6], id[8]), (0x40, 0x80));
    }
}
