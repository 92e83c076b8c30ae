//! Expiry of offsets (KIP-211) and deletion of topics.

use super::harness::*;
use crate::group::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn member_commit(joined: &Joined, topic: &str) -> CommitRequest {
    let mut commit = commit_request("g", 5);
    commit.generation = joined.generation;
    commit.member = Some(joined.member.clone());
    commit.topics[0].topic = topic.into();
    commit
}

fn topics(world: &mut World) -> Vec<String> {
    let all = world.fetch(FetchRequest {
        group: "g".into(),
        member: None,
        member_epoch: -1,
        topics: None,
        require_stable: false,
    });
    all.iter().map(|topic| topic.topic.to_string()).collect()
}

#[test]
fn offsets_of_a_simple_consumer_age_from_their_commit() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.pass(DAY * 7 - Duration::from_secs(1));
    assert_eq!(world.offset("g"), Some(5));
    world.pass(Duration::from_secs(601));
    assert_eq!(world.offset("g"), None);
    assert_eq!(world.state("g"), GroupState::Dead, "nothing is left of the group");
}

#[test]
fn offsets_of_a_group_age_from_the_moment_it_became_empty() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.session_timeout_ms = 1_800_000;
    let joined = world.stable("g", vec![join]).remove(0);
    world.commit(member_commit(&joined, "t")).unwrap().unwrap();
    for _ in 0..(8 * 96) {
        world.pass(Duration::from_secs(900));
        assert_eq!(world.heartbeat(&joined, "g"), Ok(()));
    }
    assert_eq!(world.offset("g"), Some(5), "members keep their offsets for ever");
    world.pass(DAY * 6);
    let mut world = world.restarted(quick());
    assert_eq!(world.offset("g"), Some(5), "six days after the last member left");
    world.pass(DAY + Duration::from_secs(3_600));
    assert_eq!(world.offset("g"), None);
    assert!(world.shard.durable().is_empty());
    assert!(
        world.restarted(quick()).shard.durable().is_empty(),
        "a restart agrees"
    );
}

#[test]
fn offsets_of_topics_that_a_group_no_longer_consumes_expire() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.session_timeout_ms = 1_800_000;
    let joined = world.stable("g", vec![join]).remove(0);
    world.commit(member_commit(&joined, "t")).unwrap().unwrap();
    world.commit(member_commit(&joined, "former")).unwrap().unwrap();
    for _ in 0..(7 * 24 * 4) {
        world.pass(Duration::from_secs(900));
        assert_eq!(world.heartbeat(&joined, "g"), Ok(()));
    }
    world.pass(Duration::from_secs(1_200));
    assert_eq!(topics(&mut world), ["t"]);
}

#[test]
fn a_commit_may_ask_for_a_shorter_life() {
    let mut world = World::new(quick());
    let mut commit = commit_request("g", 5);
    commit.retention_ms = Some(3_600_000);
    world.commit(commit).unwrap().unwrap();
    world.pass(Duration::from_secs(3_599));
    assert_eq!(world.offset("g"), Some(5));
    world.pass(Duration::from_secs(601));
    assert_eq!(world.offset("g"), None);
}

#[test]
fn an_offset_with_a_newer_commit_under_way_does_not_expire() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    world.now.wall_ms += i64::try_from(DAY.as_millis()).unwrap() * 8;
    world.writes = Writes::Hold;
    world.ask(Request::Commit(commit_request("g", 6)));
    world.pass(Duration::from_secs(600));
    world.settle();
    assert_eq!(world.offset("g"), Some(6));
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut world = World::new(quick());
    world.commit(commit_request("g", 5)).unwrap().unwrap();
    let mut other = commit_request("g", 7);
    other.topics[0].topic = "u".into();
    world.commit(other).unwrap().unwrap();
    world.writes = Writes::Hold;
    world.ask(Request::Commit(commit_request("g", 6)));
    world.step(Input::TopicDeleted("t".into(), TopicId([1; 16])));
    world.settle();
    assert_eq!(topics(&mut world), ["u"]);
    assert_eq!(topics(&mut world.restarted(quick())), ["u"]);
}

#[test]
fn offsets_of_a_newer_topic_of_the_same_name_stay() {
    let mut world = World::new(quick());
    let mut commit = commit_request("g", 5);
    commit.topics[0].topic_id = TopicId([2; 16]);
    world.commit(commit).unwrap().unwrap();
    world.step(Input::TopicDeleted("t".into(), TopicId([1; 16])));
    assert_eq!(world.offset("g"), Some(5));
}

#[test]
fn a_sweep_over_many_groups_reaches_all_of_them() {
    let mut world = World::new(quick());
    for index in 0..1_100 {
        world
            .commit(commit_request(&format!("g{index}"), 5))
            .unwrap()
            .unwrap();
    }
    world.pass(DAY * 8);
    assert!(world.shard.durable().is_empty());
}
