//! What is copied into a group's block, what stays where it is, and what that pins.

use super::queue::QueuedBatch;
use super::seal::{Sealed, seal};
use crate::batch::{BatchBuilder, BatchHeader, Codec, LARGE_BYTES_MIN, NewRecord, split};
use crate::buffers::Buffers;
use crate::disk::direct::ALIGN_BYTES;
use crate::ids::{Epoch, Offset, StreamId};
use crate::partition::{Committed, Partition};
use bytes::{Buf, BufMut, Bytes};
use std::sync::Arc;
use tokio::sync::oneshot;

const EPOCH: Epoch = Epoch(5);

/// A batch with a value of so many bytes.
fn batch(value_bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(Codec::None);
    let value = vec![b'v'; value_bytes];
    let record = NewRecord {
        timestamp: 1,
        key: None,
        value: Some(&value),
        headers: &[],
    };
    builder.push(&record).expect("it fits");
    builder.finish().expect("a batch").into_bytes()
}

/// As a request brings it: behind some bytes of the request, and at a page.
fn in_a_request(buffers: &Buffers, batch: &Bytes) -> Bytes {
    const BEFORE: usize = 77;
    let mut request = buffers.take(BEFORE + batch.len(), BEFORE);
    request.extend_from_slice(&[1; BEFORE]);
    request.extend_from_slice(batch);
    let mut request = request.freeze();
    request.advance(BEFORE);
    request
}

fn queue(batches: Vec<(u64, Bytes)>) -> Vec<QueuedBatch> {
    let mut queued: Vec<QueuedBatch> = Vec::new();
    for (at, (stream, bytes)) in batches.into_iter().enumerate() {
        let id = StreamId(stream);
        let mut header = BatchHeader::parse(&bytes).expect("a batch");
        header.base_offset = Offset(100 + at as u64);
        header.epoch = EPOCH;
        queued.push(QueuedBatch {
            partition: Arc::new(Partition::new(id, Committed::default())),
            header,
            bytes,
            position: usize::MAX,
            marker: None,
            rollbacks: 0,
            charge: 0,
            ack: oneshot::channel().0,
        });
    }
    queued
}

/// Every batch is where it says, stamped and otherwise as it was, and the runs tell the same.
fn check(sealed: &Sealed, queued: &[QueuedBatch], sent: &[Bytes]) {
    for (batch, sent) in queued.iter().zip(sent) {
        let found = sealed.block.slice(batch.position, sent.len());
        let header = BatchHeader::parse(&found).expect("a batch");
        assert_eq!(
            (header.base_offset, header.epoch),
            (batch.header.base_offset, EPOCH)
        );
        assert_eq!(found[16..], sent[16..]);
    }
    let mut positions = queued.iter().map(|batch| batch.position);
    for run in &sealed.runs {
        let bytes = sealed.block.slice(run.position, run.bytes as usize);
        let mut at = run.position;
        for found in split(bytes) {
            let (header, _) = found.expect("whole batches");
            assert_eq!(positions.next(), Some(at));
            at += header.size_bytes;
        }
    }
    assert_eq!(positions.next(), None);
}

#[test]
fn a_large_batch_that_fills_its_request_stays_where_it_is() {
    let buffers = Buffers::default();
    let (large, small) = (batch(300_000), batch(100));
    let sent = [small.clone(), large.clone(), small.clone(), large.clone()];
    let streams = [1, 2, 2, 2];
    let requests = [
        small.clone(),
        in_a_request(&buffers, &large),
        small,
        in_a_request(&buffers, &large),
    ];
    let places: Vec<*const u8> = requests.iter().map(|bytes| bytes.as_ptr()).collect();
    let mut queued = queue(streams.into_iter().zip(requests).collect());
    let sealed = seal(&mut queued, &buffers);
    check(&sealed, &queued, &sent);
    let found: Vec<*const u8> = queued
        .iter()
        .map(|batch| sealed.block.slice(batch.position, 1).as_ptr())
        .collect();
    assert_eq!((found[1], found[3]), (places[1], places[3]), "not copied");
    assert!(found[0] != places[0] && found[2] != places[2], "copied");
    assert_eq!(sealed.runs.len(), 4);
    let bytes: usize = sent.iter().map(Bytes::len).sum();
    assert!(
        (bytes..bytes + bytes / 4).contains(&sealed.pinned),
        "{}",
        sealed.pinned
    );
}

#[test]
fn a_batch_is_copied_that_is_small_or_shared_or_lies_anywhere_or_leaves_its_buffer_empty() {
    let buffers = Buffers::default();
    let large = batch(LARGE_BYTES_MIN);
    let shared = in_a_request(&buffers, &large);
    let anywhere = {
        let mut request = buffers.take(large.len(), 1);
        request.extend_from_slice(&large);
        request.freeze()
    };
    assert!(!anywhere.as_ptr().addr().is_multiple_of(ALIGN_BYTES));
    let nearly_empty = {
        let mut request = buffers.take(1 << 20, 0);
        request.extend_from_slice(&large);
        request.freeze()
    };
    let at_the_end = {
        let before = 8 * large.len().next_multiple_of(ALIGN_BYTES);
        let mut request = buffers.take(before + large.len(), 0);
        request.put_bytes(0, before);
        request.extend_from_slice(&large);
        request.freeze().slice(before..)
    };
    assert!(at_the_end.as_ptr().addr().is_multiple_of(ALIGN_BYTES));
    let small = in_a_request(&buffers, &batch(LARGE_BYTES_MIN - 1000));
    let requests = vec![
        (1, shared.clone()),
        (2, anywhere),
        (3, nearly_empty),
        (4, at_the_end),
        (5, small),
    ];
    let sent: Vec<Bytes> = requests
        .iter()
        .map(|(_, bytes)| Bytes::copy_from_slice(bytes))
        .collect();
    let places: Vec<*const u8> = requests.iter().map(|(_, bytes)| bytes.as_ptr()).collect();
    let mut queued = queue(requests);
    let sealed = seal(&mut queued, &buffers);
    check(&sealed, &queued, &sent);
    for (batch, place) in queued.iter().zip(places) {
        assert_ne!(sealed.block.slice(batch.position, 1).as_ptr(), place);
    }
    assert_eq!(shared, sent[0], "who shares it sees no stamp");
}

#[test]
fn many_small_batches_share_extents_of_one_size() {
    let buffers = Buffers::default();
    let sent: Vec<Bytes> = (0..1000).map(|n| batch(500 + n)).collect();
    let mut queued = queue((1..).zip(sent.iter().cloned()).collect());
    let sealed = seal(&mut queued, &buffers);
    check(&sealed, &queued, &sent);
    let bytes: usize = sent.iter().map(Bytes::len).sum();
    let extents = sealed.block.extents().count();
    assert!(
        (bytes / (256 << 10)..=bytes / (256 << 10) + 2).contains(&extents),
        "{extents}"
    );
    assert!(
        (bytes..bytes + bytes / 10).contains(&sealed.pinned),
        "{}",
        sealed.pinned
    );
    assert!(
        sealed
            .block
            .extents()
            .all(|(_, extent)| extent.as_ptr().addr().is_multiple_of(ALIGN_BYTES))
    );
}

#[test]
fn a_small_group_takes_the_memory_that_it_needs() {
    let buffers = Buffers::default();
    let sent = [batch(10), batch(20)];
    let mut queued = queue(vec![(1, sent[0].clone()), (1, sent[1].clone())]);
    let sealed = seal(&mut queued, &buffers);
    check(&sealed, &queued, &sent);
    assert_eq!(sealed.runs.len(), 1, "of one stream, together");
    assert_eq!(sealed.pinned, sent[0].len() + sent[1].len());
}

/// What is let go of is filled again: group after group, the same memory.
#[test]
fn a_request_whose_batches_were_copied_is_given_back() {
    let buffers = Buffers::default();
    let shared = in_a_request(&buffers, &batch(40_000));
    let at = shared.as_ptr().addr() / ALIGN_BYTES;
    let mut queued = queue(vec![(1, shared)]);
    let sealed = seal(&mut queued, &buffers);
    assert_ne!(sealed.block.slice(0, 1).as_ptr().addr() / ALIGN_BYTES, at);
    let again = in_a_request(&buffers, &batch(40_000));
    assert_eq!(again.as_ptr().addr() / ALIGN_BYTES, at);
}
