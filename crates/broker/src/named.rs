//! Settings of named things that are neither topics nor brokers, as the catalog keeps them: one way to change them.
//!
//! Owns: that a refused change tells why, in the caller's own type. Never: what a name or a value means.

use crate::Broker;
use crate::configs::resolve::ConfigMap;
use crate::topics::Dry;
use millstream_meta::catalog::{CatalogError, NamedKind};
use thiserror::Error;

/// Why settings under a name were not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NamedError<E> {
    /// The change breaks a rule.
    #[error("{0}")]
    Refused(E),
    /// The catalog did not take it, or is not known to have.
    #[error("{0}")]
    Catalog(CatalogError),
}

impl Broker {
    /// Settings made under a name; none are an empty map.
    #[must_use]
    pub fn named(&self, kind: NamedKind, name: &str) -> ConfigMap {
        self.inner.catalog.image().named(kind, name)
    }

    /// Names of one kind that have settings, sorted.
    #[must_use]
    pub fn named_all(&self, kind: NamedKind) -> Vec<(String, ConfigMap)> {
        let image = self.inner.catalog.image();
        let all = image.all_named(kind);
        all.map(|(name, configs)| (name.to_owned(), configs.clone()))
            .collect()
    }

    /// The settings under a name with the revision of the metadata that wrote them.
    #[must_use]
    pub fn named_with_revision(&self, kind: NamedKind, name: &str) -> (ConfigMap, u64) {
        let image = self.inner.catalog.image();
        image
            .named_settings(kind, name)
            .map_or_else(Default::default, |(configs, revision)| {
                (configs.clone(), revision.0)
            })
    }

    /// Changes the settings under a name. `edit` sees what holds when its change becomes durable, so that of two changes at once
    /// none is lost.
    ///
    /// # Errors
    /// What `edit` refuses, and what the catalog does.
    pub async fn edit_named<E: ToString + Send>(
        &self,
        kind: NamedKind,
        name: &str,
        dry: Dry,
        edit: impl Fn(&ConfigMap) -> Result<ConfigMap, E> + Send + Sync,
    ) -> Result<(), NamedError<E>> {
        if dry == Dry::CheckOnly {
            let checked = edit(&self.named(kind, name));
            return checked.map(drop).map_err(NamedError::Refused);
        }
        let mut refused = None;
        let edited = self.inner.catalog.edit_named(kind, name, |present| {
            edit(present).map_err(|error| {
                let why = error.to_string();
                refused = Some(error);
                why
            })
        });
        let edited = edited.await;
        match (edited, refused) {
            (Ok(()), _) => Ok(()),
            (Err(CatalogError::Refused(_)), Some(error)) => Err(NamedError::Refused(error)),
            (Err(error), _) => Err(NamedError::Catalog(error)),
        }
    }

    /// An id that nobody else has.
    #[must_use]
    pub fn draw_id(&self) -> [u8; 16] {
        self.inner.catalog.draw_id()
    }

    /// The revision of the cluster's metadata that this broker acts on: rises with every change of it.
    #[must_use]
    pub fn metadata_revision(&self) -> u64 {
        self.inner.catalog.image().revision().0
    }
}
