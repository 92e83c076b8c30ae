//! What the rest of the log holds of the manifest: questions answered from memory under a short lock, changes through the
//! single committer, names for new objects, leases that keep an object from the collector while it is read.

use super::commit::{CommitError, Committer, Media};
use super::image::Image;
use super::load::load;
use super::record::{ObjectMeta, ProducerSnapshot, Range, Record, TrimTo};
use super::store::ManifestStore;
use crate::clock::TimestampMs;
use crate::error::{OpenError, StreamError};
use crate::ids::{AbortedTransaction, Epoch, GroupSeq, Offset, StreamId};
use crate::objects::ObjectId;
use crate::objects::store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A cheap clone.
#[derive(Clone)]
pub(crate) struct ManifestHandle {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn ManifestStore>,
    objects: Arc<dyn ObjectStore>,
    image: RwLock<Image>,
    /// Locked after `image`, never before.
    leases: Mutex<BTreeMap<ObjectId, u32>>,
    names: Mutex<Names>,
    committer: tokio::sync::Mutex<Committer>,
}

/// Names given to objects that are not committed yet.
#[derive(Default)]
struct Names {
    incarnation: u64,
    counter: u64,
    in_flight: BTreeSet<ObjectId>,
}

/// What is committed of one stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StreamState {
    /// First offset kept.
    pub(crate) start: Offset,
    /// One past the last committed offset. Below `start` when the stream was trimmed inside its tail.
    pub(crate) end: Offset,
    /// Where each epoch began.
    pub(crate) epochs: Vec<(Epoch, Offset)>,
    /// Producers as of `end`; replay of the tail goes on from there.
    pub(crate) producers: Arc<[ProducerSnapshot]>,
    /// Transactions aborted by markers below `end`.
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// Bytes in objects.
    pub(crate) bytes: u64,
    /// Largest timestamp in objects; negative when there is none.
    pub(crate) max_timestamp: TimestampMs,
}

/// The name of an object that is being made. Until it is dropped, no sweep takes the object (trap T5).
pub(crate) struct ObjectTicket {
    id: ObjectId,
    shared: Arc<Shared>,
}

impl ObjectTicket {
    pub(crate) fn id(&self) -> ObjectId {
        self.id
    }
}

impl Drop for ObjectTicket {
    fn drop(&mut self) {
        self.shared.names.lock().in_flight.remove(&self.id);
    }
}

/// A range with the object that holds it, which is not deleted before this is dropped.
pub(crate) struct LeasedRange {
    pub(crate) range: Range,
    /// `None` where compaction kept nothing.
    pub(crate) object: Option<ObjectMeta>,
    shared: Arc<Shared>,
}

impl Drop for LeasedRange {
    fn drop(&mut self) {
        if let Some(object) = &self.object {
            let mut leases = self.shared.leases.lock();
            let count = leases.get_mut(&object.id).expect("every lease is counted");
            *count -= 1;
            if *count == 0 {
                leases.remove(&object.id);
            }
        }
    }
}

impl ManifestHandle {
    /// Loads the list and takes an incarnation of its own, so that no name given to an object ever recurs.
    pub(crate) async fn open(
        store: Arc<dyn ManifestStore>,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<ManifestHandle, OpenError> {
        let loaded = load(&*store, &*objects).await?;
        let mut committer = Committer::new();
        committer.records_since_snapshot = loaded.records_since_snapshot;
        committer.bytes_since_snapshot = loaded.bytes_since_snapshot;
        committer.snapshot_bytes = loaded.snapshot_bytes;
        committer.snapshot_spills.extend(loaded.snapshot_spill);
        let handle = ManifestHandle {
            shared: Arc::new(Shared {
                store,
                objects,
                image: RwLock::new(loaded.image),
                leases: Mutex::default(),
                names: Mutex::default(),
                committer: tokio::sync::Mutex::new(committer),
            }),
        };
        handle.take_incarnation().await.map_err(|error| match error {
            CommitError::Fenced => OpenError::InUse(error.to_string()),
            _ => OpenError::Storage(error.to_string()),
        })?;
        Ok(handle)
    }

    async fn take_incarnation(&self) -> Result<(), CommitError> {
        let mut committer = self.shared.committer.lock().await;
        let media = self.shared.media();
        committer.decide(&media).await?;
        committer.commit(&media, Record::Opened, ObjectId::NONE).await?;
        let incarnation = self.shared.image.read().incarnation;
        let mut names = self.shared.names.lock();
        names.incarnation = incarnation;
        names.counter = 0;
        Ok(())
    }

    /// Groups of the write-ahead log that need no replay.
    pub(crate) fn wal_through(&self) -> GroupSeq {
        self.shared.image.read().wal_through
    }

    /// Streams of which anything is committed.
    pub(crate) fn stream_ids(&self) -> Vec<StreamId> {
        self.shared.image.read().streams.keys().copied().collect()
    }

    /// Whether the stream was deleted while the write-ahead log may still hold batches of it.
    pub(crate) fn is_deleted(&self, id: StreamId) -> bool {
        self.shared.image.read().deleted.contains_key(&id)
    }

    /// What is committed of the stream.
    pub(crate) fn stream_state(&self, id: StreamId) -> Option<StreamState> {
        let image = self.shared.image.read();
        let stream = image.streams.get(&id)?;
        Some(StreamState {
            start: stream.start,
            end: stream.end,
            epochs: stream.epochs.clone(),
            producers: stream.producers.clone(),
            aborted: stream.aborted.all().to_vec(),
            bytes: stream.bytes(),
            max_timestamp: stream
                .ranges
                .iter()
                .map(|range| range.max_timestamp)
                .max()
                .unwrap_or(-1),
        })
    }

    /// Raises the stream's start, durably; answers the start that holds now. The caller keeps it at or below the durable end.
    pub(crate) async fn trim(&self, id: StreamId, start: Offset) -> Result<Offset, StreamError> {
        self.trim_many(&[TrimTo { stream: id, start }]).await?;
        Ok(self.with_image(|image| image.streams.get(&id).map_or(Offset::ZERO, |stream| stream.start)))
    }

    /// Raises starts in one record. Streams that are gone, and starts that hold already, are passed over.
    pub(crate) async fn trim_many(&self, trims: &[TrimTo]) -> Result<(), CommitError> {
        let build = |image: &Image| {
            let raises = |trim: &&TrimTo| {
                let held = image
                    .streams
                    .get(&trim.stream)
                    .map_or(Offset::ZERO, |stream| stream.start);
                trim.start > held && !image.deleted.contains_key(&trim.stream)
            };
            let needed: Vec<TrimTo> = trims.iter().filter(raises).copied().collect();
            (!needed.is_empty()).then_some(Record::Trim(needed))
        };
        self.commit(build).await.map(|_| ())
    }

    /// Deletes the stream, durably. `as_of` is the last group that may hold a batch of it.
    pub(crate) async fn delete_stream(&self, id: StreamId, as_of: GroupSeq) -> Result<(), StreamError> {
        self.commit(|image| {
            let known = image.streams.contains_key(&id) || as_of > image.wal_through;
            known.then_some(Record::DeleteStream { stream: id, as_of })
        })
        .await?;
        Ok(())
    }

    /// Commits the record that `build` makes of the newest state, or nothing if it makes none. Strictly one after the other.
    pub(crate) async fn commit(
        &self,
        build: impl FnOnce(&Image) -> Option<Record>,
    ) -> Result<Option<Record>, CommitError> {
        let spill = self.allocate().await?;
        let mut committer = self.shared.committer.lock().await;
        let media = self.shared.media();
        committer.decide(&media).await?;
        let Some(record) = self.with_image(build) else {
            return Ok(None);
        };
        committer.commit(&media, record.clone(), spill.id()).await?;
        if committer.snapshot_due() {
            // A name that no record used: the snapshot may need an object too.
            if let Some(ticket) = self.try_allocate() {
                committer.snapshot(&media, ticket.id()).await;
            }
        }
        Ok(Some(record))
    }

    /// Takes a snapshot now.
    #[cfg(test)]
    pub(crate) async fn snapshot_now(&self) {
        let ticket = self.allocate().await.expect("names are left");
        let mut committer = self.shared.committer.lock().await;
        committer.snapshot(&self.shared.media(), ticket.id()).await;
    }

    /// A name for a new object.
    pub(crate) async fn allocate(&self) -> Result<ObjectTicket, CommitError> {
        if let Some(ticket) = self.try_allocate() {
            return Ok(ticket);
        }
        self.take_incarnation().await?;
        self.try_allocate()
            .ok_or_else(|| CommitError::Storage("no object names are left".to_owned()))
    }

    fn try_allocate(&self) -> Option<ObjectTicket> {
        let mut names = self.shared.names.lock();
        let id = ObjectId::new(names.incarnation, names.counter + 1)?;
        names.counter += 1;
        names.in_flight.insert(id);
        Some(ObjectTicket {
            id,
            shared: self.shared.clone(),
        })
    }

    /// Objects from this name on were not made yet, as far as this log's metadata know.
    pub(crate) fn first_free(&self) -> ObjectId {
        let incarnation = self.shared.names.lock().incarnation;
        // Where names are exhausted there are no new objects either.
        ObjectId::new(incarnation, 0).unwrap_or(ObjectId(u64::MAX))
    }

    /// A look at the state under a short lock.
    pub(crate) fn with_image<T>(&self, look: impl FnOnce(&Image) -> T) -> T {
        look(&self.shared.image.read())
    }

    /// The stream's ranges from `from` on, at most `count_max`, with leases on their objects. `None`: no such stream.
    pub(crate) fn lease(&self, id: StreamId, from: Offset, count_max: usize) -> Option<Vec<LeasedRange>> {
        let image = self.shared.image.read();
        let stream = image.streams.get(&id)?;
        let at = stream.range_at(from);
        let ranges = stream.ranges[at..].iter().take(count_max);
        Some(ranges.map(|range| self.lease_range(&image, range)).collect())
    }

    /// Leases exactly these ranges, if they are all still in use.
    pub(crate) fn lease_exact(&self, id: StreamId, ranges: &[Range]) -> Option<Vec<LeasedRange>> {
        let image = self.shared.image.read();
        let stream = image.streams.get(&id)?;
        stream.check_replace(ranges, ranges).ok()?;
        Some(
            ranges
                .iter()
                .map(|range| self.lease_range(&image, range))
                .collect(),
        )
    }

    fn lease_range(&self, image: &Image, range: &Range) -> LeasedRange {
        // Under the image's lock: a range that is in the image has an object that is in use, so that the collector, which
        // takes dead objects only, sees either this lease or a dead object that nobody can lease any more.
        let object = image.objects.get(&range.object).map(|object| object.meta);
        if let Some(object) = &object {
            *self.shared.leases.lock().entry(object.id).or_default() += 1;
        }
        LeasedRange {
            range: *range,
            object,
            shared: self.shared.clone(),
        }
    }

    /// Dead objects that nobody reads.
    pub(crate) fn collectable(&self) -> Vec<ObjectId> {
        let image = self.shared.image.read();
        let leases = self.shared.leases.lock();
        image
            .dead
            .iter()
            .filter(|id| !leases.contains_key(id))
            .copied()
            .collect()
    }

    /// Which of the listed objects belong to nobody: not in the manifest, not spilled, and below every object in flight.
    /// Asked only of what was listed before: an object that appears later is not among them.
    pub(crate) async fn orphans(&self, listed: &[ObjectId]) -> Result<Vec<ObjectId>, CommitError> {
        let mut committer = self.shared.committer.lock().await;
        // With a commit undecided, its objects may be in use without being in the image (trap T6).
        committer.decide(&self.shared.media()).await?;
        let image = self.shared.image.read();
        let names = self.shared.names.lock();
        let next = ObjectId::new(names.incarnation, names.counter + 1).unwrap_or(ObjectId::NONE);
        let bound = names.in_flight.first().copied().unwrap_or(next);
        let used = |id: &ObjectId| {
            image.objects.contains_key(id)
                || image.dead.contains(id)
                || image.spills.iter().any(|(_, spilled)| spilled == id)
                || committer.snapshot_spills.contains(id)
        };
        Ok(listed
            .iter()
            .filter(|id| **id < bound && !used(id))
            .copied()
            .collect())
    }

    /// The store that holds the objects.
    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.shared.objects
    }
}

impl Shared {
    fn media(&self) -> Media<'_> {
        Media {
            store: &*self.store,
            objects: &*self.objects,
            image: &self.image,
        }
    }
}
