//! A manifest list in memory, for tests and the simulator: it survives a crash of the log (the value is kept by the test),
//! and its answers can be lost.

use super::store::{ManifestError, ManifestHistory, ManifestSeq, ManifestStore};
use crate::error::Fate;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// What happens to one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFault {
    /// Fails before anything is written.
    NotDone,
    /// Is written; the answer is lost.
    UnknownDone,
    /// Is not written; nobody is told so.
    UnknownNotDone,
}

/// See the file's text.
#[derive(Default)]
pub struct MemoryManifest {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    history: ManifestHistory,
    last: u64,
    faults: VecDeque<AppendFault>,
}

impl MemoryManifest {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next appends meet these, one each.
    pub fn inject(&self, faults: impl IntoIterator<Item = AppendFault>) {
        self.state.lock().faults.extend(faults);
    }

    /// No fault is left.
    pub fn heal(&self) {
        self.state.lock().faults.clear();
    }

    /// What a reader would find.
    #[must_use]
    pub fn history(&self) -> ManifestHistory {
        self.state.lock().history.clone()
    }
}

impl State {
    fn append(&mut self, seq: ManifestSeq, record: Bytes) -> Result<(), ManifestError> {
        let fault = self.faults.pop_front();
        let failed = |fate| {
            Err(ManifestError::Storage {
                fate,
                what: "injected".to_owned(),
            })
        };
        match fault {
            Some(AppendFault::NotDone) => return failed(Fate::NotDone),
            Some(AppendFault::UnknownNotDone) => return failed(Fate::Unknown),
            _ if record.len() > super::store::RECORD_BYTES_MAX => return Err(ManifestError::TooLarge),
            _ if seq.0 != self.last + 1 => return Err(ManifestError::Conflict),
            _ => {}
        }
        self.last = seq.0;
        self.history.records.push((seq, record));
        if fault.is_some() {
            failed(Fate::Unknown)
        } else {
            Ok(())
        }
    }
}

impl ManifestStore for MemoryManifest {
    fn load(&self) -> BoxFuture<'_, Result<ManifestHistory, ManifestError>> {
        async { Ok(self.history()) }.boxed()
    }

    fn append(&self, seq: ManifestSeq, record: Bytes) -> BoxFuture<'_, Result<(), ManifestError>> {
        async move { self.state.lock().append(seq, record) }.boxed()
    }

    fn snapshot(&self, through: ManifestSeq, snapshot: Bytes) -> BoxFuture<'_, Result<(), ManifestError>> {
        async move {
            let mut state = self.state.lock();
            let covered = state
                .history
                .snapshot
                .as_ref()
                .map_or(ManifestSeq(0), |(seq, _)| *seq);
            if snapshot.len() > super::store::RECORD_BYTES_MAX {
                return Err(ManifestError::TooLarge);
            }
            if through < covered || through.0 > state.last {
                return Err(ManifestError::Conflict);
            }
            state.history.records.retain(|(seq, _)| *seq > through);
            state.history.snapshot = Some((through, snapshot));
            Ok(())
        }
        .boxed()
    }
}
