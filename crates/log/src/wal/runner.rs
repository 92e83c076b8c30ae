//! Drives an async loop on a thread of its own, or as a task.
//!
//! Owns: that choice; the loops' logic is the same either way. On a thread the disk adapter's calls block, as there is no runtime;
//! as a task under the simulator every step is one of its events.

use crate::error::OpenError;
use crate::log::WalRunner;
use futures_util::future::BoxFuture;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use tokio::sync::oneshot;

/// Tells when a loop has ended.
pub(crate) struct Ended(oneshot::Receiver<()>);

impl Ended {
    /// Waits for the end, also by panic or by a runtime that was dropped.
    pub(crate) async fn wait(self) {
        let _ = self.0.await;
    }
}

/// Starts `work` under `name`.
pub(crate) fn start(runner: WalRunner, name: &str, work: BoxFuture<'static, ()>) -> Result<Ended, OpenError> {
    let (done, ended) = oneshot::channel();
    match runner {
        WalRunner::Task => {
            tokio::spawn(async move {
                work.await;
                let _ = done.send(());
            });
        }
        WalRunner::Thread => {
            let spawned = thread::Builder::new().name(name.into()).spawn(move || {
                block_on(work);
                let _ = done.send(());
            });
            spawned.map_err(|error| OpenError::Storage(format!("no thread for {name}: {error}")))?;
        }
    }
    Ok(Ended(ended))
}

/// Polls until done; parks in between.
fn block_on(work: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    while work.as_mut().poll(&mut context).is_pending() {
        thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
