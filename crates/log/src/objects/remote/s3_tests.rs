//! The S3 adapter against a server that speaks S3, at the address in `MILLSTREAM_TEST_S3`. `cargo xtask s3` starts one with the
//! buckets named here; `tests/s3/server.py` says what each is for.

use super::{Key, ObjectError, ObjectStore, PutMode, RemoteStore, S3Options};
use crate::objects::conformance;
use crate::objects::put::{PutError, put_new};
use bytes::Bytes;
use object_store::ObjectStoreExt;

const ADDRESS: &str = "MILLSTREAM_TEST_S3";

/// A bucket that is there, one that is not, and one whose conditional creates replace.
const BUCKET: &str = "conformance";
const NO_BUCKET: &str = "nobody-made-this";
const CARELESS: &str = "careless";

/// As large as the largest object by default (`log.object_own_bytes` and an upload's parts), and far beyond the 5 MiB from
/// which clients like to cut an upload into parts.
const LARGE_BYTES: usize = 32 << 20;

fn options(bucket: &str, prefix: &str) -> S3Options {
    let endpoint =
        std::env::var(ADDRESS).unwrap_or_else(|_| panic!("{ADDRESS} names no server: run `cargo xtask s3`"));
    S3Options {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        region: Some("us-east-1".to_owned()),
        allow_http: endpoint.starts_with("http://"),
        endpoint: Some(endpoint),
        credentials: Some(("test".to_owned(), "test".to_owned())),
    }
}

fn open(bucket: &str, prefix: &str) -> RemoteStore {
    RemoteStore::s3(&options(bucket, prefix)).expect("options that make a client")
}

fn is_refused<T>(answer: &Result<T, ObjectError>) -> bool {
    matches!(answer, Err(ObjectError::Refused(_)))
}

#[tokio::test]
async fn a_bucket_keeps_the_promises_of_the_port() {
    conformance::check(&open(BUCKET, "")).await;
}

#[tokio::test]
async fn a_prefix_in_a_bucket_keeps_the_promises_of_the_port() {
    let store = open(BUCKET, "one/broker");
    conformance::check(&store).await;
    assert!(
        open(BUCKET, "one/brok")
            .list("")
            .await
            .expect("a listing")
            .is_empty()
    );
    let whole = open(BUCKET, "")
        .list("one/broker/list/")
        .await
        .expect("a listing");
    assert_eq!(whole.len(), 3, "the keys lie below the prefix");
}

#[tokio::test]
async fn a_large_object_of_many_parts_is_one_put() {
    let store = open(BUCKET, "large");
    let parts: Vec<Bytes> = (0..64u8)
        .map(|n| Bytes::from(vec![n; LARGE_BYTES / 64]))
        .collect();
    store
        .put("data/large", parts.clone(), PutMode::CreateNew)
        .await
        .expect("a put");
    // The ETag of a multipart upload ends with a dash and the number of its parts.
    let meta = store
        .backend
        .head(&Key::from("data/large"))
        .await
        .expect("it is there");
    let etag = meta.e_tag.expect("S3 gives each object an ETag");
    assert!(!etag.contains('-'), "{etag}");
    let whole = store
        .get_range("data/large", 0..LARGE_BYTES as u64)
        .await
        .expect("whole");
    assert!(whole == parts.concat(), "byte for byte");
    let border = LARGE_BYTES as u64 / 2;
    let two = store.get_range("data/large", border - 1..border + 1).await;
    assert_eq!(two, Ok(Bytes::from_static(&[31, 32])), "over a part's border");
}

#[tokio::test]
async fn an_upload_that_was_done_before_is_told_from_a_strangers() {
    let store = open(BUCKET, "nonce");
    let ours = vec![Bytes::from(vec![1; 100])];
    assert_eq!(put_new(&store, "data/a", ours.clone()).await, Ok(()));
    assert_eq!(
        put_new(&store, "data/a", ours).await,
        Ok(()),
        "our own, once more"
    );
    let other = vec![Bytes::from(vec![2; 100])];
    assert_eq!(put_new(&store, "data/a", other).await, Err(PutError::Taken));
}

#[tokio::test]
async fn a_listing_of_several_pages_is_whole_and_sorted() {
    // S3 lists a thousand keys at a time.
    let store = open(BUCKET, "pages");
    let puts = (0..1_100u32).map(|n| {
        let store = &store;
        async move {
            let key = format!("data/{n:016x}");
            store
                .put(&key, vec![Bytes::from_static(b"x")], PutMode::CreateNew)
                .await
        }
    });
    let mut puts = futures_util::stream::StreamExt::buffered(futures_util::stream::iter(puts), 8);
    while let Some(answer) = futures_util::stream::StreamExt::next(&mut puts).await {
        assert_eq!(answer, Ok(()));
    }
    let listed = store.list("data/").await.expect("a listing");
    let expected: Vec<(String, u64)> = (0..1_100u32).map(|n| (format!("data/{n:016x}"), 1)).collect();
    assert!(listed == expected, "{} keys", listed.len());
}

#[tokio::test]
async fn a_store_that_honours_conditional_creates_passes_the_probe_again_and_again() {
    let store = open(BUCKET, "probed");
    assert_eq!(store.probe().await, Ok(()));
    assert_eq!(store.probe().await, Ok(()), "a broker starts more than once");
    let listed = store.list("data/").await;
    assert_eq!(listed, Ok(Vec::new()), "nothing where data lies");
}

#[tokio::test]
async fn a_store_that_ignores_conditional_creates_is_refused() {
    let probed = open(CARELESS, "").probe().await;
    assert!(
        matches!(&probed, Err(ObjectError::Refused(why)) if why.contains("If-None-Match")),
        "{probed:?}"
    );
}

#[tokio::test]
async fn a_missing_bucket_is_refused_and_no_object_is_called_missing() {
    let store = open(NO_BUCKET, "");
    let part = || vec![Bytes::from_static(b"x")];
    assert!(is_refused(&store.probe().await), "{:?}", store.probe().await);
    for mode in [PutMode::CreateNew, PutMode::Replace] {
        let put = store.put("data/a", part(), mode).await;
        assert!(is_refused(&put), "{put:?}");
    }
    let got = store.get_range("data/a", 0..1).await;
    assert!(is_refused(&got), "{got:?}");
    let listed = store.list("data/").await;
    assert!(is_refused(&listed), "{listed:?}");
}

#[tokio::test]
async fn a_name_that_no_bucket_can_have_is_refused() {
    let probed = open("B!", "").probe().await;
    assert!(is_refused(&probed), "{probed:?}");
}

#[tokio::test]
async fn a_store_that_is_away_is_worth_a_retry() {
    // Port 9 (discard): nobody listens there.
    let mut away = options(BUCKET, "");
    away.endpoint = Some("http://127.0.0.1:9".to_owned());
    let store = RemoteStore::s3(&away).expect("options that make a client");
    let probed = store.probe().await;
    assert!(matches!(probed, Err(ObjectError::Retry { .. })), "{probed:?}");
}
