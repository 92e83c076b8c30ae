//! Named invariants of the manifest's state: called by tests and the simulator after every event.

use super::image::Image;
use super::ranges::StreamImage;
use crate::ids::StreamId;
use crate::objects::ObjectId;
use std::collections::BTreeMap;

impl Image {
    /// Runs every named invariant; the error names the one that is broken.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (id, stream) in &self.streams {
            ranges_are_contiguous_and_end_at_the_committed_end(*id, stream)?;
            no_range_lies_below_the_start(*id, stream)?;
        }
        objects_are_counted_exactly(self)?;
        nothing_dead_is_referenced(self)?;
        deleted_streams_hold_nothing(self)
    }
}

/// Invariant 4, the shape of it.
fn ranges_are_contiguous_and_end_at_the_committed_end(
    id: StreamId,
    stream: &StreamImage,
) -> Result<(), String> {
    let contiguous = stream.ranges.windows(2).all(|pair| pair[0].end == pair[1].base);
    let bytes: u128 = stream.ranges.iter().map(|range| u128::from(range.bytes)).sum();
    if bytes != u128::from(stream.bytes()) {
        return Err(format!("{id}: bytes are miscounted"));
    }
    let sane = stream.ranges.iter().all(|range| range.base < range.end);
    let ends = stream.ranges.last().is_none_or(|range| range.end == stream.end);
    if contiguous && sane && ends {
        Ok(())
    } else {
        Err(format!("{id}: ranges are not contiguous up to the committed end"))
    }
}

fn no_range_lies_below_the_start(id: StreamId, stream: &StreamImage) -> Result<(), String> {
    if stream.ranges.first().is_none_or(|range| range.end > stream.start) {
        Ok(())
    } else {
        Err(format!("{id}: a range lies wholly below the start"))
    }
}

fn objects_are_counted_exactly(image: &Image) -> Result<(), String> {
    let mut counted: BTreeMap<ObjectId, (u32, u64)> = BTreeMap::new();
    for range in image.streams.values().flat_map(|stream| &stream.ranges) {
        if range.object != ObjectId::NONE {
            let count = counted.entry(range.object).or_default();
            count.0 += 1;
            count.1 += range.bytes;
        }
    }
    let stated: BTreeMap<ObjectId, (u32, u64)> = image
        .objects
        .iter()
        .map(|(id, object)| (*id, (object.ranges, object.bytes)))
        .collect();
    if counted == stated {
        Ok(())
    } else {
        Err("references to objects are miscounted".to_owned())
    }
}

/// Invariant 5, the manifest's half: what the collector takes is in no range.
fn nothing_dead_is_referenced(image: &Image) -> Result<(), String> {
    match image.dead.iter().find(|id| image.objects.contains_key(id)) {
        Some(id) => Err(format!("{id} is dead and in use")),
        None => Ok(()),
    }
}

fn deleted_streams_hold_nothing(image: &Image) -> Result<(), String> {
    match image.deleted.keys().find(|id| image.streams.contains_key(id)) {
        Some(id) => Err(format!("{id} is deleted and holds ranges")),
        None => Ok(()),
    }
}
