//! Making new ranges out of old ones: read block by block past the cache, every batch shown to a filter, what stays encoded
//! into one object, and a manifest record that covers exactly what it replaces.

use super::{House, HouseError};
use crate::batch::{BatchHeader, split};
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::handle::{LeasedRange, ObjectTicket};
use crate::manifest::image::Image;
use crate::manifest::record::{Range, Record, Rewrite, RewritePart};
use crate::objects::ObjectId;
use crate::objects::encode::ObjectEncoder;
use crate::objects::fetch::one_read;
use crate::objects::pools::IoClass;
use crate::objects::put::delete_quietly;
use crate::upload::build::{nonce, put_encoded, span};
use bytes::Bytes;

/// Consecutive ranges of one stream that become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stream: StreamId,
    /// Not empty.
    pub(crate) ranges: Vec<Range>,
    /// The level of what comes.
    pub(crate) level: u8,
}

impl Run {
    pub(crate) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.bytes).sum()
    }
}

/// What becomes of one batch.
pub(crate) enum Verdict {
    /// It stays as it is.
    Whole,
    /// This stays of it.
    Changed(Bytes),
    /// Nothing stays.
    Gone,
}

/// An object under construction with what it replaces.
pub(crate) struct Rewriter<'a> {
    house: &'a House,
    ticket: ObjectTicket,
    encoder: ObjectEncoder,
    parts: Vec<RewritePart>,
    /// Whether any batch was changed or dropped.
    pub(crate) changed: bool,
}

impl<'a> Rewriter<'a> {
    pub(crate) async fn new(house: &'a House) -> Result<Rewriter<'a>, HouseError> {
        let ticket = house.manifest.allocate().await?;
        let nonce = nonce(&ticket, house.clock.wall_ms());
        let encoder = ObjectEncoder::new(ticket.id(), nonce, house.limits.block_target_bytes);
        Ok(Rewriter {
            house,
            ticket,
            encoder,
            parts: Vec::new(),
            changed: false,
        })
    }

    /// Adds a run; streams ascend. Answers false, and adds nothing, when the run is no longer what the stream holds.
    pub(crate) async fn add(
        &mut self,
        run: &Run,
        mut judge: impl FnMut(&BatchHeader, &Bytes) -> Result<Verdict, ReadError> + Send,
    ) -> Result<bool, HouseError> {
        let Some(leased) = self.house.manifest.lease_exact(run.stream, &run.ranges) else {
            return Ok(false);
        };
        let first = run.ranges.first().expect("a run holds ranges");
        let last = run.ranges.last().expect("a run holds ranges");
        let mut added = Range {
            base: first.base,
            end: last.end,
            object: ObjectId::NONE,
            bytes: 0,
            max_timestamp: -1,
            written_ms: run.ranges.iter().map(|range| range.written_ms).max().unwrap_or(0),
            level: run.level,
        };
        for range in &leased {
            visit_batches(self.house, run.stream, range, |header, batch| {
                let (header, bytes) = match judge(&header, &batch)? {
                    Verdict::Whole => (header, batch),
                    Verdict::Gone => {
                        self.changed = true;
                        return Ok(());
                    }
                    Verdict::Changed(bytes) => {
                        self.changed = true;
                        (parse(&bytes)?, bytes)
                    }
                };
                added.object = self.ticket.id();
                added.bytes += bytes.len() as u64;
                let mut span = span(&header);
                if header.records_count == 0 {
                    // Kept for its producer only: its timestamp is no record's any more, and no search may land on it.
                    span.max_timestamp = -1;
                }
                added.max_timestamp = added.max_timestamp.max(span.max_timestamp);
                self.encoder.push(run.stream, span, bytes);
                Ok(())
            })
            .await?;
        }
        let part = RewritePart {
            stream: run.stream,
            removed: run.ranges.clone(),
            added: vec![added],
            compacted_through: Offset::ZERO,
        };
        self.parts.push(part);
        Ok(true)
    }

    /// Puts the object and commits. Streams that changed meanwhile are left out; answers how many were not.
    pub(crate) async fn finish(self, compacted_through: Offset) -> Result<usize, HouseError> {
        let Rewriter {
            house,
            ticket,
            encoder,
            mut parts,
            ..
        } = self;
        if parts.is_empty() {
            return Ok(0);
        }
        for part in &mut parts {
            part.compacted_through = compacted_through;
        }
        let id = ticket.id();
        let store = house.manifest.objects();
        let has_object = parts
            .iter()
            .flat_map(|part| &part.added)
            .any(|range| range.object == id);
        // The ticket lives until the commit is decided: no sweep takes the object in between.
        let (meta, _ticket) = if has_object {
            let _permit = house.fetcher.pools().enter(IoClass::Rewrite).await;
            let made = put_encoded(&**store, ticket, encoder.finish(), Vec::new()).await?;
            (Some(made.meta), made.ticket)
        } else {
            (None, ticket)
        };
        let build = |image: &Image| {
            let fits = |part: &RewritePart| {
                let stream = image.streams.get(&part.stream);
                stream.is_some_and(|stream| stream.check_replace(&part.removed, &part.added).is_ok())
            };
            parts.retain(fits);
            let used = parts
                .iter()
                .flat_map(|part| &part.added)
                .any(|range| range.object == id);
            let objects = meta.into_iter().filter(|_| used).collect();
            (!parts.is_empty()).then_some(Record::Rewrite(Rewrite { objects, parts }))
        };
        let committed = house.manifest.commit(build).await;
        let (count, used) = match &committed {
            Ok(Some(Record::Rewrite(rewrite))) => (rewrite.parts.len(), !rewrite.objects.is_empty()),
            _ => (0, false),
        };
        if has_object && !used {
            // Refused, or not done for certain: no record names it.
            delete_quietly(&**store, &id.key()).await;
        }
        committed?;
        Ok(count)
    }
}

/// Shows every batch of the range that is not wholly below the stream's start, in order.
pub(crate) async fn visit_batches(
    house: &House,
    stream: StreamId,
    leased: &LeasedRange,
    mut visit: impl FnMut(BatchHeader, Bytes) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let Some(object) = &leased.object else {
        return Ok(());
    };
    let start = house
        .manifest
        .with_image(|image| image.streams.get(&stream).map_or(Offset::ZERO, |s| s.start));
    let index = {
        // Entered first: it may wait long for its place, and must not hold the claim on the index meanwhile that a reader
        // waits for.
        let _permit = house.fetcher.pools().enter(IoClass::Rewrite).await;
        house.fetcher.index(object, None).await?
    };
    let from = start.max(leased.range.base);
    let mut rest = &index.blocks[index.blocks_in(stream, from, leased.range.end)];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(one_read(rest));
        rest = later;
        let blocks = {
            let _permit = house.fetcher.pools().enter(IoClass::Rewrite).await;
            house.fetcher.load_blocks(object, index.covers, now).await?
        };
        for block in blocks {
            for batch in split(block) {
                let (header, batch) =
                    batch.map_err(|error| ReadError::Corrupt(format!("a stored batch: {error:?}")))?;
                if header.last_offset() >= start {
                    visit(header, batch)?;
                }
            }
            // Decompression of a block takes a while; others run in between.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<BatchHeader, ReadError> {
    BatchHeader::parse(bytes).map_err(|error| ReadError::Corrupt(format!("a rewritten batch: {error:?}")))
}
