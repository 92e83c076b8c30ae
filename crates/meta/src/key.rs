//! The key space, whole. A new kind of fact is a row here, a record in `catalog::records` and an arm in the image.
//!
//! Owns: how each fact's key is spelt. Never: values.
//! **Invariant**: keys are printable ASCII without spaces and at most `KEY_BYTES_MAX` long; no two facts share one.
//!
//! | Key | Holds |
//! |---|---|
//! | `catalog/cluster` | the cluster's id |
//! | `catalog/topic/NAME` | a topic's name, id and partition count; NAME with every `.` as `_` |
//! | `catalog/partitions/TOPICID/CHUNK` | streams, epochs and owners of up to 2048 partitions |
//! | `catalog/topic-configs/TOPICID` | settings made on the topic |
//! | `catalog/broker-configs/default`, `catalog/broker-configs/ID` | settings made on all brokers, on one |
//! | `catalog/quota/NAME`, `catalog/client-metrics/NAME`, `catalog/group-configs/NAME`, `catalog/features/NAME` | settings made on what is named; NAME with `%XX` for special bytes |
//! | `counter/stream`, `counter/producer` | the next id that was never handed out |
//! | `manifest/BROKER/snapshot`, `manifest/BROKER/SEQ` | the log's manifest |
//! | `catalog/acl/HASH` | an access rule, under a hash of itself |
//! | `catalog/scram/USER/MECHANISM` | keys of a SCRAM user; USER in hexadecimal digits |
//! | `catalog/token/ID` | a delegation token |
//! | reserved: `session/...` | brokers |
//!
//! NAME is spelt so that two names which Kafka's metrics could not tell apart are one key: the store itself refuses the second.
//! Everything under `catalog/` is in the image and followed by one watch; the counters and the manifest are not, as they
//! change often and nobody waits for them.

use crate::catalog::{NamedKind, TopicId};
use crate::store::KeyRange;
use millstream_log::manifest::store::ManifestSeq;
use std::fmt;

/// What the catalog's image is made of.
pub(crate) const CATALOG_PREFIX: &str = "catalog/";

/// A key by what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    Cluster,
    /// By `unify`-ed name.
    Topic(&'a str),
    Partitions {
        topic: TopicId,
        chunk: u32,
    },
    TopicConfigs(TopicId),
    /// `None`: all brokers.
    BrokerConfigs(Option<u32>),
    /// By the name's spelling.
    Named {
        kind: NamedKind,
        spelt: &'a str,
    },
    /// By hash.
    Acl(&'a str),
    /// By user and mechanism.
    Scram(&'a str),
    /// By id.
    Token(&'a str),
    StreamCounter,
    ProducerCounter,
    ManifestSnapshot {
        broker: u32,
    },
    ManifestRecord {
        broker: u32,
        seq: ManifestSeq,
    },
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => write!(f, "catalog/cluster"),
            Self::Topic(unified) => write!(f, "catalog/topic/{unified}"),
            Self::Partitions { topic, chunk } => write!(f, "catalog/partitions/{}/{chunk:05}", Hex(topic)),
            Self::TopicConfigs(topic) => write!(f, "catalog/topic-configs/{}", Hex(topic)),
            Self::BrokerConfigs(None) => write!(f, "catalog/broker-configs/default"),
            Self::BrokerConfigs(Some(broker)) => write!(f, "catalog/broker-configs/{broker}"),
            Self::Named { kind, spelt } => write!(f, "catalog/{kind}/{spelt}"),
            Self::Acl(hash) => write!(f, "catalog/acl/{hash}"),
            Self::Scram(place) => write!(f, "catalog/scram/{place}"),
            Self::Token(id) => write!(f, "catalog/token/{id}"),
            Self::StreamCounter => write!(f, "counter/stream"),
            Self::ProducerCounter => write!(f, "counter/producer"),
            Self::ManifestSnapshot { broker } => write!(f, "manifest/{broker}/snapshot"),
            Self::ManifestRecord { broker, seq } => write!(f, "manifest/{broker}/{:020}", seq.0),
        }
    }
}

impl<'a> Key<'a> {
    /// The key of the topic of this (already `unify`-ed) name and so on, as the store takes it.
    pub(crate) fn encode(&self) -> String {
        self.to_string()
    }

    /// Reads a key of the catalog; `None`: it is not one that this version writes.
    pub(crate) fn parse_catalog(key: &'a str) -> Option<Self> {
        let rest = key.strip_prefix(CATALOG_PREFIX)?;
        let parsed = match rest.split_once('/') {
            None if rest == "cluster" => Self::Cluster,
            Some(("topic", unified)) => Self::Topic(unified),
            Some(("partitions", place)) => {
                let (topic, chunk) = place.split_once('/')?;
                Self::Partitions {
                    topic: parse_hex(topic)?,
                    chunk: chunk.parse().ok()?,
                }
            }
            Some(("topic-configs", topic)) => Self::TopicConfigs(parse_hex(topic)?),
            Some(("broker-configs", "default")) => Self::BrokerConfigs(None),
            Some(("broker-configs", broker)) => Self::BrokerConfigs(Some(broker.parse().ok()?)),
            Some(("acl", hash)) => Self::Acl(hash),
            Some(("scram", place)) => Self::Scram(place),
            Some(("token", id)) => Self::Token(id),
            Some((word, spelt)) => Self::Named {
                kind: NamedKind::from_word(word)?,
                spelt,
            },
            None => return None,
        };
        // One spelling only: `007` is not `7`.
        (parsed.encode() == key).then_some(parsed)
    }

    /// Every chunk of a topic's partitions.
    pub(crate) fn all_partitions(topic: TopicId) -> KeyRange {
        KeyRange::prefix(&format!("catalog/partitions/{}/", Hex(&topic)))
    }

    /// Every record of a broker's manifest through `seq`. The snapshot's key sorts after the digits.
    pub(crate) fn manifest_records_through(broker: u32, seq: ManifestSeq) -> KeyRange {
        let next = ManifestSeq(seq.0.saturating_add(1));
        KeyRange {
            from: format!("manifest/{broker}/").into(),
            to: Key::ManifestRecord { broker, seq: next }.encode().into(),
        }
    }

    /// Snapshot and records of a broker's manifest.
    pub(crate) fn manifest(broker: u32) -> KeyRange {
        KeyRange::prefix(&format!("manifest/{broker}/"))
    }
}

struct Hex<'a>(&'a TopicId);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn parse_hex(text: &str) -> Option<TopicId> {
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    let mut id = [0; 16];
    for (i, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(TopicId(id))
}
