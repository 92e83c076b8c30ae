//! Streams groups (KIP-1071) through the protocol: the application's topics are made, its tasks are dealt out, tools see it.

use crate::harness::{Client, Server};
use crate::quotas::limit;
use millstream_broker::Dry;
use millstream_broker::configs::alter::ConfigChange;
use millstream_kafka::group::ListRequest;
use millstream_kafka_wire::streams_group_heartbeat::{KeyValue, Subtopology, TopicInfo, Topology};
use millstream_kafka_wire::*;
use std::time::Duration;

/// An application of one part: it reads a topic and keeps state.
pub struct Application {
    pub source: &'static str,
    pub changelog: &'static str,
}

impl Application {
    fn topology(&self) -> Topology {
        let changelog = TopicInfo {
            name: Str::from_static(self.changelog),
            topic_configs: vec![KeyValue {
                key: Str::from_static("cleanup.policy"),
                value: Str::from_static("compact"),
            }],
            ..Default::default()
        };
        Topology {
            epoch: 0,
            subtopologies: vec![Subtopology {
                subtopology_id: Str::from_static("0"),
                source_topics: vec![Str::from_static(self.source)],
                state_changelog_topics: vec![changelog],
                ..Default::default()
            }],
        }
    }

    pub fn join(&self, group: &'static str, member: &'static str) -> StreamsGroupHeartbeatRequest {
        StreamsGroupHeartbeatRequest {
            group_id: Str::from_static(group),
            member_id: Str::from_static(member),
            endpoint_information_epoch: -1,
            rebalance_timeout_ms: 60_000,
            topology: Some(self.topology()),
            active_tasks: Some(Vec::new()),
            standby_tasks: Some(Vec::new()),
            warmup_tasks: Some(Vec::new()),
            process_id: Some(Str::from_static(member)),
            client_tags: Some(Vec::new()),
            ..Default::default()
        }
    }

    pub fn leave(&self, group: &'static str, member: &'static str) -> StreamsGroupHeartbeatRequest {
        beat(group, member, -1)
    }
}

const COUNTS: Application = Application {
    source: "in",
    changelog: "counts",
};

fn beat(group: &'static str, member: &'static str, epoch: i32) -> StreamsGroupHeartbeatRequest {
    StreamsGroupHeartbeatRequest {
        group_id: Str::from_static(group),
        member_id: Str::from_static(member),
        member_epoch: epoch,
        ..Default::default()
    }
}

async fn coordinator(fixed: &[(&str, &str)]) -> Server {
    let server = Server::with(fixed).await;
    let groups = &server.kafka.groups;
    groups.ensure_started().await.expect("the offsets topic is made");
    while groups.list(ListRequest::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
    server
}

const AT_ONCE: &[(&str, &str)] = &[("group.streams.initial.rebalance.delay.ms", "0")];

async fn described(client: &mut Client, group: &'static str) -> streams_group_describe::DescribedGroup {
    let request = StreamsGroupDescribeRequest {
        group_ids: vec![Str::from_static(group)],
        include_authorized_operations: false,
    };
    client.ask(&request).await.groups.remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_application_joins_finds_its_topics_made_and_has_its_tasks_in_the_same_answer() {
    let server = coordinator(AT_ONCE).await;
    server.topic("in", 3, &[]).await;
    let mut client = server.connect();
    let told = client.ask(&COUNTS.join("g", "a")).await;
    assert_eq!((told.error_code, told.heartbeat_interval_ms), (0, 5_000));
    assert_eq!(told.status, Some(Vec::new()));
    let tasks = told.active_tasks.expect("who joins is told what it has");
    assert_eq!((tasks.len(), tasks[0].subtopology_id.as_str()), (1, "0"));
    assert_eq!(tasks[0].partitions, [0, 1, 2]);
    let made = server.broker.topic("counts").expect("it was made");
    assert_eq!(made.partitions(), 3);
    assert_eq!(
        made.configs().get("cleanup.policy").map(String::as_str),
        Some("compact")
    );
    let group = described(&mut client, "g").await;
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Stable"));
    assert_eq!(group.group_epoch, group.assignment_epoch);
    let member = &group.members[0];
    assert_eq!(
        (member.member_id.as_str(), member.process_id.as_str()),
        ("a", "a")
    );
    assert_eq!(member.assignment, member.target_assignment);
    let parts = group.topology.and_then(|topology| topology.subtopologies);
    assert_eq!(parts.expect("told")[0].state_changelog_topics[0].partitions, 3);
}

#[tokio::test(start_paused = true)]
async fn more_members_are_waited_for_as_long_as_the_group_says() {
    let server = coordinator(&[]).await;
    server.topic("in", 2, &[]).await;
    let mut client = server.connect();
    let delay = [(
        "streams.initial.rebalance.delay.ms".to_owned(),
        ConfigChange::Set("500".to_owned()),
    )];
    let altered = server.broker.alter_group_configs("g", &delay, Dry::Run).await;
    altered.expect("a good setting");
    let mut epochs = Vec::new();
    for member in ["a", "b"] {
        let told = client.ask(&COUNTS.join("g", member)).await;
        let status = told.status.unwrap_or_default();
        assert_eq!((status[0].status_code, told.active_tasks), (5, Some(Vec::new())));
        epochs.push((member, told.member_epoch));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (member, epoch) in epochs {
        let told = client.ask(&beat("g", member, epoch)).await;
        let tasks = told.active_tasks.expect("news");
        assert_eq!(tasks[0].partitions.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_show_the_kind_and_only_an_empty_group_is_deleted() {
    let server = coordinator(AT_ONCE).await;
    server.topic("in", 1, &[]).await;
    let mut client = server.connect();
    client.ask(&COUNTS.join("g", "a")).await;
    let streams = ListGroupsRequest {
        types_filter: vec![Str::from_static("streams")],
        ..Default::default()
    };
    let listed = client.ask(&streams).await.groups;
    assert_eq!(
        (
            listed[0].group_id.as_str(),
            listed[0].group_type.as_str(),
            listed[0].protocol_type.as_str()
        ),
        ("g", "streams", "streams")
    );
    let delete = DeleteGroupsRequest {
        groups_names: vec![Str::from_static("g")],
    };
    let refused = client.ask(&delete).await.results[0].error_code;
    assert_eq!(refused, ErrorCode::NON_EMPTY_GROUP.0);
    assert_eq!(client.ask(&COUNTS.leave("g", "a")).await.member_epoch, -1);
    assert_eq!(described(&mut client, "g").await.group_state.as_str(), "Empty");
    assert_eq!(client.ask(&delete).await.results[0].error_code, 0);
    let gone = described(&mut client, "g").await;
    assert_eq!(gone.error_code, ErrorCode::GROUP_ID_NOT_FOUND.0);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_that_can_be_done_is_refused() {
    let server = coordinator(AT_ONCE).await;
    server.topic("in", 1, &[]).await;
    let mut client = server.connect();
    let (invalid, topology) = (
        ErrorCode::INVALID_REQUEST.0,
        ErrorCode::STREAMS_INVALID_TOPOLOGY.0,
    );
    type Change = fn(&mut StreamsGroupHeartbeatRequest);
    let cases: &[(i16, Change)] = &[
        (invalid, |request| request.member_id = Str::new()),
        (invalid, |request| request.group_id = Str::new()),
        (invalid, |request| request.member_epoch = -3),
        (invalid, |request| request.topology = None),
        (invalid, |request| request.active_tasks = None),
        (invalid, |request| request.rebalance_timeout_ms = -1),
        (invalid, |request| {
            request.instance_id = Some(Str::from_static("i"))
        }),
        (invalid, |request| request.member_epoch = 3),
        (invalid, |request| {
            first_part(request).source_topic_regex = vec![Str::from_static(".*")];
        }),
        (topology, |request| {
            first_part(request).state_changelog_topics[0].partitions = 4;
        }),
        (topology, |request| first_part(request).source_topics.clear()),
        (topology, |request| {
            first_part(request)
                .source_topics
                .push(Str::from_static("__consumer_offsets"));
        }),
        (topology, |request| {
            let place = streams_group_heartbeat::CopartitionGroup {
                source_topics: vec![7],
                ..Default::default()
            };
            first_part(request).copartition_groups = vec![place];
        }),
    ];
    for (at, (expected, change)) in cases.iter().enumerate() {
        let mut request = COUNTS.join("g", "a");
        change(&mut request);
        let answer = client.ask(&request).await;
        assert_eq!(
            answer.error_code, *expected,
            "case {at}: {:?}",
            answer.error_message
        );
    }
    let stranger = client.ask(&beat("nobody", "a", 1)).await;
    assert_eq!(stranger.error_code, ErrorCode::GROUP_ID_NOT_FOUND.0);
    client.ask(&COUNTS.join("g", "a")).await;
    let stranger = client.ask(&beat("g", "b", 1)).await;
    assert_eq!(stranger.error_code, ErrorCode::UNKNOWN_MEMBER_ID.0);
    let early = client.ask(&beat("g", "a", 99)).await;
    assert_eq!(early.error_code, ErrorCode::FENCED_MEMBER_EPOCH.0);
}

fn first_part(request: &mut StreamsGroupHeartbeatRequest) -> &mut Subtopology {
    let topology = request.topology.as_mut().expect("it joins");
    &mut topology.subtopologies[0]
}

#[tokio::test(start_paused = true)]
async fn the_feature_level_turns_the_protocol_off() {
    let server = coordinator(AT_ONCE).await;
    server.topic("in", 1, &[]).await;
    let mut client = server.connect();
    let update = UpdateFeaturesRequest {
        timeout_ms: 1_000,
        feature_updates: vec![update_features::FeatureUpdateKey {
            feature: Str::from_static("streams.version"),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 2,
        }],
        validate_only: false,
    };
    assert_eq!(client.ask(&update).await.error_code, 0);
    let refused = client.ask(&COUNTS.join("g", "a")).await;
    assert_eq!(refused.error_code, ErrorCode::UNSUPPORTED_VERSION.0);
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_a_task_before_it_was_given_back_whatever_is_made_anew() {
    let server = coordinator(&[AT_ONCE[0], ("group.streams.assignment.interval.ms", "0")]).await;
    server.topic("in", 1, &[]).await;
    let mut client = server.connect();
    let owner = client.ask(&COUNTS.join("g", "b")).await;
    assert_eq!(owner.active_tasks.expect("it joins").len(), 1);
    // Who comes first by name gets what is dealt out anew.
    let mut other = client.ask(&COUNTS.join("g", "a")).await;
    let owner = client.ask(&beat("g", "b", owner.member_epoch)).await;
    let counts = server.broker.topic("counts").expect("it was made");
    server.broker.delete_topic(&counts).await.expect("it goes");
    let told = client.ask(&beat("g", "b", owner.member_epoch)).await;
    assert!(server.broker.topic("counts").is_some(), "it is made anew");
    assert_eq!(told.active_tasks, Some(Vec::new()), "it is to give back");
    for _ in 0..3 {
        other = client.ask(&beat("g", "a", other.member_epoch)).await;
        assert!(other.active_tasks.is_none_or(|tasks| tasks.is_empty()));
        other.active_tasks = None;
    }
    let mut gives_back = beat("g", "b", told.member_epoch);
    gives_back.active_tasks = Some(Vec::new());
    gives_back.standby_tasks = Some(Vec::new());
    gives_back.warmup_tasks = Some(Vec::new());
    client.ask(&gives_back).await;
    let other = client.ask(&beat("g", "a", other.member_epoch)).await;
    assert_eq!(other.active_tasks.expect("now it is free").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_made_for_an_application_count_against_the_quota() {
    let server = coordinator(&[
        AT_ONCE[0],
        ("controller.quota.window.num", "1"),
        ("controller.quota.window.size.seconds", "1"),
    ])
    .await;
    server.topic("in", 3, &[]).await;
    server.topic("out", 3, &[]).await;
    let mut client = server.connect();
    let everybody = [("user", None)];
    limit(&server, &everybody, "controller_mutation_rate", 1.0).await;
    let told = client.ask(&COUNTS.join("g", "a")).await;
    assert!(server.broker.topic("counts").is_some() && told.throttle_time_ms > 0);
    let second = Application {
        source: "out",
        changelog: "sums",
    };
    let told = server.connect().ask(&second.join("h", "a")).await;
    let status = told.status.expect("it has no topic");
    assert_eq!((told.error_code, status[0].status_code), (0, 3));
    let detail = status[0].status_detail.as_str();
    assert!(
        detail.contains("Creation failed: sums (") && detail.contains("quota"),
        "{detail}"
    );
    assert!(server.broker.topic("sums").is_none() && told.throttle_time_ms > 0);
}
