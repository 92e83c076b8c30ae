//! Streams groups: members, epochs, tasks, and what a restart or a failed write leaves of them.

mod properties;
mod targets;

use super::harness::*;
use crate::group::*;
use millstream_broker::StreamsGroupSettings;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SESSION: Duration = Duration::from_secs(45);
const REBALANCE: Duration = Duration::from_secs(20);

/// Counts what is in "in": one part, with a changelog.
fn counting(epoch: i32) -> Arc<Topology> {
    let part = Subtopology {
        sources: [TopicName::from("in")].into(),
        changelogs: [(TopicName::from("log"), InternalTopic::default())].into(),
        ..Subtopology::default()
    };
    Arc::new(Topology {
        epoch,
        subtopologies: [("0".into(), part)].into(),
    })
}

fn beat(member: &str, epoch: i32) -> StreamsHeartbeat {
    let joins = epoch == 0;
    StreamsHeartbeat {
        group: "s".into(),
        member: member.into(),
        epoch,
        endpoints_epoch: 0,
        instance: None,
        rack: None,
        client: ClientInfo {
            id: Arc::from("client"),
            host: Arc::from("/127.0.0.1"),
        },
        rebalance_timeout_ms: joins.then(|| u32::try_from(REBALANCE.as_millis()).unwrap()),
        topology: joins.then(|| counting(0)),
        owned: joins.then(Tasks::default),
        process: joins.then(|| Arc::from(format!("process of {member}"))),
        endpoint: joins.then(|| (Arc::from(member), 1)),
        tags: joins.then(BTreeMap::new),
        shuts_down: false,
        terms: StreamsGroupSettings {
            session_timeout: SESSION,
            heartbeat_interval: Duration::from_secs(5),
            size_max: 4,
            standby_replicas: 0,
            initial_delay: Duration::ZERO,
            assignment_interval: Duration::ZERO,
        },
    }
}

fn ask(world: &mut World, beat: StreamsHeartbeat) -> Result<StreamsBeaten, GroupError> {
    let id = world.ask(Request::StreamsHeartbeat(Box::new(beat)));
    match &world.answers[&id] {
        Answer::StreamsHeartbeat(outcome) => outcome.clone(),
        other => panic!("{other:?}"),
    }
}

fn describe(world: &mut World) -> DescribedStreamsGroup {
    let id = world.ask(Request::DescribeStreams("s".into()));
    match &world.answers[&id] {
        Answer::DescribeStreams(outcome) => outcome.clone().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn active(tasks: &Tasks) -> Vec<i32> {
    tasks.active.iter().map(|task| task.partition).collect()
}

/// A member as its client has it: it confirms at once what it is told.
struct Member {
    id: &'static str,
    epoch: i32,
    has: Tasks,
}

impl Member {
    fn new(id: &'static str) -> Self {
        Self {
            id,
            epoch: 0,
            has: Tasks::default(),
        }
    }

    fn beat(&mut self, world: &mut World) -> StreamsBeaten {
        self.beat_with(world, |_| {})
    }

    fn beat_with(&mut self, world: &mut World, change: impl Fn(&mut StreamsHeartbeat)) -> StreamsBeaten {
        let mut next = beat(self.id, self.epoch);
        next.owned = Some(self.has.clone());
        change(&mut next);
        let told = ask(world, next).unwrap();
        self.epoch = told.epoch;
        if let Some(tasks) = &told.assignment {
            self.has = tasks.clone();
        }
        told
    }
}

/// The topics, and a group in which everybody has what he is to have.
fn settled(ids: &[&'static str]) -> (World, Vec<Member>) {
    let mut world = World::new(quick());
    world.facts.put("in", 4, 1);
    world.facts.put("log", 4, 1);
    let mut members: Vec<Member> = ids.iter().map(|id| Member::new(id)).collect();
    settle(&mut world, &mut members, |_| {});
    (world, members)
}

fn settle(world: &mut World, members: &mut [Member], change: impl Fn(&mut StreamsHeartbeat)) {
    for _ in 0..8 {
        for member in &mut *members {
            member.beat_with(world, &change);
        }
    }
    assert_eq!(describe(world).state, GroupState::Stable);
}

#[test]
fn an_application_gets_its_tasks_when_its_topics_are_there() {
    let mut world = World::new(quick());
    let mut member = Member::new("a");
    let told = member.beat(&mut world);
    assert_eq!(told.statuses[0].0, StreamsStatus::MissingSourceTopics);
    assert_eq!(describe(&mut world).state, GroupState::NotReady);
    world.facts.put("in", 4, 1);
    let told = member.beat(&mut world);
    assert_eq!(told.statuses[0].0, StreamsStatus::MissingInternalTopics);
    let missing = &told.missing[0];
    assert_eq!((missing.name.as_str(), missing.topic.partitions), ("log", 4));
    world.facts.put("log", 4, 1);
    let told = member.beat(&mut world);
    assert!(told.statuses.is_empty() && told.missing.is_empty());
    assert_eq!(active(&member.has), [0, 1, 2, 3]);
    assert_eq!(describe(&mut world).state, GroupState::Stable);
    let again = ask(&mut world, beat("a", member.epoch)).unwrap();
    assert_eq!(again.assignment, None, "no news");
}

#[test]
fn a_task_is_given_back_before_it_is_given_on() {
    let (mut world, mut members) = settled(&["a"]);
    let mut newcomer = Member::new("b");
    newcomer.beat(&mut world);
    assert!(newcomer.has.is_empty(), "all of it is still the other's");
    let slow = ask(&mut world, beat("a", members[0].epoch)).unwrap();
    let kept = active(slow.assignment.as_ref().expect("it is to give back"));
    assert_eq!((slow.epoch, kept.len()), (members[0].epoch, 2));
    newcomer.beat(&mut world);
    assert!(newcomer.has.is_empty(), "nothing was confirmed");
    members[0].has = slow.assignment.unwrap();
    let told = members[0].beat(&mut world);
    assert!(told.epoch > slow.epoch);
    newcomer.beat(&mut world);
    assert_eq!(active(&newcomer.has).len(), 2);
    assert_eq!(describe(&mut world).state, GroupState::Stable);
}

#[test]
fn who_does_not_give_back_in_time_goes_and_so_does_who_falls_silent() {
    let (mut world, members) = settled(&["a"]);
    let mut newcomer = Member::new("b");
    newcomer.beat(&mut world);
    ask(&mut world, beat("a", members[0].epoch)).unwrap();
    world.pass(REBALANCE);
    newcomer.beat(&mut world);
    assert_eq!(active(&newcomer.has).len(), 4);
    let gone = ask(&mut world, beat("a", members[0].epoch));
    assert_eq!(gone.unwrap_err(), GroupError::UnknownMemberId);
    world.pass(SESSION);
    assert_eq!(describe(&mut world).state, GroupState::Empty);
}

#[test]
fn the_first_assignment_waits_for_more_members() {
    let mut world = World::new(quick());
    world.facts.put("in", 4, 1);
    world.facts.put("log", 4, 1);
    let delayed = |beat: &mut StreamsHeartbeat| beat.terms.initial_delay = Duration::from_secs(3);
    let mut members = [Member::new("a"), Member::new("b")];
    for member in &mut members {
        let told = member.beat_with(&mut world, delayed);
        assert_eq!(told.statuses[0].0, StreamsStatus::AssignmentDelayed);
        assert!(told.epoch > 0 && member.has.is_empty());
    }
    assert_eq!(describe(&mut world).state, GroupState::Assigning);
    world.pass(Duration::from_secs(3));
    for member in &mut members {
        assert!(member.beat_with(&mut world, delayed).statuses.is_empty());
        assert_eq!(active(&member.has).len(), 2);
    }
}

#[test]
fn copies_of_state_follow_the_groups_setting() {
    let (mut world, mut members) = settled(&["a", "b"]);
    assert!(members.iter().all(|member| member.has.standby.is_empty()));
    settle(&mut world, &mut members, |beat| beat.terms.standby_replicas = 1);
    let (a, b) = (&members[0].has, &members[1].has);
    assert_eq!((&a.active, &b.active), (&b.standby, &a.standby));
}

#[test]
fn epochs_are_held_to_what_was_told() {
    let (mut world, members) = settled(&["a"]);
    let epoch = members[0].epoch;
    let stranger = ask(&mut world, beat("x", 1));
    assert_eq!(stranger.unwrap_err(), GroupError::UnknownMemberId);
    let early = ask(&mut world, beat("a", epoch + 1));
    assert_eq!(early.unwrap_err(), GroupError::FencedMemberEpoch);
    world.facts.put("in", 4, 2);
    let told = ask(&mut world, beat("a", epoch)).unwrap();
    assert_eq!(told.epoch, epoch + 1);
    // The answer was lost: the member speaks of the epoch before, with what it has.
    let mut repeated = beat("a", epoch);
    repeated.owned = Some(members[0].has.clone());
    assert_eq!(ask(&mut world, repeated).unwrap().epoch, epoch + 1);
    let unproven = ask(&mut world, beat("a", epoch));
    assert_eq!(unproven.unwrap_err(), GroupError::FencedMemberEpoch);
    let left = ask(&mut world, beat("a", -1)).unwrap();
    assert_eq!(left.epoch, -1);
    for member in ["b", "c", "d", "e"] {
        ask(&mut world, beat(member, 0)).unwrap();
    }
    let full = ask(&mut world, beat("f", 0));
    assert_eq!(full.unwrap_err(), GroupError::GroupMaxSizeReached);
}

#[test]
fn another_topology_waits_until_nobody_runs_the_present_one() {
    let (mut world, mut members) = settled(&["a"]);
    let newer = |beat: &mut StreamsHeartbeat| beat.topology = Some(counting(1));
    let mut joins = beat("b", 0);
    newer(&mut joins);
    let refused = ask(&mut world, joins);
    assert_eq!(refused.unwrap_err(), GroupError::TopologyUpdate);
    ask(&mut world, beat("a", -1)).unwrap();
    members[0] = Member::new("a");
    members[0].beat_with(&mut world, newer);
    let stale = ask(&mut world, beat("b", 0)).unwrap();
    assert_eq!(stale.statuses[0].0, StreamsStatus::StaleTopology);
}

#[test]
fn one_member_ends_the_application_for_all() {
    let (mut world, mut members) = settled(&["a", "b"]);
    members[0].beat_with(&mut world, |beat| beat.shuts_down = true);
    let told = members[1].beat(&mut world);
    assert_eq!(told.statuses[0].0, StreamsStatus::ShutdownApplication);
    for id in ["a", "b"] {
        ask(&mut world, beat(id, -1)).unwrap();
    }
    assert!(ask(&mut world, beat("a", 0)).unwrap().statuses.is_empty());
}

#[test]
fn endpoints_are_told_when_they_have_changed() {
    let (mut world, mut members) = settled(&["a", "b"]);
    let told = members[0].beat(&mut world);
    let rows = told.endpoints.expect("it knows none");
    let partitions: Vec<usize> = rows
        .iter()
        .map(|row| row.active[&TopicName::from("in")].len())
        .collect();
    assert_eq!(partitions, [2, 2]);
    let version = told.endpoints_epoch;
    let again = members[0].beat_with(&mut world, |beat| beat.endpoints_epoch = version);
    assert_eq!((again.endpoints, again.endpoints_epoch), (None, version));
    ask(&mut world, beat("b", -1)).unwrap();
    let told = members[0].beat_with(&mut world, |beat| beat.endpoints_epoch = version);
    assert!(told.endpoints_epoch != version && told.endpoints.is_some_and(|rows| rows.len() == 1));
}

fn commit(world: &mut World, member: &str, epoch: i32, partition: i32) -> Result<(), GroupError> {
    let mut request = commit_request("s", 7);
    request.member = Some(member.into());
    request.generation = epoch;
    request.topics[0].topic = "in".into();
    request.topics[0].partitions[0].partition = partition;
    world.commit(request).map(|_| ())
}

#[test]
fn a_member_commits_for_tasks_that_it_has_had_since_the_epoch_it_names() {
    let (mut world, mut members) = settled(&["a"]);
    let before = members[0].epoch;
    members.push(Member::new("b"));
    settle(&mut world, &mut members, |_| {});
    let kept = active(&members[0].has)[0];
    let moved = active(&members[1].has)[0];
    let now = members[0].epoch;
    assert!(now > before);
    assert_eq!(commit(&mut world, "a", now, kept), Ok(()));
    assert_eq!(
        commit(&mut world, "a", before, kept),
        Ok(()),
        "it was its own all the time"
    );
    let stale = Err(GroupError::StaleMemberEpoch);
    assert_eq!(commit(&mut world, "a", before, moved), stale);
    assert_eq!(commit(&mut world, "b", before, moved), stale);
    assert_eq!(commit(&mut world, "a", now + 1, kept), stale);
    let stranger = commit(&mut world, "x", now, kept);
    assert_eq!(stranger, Err(GroupError::UnknownMemberId));
}

#[test]
fn a_restart_finds_the_group_as_it_was_told() {
    let (mut world, mut members) = settled(&["a", "b"]);
    let before = describe(&mut world);
    let mut world = world.restarted(quick());
    assert_eq!(describe(&mut world), before);
    for member in &mut members {
        let (epoch, has) = (member.epoch, member.has.clone());
        member.beat(&mut world);
        assert_eq!((member.epoch, &member.has), (epoch, &has), "nobody is disturbed");
    }
    world.pass(SESSION);
    assert_eq!(describe(&mut world).state, GroupState::Empty);
}

#[test]
fn a_failed_write_is_no_join() {
    let (mut world, mut members) = settled(&["a"]);
    world.writes = Writes::Fail(PersistError::Unavailable);
    let refused = ask(&mut world, beat("b", 0));
    assert_eq!(refused.unwrap_err(), GroupError::CoordinatorNotAvailable);
    world.writes = Writes::Succeed;
    members[0].beat(&mut world);
    assert_eq!(describe(&mut world).members.len(), 1);
}

#[test]
fn an_application_changes_its_protocol_by_stopping_and_starting() {
    let mut world = World::new(quick());
    world.facts.put("in", 4, 1);
    world.facts.put("log", 4, 1);
    world.commit(commit_request("s", 5)).unwrap().unwrap();
    let mut member = Member::new("a");
    member.beat(&mut world);
    assert_eq!((active(&member.has).len(), world.offset("s")), (4, Some(5)));
    let mut join = join_request("s");
    join.protocol_type = "stream".into();
    let refused = world.join(join.clone());
    assert_eq!(
        world.refused(refused).error,
        GroupError::InconsistentGroupProtocol
    );
    assert_eq!(world.delete("s"), Err(GroupError::NonEmptyGroup));
    ask(&mut world, beat("a", -1)).unwrap();
    let joined = world.join(join);
    world.pass(Duration::from_secs(6));
    world.joined(joined);
    assert_eq!(world.offset("s"), Some(5));
}

#[test]
fn a_heartbeat_that_is_refused_leaves_a_group_its_kind() {
    let mut world = World::new(quick());
    world.commit(commit_request("s", 5)).unwrap().unwrap();
    let mut joins = beat("a", 0);
    joins.topology = Some(Arc::new(Topology {
        epoch: 0,
        subtopologies: [("0".into(), Subtopology::default())].into(),
    }));
    let refused = ask(&mut world, joins);
    assert!(matches!(refused, Err(GroupError::InvalidTopology(_))));
    let id = world.ask(Request::DescribeStreams("s".into()));
    let other = Answer::DescribeStreams(Err(GroupError::NotOfKind(GroupKind::Streams)));
    assert_eq!(world.answers[&id], other);
    ask(&mut world, beat("a", 0)).unwrap();
    assert_eq!(
        (describe(&mut world).members.len(), world.offset("s")),
        (1, Some(5))
    );
}

#[test]
fn an_empty_group_is_deleted_with_all_it_holds() {
    let (mut world, _) = settled(&["a"]);
    assert_eq!(world.delete("s"), Err(GroupError::NonEmptyGroup));
    ask(&mut world, beat("a", -1)).unwrap();
    assert_eq!(world.delete("s"), Ok(()));
    let mut again = world.restarted(quick());
    assert_eq!(again.delete("s"), Err(GroupError::GroupIdNotFound));
}

#[test]
fn version_one_of_the_streams_records_keeps_its_bytes() {
    let task = Task {
        subtopology: "0".into(),
        partition: 2,
    };
    let current = StreamsCurrent {
        epoch: 3,
        previous_epoch: 2,
        assigned: Tasks {
            active: [task.clone()].into(),
            ..Tasks::default()
        },
        since: [(task, 3)].into(),
        ..StreamsCurrent::default()
    };
    let records = [
        StreamsRecord::Epoch(Some(StreamsEpoch {
            epoch: 3,
            topics: 5,
            standby_replicas: 1,
        })),
        StreamsRecord::Topology(Some(counting(2))),
        StreamsRecord::TargetEpoch(Some(3)),
        StreamsRecord::Target("m".into(), Some(Arc::new(current.assigned.clone()))),
        StreamsRecord::Current("m".into(), Some(Arc::new(current))),
        StreamsRecord::Current("m".into(), None),
    ];
    let mut bytes = Vec::new();
    for record in records {
        let record = Record::Streams("g".into(), record);
        let encoded = record.encode();
        assert_eq!(Record::decode(&encoded.key, encoded.value.as_deref()), Ok(record));
        bytes.push(encoded);
    }
    assert_eq!(&bytes[0].key[..], b"\x30\x01\0\0\0g");
    assert_eq!(
        bytes[0].value.as_deref(),
        Some(&b"\x01\x03\0\0\0\x05\0\0\0\0\0\0\0\x01\0\0\0"[..])
    );
    assert_eq!(&bytes[4].key[..], b"\x35\x01\0\0\0g\x01\0\0\0m");
    let task = b"\x01\0\0\0\x30\x02\0\0\0";
    let none = b"\0\0\0\0";
    let one = b"\x01\0\0\0";
    let parts: [&[u8]; 12] = [
        b"\x01\x03\0\0\0\x02\0\0\0\0",
        one,
        task,
        none,
        none,
        none,
        none,
        none,
        one,
        task,
        b"\x03\0\0\0",
        b"",
    ];
    assert_eq!(bytes[4].value.as_deref(), Some(&parts.concat()[..]));
}
