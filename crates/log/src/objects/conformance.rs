//! What every implementation of the `ObjectStore` port must do. Each promise is one check; all run on an empty store.

use super::store::{ObjectError, ObjectStore, PutMode};
use bytes::Bytes;

/// Runs every check; panics at the first promise that is not kept.
pub async fn check(store: &dyn ObjectStore) {
    a_put_object_is_read_back_whole_and_in_ranges(store).await;
    create_new_never_replaces(store).await;
    replace_replaces(store).await;
    a_range_past_the_end_is_refused(store).await;
    a_missing_key_is_not_found(store).await;
    list_is_sorted_and_keeps_to_the_prefix(store).await;
    delete_is_idempotent(store).await;
    of_many_creators_one_wins(store).await;
}

async fn put(
    store: &dyn ObjectStore,
    key: &str,
    text: &'static str,
    mode: PutMode,
) -> Result<(), ObjectError> {
    store
        .put(key, vec![Bytes::from_static(text.as_bytes())], mode)
        .await
}

async fn a_put_object_is_read_back_whole_and_in_ranges(store: &dyn ObjectStore) {
    let parts = vec![
        Bytes::from_static(b"abc"),
        Bytes::new(),
        Bytes::from(vec![b'x'; 300_000]),
        Bytes::from_static(b"z"),
    ];
    let whole: Vec<u8> = parts.concat();
    store
        .put("conf/parts", parts, PutMode::CreateNew)
        .await
        .expect("a put on a free key");
    assert_eq!(store.head("conf/parts").await, Ok(whole.len() as u64), "length");
    let found = store
        .get_range("conf/parts", 0..whole.len() as u64)
        .await
        .expect("whole");
    assert_eq!(found, whole, "whole");
    let found = store
        .get_range("conf/parts", 2..5)
        .await
        .expect("a range over a part's border");
    assert_eq!(found, &whole[2..5], "a range");
    let last = whole.len() as u64 - 1;
    assert_eq!(
        store.get_range("conf/parts", last..last + 1).await,
        Ok(Bytes::from_static(b"z")),
        "the last byte"
    );
    let wanted = [1..3, 3..3, 3..200_003, 204_000..204_800, 204_801..210_000];
    let pieces = store.get_pieces("conf/parts", &wanted).await;
    let pieces = pieces.expect("pieces over parts' borders");
    let expected = wanted.map(|piece| &whole[piece.start as usize..piece.end as usize]);
    assert_eq!(
        pieces, expected,
        "each its own stretch, nothing of what lies between"
    );
}

async fn create_new_never_replaces(store: &dyn ObjectStore) {
    put(store, "conf/new", "first", PutMode::CreateNew)
        .await
        .expect("free");
    let second = put(store, "conf/new", "second", PutMode::CreateNew).await;
    assert_eq!(second, Err(ObjectError::AlreadyExists), "a taken key is told");
    assert_eq!(
        store.get_range("conf/new", 0..5).await,
        Ok(Bytes::from_static(b"first")),
        "and kept"
    );
}

async fn replace_replaces(store: &dyn ObjectStore) {
    put(store, "conf/replaced", "before", PutMode::Replace)
        .await
        .expect("free");
    put(store, "conf/replaced", "after", PutMode::Replace)
        .await
        .expect("taken");
    assert_eq!(store.head("conf/replaced").await, Ok(5), "the new length");
    assert_eq!(
        store.get_range("conf/replaced", 0..5).await,
        Ok(Bytes::from_static(b"after")),
        "the new bytes"
    );
}

async fn a_range_past_the_end_is_refused(store: &dyn ObjectStore) {
    put(store, "conf/short", "12345", PutMode::CreateNew)
        .await
        .expect("free");
    for range in [0..6, 5..6, 7..9] {
        let found = store.get_range("conf/short", range.clone()).await;
        assert!(
            matches!(found, Err(ObjectError::Refused(_))),
            "{range:?}: {found:?}"
        );
    }
    let pieces = store.get_pieces("conf/short", &[1..4, 4..6]).await;
    assert!(matches!(pieces, Err(ObjectError::Refused(_))), "{pieces:?}");
}

async fn a_missing_key_is_not_found(store: &dyn ObjectStore) {
    assert_eq!(store.head("conf/none").await, Err(ObjectError::NotFound), "head");
    assert_eq!(
        store.get_range("conf/none", 0..1).await,
        Err(ObjectError::NotFound),
        "get"
    );
    let pieces = store.get_pieces("conf/none", &[0..1, 1..2]).await;
    assert_eq!(pieces, Err(ObjectError::NotFound), "pieces");
}

async fn list_is_sorted_and_keeps_to_the_prefix(store: &dyn ObjectStore) {
    for key in ["list/a/2", "list/b/1", "list/a/1", "other/1"] {
        put(store, key, "x", PutMode::CreateNew).await.expect("free");
    }
    let listed = store.list("list/").await.expect("a listing");
    let expected = ["list/a/1", "list/a/2", "list/b/1"].map(|key| (key.to_owned(), 1));
    assert_eq!(listed, expected, "sorted, with lengths, nothing else");
    assert_eq!(
        store.list("nothing/").await,
        Ok(Vec::new()),
        "an empty prefix is not an error"
    );
}

async fn delete_is_idempotent(store: &dyn ObjectStore) {
    put(store, "conf/gone", "x", PutMode::CreateNew)
        .await
        .expect("free");
    assert_eq!(store.delete("conf/gone").await, Ok(()), "there");
    assert_eq!(store.delete("conf/gone").await, Ok(()), "not there any more");
    assert_eq!(store.head("conf/gone").await, Err(ObjectError::NotFound), "gone");
    put(store, "conf/gone", "y", PutMode::CreateNew)
        .await
        .expect("free again");
}

async fn of_many_creators_one_wins(store: &dyn ObjectStore) {
    let attempts = (0..8u8).map(|n| async move {
        let body = Bytes::from(vec![n; 1000]);
        store
            .put("conf/race", vec![body], PutMode::CreateNew)
            .await
            .map(|()| n)
    });
    let results = futures_util::future::join_all(attempts).await;
    let winners: Vec<u8> = results.iter().filter_map(|result| result.clone().ok()).collect();
    assert_eq!(winners.len(), 1, "one: {results:?}");
    let found = store.get_range("conf/race", 0..1000).await.expect("the winner's");
    assert!(
        found.iter().all(|byte| *byte == winners[0]),
        "whole, and the winner's"
    );
}
