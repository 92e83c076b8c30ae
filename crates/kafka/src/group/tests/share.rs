//! Share groups: members, epochs, shares, and what a restart or a failed write leaves of them.

use super::harness::*;
use crate::group::*;
use std::sync::Arc;
use std::time::Duration;

const SESSION: Duration = Duration::from_secs(45);

/// Makes a topic, or lets it grow.
fn set(world: &World, name: &str, partitions: u32) {
    let view = TopicView {
        id: TopicId([name.len() as u8; 16]),
        partitions,
    };
    world.facts.topics.lock().insert(name.to_owned(), view);
}

fn beat(member: &str, epoch: i32, subscribed: Option<&[&str]>) -> ShareHeartbeat {
    ShareHeartbeat {
        group: "s".into(),
        member: member.into(),
        epoch,
        rack: None,
        client: ClientInfo {
            id: Arc::from("client"),
            host: Arc::from("/127.0.0.1"),
        },
        subscribed: subscribed.map(|names| names.iter().map(|name| TopicName::from(*name)).collect()),
        terms: ShareTerms {
            session_timeout: SESSION,
            heartbeat_interval: Duration::from_secs(5),
            size_max: 4,
        },
    }
}

fn outcome(world: &World, id: RequestId) -> Result<ShareBeaten, GroupError> {
    match &world.answers[&id] {
        Answer::ShareHeartbeat(outcome) => outcome.clone(),
        other => panic!("{other:?}"),
    }
}

fn ask(world: &mut World, beat: ShareHeartbeat) -> Result<ShareBeaten, GroupError> {
    let id = world.ask(Request::ShareHeartbeat(beat));
    outcome(world, id)
}

fn partitions(beaten: &ShareBeaten) -> Vec<i32> {
    let share = beaten.assignment.as_ref().expect("it is told");
    share.values().flatten().copied().collect()
}

#[test]
fn members_spread_over_partitions_and_partitions_over_members() {
    let mut world = World::new(quick());
    set(&world, "t", 3);
    let first = ask(&mut world, beat("a", 0, Some(&["t"]))).unwrap();
    assert_eq!((first.epoch, partitions(&first)), (1, vec![0, 1, 2]));
    let mut shares = Vec::new();
    for member in ["b", "c", "d"] {
        ask(&mut world, beat(member, 0, Some(&["t"]))).unwrap();
    }
    for member in ["a", "b", "c", "d"] {
        let told = ask(&mut world, beat(member, 1, None)).unwrap();
        assert_eq!(told.epoch, 4);
        shares.extend(partitions(&told));
        let again = ask(&mut world, beat(member, 4, None)).unwrap();
        assert_eq!(again.assignment, None, "no news");
    }
    shares.sort_unstable();
    assert_eq!(shares, [0, 0, 1, 2], "four members on three partitions");
    let full = ask(&mut world, beat("e", 0, Some(&["t"])));
    assert_eq!(full.unwrap_err(), GroupError::GroupMaxSizeReached);
}

#[test]
fn a_topic_that_grows_is_a_new_epoch_at_the_next_heartbeat() {
    let mut world = World::new(quick());
    set(&world, "t", 1);
    ask(&mut world, beat("a", 0, Some(&["t", "later"]))).unwrap();
    set(&world, "t", 2);
    let told = ask(&mut world, beat("a", 1, None)).unwrap();
    assert_eq!((told.epoch, partitions(&told)), (2, vec![0, 1]));
    set(&world, "later", 1);
    let told = ask(&mut world, beat("a", 2, None)).unwrap();
    assert_eq!((told.epoch, partitions(&told).len()), (3, 3));
}

#[test]
fn silent_members_go_and_strangers_are_told_so() {
    let mut world = World::new(quick());
    set(&world, "t", 2);
    ask(&mut world, beat("a", 0, Some(&["t"]))).unwrap();
    ask(&mut world, beat("b", 0, Some(&["t"]))).unwrap();
    world.pass(SESSION / 2);
    ask(&mut world, beat("a", 2, None)).unwrap();
    world.pass(SESSION / 2);
    let told = ask(&mut world, beat("a", 2, None)).unwrap();
    assert_eq!((told.epoch, partitions(&told)), (3, vec![0, 1]));
    let gone = ask(&mut world, beat("b", 2, None));
    assert_eq!(gone.unwrap_err(), GroupError::UnknownMemberId);
    let early = ask(&mut world, beat("a", 9, None));
    assert_eq!(early.unwrap_err(), GroupError::FencedMemberEpoch);
    assert_eq!(ask(&mut world, beat("a", -1, None)).unwrap().epoch, -1);
}

#[test]
fn an_answer_waits_for_its_write_and_a_restart_finds_what_was_answered() {
    let mut world = World::new(quick());
    set(&world, "t", 2);
    world.writes = Writes::Hold;
    let id = world.ask(Request::ShareHeartbeat(beat("a", 0, Some(&["t"]))));
    assert!(world.is_waiting(id));
    world.writes = Writes::Succeed;
    world.settle();
    assert_eq!(outcome(&world, id).unwrap().epoch, 1);
    let mut later = world.restarted(quick());
    assert_eq!(later.shard.durable(), world.shard.durable(), "replay is live");
    let told = ask(&mut later, beat("a", 1, None)).unwrap();
    assert_eq!(told.epoch, 1);
}

#[test]
fn a_write_that_failed_leaves_the_group_as_it_was() {
    let mut world = World::new(quick());
    set(&world, "t", 2);
    ask(&mut world, beat("a", 0, Some(&["t"]))).unwrap();
    for failing in [beat("b", 0, Some(&["t"])), beat("a", -1, None)] {
        world.writes = Writes::Fail(PersistError::Unavailable);
        ask(&mut world, failing).unwrap_err();
        world.writes = Writes::Succeed;
    }
    let told = ask(&mut world, beat("a", 1, None)).unwrap();
    assert_eq!((told.epoch, told.member), (1, "a".into()));
    let stranger = ask(&mut world, beat("b", 1, None));
    assert_eq!(stranger.unwrap_err(), GroupError::UnknownMemberId);
}

fn empty(world: &mut World, group: &str) -> Result<(), GroupError> {
    let id = world.ask(Request::EmptyShare(group.into()));
    match &world.answers[&id] {
        Answer::EmptyShare(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_can_be_made_before_anybody_joins_it_and_stays() {
    let mut world = World::new(quick());
    set(&world, "t", 1);
    assert_eq!(empty(&mut world, "s"), Ok(()));
    assert_eq!(empty(&mut world, "s"), Ok(()), "it is there already");
    let mut later = world.restarted(quick());
    assert_eq!(later.shard.durable(), world.shard.durable());
    assert_eq!(later.delete("s"), Ok(()), "it is a group like any other");
    // Who joins raises its epoch; then it is not empty any more.
    let first = ask(&mut world, beat("a", 0, Some(&["t"]))).unwrap();
    assert_eq!((first.epoch, partitions(&first)), (1, vec![0]));
    assert_eq!(empty(&mut world, "s"), Err(GroupError::NonEmptyGroup));
    world.stable("g", vec![join_request("g")]);
    assert_eq!(
        empty(&mut world, "g"),
        Err(GroupError::NotOfKind(GroupKind::Share))
    );
}

#[test]
fn a_group_that_could_not_be_stored_was_not_made() {
    let mut world = World::new(quick());
    world.writes = Writes::Fail(PersistError::Unavailable);
    assert_eq!(empty(&mut world, "s"), Err(GroupError::CoordinatorNotAvailable));
    world.writes = Writes::Succeed;
    assert_eq!(world.delete("s"), Err(GroupError::GroupIdNotFound));
}

#[test]
fn kinds_of_groups_do_not_mix_and_an_empty_share_group_can_be_deleted() {
    let mut world = World::new(quick());
    set(&world, "t", 1);
    ask(&mut world, beat("a", 0, Some(&["t"]))).unwrap();
    let id = world.join(join_request("s"));
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
    world.stable("g", vec![join_request("g")]);
    let mut other = beat("a", 0, Some(&["t"]));
    other.group = "g".into();
    assert_eq!(
        ask(&mut world, other).unwrap_err(),
        GroupError::NotOfKind(GroupKind::Share)
    );
    assert_eq!(world.delete("s"), Err(GroupError::NonEmptyGroup));
    ask(&mut world, beat("a", -1, None)).unwrap();
    assert_eq!(world.delete("s"), Ok(()));
    assert_eq!(
        world.restarted(quick()).delete("s"),
        Err(GroupError::GroupIdNotFound)
    );
}

#[test]
fn version_one_of_the_share_records_keeps_its_bytes() {
    let member = ShareMember {
        rack: None,
        client: ClientInfo {
            id: Arc::from("c"),
            host: Arc::from("h"),
        },
        subscribed: [TopicName::from("t")].into(),
    };
    let record = Record::Share(
        "g".into(),
        ShareRecord::Member("m".into(), Some(Arc::new(member))),
    );
    let encoded = record.encode();
    assert_eq!(&encoded.key[..], b"\x21\x01\0\0\0g\x01\0\0\0m");
    let value = encoded.value.clone().unwrap();
    assert_eq!(
        &value[..],
        b"\x01\xff\xff\xff\xff\x01\0\0\0c\x01\0\0\0h\x01\0\0\0\x01\0\0\0t"
    );
    assert_eq!(Record::decode(&encoded.key, Some(&value)), Ok(record));
    let epoch = Record::Share(
        "g".into(),
        ShareRecord::Epoch(Some(ShareEpoch { epoch: 3, topics: 5 })),
    );
    let encoded = epoch.encode();
    assert_eq!(&encoded.key[..], b"\x20\x01\0\0\0g");
    assert_eq!(&encoded.value.unwrap()[..], b"\x01\x03\0\0\0\x05\0\0\0\0\0\0\0");
}
