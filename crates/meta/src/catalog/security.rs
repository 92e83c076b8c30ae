//! Operations on access rules, SCRAM users and delegation tokens.
//!
//! Owns: that each is durable and shown before it is answered. Never: who may ask for it (the broker's).
//! **Invariant**: a rule that was answered is in force in this process, and one that is deleted is not.

use super::acl::{ACLS_MAX, AclBinding};
use super::credentials::{
    DelegationToken, SCRAM_SALT_BYTES_MAX, SCRAM_USER_BYTES_MAX, ScramCredential, ScramMechanism,
    TOKEN_ID_BYTES, TOKEN_PRINCIPAL_BYTES_MAX, TOKEN_RENEWERS_MAX,
};
use super::facts::Change;
use super::security_records::{acl_key, encode_acl, encode_scram, encode_token, scram_key, token_key};
use super::{Catalog, CatalogError, Image};
use crate::store::Revision;
use std::fmt;

impl Image {
    /// Every access rule.
    pub fn acls(&self) -> impl Iterator<Item = &AclBinding> {
        self.acls.iter()
    }

    /// The revision of the last change of any rule: an index of them is as good as its revision.
    #[must_use]
    pub fn acls_changed(&self) -> Revision {
        self.acls.changed()
    }

    /// A user's keys.
    #[must_use]
    pub fn scram(&self, user: &str, mechanism: ScramMechanism) -> Option<&ScramCredential> {
        let fact = self.scrams.get(&scram_key(user, mechanism))?;
        Some(&fact.value)
    }

    /// Every SCRAM user's keys.
    pub fn scrams(&self) -> impl Iterator<Item = &ScramCredential> {
        self.scrams.iter()
    }

    /// A delegation token by its id.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<&DelegationToken> {
        let fact = self.tokens.get(&token_key(id))?;
        Some(&fact.value)
    }

    /// Every delegation token, those that have expired included.
    pub fn tokens(&self) -> impl Iterator<Item = &DelegationToken> {
        self.tokens.iter()
    }
}

impl Catalog {
    /// Makes rules; those that there are already stay.
    pub async fn create_acls(&self, bindings: &[AclBinding]) -> Result<(), CatalogError> {
        bindings.iter().try_for_each(AclBinding::check)?;
        self.carry_out(|image| {
            let mut missing: Vec<&AclBinding> = bindings.iter().collect();
            missing.sort_unstable();
            missing.dedup();
            missing.retain(|binding| image.acls.get(&acl_key(binding)).is_none());
            if image.acls.len() + missing.len() > ACLS_MAX {
                return Err(CatalogError::Refused(format!(
                    "a cluster has at most {ACLS_MAX} rules"
                )));
            }
            let put = |binding: &AclBinding| Change {
                key: acl_key(binding),
                seen: None,
                value: Some(encode_acl(binding)),
            };
            Ok(missing.into_iter().map(put).collect())
        })
        .await
    }

    /// Deletes rules; one that is gone already is no error.
    pub async fn delete_acls(&self, bindings: &[AclBinding]) -> Result<(), CatalogError> {
        self.carry_out(|image| {
            let keys = bindings.iter().map(acl_key);
            let delete = |key: String| {
                let seen = Some(image.acls.revision(&key)?);
                Some(Change {
                    key,
                    seen,
                    value: None,
                })
            };
            let mut changes: Vec<Change> = keys.filter_map(delete).collect();
            changes.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            changes.dedup_by(|a, b| a.key == b.key);
            Ok(changes)
        })
        .await
    }

    /// Sets a user's keys.
    pub async fn put_scram(&self, credential: &ScramCredential) -> Result<(), CatalogError> {
        check_scram(credential)?;
        let key = scram_key(&credential.user, credential.mechanism);
        let same = |image: &Image| {
            image
                .scrams
                .get(&key)
                .is_some_and(|fact| fact.value == *credential)
        };
        self.carry_out(|image| {
            let put = Change {
                seen: image.scrams.revision(&key),
                value: Some(encode_scram(credential)),
                key: key.clone(),
            };
            Ok(if same(image) { Vec::new() } else { vec![put] })
        })
        .await
    }

    /// Takes a user's keys of one mechanism away; whether there were any, the caller has seen.
    pub async fn delete_scram(&self, user: &str, mechanism: ScramMechanism) -> Result<(), CatalogError> {
        let key = scram_key(user, mechanism);
        self.carry_out(|image| {
            let seen = image.scrams.revision(&key);
            let delete = seen.map(|_| Change {
                key: key.clone(),
                seen,
                value: None,
            });
            Ok(delete.into_iter().collect())
        })
        .await
    }

    /// Sixteen random bytes, for nonces and the like.
    #[must_use]
    pub fn draw(&self) -> [u8; 16] {
        self.inner.entropy.draw()
    }

    /// An id for a new token, drawn as ids of topics are.
    #[must_use]
    pub fn draw_token_id(&self) -> String {
        super::TopicId::draw(&*self.inner.entropy).to_string()
    }

    /// Writes a token, new or renewed.
    pub async fn put_token(&self, token: &DelegationToken) -> Result<(), CatalogError> {
        check_token(token)?;
        let key = token_key(&token.id);
        self.carry_out(|image| {
            let present = image.tokens.get(&key);
            let put = Change {
                key: key.clone(),
                seen: present.map(|fact| fact.revision),
                value: Some(encode_token(token)),
            };
            let same = present.is_some_and(|fact| fact.value == *token);
            Ok(if same { Vec::new() } else { vec![put] })
        })
        .await
    }

    /// Forgets tokens.
    pub async fn delete_tokens(&self, ids: &[String]) -> Result<(), CatalogError> {
        self.carry_out(|image| {
            let delete = |id: &String| {
                let key = token_key(id);
                let seen = Some(image.tokens.revision(&key)?);
                Some(Change {
                    key,
                    seen,
                    value: None,
                })
            };
            Ok(ids.iter().filter_map(delete).collect())
        })
        .await
    }
}

fn refused(what: impl fmt::Display) -> CatalogError {
    CatalogError::Refused(what.to_string())
}

fn check_scram(credential: &ScramCredential) -> Result<(), CatalogError> {
    let key_bytes = credential.mechanism.key_bytes();
    if credential.user.is_empty() || credential.user.len() > SCRAM_USER_BYTES_MAX {
        return Err(refused(format_args!(
            "a user's name has 1 to {SCRAM_USER_BYTES_MAX} bytes"
        )));
    }
    if credential.salt.len() > SCRAM_SALT_BYTES_MAX {
        return Err(refused(format_args!(
            "a salt has at most {SCRAM_SALT_BYTES_MAX} bytes"
        )));
    }
    let fits = |key: &Vec<u8>| key.len() == key_bytes;
    if fits(&credential.stored_key) && fits(&credential.server_key) {
        Ok(())
    } else {
        Err(refused(format_args!(
            "a key of {} has {key_bytes} bytes",
            credential.mechanism
        )))
    }
}

fn check_token(token: &DelegationToken) -> Result<(), CatalogError> {
    let principals = token.renewers.iter().chain([&token.owner, &token.requester]);
    let short = |principal: &String| principal.len() <= TOKEN_PRINCIPAL_BYTES_MAX;
    let fits = token.id.len() == TOKEN_ID_BYTES
        && token.renewers.len() <= TOKEN_RENEWERS_MAX
        && principals.into_iter().all(short);
    if fits {
        return Ok(());
    }
    Err(refused(format_args!(
        "a token has at most {TOKEN_RENEWERS_MAX} renewers, each of at most {TOKEN_PRINCIPAL_BYTES_MAX} bytes"
    )))
}
