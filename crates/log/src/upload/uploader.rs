//! The upload loop: one cut after the other, triggered by bytes, by age or on demand, retried for ever.
//!
//! What a failed attempt has put is deleted before the next one: on a full disk it would hold the room that a smaller one needs.

use super::build::{MadeObject, MakeError, Slice, make_object, plan};
use super::portion::Portion;
use super::source::{Oldest, TailPart, TailSource};
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config::LogConfig;
use crate::error::{Fate, ReadError, StreamError};
use crate::ids::{GroupSeq, Offset, StreamId};
use crate::manifest::ManifestHandle;
use crate::manifest::commit::CommitError;
use crate::manifest::image::Image;
use crate::manifest::record::{Range, Record, Upload, UploadPart};
use crate::objects::pools::{IoPools, UPLOADS_MAX};
use crate::objects::put::delete_quietly;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// How often bytes and age are looked at. (The write-ahead log also pokes when the bytes pass the bound.)
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// While uploads are pressed, one starts at this part of the bytes at which it would otherwise.
const PRESSED_SHARE: u64 = 4;
/// `upload_now` calls that may wait.
const REQUESTS_MAX: usize = 64;

/// Handle of the loop. A cheap clone.
#[derive(Clone)]
pub(crate) struct Uploader {
    shared: Arc<Shared>,
    requests: mpsc::Sender<oneshot::Sender<Result<(), StreamError>>>,
}

struct Shared {
    tail: Arc<dyn TailSource>,
    manifest: ManifestHandle,
    pools: Arc<IoPools>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    poke: Notify,
    closing: watch::Sender<bool>,
    task: parking_lot::Mutex<Option<tokio::task::JoinHandle<()>>>,
    put_bytes: AtomicU64,
}

/// What the uploader takes of the settings.
#[derive(Clone, Copy)]
struct Limits {
    upload_bytes: u64,
    upload_age: Duration,
    object_own_bytes: u64,
    block_target_bytes: usize,
}

/// Why one attempt at an upload failed. Every one is tried again, but for `Fenced`.
#[derive(Debug)]
enum UploadError {
    NoRoom,
    Tail(ReadError),
    Commit(CommitError),
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => write!(f, "the object store has no room"),
            Self::Tail(error) => write!(f, "{error}"),
            Self::Commit(error) => write!(f, "{error}"),
        }
    }
}

impl UploadError {
    /// Whether less of it may succeed at once. The list may be on the disk that the objects have filled.
    fn may_be_for_want_of_room(&self) -> bool {
        matches!(self, Self::NoRoom | Self::Commit(CommitError::Storage(_)))
    }
}

impl From<MakeError> for UploadError {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::NoRoom => Self::NoRoom,
            MakeError::Read(error) => Self::Tail(error),
        }
    }
}

impl Uploader {
    /// Starts the loop on the current runtime.
    pub(crate) fn start(
        tail: Arc<dyn TailSource>,
        manifest: ManifestHandle,
        pools: Arc<IoPools>,
        clock: Arc<dyn Clock>,
        config: &LogConfig,
    ) -> Uploader {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let shared = Arc::new(Shared {
            tail,
            manifest,
            pools,
            clock,
            limits: Limits {
                upload_bytes: config.upload_bytes,
                upload_age: config.upload_age,
                object_own_bytes: config.object_own_bytes,
                block_target_bytes: config.block_target_bytes,
            },
            poke: Notify::new(),
            closing: watch::Sender::new(false),
            task: parking_lot::Mutex::new(None),
            put_bytes: AtomicU64::new(0),
        });
        let task = tokio::spawn(run(shared.clone(), asked));
        *shared.task.lock() = Some(task);
        Uploader { shared, requests }
    }

    /// Says that the un-uploaded bytes have passed the setting `upload_bytes`, or press. Cheap; may be said too often.
    pub(crate) fn poke(&self) {
        self.shared.poke.notify_one();
    }

    /// Uploads everything that is durable now, and waits for it, however long the store is away.
    pub(crate) async fn upload_now(&self) -> Result<(), StreamError> {
        let closed = || StreamError::Storage {
            fate: Fate::NotDone,
            what: "the log is closing".to_owned(),
        };
        let (answer, answered) = oneshot::channel();
        self.requests.send(answer).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Bytes put into objects since the start.
    pub(crate) fn put_bytes(&self) -> u64 {
        self.shared.put_bytes.load(Ordering::Relaxed)
    }

    /// Tells the loop to stop, and does not wait for it.
    pub(crate) fn stop(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Stops the loop. An upload under way is given up; the write-ahead log still has its batches.
    pub(crate) async fn close(&self) {
        self.stop();
        let task = self.shared.task.lock().take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the upload loop failed");
        }
    }
}

async fn run(shared: Arc<Shared>, mut asked: mpsc::Receiver<oneshot::Sender<Result<(), StreamError>>>) {
    let mut closing = shared.closing.subscribe();
    let work = async {
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                biased;
                request = asked.recv() => match request {
                    Some(request) => waiting.push(request),
                    None => return,
                },
                () = shared.poke.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            while let Ok(request) = asked.try_recv() {
                waiting.push(request);
            }
            shared.note_pressure();
            if waiting.is_empty() && !shared.due() {
                continue;
            }
            let upload = shared.upload_through(shared.tail.durable_group());
            let result = shared.watched(upload).await;
            shared.note_pressure();
            if result.is_ok() {
                // Whoever poked meanwhile may have meant the next upload.
                shared.poke.notify_one();
            }
            for request in waiting {
                // The caller may have gone.
                let _ = request.send(result.clone());
            }
        }
    };
    tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => {}
        () = work => {}
    }
}

impl Shared {
    fn due(&self) -> bool {
        let waiting = self.tail.unuploaded();
        let age = waiting
            .oldest
            .map(|oldest| self.clock.monotonic().saturating_sub(oldest));
        let is_old = age.is_some_and(|age| age >= self.limits.upload_age);
        let enough = match waiting.is_pressed {
            true => self.limits.upload_bytes / PRESSED_SHARE,
            false => self.limits.upload_bytes,
        };
        is_old || waiting.bytes >= enough
    }

    fn note_pressure(&self) {
        let waiting = self.tail.unuploaded();
        self.pools.set_pressed(waiting.is_pressed);
        self.pools.pace().set_hurries(waiting.brakes_soon);
    }

    /// Uploads everything up to the group, however often it has to be tried.
    async fn upload_through(&self, through: GroupSeq) -> Result<(), StreamError> {
        let mut backoff = Backoff::new();
        let mut portion = Portion::default();
        while through > self.manifest.wal_through() {
            let oldest = self.tail.oldest(portion.bytes_max());
            // All that waits, not all that was asked for: what came since may be what does not fit.
            let is_all = portion.is_everything() || oldest.through >= self.tail.durable_group();
            let attempt = if is_all {
                self.attempt_whole(through).await
            } else {
                self.attempt_exactly(oldest.through).await
            };
            if attempt.is_err() {
                self.tail.upload_failed();
            }
            match attempt {
                Ok(()) => {
                    portion.grow(oldest);
                    backoff = Backoff::new();
                    continue;
                }
                Err(UploadError::Commit(CommitError::Fenced)) => {
                    tracing::error!("another writer owns the manifest: nothing is uploaded any more");
                    return Err(CommitError::Fenced.into());
                }
                Err(error) => {
                    let Oldest { groups, bytes, .. } = oldest;
                    tracing::warn!(%error, groups, bytes, "an upload failed, trying again; nothing is lost");
                    if error.may_be_for_want_of_room() && portion.shrink(oldest) {
                        continue;
                    }
                }
            }
            backoff.wait().await;
        }
        Ok(())
    }

    /// Everything that is durable now.
    async fn attempt_whole(&self, through: GroupSeq) -> Result<(), UploadError> {
        self.attempt(through, self.tail.cut(through)).await
    }

    /// What groups up to `through` hold, and no more.
    async fn attempt_exactly(&self, through: GroupSeq) -> Result<(), UploadError> {
        let parts = self.tail.cut_exactly(through).await;
        self.attempt(through, parts.map_err(UploadError::Tail)?).await
    }

    /// An upload may take as long as the store is away or full: just then the pressure rises.
    async fn watched<T>(&self, upload: impl Future<Output = T>) -> T {
        let mut upload = std::pin::pin!(upload);
        loop {
            tokio::select! {
                biased;
                result = &mut upload => return result,
                () = self.poke.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            self.note_pressure();
        }
    }

    async fn attempt(&self, through: GroupSeq, parts: Vec<TailPart>) -> Result<(), UploadError> {
        let made = self.make_objects(&parts).await?;
        let build = |image: &Image| Some(Record::Upload(upload_record(image, through, &parts, &made)));
        let committed = match self.manifest.commit(build).await {
            Ok(committed) => committed,
            Err(error) => {
                // Every error of a commit says that nothing was written.
                self.discard(&made).await;
                return Err(UploadError::Commit(error));
            }
        };
        let ends = |record: &Record| match record {
            Record::Upload(upload) => upload.parts.iter().filter_map(end_of).collect(),
            _ => Vec::new(),
        };
        let ends: Vec<(StreamId, Offset)> = committed.as_ref().map(ends).unwrap_or_default();
        self.tail.uploaded(through, &ends);
        let used: BTreeSet<_> = match &committed {
            Some(Record::Upload(upload)) => upload.objects.iter().map(|object| object.id).collect(),
            _ => BTreeSet::new(),
        };
        let unused: Vec<MadeObject> = made
            .into_iter()
            .filter(|object| !used.contains(&object.meta.id))
            .collect();
        self.discard(&unused).await;
        Ok(())
    }

    /// Makes all objects of the cut, several at once. If one fails, no further one is begun, and those that were are waited for and
    /// deleted: a put that is merely dropped may still come to its end, on a thread of its own, and would take its room unseen.
    async fn make_objects(&self, parts: &[TailPart]) -> Result<Vec<MadeObject>, UploadError> {
        let planned = plan(parts, self.limits.object_own_bytes);
        // Boxed: the compiler does not see that a future borrowed this way is `Send`.
        let has_failed = AtomicBool::new(false);
        let objects: Vec<BoxFuture<'_, _>> = planned
            .iter()
            .map(|slices| self.make_one(slices, &has_failed).boxed())
            .collect();
        let mut results = stream::iter(objects).buffered(UPLOADS_MAX);
        let mut made = Vec::with_capacity(planned.len());
        let mut failed = None;
        while let Some(result) = results.next().await {
            match result {
                Ok(object) => made.extend(object),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        drop(results);
        match failed {
            None => Ok(made),
            Some(error) => {
                self.discard(&made).await;
                Err(error)
            }
        }
    }

    /// `None` where another one has failed before this was begun.
    async fn make_one(
        &self,
        slices: &[Slice],
        has_failed: &AtomicBool,
    ) -> Result<Option<MadeObject>, UploadError> {
        let bytes = slices.iter().map(Slice::bytes).sum();
        let _permit = self.pools.enter_upload(bytes).await;
        if has_failed.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let made = self.put_one(slices).await;
        match made {
            Ok(made) => {
                self.put_bytes.fetch_add(made.meta.len, Ordering::Relaxed);
                self.tail.put(bytes);
                self.note_pressure();
                Ok(Some(made))
            }
            Err(error) => {
                has_failed.store(true, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    async fn put_one(&self, slices: &[Slice]) -> Result<MadeObject, UploadError> {
        let ticket = self.manifest.allocate().await.map_err(UploadError::Commit)?;
        let key = ticket.id().key();
        let now = self.clock.wall_ms();
        let store = self.manifest.objects();
        let block_bytes = self.limits.block_target_bytes;
        let made = make_object(&*self.tail, &**store, ticket, slices, block_bytes, now).await;
        if matches!(made, Err(MakeError::NoRoom)) {
            // A lost answer before that one may have been of a put that was carried out.
            delete_quietly(&**store, &key).await;
        }
        Ok(made?)
    }

    /// Deletes objects that certainly no record names.
    async fn discard(&self, objects: &[MadeObject]) {
        for object in objects {
            delete_quietly(&**self.manifest.objects(), &object.ticket.id().key()).await;
        }
    }
}

fn end_of(part: &UploadPart) -> Option<(StreamId, Offset)> {
    part.ranges.last().map(|range| (part.stream, range.end))
}

/// The record as it fits the newest state: streams that were deleted since the cut are left out, and with them the objects
/// that hold nothing else.
fn upload_record(image: &Image, through: GroupSeq, parts: &[TailPart], made: &[MadeObject]) -> Upload {
    let mut by_stream: BTreeMap<StreamId, Vec<Range>> = BTreeMap::new();
    for (stream, range) in made.iter().flat_map(|object| &object.ranges) {
        by_stream.entry(*stream).or_default().push(*range);
    }
    let mut upload = Upload {
        wal_through: through,
        ..Upload::default()
    };
    for part in parts
        .iter()
        .filter(|part| !image.deleted.contains_key(&part.stream))
    {
        let mut ranges = by_stream.remove(&part.stream).unwrap_or_default();
        ranges.sort_by_key(|range| range.base);
        upload.parts.push(UploadPart {
            stream: part.stream,
            ranges,
            epochs: part.epochs.clone(),
            producers: part.producers.clone(),
            aborted: part.aborted.clone(),
        });
    }
    let used: BTreeSet<_> = upload
        .parts
        .iter()
        .flat_map(|part| &part.ranges)
        .map(|range| range.object)
        .collect();
    let objects = made
        .iter()
        .map(|object| object.meta)
        .filter(|meta| used.contains(&meta.id));
    upload.objects = objects.collect();
    upload
}
