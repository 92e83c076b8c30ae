//! Who may use the object store, and how much at once: named pools, so that a backfill takes nothing from an upload.
//!
//! Priority upload > catch-up read > read-ahead > rewriting. Each class has permits of its own; while uploads are pressed (they
//! fall behind the write-ahead log) the two lower ones pause, and where objects lie on the write-ahead log's disk readers that wait take
//! turns. Retention and collection never
//! pause: uploads may be pressed because the store is full, and then only these two make room.

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// Objects that are built and put at once.
pub(crate) const UPLOADS_MAX: usize = 4;
/// Bytes of objects that are built and put at once: they are in memory, outside of the caches, while they are. Two of the largest.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 64 << 20;
/// Unit of their permits.
const PERMIT_BYTES: u64 = 64 << 10;
/// Reads of blocks for a waiting reader at once.
pub(crate) const COLD_READS_MAX: usize = 32;
/// Of them while uploads are pressed.
const PRESSED_READS_MAX: usize = 1;
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
    pressed_read: Semaphore,
    prefetch: Semaphore,
    rewrite: Semaphore,
    upkeep: Semaphore,
    pressed: watch::Sender<bool>,
    one_disk: bool,
}

impl IoPools {
    /// `one_disk`: objects lie on the disk of the write-ahead log.
    pub(crate) fn new(one_disk: bool) -> Self {
        Self {
            one_disk,
            upload: Semaphore::new(usize::try_from(UPLOAD_BYTES_MAX / PERMIT_BYTES).expect("a constant")),
            cold_read: Semaphore::new(COLD_READS_MAX),
            pressed_read: Semaphore::new(PRESSED_READS_MAX),
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
            IoClass::ColdRead => return self.enter_read().await,
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

    /// One after the other while uploads need the disk.
    async fn enter_read(&self) -> SemaphorePermit<'_> {
        let mut pressed = self.pressed.subscribe();
        if self.one_disk && *pressed.borrow_and_update() {
            tokio::select! {
                biased;
                permit = self.pressed_read.acquire() => return permit.expect("the pools are never closed"),
                _ = pressed.wait_for(|pressed| !*pressed) => {}
            }
        }
        self.cold_read
            .acquire()
            .await
            .expect("the pools are never closed")
    }

    /// Said by the uploader: whether uploads fall behind.
    pub(crate) fn set_pressed(&self, pressed: bool) {
        self.pressed
            .send_if_modified(|now| std::mem::replace(now, pressed) != pressed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn objects_on_their_way_are_bounded_in_bytes_and_the_largest_goes_alone() {
        let pools = IoPools::new(true);
        let half = || pools.enter_upload(UPLOAD_BYTES_MAX / 2).now_or_never();
        let first = half().expect("there is room");
        let second = half().expect("there is room");
        assert!(pools.enter_upload(1).now_or_never().is_none());
        drop((first, second));
        let huge = pools.enter_upload(10 * UPLOAD_BYTES_MAX).now_or_never();
        assert!(huge.is_some() && half().is_none());
    }

    #[test]
    fn while_uploads_to_the_same_disk_are_pressed_readers_take_turns() {
        let pools = IoPools::new(true);
        let enter = |class| pools.enter(class).now_or_never();
        let early = [enter(IoClass::ColdRead), enter(IoClass::ColdRead)];
        assert!(early.iter().all(Option::is_some));
        pools.set_pressed(true);
        let turn = enter(IoClass::ColdRead).expect("whoever read before is no hindrance");
        assert!(enter(IoClass::ColdRead).is_none());
        assert!(enter(IoClass::Prefetch).is_none() && enter(IoClass::Rewrite).is_none());
        assert!(enter(IoClass::Upkeep).is_some());
        let mut waiting = Box::pin(pools.enter(IoClass::ColdRead));
        assert!(waiting.as_mut().now_or_never().is_none());
        pools.set_pressed(false);
        assert!(
            waiting.now_or_never().is_some(),
            "it need not wait for the one before it"
        );
        drop(turn);
        let many = [
            enter(IoClass::ColdRead),
            enter(IoClass::ColdRead),
            enter(IoClass::Prefetch),
        ];
        assert!(many.iter().all(Option::is_some));
    }

    #[test]
    fn pressed_uploads_to_elsewhere_are_no_reason_for_readers_to_wait() {
        let pools = IoPools::new(false);
        pools.set_pressed(true);
        let enter = |class| pools.enter(class).now_or_never();
        let reads = [enter(IoClass::ColdRead), enter(IoClass::ColdRead)];
        assert!(reads.iter().all(Option::is_some) && enter(IoClass::Prefetch).is_none());
    }
}
