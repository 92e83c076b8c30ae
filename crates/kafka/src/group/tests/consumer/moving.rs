//! Partitions on their way from one member to another.

use super::client::*;
use crate::group::*;
use std::time::Duration;

#[test]
fn a_newcomer_gets_a_partition_only_after_its_owner_has_let_go() {
    let mut world = world(&[("t", 4)]);
    let mut old = Client::new("a", &["t"]);
    let mut new = Client::new("b", &["t"]);
    old.beat(&mut world).unwrap();
    new.beat(&mut world).unwrap();
    assert_eq!(new.count(), 0, "everything is still the other's");
    // The owner learns what to give back, and goes on with the rest.
    let id = old.ask(&mut world);
    let told = outcome(&world, id).unwrap();
    assert_eq!(
        told.epoch, 1,
        "its epoch waits for the partitions that it has to give back"
    );
    old.learn(&told);
    new.beat(&mut world).unwrap();
    assert_eq!(new.count(), 0);
    // It still works on them.
    let id = old.ask(&mut world);
    assert_eq!(outcome(&world, id).unwrap().epoch, 1);
    old.adopt();
    assert_eq!(old.count(), 2);
    assert_eq!(old.beat(&mut world).unwrap().epoch, 2);
    new.beat(&mut world).unwrap();
    assert_eq!((old.count(), new.count()), (2, 2));
    assert_eq!(described(&mut world).unwrap().state, GroupState::Stable);
}

#[test]
fn a_member_that_does_not_give_back_in_time_goes() {
    let mut world = world(&[("t", 4)]);
    let mut old = Client::new("a", &["t"]);
    let mut new = Client::new("b", &["t"]);
    old.beat(&mut world).unwrap();
    new.beat(&mut world).unwrap();
    for _ in 0..13 {
        world.pass(Duration::from_secs(5));
        // It lives, but it works on and never gives back.
        let _ = old.ask(&mut world);
        new.beat(&mut world).unwrap();
    }
    assert_eq!(new.count(), 4);
    assert_eq!(old.beat(&mut world), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_member_whose_share_stays_the_same_loses_nothing_for_a_moment() {
    let mut world = world(&[("t", 20)]);
    let mut clients: Vec<Client> = (0..10).map(|at| Client::new(&format!("m{at}"), &["t"])).collect();
    settle(&mut world, &mut clients);
    let before: Vec<Assignment> = clients.iter().map(|client| client.owned.clone()).collect();
    let mut gone = clients.pop().unwrap();
    gone.leave(&mut world, -1).unwrap();
    for _ in 0..5 {
        for (client, before) in clients.iter_mut().zip(&before) {
            client.beat(&mut world).unwrap();
            for (topic, partitions) in before {
                assert!(
                    partitions.is_subset(&client.owned[topic]),
                    "nobody gives anything back"
                );
            }
        }
    }
    assert_eq!(clients.iter().map(Client::count).sum::<usize>(), 20);
}

#[test]
fn the_assignor_that_most_members_ask_for_assigns() {
    let mut world = world(&[("t", 4), ("u", 4)]);
    let mut clients: Vec<Client> = ["a", "b", "c"]
        .iter()
        .map(|id| Client::new(id, &["t", "u"]))
        .collect();
    for client in &mut clients[..2] {
        client.assignor = Some(Assignor::Range);
    }
    clients[2].assignor = Some(Assignor::Uniform);
    settle(&mut world, &mut clients);
    assert_eq!(described(&mut world).unwrap().assignor, Assignor::Range);
    let first = &clients[0].owned;
    assert!(
        first
            .values()
            .all(|partitions| partitions.iter().copied().eq([0, 1]))
    );
}

#[test]
fn a_thousand_members_settle() {
    let mut world = world(&[("t", 1_000)]);
    world.checks = false;
    let mut clients: Vec<Client> = (0..1_000)
        .map(|at| Client::new(&format!("m{at:04}"), &["t"]))
        .collect();
    settle(&mut world, &mut clients);
    assert!(clients.iter().all(|client| client.count() == 1));
    // One that comes and goes moves nothing of the others.
    let before = world.stream.len();
    let mut guest = Client::new("guest", &["t"]);
    guest.beat(&mut world).unwrap();
    guest.leave(&mut world, -1).unwrap();
    settle(&mut world, &mut clients);
    let written = world.stream.len() - before;
    world.shard.check();
    assert!(written < 2 * clients.len() + 100, "{written} records for a guest");
}
