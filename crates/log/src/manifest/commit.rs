//! The single committer: one record after the other, each checked against the newest state, appended, then applied.
//!
//! **Invariant**: no record is appended while the outcome of the one before is unknown. An append whose answer was lost is
//! appended again at the same position: the list takes a position once, so the answer is then certain (trap T6). The
//! pending record is kept here, not in the caller's future: a caller that goes away leaves nothing undecided.

use super::image::Image;
use super::ranges::Refusal;
use super::record::{Record, Spill};
use super::store::{ManifestError, ManifestSeq, ManifestStore, RECORD_BYTES_MAX};
use super::{record_format, snapshot_format};
use crate::backoff::Backoff;
use crate::error::{Fate, StreamError};
use crate::le::checksum;
use crate::objects::ObjectId;
use crate::objects::put::{delete_quietly, put_once};
use crate::objects::store::ObjectStore;
use bytes::Bytes;
use parking_lot::RwLock;
use std::fmt;

/// Records after which a snapshot is taken, however small they are: bounds the replay at start.
const SNAPSHOT_RECORDS: u64 = 4096;
/// Bytes of records after which a snapshot is taken, unless the snapshot itself is larger: then as many bytes as it has,
/// so that snapshots cost at most as much as the records.
const SNAPSHOT_BYTES_MIN: u64 = 4 << 20;

/// Why a record was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommitError {
    /// It does not fit the state. Nothing was written.
    Refused(Refusal),
    /// Another writer owns the list now. Nothing was written.
    Fenced,
    /// The list failed; certainly nothing was written.
    Storage(String),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "the manifest refuses the change: {refusal:?}"),
            Self::Fenced => write!(f, "another writer owns the manifest"),
            Self::Storage(what) => write!(f, "{what}"),
        }
    }
}

impl From<CommitError> for StreamError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(Refusal::StreamGone) => StreamError::StreamGone,
            other => StreamError::Storage {
                fate: Fate::NotDone,
                what: other.to_string(),
            },
        }
    }
}

/// A record on its way.
struct Pending {
    seq: ManifestSeq,
    bytes: Bytes,
    record: Record,
    spill: Option<Spill>,
    /// Whether an append of it may have happened.
    attempted: bool,
}

/// Owned by the manifest's async mutex.
pub(super) struct Committer {
    pending: Option<Pending>,
    fenced: bool,
    pub(super) records_since_snapshot: u64,
    pub(super) bytes_since_snapshot: u64,
    pub(super) snapshot_bytes: u64,
    /// Objects of snapshots that the list refers to, or may refer to. The last is the newest.
    pub(super) snapshot_spills: Vec<ObjectId>,
}

/// What the committer works on.
pub(super) struct Media<'a> {
    pub(super) store: &'a dyn ManifestStore,
    pub(super) objects: &'a dyn ObjectStore,
    pub(super) image: &'a RwLock<Image>,
}

impl Committer {
    pub(super) fn new() -> Self {
        Self {
            pending: None,
            fenced: false,
            records_since_snapshot: 0,
            bytes_since_snapshot: 0,
            snapshot_bytes: 0,
            snapshot_spills: Vec::new(),
        }
    }

    /// Commits `record`; `spill_id` names the object that holds it if it is too large for the list.
    pub(super) async fn commit(
        &mut self,
        media: &Media<'_>,
        record: Record,
        spill_id: ObjectId,
    ) -> Result<(), CommitError> {
        assert!(self.pending.is_none(), "the one before is decided");
        let seq = {
            let image = media.image.read();
            image.check_record(&record).map_err(CommitError::Refused)?;
            ManifestSeq(image.seq.0 + 1)
        };
        let whole = record_format::encode(&record);
        let (bytes, spill) = if whole.len() > RECORD_BYTES_MAX {
            let spill = write_spill(media.objects, spill_id, whole).await?;
            (record_format::encode(&Record::Spilled(spill)), Some(spill))
        } else {
            (whole, None)
        };
        self.pending = Some(Pending {
            seq,
            bytes,
            record,
            spill,
            attempted: false,
        });
        self.decide(media).await
    }

    /// Brings the pending record, if there is one, to a certain end.
    pub(super) async fn decide(&mut self, media: &Media<'_>) -> Result<(), CommitError> {
        let mut backoff = Backoff::new();
        loop {
            if self.fenced {
                self.pending = None;
                return Err(CommitError::Fenced);
            }
            let Some(pending) = &mut self.pending else {
                return Ok(());
            };
            // Set before the await: if the caller goes away inside it, the next one knows.
            let attempted_before = std::mem::replace(&mut pending.attempted, true);
            match media.store.append(pending.seq, pending.bytes.clone()).await {
                Ok(()) => return self.done(media),
                Err(ManifestError::Conflict) if attempted_before => {
                    match read_back(media.store, pending).await {
                        Some(true) => return self.done(media),
                        Some(false) => self.fenced = true,
                        None => backoff.wait().await,
                    }
                }
                Err(ManifestError::Conflict) => self.fenced = true,
                Err(ManifestError::TooLarge) => {
                    self.pending = None;
                    return Err(CommitError::Storage(ManifestError::TooLarge.to_string()));
                }
                Err(ManifestError::Storage {
                    fate: Fate::NotDone,
                    what,
                }) if !attempted_before => {
                    self.pending = None;
                    return Err(CommitError::Storage(what));
                }
                Err(ManifestError::Storage { what, .. }) => {
                    tracing::warn!(what, "a manifest record's fate is unknown, finding out");
                    backoff.wait().await;
                }
            }
        }
    }

    fn done(&mut self, media: &Media<'_>) -> Result<(), CommitError> {
        let pending = self.pending.take().expect("only a pending record is done");
        let mut image = media.image.write();
        image
            .apply(&pending.record)
            .expect("checked under the same committer before it was appended");
        if let Some(spill) = &pending.spill {
            image.note_spill(pending.seq, spill);
        }
        self.records_since_snapshot += 1;
        self.bytes_since_snapshot += pending
            .spill
            .map_or(pending.bytes.len() as u64, |spill| spill.len);
        Ok(())
    }

    pub(super) fn snapshot_due(&self) -> bool {
        self.records_since_snapshot >= SNAPSHOT_RECORDS
            || self.bytes_since_snapshot >= self.snapshot_bytes.max(SNAPSHOT_BYTES_MIN)
    }

    /// Replaces snapshot and records by a new snapshot. A failure costs nothing but a longer list: it is tried again later.
    pub(super) async fn snapshot(&mut self, media: &Media<'_>, spill_id: ObjectId) {
        let (through, whole) = {
            let image = media.image.read();
            (image.seq, snapshot_format::encode(&image))
        };
        // Also after a failure: the next attempt comes after as many records again, not after every one.
        self.records_since_snapshot = 0;
        self.bytes_since_snapshot = 0;
        let whole_len = whole.len() as u64;
        let spilled = whole.len() > RECORD_BYTES_MAX;
        let bytes = if spilled {
            match write_spill(media.objects, spill_id, whole).await {
                Ok(spill) => snapshot_format::encode_spilled(&spill),
                Err(error) => return tracing::warn!(%error, "a manifest snapshot was not written"),
            }
        } else {
            whole
        };
        if spilled {
            // The list may come to refer to it, also if the answer is lost, so no sweep may take it.
            self.snapshot_spills.push(spill_id);
        }
        if let Err(error) = media.store.snapshot(through, bytes).await {
            return tracing::warn!(%error, "a manifest snapshot was not taken; the next one will");
        }
        self.snapshot_bytes = whole_len;
        let kept = usize::from(spilled);
        let stale = self.snapshot_spills.len() - kept;
        let mut unused: Vec<ObjectId> = self.snapshot_spills.drain(..stale).collect();
        unused.extend(media.image.write().spills.drain(..).map(|(_, id)| id));
        for id in unused {
            delete_quietly(media.objects, &id.key()).await;
        }
    }
}

/// One attempt, as the committer waits for it: trims and deletions, which make room, must go on while the store is full.
async fn write_spill(objects: &dyn ObjectStore, id: ObjectId, bytes: Bytes) -> Result<Spill, CommitError> {
    let spill = Spill {
        object: id,
        len: bytes.len() as u64,
        checksum: checksum(&bytes),
    };
    let put = put_once(objects, &id.key(), vec![bytes]).await;
    put.map_err(|error| CommitError::Storage(format!("{id} for the manifest: {error}")))?;
    Ok(spill)
}

/// Whether the record at the pending position is ours; `None` when the list cannot be read now.
async fn read_back(store: &dyn ManifestStore, pending: &Pending) -> Option<bool> {
    match store.load().await {
        Ok(history) => {
            let found = history.records.iter().find(|(seq, _)| *seq == pending.seq);
            Some(found.is_some_and(|(_, bytes)| *bytes == pending.bytes))
        }
        Err(error) => {
            tracing::warn!(%error, "reading the manifest back failed, trying again");
            None
        }
    }
}
