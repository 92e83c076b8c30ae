//! Port: the metadata store, an ordered key space with revisions, as etcd has it.
//!
//! Owns: the words (revision, transaction, watch, session), their limits, and what every implementation promises.
//! Never: what the keys mean (`catalog`, `manifest`), nor how bytes become durable (`memory`, `embedded`, the etcd crate).
//! **Invariant**: revisions rise by one with each change and are never reused; a reader at one revision sees all of it or
//! nothing. `conformance` is the specification as a test. Not on the append path; read at start, then followed by a watch.

mod error;
mod txn;

pub use error::{ReadError, SessionError, TxnError, TxnRefusal, WatchError};
pub(crate) use txn::check_key;
pub use txn::{Compare, Current, Op, Txn, TxnOutcome};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest key in bytes: a topic's name (249) under the longest prefix, with room to spare.
pub const KEY_BYTES_MAX: usize = 512;
/// The largest value in bytes: a manifest record of the largest size with its header.
pub const VALUE_BYTES_MAX: usize = millstream_log::manifest::store::RECORD_BYTES_MAX + 4096;
/// Keys and values of one transaction, in bytes: etcd takes requests up to 1.5 MiB, less its framing.
pub const TXN_BYTES_MAX: usize = 1_400_000;
/// Operations of one transaction (etcd's default limit is 128, its compares counted apart).
pub const TXN_OPS_MAX: usize = 100;
/// Compares of one transaction.
pub const TXN_COMPARES_MAX: usize = 100;
/// Entries of one page of a range.
pub const PAGE_ENTRIES_MAX: usize = 1000;
/// A page ends after the entry with which it passes this size.
pub const PAGE_BYTES_MAX: usize = 2 << 20;
/// The shortest lifetime of a session: below it, one late keep-alive would cost a broker its partitions.
pub const SESSION_TTL_MIN: Duration = Duration::from_secs(1);
/// The longest lifetime of a session: above it, a dead broker's partitions would be gone too long.
pub const SESSION_TTL_MAX: Duration = Duration::from_secs(600);

const _: () = assert!(VALUE_BYTES_MAX + 16 * KEY_BYTES_MAX <= TXN_BYTES_MAX);
const _: () = assert!(PAGE_BYTES_MAX >= VALUE_BYTES_MAX + KEY_BYTES_MAX);

/// A point in the store's history. Zero is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of the next change.
    #[must_use]
    pub fn next(self) -> Revision {
        Revision(self.0.checked_add(1).expect("a store never sees 2^64 changes"))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {}", self.0)
    }
}

/// The name of a session. Never zero, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// A lease that its holder renews; keys bound to it vanish with it, all at one revision.
///
/// The holder must count the lifetime from *before* it asked (opened or renewed): the store counts from a later moment,
/// so the holder stops first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// The store's revision when it was opened: larger than that of every session before it (trap T20).
    pub fencing: Revision,
    /// How long it lives without a renewal.
    pub ttl: Duration,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bytes.
    pub value: Bytes,
    /// The revision that wrote them.
    pub modified: Revision,
    /// The session with which the key vanishes.
    pub session: Option<SessionId>,
}

/// Keys from `from` up to and without `to`, in byte order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// First key.
    pub from: Arc<str>,
    /// One past the last key.
    pub to: Arc<str>,
}

impl KeyRange {
    /// Every key that begins with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &str) -> Self {
        // Keys are printable ASCII (`check_key`): DEL sorts after every one of them.
        Self {
            from: prefix.into(),
            to: format!("{prefix}\u{7f}").into(),
        }
    }

    /// Whether `key` lies in it.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        *self.from <= *key && *key < *self.to
    }
}

/// One page of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeQuery {
    /// Which keys.
    pub range: KeyRange,
    /// How many at most; more than `PAGE_ENTRIES_MAX` means that many.
    pub limit: usize,
    /// As of which revision; `None`: now. Later pages ask for the revision of the first.
    pub at: Option<Revision>,
}

/// What a range query gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangePage {
    /// Entries in key order. May be fewer than asked for.
    pub entries: Vec<(Arc<str>, Entry)>,
    /// The revision as of which they hold.
    pub revision: Revision,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<Arc<str>>,
}

/// One key changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which.
    pub key: Arc<str>,
    /// At which revision.
    pub revision: Revision,
    /// What it holds since; `None`: it was deleted.
    pub entry: Option<Entry>,
}

/// Changes in revision order. Never empty; a revision is never split over two batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchBatch {
    /// Everything in the watched range up to and including this revision has been delivered.
    pub revision: Revision,
    /// The changes.
    pub events: Vec<Event>,
}

/// A stream of changes. Holds no unbounded buffer: a reader that is too slow is told so (`WatchError::Lagged`).
pub trait Watch: Send {
    /// Waits for the next changes. Dropping the future loses none.
    fn next(&mut self) -> BoxFuture<'_, Result<WatchBatch, WatchError>>;
}

/// The metadata store. Every read is linearizable: it sees every write that was answered before it began.
pub trait MetaStore: Send + Sync + 'static {
    /// What `key` holds now.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>>;
    /// A page of keys, all as of one revision.
    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangePage, ReadError>>;
    /// Carries out all operations at one new revision if every compare holds, else none. Durable when answered; carried
    /// out or not, never half, also when the future is dropped.
    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome, TxnError>>;
    /// Changes in `range` after the revision `after`.
    fn watch(&self, range: KeyRange, after: Revision) -> BoxFuture<'_, Result<Box<dyn Watch>, WatchError>>;
    /// Opens a session that lives `ttl` (within `SESSION_TTL_MIN..=SESSION_TTL_MAX`) beyond each renewal.
    fn open_session(&self, ttl: Duration) -> BoxFuture<'_, Result<Session, SessionError>>;
    /// Renews it for its lifetime from now.
    fn keep_alive(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>>;
    /// Ends it now; its keys vanish. A session that is gone already is success.
    fn close_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>>;
}

/// Reads every key of `range`, page by page, as of one revision.
pub async fn range_all(
    store: &dyn MetaStore,
    range: KeyRange,
) -> Result<(Vec<(Arc<str>, Entry)>, Revision), ReadError> {
    let mut query = RangeQuery {
        range,
        limit: PAGE_ENTRIES_MAX,
        at: None,
    };
    let mut entries = Vec::new();
    loop {
        let page = store.range(query.clone()).await?;
        entries.extend(page.entries);
        let Some(next) = page.next else {
            return Ok((entries, page.revision));
        };
        query.range.from = next;
        query.at = Some(page.revision);
    }
}
