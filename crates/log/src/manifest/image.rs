//! The manifest's state machine: `apply(record)` checks everything first and then changes everything, or nothing.
//!
//! Pure: no IO, no clock. Replay of the records and live commits run the same code.

use super::ranges::{Refusal, StreamImage};
use super::record::{ObjectMeta, Range, Record, Rewrite, Spill, TrimTo, Upload};
use super::store::ManifestSeq;
use crate::ids::{GroupSeq, StreamId};
use crate::objects::ObjectId;
use std::collections::{BTreeMap, BTreeSet};

/// All that is committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Image {
    /// The last record applied.
    pub(crate) seq: ManifestSeq,
    /// Position of the last `Opened`.
    pub(crate) incarnation: u64,
    /// Groups of the write-ahead log that need no replay.
    pub(crate) wal_through: GroupSeq,
    pub(crate) streams: BTreeMap<StreamId, StreamImage>,
    /// Deleted streams of which the write-ahead log may still hold batches.
    pub(crate) deleted: BTreeMap<StreamId, GroupSeq>,
    /// Objects in use.
    pub(crate) objects: BTreeMap<ObjectId, ObjectUse>,
    /// Objects that nothing refers to any more and that are not known to be deleted.
    pub(crate) dead: BTreeSet<ObjectId>,
    /// Objects that hold spilled records since the last snapshot.
    pub(crate) spills: Vec<(ManifestSeq, ObjectId)>,
}

/// An object in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectUse {
    pub(crate) meta: ObjectMeta,
    /// Ranges that refer to it; never zero.
    pub(crate) ranges: u32,
    /// Bytes of those ranges.
    pub(crate) bytes: u64,
}

impl Image {
    /// Applies the record at the next position, or refuses it and changes nothing.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), Refusal> {
        self.check_record(record)?;
        self.seq = ManifestSeq(self.seq.0 + 1);
        self.apply_checked(record);
        Ok(())
    }

    /// The record at `seq` is kept in an object: that object lives until a snapshot covers it.
    pub(crate) fn note_spill(&mut self, seq: ManifestSeq, spill: &Spill) {
        self.spills.push((seq, spill.object));
    }

    /// Every check that a record has to pass; the committer asks before it appends.
    pub(crate) fn check_record(&self, record: &Record) -> Result<(), Refusal> {
        match record {
            Record::Opened | Record::DeleteStream { .. } => Ok(()),
            Record::Upload(upload) => self.check_upload(upload),
            Record::Rewrite(rewrite) => self.check_rewrite(rewrite),
            Record::Trim(trims) => self.check_trims(trims),
            Record::Collected(ids) => {
                let known = ids.iter().all(|id| self.dead.contains(id));
                if known {
                    Ok(())
                } else {
                    Err(Refusal::UnknownObject)
                }
            }
            // The loader and the committer put the spilled record itself in its place.
            Record::Spilled(_) => Err(Refusal::UnknownObject),
        }
    }

    fn check_upload(&self, upload: &Upload) -> Result<(), Refusal> {
        if upload.wal_through < self.wal_through {
            return Err(Refusal::WalBackwards);
        }
        check_order(upload.parts.iter().map(|part| part.stream))?;
        let fresh = StreamImage::default();
        for part in &upload.parts {
            if self.deleted.contains_key(&part.stream) {
                return Err(Refusal::StreamGone);
            }
            let stream = self.streams.get(&part.stream).unwrap_or(&fresh);
            stream.check_append(&part.ranges)?;
        }
        self.check_objects(&upload.objects, upload.parts.iter().flat_map(|part| &part.ranges))
    }

    fn check_rewrite(&self, rewrite: &Rewrite) -> Result<(), Refusal> {
        check_order(rewrite.parts.iter().map(|part| part.stream))?;
        for part in &rewrite.parts {
            let stream = self.streams.get(&part.stream).ok_or(Refusal::StreamGone)?;
            if !part.only_notes() {
                stream.check_replace(&part.removed, &part.added)?;
            }
            if part.compacted_through > stream.end {
                return Err(Refusal::InsaneRange);
            }
        }
        self.check_objects(
            &rewrite.objects,
            rewrite.parts.iter().flat_map(|part| &part.added),
        )
    }

    fn check_trims(&self, trims: &[TrimTo]) -> Result<(), Refusal> {
        check_order(trims.iter().map(|trim| trim.stream))?;
        let gone = trims.iter().any(|trim| self.deleted.contains_key(&trim.stream));
        if gone { Err(Refusal::StreamGone) } else { Ok(()) }
    }

    /// Every object is new and used, every range lies in one of them and fits it.
    fn check_objects<'a>(
        &self,
        objects: &[ObjectMeta],
        ranges: impl Iterator<Item = &'a Range>,
    ) -> Result<(), Refusal> {
        let mut room = BTreeMap::new();
        for object in objects {
            let taken = self.objects.contains_key(&object.id) || self.dead.contains(&object.id);
            if taken || object.id == ObjectId::NONE || room.insert(object.id, (object.len, false)).is_some() {
                return Err(Refusal::DuplicateObject);
            }
        }
        for range in ranges.filter(|range| range.object != ObjectId::NONE) {
            let (left, used) = room.get_mut(&range.object).ok_or(Refusal::UnknownObject)?;
            *left = left.checked_sub(range.bytes).ok_or(Refusal::InsaneRange)?;
            *used = true;
        }
        let all_used = room.values().all(|(_, used)| *used);
        if all_used {
            Ok(())
        } else {
            Err(Refusal::UnknownObject)
        }
    }

    fn apply_checked(&mut self, record: &Record) {
        match record {
            Record::Opened => self.incarnation = self.seq.0,
            Record::Upload(upload) => self.apply_upload(upload),
            Record::Rewrite(rewrite) => self.apply_rewrite(rewrite),
            Record::Trim(trims) => self.apply_trims(trims),
            Record::DeleteStream { stream, as_of } => self.apply_delete(*stream, *as_of),
            Record::Collected(ids) => ids.iter().for_each(|id| {
                self.dead.remove(id);
            }),
            Record::Spilled(_) => unreachable!("check_record refuses it"),
        }
    }

    fn apply_upload(&mut self, upload: &Upload) {
        self.add_objects(&upload.objects);
        // All before the first is released: a part that was trimmed in the meantime would otherwise take an object with it that
        // it shares with a later part.
        for part in &upload.parts {
            self.refer(&part.ranges);
        }
        for part in &upload.parts {
            let stream = self.streams.entry(part.stream).or_default();
            stream.epochs.clone_from(&part.epochs);
            stream.producers = part.producers.clone().into();
            part.aborted
                .iter()
                .for_each(|aborted| stream.aborted.push(*aborted));
            let dropped = stream.append(&part.ranges);
            self.release(&dropped);
        }
        self.wal_through = upload.wal_through;
        self.deleted.retain(|_, as_of| *as_of > upload.wal_through);
    }

    fn apply_rewrite(&mut self, rewrite: &Rewrite) {
        self.add_objects(&rewrite.objects);
        for part in &rewrite.parts {
            self.refer(&part.added);
            let stream = self.streams.get_mut(&part.stream).expect("checked");
            if !part.only_notes() {
                let at = stream.check_replace(&part.removed, &part.added).expect("checked");
                stream.replace(at, part.removed.len(), &part.added);
            }
            if part.compacted_through > stream.compacted_through {
                stream.compacted_through = part.compacted_through;
                // Compaction left no aborted record below it, so nobody need be told of their transactions.
                stream.aborted.trim(part.compacted_through);
            }
            self.release(&part.removed);
        }
    }

    fn apply_trims(&mut self, trims: &[TrimTo]) {
        for trim in trims {
            let stream = self.streams.entry(trim.stream).or_default();
            let dropped = stream.trim(trim.start);
            self.release(&dropped);
        }
    }

    fn apply_delete(&mut self, stream: StreamId, as_of: GroupSeq) {
        if let Some(image) = self.streams.remove(&stream) {
            self.release(&image.ranges);
        }
        if as_of > self.wal_through {
            self.deleted.insert(stream, as_of);
        }
    }

    fn add_objects(&mut self, objects: &[ObjectMeta]) {
        for meta in objects {
            let added = ObjectUse {
                meta: *meta,
                ranges: 0,
                bytes: 0,
            };
            self.objects.insert(meta.id, added);
        }
    }

    fn refer(&mut self, ranges: &[Range]) {
        for range in ranges.iter().filter(|range| range.object != ObjectId::NONE) {
            let object = self.objects.get_mut(&range.object).expect("checked");
            object.ranges += 1;
            object.bytes += range.bytes;
        }
    }

    fn release(&mut self, ranges: &[Range]) {
        for range in ranges.iter().filter(|range| range.object != ObjectId::NONE) {
            let object = self
                .objects
                .get_mut(&range.object)
                .expect("every range's object is in use");
            object.ranges -= 1;
            object.bytes -= range.bytes;
            if object.ranges == 0 {
                self.objects.remove(&range.object);
                self.dead.insert(range.object);
            }
        }
    }
}

/// Streams ascend, so that no stream occurs twice in a record: the checks look at the state before the record.
fn check_order(streams: impl Iterator<Item = StreamId>) -> Result<(), Refusal> {
    if streams.is_sorted_by(|a, b| a < b) {
        Ok(())
    } else {
        Err(Refusal::InsaneRange)
    }
}
