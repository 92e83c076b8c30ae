//! Who may use the object store, and how much at once: named pools, so that a backfill takes nothing from an upload.
//!
//! Priority upload > catch-up read > read-ahead > rewriting. Each class has permits of its own; the two lower ones also pause
//! while uploads are pressed (the un-uploaded part of the write-ahead log nears its bound). Retention and collection never
//! pause: uploads may be pressed because the store is full, and then only these two make room.

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// Objects that are built and put at once; each is in memory while it is.
pub(crate) const UPLOADS_MAX: usize = 4;
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
    /// The tail on its way to objects.
    Upload,
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
}

impl IoPools {
    pub(crate) fn new() -> Self {
        Self {
            upload: Semaphore::new(UPLOADS_MAX),
            cold_read: Semaphore::new(COLD_READS_MAX),
            prefetch: Semaphore::new(PREFETCHES_MAX),
            rewrite: Semaphore::new(REWRITES_MAX),
            upkeep: Semaphore::new(UPKEEPS_MAX),
            pressed: watch::Sender::new(false),
        }
    }

    /// Waits for a place in the class's pool, and for the pressure to pass where the class yields to it.
    pub(crate) async fn enter(&self, class: IoClass) -> SemaphorePermit<'_> {
        let pool = match class {
            IoClass::Upload => &self.upload,
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

    /// Said by the uploader: whether uploads fall behind.
    pub(crate) fn set_pressed(&self, pressed: bool) {
        self.pressed
            .send_if_modified(|now| std::mem::replace(now, pressed) != pressed);
    }
}
