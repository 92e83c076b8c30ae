//! Groups that change their kind while members work: classic to consumer and back.

use super::client::{Client, described};
use crate::group::tests::harness::*;
use crate::group::*;
use bytes::Bytes;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::consumer_protocol::{
    AssignedPartition, ConsumerProtocolAssignment, ConsumerProtocolSubscription, OwnedPartition,
    decode_versioned, encode_versioned,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// A consumer of the classic protocol that gives back only what it must (cooperative).
#[derive(Clone, Debug)]
pub struct Classic {
    pub id: Option<MemberId>,
    pub instance: Option<InstanceId>,
    pub generation: i32,
    pub owned: BTreeSet<i32>,
    pub joins_again: bool,
}

fn embedded(owned: &BTreeSet<i32>) -> Bytes {
    let message = ConsumerProtocolSubscription {
        topics: vec![Str::from_static("t")],
        owned_partitions: vec![OwnedPartition {
            topic: Str::from_static("t"),
            partitions: owned.iter().copied().collect(),
        }],
        ..Default::default()
    };
    encode_versioned(&message, 1).unwrap()
}

pub fn share(partitions: &[i32]) -> Bytes {
    let message = ConsumerProtocolAssignment {
        assigned_partitions: vec![AssignedPartition {
            topic: Str::from_static("t"),
            partitions: partitions.to_vec(),
        }],
        user_data: None,
    };
    encode_versioned(&message, 1).unwrap()
}

fn shared(bytes: &Bytes) -> BTreeSet<i32> {
    if bytes.is_empty() {
        return BTreeSet::new();
    }
    let (_, message) = decode_versioned::<ConsumerProtocolAssignment>(bytes).unwrap();
    message
        .assigned_partitions
        .iter()
        .flat_map(|topic| topic.partitions.iter().copied())
        .collect()
}

impl Classic {
    pub fn new() -> Self {
        Self {
            id: None,
            instance: None,
            generation: -1,
            owned: BTreeSet::new(),
            joins_again: true,
        }
    }

    pub fn request(&self) -> JoinRequest {
        JoinRequest {
            member: self.id.clone(),
            instance: self.instance.clone(),
            protocols: vec![protocol("cooperative-sticky", embedded(&self.owned))],
            ..join_request("g")
        }
    }

    /// Joins and fetches its share; whether it has one now.
    pub fn join(&mut self, world: &mut World) -> bool {
        let id = world.join(self.request());
        let Some(Answer::Join(outcome)) = world.answers.get(&id).cloned() else {
            return false;
        };
        let Ok(joined) = outcome else {
            return false;
        };
        self.id = Some(joined.member.clone());
        self.generation = joined.generation;
        self.fetch_share(world, &joined)
    }

    pub fn fetch_share(&mut self, world: &mut World, joined: &Joined) -> bool {
        let sync = SyncRequest {
            group: "g".into(),
            generation: joined.generation,
            member: joined.member.clone(),
            instance: self.instance.clone(),
            protocol_type: joined.protocol_type.clone(),
            protocol: joined.protocol.clone(),
            assignments: Vec::new(),
        };
        let id = world.ask(Request::Sync(sync));
        match world.answers.get(&id) {
            Some(Answer::Sync(Ok(synced))) => {
                let share = shared(&synced.assignment);
                // Cooperative: who has given something back joins again, to say so.
                self.joins_again = !self.owned.is_subset(&share);
                self.owned = share;
                true
            }
            _ => false,
        }
    }

    pub fn heartbeat(&mut self, world: &mut World) -> Result<(), GroupError> {
        let beat = HeartbeatRequest {
            group: "g".into(),
            generation: self.generation,
            member: self.id.clone().unwrap_or_else(|| "none".into()),
            instance: self.instance.clone(),
        };
        let id = world.ask(Request::Heartbeat(beat));
        match &world.answers[&id] {
            Answer::Heartbeat(outcome) => *outcome,
            other => panic!("no heartbeat: {other:?}"),
        }
    }

    /// What its client does next.
    pub fn beat(&mut self, world: &mut World) {
        if self.joins_again || self.heartbeat(world).is_err() {
            self.joins_again = true;
            self.join(world);
        }
    }
}

/// A world whose groups wait for more members, as they do by default.
fn world(topics: &[(&str, u32)]) -> World {
    patient(topics, GroupConfig::default())
}

fn patient(topics: &[(&str, u32)], config: GroupConfig) -> World {
    let world = World::new(config);
    for (name, partitions) in topics {
        world.facts.put(name, *partitions, 1);
    }
    world
}

/// A classic group of `count` stable members; the first leads.
fn classic_group(world: &mut World, count: usize) -> Vec<Classic> {
    let joins: Vec<RequestId> = (0..count).map(|_| world.join(Classic::new().request())).collect();
    world.pass(Duration::from_secs(7));
    let joined: Vec<Joined> = joins.iter().map(|id| world.joined(*id)).collect();
    let mut next = 0;
    let shares: Vec<(MemberId, Bytes)> = joined
        .iter()
        .map(|joined| {
            next += 2;
            (joined.member.clone(), share(&[next - 2, next - 1]))
        })
        .collect();
    let mut members = Vec::new();
    let mut syncs = Vec::new();
    for joined in &joined {
        let leads = !joined.members.is_empty();
        syncs.push(world.ask(Request::Sync(SyncRequest {
            group: "g".into(),
            generation: joined.generation,
            member: joined.member.clone(),
            instance: None,
            protocol_type: joined.protocol_type.clone(),
            protocol: joined.protocol.clone(),
            assignments: if leads { shares.clone() } else { Vec::new() },
        })));
    }
    for (joined, id) in joined.iter().zip(syncs) {
        members.push(Classic {
            id: Some(joined.member.clone()),
            generation: joined.generation,
            owned: shared(&world.sync_outcome(id).unwrap()),
            joins_again: false,
            instance: None,
        });
    }
    members
}

fn mixed(world: &mut World, classics: &mut [Classic], clients: &mut [Client]) {
    for _ in 0..20 {
        for classic in classics.iter_mut() {
            classic.beat(world);
        }
        for client in clients.iter_mut() {
            client.beat(world).unwrap();
        }
    }
}

fn kind(world: &mut World) -> GroupKind {
    let id = world.ask(Request::List(ListRequest::default()));
    match &world.answers[&id] {
        Answer::List(listed) => listed[0].kind,
        other => panic!("no list: {other:?}"),
    }
}

#[test]
fn a_classic_group_becomes_a_consumer_group_when_the_first_new_member_comes_and_nobody_stops() {
    let mut world = world(&[("t", 4)]);
    let mut classics = classic_group(&mut world, 2);
    let generation = classics[0].generation;
    let mut new = vec![Client::new("new", &["t"])];
    new[0].beat(&mut world).unwrap();
    assert_eq!(kind(&mut world), GroupKind::Consumer);
    let group = described(&mut world).unwrap();
    assert_eq!(group.epoch, generation + 1);
    assert_eq!(group.members.iter().filter(|member| member.is_classic).count(), 2);
    assert_eq!(new[0].count(), 0, "the others have everything still");
    assert_eq!(
        classics[0].heartbeat(&mut world),
        Err(GroupError::RebalanceInProgress)
    );
    mixed(&mut world, &mut classics, &mut new);
    assert_eq!(described(&mut world).unwrap().state, GroupState::Stable);
    let mut all = classics[0].owned.clone();
    all.extend(&classics[1].owned);
    assert_eq!(all.len() + new[0].count(), 4);
    let restarted = world.restarted(GroupConfig::default());
    assert_eq!(restarted.shard.durable(), world.shard.durable());
}

#[test]
fn a_consumer_group_becomes_classic_when_the_last_new_member_goes() {
    let mut world = world(&[("t", 4)]);
    let mut classics = classic_group(&mut world, 2);
    world.commit(commit_of(&classics[0])).unwrap().unwrap();
    let mut new = vec![Client::new("new", &["t"])];
    mixed(&mut world, &mut classics, &mut new);
    new[0].leave(&mut world, -1).unwrap();
    assert_eq!(kind(&mut world), GroupKind::Classic);
    assert_eq!(world.state("g"), GroupState::PreparingRebalance);
    assert_eq!(world.offset("g"), Some(7), "offsets stay");
    // Everybody joins again, and one of them leads.
    let joins: Vec<RequestId> = classics
        .iter()
        .map(|classic| world.join(classic.request()))
        .collect();
    let joined: Vec<Joined> = joins.iter().map(|id| world.joined(*id)).collect();
    assert_eq!(
        joined.iter().filter(|joined| joined.members.len() == 2).count(),
        1
    );
    let restarted = world.restarted(GroupConfig::default());
    assert_eq!(restarted.shard.durable(), world.shard.durable());
}

fn commit_of(classic: &Classic) -> CommitRequest {
    let mut commit = commit_request("g", 7);
    commit.generation = classic.generation;
    commit.member.clone_from(&classic.id);
    commit
}

#[test]
fn the_policy_can_forbid_each_direction() {
    for (policy, upgrades, downgrades) in [
        (MigrationPolicy::Disabled, false, false),
        (MigrationPolicy::Upgrade, true, false),
        (MigrationPolicy::Downgrade, false, true),
        (MigrationPolicy::Bidirectional, true, true),
    ] {
        let mut config = GroupConfig::default();
        config.consumer.migration = policy;
        let mut world = patient(&[("t", 4)], config);
        let mut classics = classic_group(&mut world, 1);
        let mut new = Client::new("new", &["t"]);
        let joined = new.beat(&mut world);
        assert_eq!(joined.is_ok(), upgrades, "{policy:?}");
        if !upgrades {
            assert_eq!(joined, Err(GroupError::NotOfKind(GroupKind::Consumer)));
            continue;
        }
        mixed(&mut world, &mut classics, std::slice::from_mut(&mut new));
        new.leave(&mut world, -1).unwrap();
        let after = if downgrades {
            GroupKind::Classic
        } else {
            GroupKind::Consumer
        };
        assert_eq!(kind(&mut world), after);
    }
}

#[test]
fn a_classic_group_that_is_none_of_consumers_stays_what_it_is() {
    let mut world = world(&[("t", 4)]);
    let mut connect = join_request("g");
    connect.protocol_type = "connect".into();
    connect.protocols = vec![protocol("default", Bytes::from_static(b"opaque"))];
    world.stable("g", vec![connect]);
    assert_eq!(
        Client::new("new", &["t"]).beat(&mut world),
        Err(GroupError::NotOfKind(GroupKind::Consumer))
    );
    assert_eq!(world.state("g"), GroupState::Stable);
}

#[test]
fn an_empty_group_takes_the_kind_of_whoever_joins() {
    let mut world = world(&[("t", 4)]);
    world.commit(commit_request("g", 7)).unwrap().unwrap();
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    assert_eq!(
        (kind(&mut world), world.offset("g")),
        (GroupKind::Consumer, Some(7))
    );
    client.leave(&mut world, -1).unwrap();
    let id = world.join(Classic::new().request());
    world.pass(Duration::from_secs(7));
    assert_eq!(world.joined(id).generation, 1);
    assert_eq!(
        (kind(&mut world), world.offset("g")),
        (GroupKind::Classic, Some(7))
    );
}

#[test]
fn members_of_the_classic_protocol_are_checked_in_a_consumer_group_too() {
    let mut world = world(&[("t", 4)]);
    let mut new = Client::new("new", &["t"]);
    new.beat(&mut world).unwrap();
    let mut other_type = Classic::new().request();
    other_type.protocol_type = "connect".into();
    let id = world.join(other_type);
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
    let mut asks = Classic::new().request();
    asks.member_id_required = true;
    let id = world.join(asks);
    assert_eq!(world.refused(id).error, GroupError::MemberIdRequired);
    let mut classic = Classic::new();
    classic.id = world.refused(id).member;
    assert!(classic.join(&mut world));
    let mut stranger = Classic::new().request();
    stranger.protocols = vec![protocol("range", embedded(&BTreeSet::new()))];
    let id = world.join(stranger);
    assert_eq!(world.refused(id).error, GroupError::InconsistentGroupProtocol);
    let mut wrong = classic.clone();
    wrong.generation += 1;
    assert_eq!(wrong.heartbeat(&mut world), Err(GroupError::IllegalGeneration));
    wrong.id = Some("new".into());
    assert_eq!(wrong.heartbeat(&mut world), Err(GroupError::UnknownMemberId));
    let mut commit = commit_of(&classic);
    commit.generation += 1;
    assert_eq!(world.commit(commit), Err(GroupError::IllegalGeneration));
}

#[test]
fn a_member_of_the_classic_protocol_that_does_not_join_again_goes() {
    let mut world = world(&[("t", 4)]);
    let mut classics = classic_group(&mut world, 1);
    let mut new = Client::new("new", &["t"]);
    new.beat(&mut world).unwrap();
    for _ in 0..12 {
        assert_eq!(
            classics[0].heartbeat(&mut world),
            Err(GroupError::RebalanceInProgress)
        );
        new.beat(&mut world).unwrap();
        world.pass(Duration::from_secs(5));
    }
    new.beat(&mut world).unwrap();
    assert_eq!(new.count(), 4);
    assert_eq!(
        classics[0].heartbeat(&mut world),
        Err(GroupError::UnknownMemberId)
    );
}

#[test]
fn a_static_member_may_come_back_with_the_other_protocol() {
    let mut world = world(&[("t", 4)]);
    let mut old = Classic::new();
    old.instance = Some("i".into());
    let id = world.join(old.request());
    world.pass(Duration::from_secs(7));
    let joined = world.joined(id);
    world.ask(Request::Sync(SyncRequest {
        group: "g".into(),
        generation: joined.generation,
        member: joined.member.clone(),
        instance: old.instance.clone(),
        protocol_type: None,
        protocol: None,
        assignments: vec![(joined.member.clone(), share(&[0, 1, 2, 3]))],
    }));
    let mut new = Client::fixed("new", "i", &["t"]);
    new.beat(&mut world).unwrap();
    assert_eq!(new.count(), 4);
    assert_eq!(described(&mut world).unwrap().members.len(), 1);
    // And back again: it is alone, so the group is classic with it.
    let again = world.join(old.request());
    let joined = world.joined(again);
    assert_eq!(kind(&mut world), GroupKind::Classic);
    assert!(joined.generation >= 1);
}

#[test]
fn members_that_leave_a_consumer_group_by_the_classic_protocol_are_gone_at_once() {
    let mut world = world(&[("t", 4)]);
    let mut classics = classic_group(&mut world, 2);
    let mut new = vec![Client::new("new", &["t"])];
    mixed(&mut world, &mut classics, &mut new);
    let leavers = vec![
        Leaver {
            member: classics[0].id.clone(),
            instance: None,
        },
        Leaver {
            member: Some("new".into()),
            instance: None,
        },
    ];
    let results = world.leave("g", leavers).unwrap();
    assert_eq!(results, [Ok(()), Err(GroupError::UnknownMemberId)]);
    mixed(&mut world, &mut classics[1..], &mut new);
    assert_eq!(classics[1].owned.len() + new[0].count(), 4);
}
