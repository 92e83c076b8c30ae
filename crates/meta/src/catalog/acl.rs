//! Access rules as facts: who may, or may not, do what with which resources (Kafka: ACL bindings, KIP-11, KIP-290).
//!
//! Owns: what a rule is made of, and the numbers under which the parts are stored. Never: a verdict (the broker's authoriser).
//! **Invariant**: a rule has one key; writing it twice is writing it once.

use super::CatalogError;
use std::fmt;

/// The longest name, principal or host in a rule, in bytes.
pub const ACL_TEXT_BYTES_MAX: usize = 1024;
/// Rules in one cluster. An index of them is made anew after each change.
pub const ACLS_MAX: usize = 100_000;

/// Gives an enum its numbers, which are Kafka's and are stored, and its names as Kafka's tools spell them.
macro_rules! numbered {
    ($(#[$doc:meta])* $kind:ident { $( $(#[$about:meta])* $name:ident = $code:literal $text:literal ),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $kind { $( $(#[$about])* $name = $code ),+ }

        impl $kind {
            /// Every one, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its number, on the wire of Kafka and in the store.
            #[must_use]
            pub fn code(self) -> u8 {
                self as u8
            }

            /// The one of that number.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $( $code => Some(Self::$name), )+ _ => None }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $( Self::$name => $text ),+ })
            }
        }
    };
}
pub(crate) use numbered;

numbered! {
    /// What a rule is about (Kafka: `ResourceType`).
    ResourceType {
        /// A topic, by name.
        Topic = 2 "TOPIC",
        /// A group, by id.
        Group = 3 "GROUP",
        /// The cluster itself.
        Cluster = 4 "CLUSTER",
        /// A transactional id.
        TransactionalId = 5 "TRANSACTIONAL_ID",
        /// A delegation token, by id.
        DelegationToken = 6 "DELEGATION_TOKEN",
        /// A user, by principal, for whom tokens are made.
        User = 7 "USER",
    }
}

numbered! {
    /// How the name of a rule's resource is meant (KIP-290).
    PatternType {
        /// This very name; `*` alone means every name.
        Literal = 3 "LITERAL",
        /// Every name that begins so.
        Prefixed = 4 "PREFIXED",
    }
}

numbered! {
    /// What is done with a resource (Kafka: `AclOperation`).
    Operation {
        /// In rules only: every operation.
        All = 2 "ALL",
        /// Reading records or offsets; being a member of a group.
        Read = 3 "READ",
        /// Writing records.
        Write = 4 "WRITE",
        /// Making it.
        Create = 5 "CREATE",
        /// Deleting it.
        Delete = 6 "DELETE",
        /// Changing it.
        Alter = 7 "ALTER",
        /// Knowing that it exists.
        Describe = 8 "DESCRIBE",
        /// What brokers do among themselves.
        ClusterAction = 9 "CLUSTER_ACTION",
        /// Reading its settings.
        DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        /// Changing its settings.
        AlterConfigs = 11 "ALTER_CONFIGS",
        /// Producing idempotently without a right to any topic.
        IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        /// Making delegation tokens for somebody.
        CreateTokens = 13 "CREATE_TOKENS",
        /// Reading the delegation tokens of somebody.
        DescribeTokens = 14 "DESCRIBE_TOKENS",
        /// Transactions that an outside coordinator prepares (KIP-939).
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

numbered! {
    /// Which way a rule decides (Kafka: `AclPermissionType`).
    Permission {
        /// Wins over every allowance.
        Deny = 2 "DENY",
        /// Allows.
        Allow = 3 "ALLOW",
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclBinding {
    /// What kind of thing it is about.
    pub resource: ResourceType,
    /// How the name is meant.
    pub pattern: PatternType,
    /// The resource's name, or its beginning, or `*`.
    pub name: String,
    /// Whom it concerns: `User:alice`; `User:*` is everybody.
    pub principal: String,
    /// From where: an address as text, or `*`.
    pub host: String,
    /// What is done.
    pub operation: Operation,
    /// Which way it decides.
    pub permission: Permission,
}

impl AclBinding {
    /// Whether it can be stored.
    ///
    /// # Errors
    /// `Refused`, with the field that is too long.
    pub(super) fn check(&self) -> Result<(), CatalogError> {
        let fields = [
            ("resource name", &self.name),
            ("principal", &self.principal),
            ("host", &self.host),
        ];
        for (field, text) in fields {
            if text.len() > ACL_TEXT_BYTES_MAX {
                let why = format!("the {field} of a rule has at most {ACL_TEXT_BYTES_MAX} bytes");
                return Err(CatalogError::Refused(why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_parts_belong_together() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_code(operation.code()), Some(*operation));
        }
        for resource in ResourceType::ALL {
            assert_eq!(ResourceType::from_code(resource.code()), Some(*resource));
        }
        assert_eq!(Operation::from_code(1), None);
        assert_eq!(Operation::DescribeConfigs.to_string(), "DESCRIBE_CONFIGS");
    }
}
