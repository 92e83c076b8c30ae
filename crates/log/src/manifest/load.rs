//! Reading the manifest at start: newest snapshot, then every record after it; spilled ones are fetched from their objects.
//!
//! Changes nothing on any medium. A record that is damaged or that the state machine refuses stops the opening: it was
//! acknowledged, and a person must decide.

use super::image::Image;
use super::record::{Record, Spill};
use super::snapshot_format::{self, Snapshot};
use super::store::{ManifestError, ManifestHistory, ManifestSeq, ManifestStore};
use super::{record_format, store};
use crate::backoff::Backoff;
use crate::error::OpenError;
use crate::le::{FormatError, checksum};
use crate::objects::ObjectId;
use crate::objects::put::get_whole;
use crate::objects::store::{ObjectError, ObjectStore};
use bytes::Bytes;

/// Attempts to read the list before the opening fails. (Object reads that may pass later are tried for ever, trap T15; the
/// list of an embedded store fails for reasons that waiting does not cure.)
const LOAD_ATTEMPTS_MAX: u32 = 5;
/// The largest spilled record or snapshot that is read back.
const SPILL_BYTES_MAX: u64 = 4 << 30;

/// What was found.
pub(super) struct Loaded {
    pub(super) image: Image,
    /// The object that holds the newest snapshot, if one does.
    pub(super) snapshot_spill: Option<ObjectId>,
    pub(super) records_since_snapshot: u64,
    pub(super) bytes_since_snapshot: u64,
    pub(super) snapshot_bytes: u64,
}

pub(super) async fn load(store: &dyn ManifestStore, objects: &dyn ObjectStore) -> Result<Loaded, OpenError> {
    let history = load_history(store).await?;
    let mut loaded = match history.snapshot {
        Some((through, bytes)) => load_snapshot(through, bytes, objects).await?,
        None => Loaded {
            image: Image::default(),
            snapshot_spill: None,
            records_since_snapshot: 0,
            bytes_since_snapshot: 0,
            snapshot_bytes: 0,
        },
    };
    for (seq, bytes) in history.records {
        if seq.0 != loaded.image.seq.0 + 1 {
            return Err(OpenError::Corrupt(format!(
                "manifest record {} is missing",
                loaded.image.seq.0 + 1
            )));
        }
        loaded.records_since_snapshot += 1;
        loaded.bytes_since_snapshot += bytes.len() as u64;
        replay(&mut loaded.image, seq, &bytes, objects).await?;
    }
    Ok(loaded)
}

async fn load_history(store: &dyn ManifestStore) -> Result<ManifestHistory, OpenError> {
    let mut backoff = Backoff::new();
    for _ in 1..LOAD_ATTEMPTS_MAX {
        match store.load().await {
            Ok(history) => return Ok(history),
            Err(error) => tracing::warn!(%error, "reading the manifest failed, trying again"),
        }
        backoff.wait().await;
    }
    store
        .load()
        .await
        .map_err(|error: ManifestError| OpenError::Storage(error.to_string()))
}

async fn load_snapshot(
    through: ManifestSeq,
    bytes: Bytes,
    objects: &dyn ObjectStore,
) -> Result<Loaded, OpenError> {
    let (image, spill) = match decode_snapshot(&bytes)? {
        Snapshot::Whole(image) => (image, None),
        Snapshot::Spilled(spill) => {
            let whole = fetch_spill(&spill, objects).await?;
            match decode_snapshot(&whole)? {
                Snapshot::Whole(image) => (image, Some(spill)),
                Snapshot::Spilled(_) => {
                    return Err(corrupt("a spilled snapshot names another spilled snapshot"));
                }
            }
        }
    };
    if image.seq != through {
        return Err(corrupt(
            "the snapshot's position is not the one under which it is kept",
        ));
    }
    Ok(Loaded {
        image: *image,
        snapshot_bytes: spill.map_or(bytes.len() as u64, |spill| spill.len),
        snapshot_spill: spill.map(|spill| spill.object),
        records_since_snapshot: 0,
        bytes_since_snapshot: 0,
    })
}

async fn replay(
    image: &mut Image,
    seq: ManifestSeq,
    bytes: &[u8],
    objects: &dyn ObjectStore,
) -> Result<(), OpenError> {
    let failed = |error: FormatError| format_error(error, &format!("manifest record {}", seq.0));
    let mut record = record_format::decode(bytes).map_err(failed)?;
    if let Record::Spilled(spill) = record {
        record = record_format::decode(&fetch_spill(&spill, objects).await?).map_err(failed)?;
        image.note_spill(seq, &spill);
    }
    image
        .apply(&record)
        .map_err(|refusal| OpenError::Corrupt(format!("manifest record {} does not fit: {refusal:?}", seq.0)))
}

async fn fetch_spill(spill: &Spill, objects: &dyn ObjectStore) -> Result<Bytes, OpenError> {
    if spill.len > SPILL_BYTES_MAX {
        return Err(corrupt("a spilled manifest record has an absurd length"));
    }
    let bytes = get_whole(objects, &spill.object.key(), spill.len)
        .await
        .map_err(|error| match error {
            ObjectError::NotFound => {
                OpenError::Corrupt(format!("{} of the manifest is missing", spill.object))
            }
            other => OpenError::Storage(other.to_string()),
        })?;
    if checksum(&bytes) != spill.checksum {
        return Err(OpenError::Corrupt(format!(
            "{} of the manifest is damaged",
            spill.object
        )));
    }
    Ok(bytes)
}

fn decode_snapshot(bytes: &[u8]) -> Result<Snapshot, OpenError> {
    snapshot_format::decode(bytes).map_err(|error| format_error(error, "the manifest snapshot"))
}

fn format_error(error: FormatError, what: &str) -> OpenError {
    match error {
        FormatError::UnknownVersion(_) => OpenError::UnknownVersion(format!("{what}: {error}")),
        _ => OpenError::Corrupt(format!("{what}: {error}")),
    }
}

fn corrupt(what: &str) -> OpenError {
    OpenError::Corrupt(what.to_owned())
}

const _: () = assert!(store::RECORD_BYTES_MAX as u64 <= SPILL_BYTES_MAX);
