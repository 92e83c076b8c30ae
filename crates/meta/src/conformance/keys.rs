//! Promises about keys, transactions and ranges.
//!
//! Owns: one function a promise. Never: watches and sessions (beside this file).
//! **Invariant**: see `conformance`.

use super::{World, commit, everything, get, promises, put, refused_by_compare, value};
use crate::store::{
    Compare, Current, KEY_BYTES_MAX, KeyRange, MetaStore, PAGE_ENTRIES_MAX, RangeQuery, ReadError, Revision,
    TXN_OPS_MAX, Txn, TxnError, TxnOutcome, TxnRefusal, VALUE_BYTES_MAX, range_all,
};
use bytes::Bytes;
use futures_util::future::{join_all, poll_immediate};

promises![
    a_key_is_absent_until_it_is_written,
    each_change_has_a_revision_of_its_own,
    a_transaction_is_carried_out_whole_or_not_at_all,
    each_compare_holds_exactly_when_it_should,
    a_transaction_that_breaks_a_rule_does_nothing,
    a_transaction_takes_values_and_operations_up_to_the_limits,
    deleting_what_is_absent_makes_no_revision,
    a_deleted_range_takes_exactly_its_keys,
    a_range_is_ordered_and_half_open,
    pages_hold_as_of_one_revision_while_writes_go_on,
    a_read_outside_of_history_is_refused,
    of_concurrent_writers_exactly_one_wins_each_revision,
    a_dropped_transaction_happens_whole_or_not_at_all,
];

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn a_key_is_absent_until_it_is_written(_: &dyn World, store: &dyn MetaStore) {
    assert_eq!(get(store, "a/1").await, None);
    let revision = put(store, "a/1", "one").await;
    let entry = get(store, "a/1").await.expect("written");
    assert_eq!(
        (entry.value, entry.modified, entry.session),
        (bytes("one"), revision, None)
    );
    commit(store, Txn::new().delete("a/1")).await;
    assert_eq!(get(store, "a/1").await, None);
}

async fn each_change_has_a_revision_of_its_own(_: &dyn World, store: &dyn MetaStore) {
    let first = put(store, "a/1", "x").await;
    let second = put(store, "a/1", "x").await;
    assert!(
        first > Revision::default() && second > first,
        "also when the value is the same"
    );
    let third = commit(store, Txn::new().put("a/1", bytes("y")).put("a/2", bytes("y"))).await;
    assert!(third > second);
    assert_eq!(get(store, "a/1").await.expect("written").modified, third);
    assert_eq!(get(store, "a/2").await.expect("written").modified, third);
    let nothing = commit(store, Txn::new().when(Compare::Present("a/1".into()))).await;
    assert_eq!(nothing, third, "a transaction without operations changes nothing");
}

async fn a_transaction_is_carried_out_whole_or_not_at_all(_: &dyn World, store: &dyn MetaStore) {
    let revision = put(store, "a/1", "old").await;
    let txn = Txn::new()
        .when(Compare::Present("a/1".into()))
        .when(Compare::Present("a/none".into()))
        .put("a/1", bytes("new"))
        .delete("a/1x")
        .put("a/2", bytes("new"));
    let current = refused_by_compare(store, txn).await;
    let [Current::Key(Some(first)), Current::Key(None)] = &current[..] else {
        panic!("what each compare looked at, in order: {current:?}");
    };
    assert_eq!((first.modified, &first.value), (revision, &bytes("old")));
    assert_eq!(value(store, "a/1").await, Some(bytes("old")));
    assert_eq!(value(store, "a/2").await, None);
    assert_eq!(
        put(store, "a/3", "x").await,
        revision.next(),
        "a failed compare makes no revision"
    );
}

async fn each_compare_holds_exactly_when_it_should(_: &dyn World, store: &dyn MetaStore) {
    let revision = put(store, "a/1", "x").await;
    let at = |key: &str, revision| Compare::ModifiedAt {
        key: key.into(),
        revision,
    };
    for holds in [
        at("a/1", revision),
        Compare::Present("a/1".into()),
        Compare::Absent("a/2".into()),
    ] {
        commit(store, Txn::new().when(holds)).await;
    }
    let fails = [
        at("a/1", revision.next()),
        at("a/2", revision),
        Compare::Present("a/2".into()),
        Compare::Absent("a/1".into()),
    ];
    for fails in fails {
        refused_by_compare(store, Txn::new().when(fails).put("a/9", bytes("x"))).await;
    }
    assert_eq!(get(store, "a/9").await, None);
    put(store, "a/1", "y").await;
    refused_by_compare(store, Txn::new().when(at("a/1", revision))).await;
}

async fn a_transaction_that_breaks_a_rule_does_nothing(_: &dyn World, store: &dyn MetaStore) {
    let one = || Txn::new().put("a/1", bytes("x"));
    let mut many = Txn::new();
    for i in 0..=TXN_OPS_MAX {
        many = many.put(&format!("a/{i}"), bytes("x"));
    }
    let large = Bytes::from(vec![0; VALUE_BYTES_MAX]);
    let broken = [
        (many, TxnRefusal::TooManyOps),
        (one().put("a/1", bytes("y")), TxnRefusal::OverlappingKeys),
        (one().delete("a/1"), TxnRefusal::OverlappingKeys),
        (one().delete_range(everything()), TxnRefusal::OverlappingKeys),
        (
            one()
                .delete_range(KeyRange::prefix("b"))
                .delete_range(KeyRange::prefix("bc")),
            TxnRefusal::OverlappingKeys,
        ),
        (one().put("", bytes("x")), TxnRefusal::InvalidKey),
        (one().put("a b", bytes("x")), TxnRefusal::InvalidKey),
        (one().put("\u{fc}", bytes("x")), TxnRefusal::InvalidKey),
        (
            one().put(&"k".repeat(KEY_BYTES_MAX + 1), bytes("x")),
            TxnRefusal::InvalidKey,
        ),
        (
            one().put("a/2", Bytes::from(vec![0; VALUE_BYTES_MAX + 1])),
            TxnRefusal::ValueTooLarge,
        ),
        (
            one().put("a/2", large.clone()).put("a/3", large),
            TxnRefusal::TxnTooLarge,
        ),
    ];
    for (txn, refusal) in broken {
        assert_eq!(store.txn(txn).await, Err(TxnError::Refused(refusal)));
    }
    let (entries, revision) = range_all(store, everything()).await.expect("the store answers");
    assert!(entries.is_empty(), "{entries:?}");
    assert_eq!(put(store, "a/1", "x").await, revision.next());
}

async fn a_transaction_takes_values_and_operations_up_to_the_limits(_: &dyn World, store: &dyn MetaStore) {
    let large = Bytes::from(vec![7; VALUE_BYTES_MAX]);
    let long_key = "k".repeat(KEY_BYTES_MAX);
    commit(store, Txn::new().put(&long_key, large.clone())).await;
    assert_eq!(value(store, &long_key).await, Some(large));
    let mut many = Txn::new();
    for i in 0..TXN_OPS_MAX {
        many = many
            .when(Compare::Absent(format!("a/{i}").into()))
            .put(&format!("a/{i}"), bytes("x"));
    }
    commit(store, many).await;
    let (entries, _) = range_all(store, everything()).await.expect("the store answers");
    assert_eq!(entries.len(), TXN_OPS_MAX);
}

async fn deleting_what_is_absent_makes_no_revision(_: &dyn World, store: &dyn MetaStore) {
    let revision = put(store, "b/1", "x").await;
    assert_eq!(commit(store, Txn::new().delete("a/1")).await, revision);
    assert_eq!(
        commit(store, Txn::new().delete_range(everything())).await,
        revision
    );
}

async fn a_deleted_range_takes_exactly_its_keys(_: &dyn World, store: &dyn MetaStore) {
    for key in ["a", "a/", "a/1", "a/~", "a0", "b"] {
        put(store, key, "x").await;
    }
    let txn = Txn::new().delete_range(everything()).put("b", bytes("y"));
    let revision = commit(store, txn).await;
    for (key, present) in [
        ("a", true),
        ("a/", false),
        ("a/1", false),
        ("a/~", false),
        ("a0", true),
    ] {
        assert_eq!(get(store, key).await.is_some(), present, "{key}");
    }
    assert_eq!(get(store, "b").await.expect("written").modified, revision);
}

async fn a_range_is_ordered_and_half_open(_: &dyn World, store: &dyn MetaStore) {
    for key in ["a/2", "a/10", "a/1", "a/3", "b"] {
        put(store, key, "x").await;
    }
    let query = |from: &str, to: &str, limit| RangeQuery {
        range: KeyRange {
            from: from.into(),
            to: to.into(),
        },
        limit,
        at: None,
    };
    let keys = |query| async {
        let page = store.range(query).await.expect("the store answers");
        let keys: Vec<String> = page.entries.iter().map(|(key, _)| key.to_string()).collect();
        (keys, page.next.map(|next| next.to_string()))
    };
    assert_eq!(keys(query("a/1", "a/3", 10)).await.0, ["a/1", "a/10", "a/2"]);
    let (first, next) = keys(query("a/1", "b", 2)).await;
    assert_eq!((first.len(), next.as_deref()), (2, Some("a/2")));
    assert!(
        keys(query("b", "a", 10)).await.0.is_empty(),
        "an inverted range is empty"
    );
}

async fn pages_hold_as_of_one_revision_while_writes_go_on(_: &dyn World, store: &dyn MetaStore) {
    let count = PAGE_ENTRIES_MAX + 300;
    for chunk in (0..count).collect::<Vec<_>>().chunks(TXN_OPS_MAX) {
        let txn = chunk
            .iter()
            .fold(Txn::new(), |txn, i| txn.put(&format!("a/{i:06}"), bytes("old")));
        commit(store, txn).await;
    }
    let mut query = RangeQuery {
        range: everything(),
        limit: usize::MAX,
        at: None,
    };
    let first = store.range(query.clone()).await.expect("the store answers");
    assert!(first.entries.len() <= PAGE_ENTRIES_MAX);
    let last = format!("a/{:06}", count - 1);
    let middle = format!("a/{:06}", count - 2);
    commit(
        store,
        Txn::new()
            .put(&last, bytes("new"))
            .delete(&middle)
            .put("a/999999", bytes("new")),
    )
    .await;
    commit(
        store,
        Txn::new().put(&last, bytes("newer")).put(&middle, bytes("newer")),
    )
    .await;
    let mut entries = first.entries;
    let mut next = first.next;
    while let Some(from) = next {
        query.range.from = from;
        query.at = Some(first.revision);
        let page = store.range(query.clone()).await.expect("the revision is recent");
        assert_eq!(page.revision, first.revision);
        entries.extend(page.entries);
        next = page.next;
    }
    assert_eq!(entries.len(), count, "what came or went later is not seen");
    assert!(entries.is_sorted_by(|a, b| a.0 < b.0));
    assert!(entries.iter().all(|(_, entry)| entry.value == bytes("old")));
    assert_eq!(value(store, &last).await, Some(bytes("newer")));
}

async fn a_read_outside_of_history_is_refused(world: &dyn World, store: &dyn MetaStore) {
    let first = put(store, "a/1", "x").await;
    let second = put(store, "a/1", "y").await;
    let at = |revision| RangeQuery {
        range: everything(),
        limit: 10,
        at: Some(revision),
    };
    let page = store.range(at(first)).await.expect("recent");
    assert_eq!(page.entries[0].1.value, bytes("x"));
    assert_eq!(
        store.range(at(second.next())).await,
        Err(ReadError::NotYet { current: second })
    );
    world.compact().await;
    assert_eq!(
        store.range(at(first)).await,
        Err(ReadError::Compacted { oldest: second })
    );
    assert!(store.range(at(second)).await.is_ok());
}

/// Adds one to the number in `a/counter`, as often as it takes.
async fn count_up(store: &dyn MetaStore) {
    loop {
        let read = get(store, "a/counter").await;
        let number: u64 = read.as_ref().map_or(0, |entry| {
            std::str::from_utf8(&entry.value)
                .expect("ours")
                .parse()
                .expect("ours")
        });
        let txn = Txn::new()
            .when_unchanged("a/counter", read.map(|entry| entry.modified))
            .put("a/counter", Bytes::from((number + 1).to_string()));
        if let TxnOutcome::Committed { .. } = store.txn(txn).await.expect("the store answers") {
            return;
        }
    }
}

async fn of_concurrent_writers_exactly_one_wins_each_revision(_: &dyn World, store: &dyn MetaStore) {
    join_all((0..20).map(|_| count_up(store))).await;
    assert_eq!(value(store, "a/counter").await, Some(bytes("20")));
}

async fn a_dropped_transaction_happens_whole_or_not_at_all(_: &dyn World, store: &dyn MetaStore) {
    for i in 0..20 {
        let (first, second) = (format!("a/{i}/1"), format!("a/{i}/2"));
        let txn = Txn::new().put(&first, bytes("x")).put(&second, bytes("x"));
        // Polled once, then dropped.
        let _ = poll_immediate(store.txn(txn)).await;
    }
    put(store, "b", "x").await;
    for i in 0..20 {
        let first = get(store, &format!("a/{i}/1")).await.map(|entry| entry.modified);
        let second = get(store, &format!("a/{i}/2")).await.map(|entry| entry.modified);
        assert_eq!(first, second);
    }
}
