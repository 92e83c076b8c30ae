//! Access rules as they are listed, made and deleted: filters, and what a rule may say.
//!
//! Owns: which rules a filter means (KIP-290), and which rules make sense. Never: who may ask.

use super::{AclBinding, CLUSTER_NAME, Operation, PatternType, Permission, ResourceType};
use crate::Broker;
use millstream_meta::catalog::CatalogError;

/// How a filter means a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternFilter {
    /// Rules of this pattern type and name.
    Exactly(PatternType),
    /// Rules of any pattern type with this name.
    Any,
    /// Rules that would concern a resource of this name.
    Matching,
}

/// Which rules are meant; `None` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclFilter {
    /// Kind of resource.
    pub resource: Option<ResourceType>,
    /// How the name is meant.
    pub pattern: PatternFilter,
    /// Name of the resource.
    pub name: Option<String>,
    /// Whom it concerns.
    pub principal: Option<String>,
    /// From where.
    pub host: Option<String>,
    /// What is done.
    pub operation: Option<Operation>,
    /// Which way it decides.
    pub permission: Option<Permission>,
}

/// Why rules were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AclError {
    /// authorizer.class.name is not set: rules would be kept and never asked.
    #[error("No Authorizer is configured.")]
    Disabled,
    /// The rule makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Others changed the same again and again; nothing was changed.
    #[error("{0}")]
    Contended(String),
    /// The metadata store failed; the text tells whether it may have happened.
    #[error("{0}")]
    Store(String),
}

impl From<CatalogError> for AclError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Refused(why) => Self::Invalid(why),
            CatalogError::Contended => Self::Contended(error.to_string()),
            other => Self::Store(other.to_string()),
        }
    }
}

impl AclFilter {
    /// Whether the rule is meant.
    #[must_use]
    pub fn means(&self, binding: &AclBinding) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        is(self.resource.as_ref(), &binding.resource)
            && is(self.principal.as_ref(), &binding.principal)
            && is(self.host.as_ref(), &binding.host)
            && is(self.operation.as_ref(), &binding.operation)
            && is(self.permission.as_ref(), &binding.permission)
            && self.means_pattern(binding)
    }

    fn means_pattern(&self, binding: &AclBinding) -> bool {
        if let PatternFilter::Exactly(pattern) = self.pattern
            && pattern != binding.pattern
        {
            return false;
        }
        let Some(name) = &self.name else {
            return true;
        };
        match (self.pattern, binding.pattern) {
            (PatternFilter::Exactly(_) | PatternFilter::Any, _) => *name == binding.name,
            (PatternFilter::Matching, PatternType::Literal) => *name == binding.name || binding.name == "*",
            (PatternFilter::Matching, PatternType::Prefixed) => name.starts_with(&binding.name),
        }
    }
}

/// Whether a rule says something that can be asked.
fn check(binding: &AclBinding) -> Result<(), AclError> {
    let invalid = |what: String| Err(AclError::Invalid(what));
    if binding.name.is_empty() {
        return invalid("Resource name should not be empty".to_owned());
    }
    if binding.resource == ResourceType::Cluster && binding.name != CLUSTER_NAME {
        return invalid(format!(
            "The only valid name for the CLUSTER resource is {CLUSTER_NAME}"
        ));
    }
    if binding.principal.parse::<super::Principal>().is_err() {
        return invalid(format!(
            "Could not parse principal from `{}`",
            binding.principal.escape_debug()
        ));
    }
    Ok(())
}

impl Broker {
    /// The rules that are meant, in their own order.
    pub fn list_acls(&self, filter: &AclFilter) -> Result<Vec<AclBinding>, AclError> {
        self.need_authorizer()?;
        let image = self.inner.catalog.image();
        let mut found: Vec<AclBinding> = image.acls().filter(|acl| filter.means(acl)).cloned().collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Makes a rule; one that there is already stays.
    pub async fn create_acls(&self, bindings: &[AclBinding]) -> Result<(), AclError> {
        self.need_authorizer()?;
        bindings.iter().try_for_each(check)?;
        let created = self.inner.catalog.create_acls(bindings).await;
        self.note_change();
        Ok(created?)
    }

    /// Whether a rule could be made.
    pub fn check_acl(&self, binding: &AclBinding) -> Result<(), AclError> {
        self.need_authorizer()?;
        check(binding)
    }

    /// Deletes the rules that are meant, and tells which they were.
    pub async fn delete_acls(&self, filter: &AclFilter) -> Result<Vec<AclBinding>, AclError> {
        let found = self.list_acls(filter)?;
        let deleted = self.inner.catalog.delete_acls(&found).await;
        self.note_change();
        deleted?;
        Ok(found)
    }

    fn need_authorizer(&self) -> Result<(), AclError> {
        if self.authorizes() {
            Ok(())
        } else {
            Err(AclError::Disabled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(pattern: PatternType, name: &str) -> AclBinding {
        AclBinding {
            resource: ResourceType::Topic,
            pattern,
            name: name.into(),
            principal: "User:a".into(),
            host: "*".into(),
            operation: Operation::Read,
            permission: Permission::Allow,
        }
    }

    fn filter(pattern: PatternFilter, name: Option<&str>) -> AclFilter {
        AclFilter {
            resource: Some(ResourceType::Topic),
            pattern,
            name: name.map(str::to_owned),
            principal: None,
            host: None,
            operation: None,
            permission: None,
        }
    }

    #[test]
    fn a_filter_means_names_in_four_ways() {
        use PatternType::*;
        let all = [
            binding(Literal, "foo"),
            binding(Literal, "*"),
            binding(Prefixed, "fo"),
            binding(Prefixed, "foo"),
        ];
        let meant = |filter: AclFilter| -> Vec<bool> { all.iter().map(|acl| filter.means(acl)).collect() };
        let exactly = |pattern| PatternFilter::Exactly(pattern);
        assert_eq!(
            meant(filter(exactly(Literal), Some("foo"))),
            [true, false, false, false]
        );
        assert_eq!(meant(filter(exactly(Prefixed), None)), [false, false, true, true]);
        assert_eq!(
            meant(filter(PatternFilter::Any, Some("foo"))),
            [true, false, false, true]
        );
        assert_eq!(
            meant(filter(PatternFilter::Matching, Some("foo"))),
            [true, true, true, true]
        );
        assert_eq!(
            meant(filter(PatternFilter::Matching, Some("fob"))),
            [false, true, true, false]
        );
        assert_eq!(meant(filter(PatternFilter::Any, None)), [true; 4]);
    }

    #[test]
    fn a_rule_that_nobody_could_ask_is_refused() {
        assert!(check(&binding(PatternType::Literal, "")).is_err());
        let mut cluster = binding(PatternType::Literal, "other");
        cluster.resource = ResourceType::Cluster;
        assert!(check(&cluster).is_err());
        cluster.name = CLUSTER_NAME.into();
        assert!(check(&cluster).is_ok());
        cluster.principal = "alice".into();
        assert!(check(&cluster).is_err());
    }
}
