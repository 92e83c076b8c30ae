//! The log's manifest list, kept in the metadata store: one key a record, one for the snapshot.
//!
//! Owns: compare-and-set at the next position, and telling our own record from another's after a lost answer (trap T9).
//! Never: what a record says.
//! **Invariant**: records follow each other without a hole, from the snapshot on; each position is written once.

use crate::entropy::Entropy;
use crate::key::Key;
use crate::record::{DecodeError, Decoder, Encoder, Kind};
use crate::settle::{Settled, StoreFailure, settle};
use crate::store::{Compare, Current, Entry, MetaStore, Revision, SessionId, Txn, TxnOutcome, range_all};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::Fate;
use millstream_log::manifest::store::{
    ManifestError, ManifestHistory, ManifestSeq, ManifestStore, RECORD_BYTES_MAX,
};
use std::sync::Arc;

const VERSION: u8 = 1;

/// The list of one broker.
pub struct MetaManifest {
    store: Arc<dyn MetaStore>,
    broker: u32,
    /// In a cluster: the broker's session, without which it writes nothing.
    session: Option<SessionId>,
    /// Drawn once: whoever writes under the same broker id is somebody else.
    nonce: [u8; 16],
}

/// The snapshot's key as it was read.
struct Snapshot {
    through: ManifestSeq,
    revision: Option<Revision>,
}

impl MetaManifest {
    /// The list of `broker`. With a session, nothing is written once it has expired.
    #[must_use]
    pub fn new(
        store: Arc<dyn MetaStore>,
        broker: u32,
        session: Option<SessionId>,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            store,
            broker,
            session,
            nonce: entropy.draw(),
        }
    }

    fn snapshot_key(&self) -> String {
        Key::ManifestSnapshot { broker: self.broker }.encode()
    }

    fn record_key(&self, seq: ManifestSeq) -> String {
        let broker = self.broker;
        Key::ManifestRecord { broker, seq }.encode()
    }

    async fn read_snapshot(&self) -> Result<Snapshot, ManifestError> {
        let read = self.store.get(&self.snapshot_key()).await;
        let entry = read.map_err(|e| storage(StoreFailure::not_done(e)))?;
        let Some(entry) = entry else {
            return Ok(Snapshot {
                through: ManifestSeq(0),
                revision: None,
            });
        };
        let (through, _, _) = decode_snapshot(&entry.value).map_err(damaged)?;
        Ok(Snapshot {
            through,
            revision: Some(entry.modified),
        })
    }

    async fn load_all(&self) -> Result<ManifestHistory, ManifestError> {
        let read = range_all(&*self.store, Key::manifest(self.broker)).await;
        let (entries, _) = read.map_err(|e| storage(StoreFailure::not_done(e)))?;
        let mut history = ManifestHistory::default();
        let snapshot_key = self.snapshot_key();
        for (key, entry) in entries {
            if *key == *snapshot_key {
                let (through, _, body) = decode_snapshot(&entry.value).map_err(damaged)?;
                history.snapshot = Some((through, body));
            } else {
                let seq = key.rsplit('/').next().and_then(|digits| digits.parse().ok());
                let seq = ManifestSeq(seq.ok_or_else(|| damaged(DecodeError::NotThisKind))?);
                let (_, body) = decode_record(&entry.value).map_err(damaged)?;
                history.records.push((seq, body));
            }
        }
        let through = history.snapshot.as_ref().map_or(0, |(through, _)| through.0);
        let dense = history
            .records
            .iter()
            .zip(through + 1..)
            .all(|((seq, _), expected)| seq.0 == expected);
        if dense {
            Ok(history)
        } else {
            Err(damaged(DecodeError::Field("seq")))
        }
    }

    async fn append_record(&self, seq: ManifestSeq, record: Bytes) -> Result<(), ManifestError> {
        if record.len() > RECORD_BYTES_MAX {
            return Err(ManifestError::TooLarge);
        }
        let Some(before) = seq.0.checked_sub(1).map(ManifestSeq) else {
            return Err(ManifestError::Conflict);
        };
        let key = self.record_key(seq);
        let value = encode_record(&self.nonce, &record);
        let mut txn = Txn::new().when_unchanged(&key, None);
        // The position is the next one if the one before is there, or is the snapshot's last.
        let snapshot = self.read_snapshot().await?;
        txn = if snapshot.through == before {
            txn.when_unchanged(&self.snapshot_key(), snapshot.revision)
        } else {
            txn.when(Compare::Present(self.record_key(before).into()))
        };
        let settled = settle(
            &*self.store,
            txn.when_alive(self.session).put(&key, value.clone()),
        )
        .await;
        match settled.map_err(storage)? {
            Settled {
                outcome: TxnOutcome::Committed { .. },
                ..
            } => Ok(()),
            Settled {
                outcome: TxnOutcome::CompareFailed { current },
                doubted,
            } => self.judge(&current, &value, doubted),
        }
    }

    async fn write_snapshot(&self, through: ManifestSeq, snapshot: Bytes) -> Result<(), ManifestError> {
        if snapshot.len() > RECORD_BYTES_MAX {
            return Err(ManifestError::TooLarge);
        }
        let old = self.read_snapshot().await?;
        if through < old.through {
            return Err(ManifestError::Conflict);
        }
        let key = self.snapshot_key();
        let value = encode_snapshot(through, &self.nonce, &snapshot);
        let mut txn = Txn::new().when_unchanged(&key, old.revision);
        if through > old.through {
            txn = txn.when(Compare::Present(self.record_key(through).into()));
        }
        let txn = txn
            .when_alive(self.session)
            .put(&key, value.clone())
            .delete_range(Key::manifest_records_through(self.broker, through));
        match settle(&*self.store, txn).await.map_err(storage)? {
            Settled {
                outcome: TxnOutcome::Committed { .. },
                ..
            } => Ok(()),
            Settled {
                outcome: TxnOutcome::CompareFailed { current },
                doubted,
            } => self.judge(&current, &value, doubted),
        }
    }

    /// What a failed compare means. The first compare of both transactions looks at the key that they write.
    ///
    /// The value holds our nonce: if it is there, it is ours, from a lost answer of this call or (the log asks again after
    /// `Fate::Unknown`) of one before.
    fn judge(&self, current: &[Current], value: &Bytes, doubted: bool) -> Result<(), ManifestError> {
        if let Some(Current::Key(Some(Entry { value: found, .. }))) = current.first()
            && found == value
        {
            return Ok(());
        }
        let expired = current
            .iter()
            .any(|c| matches!(c, Current::Session { alive: false }));
        if expired && doubted {
            return Err(storage(StoreFailure {
                fate: Fate::Unknown,
                what: "the broker's session expired".into(),
            }));
        }
        if expired {
            return Err(storage(StoreFailure::not_done("the broker's session expired")));
        }
        Err(ManifestError::Conflict)
    }
}

fn storage(failure: StoreFailure) -> ManifestError {
    ManifestError::Storage {
        fate: failure.fate,
        what: failure.what,
    }
}

fn damaged(error: DecodeError) -> ManifestError {
    storage(StoreFailure::not_done(format_args!(
        "the manifest in the metadata store: {error}"
    )))
}

fn encode_record(nonce: &[u8; 16], record: &Bytes) -> Bytes {
    Encoder::new(Kind::ManifestRecord, VERSION)
        .bytes(nonce)
        .bytes(record)
        .finish()
}

fn decode_record(value: &Bytes) -> Result<([u8; 16], Bytes), DecodeError> {
    let mut fields = Decoder::new(value, Kind::ManifestRecord, VERSION)?;
    Ok((fields.id()?, fields.rest()))
}

fn encode_snapshot(through: ManifestSeq, nonce: &[u8; 16], snapshot: &Bytes) -> Bytes {
    let encoder = Encoder::new(Kind::ManifestSnapshot, VERSION).u64(through.0);
    encoder.bytes(nonce).bytes(snapshot).finish()
}

fn decode_snapshot(value: &Bytes) -> Result<(ManifestSeq, [u8; 16], Bytes), DecodeError> {
    let mut fields = Decoder::new(value, Kind::ManifestSnapshot, VERSION)?;
    Ok((ManifestSeq(fields.u64()?), fields.id()?, fields.rest()))
}

impl ManifestStore for MetaManifest {
    fn load(&self) -> BoxFuture<'_, Result<ManifestHistory, ManifestError>> {
        Box::pin(self.load_all())
    }

    fn append(&self, seq: ManifestSeq, record: Bytes) -> BoxFuture<'_, Result<(), ManifestError>> {
        Box::pin(self.append_record(seq, record))
    }

    fn snapshot(&self, through: ManifestSeq, snapshot: Bytes) -> BoxFuture<'_, Result<(), ManifestError>> {
        Box::pin(self.write_snapshot(through, snapshot))
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
