//! Tests of the object format, the adapters and cold reads.

mod cold;
mod gaps;

use super::encode::{BatchSpan, EncodedObject, ObjectEncoder};
use super::format::{
    BlockEntry, Covers, FOOTER_BYTES_MAX, HEADER_BYTES, ObjectIndex, decode_footer, decode_header,
};
use super::memory::{MemoryObjects, ObjectFault};
use super::put::{PutError, put_new};
use super::remote::RemoteStore;
use super::store::{ObjectError, ObjectStore, PutMode};
use super::{ObjectId, conformance};
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::le::FormatError;
use crate::stream::ReadLimit;
use crate::test_world::{World, batch, golden, read_golden, record, records_of};
use bytes::Bytes;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

const STREAM: StreamId = StreamId(5);

fn limit(bytes_max: usize) -> ReadLimit {
    ReadLimit {
        bytes_max,
        at_least_one: true,
        below: Offset(u64::MAX),
    }
}

fn sample() -> EncodedObject {
    let mut encoder = ObjectEncoder::new(ObjectId(0x1_4000_0001), 0x0123_4567_89ab_cdef, 200);
    for (stream, base) in [(3, 0), (3, 1), (3, 2), (9, 40)] {
        let stored = batch(
            Offset(base),
            &[record("key", "a value of some length", 1000 + base as i64)],
        );
        let span = BatchSpan {
            base: Offset(base),
            last: Offset(base),
            first_timestamp: 1000 + base as i64,
            max_timestamp: 1000 + base as i64,
        };
        encoder.push(StreamId(stream), span, stored.into_bytes());
    }
    encoder.finish()
}

fn whole(object: &EncodedObject) -> Vec<u8> {
    object.parts.concat()
}

fn decode(id: ObjectId, bytes: &[u8], footer_len: u32) -> Result<ObjectIndex, FormatError> {
    decode_footer(
        id,
        bytes.len() as u64,
        &bytes[bytes.len() - footer_len as usize..],
    )
}

#[test]
fn an_object_is_opened_by_one_tail_read() {
    let object = sample();
    let bytes = whole(&object);
    assert_eq!(bytes.len() as u64, object.len);
    let index = decode(object.id, &bytes, object.footer_len).expect("a whole footer");
    assert_eq!(index.blocks, object.blocks);
    assert_eq!(
        index.blocks.len(),
        3,
        "blocks end at their target and at the stream's end"
    );
    assert_eq!(decode_header(&bytes), Ok((object.id, object.nonce)));
    assert!(object.footer_len < FOOTER_BYTES_MAX);
    for block in &index.blocks {
        let at = block.position as usize;
        assert!(index.covers.holds(block, &bytes[at..at + block.len as usize]));
    }
}

#[test]
fn every_flipped_byte_of_a_block_is_noticed() {
    let object = sample();
    let bytes = whole(&object);
    for block in &object.blocks {
        let at = block.position as usize;
        let mut damaged = bytes[at..at + block.len as usize].to_vec();
        for at in 0..damaged.len() {
            damaged[at] ^= 0x40;
            assert!(!Covers::Heads.holds(block, &damaged), "byte {at}");
            damaged[at] ^= 0x40;
        }
    }
}

#[test]
fn an_object_of_version_1_is_read() {
    let object = sample();
    let bytes = read_golden("object_v1.hex");
    let index = decode(object.id, &bytes, object.footer_len).expect("a whole footer");
    assert_eq!(index.blocks.len(), object.blocks.len());
    for (block, now) in index.blocks.iter().zip(&object.blocks) {
        assert_eq!(
            BlockEntry {
                checksum: now.checksum,
                ..*block
            },
            *now,
            "all else is as it was"
        );
        let at = block.position as usize;
        let mut held = bytes[at..at + block.len as usize].to_vec();
        assert!(index.covers.holds(block, &held));
        held[0] ^= 1;
        assert!(!index.covers.holds(block, &held));
    }
    assert_eq!(decode_header(&bytes), Ok((object.id, object.nonce)));
}

#[test]
fn an_object_of_version_2_is_read() {
    let object = sample();
    let bytes = read_golden("object_v2.hex");
    let index = decode(object.id, &bytes, object.footer_len).expect("a whole footer");
    assert_eq!(
        index.blocks, object.blocks,
        "without large batches it is the same"
    );
    for block in &index.blocks {
        let at = block.position as usize;
        assert!(index.covers.holds(block, &bytes[at..at + block.len as usize]));
    }
    assert_eq!(decode_header(&bytes), Ok((object.id, object.nonce)));
}

#[test]
fn every_flipped_byte_of_header_and_footer_is_noticed() {
    let object = sample();
    let bytes = whole(&object);
    let footer_at = bytes.len() - object.footer_len as usize;
    for at in (0..HEADER_BYTES).chain(footer_at..bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        if at < HEADER_BYTES {
            // Flags and reserved bytes are under the checksum like the rest.
            assert!(decode_header(&damaged).is_err(), "byte {at}");
        } else {
            assert!(
                decode(object.id, &damaged, object.footer_len).is_err(),
                "byte {at}"
            );
        }
    }
    for cut in 0..object.footer_len as usize {
        assert!(
            decode_footer(object.id, object.len, &bytes[bytes.len() - cut..]).is_err(),
            "cut to {cut}"
        );
    }
    assert!(
        decode(ObjectId(1), &bytes, object.footer_len).is_err(),
        "another object under this key"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_footer_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), len in any::<u64>()) {
        prop_assert!(decode_footer(ObjectId(1), len, &bytes).is_err());
    }
}

#[test]
fn object_ids_ascend_over_incarnations_and_keys_are_exact() {
    let old = ObjectId::new(4, (1 << 30) - 1).expect("the last of its incarnation");
    let new = ObjectId::new(5, 1).expect("the first of the next");
    assert!(old < new);
    assert_eq!(ObjectId::new(4, 1 << 30), None, "exhausted");
    assert_eq!(ObjectId::from_key(&new.key()), Some(new));
    for odd in [
        "data/5",
        "data/00000001400000010",
        "dato/0000000140000001",
        "data/000000014000000A",
    ] {
        assert_eq!(ObjectId::from_key(odd), None, "{odd}");
    }
}

fn temporary_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("millstream-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_promises_of_the_port() {
    conformance::check(&MemoryObjects::new()).await;
}

#[tokio::test]
async fn the_local_directory_keeps_the_promises_of_the_port() {
    let folder = temporary_folder("conformance");
    let store = RemoteStore::local(&folder).expect("a folder");
    conformance::check(&store).await;
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

#[tokio::test]
async fn unfinished_files_of_a_crash_are_removed_at_open() {
    let folder = temporary_folder("staged");
    let store = RemoteStore::local(&folder).expect("a folder");
    store
        .put("data/a", vec![Bytes::from_static(b"x")], PutMode::CreateNew)
        .await
        .expect("a put");
    std::fs::write(folder.join("data/b#1"), b"half of it").expect("what a crash left");
    let store = RemoteStore::local(&folder).expect("the folder again");
    assert!(!folder.join("data/b#1").exists());
    assert_eq!(store.list("data/").await, Ok(vec![("data/a".to_owned(), 1)]));
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

/// T9: the answer of the first attempt was lost, the second hears "exists".
#[tokio::test(start_paused = true)]
async fn t9_a_put_whose_answer_was_lost_is_recognised_by_its_nonce() {
    let store = MemoryObjects::new();
    let object = sample();
    store.fail_puts([ObjectFault::UnknownDone, ObjectFault::NotDone]);
    assert_eq!(
        put_new(&store, &object.id.key(), object.parts.clone()).await,
        Ok(())
    );
    let mut other = ObjectEncoder::new(object.id, 1, 200);
    let span = BatchSpan {
        base: Offset(0),
        last: Offset(0),
        first_timestamp: 0,
        max_timestamp: 0,
    };
    other.push(
        StreamId(1),
        span,
        batch(Offset(0), &[record("k", "v", 0)]).into_bytes(),
    );
    assert_eq!(
        put_new(&store, &object.id.key(), other.finish().parts).await,
        Err(PutError::Taken),
        "another writer's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_store_is_told_at_once_for_the_plan_may_change() {
    let store = MemoryObjects::new();
    store.set_full(true);
    let parts = vec![Bytes::from_static(b"x")];
    assert_eq!(
        put_new(&store, "data/x", parts.clone()).await,
        Err(PutError::Full)
    );
    store.set_full(false);
    assert_eq!(put_new(&store, "data/x", parts).await, Ok(()));
}

/// T14: large batches are taken as they are, with a small one between each two; the small ones share buffers.
#[test]
fn small_batches_between_large_ones_pin_little_more_than_their_bytes() {
    let mut encoder = ObjectEncoder::new(ObjectId(1 << 24), 1, 1 << 20);
    let large = "v".repeat(40 << 10);
    for n in 0..200 {
        let base = Offset(n);
        let value = if n % 2 == 0 { "v" } else { &large };
        let stored = batch(base, &[record("k", value, 0)]);
        let span = BatchSpan {
            base,
            last: base,
            first_timestamp: 0,
            max_timestamp: 0,
        };
        encoder.push(StreamId(1), span, stored.into_bytes());
    }
    let parts = encoder.finish().parts;
    let small: Vec<&Bytes> = parts.iter().filter(|part| part.len() < 1000).collect();
    assert!(small.len() >= 100);
    let adjacent = small
        .windows(2)
        .filter(|pair| pair[0].as_ptr_range().end == pair[1].as_ptr());
    assert!(adjacent.count() >= 98, "all in one buffer");
}
