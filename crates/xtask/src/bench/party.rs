//! Who takes part in a run: the brokers, and the bare loop that they are held against.
//!
//! Owns their names in arguments, raw numbers and tables; knows nothing of how each is run.

use crate::brokers::Peer;

const BARE_LOOP: &str = "bare-loop";

/// One column of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// A broker.
    Broker(Peer),
    /// No broker: the least that any could do with a byte.
    BareLoop,
}

impl Party {
    /// What everything is compared with the others for.
    pub const MILLSTREAM: Self = Self::Broker(Peer::Millstream);
    /// What targets are relative to.
    pub const KAFKA: Self = Self::Broker(Peer::Kafka);
    /// The Kafka that promises what Millstream does.
    pub const KAFKA_FLUSHING: Self = Self::Broker(Peer::KafkaFlushing);

    /// Everybody, in the order of a run and of the columns.
    pub const ALL: [Self; 4] = [
        Self::MILLSTREAM,
        Self::KAFKA,
        Self::KAFKA_FLUSHING,
        Self::BareLoop,
    ];

    /// The party that a user or a file named.
    pub fn parse(name: &str) -> anyhow::Result<Self> {
        match name {
            BARE_LOOP => Ok(Self::BareLoop),
            broker => Peer::parse(broker).map(Self::Broker),
        }
    }

    /// Its name in arguments, files and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broker(peer) => peer.name(),
            Self::BareLoop => BARE_LOOP,
        }
    }

    /// Its name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Broker(Peer::Millstream) => "Millstream",
            Self::Broker(Peer::Kafka) => "Kafka",
            Self::Broker(Peer::KafkaFlushing) => "Kafka, flushing",
            Self::BareLoop => "bare loop",
        }
    }

    /// Whether it is a broker that Millstream is to be ahead of.
    pub fn is_rival(self) -> bool {
        matches!(self, Self::Broker(peer) if peer != Peer::Millstream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_party_is_found_by_its_name() {
        for party in Party::ALL {
            assert_eq!(Party::parse(party.name()).expect("it is known"), party);
        }
        assert!(Party::parse("bananas").is_err());
    }
}
