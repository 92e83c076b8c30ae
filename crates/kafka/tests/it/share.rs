//! Share groups through the protocol: sessions, acquiring, acknowledging, locks, what a restart keeps.

use crate::harness::{Client, Server};
use crate::requests::*;
use futures_util::future::join_all;
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::share_acknowledge::{
    AcknowledgePartition, AcknowledgeTopic, AcknowledgementBatch as AckBatch, ShareAcknowledgeRequest,
};
use millstream_kafka_wire::share_fetch::{
    AcknowledgementBatch, FetchPartition, FetchTopic, PartitionData, ShareFetchRequest, ShareFetchResponse,
};
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::time::Instant;

pub const ACCEPT: i8 = 1;
pub const RELEASE: i8 = 2;
pub const REJECT: i8 = 3;
const RENEW: i8 = 4;

/// A member of a share group and its session.
pub struct Member {
    client: Client,
    group: Str,
    member: Str,
    epoch: i32,
    topic: Uuid,
}

impl Member {
    pub async fn join(
        server: &Server,
        name: &str,
        topic: &str,
        partitions: &[i32],
    ) -> (Self, ShareFetchResponse) {
        Self::join_group(server, "g", name, topic, partitions).await
    }

    pub async fn join_group(
        server: &Server,
        group: &'static str,
        name: &str,
        topic: &str,
        partitions: &[i32],
    ) -> (Self, ShareFetchResponse) {
        let topic = server.broker.topic(topic).expect("it was made").id();
        let mut member = Self {
            client: server.connect(),
            group: Str::from_static(group),
            member: Str::from(name.to_owned()),
            epoch: 0,
            topic: Uuid(topic.0),
        };
        let response = member.fetch_with(partitions, |_| {}).await;
        assert_eq!(response.error_code, 0);
        (member, response)
    }

    fn request(&self, partitions: &[i32]) -> ShareFetchRequest {
        let partitions = partitions.iter().map(|partition| FetchPartition {
            partition_index: *partition,
            ..Default::default()
        });
        ShareFetchRequest {
            group_id: Some(self.group.clone()),
            member_id: Some(self.member.clone()),
            share_session_epoch: self.epoch,
            min_bytes: 1,
            max_bytes: 1 << 20,
            max_records: 500,
            batch_size: 500,
            topics: vec![FetchTopic {
                topic_id: self.topic,
                partitions: partitions.collect(),
            }],
            ..Default::default()
        }
    }

    pub async fn fetch_with(
        &mut self,
        partitions: &[i32],
        change: impl FnOnce(&mut ShareFetchRequest),
    ) -> ShareFetchResponse {
        let mut request = self.request(partitions);
        change(&mut request);
        let response = self.client.ask(&request).await;
        self.epoch += 1;
        response
    }

    /// Fetches on, waiting for something.
    pub async fn fetch(&mut self) -> Vec<(i64, i64, i16)> {
        let response = self.fetch_with(&[], |request| request.max_wait_ms = 60_000).await;
        assert_eq!(response.error_code, 0);
        acquired(&response)
    }

    pub async fn acknowledge(&mut self, partition: i32, acks: &[(i64, i64, i8)]) -> i16 {
        let batches = acks.iter().map(|(first, last, kind)| AckBatch {
            first_offset: *first,
            last_offset: *last,
            acknowledge_types: vec![*kind],
        });
        let request = ShareAcknowledgeRequest {
            group_id: Some(self.group.clone()),
            member_id: Some(self.member.clone()),
            share_session_epoch: self.epoch,
            is_renew_ack: acks.iter().any(|(.., kind)| *kind == RENEW),
            topics: vec![AcknowledgeTopic {
                topic_id: self.topic,
                partitions: vec![AcknowledgePartition {
                    partition_index: partition,
                    acknowledgement_batches: batches.collect(),
                }],
            }],
        };
        let response = self.client.ask(&request).await;
        self.epoch += 1;
        assert_eq!(response.error_code, 0);
        response.responses[0].partitions[0].error_code
    }
}

pub fn partitions(response: &ShareFetchResponse) -> impl Iterator<Item = &PartitionData> {
    response.responses.iter().flat_map(|topic| &topic.partitions)
}

pub fn acquired(response: &ShareFetchResponse) -> Vec<(i64, i64, i16)> {
    let ranges = partitions(response).flat_map(|data| &data.acquired_records);
    ranges
        .map(|range| (range.first_offset, range.last_offset, range.delivery_count))
        .collect()
}

/// Five batches of ten.
pub async fn fill(server: &Server, partition: i32) {
    let mut client = server.connect();
    for batch in 0..5 {
        let values: Vec<String> = (0..10).map(|record| format!("{batch}/{record}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let request = produce("t", partition, batch_of(&values));
        let response = client.call(PRODUCE_BY_NAME, &request).await;
        assert_eq!(produced(&response).error_code, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn members_get_different_records_and_what_is_accepted_never_comes_again() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, response) = Member::join(&server, "one", "t", &[0]).await;
    assert_eq!(acquired(&response), [], "a new group begins at the end");
    let (mut two, _) = Member::join(&server, "two", "t", &[0]).await;
    fill(&server, 0).await;
    let limit = |request: &mut ShareFetchRequest| request.max_records = 15;
    let first = one.fetch_with(&[], limit).await;
    assert_eq!(
        acquired(&first),
        [(0, 19, 1)],
        "whole batches until there are enough"
    );
    assert_eq!(first.acquisition_lock_timeout_ms, 30_000);
    let exactly = |request: &mut ShareFetchRequest| {
        request.max_records = 15;
        request.share_acquire_mode = 1;
    };
    let second = two.fetch_with(&[], exactly).await;
    assert_eq!(acquired(&second), [(20, 34, 1)]);
    assert_eq!(
        two.acknowledge(0, &[(0, 0, ACCEPT)]).await,
        ErrorCode::INVALID_RECORD_STATE.0
    );
    assert_eq!(two.acknowledge(0, &[(20, 34, ACCEPT)]).await, 0);
    assert_eq!(one.acknowledge(0, &[(0, 4, ACCEPT), (5, 19, RELEASE)]).await, 0);
    assert_eq!(two.fetch().await, [(5, 19, 2), (35, 49, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_member_is_woken_by_records_by_releases_and_by_locks_that_run_out() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    let (mut two, _) = Member::join(&server, "two", "t", &[0]).await;
    let (got, ()) = tokio::join!(one.fetch(), fill(&server, 0));
    assert_eq!(got[0].0, 0);
    // The rest, so that nothing is left.
    let mut last = got[got.len() - 1].1;
    while last < 49 {
        let more = one.fetch().await;
        last = more[more.len() - 1].1;
    }
    let (got, released) = tokio::join!(two.fetch(), one.acknowledge(0, &[(7, 7, RELEASE)]));
    assert_eq!((got, released), (vec![(7, 7, 2)], 0));
    let begun = Instant::now();
    let got = two.fetch().await;
    assert_eq!(got[0], (0, 6, 2));
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_secs(29) && waited < Duration::from_secs(31),
        "{waited:?}"
    );
    assert_eq!(
        one.acknowledge(0, &[(0, 6, ACCEPT)]).await,
        ErrorCode::INVALID_RECORD_STATE.0
    );
}

#[tokio::test(start_paused = true)]
async fn records_of_a_member_that_goes_come_back_at_once() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    let (mut two, _) = Member::join(&server, "two", "t", &[0]).await;
    fill(&server, 0).await;
    assert_eq!(one.fetch().await, [(0, 49, 1)]);
    let begun = Instant::now();
    // Its connection ends without a word.
    let Member { client, .. } = one;
    drop(client);
    assert_eq!(two.fetch().await, [(0, 49, 2)]);
    // And in order: the last request of a session.
    let (mut three, _) = Member::join(&server, "three", "t", &[0]).await;
    two.epoch = -1;
    let last = two.fetch_with(&[], |_| {}).await;
    assert_eq!((last.error_code, acquired(&last)), (0, vec![]));
    assert_eq!(three.fetch().await, [(0, 49, 3)]);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(server.kafka.shares.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_lock_holds_on() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    fill(&server, 0).await;
    assert_eq!(one.fetch().await, [(0, 49, 1)]);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(one.acknowledge(0, &[(0, 9, RENEW)]).await, 0);
    }
    assert_eq!(one.acknowledge(0, &[(0, 9, ACCEPT)]).await, 0);
    assert_eq!(
        one.acknowledge(0, &[(10, 19, ACCEPT)]).await,
        ErrorCode::INVALID_RECORD_STATE.0
    );
}

#[tokio::test(start_paused = true)]
async fn after_the_last_delivery_a_record_is_given_up() {
    let server = Server::with(&[("group.share.delivery.count.limit", "2")]).await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    fill(&server, 0).await;
    assert_eq!(one.fetch().await, [(0, 49, 1)]);
    assert_eq!(
        one.acknowledge(0, &[(0, 1, RELEASE), (2, 2, REJECT), (3, 49, ACCEPT)])
            .await,
        0
    );
    assert_eq!(one.fetch().await, [(0, 1, 2)]);
    assert_eq!(one.acknowledge(0, &[(0, 1, RELEASE)]).await, 0);
    let nothing = one.fetch_with(&[], |request| request.max_wait_ms = 100).await;
    assert_eq!(acquired(&nothing), []);
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_travel_with_a_fetch_and_errors_are_told_for_each_partition() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0, 1]).await;
    fill(&server, 0).await;
    fill(&server, 1).await;
    let first = one.fetch_with(&[], |_| {}).await;
    assert_eq!(acquired(&first), [(0, 49, 1), (0, 49, 1)]);
    let topic = one.topic;
    let ack = |partition, last, kind| FetchPartition {
        partition_index: partition,
        acknowledgement_batches: vec![AcknowledgementBatch {
            first_offset: 0,
            last_offset: last,
            acknowledge_types: vec![kind],
        }],
    };
    let response = one
        .fetch_with(&[], |request| {
            let partitions = vec![ack(0, 9, RELEASE), ack(1, 77, ACCEPT)];
            request.topics = vec![FetchTopic {
                topic_id: topic,
                partitions,
            }];
        })
        .await;
    let data: Vec<_> = partitions(&response)
        .map(|data| (data.acknowledge_error_code, data.error_code))
        .collect();
    assert_eq!(data, [(0, 0), (ErrorCode::INVALID_REQUEST.0, 0)]);
    assert_eq!(acquired(&response), [(0, 9, 2)]);
    let unknown = one
        .fetch_with(&[], |request| {
            request.topics = vec![FetchTopic {
                topic_id: Uuid::from_u128(9),
                partitions: vec![FetchPartition::default()],
            }];
        })
        .await;
    let codes: Vec<_> = partitions(&unknown).map(|data| data.error_code).collect();
    assert_eq!(codes, [ErrorCode::UNKNOWN_TOPIC_ID.0]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_outcomes_and_counts_and_forgets_locks() {
    let mut server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    fill(&server, 0).await;
    assert_eq!(one.fetch().await, [(0, 49, 1)]);
    assert_eq!(one.acknowledge(0, &[(0, 9, ACCEPT), (20, 24, RELEASE)]).await, 0);
    server.world.disk.kill();
    server.reopen().await;
    let (_, response) = Member::join(&server, "one", "t", &[0]).await;
    // 10..=19 and 25..=49 were out; nobody wrote down how often.
    assert_eq!(acquired(&response), [(10, 19, 1), (20, 24, 2), (25, 49, 1)]);
}

#[tokio::test(start_paused = true)]
async fn sessions_refuse_what_does_not_fit() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    one.epoch = 7;
    let code = one.fetch_with(&[], |_| {}).await.error_code;
    assert_eq!(code, ErrorCode::INVALID_SHARE_SESSION_EPOCH.0);
    one.member = Str::from_static("nobody");
    one.epoch = 1;
    let code = one.fetch_with(&[], |_| {}).await.error_code;
    assert_eq!(code, ErrorCode::SHARE_SESSION_NOT_FOUND.0);
    one.member = Str::new();
    assert_eq!(
        one.fetch_with(&[], |_| {}).await.error_code,
        ErrorCode::INVALID_REQUEST.0
    );
    one.member = Str::from_static("early");
    one.epoch = 0;
    let early = |request: &mut ShareFetchRequest| {
        request.topics[0].partitions[0].acknowledgement_batches = vec![AcknowledgementBatch::default()];
    };
    assert_eq!(
        one.fetch_with(&[0], early).await.error_code,
        ErrorCode::INVALID_REQUEST.0
    );
}

/// Every append once woke every member that waited.
#[tokio::test(start_paused = true)]
async fn an_append_wakes_as_many_as_there_is_work_for_and_nobody_waits_beside_a_record() {
    const MEMBERS: u64 = 20;
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        members.push(Member::join(&server, &format!("m{number}"), "t", &[0]).await.0);
    }
    let begun = Instant::now();
    let one_record = |request: &mut ShareFetchRequest| {
        request.max_wait_ms = 60_000;
        request.max_records = 1;
        request.share_acquire_mode = 1;
    };
    let fetches = members
        .iter_mut()
        .map(|member| member.fetch_with(&[], one_record));
    let fill = async {
        // Until all of them wait.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = server.kafka.shares.queues.looks();
        let mut client = server.connect();
        for _ in 0..MEMBERS {
            let request = produce("t", 0, batch_of(&["a"]));
            let response = client.call(PRODUCE_BY_NAME, &request).await;
            assert_eq!(produced(&response).error_code, 0);
        }
        before
    };
    let (fetched, before) = tokio::join!(join_all(fetches), fill);
    let mut got: Vec<_> = fetched.iter().flat_map(acquired).collect();
    got.sort_unstable();
    let all: Vec<_> = (0..20).map(|offset| (offset, offset, 1)).collect();
    assert_eq!(got, all);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "nobody waited for the end"
    );
    let looks = server.kafka.shares.queues.looks() - before;
    assert!(looks <= 3 * MEMBERS, "{looks} looks for {MEMBERS} records");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_member_that_goes_leaves_its_place_to_the_next() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    let (mut two, _) = Member::join(&server, "two", "t", &[0]).await;
    let begun = Instant::now();
    let second = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        two.fetch().await
    };
    let news = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        fill(&server, 0).await;
    };
    let gone = async move {
        let first = tokio::time::timeout(Duration::from_secs(2), one.fetch()).await;
        assert!(first.is_err(), "there was nothing");
        drop(one);
    };
    let (got, (), ()) = tokio::join!(second, news, gone);
    assert_eq!(got[0].0, 0);
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_waits_for_as_many_bytes_as_it_wants_and_locks_nothing_meanwhile() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let (mut one, _) = Member::join(&server, "one", "t", &[0]).await;
    let (mut two, _) = Member::join(&server, "two", "t", &[0]).await;
    let wants = |bytes: i32| {
        move |request: &mut ShareFetchRequest| {
            request.max_wait_ms = 10_000;
            request.min_bytes = bytes;
        }
    };
    let begun = Instant::now();
    let content = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let got = two.fetch().await;
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "it is behind one that wants more"
        );
        got
    };
    let news = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        fill(&server, 0).await;
    };
    let (greedy, content, ()) = tokio::join!(one.fetch_with(&[], wants(1 << 16)), content, news);
    assert!(begun.elapsed() >= Duration::from_secs(10));
    assert_eq!(content[0].0, 0);
    let rest = content[0].1 + 1;
    assert_eq!(
        acquired(&greedy),
        [(rest, 49, 1)],
        "when time is up, what there is"
    );

    let begun = Instant::now();
    let (enough, ()) = tokio::join!(one.fetch_with(&[], wants(300)), fill(&server, 0));
    let enough = acquired(&enough);
    assert!(enough[0].0 == 50 && enough[0].1 >= 59, "{enough:?}");
    assert!(begun.elapsed() < Duration::from_secs(1));
    // As many records as an answer may hold are enough, whatever their bytes.
    fill(&server, 0).await;
    let few = |request: &mut ShareFetchRequest| {
        wants(1 << 16)(request);
        request.max_records = 5;
        request.share_acquire_mode = 1;
    };
    assert_eq!(acquired(&one.fetch_with(&[], few).await).len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(1));
}
