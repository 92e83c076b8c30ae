//! Small facts that are one key each (access rules, credentials, tokens): kept by key with the revision that wrote them, and
//! changed by plans.
//!
//! Owns: the map in the image, and how a plan of changes becomes transactions. Never: what the facts mean.
//! **Invariant**: each change of a plan compares with what the plan has seen: of two changes at once none is lost.

use super::ordered::OrderedMap;
use super::{Catalog, CatalogError, Image, ROUNDS_MAX};
use crate::settle::Settled;
use crate::store::{Revision, TXN_BYTES_MAX, TXN_COMPARES_MAX, TXN_OPS_MAX, Txn, TxnOutcome};
use bytes::Bytes;
use std::sync::Arc;

/// Changes in one transaction, each with its compare; one compare is left for the session.
const CHANGES_PER_TXN: usize = 64;
const _: () = assert!(CHANGES_PER_TXN <= TXN_OPS_MAX && CHANGES_PER_TXN < TXN_COMPARES_MAX);
/// What one change takes at most.
const CHANGE_BYTES_MAX: usize = 16 << 10;
const _: () = assert!(CHANGES_PER_TXN * CHANGE_BYTES_MAX <= TXN_BYTES_MAX);

/// Facts of one kind by key. A clone shares everything.
#[derive(Clone, Debug)]
pub(crate) struct Facts<T> {
    by_key: OrderedMap<Arc<str>, Arc<Fact<T>>>,
    changed: Revision,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Fact<T> {
    pub value: T,
    pub revision: Revision,
}

impl<T> Default for Facts<T> {
    fn default() -> Self {
        Self {
            by_key: OrderedMap::default(),
            changed: Revision::default(),
        }
    }
}

impl<T> Facts<T> {
    /// The fact under a key.
    pub fn get(&self, key: &str) -> Option<&Arc<Fact<T>>> {
        self.by_key.get(key)
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.by_key.iter().map(|(_, fact)| &fact.value)
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The revision of the last change of any of them.
    pub fn changed(&self) -> Revision {
        self.changed
    }

    /// What a plan compares with.
    pub fn revision(&self, key: &str) -> Option<Revision> {
        self.get(key).map(|fact| fact.revision)
    }

    /// The key now holds this.
    pub fn apply(&mut self, key: &Arc<str>, value: Option<T>, revision: Revision) {
        self.changed = self.changed.max(revision);
        match value {
            Some(value) => {
                self.by_key
                    .insert(key.clone(), Arc::new(Fact { value, revision }));
            }
            None => {
                self.by_key.remove(&**key);
            }
        }
    }
}

/// One change of a plan.
pub(super) struct Change {
    pub key: String,
    /// The revision that the plan has seen under the key.
    pub seen: Option<Revision>,
    /// What the key is to hold; `None`: nothing.
    pub value: Option<Bytes>,
}

impl Catalog {
    /// Carries out what `plan` wants of the image until it wants nothing more. A long plan takes several transactions; each is whole.
    pub(super) async fn carry_out(
        &self,
        plan: impl Fn(&Image) -> Result<Vec<Change>, CatalogError> + Send,
    ) -> Result<(), CatalogError> {
        let mut failed = 0;
        while failed < ROUNDS_MAX {
            let changes = plan(&self.image())?;
            if changes.is_empty() {
                return Ok(());
            }
            let mut txn = Txn::new();
            for change in changes.into_iter().take(CHANGES_PER_TXN) {
                txn = txn.when_unchanged(&change.key, change.seen);
                txn = match change.value {
                    Some(value) => txn.put(&change.key, value),
                    None => txn.delete(&change.key),
                };
            }
            let before = self.image().revision();
            let Settled { outcome, .. } = self.send(txn).await?;
            match outcome {
                TxnOutcome::Committed { revision } => self.shown(revision).await,
                // Somebody was faster, or we were, and lost the answer: the next plan sees it.
                TxnOutcome::CompareFailed { .. } => {
                    failed += 1;
                    self.wait_until(|image| image.revision() > before).await;
                }
            }
        }
        Err(CatalogError::Contended)
    }
}
