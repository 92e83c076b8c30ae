//! Garbage collection: deletes what the manifest calls dead and nobody reads, then says so in the manifest; and, seldom, lists
//! the store for objects that belong to nobody (a crash between put and commit).
//!
//! **Invariant** 5: deletes nothing referenced or in flight. Which those are is the manifest's answer, given with every commit
//! decided (traps T5, T6).

use super::{House, HouseError};
use crate::manifest::record::Record;
use crate::objects::pools::IoClass;
use crate::objects::{KEY_PREFIX, ObjectId};
use std::sync::atomic::Ordering;

/// Objects deleted before the manifest is told.
const BATCH_MAX: usize = 1000;

pub(super) async fn run(house: &House) -> Result<(), HouseError> {
    let dead = house.manifest.collectable();
    for batch in dead.chunks(BATCH_MAX) {
        let mut gone = Vec::with_capacity(batch.len());
        let mut failed = None;
        for id in batch {
            match delete(house, *id).await {
                Ok(()) => gone.push(*id),
                // It stays dead, and the next round deletes it again: deleting twice is harmless.
                Err(error) => failed = Some(error),
            }
        }
        if !gone.is_empty() {
            house.manifest.commit(|_| Some(Record::Collected(gone))).await?;
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(())
}

/// Finds and deletes orphans.
pub(super) async fn sweep(house: &House) -> Result<(), HouseError> {
    let listed = {
        let _permit = house.fetcher.pools().enter(IoClass::Upkeep).await;
        house
            .manifest
            .objects()
            .list(KEY_PREFIX)
            .await
            .map_err(HouseError::Store)?
    };
    let known: Vec<ObjectId> = listed
        .iter()
        .filter_map(|(key, _)| ObjectId::from_key(key))
        .collect();
    let orphans = house.manifest.orphans(&known).await?;
    if !orphans.is_empty() {
        tracing::info!(count = orphans.len(), "deleting objects that a crash left behind");
    }
    for id in orphans {
        delete(house, id).await?;
    }
    Ok(())
}

async fn delete(house: &House, id: ObjectId) -> Result<(), HouseError> {
    let _permit = house.fetcher.pools().enter(IoClass::Upkeep).await;
    house
        .manifest
        .objects()
        .delete(&id.key())
        .await
        .map_err(HouseError::Store)?;
    house.fetcher.cache().forget(id);
    house.collected.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
