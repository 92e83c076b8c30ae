//! SyncGroup.

use super::harness::*;
use crate::group::*;
use std::time::Duration;

fn two(world: &mut World) -> (Joined, Joined) {
    let (a, b) = (world.join(join_request("g")), world.join(join_request("g")));
    world.pass(Duration::from_secs(6));
    (world.joined(a), world.joined(b))
}

#[test]
fn followers_wait_for_the_leaders_shares() {
    let mut world = World::new(GroupConfig::default());
    let (leader, follower) = two(&mut world);
    let waiting = world.sync(&follower, "g");
    assert!(world.is_waiting(waiting));
    let first = world.sync(&leader, "g");
    assert_eq!(
        world.sync_outcome(first).unwrap(),
        format!("share of {}", leader.member)
    );
    assert_eq!(
        world.sync_outcome(waiting).unwrap(),
        format!("share of {}", follower.member)
    );
    assert_eq!(world.state("g"), GroupState::Stable);
}

#[test]
fn no_share_is_told_before_it_is_durable() {
    let mut world = World::new(GroupConfig::default());
    let (leader, follower) = two(&mut world);
    world.writes = Writes::Hold;
    let syncs = [world.sync(&leader, "g"), world.sync(&follower, "g")];
    assert!(syncs.iter().all(|&id| world.is_waiting(id)));
    assert_eq!(world.state("g"), GroupState::CompletingRebalance);
    world.settle();
    assert!(syncs.iter().all(|&id| world.sync_outcome(id).is_ok()));
}

#[test]
fn shares_that_cannot_be_stored_lead_to_another_rebalance() {
    let mut world = World::new(GroupConfig::default());
    let (leader, follower) = two(&mut world);
    let waiting = world.sync(&follower, "g");
    world.writes = Writes::Fail(PersistError::NotOwner);
    let id = world.sync(&leader, "g");
    assert_eq!(world.sync_outcome(id), Err(GroupError::NotCoordinator));
    assert_eq!(world.sync_outcome(waiting), Err(GroupError::NotCoordinator));
    assert_eq!(world.state("g"), GroupState::PreparingRebalance);
}

#[test]
fn shares_of_a_past_generation_reach_nobody() {
    let mut world = World::new(GroupConfig::default());
    let (leader, follower) = two(&mut world);
    world.writes = Writes::Hold;
    let syncs = [world.sync(&leader, "g"), world.sync(&follower, "g")];
    let newcomer = world.join(join_request("g"));
    for id in syncs {
        assert_eq!(world.sync_outcome(id), Err(GroupError::RebalanceInProgress));
    }
    world.settle();
    assert_eq!(world.state("g"), GroupState::PreparingRebalance);
    assert!(world.is_waiting(newcomer));
}

#[test]
fn a_leader_that_asks_twice_writes_once() {
    let mut world = World::new(quick());
    let id = world.join(join_request("g"));
    let leader = world.joined(id);
    world.writes = Writes::Hold;
    let first = world.sync(&leader, "g");
    let second = world.sync(&leader, "g");
    assert_eq!(world.held.len(), 1);
    assert_eq!(world.sync_outcome(first), Err(GroupError::RebalanceInProgress));
    world.settle();
    assert!(world.sync_outcome(second).is_ok());
}

#[test]
fn a_member_that_the_leader_forgot_gets_an_empty_share() {
    let mut world = World::new(GroupConfig::default());
    let (mut leader, follower) = two(&mut world);
    let forgotten = follower.member.clone();
    leader.members.retain(|member| member.member != forgotten);
    world.sync(&leader, "g");
    let id = world.sync(&follower, "g");
    assert_eq!(world.sync_outcome(id).unwrap(), "");
}

#[test]
fn syncs_with_wrong_facts_are_refused() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    let mut ask = |change: fn(&mut Joined)| {
        let mut wrong = joined.clone();
        change(&mut wrong);
        let id = world.sync(&wrong, "g");
        world.sync_outcome(id).unwrap_err()
    };
    assert_eq!(
        ask(|joined| joined.generation += 1),
        GroupError::IllegalGeneration
    );
    assert_eq!(
        ask(|joined| joined.member = "x".into()),
        GroupError::UnknownMemberId
    );
    assert_eq!(
        ask(|joined| joined.protocol = Some("x".into())),
        GroupError::InconsistentGroupProtocol
    );
    assert_eq!(
        ask(|joined| joined.protocol_type = Some("x".into())),
        GroupError::InconsistentGroupProtocol
    );
    let id = world.sync(&joined, "no such group");
    assert_eq!(world.sync_outcome(id), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_sync_in_a_stable_group_gets_the_share_again() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    let id = world.sync(&joined, "g");
    assert_eq!(
        world.sync_outcome(id).unwrap(),
        format!("share of {}", joined.member)
    );
}

#[test]
fn members_that_never_sync_are_dropped_after_the_rebalance_timeout() {
    let mut world = World::new(GroupConfig::default());
    let (leader, follower) = two(&mut world);
    let id = world.sync(&leader, "g");
    assert!(world.sync_outcome(id).is_ok());
    for _ in 0..11 {
        world.pass(millis(5_000));
        assert_eq!(world.heartbeat(&leader, "g"), Ok(()));
        assert_eq!(world.heartbeat(&follower, "g"), Ok(()));
    }
    world.pass(millis(5_000));
    assert_eq!(world.heartbeat(&follower, "g"), Err(GroupError::UnknownMemberId));
    assert_eq!(
        world.heartbeat(&leader, "g"),
        Err(GroupError::RebalanceInProgress)
    );
}
