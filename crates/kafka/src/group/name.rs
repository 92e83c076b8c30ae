//! Names inside group coordination: group, member, instance, topic. Newtypes over shared strings.
//!
//! Owns: how such a name is held (one allocation, cheap clones). Never: what a name may contain; the API files check that.
//! **Invariant**: two kinds of names are never passed for one another.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name, unless the text is empty, which is how clients say "none".
            #[must_use]
            pub fn given(text: &str) -> Option<Self> {
                (!text.is_empty()).then(|| Self::from(text))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name!(
    /// A consumer group (Kafka: group.id).
    GroupId
);
name!(
    /// One member of a group, as the coordinator named it (Kafka: member.id).
    MemberId
);
name!(
    /// A member that survives restarts, as its owner named it (Kafka: group.instance.id, KIP-345).
    InstanceId
);
name!(
    /// A topic.
    TopicName
);
name!(
    /// The name of an assignment protocol ("range") or of a kind of group ("consumer").
    ProtocolName
);

name!(
    /// A part of a streams application's topology that runs by itself (Kafka: subtopology id, KIP-1071).
    SubtopologyId
);

/// A topic's id (KIP-516).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub [u8; 16]);

impl TopicId {
    /// "Not known": what clients that name topics by name send.
    pub const UNKNOWN: TopicId = TopicId([0; 16]);

    /// Whether both are known and differ: then the name was reused by another topic.
    #[must_use]
    pub fn contradicts(self, other: TopicId) -> bool {
        self != Self::UNKNOWN && other != Self::UNKNOWN && self != other
    }
}
