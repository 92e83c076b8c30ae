//! What the state machine refuses.

use super::*;

#[test]
fn an_upload_goes_on_exactly_at_the_committed_end() {
    let mut image = Image::default();
    image
        .apply(&Record::Upload(upload(1, &[range(20, 0, 5)])))
        .expect("the first");
    for (wrong, refusal) in [
        (upload(2, &[range(21, 6, 9)]), Refusal::NotExactCover),
        (upload(2, &[range(21, 4, 9)]), Refusal::NotExactCover),
        (
            upload(2, &[range(21, 5, 7), range(22, 8, 9)]),
            Refusal::NotExactCover,
        ),
        (upload(2, &[]), Refusal::NotExactCover),
        (upload(0, &[range(21, 5, 9)]), Refusal::WalBackwards),
        (upload(2, &[range(20, 5, 9)]), Refusal::DuplicateObject),
    ] {
        let before = image.clone();
        assert_eq!(
            image.apply(&Record::Upload(wrong.clone())),
            Err(refusal),
            "{wrong:?}"
        );
        assert_eq!(image, before, "a refused record changes nothing");
    }
    let mut unknown = upload(2, &[range(21, 5, 9)]);
    unknown.objects.clear();
    assert_eq!(image.apply(&Record::Upload(unknown)), Err(Refusal::UnknownObject));
    let mut unused = upload(2, &[range(21, 5, 9)]);
    unused.objects.push(object(22));
    assert_eq!(image.apply(&Record::Upload(unused)), Err(Refusal::UnknownObject));
}

/// T7: a delta that overflows, or a reversed range, is refused before anything is replaced.
#[test]
fn t7_an_insane_range_is_refused() {
    let mut image = Image::default();
    for insane in [
        range(20, 0, 0),
        range(20, 9, 5),
        range(20, 0, u64::MAX),
        range(20, 0, 1 << 50),
    ] {
        assert_eq!(
            image.apply(&Record::Upload(upload(1, &[insane]))),
            Err(Refusal::InsaneRange),
            "{insane:?}"
        );
    }
    image
        .apply(&Record::Upload(upload(1, &[range(20, 0, 1 << 40)])))
        .expect("beyond 32 bits is sane");
    let mut larger_than_object = range(30, 0, 1 << 40);
    larger_than_object.bytes = 1001;
    let wrong = rewrite(&[range(20, 0, 1 << 40)], &[larger_than_object]);
    assert_eq!(image.apply(&Record::Rewrite(wrong)), Err(Refusal::InsaneRange));
    let mut empty_with_object = range(30, 0, 1 << 40);
    empty_with_object.bytes = 0;
    let wrong = rewrite(&[range(20, 0, 1 << 40)], &[empty_with_object]);
    assert_eq!(image.apply(&Record::Rewrite(wrong)), Err(Refusal::InsaneRange));
}

/// T8: a rewrite that was planned before a trim, a delete or another rewrite is refused at commit.
#[test]
fn t8_a_rewrite_of_a_stale_view_is_refused() {
    let old = [range(20, 0, 5), range(21, 5, 10)];
    let mut fresh = Image::default();
    fresh.apply(&Record::Upload(upload(1, &old))).expect("an upload");
    let planned = Record::Rewrite(rewrite(&old, &[range(30, 0, 10)]));

    let mut trimmed = fresh.clone();
    trimmed
        .apply(&Record::Trim(vec![TrimTo {
            stream: STREAM,
            start: Offset(5),
        }]))
        .expect("a trim");
    assert_eq!(trimmed.apply(&planned), Err(Refusal::StaleRange), "trimmed");
    let mut deleted = fresh.clone();
    deleted
        .apply(&Record::DeleteStream {
            stream: STREAM,
            as_of: GroupSeq(1),
        })
        .expect("a delete");
    assert_eq!(deleted.apply(&planned), Err(Refusal::StreamGone), "deleted");
    let mut rewritten = fresh.clone();
    rewritten
        .apply(&Record::Rewrite(rewrite(&old, &[range(29, 0, 10)])))
        .expect("another");
    assert_eq!(rewritten.apply(&planned), Err(Refusal::StaleRange), "rewritten");

    for added in [
        vec![range(30, 0, 9)],
        vec![range(30, 1, 10)],
        vec![range(30, 0, 4), range(31, 5, 10)],
        vec![],
    ] {
        let wrong = Record::Rewrite(rewrite(&old, &added));
        assert_eq!(
            fresh.clone().apply(&wrong),
            Err(Refusal::NotExactCover),
            "{added:?}"
        );
    }
    fresh.apply(&planned).expect("nothing happened in between");
    assert_eq!(fresh.dead.iter().map(|id| id.0).collect::<Vec<_>>(), [20, 21]);
    fresh.check().expect("every invariant");
}

#[test]
fn a_stream_trimmed_inside_its_tail_goes_on_above_its_committed_end() {
    let mut image = Image::default();
    image
        .apply(&Record::Upload(upload(1, &[range(20, 0, 5)])))
        .expect("an upload");
    image
        .apply(&Record::Trim(vec![TrimTo {
            stream: STREAM,
            start: Offset(12),
        }]))
        .expect("a trim");
    assert!(image.dead.contains(&ObjectId(20)));
    let hole = Record::Upload(upload(2, &[range(21, 13, 20)]));
    assert_eq!(
        image.apply(&hole),
        Err(Refusal::NotExactCover),
        "a hole above the start"
    );
    image
        .apply(&Record::Upload(upload(2, &[range(21, 10, 20)])))
        .expect("the batch that holds the start");
    image.check().expect("every invariant");
    assert_eq!(image.streams[&STREAM].ranges, [range(21, 10, 20)]);
}

#[test]
fn epochs_below_the_start_are_forgotten_but_for_the_one_that_covers_it() {
    let mut stream = StreamImage {
        epochs: vec![
            (Epoch(1), Offset(0)),
            (Epoch(2), Offset(5)),
            (Epoch(3), Offset(9)),
        ],
        ..StreamImage::default()
    };
    stream.trim(Offset(7));
    assert_eq!(stream.epochs, [(Epoch(2), Offset(5)), (Epoch(3), Offset(9))]);
}
