//! The model accepts what honest logs do, and finds each kind of lie.

use super::{
    BatchId, FoundAt, Model, Outcome, PartitionView, Place, ReadAsked, SentRecord, ShownTopic, TopicShape,
};
use crate::workload::encode;
use bytes::Bytes;
use millstream_broker::{Epoch, Offset, StreamBounds, TopicId};
use millstream_log::batch::{Codec, StoredBatch, ValidBatch};
use std::collections::BTreeMap;

const TOPIC: TopicId = TopicId([7; 16]);
const PLACE: Place = Place {
    topic: TOPIC,
    partition: 0,
};

fn model(shape: TopicShape) -> Model {
    let mut model = Model::new();
    model.topic_is_live(TOPIC, "a", 1, shape).expect("new");
    model
}

fn compacted() -> TopicShape {
    TopicShape {
        compact: true,
        delete: false,
        ..TopicShape::plain()
    }
}

fn record(key: &str, value: Option<&str>, timestamp: i64) -> SentRecord {
    SentRecord {
        key: Some(key.as_bytes().to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        timestamp,
    }
}

/// Sends a batch of one record; nobody has an answer yet.
fn send(model: &mut Model, order: u64, key: &str) -> BatchId {
    let records = vec![record(key, Some("v"), 100)];
    let id = model.send_new((0, order), PLACE, records, None);
    model.attempt(id);
    id
}

fn ack(model: &mut Model, order: u64, key: &str, base: u64) -> BatchId {
    let id = send(model, order, key);
    model.ended(id, Outcome::Acked(base)).expect("an honest answer");
    id
}

/// The batch as a read would give it.
fn stored(model: &Model, id: BatchId, base: u64) -> Bytes {
    let bytes = encode(id, &model.batch(id).records, Codec::None, None);
    let valid = ValidBatch::verify(bytes).expect("encoded here");
    StoredBatch::stamp(valid, Offset(base), Epoch(0)).into_bytes()
}

fn read(model: &mut Model, from: u64, end: u64, chunks: &[Bytes]) -> Result<u64, String> {
    let asked = ReadAsked {
        place: PLACE,
        from,
        before: PartitionView::default(),
        end,
    };
    model.was_read(asked, chunks)
}

fn bounds(start: u64, end: u64) -> StreamBounds {
    StreamBounds {
        start: Offset(start),
        end: Offset(end),
        stable_end: Offset(end),
        bytes: 0,
    }
}

fn says<T: std::fmt::Debug>(judged: Result<T, String>, what: &str) {
    let found = judged.expect_err("a lie");
    assert!(found.contains(what), "{found}");
}

#[test]
fn an_honest_log_is_believed() {
    let mut model = model(TopicShape::plain());
    let acked = ack(&mut model, 1, "k", 0);
    let unknown = send(&mut model, 2, "k");
    model.life_is_over();
    let chunks = [stored(&model, acked, 0), stored(&model, unknown, 1)];
    assert_eq!(read(&mut model, 0, 2, &chunks), Ok(2));
    let view = model.view(PLACE);
    assert_eq!(view, PartitionView { start: 0, end: 2 });
    model.bounds_seen(PLACE, view, bounds(0, 2)).expect("as it is");
}

#[test]
fn two_batches_at_one_offset_are_found() {
    let mut model = model(TopicShape::plain());
    ack(&mut model, 1, "k", 0);
    let other = model.send_new((1, 1), PLACE, vec![record("k", None, 0)], None);
    model.attempt(other);
    // Its floor lies above: it was sent after the first was visible.
    says(
        model.ended(other, Outcome::Acked(0)),
        "below 1, which was visible",
    );
}

#[test]
fn a_batch_that_is_there_twice_is_found() {
    let mut model = model(TopicShape::plain());
    let id = ack(&mut model, 1, "k", 0);
    let chunks = [stored(&model, id, 0), stored(&model, id, 1)];
    says(read(&mut model, 0, 2, &chunks), "twice");
}

#[test]
fn a_batch_that_was_refused_and_is_there_is_found() {
    let mut model = model(TopicShape::plain());
    let id = send(&mut model, 1, "k");
    model.ended(id, Outcome::NotDone).expect("an honest answer");
    let chunks = [stored(&model, id, 0)];
    says(read(&mut model, 0, 1, &chunks), "was refused");
}

#[test]
fn a_record_that_is_skipped_or_hidden_is_found() {
    let mut model = model(TopicShape::plain());
    let first = ack(&mut model, 1, "k", 0);
    ack(&mut model, 2, "k", 1);
    let third = ack(&mut model, 3, "k", 2);
    let chunks = [stored(&model, first, 0), stored(&model, third, 2)];
    says(
        read(&mut model, 0, 3, &chunks),
        "where it should have met Some(1)",
    );
    says(read(&mut model, 1, 3, &[]), "stuck");
    says(model.judge_whole(PLACE, &[], 0), "is lost");
}

#[test]
fn a_record_that_is_changed_is_found() {
    let mut model = model(TopicShape::plain());
    let id = ack(&mut model, 1, "k", 0);
    let bytes = encode(id, &[record("k", Some("w"), 100)], Codec::None, None);
    let valid = ValidBatch::verify(bytes).expect("encoded here");
    let chunk = StoredBatch::stamp(valid, Offset(0), Epoch(0)).into_bytes();
    says(read(&mut model, 0, 1, &[chunk]), "not as it was sent");
}

#[test]
fn a_record_that_is_shown_above_the_end_is_found() {
    let mut model = model(TopicShape::plain());
    let id = send(&mut model, 1, "k");
    let chunks = [stored(&model, id, 0)];
    says(read(&mut model, 0, 0, &chunks), "the end was 0");
}

#[test]
fn bounds_that_go_back_are_found() {
    let mut model = model(TopicShape::plain());
    ack(&mut model, 1, "k", 0);
    let view = model.view(PLACE);
    says(model.bounds_seen(PLACE, view, bounds(0, 0)), "went back");
}

#[test]
fn records_that_nobody_asked_to_delete_may_go_only_by_policy() {
    let mut kept = model(TopicShape::plain());
    ack(&mut kept, 1, "k", 0);
    let view = kept.view(PLACE);
    says(kept.bounds_seen(PLACE, view, bounds(1, 1)), "no policy");

    let shape = TopicShape {
        retention_ms: Some(50),
        ..TopicShape::plain()
    };
    let mut expired = model(shape);
    ack(&mut expired, 1, "k", 0);
    expired.wall_is(149);
    says(expired.bounds_seen(PLACE, view, bounds(1, 1)), "no policy");
    expired.wall_is(150);
    let mut later = expired;
    later.bounds_seen(PLACE, view, bounds(1, 1)).expect("old enough");
}

#[test]
fn retention_may_take_what_compaction_left() {
    let mut model = model(TopicShape {
        compact: true,
        retention_ms: Some(1_000),
        ..TopicShape::plain()
    });
    // Written late, and taken by compaction; what stays of the piece is old.
    let late = vec![record("k", Some("v"), 900)];
    let superseded = model.send_new((0, 1), PLACE, late, None);
    model.attempt(superseded);
    model
        .ended(superseded, Outcome::Acked(0))
        .expect("an honest answer");
    ack(&mut model, 2, "k", 1);
    ack(&mut model, 3, "other", 2);
    model.wall_is(1_500);
    model
        .bounds_seen(PLACE, PartitionView::default(), bounds(2, 3))
        .expect("a policy, and an older one");
}

#[test]
fn a_start_tells_of_the_end() {
    let mut model = model(TopicShape::plain());
    model.trim_asked(PLACE, None);
    let view = model.view(PLACE);
    model.trimmed(PLACE, None, view, 8).expect("all of it");
    let view = model.view(PLACE);
    assert_eq!(view.end, 8, "nothing below the start is to come");
    says(
        model.bounds_seen(PLACE, view, bounds(8, 7)),
        "the end went back from 8 to 7",
    );
}

#[test]
fn the_newest_of_a_key_may_not_be_compacted_away() {
    let mut model = model(compacted());
    let old = ack(&mut model, 1, "k", 0);
    let other = ack(&mut model, 2, "other", 1);
    let new = ack(&mut model, 3, "k", 2);
    let superseded_is_gone = [stored(&model, other, 1), stored(&model, new, 2)];
    assert_eq!(read(&mut model, 0, 3, &superseded_is_gone), Ok(3));
    let newest_is_gone = [stored(&model, old, 0), stored(&model, new, 2)];
    says(read(&mut model, 0, 3, &newest_is_gone), "holds the newest value");
}

#[test]
fn a_value_that_rises_from_the_dead_is_found() {
    let shape = TopicShape {
        tombstone_ms: 10,
        ..compacted()
    };
    let mut model = model(shape);
    let value = ack(&mut model, 1, "k", 0);
    let tombstone = model.send_new((0, 2), PLACE, vec![record("k", None, 100)], None);
    model.attempt(tombstone);
    model
        .ended(tombstone, Outcome::Acked(1))
        .expect("an honest answer");
    model.wall_is(1_000);
    let found = model
        .records_of(PLACE, &[stored(&model, value, 0)])
        .expect("a batch");
    says(model.judge_whole(PLACE, &found, 0), "its value at 0 is not");
    model.judge_whole(PLACE, &[], 0).expect("both gone");
}

#[test]
fn batches_that_overtake_each_other_are_found() {
    let mut model = model(TopicShape::plain());
    let (first, second) = (send(&mut model, 1, "k"), send(&mut model, 2, "k"));
    model
        .ended(second, Outcome::Acked(0))
        .expect("nothing is known of the first");
    says(model.ended(first, Outcome::Acked(1)), "the other way round");
}

#[test]
fn a_wrong_answer_to_a_question_by_time_is_found() {
    let mut model = model(TopicShape::plain());
    ack(&mut model, 1, "k", 0);
    ack(&mut model, 2, "k", 1);
    let view = model.view(PLACE);
    let at = |offset, timestamp| Some(FoundAt { offset, timestamp });
    model
        .found_by_time(PLACE, 50, view, at(0, 100))
        .expect("the first");
    says(
        model.found_by_time(PLACE, 50, view, at(1, 100)),
        "offset 0 has 100",
    );
    says(model.found_by_time(PLACE, 50, view, None), "offset 0 has 100");
    says(model.found_by_time(PLACE, 150, view, at(0, 100)), "asked for 150");
    says(
        model.found_by_time(PLACE, 50, view, at(0, 90)),
        "was sent with 100",
    );
    model
        .found_max_time(PLACE, view, at(0, 100))
        .expect("the first of two");
    says(model.found_max_time(PLACE, view, None), "largest");
}

#[test]
fn producers_that_are_forgotten_are_found() {
    let mut model = model(TopicShape::plain());
    let records = vec![record("k", None, 0), record("k", None, 0)];
    let id = model.send_new((0, 1), PLACE, records, Some((9, 0, 5)));
    model.attempt(id);
    model.ended(id, Outcome::Acked(0)).expect("an honest answer");
    model
        .producers_shown(PLACE, &BTreeMap::from([(9, (0, 6))]))
        .expect("as sent");
    says(model.producers_shown(PLACE, &BTreeMap::new()), "remembers None");
    says(
        model.producers_shown(PLACE, &BTreeMap::from([(9, (0, 4))])),
        "remembers Some",
    );
}

#[test]
fn topics_that_vanish_return_or_change_are_found() {
    let shown = |shape: &TopicShape| {
        let configs = shape
            .configs()
            .into_iter()
            .map(|(name, value)| (name, value.expect("given")));
        [ShownTopic {
            id: TOPIC,
            name: "a".to_owned(),
            partitions: 1,
            configs: configs.collect(),
        }]
    };
    let plain = TopicShape::plain();
    let mut model = model(plain.clone());
    model.topics_shown(&shown(&plain)).expect("as created");
    says(model.topics_shown(&[]), "nobody deleted it");
    says(
        model.topics_shown(&shown(&compacted())),
        "settings that nobody made",
    );
    model.reshaping(TOPIC, &compacted());
    model
        .topics_shown(&shown(&compacted()))
        .expect("the answer was lost, the change was not");
    says(model.topics_shown(&shown(&plain)), "settings that nobody made");
    model.deleting(TOPIC);
    model.topics_shown(&[]).expect("deleted");
    says(model.topics_shown(&shown(&plain)), "is back");
}
