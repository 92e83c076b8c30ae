//! The redb file: loads every key at open, makes a group of changes durable with one commit. Every call blocks.
//!
//! Owns: the file's tables and format version, and what is known after a failure. Never: decides a transaction.
//! **Invariant**: the file holds exactly the changes through its `revision`, also after a crash at any point.
//!
//! A failed commit may or may not be in the file. Then the file is closed and the group kept as *in doubt*; at the next
//! command it is opened again, and its revision tells. Only a failed sync is final: see `medium`.

use super::medium::{Medium, SyncWatched};
use crate::local::Changes;
use crate::store::{Entry, Revision, check_key};
use bytes::Bytes;
use millstream_log::{Fate, OpenError};
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Key -> revision (8 bytes), session (8 bytes, 0: none), value.
const ENTRIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");
/// `format_version` and `revision`.
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const FORMAT_VERSION: u64 = 1;
const ENTRY_HEADER_BYTES: usize = 16;
/// Every key is in memory already; redb's own cache only has to hold the inner pages of its trees.
const PAGE_CACHE_BYTES: usize = 4 << 20;

/// What a file held when it was opened.
pub(super) struct Found {
    pub(super) keys: BTreeMap<Arc<str>, Entry>,
    pub(super) revision: Revision,
}

/// Why a group was not made durable.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) fate: Fate,
    pub(super) what: String,
}

enum Door {
    Open(Database),
    /// A write failed; the next command opens the file again.
    Shut {
        doubt: Option<Changes>,
    },
    /// Nothing more is written: a sync failed, or the store was closed.
    Locked(String),
}

pub(super) struct Journal {
    medium: Box<dyn Medium>,
    sync_failed: Arc<AtomicBool>,
    door: Door,
}

impl Journal {
    /// Opens or creates the file and reads all of it. Keys bound to a session are deleted: the session's holder was in the
    /// process that held the file, and is gone.
    pub(super) fn open(medium: Box<dyn Medium>) -> Result<(Self, Found), OpenError> {
        let sync_failed = Arc::new(AtomicBool::new(false));
        let database = open_database(&*medium, &sync_failed)?;
        prepare(&database).map_err(|e| open_error(&*medium, e))??;
        let found = load(&database).map_err(|e| open_error(&*medium, e))??;
        let found = end_old_sessions(&database, found).map_err(|e| open_error(&*medium, e))?;
        let journal = Self {
            medium,
            sync_failed,
            door: Door::Open(database),
        };
        Ok((journal, found))
    }

    /// Makes sure that the file is open. `revision` is that of the state in memory. Returns the changes that were in doubt
    /// and turned out to be durable: the caller applies them.
    pub(super) fn bring_back(&mut self, revision: Revision) -> Result<Option<Changes>, String> {
        let doubt = match &mut self.door {
            Door::Open(_) => return Ok(None),
            Door::Locked(why) => return Err(why.clone()),
            Door::Shut { doubt } => doubt,
        };
        let opened = open_database(&*self.medium, &self.sync_failed).map_err(|e| e.to_string());
        let opened = opened.and_then(|database| {
            let durable = read_revision(&database).map_err(|e| e.to_string())?;
            Ok((database, durable))
        });
        if self.sync_failed.load(Ordering::Acquire) {
            let why = format!(
                "{}: the disk failed to sync, nothing is written before a restart",
                self.medium.name()
            );
            self.door = Door::Locked(why.clone());
            return Err(why);
        }
        let (database, durable) = opened?;
        let proved = if durable == revision {
            *doubt = None;
            None
        } else {
            doubt.take().filter(|changes| changes.revision == durable)
        };
        if durable != revision && proved.is_none() {
            let why = format!("{} holds {durable} instead of {revision}", self.medium.name());
            self.door = Door::Locked(why.clone());
            return Err(why);
        }
        self.door = Door::Open(database);
        Ok(proved)
    }

    /// Makes the changes durable, all or none, and gives them back to be applied.
    pub(super) fn write(&mut self, changes: Changes) -> Result<Changes, Failure> {
        // In doubt from here on: also if redb panics.
        let in_doubt = Door::Shut { doubt: Some(changes) };
        let Door::Open(database) = std::mem::replace(&mut self.door, in_doubt) else {
            unreachable!("`bring_back` came first");
        };
        let Door::Shut { doubt } = &mut self.door else {
            unreachable!("set above");
        };
        let changes = doubt.as_ref().expect("set above");
        let (fate, error) = match stage(&database, changes) {
            Ok(transaction) => match transaction.commit() {
                Ok(()) => {
                    let changes = doubt.take().expect("set above");
                    self.door = Door::Open(database);
                    return Ok(changes);
                }
                Err(e) => (Fate::Unknown, redb::Error::from(e)),
            },
            Err(e) => {
                *doubt = None;
                (Fate::NotDone, e)
            }
        };
        // Closes the file and lets its lock go; redb writes nothing after an error.
        drop(database);
        let what = format!("{}: {error}", self.medium.name());
        tracing::error!(?fate, what, "the metadata store failed to commit");
        if self.sync_failed.load(Ordering::Acquire) {
            let why = format!("{what}; the disk failed to sync, nothing is written before a restart");
            self.door = Door::Locked(why);
        }
        Err(Failure { fate, what })
    }

    /// Closes the file for good.
    pub(super) fn close(&mut self) {
        self.door = Door::Locked("the metadata store was closed".into());
    }
}

fn open_database(medium: &dyn Medium, sync_failed: &Arc<AtomicBool>) -> Result<Database, OpenError> {
    let backend = SyncWatched::new(medium.open()?, sync_failed.clone());
    let mut builder = Database::builder();
    builder.set_cache_size(PAGE_CACHE_BYTES);
    // The file is small and read whole anyway: verifying every page's checksum costs little, and trusts nothing.
    builder.set_check_integrity_on_open(true);
    builder.create_with_backend(backend).map_err(|e| match e {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::InUse(medium.name())
        }
        DatabaseError::UpgradeRequired(version) => {
            OpenError::UnknownVersion(format!("{}: redb file format {version}", medium.name()))
        }
        other => open_error(medium, other.into()),
    })
}

fn open_error(medium: &dyn Medium, error: redb::Error) -> OpenError {
    let what = format!("{}: {error}", medium.name());
    match error {
        redb::Error::Corrupted(_) => OpenError::Corrupt(what),
        // What redb answers for a file that is not a redb file.
        redb::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => OpenError::Corrupt(what),
        _ => OpenError::Storage(what),
    }
}

/// Writes the format version into a new file, checks it in an old one.
fn prepare(database: &Database) -> Result<Result<(), OpenError>, redb::Error> {
    let found = match database.begin_read()?.open_table(FACTS) {
        Ok(facts) => facts.get("format_version")?.map(|version| version.value()),
        Err(TableError::TableDoesNotExist(_)) => {
            let transaction = database.begin_write()?;
            {
                let mut facts = transaction.open_table(FACTS)?;
                facts.insert("format_version", FORMAT_VERSION)?;
                facts.insert("revision", 0)?;
                transaction.open_table(ENTRIES)?;
            }
            transaction.commit()?;
            return Ok(Ok(()));
        }
        Err(e) => return Err(e.into()),
    };
    Ok(match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(version) => Err(OpenError::UnknownVersion(format!("metadata format {version}"))),
        None => Err(OpenError::Corrupt(
            "the metadata file has no format version".into(),
        )),
    })
}

fn read_revision(database: &Database) -> Result<Revision, redb::Error> {
    let facts = database.begin_read()?.open_table(FACTS)?;
    let revision = facts.get("revision")?.map(|revision| revision.value());
    revision.map(Revision).ok_or_else(|| {
        redb::Error::from(StorageError::Corrupted(
            "the metadata file has no revision".into(),
        ))
    })
}

fn load(database: &Database) -> Result<Result<Found, OpenError>, redb::Error> {
    let revision = read_revision(database)?;
    let entries = database.begin_read()?.open_table(ENTRIES)?;
    let mut keys = BTreeMap::new();
    for item in entries.iter()? {
        let (key, stored) = item?;
        let entry = decode_entry(stored.value());
        let valid = entry.filter(|entry| entry.modified <= revision && check_key(key.value()).is_ok());
        let Some(entry) = valid else {
            return Ok(Err(OpenError::Corrupt(format!("metadata key {:?}", key.value()))));
        };
        keys.insert(key.value().into(), entry);
    }
    Ok(Ok(Found { keys, revision }))
}

fn end_old_sessions(database: &Database, mut found: Found) -> Result<Found, redb::Error> {
    let bound = found.keys.iter().filter(|(_, entry)| entry.session.is_some());
    let bound: Vec<Arc<str>> = bound.map(|(key, _)| key.clone()).collect();
    if bound.is_empty() {
        return Ok(found);
    }
    found.revision = found.revision.next();
    let transaction = database.begin_write()?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        for key in bound {
            entries.remove(&*key)?;
            found.keys.remove(&key);
        }
        transaction
            .open_table(FACTS)?
            .insert("revision", found.revision.0)?;
    }
    transaction.commit()?;
    Ok(found)
}

/// A transaction that holds the changes and is not committed. An error leaves nothing behind.
fn stage(database: &Database, changes: &Changes) -> Result<redb::WriteTransaction, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        for (key, entry) in &changes.written {
            match entry {
                Some(entry) => entries.insert(&**key, encode_entry(entry).as_slice())?,
                None => entries.remove(&**key)?,
            };
        }
        transaction
            .open_table(FACTS)?
            .insert("revision", changes.revision.0)?;
    }
    Ok(transaction)
}

fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut stored = Vec::with_capacity(ENTRY_HEADER_BYTES + entry.value.len());
    stored.extend_from_slice(&entry.modified.0.to_le_bytes());
    stored.extend_from_slice(&entry.session.map_or(0, |session| session.0).to_le_bytes());
    stored.extend_from_slice(&entry.value);
    stored
}

fn decode_entry(stored: &[u8]) -> Option<Entry> {
    let (modified, rest) = stored.split_first_chunk::<8>()?;
    let (session, value) = rest.split_first_chunk::<8>()?;
    let session = u64::from_le_bytes(*session);
    Some(Entry {
        value: Bytes::copy_from_slice(value),
        modified: Revision(u64::from_le_bytes(*modified)),
        session: (session != 0).then_some(crate::store::SessionId(session)),
    })
}
