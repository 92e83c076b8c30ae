//! Subscriptions that follow the topics.

use super::client::*;
use crate::group::tests::harness::*;
use crate::group::*;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
fn new_partitions_reach_the_members() {
    let mut world = world(&[("t", 2)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    world.facts.put("t", 5, 1);
    world.step(Input::TopicsChanged);
    assert_eq!(described(&mut world).unwrap().state, GroupState::Assigning);
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 5);
}

#[test]
fn a_topic_that_comes_later_is_consumed_then_and_one_that_goes_is_not() {
    let mut world = world(&[]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 0);
    world.facts.put("t", 2, 1);
    world.facts.put("other", 2, 1);
    world.step(Input::TopicsChanged);
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 2);
    let epoch = client.epoch;
    world.facts.topics.lock().remove("other");
    world.step(Input::TopicsChanged);
    client.beat(&mut world).unwrap();
    assert_eq!(
        client.epoch, epoch,
        "a topic that nobody subscribes to concerns nobody"
    );
    world.facts.topics.lock().remove("t");
    world.step(Input::TopicsChanged);
    client.beat(&mut world).unwrap();
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 0);
}

#[test]
fn a_topic_that_was_made_anew_is_another_topic() {
    let mut world = world(&[("t", 2)]);
    let mut client = Client::new("a", &["t"]);
    client.beat(&mut world).unwrap();
    let before = client.owned.clone();
    world.facts.put("t", 2, 2);
    world.step(Input::TopicsChanged);
    settle(&mut world, std::slice::from_mut(&mut client));
    assert_eq!(client.count(), 2);
    assert!(client.owned.keys().ne(before.keys()));
}

#[test]
fn a_pattern_finds_topics_that_come_later() {
    let mut world = world(&[("abc", 1), ("x", 1)]);
    let mut client = Client::new("a", &["x"]);
    client.pattern = Some("ab.*".into());
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 2);
    world.facts.put("abd", 3, 1);
    world.facts.put("zabd", 3, 1);
    world.step(Input::TopicsChanged);
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 5);
    // The empty pattern takes the pattern back.
    let mut request = client.request();
    request.pattern = Some("".into());
    let id = world.ask(Request::ConsumerHeartbeat(request));
    client.learn(&outcome(&world, id).unwrap());
    client.adopt();
    settle(&mut world, std::slice::from_mut(&mut client));
    assert_eq!(client.count(), 1);
}

fn reader(name: &str) -> Option<PatternReader> {
    Some(PatternReader {
        principal: Arc::from(format!("User:{name}")),
        host: IpAddr::from([127, 0, 0, 1]),
    })
}

#[test]
fn a_pattern_finds_what_its_reader_may_see_also_after_a_restart() {
    let mut world = world(&[("ab", 1), ("secret-ab", 2)]);
    let secret = ("User:bob".to_owned(), "secret-ab".to_owned());
    world.facts.hidden.lock().insert(secret.clone());
    let mut clients = vec![Client::new("a", &[]), Client::new("b", &[])];
    for (client, name) in clients.iter_mut().zip(["alice", "bob"]) {
        client.pattern = Some(".*ab".into());
        client.reader = reader(name);
    }
    settle(&mut world, &mut clients);
    assert_eq!(clients[0].count() + clients[1].count(), 3);
    let ids = world.facts.topics.lock()["secret-ab"].id;
    assert_eq!(clients[0].owned[&ids].len(), 2, "only alice may see it");
    let mut restarted = world.restarted(quick());
    restarted.step(Input::TopicsChanged);
    let epoch = clients[0].epoch;
    assert_eq!(
        clients[0].beat(&mut restarted).unwrap().epoch,
        epoch,
        "nothing has changed"
    );
    // Bob is given the right: what he may see is looked at again.
    world.facts.hidden.lock().remove(&secret);
    world.step(Input::TopicsChanged);
    settle(&mut world, &mut clients);
    assert!(clients[0].epoch > epoch);
    let shares = [clients[0].count(), clients[1].count()];
    assert!(shares == [1, 2] || shares == [2, 1], "{shares:?}");
}

/// Alice and bob read one pattern; a topic is taken from the sight of one of them while the other goes on to see it.
fn two_readers() -> (World, Vec<Client>) {
    let mut world = world(&[("ab", 1), ("secret-ab", 2)]);
    let mut clients = vec![Client::new("a", &[]), Client::new("b", &[])];
    for (client, name) in clients.iter_mut().zip(["alice", "bob"]) {
        client.pattern = Some(".*ab".into());
        client.reader = reader(name);
    }
    settle(&mut world, &mut clients);
    (world, clients)
}

fn hide(world: &World, from: &str) {
    let secret = (format!("User:{from}"), "secret-ab".to_owned());
    world.facts.hidden.lock().insert(secret);
}

fn has_secret(world: &World, client: &Client) -> bool {
    client
        .owned
        .contains_key(&world.facts.topics.lock()["secret-ab"].id)
}

/// Whether a reader found something else than before was remembered in memory only: after the failed write the group was read anew,
/// found what it finds now, and saw no difference. Who had lost a right kept the topic.
#[test]
fn a_change_of_rights_whose_write_failed_is_seen_at_the_next_look() {
    let (mut world, mut clients) = two_readers();
    let reader = usize::from(has_secret(&world, &clients[1]));
    hide(&world, ["alice", "bob"][reader]);
    world.writes = Writes::Fail(PersistError::Unavailable);
    world.step(Input::TopicsChanged);
    assert_eq!(world.reloads, 1);
    world.writes = Writes::Succeed;
    world.step(Input::TopicsChanged);
    settle(&mut world, &mut clients);
    assert!(!has_secret(&world, &clients[reader]) && has_secret(&world, &clients[1 - reader]));
}

#[test]
fn a_change_of_rights_during_a_restart_is_seen_also_if_two_readers_change_places() {
    let (world, mut clients) = two_readers();
    let reader = usize::from(has_secret(&world, &clients[1]));
    hide(&world, ["alice", "bob"][reader]);
    let mut world = world.restarted(quick());
    world.step(Input::TopicsChanged);
    settle(&mut world, &mut clients);
    assert!(!has_secret(&world, &clients[reader]) && has_secret(&world, &clients[1 - reader]));
    world.facts.hidden.lock().clear();
    hide(&world, ["alice", "bob"][1 - reader]);
    let mut world = world.restarted(quick());
    world.step(Input::TopicsChanged);
    settle(&mut world, &mut clients);
    assert!(has_secret(&world, &clients[reader]) && !has_secret(&world, &clients[1 - reader]));
}

#[test]
fn a_pattern_is_matched_once_and_rights_are_asked_once_for_all_readers_whom_no_rule_tells_apart() {
    const TOPICS: usize = 50;
    let names: Vec<String> = (0..TOPICS).map(|number| format!("t{number}")).collect();
    let topics: Vec<_> = names.iter().map(|name| (&**name, 1)).collect();
    let mut world = world(&topics);
    let count = |world: &World| {
        let of = |count: &AtomicUsize| count.swap(0, Relaxed);
        (of(&world.facts.named), of(&world.facts.asked))
    };
    let mut clients = Vec::new();
    for number in 0..40_u8 {
        let mut client = Client::new(&format!("m{number}"), &[]);
        client.pattern = Some("t.*".into());
        client.reader = Some(PatternReader {
            principal: Arc::from(format!("User:{}", number / 10)),
            host: IpAddr::from([10, 0, 0, number]),
        });
        client.beat(&mut world).unwrap();
        clients.push(client);
    }
    assert_eq!(count(&world), (TOPICS, TOPICS), "no rule names anybody");
    world.step(Input::TopicsChanged);
    count(&world);
    world.step(Input::TopicsChanged);
    assert_eq!(count(&world), (0, 0), "nothing has changed");
    let hidden = ("User:1".to_owned(), "t7".to_owned());
    world.facts.hidden.lock().insert(hidden);
    world.step(Input::TopicsChanged);
    assert_eq!(
        count(&world),
        (0, 2 * TOPICS),
        "one principal differs from all others"
    );
    world.facts.put("t-new", 1, 1);
    world.step(Input::TopicsChanged);
    assert_eq!(count(&world), (TOPICS + 1, 2 * (TOPICS + 1)));
    settle(&mut world, &mut clients);
    assert_eq!(clients.iter().map(Client::count).sum::<usize>(), TOPICS + 1);
}

#[test]
fn a_member_that_speaks_for_somebody_else_sees_with_other_eyes() {
    let mut world = world(&[("ab", 1), ("secret-ab", 2)]);
    let secret = ("User:bob".to_owned(), "secret-ab".to_owned());
    world.facts.hidden.lock().insert(secret);
    let mut client = Client::new("a", &[]);
    client.pattern = Some(".*ab".into());
    client.reader = reader("alice");
    client.beat(&mut world).unwrap();
    assert_eq!(client.count(), 3);
    client.reader = reader("bob");
    settle(&mut world, std::slice::from_mut(&mut client));
    assert_eq!(client.count(), 1);
}

#[test]
fn version_two_of_a_member_keeps_its_bytes() {
    let mut member = ConsumerMember {
        instance: None,
        rack: None,
        client: ClientInfo {
            id: Arc::from("c"),
            host: Arc::from("h"),
        },
        rebalance_timeout_ms: 1,
        assignor: None,
        subscription: Arc::new(Subscription {
            names: [].into(),
            pattern: Some(Arc::from("p")),
            reader: reader("u"),
        }),
        classic: None,
    };
    let record = |member: &ConsumerMember| {
        let member = Some(Arc::new(member.clone()));
        Record::Consumer("g".into(), ConsumerRecord::Member("m".into(), member))
    };
    let encoded = record(&member).encode();
    let value = encoded.value.unwrap();
    let body = b"\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0c\x01\0\0\0h\x01\0\0\0\xff\xff\xff\xff\0\0\0\0\x01\0\0\0p\0";
    let who = b"\x06\0\0\0User:u\x09\0\0\x00127.0.0.1";
    assert_eq!(value[..], [&[2][..], body, who].concat());
    assert_eq!(Record::decode(&encoded.key, Some(&value)), Ok(record(&member)));
    // Where nobody asks who reads, it is version 1 as before.
    Arc::make_mut(&mut member.subscription).reader = None;
    let value = record(&member).encode().value.unwrap();
    assert_eq!(value[..], [&[1][..], body].concat());
    assert_eq!(Record::decode(&encoded.key, Some(&value)), Ok(record(&member)));
}

#[test]
fn a_pattern_that_is_none_is_refused_and_changes_nothing() {
    let mut world = world(&[("t", 1)]);
    let mut client = Client::new("a", &[]);
    client.pattern = Some("(".into());
    assert_eq!(client.beat(&mut world), Err(GroupError::InvalidRegularExpression));
    assert_eq!(described(&mut world), Err(GroupError::GroupIdNotFound));
    assert!(world.stream.is_empty());
}

#[test]
fn members_with_different_subscriptions_share_what_they_have_in_common() {
    let mut world = world(&[("t", 6), ("u", 2)]);
    let mut clients = vec![Client::new("a", &["t", "u"]), Client::new("b", &["t"])];
    settle(&mut world, &mut clients);
    assert_eq!((clients[0].count(), clients[1].count()), (4, 4));
}

#[test]
fn offsets_of_topics_that_members_consume_are_kept() {
    let mut world = world(&[("t", 1)]);
    Client::new("a", &["t"]).beat(&mut world).unwrap();
    let id = world.ask(Request::DeleteOffsets(DeleteOffsetsRequest {
        group: "g".into(),
        topics: vec![("t".into(), vec![0]), ("u".into(), vec![0])],
    }));
    let Answer::DeleteOffsets(Ok(deleted)) = &world.answers[&id] else {
        panic!("{:?}", world.answers[&id]);
    };
    assert_eq!(
        deleted[0].partitions,
        [(0, Err(GroupError::GroupSubscribedToTopic))]
    );
    assert_eq!(deleted[1].partitions, [(0, Ok(()))]);
}
