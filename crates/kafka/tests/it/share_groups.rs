//! Share groups with settings of their own: where they begin, dead letters, what they are shown of transactions; and what is left when a
//! topic or a group goes.

use crate::harness::Server;
use crate::requests::*;
use crate::share::*;
use crate::transactions;
use bytes::Bytes;
use millstream_broker::Dry;
use millstream_broker::configs::alter::ConfigChange;
use millstream_broker::queue::Space;
use millstream_broker::testing::{BatchBuilder, Codec, StoredBatch, batch, batch_of, batch_with};
use millstream_kafka_wire::alter_share_group_offsets::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use millstream_kafka_wire::describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup;
use millstream_kafka_wire::*;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

async fn configure(server: &Server, settings: &[(&str, &str)]) {
    configure_group(server, "g", settings).await;
}

async fn configure_group(server: &Server, group: &str, settings: &[(&str, &str)]) {
    let set = |(name, value): &(&str, &str)| ((*name).to_owned(), ConfigChange::Set((*value).to_owned()));
    let changes: Vec<_> = settings.iter().map(set).collect();
    let altered = server.broker.alter_group_configs(group, &changes, Dry::Run).await;
    altered.expect("the settings are good");
}

/// Key, value and headers of everything in a partition.
type Letter = (Option<String>, Option<String>, BTreeMap<String, String>);

async fn letters(server: &Server, topic: &str, count: usize) -> Vec<Letter> {
    let mut client = server.connect();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let mut request = fetch(topic, Uuid::ZERO, &[(0, 0)]);
    request.max_wait_ms = 60_000;
    loop {
        let response = client.call(FETCH_BY_NAME, &request).await;
        let records = fetched(&response)[0].records.clone().unwrap_or_default();
        let mut found = Vec::new();
        for split in records
            .chunks()
            .cloned()
            .flat_map(|chunk: Bytes| batch::split(chunk))
        {
            let (_, bytes) = split.expect("whole batches");
            let records = StoredBatch::verify(bytes)
                .expect("valid")
                .records(1 << 20)
                .expect("they open");
            for record in &records {
                let record = record.expect("a record");
                let headers = record.headers();
                let headers = headers.map(|(name, value)| (text(name), text(value.unwrap_or_default())));
                found.push((record.key.map(text), record.value.map(text), headers.collect()));
            }
        }
        if found.len() >= count {
            return found;
        }
        request.min_bytes = i32::try_from(records.len() + 1).expect("small");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_begins_where_its_setting_says() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    fill(&server, 0).await;
    configure(&server, &[("share.auto.offset.reset", "earliest")]).await;
    let (_, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [(0, 49, 1)]);
    // What has begun goes on where it is.
    configure(&server, &[("share.auto.offset.reset", "by_duration:PT1H")]).await;
    server.topic("u", 1, &[]).await;
    let (_, response) = Member::join(&server, "two", "u", &[0]).await;
    assert_eq!(acquired(&response), []);
}

#[tokio::test(start_paused = true)]
async fn rejected_records_and_those_that_came_back_too_often_are_dead_letters_before_they_are_done() {
    let mut server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let open = [("errors.deadletterqueue.group.enable", "true")];
    server.topic("dlq.t", 1, &open).await;
    let settings = [
        ("errors.deadletterqueue.topic.name", "dlq.t"),
        ("errors.deadletterqueue.copy.record.enable", "true"),
        ("share.delivery.count.limit", "2"),
        ("share.auto.offset.reset", "earliest"),
    ];
    configure(&server, &settings).await;
    fill(&server, 0).await;
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [(0, 49, 1)]);
    let acks = [(0, 1, RELEASE), (2, 2, REJECT), (3, 49, ACCEPT)];
    assert_eq!(one.acknowledge(0, &acks).await, 0);
    assert_eq!(one.fetch().await, [(0, 1, 2)]);
    assert_eq!(one.acknowledge(0, &[(0, 1, RELEASE)]).await, 0);
    let found = letters(&server, "dlq.t", 3).await;
    let values: Vec<_> = found
        .iter()
        .map(|(_, value, _)| value.clone().expect("copied"))
        .collect();
    assert_eq!(values, ["0/2", "0/0", "0/1"]);
    let header = |at: usize, name: &str| found[at].2[&format!("__dlq.errors.{name}")].clone();
    assert_eq!(
        (header(0, "topic"), header(0, "partition"), header(0, "offset")),
        ("t".into(), "0".into(), "2".into())
    );
    assert_eq!(
        (header(0, "group"), header(0, "delivery.count")),
        ("g".into(), "1".into())
    );
    assert_eq!(header(0, "message"), "Offset rejected by client.");
    assert_eq!(
        header(2, "message"),
        "Offset delivery count exceeded the threshold."
    );
    // Killed: what is buried stays so.
    server.world.disk.kill();
    server.reopen().await;
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), []);
    let nothing = one.fetch_with(&[], |request| request.max_wait_ms = 1_000).await;
    assert_eq!(acquired(&nothing), []);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_wait_for_their_topic_and_are_not_lost() {
    let server = Server::with(&[("errors.deadletterqueue.auto.create.topics.enable", "true")]).await;
    server.topic("t", 1, &[]).await;
    let settings = [
        ("errors.deadletterqueue.topic.name", "dlq.later"),
        ("share.auto.offset.reset", "earliest"),
    ];
    configure(&server, &settings).await;
    fill(&server, 0).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(one.acknowledge(0, &[(0, 0, REJECT)]).await, 0);
    // Made by the broker, and without the record itself, as nobody asked for a copy.
    let found = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if server.broker.topic("dlq.later").is_some() {
            break letters(&server, "dlq.later", 1).await;
        }
    };
    assert_eq!((&found[0].0, &found[0].1), (&None, &None));
    assert_eq!(found[0].2["__dlq.errors.offset"], "0");
}

#[tokio::test(start_paused = true)]
async fn read_committed_groups_are_shown_no_aborted_record_and_nobody_a_marker() {
    let server = transactions::server().await;
    let settings = [
        ("share.isolation.level", "read_committed"),
        ("share.auto.offset.reset", "earliest"),
    ];
    configure(&server, &settings).await;
    let mut client = server.connect();
    let who = transactions::init(&mut client, None).await.expect("a producer");
    transactions::send(&mut client, who, 0, &[0], &["a", "b"]).await;
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [], "the transaction is open");
    let who = transactions::end(&mut client, transactions::NEWER, who, false)
        .await
        .expect("aborted");
    transactions::send(&mut client, who, 0, &[0], &["c"]).await;
    transactions::end(&mut client, transactions::NEWER, who, true)
        .await
        .expect("committed");
    // 0 and 1 were aborted, 2 is the marker, 3 is what counts, 4 is another marker.
    assert_eq!(one.fetch().await, [(3, 3, 1)]);
    assert_eq!(one.acknowledge(0, &[(3, 3, ACCEPT)]).await, 0);
}

#[tokio::test(start_paused = true)]
async fn offsets_are_described_moved_and_forgotten_with_their_topic() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    configure(&server, &[("share.auto.offset.reset", "earliest")]).await;
    fill(&server, 0).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(one.acknowledge(0, &[(0, 9, ACCEPT), (20, 29, ACCEPT)]).await, 0);
    let mut client = server.connect();
    let describe = DescribeShareGroupOffsetsRequest {
        groups: vec![DescribeShareGroupOffsetsRequestGroup {
            group_id: Str::from_static("g"),
            topics: None,
        }],
    };
    let described = client.ask(&describe).await;
    let partition = &described.groups[0].topics[0].partitions[0];
    assert_eq!(
        (partition.start_offset, partition.lag),
        (10, 30),
        "holes that are done are no lag"
    );
    let alter = AlterShareGroupOffsetsRequest {
        group_id: Str::from_static("g"),
        topics: vec![AlterShareGroupOffsetsRequestTopic {
            topic_name: Str::from_static("t"),
            partitions: vec![AlterShareGroupOffsetsRequestPartition {
                partition_index: 0,
                start_offset: 45,
            }],
        }],
    };
    let mut beat = ShareGroupHeartbeatRequest {
        group_id: Str::from_static("g"),
        member_id: Str::from_static("one"),
        subscribed_topic_names: Some(vec![Str::from_static("t")]),
        ..Default::default()
    };
    assert_eq!(client.ask(&beat).await.error_code, 0);
    assert_eq!(client.ask(&alter).await.error_code, ErrorCode::NON_EMPTY_GROUP.0);
    beat.member_epoch = -1;
    beat.subscribed_topic_names = None;
    assert_eq!(client.ask(&beat).await.error_code, 0);
    assert_eq!(client.ask(&alter).await.responses[0].partitions[0].error_code, 0);
    assert_eq!(one.fetch().await, [(45, 49, 1)]);
    let mut delete = DeleteTopicsRequest::default();
    delete.topics.push(delete_topics::DeleteTopicState {
        name: Some(Str::from_static("t")),
        ..Default::default()
    });
    assert_eq!(client.ask(&delete).await.responses[0].error_code, 0);
    server.topic("t", 1, &[]).await;
    let produced = client
        .call(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["new"])))
        .await;
    assert_eq!(crate::requests::produced(&produced).error_code, 0);
    let (_, response) = Member::join(&server, "two", "t", &[0]).await;
    assert_eq!(
        acquired(&response),
        [(0, 0, 1)],
        "a topic of the same name is another one"
    );
}

#[tokio::test(start_paused = true)]
async fn where_a_group_begins_can_be_said_before_it_is_there() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    fill(&server, 0).await;
    let mut client = server.connect();
    let mut alter = AlterShareGroupOffsetsRequest {
        group_id: Str::from_static("g"),
        topics: vec![AlterShareGroupOffsetsRequestTopic {
            topic_name: Str::from_static("t"),
            partitions: vec![AlterShareGroupOffsetsRequestPartition {
                partition_index: 0,
                start_offset: 45,
            }],
        }],
    };
    let answer = client.ask(&alter).await;
    assert_eq!(
        (answer.error_code, answer.responses[0].partitions[0].error_code),
        (0, 0)
    );
    let describe = ShareGroupDescribeRequest {
        group_ids: vec![Str::from_static("g")],
        ..Default::default()
    };
    let described = client.ask(&describe).await;
    let group = &described.groups[0];
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Empty"));
    let (_, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [(45, 49, 1)]);
    // A name that a group of another kind has is not taken from it.
    let commit = OffsetCommitRequest {
        group_id: Str::from_static("classic"),
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: Str::from_static("t"),
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                committed_offset: 3,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(
        client.call(8, &commit).await.topics[0].partitions[0].error_code,
        0
    );
    alter.group_id = Str::from_static("classic");
    assert_eq!(
        client.ask(&alter).await.error_code,
        ErrorCode::GROUP_ID_NOT_FOUND.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_only_where_something_can_be_altered() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let alter = |group: &'static str, partitions: &[(&'static str, i32, i64)]| {
        let topic = |&(name, partition_index, start_offset): &(&'static str, i32, i64)| {
            AlterShareGroupOffsetsRequestTopic {
                topic_name: Str::from_static(name),
                partitions: vec![AlterShareGroupOffsetsRequestPartition {
                    partition_index,
                    start_offset,
                }],
            }
        };
        AlterShareGroupOffsetsRequest {
            group_id: Str::from_static(group),
            topics: partitions.iter().map(topic).collect(),
        }
    };
    let nameless = client.ask(&alter("", &[("t", 0, 0)])).await;
    assert_eq!(nameless.error_code, ErrorCode::INVALID_GROUP_ID.0);
    let empty = client.ask(&alter("g", &[])).await;
    assert_eq!((empty.error_code, empty.responses.len()), (0, 0));
    let none = [("missing", 0, 0), ("t", 1, 0), ("t", -1, 0), ("t", 0, -1)];
    let answer = client.ask(&alter("g", &none)).await;
    assert_eq!(answer.error_code, 0);
    let codes = answer
        .responses
        .iter()
        .map(|topic| topic.partitions[0].error_code);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    let expected = [unknown, unknown, unknown, ErrorCode::INVALID_REQUEST.0];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
    let describe = ShareGroupDescribeRequest {
        group_ids: ["", "g"].map(Str::from_static).to_vec(),
        ..Default::default()
    };
    for group in client.ask(&describe).await.groups {
        assert_ne!(group.error_code, 0, "{:?} was made", group.group_id);
    }
    let some = client.ask(&alter("g", &[("t", 0, 0), ("missing", 0, 0)])).await;
    let codes = some.responses.iter().map(|topic| topic.partitions[0].error_code);
    assert_eq!(codes.collect::<Vec<_>>(), [0, unknown]);
    assert_eq!(client.ask(&describe).await.groups[1].error_code, 0);
}

/// A topic that cannot be made: its name is too long.
fn impossible_topic() -> String {
    format!("dlq.{}", "x".repeat(250))
}

#[tokio::test(start_paused = true)]
async fn dead_letters_that_cannot_be_written_hold_up_their_group_for_some_attempts_only() {
    let server = Server::with(&[("errors.deadletterqueue.auto.create.topics.enable", "true")]).await;
    server.topic("t", 1, &[]).await;
    let settings = [
        ("errors.deadletterqueue.topic.name", &*impossible_topic()),
        ("share.auto.offset.reset", "earliest"),
        ("share.partition.max.record.locks", "100"),
    ];
    configure(&server, &settings).await;
    for _ in 0..3 {
        fill(&server, 0).await;
    }
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [(0, 99, 1)], "all that may be out");
    let begun = Instant::now();
    assert_eq!(one.acknowledge(0, &[(0, 99, REJECT)]).await, 0);
    let nothing = one.fetch_with(&[], |request| request.max_wait_ms = 5_000).await;
    assert_eq!(acquired(&nothing), [], "their letters are tried again");
    assert_eq!(one.fetch().await, [(100, 149, 1)]);
    let waited = begun.elapsed();
    assert!((10..30).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(server.kafka.shares.queues.letters().lost, 100);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_its_topic_refuses_is_given_up_at_once_and_the_others_are_written() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let open = [
        ("errors.deadletterqueue.group.enable", "true"),
        ("cleanup.policy", "compact"),
    ];
    server.topic("dlq.t", 1, &open).await;
    let settings = [
        ("errors.deadletterqueue.topic.name", "dlq.t"),
        ("errors.deadletterqueue.copy.record.enable", "true"),
        ("share.auto.offset.reset", "earliest"),
    ];
    configure(&server, &settings).await;
    let mut client = server.connect();
    // A compacted topic takes no record without a key.
    let records = [(None, "a"), (Some("k"), "b"), (None, "c")];
    let batch = batch_with(BatchBuilder::new(Codec::None), &records);
    let response = client.call(PRODUCE_BY_NAME, &produce("t", 0, batch)).await;
    assert_eq!(produced(&response).error_code, 0);
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [(0, 2, 1)]);
    assert_eq!(one.acknowledge(0, &[(0, 2, REJECT)]).await, 0);
    let found = letters(&server, "dlq.t", 1).await;
    assert_eq!(
        (found[0].0.as_deref(), found[0].1.as_deref()),
        (Some("k"), Some("b"))
    );
    // The log is told too, and a page.
    let counts = loop {
        let counts = server.kafka.shares.queues.letters();
        if counts.written + counts.lost == 3 {
            break counts;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((counts.written, counts.lost), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_without_a_topic_that_may_take_them_are_counted_and_their_records_are_done() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    server.topic("dlq.closed", 1, &[]).await;
    fill(&server, 0).await;
    configure(&server, &[("share.auto.offset.reset", "earliest")]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    for (lost, topic) in [(1, "dlq.closed"), (2, "dlq.missing"), (3, "not-so-named")] {
        configure(&server, &[("errors.deadletterqueue.topic.name", topic)]).await;
        let offset = lost as i64 - 1;
        assert_eq!(one.acknowledge(0, &[(offset, offset, REJECT)]).await, 0);
        while server.kafka.shares.queues.letters().lost < lost {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    loop {
        let standing = server.kafka.shares.queues.standing(Space(1), |_| true).await;
        let counts = standing.expect("it is served")[0].counts;
        if counts.condemned == 0 {
            break assert_eq!(counts.start, 3, "they are done");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_dead_letters_wait_holds_up_no_other() {
    let server = Server::with(&[("errors.deadletterqueue.auto.create.topics.enable", "true")]).await;
    server.topic("t", 1, &[]).await;
    fill(&server, 0).await;
    for (group, topic) in [("g", &*impossible_topic()), ("h", "dlq.h")] {
        let settings = [
            ("errors.deadletterqueue.topic.name", topic),
            ("share.auto.offset.reset", "earliest"),
        ];
        configure_group(&server, group, &settings).await;
    }
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    let (mut two, _) = Member::join_group(&server, "h", "two", "t", &[0]).await;
    let begun = Instant::now();
    assert_eq!(one.acknowledge(0, &[(0, 0, REJECT)]).await, 0);
    // Its first attempt has failed.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(two.acknowledge(0, &[(0, 0, REJECT)]).await, 0);
    while server.kafka.shares.queues.letters().written < 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(server.kafka.shares.queues.letters().lost, 0);
}
