//! Restarts, slow streams, streams that fail.

use super::client::*;
use crate::group::tests::harness::*;
use crate::group::*;
use std::time::Duration;

#[test]
fn a_restart_keeps_members_epochs_and_partitions() {
    let mut world = world(&[("t", 6)]);
    let mut clients = vec![Client::fixed("a", "i", &["t"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    let before = described(&mut world).unwrap();
    let mut world = world.restarted(quick());
    assert_eq!(described(&mut world).unwrap(), before);
    for client in &mut clients {
        let epoch = client.epoch;
        assert_eq!(client.beat(&mut world).unwrap().epoch, epoch);
        assert_eq!(client.count(), 3);
    }
}

#[test]
fn topics_that_changed_during_the_restart_are_seen() {
    let mut world = world(&[("t", 2)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    world.facts.put("t", 4, 1);
    let mut world = world.restarted(quick());
    world.step(Input::TopicsChanged);
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 4);
}

#[test]
fn no_answer_leaves_before_what_it_tells_is_durable() {
    let mut world = world(&[("t", 2)]);
    world.writes = Writes::Hold;
    let client = Client::new("a", &["t"]);
    let first = client.ask(&mut world);
    let again = client.ask(&mut world);
    assert!(world.is_waiting(first) && world.is_waiting(again));
    world.settle();
    assert_eq!(outcome(&world, first).unwrap().epoch, 1);
    assert_eq!(outcome(&world, again).unwrap().epoch, 1);
}

#[test]
fn a_write_that_fails_leaves_the_group_as_its_stream_has_it() {
    let mut world = world(&[("t", 4)]);
    let mut old = Client::new("a", &["t"]);
    old.beat(&mut world).unwrap();
    world.writes = Writes::Fail(PersistError::Unavailable);
    let new = Client::new("b", &["t"]);
    let id = new.ask(&mut world);
    assert_eq!(outcome(&world, id), Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(world.reloads, 1);
    world.writes = Writes::Succeed;
    let group = described(&mut world).unwrap();
    assert_eq!((group.members.len(), group.epoch), (1, 1));
    let mut clients = [old, new];
    settle(&mut world, &mut clients);
    assert_eq!((clients[0].count(), clients[1].count()), (2, 2));
}

#[test]
fn members_that_do_not_come_back_after_a_restart_are_missed() {
    let mut world = world(&[("t", 2)]);
    Client::new("a", &["t"]).beat(&mut world).unwrap();
    let mut world = world.restarted(quick());
    world.pass(Duration::from_secs(46));
    assert_eq!(described(&mut world).unwrap().state, GroupState::Empty);
}

#[test]
fn an_empty_group_without_offsets_is_forgotten() {
    let mut world = world(&[("t", 2)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    client.leave(&mut world, -1).unwrap();
    world.pass(Duration::from_secs(1_200));
    assert_eq!(described(&mut world), Err(GroupError::GroupIdNotFound));
    assert!(world.shard.durable().is_empty());
}
