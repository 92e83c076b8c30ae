//! Listeners as a person writes them, in Kafka's spelling: `HOST:PORT`, `SASL_SSL://HOST:PORT`, `INSIDE:SSL://HOST:PORT`; several with
//! commas between.
//!
//! Owns: the spelling. Never: a socket.

use super::value::{HostPort, Value};
use std::fmt;

/// The most listeners of one broker.
pub const LISTENERS_MAX: usize = 16;

/// What is spoken below Kafka's frames (Kafka: security.protocol).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Neither encrypted nor asked who it is.
    Plaintext,
    /// TLS; a certificate of the client says who it is.
    Ssl,
    /// A login without encryption.
    SaslPlaintext,
    /// A login inside TLS.
    SaslSsl,
}

impl Protocol {
    const ALL: &[Self] = &[Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// Kafka's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether a login is asked for.
    #[must_use]
    pub fn asks_login(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Its name, as Kafka's tools show it.
    pub name: String,
    /// What is spoken on it.
    pub protocol: Protocol,
    /// Where.
    pub address: HostPort,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.protocol, self.name == self.protocol.name()) {
            (Protocol::Plaintext, true) => self.address.fmt(f),
            (protocol, true) => write!(f, "{}://{}", protocol.name(), self.address),
            (protocol, false) => write!(f, "{}:{}://{}", self.name, protocol.name(), self.address),
        }
    }
}

impl Listener {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((kind, address)) = text.split_once("://") else {
            return Ok(Self {
                name: Protocol::Plaintext.name().to_owned(),
                protocol: Protocol::Plaintext,
                address: text.parse()?,
            });
        };
        let (name, protocol) = match kind.split_once(':') {
            Some((name, protocol)) => (name, protocol),
            None => (kind, kind),
        };
        let protocol = Protocol::from_name(protocol).ok_or_else(|| {
            format!("{protocol} is no protocol: write PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
        })?;
        Ok(Self {
            name: name.to_uppercase(),
            protocol,
            address: address.parse()?,
        })
    }
}

/// One or several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listeners(pub Vec<Listener>);

impl Value for Listeners {
    const KIND: &'static str = "listeners";
    const EXAMPLE: &'static str = "127.0.0.1:9092,SASL_SSL://0.0.0.0:9093";

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let listeners = parts.map(Listener::parse).collect::<Result<Vec<_>, _>>()?;
        if listeners.is_empty() || listeners.len() > LISTENERS_MAX {
            return Err(format!("must be 1 to {LISTENERS_MAX} listeners"));
        }
        let mut names: Vec<&str> = listeners.iter().map(|listener| listener.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(
                "two listeners of one kind need names of their own: INSIDE:SSL://HOST:PORT".to_owned(),
            );
        }
        Ok(Self(listeners))
    }
}

impl fmt::Display for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, listener) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{listener}")?;
        }
        Ok(())
    }
}

/// What clients of each listener are told to connect to: `HOST:PORT` for the first, `NAME://HOST:PORT` for the one of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvertisedList(pub Vec<(Option<String>, HostPort)>);

impl AdvertisedList {
    /// The address for the listener, which is the broker's first or not.
    #[must_use]
    pub fn of(&self, name: &str, position: usize) -> Option<&HostPort> {
        let named = self.0.iter().find(|(of, _)| of.as_deref() == Some(name));
        let unnamed = || self.0.iter().find(|(of, _)| of.is_none() && position == 0);
        named.or_else(unnamed).map(|(_, address)| address)
    }
}

impl Value for AdvertisedList {
    const KIND: &'static str = "addresses";
    const EXAMPLE: &'static str = "broker.example:9092,SASL_SSL://broker.example:9093";

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let one = |part: &str| match part.split_once("://") {
            Some((name, address)) => Ok((Some(name.to_uppercase()), address.parse()?)),
            None => Ok((None, part.parse()?)),
        };
        Ok(Self(parts.map(one).collect::<Result<Vec<_>, String>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_written_as_kafka_writes_them() {
        let parsed = Listeners::parse("127.0.0.1:9092, SASL_SSL://0.0.0.0:9093,inside:ssl://[::1]:9094");
        let Listeners(all) = parsed.expect("well written");
        assert_eq!(all[1].name, "SASL_SSL");
        assert_eq!((all[2].name.as_str(), all[2].protocol), ("INSIDE", Protocol::Ssl));
        let shown = Listeners(all).to_string();
        assert_eq!(
            shown,
            "127.0.0.1:9092,SASL_SSL://0.0.0.0:9093,INSIDE:SSL://[::1]:9094"
        );
        for wrong in ["", "TLS://a:1", "SSL://a", "SSL://a:1,SSL://b:2", "a:1,b:2"] {
            assert!(Listeners::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_advertised_address_belongs_to_its_listener() {
        let list = AdvertisedList::parse("a:1,SASL_SSL://b:2").expect("well written");
        assert_eq!(
            list.of("PLAINTEXT", 0).map(ToString::to_string).as_deref(),
            Some("a:1")
        );
        assert_eq!(
            list.of("SASL_SSL", 1).map(ToString::to_string).as_deref(),
            Some("b:2")
        );
        assert_eq!(list.of("SSL", 2), None);
    }
}
