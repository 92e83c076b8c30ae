//! Offsets of transactions: pending until the end, whatever happens meanwhile.

use super::harness::*;
use crate::group::*;
use std::time::Duration;

const PRODUCER: i64 = 7;

fn pending(group: &str, epoch: i16, offset: i64) -> CommitRequest {
    CommitRequest {
        transaction: Some(OffsetProducer { id: PRODUCER, epoch }),
        ..commit_request(group, offset)
    }
}

fn ask_end(world: &mut World, epoch: i16, commit: bool) -> RequestId {
    world.ask(Request::EndOffsets(EndOffsetsRequest {
        producer_id: PRODUCER,
        producer_epoch: epoch,
        commit,
    }))
}

fn end(world: &mut World, epoch: i16, commit: bool) -> Option<Result<(), GroupError>> {
    let id = ask_end(world, epoch, commit);
    outcome(world, id)
}

fn outcome(world: &World, id: RequestId) -> Option<Result<(), GroupError>> {
    world.answers.get(&id).map(|answer| match answer {
        Answer::EndOffsets(outcome) => *outcome,
        other => panic!("{other:?}"),
    })
}

#[test]
fn an_offset_of_a_transaction_shows_once_it_is_committed_and_never_once_it_is_aborted() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(commit_request("g", 3)), Ok(Ok(())));
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    assert_eq!(world.offset("g"), Some(3));
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
    assert_eq!(world.commit(pending("g", 1, 9)), Ok(Ok(())));
    assert_eq!(end(&mut world, 2, false), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
    assert_eq!(
        end(&mut world, 2, true),
        Some(Ok(())),
        "an end that comes twice changes nothing"
    );
    assert_eq!(world.offset("g"), Some(5));
}

/// A consumer commits 5 with a transaction and then 9 without; the transaction's commit once brought back 5.
#[test]
fn of_two_commits_the_one_that_was_written_last_holds() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    assert_eq!(world.commit(commit_request("g", 9)), Ok(Ok(())));
    let mut restarted = world.restarted(quick());
    for world in [&mut world, &mut restarted] {
        assert_eq!(end(world, 1, true), Some(Ok(())));
        assert_eq!(world.offset("g"), Some(9));
    }
    // The other way round, and a transaction that commits the partition again.
    assert_eq!(world.commit(pending("g", 1, 10)), Ok(Ok(())));
    assert_eq!(world.commit(commit_request("g", 11)), Ok(Ok(())));
    assert_eq!(world.commit(pending("g", 1, 12)), Ok(Ok(())));
    assert_eq!(end(&mut world, 2, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(12));
    let durable = world.shard.durable();
    assert!(durable.values().all(|group| group.transactional.is_empty()));
}

#[test]
fn a_commit_overtakes_what_a_transaction_is_still_writing() {
    let mut world = World::new(quick());
    world.writes = Writes::Hold;
    world.ask(Request::Commit(pending("g", 0, 5)));
    world.ask(Request::Commit(commit_request("g", 9)));
    let id = ask_end(&mut world, 1, true);
    assert_eq!(outcome(&world, id), None);
    world.settle();
    assert_eq!(outcome(&world, id), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(9));
}

/// While the commit that overtakes is being written nobody knows whether the transaction's offset counts.
#[test]
fn an_end_is_decided_behind_the_commit_that_overtakes_it() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    world.writes = Writes::Hold;
    world.ask(Request::Commit(commit_request("g", 9)));
    let id = ask_end(&mut world, 1, true);
    assert_eq!(outcome(&world, id), None);
    world.writes = Writes::Fail(PersistError::Unavailable);
    world.settle();
    assert_eq!(
        outcome(&world, id),
        Some(Err(GroupError::CoordinatorNotAvailable))
    );
    world.writes = Writes::Succeed;
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn a_commit_that_could_not_be_stored_leaves_what_is_pending() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    world.writes = Writes::Fail(PersistError::Unavailable);
    assert_eq!(
        world.commit(commit_request("g", 9)),
        Err(GroupError::CoordinatorNotAvailable)
    );
    world.writes = Writes::Succeed;
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn a_restart_in_the_middle_still_knows_what_is_pending_in_every_group() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    assert_eq!(world.commit(pending("h", 0, 6)), Ok(Ok(())));
    let mut world = world.restarted(quick());
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!((world.offset("g"), world.offset("h")), (Some(5), Some(6)));
    let world = world.restarted(quick());
    let durable = world.shard.durable();
    assert!(durable.values().all(|group| group.transactional.is_empty()));
}

#[test]
fn after_the_end_of_a_transaction_its_epoch_adds_nothing() {
    // A request that was on its way while the transaction was aborted would stay pending for ever.
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    assert_eq!(end(&mut world, 1, false), Some(Ok(())));
    assert_eq!(
        world.commit(pending("g", 0, 6)),
        Err(GroupError::StaleProducerEpoch)
    );
    assert!(world.shard.durable().is_empty());
    assert_eq!(world.commit(pending("g", 1, 7)), Ok(Ok(())));
}

#[test]
fn an_end_waits_for_its_writes_and_covers_those_under_way() {
    let mut world = World::new(quick());
    world.writes = Writes::Hold;
    world.ask(Request::Commit(pending("g", 0, 5)));
    let id = ask_end(&mut world, 1, true);
    assert_eq!(outcome(&world, id), None);
    world.settle();
    assert_eq!(outcome(&world, id), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn an_end_that_could_not_be_stored_is_told_and_can_be_asked_for_again() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    world.writes = Writes::Fail(PersistError::Unavailable);
    assert_eq!(
        end(&mut world, 1, true),
        Some(Err(GroupError::CoordinatorNotAvailable))
    );
    world.writes = Writes::Succeed;
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}

/// The oldest write under way is not stored.
fn fail_oldest(world: &mut World) {
    let (token, _) = world.held.pop_front().expect("a write is under way");
    world.step(Input::Persisted(token, Err(PersistError::Unavailable)));
}

/// A consumer committed 9 while the end of its transaction, which commits 5, was being written. That write failed, and the end that was
/// asked for again once brought back 5.
#[test]
fn a_commit_that_was_stored_holds_though_the_end_before_it_was_not() {
    for others in [false, true] {
        let mut world = World::new(quick());
        assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
        if others {
            // Another transaction, which the shard knows of all the time.
            let mut commit = pending("h", 0, 1);
            commit.transaction = Some(OffsetProducer { id: 8, epoch: 0 });
            assert_eq!(world.commit(commit), Ok(Ok(())));
        }
        world.writes = Writes::Hold;
        let first = ask_end(&mut world, 1, true);
        let commit = world.ask(Request::Commit(commit_request("g", 9)));
        fail_oldest(&mut world);
        assert_eq!(
            outcome(&world, first),
            Some(Err(GroupError::CoordinatorNotAvailable))
        );
        let again = ask_end(&mut world, 1, true);
        world.settle();
        assert_eq!(world.commit_outcome(commit), Ok(Ok(())));
        assert_eq!(outcome(&world, again), Some(Ok(())));
        world.writes = Writes::Succeed;
        assert_eq!(world.offset("g"), Some(9));
        assert_eq!(end(&mut world, 1, true), Some(Ok(())));
        assert_eq!(world.restarted(quick()).offset("g"), Some(9));
    }
}

#[test]
fn an_end_that_is_asked_for_twice_is_answered_when_it_is_durable() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    assert_eq!(world.commit(pending("h", 0, 6)), Ok(Ok(())));
    world.writes = Writes::Hold;
    let first = ask_end(&mut world, 1, true);
    let second = ask_end(&mut world, 1, true);
    assert_eq!((outcome(&world, first), outcome(&world, second)), (None, None));
    fail_oldest(&mut world);
    world.settle();
    assert_eq!(
        outcome(&world, first),
        Some(Err(GroupError::CoordinatorNotAvailable))
    );
    assert_eq!(outcome(&world, second), Some(Ok(())));
    let mut restarted = world.restarted(quick());
    assert_eq!((restarted.offset("g"), restarted.offset("h")), (Some(5), Some(6)));
    let durable = restarted.shard.durable();
    assert!(durable.values().all(|group| group.transactional.is_empty()));
}

#[test]
fn pending_offsets_keep_their_group_alive() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(pending("g", 0, 5)), Ok(Ok(())));
    world.pass(Duration::from_secs(30 * 86_400));
    assert_eq!(end(&mut world, 1, true), Some(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}
