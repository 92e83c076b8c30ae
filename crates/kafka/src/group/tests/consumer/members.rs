//! Joining, staying, leaving, being missed.

use super::client::*;
use crate::group::tests::harness::*;
use crate::group::*;
use std::time::Duration;

#[test]
fn the_first_member_gets_everything_with_its_first_answer() {
    let mut world = world(&[("t", 3)]);
    let mut client = Client::new("a", &["t"]);
    let beaten = client.beat(&mut world).unwrap();
    assert_eq!((beaten.epoch, client.count()), (1, 3));
    assert_eq!(beaten.interval, Duration::from_secs(5));
    assert_eq!(
        world.state("g"),
        GroupState::Dead,
        "to members of the classic protocol it is no group"
    );
    let group = described(&mut world).unwrap();
    assert_eq!(
        (group.state, group.epoch, group.target_epoch),
        (GroupState::Stable, 1, 1)
    );
    assert_eq!(group.members[0].assigned, client.owned);
}

#[test]
fn a_heartbeat_without_news_writes_nothing_and_tells_no_assignment() {
    let mut world = world(&[("t", 3)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    let written = world.stream.len();
    let mut request = client.request();
    request.owned = None;
    let id = world.ask(Request::ConsumerHeartbeat(request));
    assert_eq!(outcome(&world, id).unwrap().assignment, None);
    assert_eq!(world.stream.len(), written);
}

#[test]
fn members_that_are_not_there_are_told_so() {
    let mut world = world(&[("t", 1)]);
    let mut client = Client::new("a", &["t"]);
    client.epoch = 5;
    assert_eq!(client.beat(&mut world), Err(GroupError::GroupIdNotFound));
    assert_eq!(
        client.clone().leave(&mut world, -1),
        Err(GroupError::GroupIdNotFound)
    );
    Client::new("b", &["t"]).beat(&mut world).unwrap();
    assert_eq!(client.beat(&mut world), Err(GroupError::UnknownMemberId));
    assert_eq!(client.leave(&mut world, -1), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_wrong_epoch_is_fenced_and_the_one_before_is_forgiven() {
    let mut world = world(&[("t", 2)]);
    let mut clients = [Client::new("a", &["t"]), Client::new("b", &["t"])];
    clients[0].beat(&mut world).unwrap();
    let before = clients[0].clone();
    settle(&mut world, &mut clients);
    let mut ahead = clients[0].clone();
    ahead.epoch += 1;
    assert_eq!(ahead.beat(&mut world), Err(GroupError::FencedMemberEpoch));
    // The answer with the new epoch was lost; but it says that it still has what is no longer its own.
    assert_eq!(
        before.clone().beat(&mut world),
        Err(GroupError::FencedMemberEpoch)
    );
    let mut smaller = before;
    smaller.owned.clone_from(&clients[0].owned);
    smaller.assigned.clone_from(&clients[0].owned);
    assert_eq!(smaller.beat(&mut world).unwrap().epoch, clients[0].epoch);
    let mut ancient = clients[0].clone();
    ancient.epoch = -3;
    assert_eq!(ancient.request().epoch, -3);
}

#[test]
fn a_member_that_begins_anew_keeps_its_place() {
    let mut world = world(&[("t", 4)]);
    let mut clients = [Client::new("a", &["t"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    let epoch = clients[0].epoch;
    clients[0].epoch = 0;
    clients[0].owned.clear();
    let beaten = clients[0].beat(&mut world).unwrap();
    assert_eq!((beaten.epoch, clients[0].count()), (epoch, 2));
}

#[test]
fn whoever_falls_silent_is_missed_and_its_partitions_go_to_the_others() {
    let mut world = world(&[("t", 4)]);
    let mut clients = vec![Client::new("a", &["t"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    for _ in 0..10 {
        world.pass(Duration::from_secs(5));
        clients[0].beat(&mut world).unwrap();
    }
    assert_eq!(clients[0].count(), 4);
    assert_eq!(clients[1].beat(&mut world), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_group_may_have_a_session_timeout_of_its_own() {
    let mut world = world(&[("t", 4)]);
    world.facts.overrides.lock().session_timeout = Some(Duration::from_secs(60));
    world.facts.overrides.lock().heartbeat_interval = Some(Duration::from_secs(10));
    let mut client = Client::new("a", &["t"]);
    assert_eq!(client.beat(&mut world).unwrap().interval, Duration::from_secs(10));
    world.pass(Duration::from_secs(59));
    assert!(client.beat(&mut world).is_ok());
    world.pass(Duration::from_secs(61));
    assert_eq!(client.beat(&mut world), Err(GroupError::UnknownMemberId));
}

#[test]
fn a_full_group_takes_nobody_in() {
    let mut config = quick();
    config.consumer.size_max = 1;
    let mut world = World::new(config);
    world.facts.put("t", 1, 1);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    assert_eq!(
        Client::new("b", &["t"]).beat(&mut world),
        Err(GroupError::GroupMaxSizeReached)
    );
    assert!(client.beat(&mut world).is_ok());
}

#[test]
fn the_last_to_leave_leaves_an_empty_group_with_its_offsets() {
    let mut world = world(&[("t", 1)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    let mut commit = commit_request("g", 7);
    commit.generation = client.epoch;
    commit.member = Some(client.id.clone());
    assert_eq!(world.commit(commit.clone()), Ok(Ok(())));
    commit.generation += 1;
    assert_eq!(world.commit(commit.clone()), Err(GroupError::StaleMemberEpoch));
    commit.member = Some("nobody".into());
    assert_eq!(world.commit(commit.clone()), Err(GroupError::UnknownMemberId));
    commit.generation = client.epoch;
    commit.member = Some(client.id.clone());
    commit.group_not_found_supported = false;
    assert_eq!(world.commit(commit), Err(GroupError::UnsupportedVersion));
    assert_eq!(world.delete("g"), Err(GroupError::NonEmptyGroup));
    assert_eq!(client.leave(&mut world, -1).unwrap().epoch, -1);
    assert_eq!(described(&mut world).unwrap().state, GroupState::Empty);
    assert_eq!(world.offset("g"), Some(7));
    assert_eq!(
        world.commit(commit_request("g", 8)),
        Ok(Ok(())),
        "an administrator may commit now"
    );
    assert_eq!(world.delete("g"), Ok(()));
    assert_eq!(described(&mut world), Err(GroupError::GroupIdNotFound));
    assert_eq!(world.restarted(quick()).shard.durable(), Default::default());
}

/// Members of consumer groups were once refused as of too old a version, so that no transaction could carry their offsets.
#[test]
fn a_transaction_carries_the_offsets_of_a_member_and_of_whoever_claims_nothing() {
    let mut world = world(&[("t", 1)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    let mut commit = commit_request("g", 7);
    commit.group_not_found_supported = false;
    commit.transaction = Some(OffsetProducer { id: 1, epoch: 0 });
    assert_eq!(world.commit(commit.clone()), Ok(Ok(())));
    commit.generation = client.epoch;
    commit.member = Some(client.id.clone());
    assert_eq!(world.commit(commit.clone()), Ok(Ok(())));
    commit.generation += 1;
    assert_eq!(world.commit(commit), Err(GroupError::StaleMemberEpoch));
}

#[test]
fn offsets_are_shown_to_members_of_the_present_epoch_and_to_whoever_claims_nothing() {
    let mut world = world(&[("t", 1)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    let mut fetch = |member: Option<&str>, member_epoch| {
        let id = world.ask(Request::Fetch(FetchRequest {
            group: "g".into(),
            member: member.map(MemberId::from),
            member_epoch,
            topics: None,
            require_stable: false,
        }));
        match &world.answers[&id] {
            Answer::Fetch(outcome) => outcome.as_ref().map(|_| ()).map_err(|error| *error),
            other => panic!("no fetch: {other:?}"),
        }
    };
    assert_eq!(fetch(None, -1), Ok(()));
    assert_eq!(fetch(Some("a"), 1), Ok(()));
    assert_eq!(fetch(Some("a"), 2), Err(GroupError::StaleMemberEpoch));
    assert_eq!(fetch(Some("b"), 1), Err(GroupError::UnknownMemberId));
}

#[test]
fn lists_show_the_kind_and_filter_by_it() {
    let mut world = world(&[("t", 1)]);
    Client::new("a", &["t"]).beat(&mut world).unwrap();
    world.commit(commit_request("classic", 1)).unwrap().unwrap();
    let mut list = |types: &[&str], states: &[&str]| {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let id = world.ask(Request::List(ListRequest {
            types: text(types),
            states: text(states),
        }));
        match &world.answers[&id] {
            Answer::List(listed) => listed
                .iter()
                .map(|group| (group.group.to_string(), group.kind.name(), group.state.name()))
                .collect::<Vec<_>>(),
            other => panic!("no list: {other:?}"),
        }
    };
    let consumer = ("g".to_owned(), "consumer", "Stable");
    assert_eq!(list(&["Consumer"], &[]), std::slice::from_ref(&consumer));
    assert_eq!(list(&[], &["stable"]), [consumer]);
    assert_eq!(
        list(&["classic"], &[]),
        [("classic".to_owned(), "classic", "Empty")]
    );
    assert_eq!(list(&[], &[]).len(), 2);
}
