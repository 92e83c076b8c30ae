//! Static members.

use super::client::*;
use crate::group::*;
use std::time::Duration;

#[test]
fn a_static_member_that_leaves_for_a_while_finds_its_partitions_again_under_a_new_id() {
    let mut world = world(&[("t", 4)]);
    let mut clients = vec![Client::fixed("a", "i", &["t"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    let owned = clients[0].owned.clone();
    assert_eq!(clients[0].leave(&mut world, -2).unwrap().epoch, -2);
    clients[1].beat(&mut world).unwrap();
    assert_eq!(clients[1].count(), 2, "what the absent one has stays his");
    let mut back = Client::fixed("c", "i", &["t"]);
    back.beat(&mut world).unwrap();
    assert_eq!(back.owned, owned);
    assert_eq!(
        described(&mut world).unwrap().epoch,
        clients[1].epoch,
        "no new epoch"
    );
    clients[0].epoch = 2;
    assert_eq!(clients[0].beat(&mut world), Err(GroupError::FencedInstanceId));
}

#[test]
fn a_static_member_that_stays_away_is_missed() {
    let mut world = world(&[("t", 4)]);
    let mut clients = vec![Client::fixed("a", "i", &["t"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    clients[0].leave(&mut world, -2).unwrap();
    for _ in 0..10 {
        world.pass(Duration::from_secs(5));
        clients[1].beat(&mut world).unwrap();
    }
    assert_eq!(clients[1].count(), 4);
}

#[test]
fn an_instance_id_that_is_in_use_is_refused() {
    let mut world = world(&[("t", 4)]);
    let mut first = Client::fixed("a", "i", &["t"]);
    first.beat(&mut world).unwrap();
    assert_eq!(
        Client::fixed("b", "i", &["t"]).beat(&mut world),
        Err(GroupError::UnreleasedInstanceId)
    );
    first.epoch = 0;
    assert!(first.beat(&mut world).is_ok(), "the same member may begin anew");
    let mut other = Client::fixed("a", "j", &["t"]);
    other.epoch = 1;
    assert_eq!(other.beat(&mut world), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_static_member_may_leave_for_good() {
    let mut world = world(&[("t", 4)]);
    let mut first = Client::fixed("a", "i", &["t"]);
    first.beat(&mut world).unwrap();
    assert_eq!(first.leave(&mut world, -1).unwrap().epoch, -1);
    assert_eq!(described(&mut world).unwrap().state, GroupState::Empty);
    assert!(Client::fixed("b", "i", &["t"]).beat(&mut world).is_ok());
}

#[test]
fn a_member_that_was_away_is_back_under_its_own_id() {
    let mut world = world(&[("t", 4)]);
    let mut first = Client::fixed("a", "i", &["t"]);
    first.beat(&mut world).unwrap();
    first.leave(&mut world, -2).unwrap();
    first.epoch = 0;
    assert_eq!(first.beat(&mut world).unwrap().epoch, 1);
    assert_eq!(first.count(), 4);
}
