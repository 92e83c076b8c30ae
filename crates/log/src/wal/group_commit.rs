//! The loop of the write-ahead log: gathers what is queued into a group, makes it durable, publishes, answers.
//!
//! Owns: the order of those four. Nothing lingers: the flush in flight is the window in which the next group gathers.
//!
//! **Invariant**: a group's watermarks move only after it is durable, and its appends are answered only after they have moved
//! (traps T1, T2). What failed is rolled back before it is answered.
//!
//! On the append path: between hop 1 and hop 2.

use super::queue::{Ack, QueuedBatch, WalQueue};
use super::seal::{Sealed, seal};
use super::{Block, Group, WalError, WalMedium};
use crate::backlog::{Backlog, GroupTime};
use crate::buffers::Buffers;
use crate::clock::{Clock, TimestampMs};
use crate::counters::Counters;
use crate::error::{AppendError, Fate};
use crate::ids::GroupSeq;
use crate::objects::pools::IoPools;
use crate::stream::Appended;
use crate::tail::TailCache;
use crate::upload::uploader::Uploader;
use crate::wake::WakeCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Largest target of a group: one more batch of 2^31 bytes still leaves positions within 32 bits.
pub(crate) const GROUP_BYTES_MAX: usize = 1 << 30;

/// What the loop works on.
pub(crate) struct GroupCommit {
    pub(crate) medium: Arc<dyn WalMedium>,
    pub(crate) queue: Arc<WalQueue>,
    pub(crate) tail: Arc<TailCache>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Target size of a group.
    pub(crate) group_bytes_max: usize,
    pub(crate) uploader: Uploader,
    /// Who else uses the disk.
    pub(crate) pools: Arc<IoPools>,
    /// Un-uploaded bytes at which an upload starts.
    pub(crate) upload_bytes: u64,
    /// The last durable group.
    pub(crate) durable: GroupSeq,
    /// Where blocks get their memory, and where what the tail cache lets go of goes.
    pub(crate) buffers: Buffers,
}

/// Whom to tell when a group is decided. Kept between groups, so that its vectors are allocated once.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Retries of batches of this group, with what they are told.
    pub(crate) duplicates: Vec<(Ack, Result<Appended, AppendError>)>,
    /// Readers that wait for a stream of this group.
    pub(crate) readers: Vec<Arc<WakeCell>>,
}

impl Outbox {
    /// Tells all of them, in one go.
    pub(crate) fn send(&mut self) {
        for (ack, answer) in self.duplicates.drain(..) {
            // A client that hung up does not want it.
            let _ = ack.send(answer);
        }
        for reader in self.readers.drain(..) {
            reader.wake();
        }
    }
}

impl Drop for GroupCommit {
    /// At its end nothing is queued. After a panic, or when the runtime goes away, there is.
    fn drop(&mut self) {
        self.backlog.close();
        self.queue.abandon();
    }
}

impl GroupCommit {
    /// Runs until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        let mut batches = Vec::new();
        let mut outbox = Outbox::default();
        while self.queue.next_group(self.group_bytes_max, &mut batches).await {
            self.drop_void(&mut batches);
            if batches.is_empty() {
                continue;
            }
            // A stream's batches together, offsets ascending: what readers and the object medium want. Mostly sorted already.
            batches.sort_unstable_by_key(|batch| (batch.partition.id(), batch.header.base_offset));
            let Sealed { runs, block, pinned } = seal(&mut batches, &self.buffers);
            let (seq, wall_ms) = (GroupSeq(self.durable.0 + 1), self.clock.wall_ms());
            self.pools.pace().appends(block.len());
            let flush = self.pools.courtesy().flush(block.len());
            let group = Group {
                seq,
                wall_ms,
                runs,
                block: block.clone(),
            };
            let appended = self.medium.append(group).await;
            self.pools.courtesy().flushed(&flush, appended.is_ok());
            match appended {
                Ok(stored) => {
                    self.durable = seq;
                    // The block before the watermarks: who sees an offset finds its bytes.
                    let evicted = self.tail.insert(seq, block, pinned);
                    self.publish(seq, wall_ms, stored, &batches, &mut outbox);
                    self.answer(&mut batches, &mut outbox);
                    let extents = evicted.into_iter().flat_map(Block::into_extents);
                    extents.for_each(|bytes| self.buffers.give(bytes));
                }
                Err(error) => {
                    let error = self.void(seq, error).await;
                    self.fail(&error, &mut batches, &mut outbox);
                }
            }
        }
    }

    /// A group that failed half way may be found whole by recovery, unless another one of its number is durable. So an empty
    /// one is written at once: then the batches are certainly not done, and a client's retry cannot make a second copy.
    async fn void(&mut self, seq: GroupSeq, error: WalError) -> WalError {
        let WalError::Failed {
            fate: Fate::Unknown,
            what,
        } = error
        else {
            return error;
        };
        let empty = Group {
            seq,
            wall_ms: self.clock.wall_ms(),
            runs: Vec::new(),
            block: Block::default(),
        };
        let wall_ms = empty.wall_ms;
        let fate = match self.medium.append(empty).await {
            Ok(stored) => {
                self.durable = seq;
                drop(self.tail.insert(seq, Block::default(), 0));
                self.backlog.durable(seq, 0, 0, stored, self.time(wall_ms));
                Fate::NotDone
            }
            Err(_) => Fate::Unknown,
        };
        WalError::Failed { fate, what }
    }

    /// Answers batches whose offsets were taken back after an earlier group failed, or whose stream was deleted.
    fn drop_void(&self, batches: &mut Vec<QueuedBatch>) {
        // Only this loop rolls back, so what is valid here stays valid until the group is decided. A deletion counts from the
        // next group on: `Core::delete_stream` relies on the group in flight being the last that may hold the stream.
        let is_void = |batch: &mut QueuedBatch| {
            batch.rollbacks != batch.partition.rollbacks() || batch.partition.is_deleted()
        };
        for batch in batches.extract_if(.., is_void) {
            self.give_back(&batch);
            let error = if batch.partition.is_deleted() {
                AppendError::StreamGone
            } else {
                AppendError::Storage {
                    fate: Fate::NotDone,
                    what: "an earlier group of the write-ahead log failed".into(),
                }
            };
            let _ = batch.ack.send(Err(error));
        }
    }

    /// Moves the watermarks: one lock a stream.
    fn publish(
        &self,
        seq: GroupSeq,
        wall_ms: i64,
        stored: u64,
        batches: &[QueuedBatch],
        outbox: &mut Outbox,
    ) {
        for run in batches.chunk_by(|a, b| a.partition.id() == b.partition.id()) {
            run[0].partition.publish(seq, wall_ms, run, outbox);
        }
        let reserved = batches.iter().map(|batch| u64::from(batch.len())).sum();
        let waiting = self
            .backlog
            .durable(seq, batches.len(), reserved, stored, self.time(wall_ms));
        if waiting >= self.upload_bytes || self.backlog.is_pressed() {
            self.uploader.poke();
        }
        self.counters.groups.fetch_add(1, Ordering::Relaxed);
        self.counters.wal_bytes.fetch_add(stored, Ordering::Relaxed);
        self.counters
            .batches
            .fetch_add(batches.len() as u64, Ordering::Relaxed);
        self.counters.batch_bytes.fetch_add(reserved, Ordering::Relaxed);
    }

    fn time(&self, wall_ms: TimestampMs) -> GroupTime {
        GroupTime {
            at: self.clock.monotonic(),
            wall_ms,
        }
    }

    /// Answers everyone, in one go.
    fn answer(&self, batches: &mut Vec<QueuedBatch>, outbox: &mut Outbox) {
        let charge = batches.iter().map(|batch| batch.charge as usize).sum();
        self.queue.release(charge);
        for batch in batches.drain(..) {
            let appended = Appended {
                base: batch.header.base_offset,
                last: batch.header.last_offset(),
                duplicate: false,
            };
            let answer = if batch.partition.is_deleted() {
                Err(AppendError::StreamGone)
            } else {
                Ok(appended)
            };
            let _ = batch.ack.send(answer);
        }
        outbox.send();
    }

    /// Takes the group's offsets back, then says so.
    fn fail(&self, error: &WalError, batches: &mut Vec<QueuedBatch>, outbox: &mut Outbox) {
        let error = match error {
            WalError::Full => AppendError::StorageFull,
            WalError::Failed { fate, what } => AppendError::Storage {
                fate: *fate,
                what: what.clone(),
            },
        };
        for run in batches.chunk_by(|a, b| a.partition.id() == b.partition.id()) {
            run[0].partition.roll_back(&error, outbox);
        }
        for batch in batches.drain(..) {
            self.give_back(&batch);
            let _ = batch.ack.send(Err(error.clone()));
        }
        outbox.send();
    }

    fn give_back(&self, batch: &QueuedBatch) {
        self.queue.release(batch.charge as usize);
        self.backlog.refused(u64::from(batch.len()));
    }
}
