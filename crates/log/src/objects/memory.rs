//! An object store in memory with faults on demand, for tests and the simulator. It outlives a crash of the log: the test
//! keeps the value.

use super::store::{ObjectError, ObjectStore, PutMode};
use crate::error::Fate;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    /// Fails before anything happens; worth a retry.
    NotDone,
    /// Happens; the answer is lost.
    UnknownDone,
    /// Does not happen; nobody is told so.
    UnknownNotDone,
    /// No room.
    Full,
    /// Access denied.
    Refused,
    /// A read answers with one bit flipped at this position (modulo the length).
    FlipBit(usize),
}

/// See the file's text.
#[derive(Default)]
pub struct MemoryObjects {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    put_faults: VecDeque<ObjectFault>,
    get_faults: VecDeque<ObjectFault>,
    delete_faults: VecDeque<ObjectFault>,
    latency: Duration,
    full: bool,
    /// What all objects together may take.
    bytes_max: Option<u64>,
    puts: u64,
    gets: u64,
}

impl MemoryObjects {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next puts meet these, one each.
    pub fn fail_puts(&self, faults: impl IntoIterator<Item = ObjectFault>) {
        self.state.lock().put_faults.extend(faults);
    }

    /// The next reads meet these, one each.
    pub fn fail_gets(&self, faults: impl IntoIterator<Item = ObjectFault>) {
        self.state.lock().get_faults.extend(faults);
    }

    /// The next deletes meet these, one each.
    pub fn fail_deletes(&self, faults: impl IntoIterator<Item = ObjectFault>) {
        self.state.lock().delete_faults.extend(faults);
    }

    /// No fault is left.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.put_faults.clear();
        state.get_faults.clear();
        state.delete_faults.clear();
        state.full = false;
    }

    /// Whether puts answer `Full` from now on.
    pub fn set_full(&self, full: bool) {
        self.state.lock().full = full;
    }

    /// What all objects together may take; a put that does not fit answers `Full`.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.state.lock().bytes_max = bytes_max;
    }

    /// Bytes of all objects.
    #[must_use]
    pub fn bytes_used(&self) -> u64 {
        self.state.lock().bytes_used()
    }

    /// How long every operation takes, in tokio's time.
    pub fn set_latency(&self, latency: Duration) {
        self.state.lock().latency = latency;
    }

    /// Keys present.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state.lock().objects.keys().cloned().collect()
    }

    /// The stored bytes.
    #[must_use]
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        self.state.lock().objects.get(key).cloned()
    }

    /// Replaces the stored bytes behind the log's back.
    pub fn overwrite(&self, key: &str, bytes: Bytes) {
        self.state.lock().objects.insert(key.to_owned(), bytes);
    }

    /// Puts and ranged reads so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.puts, state.gets)
    }

    async fn delay(&self) {
        let latency = self.state.lock().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

/// The error of a fault, and whether the operation happens all the same.
fn injected(fault: Option<ObjectFault>) -> (Option<ObjectError>, bool) {
    let retry = |fate| {
        Some(ObjectError::Retry {
            fate,
            what: "injected".to_owned(),
        })
    };
    match fault {
        None | Some(ObjectFault::FlipBit(_)) => (None, true),
        Some(ObjectFault::NotDone) => (retry(Fate::NotDone), false),
        Some(ObjectFault::UnknownDone) => (retry(Fate::Unknown), true),
        Some(ObjectFault::UnknownNotDone) => (retry(Fate::Unknown), false),
        Some(ObjectFault::Full) => (Some(ObjectError::Full), false),
        Some(ObjectFault::Refused) => (Some(ObjectError::Refused("injected".to_owned())), false),
    }
}

impl State {
    fn bytes_used(&self) -> u64 {
        self.objects.values().map(|object| object.len() as u64).sum()
    }

    fn put(&mut self, key: &str, parts: &[Bytes], mode: PutMode) -> Result<(), ObjectError> {
        self.puts += 1;
        let (error, happens) = injected(self.put_faults.pop_front());
        if happens {
            let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
            let fits = self
                .bytes_max
                .is_none_or(|bytes_max| self.bytes_used() + len <= bytes_max);
            if self.full || !fits {
                return Err(ObjectError::Full);
            }
            if mode == PutMode::CreateNew && self.objects.contains_key(key) {
                return Err(ObjectError::AlreadyExists);
            }
            let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
            parts.iter().for_each(|part| whole.extend_from_slice(part));
            self.objects.insert(key.to_owned(), whole.freeze());
        }
        error.map_or(Ok(()), Err)
    }

    fn get(&mut self, key: &str, range: &Range<u64>) -> Result<Bytes, ObjectError> {
        self.gets += 1;
        let fault = self.get_faults.pop_front();
        if let (Some(error), _) = injected(fault) {
            return Err(error);
        }
        let whole = self.objects.get(key).ok_or(ObjectError::NotFound)?;
        if range.start > range.end || range.end > whole.len() as u64 {
            return Err(ObjectError::Refused("the range lies past the end".to_owned()));
        }
        let found = whole.slice(range.start as usize..range.end as usize);
        match fault {
            Some(ObjectFault::FlipBit(at)) if !found.is_empty() => {
                let mut damaged = BytesMut::from(&found[..]);
                let at = at % damaged.len();
                damaged[at] ^= 1;
                Ok(damaged.freeze())
            }
            _ => Ok(found),
        }
    }
}

impl ObjectStore for MemoryObjects {
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        async move {
            self.delay().await;
            self.state.lock().put(key, &parts, mode)
        }
        .boxed()
    }

    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        async move {
            self.delay().await;
            self.state.lock().get(key, &range)
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        async move {
            self.delay().await;
            let state = self.state.lock();
            state
                .objects
                .get(key)
                .map(|bytes| bytes.len() as u64)
                .ok_or(ObjectError::NotFound)
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        async move {
            self.delay().await;
            let state = self.state.lock();
            let found = state.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(found
                .map(|(key, bytes)| (key.clone(), bytes.len() as u64))
                .collect())
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        async move {
            self.delay().await;
            let mut state = self.state.lock();
            let (error, happens) = injected(state.delete_faults.pop_front());
            if happens {
                state.objects.remove(key);
            }
            error.map_or(Ok(()), Err)
        }
        .boxed()
    }
}
