//! Panics of the code under test. A task that panics dies quietly in tokio; here it ends the run.
//!
//! Owns: the process's panic hook, which notes the message for the thread that panicked.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    static WATCHED: RefCell<bool> = const { RefCell::new(false) };
}

static HOOK: Once = Once::new();

/// From now on panics of this thread are noted instead of printed.
pub(crate) fn watch() {
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if WATCHED.with(|watched| *watched.borrow()) {
                LAST.with(|last| *last.borrow_mut() = Some(info.to_string()));
            } else {
                before(info);
            }
        }));
    });
    WATCHED.with(|watched| *watched.borrow_mut() = true);
    take();
}

/// Panics of this thread are printed again.
pub(crate) fn unwatch() {
    WATCHED.with(|watched| *watched.borrow_mut() = false);
}

/// The last panic of this thread.
pub(crate) fn take() -> Option<String> {
    LAST.with(|last| last.borrow_mut().take())
}
