//! Tests of client metrics: who may ask and push when, and what is kept.

use super::*;

const ID: Uuid = Uuid([7; 16]);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn telemetry(interval_ms: u32, metrics: &str) -> Telemetry {
    let values = [
        ("interval.ms", interval_ms.to_string()),
        ("metrics", metrics.to_owned()),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    let telemetry = Telemetry::default();
    *telemetry.subscriptions.write() =
        Arc::new(vec![MetricsSubscription::parse(&values).expect("it parses")]);
    telemetry
}

fn head(subscription: i32) -> PushHead {
    PushHead {
        instance: ID,
        subscription,
        is_last: false,
    }
}

fn sample(name: &str, kind: Kind, value: f64) -> Sample {
    Sample {
        name: name.to_owned(),
        attributes: String::new(),
        kind,
        value,
    }
}

fn facts() -> ClientFacts {
    ClientFacts {
        client_id: "app".to_owned(),
        ..ClientFacts::default()
    }
}

#[test]
fn a_client_asks_and_pushes_once_an_interval() {
    let telemetry = telemetry(10_000, "org.");
    let wanted = telemetry.subscribe(ID, facts(), at(0)).expect("the first time");
    assert_eq!(
        telemetry.subscribe(ID, facts(), at(9)),
        Err(TelemetryError::TooEarly)
    );
    telemetry
        .admit(&head(wanted.id), facts(), at(1))
        .expect("the first, whenever it comes");
    assert_eq!(
        telemetry.admit(&head(wanted.id), facts(), at(5)),
        Err(TelemetryError::TooEarly)
    );
    telemetry
        .admit(&head(wanted.id), facts(), at(11))
        .expect("an interval later");
    telemetry
        .subscribe(ID, facts(), at(12))
        .expect("an interval later");
}

#[test]
fn a_client_whose_subscription_changed_is_told_and_asks_at_once() {
    let telemetry = telemetry(10_000, "org.");
    let wanted = telemetry.subscribe(ID, facts(), at(0)).expect("the first time");
    let push = telemetry.admit(&head(wanted.id + 1), facts(), at(1));
    assert_eq!(push, Err(TelemetryError::UnknownSubscription));
    telemetry.subscribe(ID, facts(), at(2)).expect("allowed");
}

#[test]
fn numbers_are_kept_added_up_and_forgotten_with_their_client() {
    let telemetry = telemetry(10_000, "org.");
    let wanted = telemetry.subscribe(ID, facts(), at(0)).expect("the first time");
    for second in [1, 11] {
        telemetry
            .admit(&head(wanted.id), facts(), at(second))
            .expect("in time");
        let samples = vec![
            sample("org.sum", Kind::Delta, 3.0),
            sample("org.gauge", Kind::Gauge, second as f64),
            sample("com.unasked", Kind::Gauge, 1.0),
        ];
        telemetry.take(&head(wanted.id), samples);
    }
    let shown: Vec<(String, f64)> = telemetry
        .metrics(at(20))
        .into_iter()
        .map(|one| (one.metric, one.value))
        .collect();
    assert_eq!(shown, [("org.gauge".into(), 11.0), ("org.sum".into(), 6.0)]);
    assert!(telemetry.metrics(at(200)).is_empty());
    assert_eq!(telemetry.instances.lock().series, 0);
}

#[test]
fn after_its_last_push_a_client_is_gone() {
    let telemetry = telemetry(10_000, "org.");
    let wanted = telemetry.subscribe(ID, facts(), at(0)).expect("the first time");
    telemetry
        .admit(&head(wanted.id), facts(), at(1))
        .expect("in time");
    let last = PushHead {
        is_last: true,
        ..head(wanted.id)
    };
    telemetry
        .admit(&last, facts(), at(2))
        .expect("the last may come early");
    telemetry.take(&last, vec![]);
    assert_eq!(
        telemetry.admit(&head(wanted.id), facts(), at(30)),
        Err(TelemetryError::Ended)
    );
    assert!(telemetry.metrics(at(31)).is_empty());
}

#[test]
fn what_one_client_and_all_together_may_push_is_bounded() {
    let telemetry = telemetry(10_000, "*");
    for client in 0..=SERIES_MAX / SERIES_PER_INSTANCE_MAX {
        let instance = Uuid::from_u128(client as u128 + 1);
        let wanted = telemetry.subscribe(instance, facts(), at(0)).expect("room");
        let head = PushHead {
            instance,
            ..head(wanted.id)
        };
        telemetry.admit(&head, facts(), at(1)).expect("in time");
        let samples = (0..SERIES_PER_INSTANCE_MAX + 5).map(|n| sample(&format!("m{n}"), Kind::Gauge, 1.0));
        telemetry.take(&head, samples.collect());
    }
    assert_eq!(telemetry.metrics(at(2)).len(), SERIES_MAX);
}
