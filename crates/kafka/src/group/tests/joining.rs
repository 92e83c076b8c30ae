//! JoinGroup and the join phase.

use super::harness::*;
use crate::group::*;
use std::time::Duration;

fn slow() -> GroupConfig {
    GroupConfig::default()
}

#[test]
fn the_first_member_leads_the_first_generation() {
    let mut world = World::new(quick());
    let id = world.join(join_request("g"));
    let joined = world.joined(id);
    assert_eq!(joined.generation, 1);
    assert_eq!(joined.leader, Some(joined.member.clone()));
    assert_eq!(joined.protocol, Some("range".into()));
    assert_eq!(joined.members.len(), 1);
}

#[test]
fn the_first_rebalance_waits_the_initial_delay() {
    let mut world = World::new(slow());
    let id = world.join(join_request("g"));
    world.pass(millis(2_999));
    assert!(world.is_waiting(id));
    world.pass(millis(1));
    assert_eq!(world.joined(id).generation, 1);
}

#[test]
fn the_initial_delay_starts_again_while_members_come() {
    let mut world = World::new(slow());
    let first = world.join(join_request("g"));
    world.pass(millis(2_000));
    let second = world.join(join_request("g"));
    world.pass(millis(1_000));
    assert!(world.is_waiting(first) && world.is_waiting(second));
    world.pass(millis(3_000));
    assert_eq!(world.joined(first).generation, 1);
    assert_eq!(world.joined(second).generation, 1);
    assert_eq!(world.joined(first).members.len(), 2);
    assert_eq!(world.joined(second).members.len(), 0);
}

#[test]
fn the_initial_delay_never_exceeds_the_rebalance_timeout() {
    let mut world = World::new(slow());
    let mut join = join_request("g");
    join.rebalance_timeout_ms = 7_000;
    let first = world.join(join.clone());
    for _ in 0..7 {
        world.pass(millis(999));
        world.join(join.clone());
    }
    assert!(world.is_waiting(first));
    world.pass(millis(7));
    assert_eq!(world.joined(first).members.len(), 8);
}

#[test]
fn a_new_dynamic_member_comes_back_with_its_id() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.member_id_required = true;
    let id = world.join(join.clone());
    let refused = world.refused(id);
    assert_eq!(refused.error, GroupError::MemberIdRequired);
    join.member = refused.member.clone();
    let id = world.join(join);
    assert_eq!(Some(world.joined(id).member), refused.member);
}

#[test]
fn an_invitation_lapses_after_the_session_timeout() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.member_id_required = true;
    let id = world.join(join.clone());
    join.member = world.refused(id).member;
    world.pass(millis(10_000));
    assert_eq!(
        world.state("g"),
        GroupState::Dead,
        "a group of nobody is forgotten"
    );
    let id = world.join(join);
    assert_eq!(world.refused(id).error, GroupError::UnknownMemberId);
}

#[test]
fn a_rebalance_waits_for_an_invited_member() {
    let mut world = World::new(quick());
    let leader = world.stable("g", vec![join_request("g")]).remove(0);
    let mut invited = join_request("g");
    invited.member_id_required = true;
    let id = world.join(invited.clone());
    invited.member = world.refused(id).member;
    let mut again = join_request("g");
    again.member = Some(leader.member);
    let again = world.join(again);
    assert!(world.is_waiting(again));
    let id = world.join(invited);
    assert_eq!(world.joined(id).generation, 2);
    assert_eq!(world.joined(again).members.len(), 2);
}

#[test]
fn a_member_of_a_missing_group_is_unknown() {
    let mut world = World::new(quick());
    let mut join = join_request("g");
    join.member = Some("ghost".into());
    let id = world.join(join);
    let refused = world.refused(id);
    assert_eq!(refused.error, GroupError::UnknownMemberId);
    assert_eq!(refused.member, Some("ghost".into()));
}

#[test]
fn session_timeouts_outside_the_range_are_refused() {
    let mut world = World::new(quick());
    for ms in [-1, 0, 5_999, 1_800_001] {
        let mut join = join_request("g");
        join.session_timeout_ms = ms;
        let id = world.join(join);
        assert_eq!(world.refused(id).error, GroupError::InvalidSessionTimeout);
    }
    assert_eq!(world.state("g"), GroupState::Dead);
}

#[test]
fn members_without_a_common_protocol_are_refused() {
    let mut world = World::new(quick());
    world.stable("g", vec![join_request("g")]);
    let mut join = join_request("g");
    join.protocols = vec![protocol("sticky", subscription(&["t"]))];
    let id = world.join(join.clone());
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
    let mut connect = join_request("g");
    connect.protocol_type = "connect".into();
    let id = world.join(connect);
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
    join.protocols = Vec::new();
    let id = world.join(join);
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
}

#[test]
fn the_protocol_that_most_members_prefer_among_the_common_ones_wins() {
    let mut world = World::new(slow());
    let prefer = |names: &[&str]| {
        let mut join = join_request("g");
        join.protocols = names
            .iter()
            .map(|name| protocol(name, subscription(&["t"])))
            .collect();
        join
    };
    let a = world.join(prefer(&["range", "sticky", "roundrobin"]));
    let b = world.join(prefer(&["sticky", "range"]));
    let c = world.join(prefer(&["only-mine", "sticky", "range"]));
    world.pass(Duration::from_secs(6));
    for id in [a, b, c] {
        assert_eq!(world.joined(id).protocol, Some("sticky".into()));
    }
}

#[test]
fn a_full_group_refuses_the_next_member() {
    let mut config = quick();
    config.group_size_max = 1;
    let mut world = World::new(config);
    let leader = world.stable("g", vec![join_request("g")]).remove(0);
    let id = world.join(join_request("g"));
    assert_eq!(world.refused(id).error, GroupError::GroupMaxSizeReached);
    assert_eq!(world.heartbeat(&leader, "g"), Ok(()));
}

#[test]
fn a_follower_that_joins_again_unchanged_disturbs_nobody() {
    let mut world = World::new(slow());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[1].member.clone());
    let id = world.join(again);
    assert_eq!(world.joined(id).generation, members[1].generation);
    assert_eq!(world.state("g"), GroupState::Stable);
}

#[test]
fn a_leader_that_joins_again_starts_a_rebalance() {
    let mut world = World::new(slow());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[0].member.clone());
    let leader = world.join(again.clone());
    assert_eq!(
        world.heartbeat(&members[1], "g"),
        Err(GroupError::RebalanceInProgress)
    );
    again.member = Some(members[1].member.clone());
    let follower = world.join(again);
    assert_eq!(world.joined(leader).generation, 2);
    assert_eq!(world.joined(follower).generation, 2);
}

#[test]
fn a_lost_join_answer_is_given_again() {
    let mut world = World::new(quick());
    let id = world.join(join_request("g"));
    let mut again = join_request("g");
    again.member = Some(world.joined(id).member);
    let repeated = world.join(again);
    assert_eq!(world.joined(repeated), world.joined(id));
}

#[test]
fn members_that_do_not_come_back_in_time_are_dropped() {
    let mut world = World::new(slow());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[0].member.clone());
    again.session_timeout_ms = 100_000;
    let id = world.join(again);
    // The silent one keeps its session alive but never joins.
    for _ in 0..12 {
        assert!(world.is_waiting(id));
        let _ = world.heartbeat(&members[1], "g");
        world.pass(millis(5_000));
    }
    assert_eq!(world.joined(id).members.len(), 1);
    assert_eq!(
        world.heartbeat(&members[1], "g"),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn a_second_join_of_the_same_member_takes_the_place_of_the_first() {
    let mut world = World::new(slow());
    let members = world.stable("g", vec![join_request("g"), join_request("g")]);
    let mut again = join_request("g");
    again.member = Some(members[0].member.clone());
    let first = world.join(again.clone());
    let second = world.join(again);
    assert_eq!(world.refused(first).error, GroupError::RebalanceInProgress);
    assert!(world.is_waiting(second));
}

#[test]
fn cooperative_members_keep_their_partitions_through_two_rebalances() {
    // KIP-429 needs nothing of the broker but opaque metadata and a second rebalance that a follower may start by
    // joining with changed metadata; nobody is told to give up its share in between.
    let mut world = World::new(slow());
    let cooperative = |owned: &[&str]| {
        let mut join = join_request("g");
        join.protocols = vec![protocol("cooperative-sticky", subscription(owned))];
        join
    };
    let first = world.stable("g", vec![cooperative(&["t"])]).remove(0);
    let newcomer = world.join(cooperative(&["t"]));
    assert_eq!(world.heartbeat(&first, "g"), Err(GroupError::RebalanceInProgress));
    let mut again = cooperative(&["t"]);
    again.member = Some(first.member.clone());
    let leader = world.join(again);
    let (leader, newcomer) = (world.joined(leader), world.joined(newcomer));
    assert_eq!((leader.generation, newcomer.generation), (2, 2));
    let syncs = [world.sync(&leader, "g"), world.sync(&newcomer, "g")];
    assert!(syncs.iter().all(|&id| world.sync_outcome(id).is_ok()));
    // The follower gave something up: it joins at once with other metadata, and everybody follows.
    let mut changed = cooperative(&["t", "u"]);
    changed.member = Some(newcomer.member.clone());
    let second = world.join(changed);
    assert_eq!(
        world.heartbeat(&leader, "g"),
        Err(GroupError::RebalanceInProgress)
    );
    let mut again = cooperative(&["t"]);
    again.member = Some(leader.member.clone());
    let third = world.join(again);
    assert_eq!(world.joined(second).generation, 3);
    assert_eq!(world.joined(third).members.len(), 2);
}
