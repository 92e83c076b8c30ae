//! Tests of the manifest: bytes, refusals, the committer under lost answers, restart. Here: what they share.

mod commit;
mod format;
mod rules;

use super::commit::CommitError;
use super::image::Image;
use super::memory::{AppendFault, MemoryManifest};
use super::ranges::{Refusal, StreamImage};
use super::record::{
    ObjectMeta, ProducerBatch, ProducerSnapshot, Range, Record, Rewrite, RewritePart, Spill, TrimTo, Upload,
    UploadPart,
};
use super::snapshot_format::Snapshot;
use super::store::{ManifestSeq, ManifestStore};
use super::{ManifestHandle, record_format};
use crate::error::{Fate, OpenError, StreamError};
use crate::ids::{AbortedTransaction, Epoch, GroupSeq, Offset, StreamId};
use crate::objects::ObjectId;
use crate::objects::memory::MemoryObjects;
use crate::test_world::{golden, read_golden};
use proptest::prelude::*;
use std::sync::Arc;

const STREAM: StreamId = StreamId(3);

fn range(object: u64, base: u64, end: u64) -> Range {
    Range {
        base: Offset(base),
        end: Offset(end),
        object: ObjectId(object),
        bytes: 100,
        max_timestamp: 77,
        written_ms: 99,
        level: 1,
    }
}

fn object(id: u64) -> ObjectMeta {
    ObjectMeta {
        id: ObjectId(id),
        len: 1000,
        footer_len: 136,
        checksum: Some(0x5eed_0000_0000_0000 + id),
    }
}

fn upload(wal_through: u64, ranges: &[Range]) -> Upload {
    let mut ids: Vec<u64> = ranges.iter().map(|range| range.object.0).collect();
    ids.dedup();
    Upload {
        wal_through: GroupSeq(wal_through),
        objects: ids.into_iter().map(object).collect(),
        parts: vec![UploadPart {
            stream: STREAM,
            ranges: ranges.to_vec(),
            epochs: vec![(Epoch(1), Offset(0)), (Epoch(4), Offset(5))],
            producers: vec![ProducerSnapshot {
                producer_id: 12,
                producer_epoch: 2,
                last_timestamp: 1234,
                coordinator_epoch: -1,
                transaction_start: Some(Offset(9)),
                batches: vec![ProducerBatch {
                    first_sequence: 0,
                    last_sequence: 4,
                    base: Offset(5),
                    last: Offset(9),
                }],
            }],
            aborted: Vec::new(),
        }],
    }
}

fn rewrite(removed: &[Range], added: &[Range]) -> Rewrite {
    let mut ids: Vec<u64> = added
        .iter()
        .map(|range| range.object.0)
        .filter(|id| *id != 0)
        .collect();
    ids.dedup();
    Rewrite {
        objects: ids.into_iter().map(object).collect(),
        parts: vec![RewritePart {
            stream: STREAM,
            removed: removed.to_vec(),
            added: added.to_vec(),
            compacted_through: Offset(0),
        }],
    }
}

fn every_kind() -> Vec<(&'static str, Record)> {
    vec![
        ("opened", Record::Opened),
        (
            "upload",
            Record::Upload(upload(8, &[range(20, 0, 5), range(21, 5, 10)])),
        ),
        (
            "rewrite",
            Record::Rewrite(rewrite(&[range(20, 0, 5), range(21, 5, 10)], &[range(30, 0, 10)])),
        ),
        (
            "trim",
            Record::Trim(vec![TrimTo {
                stream: STREAM,
                start: Offset(6),
            }]),
        ),
        (
            "delete",
            Record::DeleteStream {
                stream: STREAM,
                as_of: GroupSeq(9),
            },
        ),
        ("collected", Record::Collected(vec![ObjectId(20), ObjectId(21)])),
        (
            "spilled",
            Record::Spilled(Spill {
                object: ObjectId(40),
                len: 1 << 21,
                checksum: 5,
            }),
        ),
    ]
}

fn sample_image() -> Image {
    let mut image = Image::default();
    for (name, record) in every_kind() {
        if ["opened", "upload", "rewrite", "trim"].contains(&name) {
            image.apply(&record).expect(name);
            image.check().expect("every invariant");
        }
    }
    let gone = Record::DeleteStream {
        stream: StreamId(9),
        as_of: GroupSeq(50),
    };
    image.apply(&gone).expect("a delete");
    image
}
