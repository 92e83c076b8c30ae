//! Who may use the object store, and how much at once: named pools, so that a backfill takes nothing from an upload.
//!
//! Priority upload > catch-up read > read-ahead > rewriting. Each class has permits of its own; while uploads are pressed (they
//! fall behind the write-ahead log) the two lower ones pause. Retention and collection never
//! pause: uploads may be pressed because the store is full, and then only these two make room. Where objects lie on the write-ahead log's
//! disk every read gives way to its flushes, whatever its class: that is `courtesy`'s.

use super::courtesy::Courtesy;
use super::pace::Pace;
use crate::clock::Clock;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// Objects that are built and put at once.
pub(crate) const UPLOADS_MAX: usize = 4;
/// Bytes of objects that are built and put at once: they are in memory, outside of the caches, while they are. Two of the largest.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 64 << 20;
/// Unit of their permits.
const PERMIT_BYTES: u64 = 64 << 10;
/// Reads of blocks for a waiting reader at once.
pub(crate) const COLD_READS_MAX: usize = 32;
/// Read-ahead reads at once.
pub(crate) const PREFETCHES_MAX: usize = 4;
/// Reads and puts of merging and compaction at once.
pub(crate) const REWRITES_MAX: usize = 2;
/// Deletions, listings and looks into indexes at once.
pub(crate) const UPKEEPS_MAX: usize = 2;

/// A class of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IoClass {
    /// A reader waits.
    ColdRead,
    /// A reader may come.
    Prefetch,
    /// Merging, compaction.
    Rewrite,
    /// Retention, collection.
    Upkeep,
}

/// The pools.
pub(crate) struct IoPools {
    upload: Semaphore,
    cold_read: Semaphore,
    prefetch: Semaphore,
    rewrite: Semaphore,
    upkeep: Semaphore,
    pressed: watch::Sender<bool>,
    courtesy: Courtesy,
    pace: Arc<Pace>,
}

impl IoPools {
    /// `one_disk`: objects lie on the disk of the write-ahead log.
    pub(crate) fn new(one_disk: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            courtesy: Courtesy::new(one_disk, clock.clone()),
            pace: Arc::new(Pace::new(clock)),
            upload: Semaphore::new(usize::try_from(UPLOAD_BYTES_MAX / PERMIT_BYTES).expect("a constant")),
            cold_read: Semaphore::new(COLD_READS_MAX),
            prefetch: Semaphore::new(PREFETCHES_MAX),
            rewrite: Semaphore::new(REWRITES_MAX),
            upkeep: Semaphore::new(UPKEEPS_MAX),
            pressed: watch::Sender::new(false),
        }
    }

    /// Waits until there is room for one more object of so many bytes on its way from the tail.
    pub(crate) async fn enter_upload(&self, bytes: u64) -> SemaphorePermit<'_> {
        // One that is larger than all the room goes alone.
        let permits = bytes.min(UPLOAD_BYTES_MAX).div_ceil(PERMIT_BYTES);
        let permits = u32::try_from(permits).expect("a constant at most");
        let entered = self.upload.acquire_many(permits).await;
        entered.expect("the pools are never closed")
    }

    /// Waits for a place in the class's pool, and for the pressure to pass where the class yields to it.
    pub(crate) async fn enter(&self, class: IoClass) -> SemaphorePermit<'_> {
        let pool = match class {
            IoClass::ColdRead => &self.cold_read,
            IoClass::Prefetch => &self.prefetch,
            IoClass::Rewrite => &self.rewrite,
            IoClass::Upkeep => &self.upkeep,
        };
        let permit = pool.acquire().await.expect("the pools are never closed");
        if matches!(class, IoClass::Prefetch | IoClass::Rewrite) {
            let mut pressed = self.pressed.subscribe();
            pressed
                .wait_for(|pressed| !*pressed)
                .await
                .expect("the sender is in self");
        }
        permit
    }

    /// Who gives way to flushes.
    pub(crate) fn courtesy(&self) -> &Courtesy {
        &self.courtesy
    }

    /// How fast objects are written to the disk of the write-ahead log.
    pub(crate) fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }

    /// Said by the uploader: whether uploads fall behind.
    pub(crate) fn set_pressed(&self, pressed: bool) {
        self.courtesy.set_pressed(pressed);
        self.pressed
            .send_if_modified(|now| std::mem::replace(now, pressed) != pressed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use futures_util::FutureExt;

    fn pools() -> IoPools {
        IoPools::new(true, Arc::new(SystemClock::new()))
    }

    #[test]
    fn objects_on_their_way_are_bounded_in_bytes_and_the_largest_goes_alone() {
        let pools = pools();
        let half = || pools.enter_upload(UPLOAD_BYTES_MAX / 2).now_or_never();
        let first = half().expect("there is room");
        let second = half().expect("there is room");
        assert!(pools.enter_upload(1).now_or_never().is_none());
        drop((first, second));
        let huge = pools.enter_upload(10 * UPLOAD_BYTES_MAX).now_or_never();
        assert!(huge.is_some() && half().is_none());
    }

    #[test]
    fn while_uploads_are_pressed_only_those_pause_for_whom_nobody_waits() {
        let pools = pools();
        let enter = |class| pools.enter(class).now_or_never();
        pools.set_pressed(true);
        assert!(enter(IoClass::Prefetch).is_none() && enter(IoClass::Rewrite).is_none());
        assert!(enter(IoClass::Upkeep).is_some() && enter(IoClass::ColdRead).is_some());
        pools.set_pressed(false);
        assert!(enter(IoClass::Prefetch).is_some() && enter(IoClass::Rewrite).is_some());
    }
}
