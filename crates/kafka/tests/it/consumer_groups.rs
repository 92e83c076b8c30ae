//! Consumer groups (KIP-848) through the protocol.

use crate::access::{ON, allow};
use crate::harness::{Client, Server};
use millstream_broker::security::{AclFilter, Operation, PatternFilter, Principal, ResourceType};
use millstream_kafka::group::ListRequest;
use millstream_kafka_wire::consumer_group_heartbeat::RequestTopicPartitions;
use millstream_kafka_wire::*;

/// A member that knows nothing but the messages.
pub struct Member {
    pub group: Str,
    pub id: Str,
    pub epoch: i32,
    pub topics: Vec<Str>,
    pub regex: Option<Str>,
    pub owned: Vec<RequestTopicPartitions>,
}

impl Member {
    pub fn new(group: &str, id: &str, topics: &[&str]) -> Self {
        Self {
            group: Str::from(group),
            id: Str::from(id),
            epoch: 0,
            topics: topics.iter().map(|name| Str::from(*name)).collect(),
            regex: None,
            owned: Vec::new(),
        }
    }

    pub fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let joins = self.epoch == 0;
        ConsumerGroupHeartbeatRequest {
            group_id: self.group.clone(),
            member_id: self.id.clone(),
            member_epoch: self.epoch,
            rebalance_timeout_ms: if joins { 60_000 } else { -1 },
            subscribed_topic_names: joins.then(|| self.topics.clone()),
            subscribed_topic_regex: self.regex.clone().filter(|_| joins),
            topic_partitions: Some(if joins { Vec::new() } else { self.owned.clone() }),
            ..Default::default()
        }
    }

    pub async fn beat(&mut self, client: &mut Client, version: i16) -> ConsumerGroupHeartbeatResponse {
        let answer = client.call(version, &self.request()).await;
        if answer.error_code == 0 {
            self.id = answer.member_id.clone().unwrap_or_default();
            self.epoch = answer.member_epoch;
            if let Some(assignment) = &answer.assignment {
                let topics = assignment.topic_partitions.iter();
                self.owned = topics
                    .map(|topic| RequestTopicPartitions {
                        topic_id: topic.topic_id,
                        partitions: topic.partitions.clone(),
                    })
                    .collect();
            }
        }
        answer
    }

    pub fn count(&self) -> usize {
        self.owned.iter().map(|topic| topic.partitions.len()).sum()
    }
}

/// A broker whose coordinator has loaded.
async fn coordinator(fixed: &[(&str, &str)]) -> Server {
    let server = Server::with(fixed).await;
    loaded(&server).await;
    server
}

async fn loaded(server: &Server) {
    server
        .kafka
        .groups
        .ensure_started()
        .await
        .expect("the offsets topic is made");
    while server.kafka.groups.list(ListRequest::default()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

async fn described(client: &mut Client, group: &'static str) -> consumer_group_describe::DescribedGroup {
    let request = ConsumerGroupDescribeRequest {
        group_ids: vec![Str::from_static(group)],
        include_authorized_operations: false,
    };
    client.ask(&request).await.groups.remove(0)
}

#[tokio::test(start_paused = true)]
async fn members_share_a_topic_and_the_group_is_described() {
    let server = coordinator(&[]).await;
    server.topic("t", 4, &[]).await;
    let mut client = server.connect();
    let mut members = [Member::new("g", "a", &["t"]), Member::new("g", "b", &["t"])];
    for _ in 0..4 {
        for member in &mut members {
            let answer = member.beat(&mut client, 1).await;
            assert_eq!((answer.error_code, answer.heartbeat_interval_ms), (0, 5_000));
        }
    }
    assert_eq!((members[0].count(), members[1].count()), (2, 2));
    let group = described(&mut client, "g").await;
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Stable"));
    assert_eq!((group.group_epoch, group.assignment_epoch), (2, 2));
    assert_eq!(group.assignor_name.as_str(), "uniform");
    for (member, own) in group.members.iter().zip(&members) {
        assert_eq!(
            (&member.member_id, member.member_epoch, member.member_type),
            (&own.id, own.epoch, 1)
        );
        assert_eq!(member.assignment, member.target_assignment);
        assert_eq!(member.assignment.topic_partitions[0].topic_name.as_str(), "t");
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_group_is_no_group_to_the_older_description_and_the_other_way_round() {
    let server = coordinator(&[]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    Member::new("g", "a", &["t"]).beat(&mut client, 1).await;
    let request = |group: &'static str| DescribeGroupsRequest {
        groups: vec![Str::from_static(group)],
        include_authorized_operations: false,
    };
    let group = client.call(6, &request("g")).await.groups.remove(0);
    assert_eq!(
        (
            group.error_code,
            group.error_message.as_deref(),
            group.group_state.as_str()
        ),
        (
            ErrorCode::GROUP_ID_NOT_FOUND.0,
            Some("Group g is not a classic group."),
            "Dead"
        )
    );
    let group = client.call(5, &request("g")).await.groups.remove(0);
    assert_eq!((group.error_code, group.group_state.as_str()), (0, "Dead"));
    let group = described(&mut client, "nowhere").await;
    assert_eq!(
        (group.error_code, group.error_message.as_deref()),
        (ErrorCode::GROUP_ID_NOT_FOUND.0, Some("Group nowhere not found."))
    );
    let list = client.ask(&ListGroupsRequest::default()).await;
    let listed = &list.groups[0];
    assert_eq!(
        (
            listed.group_id.as_str(),
            listed.group_type.as_str(),
            listed.protocol_type.as_str()
        ),
        ("g", "consumer", "consumer")
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_makes_no_sense_is_refused_in_kafkas_words() {
    let server = coordinator(&[]).await;
    let mut client = server.connect();
    let good = || Member::new("g", "a", &["t"]).request();
    type Change = fn(&mut ConsumerGroupHeartbeatRequest);
    let cases: [(Change, &str); 9] = [
        (|r| r.group_id = Str::new(), "GroupId can't be empty."),
        (|r| r.instance_id = Some(Str::new()), "InstanceId can't be empty."),
        (|r| r.rack_id = Some(Str::new()), "RackId can't be empty."),
        (|r| r.member_id = Str::new(), "MemberId can't be empty."),
        (|r| r.member_epoch = -3, "MemberEpoch is invalid."),
        (|r| r.member_epoch = -2, "InstanceId can't be null."),
        (
            |r| r.rebalance_timeout_ms = -1,
            "RebalanceTimeoutMs must be provided in first request.",
        ),
        (
            |r| r.topic_partitions = None,
            "TopicPartitions must be empty when (re-)joining.",
        ),
        (
            |r| r.subscribed_topic_names = None,
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
        ),
    ];
    for (change, what) in cases {
        let mut request = good();
        change(&mut request);
        let answer = client.call(1, &request).await;
        assert_eq!(
            (answer.error_code, answer.error_message.as_deref()),
            (ErrorCode::INVALID_REQUEST.0, Some(what))
        );
    }
    let mut request = good();
    request.server_assignor = Some(Str::from_static("mine"));
    let answer = client.call(1, &request).await;
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_ASSIGNOR.0);
    let mut request = good();
    request.subscribed_topic_regex = Some(Str::from_static("("));
    let answer = client.call(1, &request).await;
    assert_eq!(answer.error_code, ErrorCode::INVALID_REGULAR_EXPRESSION.0);
}

#[tokio::test(start_paused = true)]
async fn the_broker_makes_ids_for_older_clients() {
    let server = coordinator(&[]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let mut member = Member::new("g", "", &["t"]);
    assert_eq!(member.beat(&mut client, 0).await.error_code, 0);
    assert!(!member.id.is_empty());
    assert_eq!(member.beat(&mut client, 0).await.member_epoch, 1);
}

#[tokio::test(start_paused = true)]
async fn topics_that_come_and_grow_reach_the_members_by_themselves() {
    let server = coordinator(&[]).await;
    let mut client = server.connect();
    let mut member = Member::new("g", "a", &["t"]);
    member.regex = Some(Str::from_static("x-.*"));
    member.beat(&mut client, 1).await;
    assert_eq!(member.count(), 0);
    server.topic("t", 2, &[]).await;
    until(&mut member, &mut client, 2).await;
    server.topic("x-1", 3, &[]).await;
    until(&mut member, &mut client, 5).await;
    server
        .broker
        .add_partitions("t", 4, millstream_broker::Dry::Run)
        .await
        .expect("more");
    until(&mut member, &mut client, 7).await;
    let topic = server.broker.topic("t").expect("there");
    server.broker.delete_topic(&topic).await.expect("deleted");
    until(&mut member, &mut client, 3).await;
}

async fn until(member: &mut Member, client: &mut Client, count: usize) {
    for _ in 0..100 {
        assert_eq!(member.beat(client, 1).await.error_code, 0);
        if member.count() == count {
            return;
        }
        // Paused time: this lets the coordinator look, and costs nothing.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{} partitions instead of {count}", member.count());
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_members_and_their_partitions() {
    let server = coordinator(&[]).await;
    server.topic("t", 4, &[]).await;
    let mut client = server.connect();
    let mut members = [Member::new("g", "a", &["t"]), Member::new("g", "b", &["t"])];
    for _ in 0..4 {
        for member in &mut members {
            member.beat(&mut client, 1).await;
        }
    }
    server.kafka.groups.close().await;
    let again = server.restarted().await;
    loaded(&again).await;
    let mut client = again.connect();
    for member in &mut members {
        let epoch = member.epoch;
        let answer = member.beat(&mut client, 1).await;
        assert_eq!((answer.error_code, answer.member_epoch), (0, epoch));
        assert_eq!(member.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_has_settings_of_its_own_within_the_brokers_bounds() {
    let server = coordinator(&[("group.consumer.min.heartbeat.interval.ms", "1000")]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let mut alter = async |name: &'static str, value: &'static str| {
        use incremental_alter_configs::*;
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: 32,
                resource_name: Str::from_static("g"),
                configs: vec![AlterableConfig {
                    name: Str::from_static(name),
                    config_operation: 0,
                    value: Some(Str::from_static(value)),
                }],
            }],
            validate_only: false,
        };
        client.ask(&request).await.responses.remove(0).error_code
    };
    let invalid = ErrorCode::INVALID_CONFIG.0;
    assert_eq!(alter("consumer.heartbeat.interval.ms", "2000").await, 0);
    assert_eq!(alter("consumer.heartbeat.interval.ms", "999").await, invalid);
    assert_eq!(alter("consumer.session.timeout.ms", "60001").await, invalid);
    assert_eq!(alter("consumer.session.timeout.ms", "50000").await, 0);
    assert_eq!(alter("retention.ms", "1").await, invalid);
    let answer = Member::new("g", "a", &["t"]).beat(&mut client, 1).await;
    assert_eq!(answer.heartbeat_interval_ms, 2_000);
    let request = DescribeConfigsRequest {
        resources: vec![describe_configs::DescribeConfigsResource {
            resource_type: 32,
            resource_name: Str::from_static("g"),
            configuration_keys: None,
        }],
        include_synonyms: true,
        include_documentation: false,
    };
    let result = client.ask(&request).await.results.remove(0);
    let told: Vec<_> = result
        .configs
        .iter()
        .map(|entry| (entry.name.as_str(), entry.value.as_deref(), entry.config_source))
        .filter(|(name, ..)| name.starts_with("consumer."))
        .collect();
    assert_eq!(
        told,
        [
            ("consumer.heartbeat.interval.ms", Some("2000"), 8),
            ("consumer.session.timeout.ms", Some("50000"), 8),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn only_members_of_the_present_epoch_commit() {
    let server = coordinator(&[]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let mut member = Member::new("g", "a", &["t"]);
    member.beat(&mut client, 1).await;
    let commit = |member_id: &'static str, epoch| OffsetCommitRequest {
        group_id: Str::from_static("g"),
        generation_id_or_member_epoch: epoch,
        member_id: Str::from_static(member_id),
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: Str::from_static("t"),
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: 5,
                committed_leader_epoch: -1,
                committed_metadata: None,
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    for (version, id, epoch, code) in [
        (9, "a", 1, ErrorCode::NONE),
        (9, "a", 2, ErrorCode::STALE_MEMBER_EPOCH),
        (9, "b", 1, ErrorCode::UNKNOWN_MEMBER_ID),
        (9, "", -1, ErrorCode::UNKNOWN_MEMBER_ID),
        (8, "a", 1, ErrorCode::UNSUPPORTED_VERSION),
    ] {
        let answer = client.call(version, &commit(id, epoch)).await;
        assert_eq!(
            answer.topics[0].partitions[0].error_code, code.0,
            "{id} {epoch} v{version}"
        );
    }
}

/// Patterns once matched every topic: a member was given what it could not read, and learned that it exists.
#[tokio::test(start_paused = true)]
async fn a_pattern_finds_only_topics_that_the_member_may_see() {
    let mut server = coordinator(ON).await;
    server.topic("t-open", 2, &[]).await;
    server.topic("t-secret", 3, &[]).await;
    let user = "User:alice";
    let rules = [
        allow(user, Operation::Read, ResourceType::Group, "g"),
        allow(user, Operation::Describe, ResourceType::Topic, "t-open"),
    ];
    server.broker.create_acls(&rules).await.expect("new rules");
    let mut client = server.connect_as(Principal::user("alice"));
    let mut member = Member::new("g", "a", &[]);
    member.regex = Some(Str::from("t-.*"));
    assert_eq!(member.beat(&mut client, 1).await.error_code, 0);
    assert_eq!(member.count(), 2);
    // A right that is given takes effect without a word of the member, and so does one that is taken.
    let secret = allow(user, Operation::Describe, ResourceType::Topic, "t-secret");
    server
        .broker
        .create_acls(std::slice::from_ref(&secret))
        .await
        .expect("a new rule");
    beat_until(&mut member, &mut client, 5).await;
    server.world.disk.kill();
    server.reopen().await;
    loaded(&server).await;
    let mut client = server.connect_as(Principal::user("alice"));
    let epoch = member.epoch;
    assert_eq!(member.beat(&mut client, 1).await.error_code, 0);
    assert_eq!(
        (member.epoch, member.count()),
        (epoch, 5),
        "the restart knows who it is"
    );
    let filter = AclFilter {
        resource: Some(ResourceType::Topic),
        pattern: PatternFilter::Any,
        name: Some("t-secret".to_owned()),
        principal: None,
        host: None,
        operation: None,
        permission: None,
    };
    assert_eq!(
        server.broker.delete_acls(&filter).await.expect("deleted").len(),
        1
    );
    beat_until(&mut member, &mut client, 2).await;
}

async fn beat_until(member: &mut Member, client: &mut Client, partitions: usize) {
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_eq!(member.beat(client, 1).await.error_code, 0);
        if member.count() == partitions {
            return;
        }
    }
    panic!("{} partitions instead of {partitions}", member.count());
}
