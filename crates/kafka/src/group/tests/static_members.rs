//! Static members (KIP-345, KIP-814).

use super::harness::*;
use crate::group::*;
use std::time::Duration;

fn named(instance: &str) -> JoinRequest {
    let mut join = join_request("g");
    join.instance = Some(instance.into());
    join.member_id_required = true;
    join
}

fn beat(world: &mut World, joined: &Joined, instance: &str) -> Result<(), GroupError> {
    let id = world.ask(Request::Heartbeat(HeartbeatRequest {
        group: "g".into(),
        generation: joined.generation,
        member: joined.member.clone(),
        instance: Some(instance.into()),
    }));
    match &world.answers[&id] {
        Answer::Heartbeat(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_static_member_needs_no_second_round_trip() {
    let mut world = World::new(quick());
    let id = world.join(named("i"));
    assert_eq!(world.joined(id).members[0].instance, Some("i".into()));
}

#[test]
fn a_restarted_static_member_takes_its_share_back_without_a_rebalance() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![named("a"), named("b")]);
    let id = world.join(named("b"));
    let back = world.joined(id);
    assert_eq!(back.generation, members[1].generation);
    assert_ne!(back.member, members[1].member);
    assert!(!back.skip_assignment);
    assert_eq!(world.state("g"), GroupState::Stable);
    let sync = world.sync(&back, "g");
    assert_eq!(
        world.sync_outcome(sync).unwrap(),
        format!("share of {}", members[1].member)
    );
}

#[test]
fn the_replaced_member_is_fenced() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![named("a"), named("b")]);
    world.join(named("b"));
    assert_eq!(
        beat(&mut world, &members[1], "b"),
        Err(GroupError::FencedInstanceId)
    );
    assert_eq!(
        world.heartbeat(&members[1], "g"),
        Err(GroupError::UnknownMemberId)
    );
    assert_eq!(beat(&mut world, &members[0], "a"), Ok(()));
    assert_eq!(
        beat(&mut world, &members[0], "c"),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn a_restarted_leader_is_told_to_keep_the_assignment_if_it_understands() {
    let mut world = World::new(GroupConfig::default());
    world.stable("g", vec![named("a"), named("b")]);
    let id = world.join(named("a"));
    let back = world.joined(id);
    assert_eq!(back.leader, Some(back.member.clone()));
    assert!(back.skip_assignment);
    assert_eq!(back.members.len(), 2);
}

#[test]
fn a_restarted_leader_that_does_not_understand_is_told_a_leader_that_is_nobody() {
    let mut world = World::new(GroupConfig::default());
    let members = world.stable("g", vec![named("a"), named("b")]);
    let mut join = named("a");
    join.skip_assignment_supported = false;
    let id = world.join(join);
    let back = world.joined(id);
    assert_eq!(back.leader, Some(members[0].member.clone()));
    assert!(!back.skip_assignment && back.members.is_empty());
}

#[test]
fn a_replacement_is_answered_only_after_it_is_durable() {
    let mut world = World::new(quick());
    world.stable("g", vec![named("a")]);
    world.writes = Writes::Hold;
    let id = world.join(named("a"));
    assert!(world.is_waiting(id));
    world.settle();
    let back = world.joined(id);
    let stored = world.shard.durable()[&GroupId::from("g")]
        .metadata
        .clone()
        .unwrap();
    assert_eq!(stored.members[0].member, back.member);
}

#[test]
fn a_replacement_that_cannot_be_stored_is_refused_and_can_be_tried_again() {
    let mut world = World::new(quick());
    world.stable("g", vec![named("a")]);
    world.writes = Writes::Fail(PersistError::Unavailable);
    let id = world.join(named("a"));
    assert_eq!(world.refused(id).error, GroupError::CoordinatorNotAvailable);
    assert_eq!(
        world.state("g"),
        GroupState::PreparingRebalance,
        "what is stored and what is live differ"
    );
    world.writes = Writes::Succeed;
    let id = world.join(named("a"));
    assert_eq!(world.joined(id).generation, 2);
}

#[test]
fn a_restart_with_another_protocol_rebalances() {
    let mut world = World::new(GroupConfig::default());
    let mut first = named("a");
    first.protocols.push(protocol("sticky", subscription(&["t"])));
    let mut second = named("a");
    second.protocols = vec![
        protocol("sticky", subscription(&["t"])),
        protocol("range", subscription(&["t"])),
    ];
    world.stable("g", vec![first]);
    let id = world.join(second);
    assert_eq!(world.joined(id).generation, 2);
    assert_eq!(world.joined(id).protocol, Some("sticky".into()));
}

#[test]
fn a_restart_while_shares_are_computed_rebalances_and_fences_waiting_requests() {
    let mut world = World::new(GroupConfig::default());
    let (a, b) = (world.join(named("a")), world.join(named("b")));
    world.pass(Duration::from_secs(6));
    let (a, b) = (world.joined(a), world.joined(b));
    let waiting = world.sync(&b, "g");
    let back = world.join(named("b"));
    assert_eq!(world.sync_outcome(waiting), Err(GroupError::FencedInstanceId));
    assert!(world.is_waiting(back));
    let mut again = named("a");
    again.member = Some(a.member);
    let leader = world.join(again);
    assert_eq!(world.joined(leader).generation, 2);
    assert_eq!(world.joined(back).generation, 2);
}

#[test]
fn a_second_process_with_the_same_instance_id_fences_the_waiting_join_of_the_first() {
    let mut world = World::new(GroupConfig::default());
    let first = world.join(named("a"));
    let second = world.join(named("a"));
    assert_eq!(world.refused(first).error, GroupError::FencedInstanceId);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.joined(second).members.len(), 1);
}

#[test]
fn an_absent_static_member_keeps_its_place_until_its_session_ends() {
    let mut world = World::new(GroupConfig::default());
    let mut patient = named("b");
    patient.session_timeout_ms = 300_000;
    patient.rebalance_timeout_ms = 20_000;
    let mut leader = named("a");
    leader.rebalance_timeout_ms = 20_000;
    let members = world.stable("g", vec![leader.clone(), patient]);
    leader.member = Some(members[0].member.clone());
    let id = world.join(leader);
    world.pass(Duration::from_secs(20));
    assert_eq!(
        world.joined(id).members.len(),
        2,
        "the absent one is still assigned to"
    );
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance_id() {
    let mut world = World::new(GroupConfig::default());
    world.stable("g", vec![named("a"), named("b")]);
    let by_name = |name: &str| Leaver {
        member: None,
        instance: Some(name.into()),
    };
    let outcome = world.leave("g", vec![by_name("b"), by_name("zzz")]).unwrap();
    assert_eq!(outcome, [Ok(()), Err(GroupError::UnknownMemberId)]);
    assert_eq!(world.state("g"), GroupState::PreparingRebalance);
}

#[test]
fn a_static_member_survives_a_restart_of_the_coordinator() {
    let mut world = World::new(quick());
    let members = world.stable("g", vec![named("a")]);
    let mut world = world.restarted(quick());
    assert_eq!(beat(&mut world, &members[0], "a"), Ok(()));
    let id = world.join(named("a"));
    assert_eq!(world.joined(id).generation, members[0].generation);
    assert!(world.joined(id).skip_assignment);
}
