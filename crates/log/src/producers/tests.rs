//! Kafka's rules for idempotent producers.

use super::{PRODUCERS_MAX, Producers, Verdict};
use crate::batch::{BatchHeader, ControlKind, ControlRecord};
use crate::error::{AppendError, Fate};
use crate::ids::{AbortedTransaction, Epoch, Offset};
use std::time::Duration;

const EXPIRY: Duration = Duration::from_secs(60);
const NOW: i64 = 1_700_000_000_000;
const TRANSACTIONAL: u16 = 1 << 4;
const CONTROL: u16 = 1 << 5;
const COMMIT: ControlRecord = ControlRecord {
    kind: ControlKind::Commit,
    coordinator_epoch: 1,
};
const ABORT: ControlRecord = ControlRecord {
    kind: ControlKind::Abort,
    coordinator_epoch: 1,
};

fn header(id: i64, epoch: i16, sequence: i32, count: u32, base: u64) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(base),
        size_bytes: 100,
        epoch: Epoch(1),
        crc: 0,
        attributes: 0,
        last_offset_delta: count - 1,
        base_timestamp: NOW,
        max_timestamp: NOW,
        producer_id: id,
        producer_epoch: epoch,
        base_sequence: sequence,
        records_count: count,
    }
}

fn check(producers: &Producers, header: &BatchHeader) -> Result<Verdict, AppendError> {
    producers.check(header, marker_in(header).as_ref(), NOW, EXPIRY)
}

/// What a control batch of these tests holds.
fn marker_in(header: &BatchHeader) -> Option<ControlRecord> {
    header.is_control().then_some(COMMIT)
}

fn append(producers: &mut Producers, header: &BatchHeader) {
    assert_eq!(check(producers, header), Ok(Verdict::Fresh));
    let marker = marker_in(header);
    producers.assign(header, marker.as_ref(), NOW, EXPIRY);
    producers.publish(header, marker.as_ref(), NOW);
}

#[test]
fn each_of_the_last_five_batches_is_recognised_and_older_ones_are_refused() {
    let mut producers = Producers::default();
    for index in 0..7 {
        append(&mut producers, &header(1, 0, index * 10, 10, index as u64 * 10));
    }
    for index in 2..7 {
        let duplicate = Verdict::Duplicate {
            base: Offset(index * 10),
            last: Offset(index * 10 + 9),
        };
        assert_eq!(
            check(&producers, &header(1, 0, index as i32 * 10, 10, 0)),
            Ok(duplicate)
        );
    }
    assert_eq!(
        check(&producers, &header(1, 0, 10, 10, 0)),
        Err(AppendError::DuplicateSequence)
    );
    let other_length = header(1, 0, 60, 5, 0);
    assert_eq!(
        check(&producers, &other_length),
        Err(AppendError::OutOfOrderSequence)
    );
}

#[test]
fn a_gap_is_out_of_order() {
    let mut producers = Producers::default();
    append(&mut producers, &header(1, 0, 0, 3, 0));
    assert_eq!(
        check(&producers, &header(1, 0, 4, 1, 0)),
        Err(AppendError::OutOfOrderSequence)
    );
    assert_eq!(check(&producers, &header(1, 0, 3, 1, 0)), Ok(Verdict::Fresh));
}

#[test]
fn epochs_only_rise_and_a_new_one_begins_at_sequence_zero() {
    let mut producers = Producers::default();
    append(&mut producers, &header(1, 3, 0, 3, 0));
    assert_eq!(
        check(&producers, &header(1, 2, 3, 1, 0)),
        Err(AppendError::StaleProducerEpoch)
    );
    assert_eq!(
        check(&producers, &header(1, 4, 3, 1, 0)),
        Err(AppendError::OutOfOrderSequence)
    );
    append(&mut producers, &header(1, 4, 0, 1, 3));
    assert_eq!(
        check(&producers, &header(1, 3, 3, 1, 0)),
        Err(AppendError::StaleProducerEpoch)
    );
}

#[test]
fn sequences_wrap_to_zero() {
    let mut producers = Producers::default();
    append(&mut producers, &header(1, 0, i32::MAX - 1, 2, 0));
    append(&mut producers, &header(1, 0, 0, 1, 2));
    let mut across = Producers::default();
    append(&mut across, &header(1, 0, i32::MAX, 3, 0));
    append(&mut across, &header(1, 0, 2, 1, 3));
    let first = Verdict::Duplicate {
        base: Offset(0),
        last: Offset(2),
    };
    assert_eq!(check(&across, &header(1, 0, i32::MAX, 3, 0)), Ok(first));
}

#[test]
fn an_unknown_or_expired_producer_may_begin_anywhere() {
    let mut producers = Producers::default();
    assert_eq!(check(&producers, &header(1, 5, 42, 1, 0)), Ok(Verdict::Fresh));
    append(&mut producers, &header(1, 5, 42, 1, 0));
    let gap = header(1, 5, 99, 1, 0);
    assert!(check(&producers, &gap).is_err());
    let later = NOW + 60_001;
    assert_eq!(producers.check(&gap, None, later, EXPIRY), Ok(Verdict::Fresh));
    assert!(producers.views(later, EXPIRY).is_empty());
    producers.expire(later, EXPIRY);
    assert!(producers.is_empty());
}

#[test]
fn a_pending_batch_counts_and_is_forgotten_when_it_fails() {
    let mut producers = Producers::default();
    append(&mut producers, &header(1, 0, 0, 1, 0));
    producers.assign(&header(1, 0, 1, 1, 1), None, NOW, EXPIRY);
    producers.assign(&header(2, 0, 0, 1, 2), None, NOW, EXPIRY);
    let pending = Verdict::Duplicate {
        base: Offset(1),
        last: Offset(1),
    };
    assert_eq!(check(&producers, &header(1, 0, 1, 1, 0)), Ok(pending));
    assert_eq!(producers.snapshot().len(), 1, "only what is durable");
    producers.roll_back();
    assert_eq!(check(&producers, &header(1, 0, 1, 1, 0)), Ok(Verdict::Fresh));
    assert!(is_told_to_come_again(&producers, &header(1, 0, 2, 1, 0)));
    assert_eq!(producers.views(NOW, EXPIRY).len(), 1);
}

#[test]
fn an_open_transaction_holds_the_stable_end_until_its_marker() {
    let mut producers = Producers::default();
    let transactional = |id, sequence, base| BatchHeader {
        attributes: TRANSACTIONAL,
        ..header(id, 0, sequence, 1, base)
    };
    let marker = |id, base| BatchHeader {
        attributes: TRANSACTIONAL | CONTROL,
        ..header(id, 0, -1, 1, base)
    };
    append(&mut producers, &transactional(1, 0, 10));
    append(&mut producers, &transactional(2, 0, 11));
    append(&mut producers, &transactional(1, 1, 12));
    assert_eq!(producers.first_open(), Some(Offset(10)));
    append(&mut producers, &marker(1, 13));
    assert_eq!(producers.first_open(), Some(Offset(11)));
    append(&mut producers, &marker(2, 14));
    assert_eq!(producers.first_open(), None);
    append(&mut producers, &transactional(1, 2, 15));
    assert_eq!(producers.first_open(), Some(Offset(15)));
}

#[test]
fn a_producer_whose_marker_is_pending_is_not_forgotten() {
    let mut producers = Producers::default();
    let begun = BatchHeader {
        attributes: TRANSACTIONAL,
        ..header(1, 0, 0, 1, 10)
    };
    let marker = BatchHeader {
        attributes: TRANSACTIONAL | CONTROL,
        ..header(1, 0, -1, 1, 11)
    };
    append(&mut producers, &begun);
    let later = NOW + 2 * i64::try_from(EXPIRY.as_millis()).expect("days");
    producers.assign(&marker, Some(&COMMIT), later, EXPIRY);
    producers.expire(later, EXPIRY);
    assert!(!producers.is_empty());
    producers.publish(&marker, Some(&COMMIT), later);
    assert_eq!(producers.first_open(), None, "nothing holds readers back");
}

#[test]
fn what_is_restored_from_a_snapshot_judges_alike() {
    let mut producers = Producers::default();
    for index in 0..9 {
        append(&mut producers, &header(1, 2, index, 1, index as u64));
    }
    let mut restored = Producers::restore(&producers.snapshot());
    assert_eq!(restored.snapshot(), producers.snapshot());
    for sequence in 0..12 {
        let header = header(1, 2, sequence, 1, 0);
        assert_eq!(check(&restored, &header), check(&producers, &header));
    }
    restored.replay(&header(1, 2, 9, 1, 9), None, NOW);
    append(&mut producers, &header(1, 2, 9, 1, 9));
    assert_eq!(restored.snapshot(), producers.snapshot());
}

#[test]
fn producers_without_end_do_not_take_memory_without_end() {
    let mut producers = Producers::default();
    for id in 0..PRODUCERS_MAX as i64 + 1 {
        let header = header(id, 0, 0, 1, id as u64);
        producers.assign(&header, None, NOW + id, EXPIRY);
        producers.publish(&header, None, NOW + id);
    }
    let left = producers.snapshot();
    assert!(left.len() <= PRODUCERS_MAX);
    assert!(
        left.iter().any(|known| known.producer_id == PRODUCERS_MAX as i64),
        "the newest stays"
    );
    assert!(
        left.iter().all(|known| known.producer_id != 0),
        "the longest silent goes"
    );
}

#[test]
fn after_its_first_batches_were_taken_back_a_producer_begins_with_the_first_again() {
    let mut producers = Producers::default();
    let (first, second) = (header(1, 0, 0, 5, 0), header(1, 0, 5, 5, 5));
    producers.assign(&first, None, NOW, EXPIRY);
    producers.roll_back();
    assert!(
        is_told_to_come_again(&producers, &second),
        "else the retry of the first would be taken for an old one"
    );
    append(&mut producers, &first);
    append(&mut producers, &second);
}

fn is_told_to_come_again(producers: &Producers, header: &BatchHeader) -> bool {
    let not_done = |error: &AppendError| {
        matches!(
            error,
            AppendError::Storage {
                fate: Fate::NotDone,
                ..
            }
        )
    };
    check(producers, header).as_ref().is_err_and(not_done)
}

#[test]
fn what_follows_a_batch_that_was_taken_back_is_no_fault_of_the_producer() {
    let mut producers = Producers::default();
    append(&mut producers, &header(1, 0, 0, 5, 0));
    let (next, after_it) = (header(1, 0, 5, 5, 5), header(1, 0, 10, 5, 10));
    producers.assign(&next, None, NOW, EXPIRY);
    producers.roll_back();
    assert!(is_told_to_come_again(&producers, &after_it));
    append(&mut producers, &next);
    assert_eq!(
        check(&producers, &header(1, 0, 11, 5, 11)),
        Err(AppendError::OutOfOrderSequence),
        "a hole that the producer left"
    );
    append(&mut producers, &after_it);
}

#[test]
fn what_was_taken_back_of_a_silent_producer_is_forgotten_in_time() {
    let mut producers = Producers::default();
    producers.assign(&header(1, 0, 0, 5, 0), None, NOW, EXPIRY);
    producers.roll_back();
    assert!(!producers.is_empty());
    assert!(
        producers.snapshot().is_empty(),
        "it is no function of the batches"
    );
    let later = NOW + 61_000;
    assert_eq!(
        producers.check(&header(1, 0, 5, 5, 5), None, later, EXPIRY),
        Ok(Verdict::Fresh)
    );
    producers.expire(later, EXPIRY);
    assert!(producers.is_empty());
}

fn transactional(id: i64, epoch: i16, sequence: i32, base: u64) -> BatchHeader {
    BatchHeader {
        attributes: TRANSACTIONAL,
        ..header(id, epoch, sequence, 1, base)
    }
}

fn control(id: i64, epoch: i16, base: u64) -> BatchHeader {
    BatchHeader {
        attributes: TRANSACTIONAL | CONTROL,
        ..header(id, epoch, -1, 1, base)
    }
}

fn end(producers: &mut Producers, header: &BatchHeader, marker: ControlRecord) -> Option<AbortedTransaction> {
    assert_eq!(
        producers.check(header, Some(&marker), NOW, EXPIRY),
        Ok(Verdict::Fresh)
    );
    producers.assign(header, Some(&marker), NOW, EXPIRY);
    producers.publish(header, Some(&marker), NOW)
}

#[test]
fn only_an_abort_of_an_open_transaction_is_listed_and_with_the_stable_end_after_it() {
    let mut producers = Producers::default();
    append(&mut producers, &transactional(1, 0, 0, 10));
    append(&mut producers, &transactional(2, 0, 0, 11));
    let aborted = end(&mut producers, &control(1, 0, 12), ABORT);
    let expected = AbortedTransaction {
        producer_id: 1,
        first: Offset(10),
        marker: Offset(12),
        stable_after: Offset(11),
    };
    assert_eq!(aborted, Some(expected));
    assert_eq!(
        end(&mut producers, &control(1, 0, 13), ABORT),
        None,
        "a marker that was written twice ends nothing"
    );
    assert_eq!(end(&mut producers, &control(2, 0, 14), COMMIT), None);
}

#[test]
fn a_marker_with_a_raised_epoch_fences_the_old_one_and_the_next_transaction_begins_at_sequence_zero() {
    // KIP-890: each transaction has an epoch of its own.
    let mut producers = Producers::default();
    append(&mut producers, &transactional(1, 4, 0, 10));
    append(&mut producers, &transactional(1, 4, 1, 11));
    end(&mut producers, &control(1, 5, 12), COMMIT);
    assert_eq!(
        check(&producers, &transactional(1, 4, 2, 0)),
        Err(AppendError::StaleProducerEpoch)
    );
    assert_eq!(
        check(&producers, &transactional(1, 5, 2, 0)),
        Err(AppendError::OutOfOrderSequence)
    );
    append(&mut producers, &transactional(1, 5, 0, 13));
    assert_eq!(producers.first_open(), Some(Offset(13)));
}

#[test]
fn a_coordinator_that_was_replaced_ends_nothing() {
    let mut producers = Producers::default();
    append(&mut producers, &transactional(1, 0, 0, 10));
    let newer = ControlRecord {
        coordinator_epoch: 7,
        ..COMMIT
    };
    end(&mut producers, &control(1, 0, 11), newer);
    append(&mut producers, &transactional(1, 0, 1, 12));
    assert_eq!(
        producers.check(&control(1, 0, 13), Some(&ABORT), NOW, EXPIRY),
        Err(AppendError::StaleCoordinator)
    );
    let mut restored = Producers::restore(&producers.snapshot());
    assert_eq!(
        restored.check(&control(1, 0, 13), Some(&ABORT), NOW, EXPIRY),
        Err(AppendError::StaleCoordinator),
        "also after a restart"
    );
    assert_eq!(restored.replay(&control(1, 0, 13), Some(&newer), NOW), None);
}

#[test]
fn a_guard_holds_until_the_next_marker() {
    let mut producers = Producers::default();
    let fresh = producers.guard(1, 0);
    assert!(!fresh.is_open());
    append(&mut producers, &transactional(1, 0, 0, 10));
    assert!(producers.guard(1, 0).is_open());
    assert!(
        !producers.guard(1, 1).is_open(),
        "another epoch is another transaction"
    );
    assert_eq!(producers.guard(1, 0).markers, fresh.markers);
    end(&mut producers, &control(1, 0, 11), COMMIT);
    assert_ne!(producers.guard(1, 0).markers, fresh.markers);
    assert!(!producers.guard(1, 0).is_open());
}
