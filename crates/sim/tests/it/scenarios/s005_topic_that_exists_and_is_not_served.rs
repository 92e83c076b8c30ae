//! The metadata store carried out the creation of a topic and then gave no answer for so long that the broker gave up: "unknown". The
//! client tried again and was told that the topic exists. But the broker never looked: it served no such topic until its next start.

use super::stage::{act, stage};
use millstream_broker::{Dry, TopicError, TopicSpec};
use millstream_meta::memory::TxnFault;
use millstream_sim::model::TopicShape;
use std::time::Duration;

/// More attempts than the catalog makes.
const SILENCE: usize = 20;

#[test]
fn a_topic_that_exists_is_served() {
    let run = stage(|_| {});
    act(&run, async |ctx| {
        let spec = TopicSpec {
            name: "a".to_owned(),
            partitions: Some(1),
            configs: TopicShape::plain().configs(),
        };
        // The first transaction takes stream ids, the second creates.
        ctx.broker
            .create_topic(
                &TopicSpec {
                    name: "b".to_owned(),
                    ..spec.clone()
                },
                Dry::Run,
            )
            .await
            .expect("no fault yet");
        let mut faults = vec![TxnFault::NotDoneButUnknown; SILENCE];
        faults[0] = TxnFault::DoneButUnknown;
        run.meta().inject(&faults);
        let lost = ctx.broker.create_topic(&spec, Dry::Run).await;
        assert!(matches!(lost, Err(TopicError::Store(_))), "{lost:?}");
        run.meta().clear_injected();
        tokio::time::sleep(Duration::from_secs(30)).await;
        let again = ctx.broker.create_topic(&spec, Dry::Run).await;
        assert!(matches!(again, Err(TopicError::Exists(_))), "{again:?}");
        assert!(ctx.broker.topic("a").is_some(), "what exists is served");
    });
}
