//! Heartbeat, LeaveGroup, expiry.

use super::harness::*;
use crate::group::*;
use std::time::Duration;

fn leaver(joined: &Joined) -> Leaver {
    Leaver {
        member: Some(joined.member.clone()),
        instance: None,
    }
}

#[test]
fn heartbeats_keep_a_member_and_silence_loses_it() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    for _ in 0..5 {
        world.pass(millis(9_999));
        assert_eq!(world.heartbeat(&joined, "g"), Ok(()));
    }
    world.pass(millis(10_000));
    assert_eq!(world.heartbeat(&joined, "g"), Err(GroupError::UnknownMemberId));
    assert_eq!(world.state("g"), GroupState::Empty);
}

#[test]
fn the_loss_of_a_member_starts_a_rebalance_of_the_others() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    world.pass(millis(9_000));
    assert_eq!(world.heartbeat(&members[0], "g"), Ok(()));
    world.pass(millis(1_000));
    assert_eq!(
        world.heartbeat(&members[0], "g"),
        Err(GroupError::RebalanceInProgress)
    );
    assert_eq!(
        world.heartbeat(&members[1], "g"),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn a_member_that_waits_for_its_join_is_not_silent() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[0].member.clone());
    let id = world.join(again);
    for _ in 0..10 {
        world.pass(millis(5_000));
        let _ = world.heartbeat(&members[1], "g");
    }
    assert!(
        world.is_waiting(id),
        "fifty seconds without a heartbeat of its own"
    );
}

#[test]
fn a_new_member_whose_client_is_gone_is_dropped_after_five_minutes() {
    let mut config = quick();
    config.initial_rebalance_delay = Duration::from_secs(600);
    let mut world = World::new(config);
    let mut join = join_request("g");
    join.rebalance_timeout_ms = 900_000;
    let id = world.join(join);
    world.pass(Duration::from_secs(300));
    assert_eq!(world.refused(id).error, GroupError::UnknownMemberId);
}

#[test]
fn heartbeats_with_wrong_facts_are_refused() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    let mut wrong = joined.clone();
    wrong.generation = 7;
    assert_eq!(world.heartbeat(&wrong, "g"), Err(GroupError::IllegalGeneration));
    wrong.member = "x".into();
    assert_eq!(world.heartbeat(&wrong, "g"), Err(GroupError::UnknownMemberId));
    assert_eq!(world.heartbeat(&joined, "none"), Err(GroupError::UnknownMemberId));
}

#[test]
fn members_leave_in_batches_and_the_rest_rebalances_once() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![join_request("g"), join_request("g"), join_request("g")]);
    let ghost = Leaver {
        member: Some("ghost".into()),
        instance: None,
    };
    let outcome = world
        .leave("g", vec![leaver(&members[0]), ghost, leaver(&members[1])])
        .unwrap();
    assert_eq!(outcome, [Ok(()), Err(GroupError::UnknownMemberId), Ok(())]);
    let mut again = join_request("g");
    again.member = Some(members[2].member.clone());
    let id = world.join(again);
    assert_eq!(
        world.joined(id).leader,
        Some(members[2].member.clone()),
        "a follower took the lead over"
    );
    assert_eq!(world.joined(id).generation, 2);
}

#[test]
fn the_last_member_leaves_an_empty_generation_behind() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    world.leave("g", vec![leaver(&joined)]).unwrap();
    let stored = world.shard.durable()[&GroupId::from("g")]
        .metadata
        .clone()
        .unwrap();
    assert_eq!((stored.generation, stored.members.len()), (2, 0));
    let id = world.join(join_request("g"));
    assert_eq!(world.joined(id).generation, 3, "generations never repeat");
}

/// A consumer ended, the broker was killed, and the next one found the consumer in the group: for half a minute nobody could reset
/// the group's offsets, and who joined waited for a dead member.
#[test]
fn the_last_member_is_told_that_it_left_when_a_crash_cannot_bring_it_back() {
    let mut world = World::new(quick());
    let joined = world.stable("g", vec![join_request("g")]).remove(0);
    world.writes = Writes::Hold;
    let id = world.ask(Request::Leave(LeaveRequest {
        group: "g".into(),
        members: vec![leaver(&joined)],
    }));
    assert!(world.is_waiting(id));
    assert_eq!(
        world.restarted(quick()).state("g"),
        GroupState::Stable,
        "not durable yet"
    );
    world.settle();
    assert_eq!(
        world.answers[&id],
        Answer::Leave(Ok(vec![(leaver(&joined), Ok(()))]))
    );
    assert_eq!(world.restarted(quick()).state("g"), GroupState::Empty);
}

#[test]
fn leaving_a_missing_group_is_refused() {
    let mut world = World::new(quick());
    assert_eq!(world.leave("g", vec![]), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_member_that_leaves_while_its_join_waits_gets_both_answers() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[0].member.clone());
    let id = world.join(again);
    world.leave("g", vec![leaver(&members[0])]).unwrap();
    assert_eq!(world.refused(id).error, GroupError::UnknownMemberId);
}

#[test]
fn a_declined_invitation_does_not_disturb_a_stable_group() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    let mut join = join_request("g");
    join.member_id_required = true;
    let id = world.join(join);
    let invited = Leaver {
        member: world.refused(id).member,
        instance: None,
    };
    assert_eq!(world.leave("g", vec![invited]).unwrap(), [Ok(())]);
    assert_eq!(world.state("g"), GroupState::Stable);
}

#[test]
fn members_survive_a_restart_of_the_coordinator_if_they_come_back_in_time() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut world = world.restarted(GroupConfig::default());
    assert_eq!(world.state("g"), GroupState::Stable);
    world.pass(millis(9_000));
    assert_eq!(world.heartbeat(&members[0], "g"), Ok(()));
    world.pass(millis(2_000));
    assert_eq!(
        world.heartbeat(&members[0], "g"),
        Err(GroupError::RebalanceInProgress)
    );
}
