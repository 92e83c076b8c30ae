//! OffsetCommit, OffsetFetch, OffsetDelete.

use super::harness::*;
use crate::group::*;
use std::sync::Arc;

fn of_member(joined: &Joined, offset: i64) -> CommitRequest {
    let mut commit = commit_request("g", offset);
    commit.generation = joined.generation;
    commit.member = Some(joined.member.clone());
    commit
}

fn delete(world: &mut World, group: &str) -> Result<Result<(), GroupError>, GroupError> {
    let id = world.ask(Request::DeleteOffsets(DeleteOffsetsRequest {
        group: group.into(),
        topics: vec![("t".into(), vec![0])],
    }));
    match &world.answers[&id] {
        Answer::DeleteOffsets(outcome) => outcome.clone().map(|topics| topics[0].partitions[0].1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_simple_consumer_commits_without_a_group() {
    let mut world = World::new(quick());
    assert_eq!(world.commit(commit_request("g", 5)), Ok(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
    assert_eq!(world.state("g"), GroupState::Empty);
    assert_eq!(world.describe("g").unwrap().protocol_type, None);
}

#[test]
fn an_offset_is_invisible_and_unanswered_until_it_is_durable() {
    let mut world = World::new(quick());
    world.writes = Writes::Hold;
    let id = world.ask(Request::Commit(commit_request("g", 5)));
    assert!(world.is_waiting(id));
    assert_eq!(world.offset("g"), None);
    world.settle();
    assert_eq!(world.commit_outcome(id), Ok(Ok(())));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn an_offset_that_could_not_be_stored_is_refused_and_stays_invisible() {
    for (failure, told) in [
        (PersistError::NotOwner, GroupError::NotCoordinator),
        (PersistError::Unavailable, GroupError::CoordinatorNotAvailable),
        (PersistError::TooLarge, GroupError::InvalidCommitOffsetSize),
    ] {
        let mut world = World::new(quick());
        world.writes = Writes::Fail(failure);
        assert_eq!(world.commit(commit_request("g", 5)), Err(told));
        assert_eq!(world.offset("g"), None);
        assert_eq!(
            world.state("g"),
            GroupState::Dead,
            "the group that it would have made is not there"
        );
    }
}

#[test]
fn a_member_commits_in_its_generation_only() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    assert_eq!(world.commit(of_member(&joined, 5)), Ok(Ok(())));
    let mut stale = of_member(&joined, 6);
    stale.generation -= 1;
    assert_eq!(world.commit(stale), Err(GroupError::IllegalGeneration));
    let mut stranger = of_member(&joined, 7);
    stranger.member = Some("x".into());
    assert_eq!(world.commit(stranger), Err(GroupError::UnknownMemberId));
    let mut fenced = of_member(&joined, 8);
    fenced.instance = Some("i".into());
    assert_eq!(world.commit(fenced), Err(GroupError::UnknownMemberId));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn nobody_commits_past_the_members_of_a_group() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    assert_eq!(
        world.commit(commit_request("g", 5)),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn a_fenced_static_member_commits_nothing() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.instance = Some("i".into());
    let joined = world.stable("g", vec![join.clone()]).remove(0);
    world.join(join);
    let mut commit = of_member(&joined, 5);
    commit.instance = Some("i".into());
    assert_eq!(world.commit(commit), Err(GroupError::FencedInstanceId));
}

#[test]
fn a_commit_between_join_and_shares_is_put_off() {
    let mut world = World::new(quick());
    let id = world.join(join_request("g"));
    let joined = world.joined(id);
    assert_eq!(
        world.commit(of_member(&joined, 5)),
        Err(GroupError::RebalanceInProgress)
    );
}

#[test]
fn a_commit_while_members_are_called_together_is_accepted() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    world.join(join_request("g"));
    assert_eq!(world.state("g"), GroupState::PreparingRebalance);
    assert_eq!(world.commit(of_member(&joined, 5)), Ok(Ok(())));
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    for offset in 0..3 {
        world.pass(millis(9_000));
        assert_eq!(world.commit(of_member(&joined, offset)), Ok(Ok(())));
    }
    assert_eq!(world.heartbeat(&joined, "g"), Ok(()));
}

#[test]
fn a_commit_to_a_missing_generation_says_so_as_its_version_allows() {
    let mut world = World::new(quick());
    let mut commit = commit_request("g", 5);
    commit.generation = 3;
    commit.member = Some("m".into());
    assert_eq!(world.commit(commit.clone()), Err(GroupError::GroupIdNotFound));
    commit.group_not_found_supported = false;
    assert_eq!(world.commit(commit), Err(GroupError::IllegalGeneration));
}

#[test]
fn metadata_that_is_too_long_fails_for_its_partition_only() {
    let mut world = World::new(quick());
    let mut commit = commit_request("g", 5);
    let long = CommitPartition {
        partition: 1,
        offset: 6,
        leader_epoch: 3,
        metadata: Arc::from("x".repeat(4_097)),
    };
    let mut fits = long.clone();
    fits.partition = 2;
    fits.metadata = Arc::from("x".repeat(4_096));
    commit.topics[0].partitions.extend([long, fits]);
    let id = world.ask(Request::Commit(commit));
    let Answer::Commit(Ok(topics)) = &world.answers[&id] else {
        panic!("{:?}", world.answers[&id])
    };
    let results: Vec<_> = topics[0].partitions.iter().map(|(_, outcome)| *outcome).collect();
    assert_eq!(results, [Ok(()), Err(GroupError::OffsetMetadataTooLarge), Ok(())]);
    let fetched = world.fetch(FetchRequest {
        group: "g".into(),
        member: None,
        member_epoch: -1,
        topics: None,
        require_stable: false,
    });
    let partitions: Vec<i32> = fetched[0]
        .partitions
        .iter()
        .map(|(partition, _)| *partition)
        .collect();
    assert_eq!(partitions, [0, 2]);
    let last = fetched[0].partitions[1].1.clone().unwrap().unwrap();
    assert_eq!(
        (last.offset, last.leader_epoch, last.metadata.len()),
        (6, 3, 4_096)
    );
}

#[test]
fn offsets_survive_a_restart_with_everything_that_came_with_them() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.commit(commit_request("g", 9)).unwrap().unwrap();
    let mut again = world.restarted(quick());
    let all = FetchRequest {
        group: "g".into(),
        member: None,
        member_epoch: -1,
        topics: None,
        require_stable: true,
    };
    assert_eq!(again.fetch(all.clone()), world.fetch(all));
    assert_eq!(again.offset("g"), Some(9));
}

#[test]
fn offsets_of_a_deleted_namesake_are_not_shown() {
    let mut world = World::new(quick());
    let mut commit = commit_request("g", 5);
    commit.topics[0].topic_id = TopicId([1; 16]);
    world.commit(commit).unwrap().unwrap();
    let mut ask = |topic_id| {
        let topics = world.fetch(FetchRequest {
            group: "g".into(),
            member: None,
            member_epoch: -1,
            topics: Some(vec![FetchTopic {
                topic: "t".into(),
                topic_id,
                partitions: vec![0],
            }]),
            require_stable: false,
        });
        topics[0].partitions[0]
            .1
            .clone()
            .unwrap()
            .map(|offset| offset.offset)
    };
    assert_eq!(ask(TopicId([1; 16])), Some(5));
    assert_eq!(ask(TopicId([2; 16])), None);
    assert_eq!(ask(TopicId::UNKNOWN), Some(5));
}

#[test]
fn offsets_under_an_open_transaction_are_withheld_if_stability_is_asked_for() {
    let offset = CommittedOffset {
        offset: 8,
        leader_epoch: -1,
        committed_ms: 0,
        expires_ms: None,
        topic_id: TopicId::UNKNOWN,
        metadata: Arc::from(""),
    };
    let open = Record::TransactionalOffset("g".into(), 7, "t".into(), 0, Some(offset));
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.stream.push(open.encode());
    let mut world = world.restarted(quick());
    let ask = |require_stable| FetchRequest {
        group: "g".into(),
        member: None,
        member_epoch: -1,
        topics: Some(vec![FetchTopic {
            topic: "t".into(),
            topic_id: TopicId::UNKNOWN,
            partitions: vec![0],
        }]),
        require_stable,
    };
    assert_eq!(
        world.fetch(ask(true))[0].partitions[0].1,
        Err(GroupError::UnstableOffsetCommit)
    );
    assert!(world.fetch(ask(false))[0].partitions[0].1.is_ok());
    let ended = Record::TransactionalOffset("g".into(), 7, "t".into(), 0, None);
    world.stream.push(ended.encode());
    let mut world = world.restarted(quick());
    assert!(world.fetch(ask(true))[0].partitions[0].1.is_ok());
}

#[test]
fn of_a_missing_group_nothing_is_committed() {
    let mut world = World::new(quick());
    assert_eq!(world.offset("g"), None);
    assert_eq!(
        world.fetch(FetchRequest {
            group: "g".into(),
            member: None,
            member_epoch: -1,
            topics: None,
            require_stable: true
        }),
        []
    );
}

#[test]
fn offsets_of_topics_that_nobody_consumes_can_be_deleted() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.protocols = vec![protocol("range", subscription(&["other"]))];
    let joined = world.stable("g", vec![join]).remove(0);
    world.commit(of_member(&joined, 5)).unwrap().unwrap();
    assert_eq!(delete(&mut world, "g"), Ok(Ok(())));
    assert_eq!(world.offset("g"), None);
    assert_eq!(world.restarted(quick()).offset("g"), None);
}

#[test]
fn offsets_of_consumed_topics_stay() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    world.commit(of_member(&joined, 5)).unwrap().unwrap();
    assert_eq!(
        delete(&mut world, "g"),
        Ok(Err(GroupError::GroupSubscribedToTopic))
    );
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn offsets_of_other_kinds_of_groups_can_be_deleted_only_without_members() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.protocol_type = "connect".into();
    let joined = world.stable("g", vec![join]).remove(0);
    world.commit(of_member(&joined, 5)).unwrap().unwrap();
    assert_eq!(delete(&mut world, "g"), Err(GroupError::NonEmptyGroup));
    world.pass(millis(10_000));
    assert_eq!(delete(&mut world, "g"), Ok(Ok(())));
    assert_eq!(delete(&mut world, "none"), Err(GroupError::GroupIdNotFound));
}

#[test]
fn a_deletion_also_covers_a_commit_that_is_still_being_written() {
    let mut world = World::new(quick());
    world.writes = Writes::Hold;
    world.ask(Request::Commit(commit_request("g", 5)));
    world.ask(Request::DeleteOffsets(DeleteOffsetsRequest {
        group: "g".into(),
        topics: vec![("t".into(), vec![0])],
    }));
    world.settle();
    assert_eq!(world.offset("g"), None);
}

#[test]
fn a_fetch_that_asks_for_stability_sees_the_commits_before_it() {
    let mut world = World::new(quick());
    world.writes = Writes::Hold;
    world.ask(Request::Commit(commit_request("g", 5)));
    let fetch = world.ask(Request::Fetch(FetchRequest {
        group: "g".into(),
        member: None,
        member_epoch: -1,
        topics: None,
        require_stable: true,
    }));
    assert!(world.is_waiting(fetch));
    world.settle();
    let Answer::Fetch(Ok(topics)) = &world.answers[&fetch] else {
        panic!("{:?}", world.answers[&fetch])
    };
    assert_eq!(topics[0].partitions[0].1.clone().unwrap().unwrap().offset, 5);
}
