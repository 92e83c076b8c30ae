//! Creating an object for good: retried for ever, and told apart from another writer's by reading back (traps T6, T9, T15).
//!
//! Never gives up while the store may come back: the caller holds data that is acknowledged, and back-pressure by the
//! un-uploaded bound is the answer to a store that is away. A store that is full is another matter: room comes from deletions,
//! and what is being put may be what was deleted. So the caller is told, and plans anew.

use super::store::{ObjectError, ObjectStore, PutMode};
use crate::backoff::Backoff;
use bytes::Bytes;

/// Bytes that are compared when a key is taken: an object's header with its nonce.
const READ_BACK_BYTES: u64 = super::format::HEADER_BYTES as u64;

/// Why an object was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutError {
    /// The key holds something that we did not write.
    Taken,
    /// The store has no room. Nothing refers to what may be there after all.
    Full,
}

/// Creates `key`. Returns when it is durable.
pub(crate) async fn put_new(store: &dyn ObjectStore, key: &str, parts: Vec<Bytes>) -> Result<(), PutError> {
    let mut backoff = Backoff::new();
    loop {
        match store.put(key, parts.clone(), PutMode::CreateNew).await {
            Ok(()) => return Ok(()),
            Err(ObjectError::AlreadyExists) => match is_ours(store, key, &parts).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(PutError::Taken),
                Err(error) => {
                    tracing::warn!(key, %error, "reading back an object that exists failed, trying again")
                }
            },
            Err(ObjectError::Full) => return Err(PutError::Full),
            Err(error @ ObjectError::Refused(_)) => {
                tracing::error!(key, %error, "the object store refuses an upload; trying again, nothing is lost");
            }
            Err(error) => tracing::warn!(key, %error, "an upload failed, trying again"),
        }
        backoff.wait().await;
    }
}

/// Creates `key` in one attempt. After an error it may be there; as nothing refers to it, it is an orphan then.
pub(crate) async fn put_once(
    store: &dyn ObjectStore,
    key: &str,
    parts: Vec<Bytes>,
) -> Result<(), ObjectError> {
    match store.put(key, parts.clone(), PutMode::CreateNew).await {
        Err(ObjectError::AlreadyExists) if is_ours(store, key, &parts).await? => Ok(()),
        answer => answer,
    }
}

/// Whether what lies at `key` is our own earlier attempt: same length, same header.
async fn is_ours(store: &dyn ObjectStore, key: &str, parts: &[Bytes]) -> Result<bool, ObjectError> {
    let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
    if store.head(key).await? != len {
        return Ok(false);
    }
    let found = store.get_range(key, 0..len.min(READ_BACK_BYTES)).await?;
    let ours = parts.iter().flat_map(|part| part.iter().copied());
    Ok(found.iter().copied().eq(ours.take(found.len())))
}

/// Reads a whole small object, retried for ever while the store says "later".
pub(crate) async fn get_whole(store: &dyn ObjectStore, key: &str, len: u64) -> Result<Bytes, ObjectError> {
    let mut backoff = Backoff::new();
    loop {
        match store.get_range(key, 0..len).await {
            Err(error @ ObjectError::Retry { .. }) => {
                tracing::warn!(key, %error, "reading an object failed, trying again");
                backoff.wait().await;
            }
            answer => return answer,
        }
    }
}

/// Deletes without insisting: what is left is found by the next sweep.
pub(crate) async fn delete_quietly(store: &dyn ObjectStore, key: &str) {
    if let Err(error) = store.delete(key).await {
        tracing::warn!(key, %error, "an object of no use was not deleted; the next sweep finds it");
    }
}
