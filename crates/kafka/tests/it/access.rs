//! Rights: every API asks for its own and says what Kafka says when one is missing.

use crate::harness::{Client, Server};
use millstream_broker::security::{
    AclBinding, Operation, PatternType, Permission, Principal, ResourceType, TokenKey,
};
use millstream_broker::testing::World;
use millstream_kafka_wire::*;
use std::time::Duration;

mod matrix;
mod probe;
mod rows;

/// Start values that turn the authoriser on.
pub const ON: &[(&str, &str)] = &[
    ("authorizer.class.name", "StandardAuthorizer"),
    ("super.users", "User:admin"),
];

/// A name of the tests.
pub fn name(text: &'static str) -> Str {
    Str::from_static(text)
}

/// An allowance for whoever comes from wherever.
pub fn allow(principal: &str, operation: Operation, resource: ResourceType, name: &str) -> AclBinding {
    AclBinding {
        resource,
        pattern: PatternType::Literal,
        name: name.to_owned(),
        principal: principal.to_owned(),
        host: "*".to_owned(),
        operation,
        permission: Permission::Allow,
    }
}

/// A broker with a topic `t`, and a client that has no right at all.
async fn secured() -> (Server, Client) {
    let mut world = World::new(ON);
    let day = Duration::from_secs(86_400);
    world.authenticators.token_key = Some(TokenKey::new("a secret of the test", 7 * day, day));
    let server = Server::over(world, |_| {}).await;
    server.topic("t", 1, &[]).await;
    let client = server.connect();
    (server, client)
}

/// A client that nobody may doubt.
fn admin(server: &Server) -> Client {
    server.connect_as(Principal::user("admin"))
}

fn asked_metadata(names: Option<&[&'static str]>) -> MetadataRequest {
    MetadataRequest {
        topics: names.map(|names| {
            let topic = |one: &&'static str| metadata::MetadataRequestTopic {
                name: Some(name(one)),
                ..Default::default()
            };
            names.iter().map(topic).collect()
        }),
        allow_auto_topic_creation: true,
        include_topic_authorized_operations: true,
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_not_describe_a_topic_cannot_tell_whether_it_exists() {
    let (server, mut client) = secured().await;
    let answer = client.ask(&asked_metadata(Some(&["t", "no-such-topic"]))).await;
    let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [29, 29]);
    assert!(
        answer
            .topics
            .iter()
            .all(|topic| topic.topic_id == Uuid::ZERO && topic.partitions.is_empty())
    );
    assert!(client.ask(&asked_metadata(None)).await.topics.is_empty());
    assert!(server.broker.topic("no-such-topic").is_none(), "nothing was made");
    let all = admin(&server).ask(&asked_metadata(None)).await;
    assert_eq!(all.topics.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_right_takes_effect_with_its_rule_and_ends_with_it() {
    let (server, mut client) = secured().await;
    let rule = allow("User:ANONYMOUS", Operation::Read, ResourceType::Topic, "t");
    server
        .broker
        .create_acls(std::slice::from_ref(&rule))
        .await
        .expect("a new rule");
    let answer = client.ask(&asked_metadata(Some(&["t"]))).await;
    let topic = &answer.topics[0];
    // Read and what follows from it, describe.
    assert_eq!(
        (topic.error_code, topic.topic_authorized_operations),
        (0, 1 << 3 | 1 << 8)
    );
    let filter = millstream_broker::security::AclFilter {
        resource: None,
        pattern: millstream_broker::security::PatternFilter::Any,
        name: None,
        principal: None,
        host: None,
        operation: None,
        permission: None,
    };
    assert_eq!(server.broker.delete_acls(&filter).await, Ok(vec![rule]));
    assert_eq!(
        client.ask(&asked_metadata(Some(&["t"]))).await.topics[0].error_code,
        29
    );
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_made_on_demand_only_for_who_may_create() {
    let (server, mut client) = secured().await;
    let describe = allow("User:*", Operation::Describe, ResourceType::Topic, "*");
    server.broker.create_acls(&[describe]).await.expect("a new rule");
    assert_eq!(
        client.ask(&asked_metadata(Some(&["new"]))).await.topics[0].error_code,
        29
    );
    assert!(server.broker.topic("new").is_none());
    let create = allow("User:*", Operation::Create, ResourceType::Topic, "new");
    server.broker.create_acls(&[create]).await.expect("a new rule");
    assert_eq!(
        client.ask(&asked_metadata(Some(&["new"]))).await.topics[0].error_code,
        0
    );
    assert!(server.broker.topic("new").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_producer_needs_one_topic_that_it_may_write() {
    let (server, mut client) = secured().await;
    let ask = InitProducerIdRequest {
        transactional_id: None,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    assert_eq!(client.ask(&ask).await.error_code, 31);
    let write = allow("User:ANONYMOUS", Operation::Write, ResourceType::Topic, "t");
    server.broker.create_acls(&[write]).await.expect("a new rule");
    assert_eq!(client.ask(&ask).await.error_code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_session_loses_its_topic_with_the_right() {
    let (server, mut client) = secured().await;
    let rule = allow("User:ANONYMOUS", Operation::Read, ResourceType::Topic, "t");
    server
        .broker
        .create_acls(std::slice::from_ref(&rule))
        .await
        .expect("a new rule");
    let topic = server.broker.topic("t").expect("made above");
    let first = FetchRequest {
        session_epoch: 0,
        max_bytes: 1 << 20,
        topics: vec![fetch::FetchTopic {
            topic_id: Uuid(topic.id().0),
            partitions: vec![fetch::FetchPartition {
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = client.ask(&first).await;
    assert_eq!(answer.responses[0].partitions[0].error_code, 0);
    let filter = millstream_broker::security::AclFilter {
        resource: Some(ResourceType::Topic),
        pattern: millstream_broker::security::PatternFilter::Matching,
        name: Some("t".into()),
        principal: None,
        host: None,
        operation: None,
        permission: None,
    };
    server.broker.delete_acls(&filter).await.expect("deleted");
    let next = FetchRequest {
        session_id: answer.session_id,
        session_epoch: 1,
        max_bytes: 1 << 20,
        ..Default::default()
    };
    let answer = client.ask(&next).await;
    assert_eq!(answer.responses[0].partitions[0].error_code, 29);
}
