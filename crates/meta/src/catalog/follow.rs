//! Follows the catalog's keys: loads the image, then keeps it by a watch, in a task of its own.
//!
//! Owns: the image's only writer. Never: decides anything about facts.
//! **Invariant**: the image only moves forward. If the watch breaks it stands still, then catches up; if it lags it is read anew.

use super::image::Image;
use crate::key::CATALOG_PREFIX;
use crate::store::{KeyRange, MetaStore, ReadError, Revision, WatchError, range_all};
use arc_swap::ArcSwap;
use millstream_log::OpenError;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The pause after the store gave no answer; doubles up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often a load starts over because history was compacted between two of its pages.
const LOADS_MAX: u32 = 8;

struct Shown {
    image: ArcSwap<Image>,
    changed: watch::Sender<Revision>,
}

impl Shown {
    fn show(&self, image: Image) {
        let revision = image.revision();
        self.image.store(Arc::new(image));
        // After the image: whoever is woken sees it.
        self.changed.send_replace(revision);
    }
}

/// The image and the task that keeps it. Dropping it ends the task.
pub(super) struct Followed {
    shown: Arc<Shown>,
    /// `None` once it was ended.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Followed {
    pub(super) async fn start(store: Arc<dyn MetaStore>) -> Result<Self, OpenError> {
        let image = load(&*store).await?;
        let shown = Arc::new(Shown {
            changed: watch::Sender::new(image.revision()),
            image: ArcSwap::from_pointee(image),
        });
        let task = tokio::spawn(follow(store, shown.clone()));
        Ok(Self {
            shown,
            task: Mutex::new(Some(task)),
        })
    }

    pub(super) fn image(&self) -> Arc<Image> {
        self.shown.image.load_full()
    }

    pub(super) fn changed(&self) -> watch::Receiver<Revision> {
        self.shown.changed.subscribe()
    }

    /// Ends the following, and answers when it has ended: a store that is closed afterwards is missed by nobody.
    pub(super) async fn close(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
            // Cancelled, which is what it is to be.
            let _ = task.await;
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut() {
            task.abort();
        }
    }
}

fn catalog_range() -> KeyRange {
    KeyRange::prefix(CATALOG_PREFIX)
}

async fn load(store: &dyn MetaStore) -> Result<Image, OpenError> {
    let mut loads = 1;
    loop {
        match range_all(store, catalog_range()).await {
            Ok((keys, revision)) => return Ok(Image::load(keys, revision)?),
            Err(ReadError::Compacted { .. }) if loads < LOADS_MAX => loads += 1,
            Err(error) => return Err(OpenError::Storage(error.to_string())),
        }
    }
}

/// Runs until it is aborted, which whoever closes the store does first.
async fn follow(store: Arc<dyn MetaStore>, shown: Arc<Shown>) {
    let mut pause = PAUSE_FIRST;
    loop {
        let before = shown.image.load().revision();
        match follow_one_watch(&*store, &shown).await {
            WatchError::Lagged { .. } => match load(&*store).await {
                Ok(image) => shown.show(image),
                Err(error) => tracing::error!(%error, "the catalog cannot be read anew"),
            },
            WatchError::Unavailable(what) => tracing::warn!(what, "the catalog is not followed for now"),
        }
        if shown.image.load().revision() > before {
            pause = PAUSE_FIRST;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn follow_one_watch(store: &dyn MetaStore, shown: &Shown) -> WatchError {
    let after = shown.image.load().revision();
    let mut watch = match store.watch(catalog_range(), after).await {
        Ok(watch) => watch,
        Err(error) => return error,
    };
    loop {
        let batch = match watch.next().await {
            Ok(batch) => batch,
            Err(error) => return error,
        };
        let next = shown.image.load().after(&batch.events, batch.revision);
        match next {
            Ok(image) => shown.show(image),
            // Not ours to repair; the facts that we have stay.
            Err(error) => return WatchError::Unavailable(error.to_string()),
        }
    }
}
