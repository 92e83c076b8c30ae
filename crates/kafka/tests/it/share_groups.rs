//! Share groups with settings of their own: where they begin, dead letters, what they are shown of transactions; and what is left when a
//! topic or a group goes.

use crate::harness::Server;
use crate::requests::*;
use crate::share::*;
use crate::transactions;
use bytes::Bytes;
use millstream_broker::Dry;
use millstream_broker::configs::alter::ConfigChange;
use millstream_broker::testing::{StoredBatch, batch, batch_of};
use millstream_kafka_wire::alter_share_group_offsets::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use millstream_kafka_wire::describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup;
use millstream_kafka_wire::*;
use std::collections::BTreeMap;
use std::time::Duration;

async fn configure(server: &Server, settings: &[(&str, &str)]) {
    let set = |(name, value): &(&str, &str)| ((*name).to_owned(), ConfigChange::Set((*value).to_owned()));
    let changes: Vec<_> = settings.iter().map(set).collect();
    let altered = server.broker.alter_group_configs("g", &changes, Dry::Run).await;
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
    server.kafka.groups.ensure_started().await.expect("it starts");
    // Nobody has joined by heartbeats, so the coordinator knows no such group.
    assert_eq!(
        client.ask(&alter).await.error_code,
        ErrorCode::GROUP_ID_NOT_FOUND.0
    );
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
