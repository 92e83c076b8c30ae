//! The state machine of transactions: Kafka's rules, one promise a test, and random histories.

mod harness;
mod random;
mod records;

use super::EpochPolicy::{PerProducer, PerTransaction};
use super::*;
use harness::{Bench, ID, partitions};
use std::time::Duration;

fn epoch(producer: ProducerEpoch, by: i16) -> ProducerEpoch {
    ProducerEpoch {
        epoch: producer.epoch + by,
        ..producer
    }
}

#[test]
fn a_transaction_goes_from_its_first_partition_to_its_markers() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    assert_eq!(producer.epoch, 0);
    bench.add(producer, PerProducer, &[("a", 0), ("b", 3)]).unwrap();
    assert_eq!(bench.phase(), Phase::Ongoing);
    assert_eq!(bench.end(producer, PerProducer, true), Ok(producer));
    assert_eq!(bench.phase(), Phase::PrepareCommit);
    let job = bench.mark_one().expect("markers");
    assert_eq!((job.producer, job.commit), (producer, true));
    assert_eq!(job.partitions, partitions(&[("a", 0), ("b", 3)]));
    assert_eq!(bench.phase(), Phase::CompleteCommit);
}

#[test]
fn an_end_is_answered_and_its_markers_are_written_only_once_it_is_durable() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    let id = bench.send(Request::End(EndRequest {
        id: ID.into(),
        producer,
        commit: true,
        policy: PerProducer,
        fresh_id: None,
    }));
    assert!(bench.jobs.is_empty() && !bench.answers.contains_key(&id));
    bench.restart();
    assert_eq!(
        bench.phase(),
        Phase::Ongoing,
        "it was never durable, so it never was"
    );
    assert!(bench.jobs.is_empty());
}

#[test]
fn a_restart_writes_the_markers_of_what_was_prepared() {
    for commit in [true, false] {
        let mut bench = Bench::new();
        let producer = bench.init(None).unwrap();
        bench.add(producer, PerTransaction, &[("a", 0)]).unwrap();
        let next = bench.end(producer, PerTransaction, commit).unwrap();
        bench.restart();
        let job = bench.mark_one().expect("markers");
        assert_eq!((job.commit, job.producer), (commit, next));
        bench.persist();
        bench.restart();
        assert!(bench.jobs.is_empty(), "once is enough");
        bench.add(next, PerTransaction, &[("a", 1)]).unwrap();
    }
}

#[test]
fn nothing_of_the_next_transaction_is_taken_before_the_markers() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerTransaction, &[("a", 0)]).unwrap();
    let next = bench.end(producer, PerTransaction, true).unwrap();
    let waits = bench.send(Bench::add_request(next, PerTransaction, &[("a", 1)]));
    bench.persist();
    assert!(!bench.answers.contains_key(&waits));
    bench.mark_one();
    assert!(!bench.answers.contains_key(&waits), "not before its own write");
    bench.persist();
    assert_eq!(bench.answers.remove(&waits), Some(Answer::Add(Ok(()))));
}

#[test]
fn whoever_waits_too_long_for_markers_is_told_to_ask_again() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.end(producer, PerProducer, true).unwrap();
    let add = bench.send(Bench::add_request(producer, PerProducer, &[("a", 1)]));
    let init = bench.init_request(None);
    let init = bench.send(init);
    bench.pass(WAIT_MAX);
    let concurrent = TransactionError::ConcurrentTransactions;
    assert_eq!(bench.answers.remove(&add), Some(Answer::Add(Err(concurrent))));
    assert_eq!(bench.answers.remove(&init), Some(Answer::Init(Err(concurrent))));
    assert_eq!(bench.verify(producer, &[("a", 0)]), Err(concurrent));
}

#[test]
fn waiting_requests_are_bounded() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.end(producer, PerProducer, true).unwrap();
    let request = || Bench::add_request(producer, PerProducer, &[("a", 1)]);
    let asked: Vec<RequestId> = (0..=PARKED_MAX).map(|_| bench.send(request())).collect();
    let told: Vec<bool> = asked.iter().map(|id| bench.answers.contains_key(id)).collect();
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "only the last");
    assert!(told[PARKED_MAX]);
    bench.settle();
    assert!(asked.iter().all(|id| bench.answers.contains_key(id)));
}

#[test]
fn a_newer_producer_aborts_what_the_older_left_and_fences_it() {
    let mut bench = Bench::new();
    let older = bench.init(None).unwrap();
    bench.add(older, PerProducer, &[("a", 0)]).unwrap();
    let newer = bench.init(None).unwrap();
    assert_eq!(
        newer,
        epoch(older, 2),
        "one epoch for the markers, one for the producer"
    );
    assert_eq!(bench.phase(), Phase::Empty);
    let fenced = Err(TransactionError::ProducerFenced);
    assert_eq!(bench.add(older, PerProducer, &[("a", 0)]), fenced);
    assert_eq!(bench.verify(older, &[("a", 0)]).map(|_| ()), fenced);
    assert_eq!(bench.end(older, PerProducer, true).map(|_| ()), fenced);
    assert_eq!(bench.end(older, PerTransaction, false).map(|_| ()), fenced);
}

#[test]
fn each_transaction_of_version_2_has_an_epoch_of_its_own() {
    let mut bench = Bench::new();
    let first = bench.init(None).unwrap();
    bench.add(first, PerTransaction, &[("a", 0)]).unwrap();
    let second = bench.end(first, PerTransaction, true).unwrap();
    assert_eq!(second, epoch(first, 1));
    let job = bench.mark_one().expect("markers");
    assert_eq!(job.producer, second, "the markers fence the epoch of the records");
    bench.persist();
    // The answer was lost.
    assert_eq!(bench.end(first, PerTransaction, true), Ok(second));
    assert_eq!(
        bench.end(first, PerTransaction, false),
        Err(TransactionError::InvalidTransactionState),
        "a transaction ends one way"
    );
    bench.add(second, PerTransaction, &[("a", 0)]).unwrap();
    assert_eq!(
        bench.end(first, PerTransaction, true),
        Err(TransactionError::ProducerFenced),
        "it is over once the next has begun"
    );
}

/// The end of a transaction that began while the last one's markers were under way was once refused for good: franz-go's sessions
/// abort at once when their group rebalances, and take that refusal for the end of the producer.
#[test]
fn every_end_while_markers_are_written_is_told_to_ask_again() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerTransaction, &[("a", 0)]).unwrap();
    let next = bench.end(producer, PerTransaction, true).unwrap();
    let again = Err(TransactionError::ConcurrentTransactions);
    assert_eq!(bench.end(producer, PerTransaction, true), again);
    assert_eq!(bench.end(next, PerTransaction, false), again);
    bench.settle();
    assert_eq!(bench.end(next, PerTransaction, false), Ok(epoch(producer, 2)));
}

#[test]
fn an_abort_of_nothing_gives_a_new_epoch_in_version_2_and_is_an_error_before() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    let invalid = Err(TransactionError::InvalidTransactionState);
    assert_eq!(bench.end(producer, PerProducer, false), invalid);
    assert_eq!(bench.end(producer, PerTransaction, true), invalid);
    assert_eq!(bench.end(producer, PerTransaction, false), Ok(epoch(producer, 1)));
    let job = bench.mark_one().expect("a job without markers");
    assert!(job.partitions.is_empty() && !job.commit);
    bench.persist();
    assert_eq!(bench.phase(), Phase::CompleteAbort);
    assert_eq!(
        bench.end(producer, PerTransaction, false),
        Ok(epoch(producer, 1)),
        "a retry"
    );
}

#[test]
fn older_producers_may_repeat_an_end() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.end(producer, PerProducer, false).unwrap();
    bench.settle();
    assert_eq!(bench.end(producer, PerProducer, false), Ok(producer));
    assert_eq!(
        bench.end(producer, PerProducer, true),
        Err(TransactionError::InvalidTransactionState)
    );
}

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.pass(Duration::from_millis(59_999));
    assert_eq!(bench.phase(), Phase::Ongoing);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.phase(), Phase::PrepareAbort);
    bench.persist();
    let job = bench.mark_one().expect("markers");
    assert_eq!((job.commit, job.producer), (false, epoch(producer, 1)));
    bench.persist();
    assert_eq!(
        bench.end(producer, PerProducer, true),
        Err(TransactionError::ProducerFenced)
    );
}

#[test]
fn a_producer_of_version_2_goes_on_after_it_took_too_long() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerTransaction, &[("a", 0)]).unwrap();
    bench.pass(Duration::from_secs(60));
    bench.settle();
    assert_eq!(
        bench.end(producer, PerTransaction, true),
        Err(TransactionError::ProducerFenced),
        "what was aborted is not committed: it comes back with a new epoch"
    );
    let next = bench.end(producer, PerTransaction, false).unwrap();
    assert_eq!(next, epoch(producer, 1));
    bench.add(next, PerTransaction, &[("a", 0)]).unwrap();
}

#[test]
fn a_restart_keeps_the_time_that_a_transaction_has_left() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.pass(Duration::from_secs(40));
    bench.restart();
    bench.pass(Duration::from_secs(19));
    assert_eq!(bench.phase(), Phase::Ongoing);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.phase(), Phase::PrepareAbort);
}

#[test]
fn a_producer_raises_its_own_epoch_and_a_retry_gets_the_same_one() {
    let mut bench = Bench::new();
    let first = bench.init(None).unwrap();
    let second = bench.init(Some(first)).unwrap();
    assert_eq!(second, epoch(first, 1));
    assert_eq!(bench.init(Some(first)), Ok(second), "the answer was lost");
    let third = bench.init(Some(second)).unwrap();
    assert_eq!(
        bench.init(Some(first)),
        Err(TransactionError::ProducerFenced),
        "two epochs behind"
    );
    let other = ProducerEpoch { id: 7, epoch: 0 };
    assert_eq!(bench.init(Some(other)), Err(TransactionError::ProducerFenced));
    assert_eq!(bench.init(None), Ok(epoch(third, 1)));
    assert_eq!(
        bench.init(Some(third)),
        Err(TransactionError::ProducerFenced),
        "a newer producer came"
    );
}

#[test]
fn when_its_epochs_run_out_a_producer_gets_another_id() {
    let mut bench = Bench::new();
    let mut producer = bench.init(None).unwrap();
    while producer.epoch < i16::MAX - 1 {
        producer = bench.init(Some(producer)).unwrap();
    }
    let next = bench.init(Some(producer)).unwrap();
    assert!(next.id != producer.id && next.epoch == 0);
    assert_eq!(bench.init(Some(producer)), Ok(next), "a retry");
}

#[test]
fn when_its_epochs_run_out_a_transaction_hands_over_to_another_id() {
    let mut bench = Bench::new();
    let mut producer = bench.init(None).unwrap();
    while producer.epoch < i16::MAX - 1 {
        producer = bench.init(Some(producer)).unwrap();
    }
    bench.add(producer, PerTransaction, &[("a", 0)]).unwrap();
    let next = bench.end(producer, PerTransaction, true).unwrap();
    assert!(next.id != producer.id && next.epoch == 0);
    let job = bench.mark_one().expect("markers");
    assert_eq!(job.producer, epoch(producer, 1), "the old id's last epoch");
    bench.persist();
    assert_eq!(bench.end(producer, PerTransaction, true), Ok(next), "a retry");
    bench.add(next, PerTransaction, &[("a", 0)]).unwrap();
    assert_eq!(
        bench.add(producer, PerTransaction, &[("a", 0)]),
        Err(TransactionError::InvalidProducerIdMapping)
    );
}

#[test]
fn only_partitions_of_the_transaction_are_verified() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    let part = bench.verify(producer, &[("a", 0), ("a", 1), ("b", 0)]);
    assert_eq!(part, Ok(partitions(&[("a", 0)])));
    bench.end(producer, PerProducer, true).unwrap();
    bench.settle();
    assert_eq!(bench.verify(producer, &[("a", 0)]), Ok(Partitions::default()));
    let unknown = ProducerEpoch { id: 5, epoch: 0 };
    let mapping = TransactionError::InvalidProducerIdMapping;
    assert_eq!(bench.verify(unknown, &[("a", 0)]), Err(mapping));
}

#[test]
fn a_partition_that_is_being_added_is_not_there_before_it_is_durable() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    let first = bench.send(Bench::add_request(producer, PerTransaction, &[("a", 0)]));
    let again = bench.send(Bench::add_request(producer, PerTransaction, &[("a", 0)]));
    assert!(
        bench.answers.is_empty(),
        "a batch behind this answer would outlive its transaction"
    );
    bench.persist();
    assert_eq!(bench.answers.remove(&first), Some(Answer::Add(Ok(()))));
    assert_eq!(bench.answers.remove(&again), Some(Answer::Add(Ok(()))));
}

#[test]
fn timeouts_outside_the_bounds_are_refused() {
    let mut bench = Bench::new();
    for timeout_ms in [-1, 0, 900_001] {
        let fresh_id = bench.fresh_id();
        let id = bench.send(Request::Init(InitRequest {
            id: ID.into(),
            timeout_ms,
            expected: None,
            fresh_id,
        }));
        let refused = Answer::Init(Err(TransactionError::InvalidTimeout));
        assert_eq!(bench.answers.remove(&id), Some(refused));
    }
}

#[test]
fn an_id_that_nobody_uses_is_forgotten_and_one_with_a_transaction_is_not() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.end(producer, PerProducer, true).unwrap();
    bench.persist();
    bench.pass(Duration::from_secs(8 * 86_400));
    assert_eq!(bench.phase(), Phase::PrepareCommit, "its markers are not written");
    bench.settle();
    bench.pass(Duration::from_secs(6 * 86_400));
    assert_eq!(bench.phase(), Phase::CompleteCommit);
    bench.pass(Duration::from_secs(86_400 + 3_600));
    bench.persist();
    assert!(bench.shard.states().is_empty());
    let replayed = bench.replayed(&mut Vec::new());
    assert!(replayed.states().is_empty(), "also for the next start");
    let again = bench.init(None).unwrap();
    assert_ne!(
        again.id, producer.id,
        "a new id: the old one's records may still be there"
    );
}

#[test]
fn lists_are_filtered_by_state_producer_age_and_name() {
    let mut bench = Bench::new();
    let producer = bench.init(None).unwrap();
    bench.add(producer, PerProducer, &[("a", 0)]).unwrap();
    bench.pass(Duration::from_secs(10));
    let mut count = |filter: ListFilter| {
        let id = bench.send(Request::List(filter));
        match bench.answers.remove(&id) {
            Some(Answer::List(listed)) => listed.len(),
            other => panic!("{other:?}"),
        }
    };
    let any = || ListFilter {
        older_than_ms: -1,
        ..ListFilter::default()
    };
    assert_eq!(count(any()), 1);
    let phases = |phases: &[Phase]| ListFilter {
        phases: Some(phases.to_vec()),
        ..any()
    };
    assert_eq!(count(phases(&[Phase::Ongoing])), 1);
    assert_eq!(count(phases(&[Phase::Empty])), 0);
    assert_eq!(count(phases(&[])), 0, "only names that are none");
    let of = |producer_id| ListFilter {
        producer_ids: vec![producer_id],
        ..any()
    };
    assert_eq!(count(of(producer.id)), 1);
    assert_eq!(count(of(1)), 0);
    let older = |older_than_ms| ListFilter {
        older_than_ms,
        ..any()
    };
    assert_eq!(count(older(9_999)), 1);
    assert_eq!(count(older(10_000)), 0);
    let named = |pattern: &str| ListFilter {
        pattern: Some(regex::Regex::new(pattern).unwrap()),
        ..any()
    };
    assert_eq!(count(named("^(?:cop.*)$")), 1);
    assert_eq!(count(named("^(?:cop)$")), 0);
}
