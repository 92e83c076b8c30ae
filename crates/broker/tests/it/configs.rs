//! Settings: whose value is in force, what a change does, and that no change is lost.

use crate::{produce, spec, with_topic};
use futures_util::future::join_all;
use millstream_broker::configs::alter::{AlterError, ConfigChange};
use millstream_broker::configs::resolve::ConfigSource;
use millstream_broker::testing::{World, batch_of};
use millstream_broker::{Broker, BrokerError, BrokerScope, Dry, ProduceError, RecordsRefused, TopicError};
use millstream_meta::memory::TxnFault;
use std::time::Duration;

fn set(name: &str, value: &str) -> (String, ConfigChange) {
    (name.to_owned(), ConfigChange::Set(value.to_owned()))
}

fn in_force(broker: &Broker, name: &str) -> (Option<String>, ConfigSource) {
    let entries = broker.describe_topic_configs(&broker.topic("t").expect("it is there"));
    let entry = entries
        .into_iter()
        .find(|entry| entry.row.name == name)
        .expect("it stands in the table");
    (entry.value, entry.source)
}

#[tokio::test(start_paused = true)]
async fn the_nearest_value_is_in_force_and_deleting_it_uncovers_the_next() {
    let world = World::new(&[("log.retention.ms", "4")]);
    let (broker, _) = with_topic(&world, 1, &[("retention.ms", "1")]).await;
    let changes = |value| [set("log.retention.ms", value)];
    broker
        .alter_broker_configs(BrokerScope::Default, &changes("3"), Dry::Run)
        .await
        .unwrap();
    broker
        .alter_broker_configs(BrokerScope::This, &changes("2"), Dry::Run)
        .await
        .unwrap();
    let retention = || in_force(&broker, "retention.ms");
    let policy = || broker.topic("t").unwrap().settings().policy.retention;
    assert_eq!(retention(), (Some("1".into()), ConfigSource::DynamicTopic));
    let delete = |name: &str| [(name.to_owned(), ConfigChange::Delete)];
    broker
        .alter_topic_configs("t", &delete("retention.ms"), Dry::Run)
        .await
        .unwrap();
    assert_eq!(retention(), (Some("2".into()), ConfigSource::DynamicBroker));
    assert_eq!(policy(), Some(Duration::from_millis(2)), "the log is told");
    for (scope, next, source) in [
        (BrokerScope::This, "3", ConfigSource::DynamicDefaultBroker),
        (BrokerScope::Default, "4", ConfigSource::StaticBroker),
    ] {
        broker
            .alter_broker_configs(scope, &delete("log.retention.ms"), Dry::Run)
            .await
            .unwrap();
        assert_eq!(retention(), (Some(next.into()), source));
    }
    assert_eq!(policy(), Some(Duration::from_millis(4)));
}

#[tokio::test(start_paused = true)]
async fn settings_made_at_run_time_outlive_the_broker() {
    let world = World::default();
    let (broker, _) = with_topic(&world, 1, &[]).await;
    let scope = BrokerScope::Default;
    broker
        .alter_broker_configs(scope, &[set("message.max.bytes", "77")], Dry::Run)
        .await
        .unwrap();
    broker
        .alter_topic_configs("t", &[set("retention.ms", "5")], Dry::Run)
        .await
        .unwrap();
    broker.close().await;
    let again = world.open().await;
    assert_eq!(in_force(&again, "retention.ms").0.as_deref(), Some("5"));
    assert_eq!(again.topic("t").unwrap().settings().batch_bytes_max, 77);
    let shown = again.describe_default_configs();
    let shown: Vec<_> = shown
        .iter()
        .map(|entry| (entry.row.name, entry.value.as_deref()))
        .collect();
    assert_eq!(shown, [("message.max.bytes", Some("77"))]);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_in_force_for_the_next_batch() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    produce(&broker, &topic, 0, &["fits"]).await;
    broker
        .alter_topic_configs("t", &[set("max.message.bytes", "10")], Dry::CheckOnly)
        .await
        .unwrap();
    produce(&broker, &broker.topic("t").unwrap(), 0, &["fits"]).await;
    broker
        .alter_topic_configs("t", &[set("max.message.bytes", "10")], Dry::Run)
        .await
        .unwrap();
    let topic = broker.topic("t").unwrap();
    let refused = broker
        .append(&topic, 0, batch_of(&["too long"]))
        .await
        .err()
        .unwrap();
    assert!(matches!(
        refused,
        ProduceError::Refused(RecordsRefused::TooLarge { bytes_max: 10, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn of_changes_at_once_none_is_lost() {
    let (broker, _) = with_topic(&World::default(), 1, &[]).await;
    let names = [
        "retention.ms",
        "segment.ms",
        "flush.ms",
        "max.message.bytes",
        "file.delete.delay.ms",
    ];
    let changes = names.map(|name| [set(name, "60000")]);
    let done = join_all(
        changes
            .iter()
            .map(|change| broker.alter_topic_configs("t", change, Dry::Run)),
    )
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    for name in names {
        assert_eq!(in_force(&broker, name).1, ConfigSource::DynamicTopic, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn replacing_forgets_what_is_not_named() {
    let (broker, _) = with_topic(
        &World::default(),
        1,
        &[("retention.ms", "5"), ("segment.ms", "7")],
    )
    .await;
    let values = [("segment.ms".to_owned(), Some("8".to_owned()))];
    broker
        .replace_topic_configs("t", &values, Dry::Run)
        .await
        .unwrap();
    assert_eq!(in_force(&broker, "segment.ms").0.as_deref(), Some("8"));
    assert_eq!(in_force(&broker, "retention.ms").1, ConfigSource::Default);
    let unknown = broker.replace_topic_configs("u", &values, Dry::Run).await;
    assert_eq!(unknown, Err(TopicError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_change_with_one_fault_changes_nothing() {
    let (broker, _) = with_topic(&World::default(), 1, &[]).await;
    let changes = [set("retention.ms", "5"), set("segment.ms", "soon")];
    for dry in [Dry::CheckOnly, Dry::Run] {
        let refused = broker.alter_topic_configs("t", &changes, dry).await.unwrap_err();
        assert!(
            matches!(refused, TopicError::Config(AlterError::Invalid(_))),
            "{refused}"
        );
    }
    assert_eq!(in_force(&broker, "retention.ms").1, ConfigSource::Default);
    // What is fixed at start is refused, whichever way it comes.
    let fixed = ("num.partitions".to_owned(), Some("3".to_owned()));
    let refused = [
        broker
            .alter_broker_configs(BrokerScope::This, &[set("num.partitions", "3")], Dry::Run)
            .await,
        broker
            .replace_broker_configs(BrokerScope::This, &[fixed], Dry::Run)
            .await,
    ];
    for refused in refused {
        assert!(matches!(refused, Err(BrokerError::Config(AlterError::Static(_)))));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_told_as_such_and_the_broker_goes_on() {
    let world = World::default();
    let (broker, _) = with_topic(&world, 1, &[]).await;
    // The answer is lost, the change was made: asked again, the store tells, and the caller hears of success.
    world.meta.inject(TxnFault::DoneButUnknown);
    broker
        .alter_topic_configs("t", &[set("retention.ms", "5")], Dry::Run)
        .await
        .unwrap();
    assert_eq!(in_force(&broker, "retention.ms").0.as_deref(), Some("5"));
    world.meta.inject(TxnFault::DoneButUnknown);
    broker.create_topic(&spec("u", 1, &[]), Dry::Run).await.unwrap();
    assert!(broker.topic("u").is_some());
}
