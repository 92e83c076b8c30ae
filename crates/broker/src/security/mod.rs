//! Who asks, and whether they may: principals, access rules, and the one place that gives a verdict.
//!
//! Owns: the verdict, and how rules are found, made and deleted. Never: how somebody proves who they are on a wire (front ends carry
//! the bytes), durable facts (the catalog's).
//!
//! **Invariant**: every verdict of this process comes from `Broker::authorize`, over the rules that the catalog's image shows.

mod acls;
mod index;
mod principal;
pub mod sasl;
mod scram_users;
mod tokens;

pub use acls::{AclError, AclFilter, PatternFilter};
pub use index::{AclIndex, Regard, Verdict};
pub use millstream_meta::catalog::{
    AclBinding, DelegationToken, Operation, PatternType, Permission, ResourceType, ScramMechanism,
};
pub use principal::{ANONYMOUS, Principal, PrincipalError, USER};
pub use scram_users::{ScramChange, ScramError, ScramListing};
pub use tokens::{IssuedToken, TokenError, TokenKey};

use crate::Broker;
use arc_swap::ArcSwap;
use millstream_meta::store::Revision;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;

/// The one name that the cluster has as a resource.
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The cluster itself.
    Cluster,
    /// A topic.
    Topic(&'a str),
    /// A group.
    Group(&'a str),
    /// A transactional id.
    TransactionalId(&'a str),
    /// A delegation token, by id.
    DelegationToken(&'a str),
    /// A user, by principal.
    User(&'a str),
}

impl<'a> Resource<'a> {
    /// What kind of thing it is.
    #[must_use]
    pub fn kind(self) -> ResourceType {
        match self {
            Self::Cluster => ResourceType::Cluster,
            Self::Topic(_) => ResourceType::Topic,
            Self::Group(_) => ResourceType::Group,
            Self::TransactionalId(_) => ResourceType::TransactionalId,
            Self::DelegationToken(_) => ResourceType::DelegationToken,
            Self::User(_) => ResourceType::User,
        }
    }

    /// What rules call it.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self {
            Self::Cluster => CLUSTER_NAME,
            Self::Topic(name)
            | Self::Group(name)
            | Self::TransactionalId(name)
            | Self::DelegationToken(name)
            | Self::User(name) => name,
        }
    }
}

/// Who asks, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// The address that they come from.
    pub host: IpAddr,
}

/// Settings of the authoriser, fixed at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizerSettings {
    /// authorizer.class.name is set: rules are asked. Otherwise everybody may do everything.
    pub enabled: bool,
    /// super.users: nothing is refused to them.
    pub super_users: Vec<Principal>,
    /// allow.everyone.if.no.acl.found.
    pub allow_without_rule: bool,
}

/// The rules in the form in which they are asked, as of a revision of the catalog.
#[derive(Default)]
pub(crate) struct Rules {
    /// `None`: never built.
    built: ArcSwap<(Option<Revision>, AclIndex)>,
    building: Mutex<()>,
    /// What was asked for since a test last looked.
    #[cfg(feature = "testing")]
    asked: Mutex<Vec<(Operation, ResourceType)>>,
}

impl Broker {
    /// Whether access rules are asked at all.
    #[must_use]
    pub fn authorizes(&self) -> bool {
        self.settings().authorizer.enabled
    }

    /// **The verdict**: whether `asker` may do `operation` with `resource`.
    #[must_use]
    pub fn authorize(&self, asker: Asker<'_>, operation: Operation, resource: Resource<'_>) -> bool {
        #[cfg(feature = "testing")]
        self.inner.rules.asked.lock().push((operation, resource.kind()));
        self.would_authorize(asker, operation, resource)
    }

    /// As `authorize`, where the answer only tells somebody what they may do.
    #[must_use]
    pub fn would_authorize(&self, asker: Asker<'_>, operation: Operation, resource: Resource<'_>) -> bool {
        let settings = self.settings();
        let settings = &settings.authorizer;
        if !settings.enabled || settings.super_users.contains(asker.principal) {
            return true;
        }
        match self.rules().1.verdict(asker, operation, resource) {
            Verdict::Allowed => true,
            Verdict::Denied => false,
            Verdict::NoRule => settings.allow_without_rule,
        }
    }

    /// Whether `asker` may do `operation` with any resource of a kind: what an idempotent producer needs before it names a topic.
    #[must_use]
    pub fn authorize_any(&self, asker: Asker<'_>, operation: Operation, kind: ResourceType) -> bool {
        #[cfg(feature = "testing")]
        self.inner.rules.asked.lock().push((operation, kind));
        let settings = self.settings();
        let settings = &settings.authorizer;
        if !settings.enabled || settings.super_users.contains(asker.principal) {
            return true;
        }
        let rules = self.rules();
        settings.allow_without_rule && !rules.1.denies_all(asker, operation, kind)
            || rules.1.allows_any(asker, operation, kind)
    }

    /// What of the asker makes a difference to verdicts on a kind of resource.
    #[must_use]
    pub fn regard(&self, asker: Asker<'_>, kind: ResourceType) -> Regard {
        let settings = self.settings();
        let settings = &settings.authorizer;
        if !settings.enabled || settings.super_users.contains(asker.principal) {
            return Regard::Trusted;
        }
        self.rules().1.regard(asker, kind)
    }

    /// Another number than before if the rules are others.
    #[must_use]
    pub fn rules_changed(&self) -> u64 {
        self.inner.catalog.image().acls_changed().0
    }

    /// What was asked for since the last call; for tests that no API forgets to ask.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn take_asked(&self) -> Vec<(Operation, ResourceType)> {
        std::mem::take(&mut *self.inner.rules.asked.lock())
    }

    /// The index of the rules that the image shows.
    fn rules(&self) -> Arc<(Option<Revision>, AclIndex)> {
        let image = self.inner.catalog.image();
        let wanted = Some(image.acls_changed());
        let built = self.inner.rules.built.load_full();
        if built.0 == wanted {
            return built;
        }
        let _building = self.inner.rules.building.lock();
        // The image may have moved while we waited for the lock; an older index must never replace a newer one.
        let image = self.inner.catalog.image();
        let built = self.inner.rules.built.load_full();
        if built.0 == Some(image.acls_changed()) {
            return built;
        }
        let built = Arc::new((Some(image.acls_changed()), AclIndex::of(image.acls())));
        self.inner.rules.built.store(built.clone());
        built
    }
}
