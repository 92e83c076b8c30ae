//! A quota on the time of request handlers, as only a broker on a clock that runs can feel it.

use crate::process::{Broker, Folder};
use crate::wire::Wire;
use millstream_kafka_wire::alter_client_quotas::{OpData, RequestEntityData, RequestEntryData};
use millstream_kafka_wire::{AlterClientQuotasRequest, MetadataRequest, Str};

/// Requests after which somebody who is limited to next to nothing has surely owed something.
const ROUNDS_MAX: usize = 100_000;

/// A share of one processor that each request uses up, in percent.
const NEXT_TO_NOTHING: f64 = 0.000_1;

/// Nobody waits longer at once, however much was used: a member of a group must be able to send its heartbeats.
const WAIT_MAX_MS: i32 = 1000;

fn limit(broker: &Broker, client: &'static str, percent: Option<f64>) {
    let request = AlterClientQuotasRequest {
        entries: vec![RequestEntryData {
            entity: vec![RequestEntityData {
                entity_type: Str::from_static("client-id"),
                entity_name: Some(Str::from_static(client)),
            }],
            ops: vec![OpData {
                key: Str::from_static("request_percentage"),
                value: percent.unwrap_or_default(),
                remove: percent.is_none(),
            }],
        }],
        validate_only: false,
    };
    let answer = Wire::connect(&broker.kafka).ask(&request).expect("an answer");
    assert_eq!(answer.entries[0].error_code, 0);
}

/// How long the client is told to wait after one request.
fn told(client: &mut Wire) -> i32 {
    let request = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    client.ask(&request).expect("an answer").throttle_time_ms
}

#[test]
fn a_client_that_uses_more_than_its_share_of_the_broker_is_told_to_wait_and_others_are_not() {
    let folder = Folder::new();
    let broker = Broker::start(&folder.path().join("data"));
    limit(&broker, "greedy", Some(NEXT_TO_NOTHING));
    let mut greedy = Wire::connect(&broker.kafka).named("greedy");
    let throttled = (0..ROUNDS_MAX).map(|_| told(&mut greedy)).find(|ms| *ms > 0);
    assert!(throttled.is_some_and(|ms| ms <= WAIT_MAX_MS), "{throttled:?}");
    let mut modest = Wire::connect(&broker.kafka).named("modest");
    for _ in 0..100 {
        assert_eq!(told(&mut modest), 0, "another client owes nothing");
    }
    // Another connection of the same client is the same client.
    let mut second = Wire::connect(&broker.kafka).named("greedy");
    assert!(told(&mut second) > 0);
    limit(&broker, "greedy", None);
    // What was told before is waited for; afterwards nothing is owed.
    told(&mut greedy);
    for _ in 0..100 {
        assert_eq!(told(&mut greedy), 0, "it is free again");
    }
}
