//! A reader of committed records, with its own eyes: it leaves out what the fetch names as aborted, as Kafka's consumers do, and has every
//! record judged the moment it is shown.

use super::{Desk, PARTITIONS};
use millstream_broker::{FetchBudget, FetchRead, FetchSlice, Isolation, Offset};
use millstream_log::batch::{ControlKind, ControlRecord, StoredBatch, split};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The most that one fetch gives: a few batches, so that transactions lie across fetches.
const FETCH_BYTES: usize = 400;

#[derive(Default)]
struct Progress {
    next: u64,
    /// By attempt: records shown.
    shown: BTreeMap<u64, u32>,
}

/// See the module.
#[derive(Default)]
pub struct Reader {
    partitions: BTreeMap<u32, Progress>,
}

impl Reader {
    /// Reads all partitions until the broker's life ends.
    pub async fn work(&mut self, desk: &Desk) {
        loop {
            for partition in 0..PARTITIONS {
                self.read(desk, partition, Duration::from_millis(50)).await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reads a partition to its end, and waits for transactions that are still being ended.
    pub async fn read_to_end(&mut self, desk: &Desk, partition: u32) {
        let end = |desk: &Desk| {
            desk.topic
                .stream(partition)
                .map_or(0, |stream| stream.bounds().end.0)
        };
        while self.partitions.entry(partition).or_default().next < end(desk) {
            self.read(desk, partition, Duration::from_secs(1)).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// By attempt: records shown.
    pub fn shown(&self, partition: u32) -> BTreeMap<u64, u32> {
        let progress = self.partitions.get(&partition);
        progress.map_or_else(BTreeMap::new, |progress| progress.shown.clone())
    }

    async fn read(&mut self, desk: &Desk, partition: u32, wait_max: Duration) {
        let progress = self.partitions.entry(partition).or_default();
        let read = FetchRead {
            topic: desk.topic.clone(),
            partition,
            from: Offset(progress.next),
            bytes_max: FETCH_BYTES,
            epoch: None,
            last_fetched_epoch: None,
        };
        let budget = FetchBudget {
            bytes_max: FETCH_BYTES,
            bytes_min: 1,
            wait_max,
            isolation: Isolation::ReadCommitted,
        };
        let never = std::future::pending();
        let results = desk.ctx.broker.fetch(&[read], budget, never).await;
        let slice = match results.into_iter().next() {
            Some(Ok(slice)) => slice,
            Some(Err(error)) if desk.ctx.world.is_calm() => {
                return desk
                    .ctx
                    .world
                    .violate(format!("nothing fails, and a read does: {error}"));
            }
            // A failed read shows nothing; the next one does.
            _ => return,
        };
        progress.take(&slice);
        let judged = desk.history.lock().judge_shown(partition, &progress.shown);
        if let Err(what) = judged {
            desk.ctx.world.violate(what);
        }
    }
}

impl Progress {
    fn take(&mut self, slice: &FetchSlice) {
        let mut aborted = slice.aborted.clone();
        aborted.sort_by_key(|one| one.first);
        let mut aborted = aborted.into_iter().peekable();
        let mut hidden = BTreeSet::new();
        for one in slice.chunks.iter().cloned().flat_map(split) {
            let (header, bytes) = one.expect("the broker gives whole batches");
            while let Some(next) = aborted.next_if(|next| next.first <= header.last_offset()) {
                hidden.insert(next.producer_id);
            }
            if let Some(marker) = ControlRecord::of_batch(&header, &bytes) {
                if marker.kind == ControlKind::Abort {
                    hidden.remove(&header.producer_id);
                }
            } else if !hidden.contains(&header.producer_id) {
                self.show(bytes);
            }
            self.next = header.next_offset().0;
        }
    }

    fn show(&mut self, batch: bytes::Bytes) {
        let stored = StoredBatch::verify(batch).expect("the broker gives valid batches");
        let records = stored.records(FETCH_BYTES * 4).expect("batches are small");
        for record in records.iter().map(|record| record.expect("whole records")) {
            if record.offset.0 < self.next {
                continue;
            }
            let attempt = record.value.and_then(<[u8]>::first_chunk::<8>);
            let attempt = attempt.map_or(0, |bytes| u64::from_be_bytes(*bytes));
            *self.shown.entry(attempt).or_default() += 1;
        }
    }
}
