//! Bytes that no honest peer sends: for every message of every version the decoder answers or refuses, never panics, and never
//! allocates beyond its budget. Seeded, so that a case that fails has a name.

use bytes::Bytes;
use millstream_kafka_wire::testing::{self, Arbitrary, Rng};
use millstream_kafka_wire::{
    self as ours, DecodeError, FetchRequest, Message, ProduceRequest, Reader, RequestHeader,
};

/// Rounds for each message and version.
const ROUNDS: u64 = 6;

/// Budget of the decoders here, small so that the bound is met often.
const BUDGET_BYTES: usize = 4096;

/// What may be allocated beside arrays: the reference count of the frame, which is made when it is sliced first.
const SLACK_BYTES: u64 = 64;

/// Decodes under measurement; answers whether the bytes were a message.
fn decode_bounded<M: Message>(frame: Vec<u8>, version: i16, case: &str) -> Option<M> {
    let frame = Bytes::from(frame);
    let mut decoded = None;
    let measured = allocation_counter::measure(|| {
        let mut reader = Reader::with_budget(&frame, BUDGET_BYTES);
        let message = M::decode(&mut reader, version);
        let spent = BUDGET_BYTES - reader.budget_left();
        assert!(spent <= BUDGET_BYTES);
        decoded = message.ok().filter(|_| reader.finish().is_ok());
    });
    let bound = BUDGET_BYTES as u64 + SLACK_BYTES;
    assert!(
        measured.bytes_max <= bound,
        "{case}: {} bytes",
        measured.bytes_max
    );
    decoded
}

/// What was read can be written, and the written form is stable.
fn rewrite<M: Message>(message: &M, version: i16, case: &str) {
    let written = message.encode_to_bytes(version).expect(case);
    let again = M::decode_exact(&written, version).expect(case);
    assert_eq!(again.encode_to_bytes(version).expect(case), written, "{case}");
}

fn each_version<M: Message + Arbitrary>(name: &str, attack: impl Fn(&mut Rng, M, i16, &str)) {
    for version in M::VERSION_MIN..=M::VERSION_MAX {
        for seed in 0..ROUNDS {
            let mut rng = Rng::new(seed);
            let message = testing::message(&mut rng, version);
            attack(
                &mut rng,
                message,
                version,
                &format!("{name} version {version} seed {seed}"),
            );
        }
    }
}

fn truncate<M: Message + Arbitrary>(name: &str) {
    each_version(name, |_, message: M, version, case| {
        let whole = message.encode_to_bytes(version).expect(case);
        for len in 0..whole.len() {
            let part = whole.slice(..len);
            assert!(
                M::decode_exact(&part, version).is_err(),
                "{case}: {len} of {} bytes",
                whole.len()
            );
        }
    });
}

#[test]
fn a_truncated_message_is_refused_at_every_length() {
    macro_rules! run {
        ($($api:ident $request:ident $response:ident;)*) => {$(
            truncate::<ours::$request>(stringify!($request));
            truncate::<ours::$response>(stringify!($response));
        )*};
    }
    ours::for_each_api!(run);
}

fn flip<M: Message + Arbitrary>(name: &str) {
    each_version(name, |rng, message: M, version, case| {
        let whole = message.encode_to_bytes(version).expect(case);
        for _ in 0..whole.len().min(64) {
            let mut bytes = whole.to_vec();
            for _ in 0..=rng.below(3) {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << rng.below(8);
            }
            if let Some(read) = decode_bounded::<M>(bytes, version, case) {
                rewrite(&read, version, case);
            }
        }
    });
}

#[test]
fn flipped_bits_are_read_or_refused_within_the_budget() {
    macro_rules! run {
        ($($api:ident $request:ident $response:ident;)*) => {$(
            flip::<ours::$request>(stringify!($request));
            flip::<ours::$response>(stringify!($response));
        )*};
    }
    ours::for_each_api!(run);
}

fn noise<M: Message + Arbitrary>(name: &str) {
    each_version(name, |rng, _: M, version, case| {
        for shape in 0..6 {
            let len = rng.below(4000);
            let bytes = (0..len).map(|_| match shape {
                // Small bytes are lengths and counts that a frame can hold; they get furthest.
                0..3 => rng.below(4) as u8,
                3 => [0, 0, 0, 1, 0xff][rng.below(5) as usize],
                _ => rng.next() as u8,
            });
            if let Some(read) = decode_bounded::<M>(bytes.collect(), version, case) {
                rewrite(&read, version, case);
            }
        }
    });
}

#[test]
fn noise_is_read_or_refused_within_the_budget() {
    macro_rules! run {
        ($($api:ident $request:ident $response:ident;)*) => {$(
            noise::<ours::$request>(stringify!($request));
            noise::<ours::$response>(stringify!($response));
        )*};
    }
    ours::for_each_api!(run);
}

#[test]
fn headers_of_noise_are_read_or_refused() {
    let mut rng = Rng::new(1);
    for _ in 0..20_000 {
        let len = rng.below(40);
        let frame: Bytes = (0..len)
            .map(|_| if rng.boolean() { 0 } else { rng.next() as u8 })
            .collect();
        let peeked = RequestHeader::peek(&frame);
        let read = RequestHeader::read(&mut Reader::new(&frame));
        assert_eq!(peeked.is_none(), frame.len() < 8);
        if let (Ok(read), Some((key, version, correlation_id))) = (read, peeked) {
            assert_eq!(
                (read.api_key, read.api_version, read.correlation_id),
                (key, version, correlation_id)
            );
        }
    }
}

/// Eight bytes that made another codec reserve 64 GiB.
#[test]
fn a_count_beyond_the_frame_is_refused_before_anything_is_allocated() {
    // Produce 3: null transactional id, acks, timeout, then the count of topics.
    let plain = [0xff, 0xff, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff];
    // Produce 9: the same with compact lengths.
    let compact = [0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (version, frame) in [(3, plain), (9, compact)] {
        let frame = Bytes::copy_from_slice(&frame);
        let measured = allocation_counter::measure(|| {
            let read = ProduceRequest::decode_exact(&frame, version);
            assert_eq!(read.err(), Some(DecodeError::Truncated));
        });
        assert_eq!(measured.count_total, 0);
    }
}

/// A megabyte of minimal topics would take about forty megabytes of structs.
#[test]
fn minimal_elements_stop_at_the_budget() {
    let topics = 300_000u32;
    let mut frame = vec![0; 4 + 4 + 4 + 4 + 1 + 4 + 4];
    let mut count = topics + 1;
    while count >= 0x80 {
        frame.push(count as u8 | 0x80);
        count >>= 7;
    }
    frame.push(count as u8);
    // Each topic: empty name, no partitions, no tags.
    frame.extend((0..topics).flat_map(|_| [1, 1, 0]));
    frame.extend([1, 1, 0]);
    let frame = Bytes::from(frame);
    assert!(FetchRequest::decode_exact(&frame, 12).is_err_and(|error| error == DecodeError::OverBudget));
    let mut roomy = Reader::with_budget(&frame, usize::MAX);
    assert_eq!(
        FetchRequest::decode(&mut roomy, 12).map(|read| read.topics.len()),
        Ok(topics as usize)
    );
    assert_eq!(roomy.finish(), Ok(()));
}
