//! ListGroups, DescribeGroups, DeleteGroups.

use super::harness::*;
use crate::group::*;

fn list(world: &mut World, states: &[&str], types: &[&str]) -> Vec<String> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let id = world.ask(Request::List(ListRequest {
        states: owned(states),
        types: owned(types),
    }));
    match &world.answers[&id] {
        Answer::List(groups) => groups.iter().map(|group| group.group.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_are_listed_by_state_and_type_in_any_case() {
    let mut world = World::new(quick());
    world.stable("stable", vec![join_request("stable")]);
    world.commit(commit_request("empty", 1)).unwrap().unwrap();
    assert_eq!(list(&mut world, &[], &[]), ["empty", "stable"]);
    assert_eq!(list(&mut world, &["sTaBlE"], &["Classic"]), ["stable"]);
    assert_eq!(list(&mut world, &["Empty", "nonsense"], &[]), ["empty"]);
    assert_eq!(list(&mut world, &[], &["consumer"]), [""; 0]);
    assert_eq!(list(&mut world, &["Dead"], &[]), [""; 0]);
}

#[test]
fn shares_are_described_while_the_group_is_stable() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    let described = world.describe("g").unwrap();
    assert_eq!(described.protocol, Some("range".into()));
    assert_eq!(described.members[0].metadata, subscription(&["t"]));
    assert_eq!(
        described.members[0].assignment,
        format!("share of {}", joined.member)
    );
    assert_eq!(&*described.members[0].client_host, "/127.0.0.1");
    world.join(join_request("g"));
    let described = world.describe("g").unwrap();
    assert_eq!(described.state, GroupState::PreparingRebalance);
    assert_eq!(described.protocol, None);
    assert!(
        described
            .members
            .iter()
            .all(|member| member.assignment.is_empty() && member.metadata.is_empty())
    );
}

#[test]
fn a_description_survives_a_restart() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    let before = world.describe("g");
    assert_eq!(world.restarted(quick()).describe("g"), before);
}

#[test]
fn a_group_with_members_is_not_deleted() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    assert_eq!(world.delete("g"), Err(GroupError::NonEmptyGroup));
    assert_eq!(world.delete("none"), Err(GroupError::GroupIdNotFound));
}

#[test]
fn a_deleted_group_leaves_nothing_behind() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    world.pass(millis(10_000));
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    assert_eq!(world.delete("g"), Ok(()));
    assert_eq!(world.state("g"), GroupState::Dead);
    assert!(world.shard.durable().is_empty());
    assert!(world.restarted(quick()).shard.durable().is_empty());
}

#[test]
fn a_group_being_deleted_accepts_nothing_and_keeps_what_it_has_if_that_fails() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.writes = Writes::Hold;
    let first = world.ask(Request::Delete("g".into()));
    assert_eq!(
        world.commit(commit_request("g", 6)),
        Err(GroupError::CoordinatorNotAvailable)
    );
    let join = world.join(join_request("g"));
    assert_eq!(world.refused(join).error, GroupError::CoordinatorNotAvailable);
    assert_eq!(world.delete("g"), Err(GroupError::GroupIdNotFound));
    world.writes = Writes::Fail(PersistError::Unavailable);
    world.settle();
    assert_eq!(
        world.delete_outcome(first),
        Err(GroupError::CoordinatorNotAvailable)
    );
    assert_eq!(world.offset("g"), Some(5));
    world.writes = Writes::Succeed;
    assert_eq!(world.delete("g"), Ok(()));
}

#[test]
fn a_deletion_covers_writes_that_are_under_way() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.writes = Writes::Hold;
    let mut other = commit_request("g", 7);
    other.topics[0].topic = "u".into();
    world.ask(Request::Commit(other));
    let id = world.ask(Request::Delete("g".into()));
    world.settle();
    assert_eq!(world.delete_outcome(id), Ok(()));
    assert!(world.shard.durable().is_empty());
}

#[test]
fn groups_lie_in_the_partition_that_kafka_puts_them_in() {
    // Math.abs("...".hashCode()) % 50 as the JVM computes it; the last is the text whose hash is Integer.MIN_VALUE.
    assert_eq!(partition_of("", 50), 0);
    assert_eq!(partition_of("a", 50), 97 % 50);
    assert_eq!(partition_of("test-group", 50), 12);
    assert_eq!(partition_of("polygenelubricants", 50), 0);
}
