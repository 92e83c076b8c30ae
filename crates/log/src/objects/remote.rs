//! Adapter of the object store port on the crate `object_store`: a local directory always, S3 with the feature `s3`.
//!
//! Owns: making the crate's promises ours. What a local directory reads and writes much of goes past the crate (`directory`).
//! Errors are sorted by what they say of the data.

#[cfg(feature = "s3")]
mod s3;
#[cfg(all(test, feature = "s3-server-tests"))]
mod s3_tests;

use super::directory::{Directory, PutFailed};
use super::store::{ObjectError, ObjectStore, PutMode, WritePace, cut_apart, stretch};
use crate::error::Fate;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectStore as Backend, ObjectStoreExt, PutPayload,
};
use std::error::Error as StdError;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// An object store behind the crate `object_store`.
pub struct RemoteStore {
    backend: Arc<dyn Backend>,
    /// The directory, if it is one.
    directory: Option<Arc<Directory>>,
}

/// Where and how S3 is reached. Credentials not given come from the environment, as the AWS tools take them.
#[cfg(feature = "s3")]
#[derive(Clone, Debug, Default)]
pub struct S3Options {
    /// Name of the bucket.
    pub bucket: String,
    /// Prefix of all keys, without a slash at its end; empty for none.
    pub prefix: String,
    /// Region; `None` for the environment's.
    pub region: Option<String>,
    /// Base address of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Access key and secret.
    pub credentials: Option<(String, String)>,
    /// Whether plain HTTP is allowed (a store on the same machine).
    pub allow_http: bool,
}

impl RemoteStore {
    /// Objects as files below `root`, which is created if missing. One process at a time: the data directory's lock.
    pub fn local(root: &Path) -> Result<RemoteStore, ObjectError> {
        let directory = Directory::open(root).map_err(|error| classify_io(&error, Fate::NotDone))?;
        let backend =
            LocalFileSystem::new_with_prefix(root).map_err(|error| classify(&error, Fate::NotDone))?;
        Ok(RemoteStore {
            backend: Arc::new(backend),
            directory: Some(Arc::new(directory)),
        })
    }

    /// Objects in a bucket. Touches no network yet: [`RemoteStore::probe`] does.
    #[cfg(feature = "s3")]
    pub fn s3(options: &S3Options) -> Result<RemoteStore, ObjectError> {
        let backend = s3::connect(options)?;
        Ok(RemoteStore {
            backend,
            directory: None,
        })
    }

    async fn put_parts(&self, key: &str, parts: Vec<Bytes>, mode: PutMode) -> Result<(), ObjectError> {
        let payload: PutPayload = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let mode = match mode {
            PutMode::CreateNew => object_store::PutMode::Create,
            PutMode::Replace => object_store::PutMode::Overwrite,
        };
        let answer = self.backend.put_opts(&Key::from(key), payload, mode.into()).await;
        match answer.map_err(|error| (classify(&error, Fate::Unknown), error)) {
            Ok(_) => Ok(()),
            // A key that is free is no error of a put: what is missing is the bucket (or, on a disk, the whole folder).
            Err((ObjectError::NotFound, error)) => Err(ObjectError::Refused(error.to_string())),
            Err((told, _)) => Err(told),
        }
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Bytes, ObjectError> {
        if range.is_empty() {
            return self.head_len(key).await.map(|_| Bytes::new());
        }
        let wanted = GetOptions {
            range: Some(GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        let found = match self.backend.get_opts(&Key::from(key), wanted).await {
            Ok(found) if found.range == range => found,
            Ok(found) => return Err(past_end(&range, Some(found.meta.size))),
            Err(error) => return Err(self.explain(key, &range, classify(&error, Fate::NotDone)).await),
        };
        let len =
            usize::try_from(range.end - range.start).map_err(|_| past_end(&range, Some(found.meta.size)))?;
        // A file is read in one go; as a stream it would come in pieces of 8 KiB, each by way of the blocking pool.
        if matches!(found.payload, GetResultPayload::File(..)) {
            let whole = found.bytes().await;
            return whole.map_err(|error| classify(&error, Fate::NotDone));
        }
        // Collected into one buffer of exactly this size: what is cached pins nothing else.
        let mut whole = Vec::with_capacity(len);
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|error| classify(&error, Fate::NotDone))?
        {
            whole.extend_from_slice(&chunk);
        }
        if whole.len() == len {
            Ok(whole.into())
        } else {
            Err(ObjectError::Retry {
                fate: Fate::NotDone,
                what: "the store's answer is cut short".to_owned(),
            })
        }
    }

    /// Stores answer a range past the end in different ways; the length tells. A refusal is final: the answer to HEAD has no body,
    /// so that a missing bucket would look like a missing object there.
    async fn explain(&self, key: &str, range: &Range<u64>, error: ObjectError) -> ObjectError {
        if matches!(error, ObjectError::NotFound | ObjectError::Refused(_)) {
            return error;
        }
        match self.head_len(key).await {
            Ok(len) if range.end > len => past_end(range, Some(len)),
            Err(ObjectError::NotFound) => ObjectError::NotFound,
            _ => error,
        }
    }

    async fn head_len(&self, key: &str) -> Result<u64, ObjectError> {
        let found = self.backend.head(&Key::from(key)).await;
        found
            .map(|meta| meta.size)
            .map_err(|error| classify(&error, Fate::NotDone))
    }

    async fn list_prefix(&self, prefix: &str) -> Result<Vec<(String, u64)>, ObjectError> {
        // The crate matches whole path segments; the last, cut one is matched here.
        let folder = prefix.rsplit_once('/').map(|(folder, _)| Key::from(folder));
        let mut found = Vec::new();
        let mut listing = self.backend.list(folder.as_ref());
        while let Some(meta) = listing
            .try_next()
            .await
            .map_err(|error| classify(&error, Fate::NotDone))?
        {
            let key = meta.location.to_string();
            if key.starts_with(prefix) {
                found.push((key, meta.size));
            }
        }
        found.sort();
        Ok(found)
    }

    async fn delete_key(&self, key: &str) -> Result<(), ObjectError> {
        match self
            .backend
            .delete(&Key::from(key))
            .await
            .map_err(|error| classify(&error, Fate::Unknown))
        {
            Err(ObjectError::NotFound) => Ok(()),
            answer => answer,
        }
    }
}

impl ObjectStore for RemoteStore {
    fn is_on_disk(&self) -> bool {
        self.directory.is_some()
    }

    fn go_by(&self, pace: Arc<dyn WritePace>) {
        if let Some(directory) = &self.directory {
            directory.go_by(pace);
        }
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        match &self.directory {
            Some(directory) => put_file(directory.clone(), key.to_owned(), parts, mode).boxed(),
            None => self.put_parts(key, parts, mode).boxed(),
        }
    }

    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        self.get(key, range).boxed()
    }

    fn get_pieces<'a>(
        &'a self,
        key: &'a str,
        pieces: &'a [Range<u64>],
    ) -> BoxFuture<'a, Result<Vec<Bytes>, ObjectError>> {
        if let Some(directory) = &self.directory {
            return get_file_pieces(directory.clone(), key.to_owned(), pieces.to_vec()).boxed();
        }
        async move {
            let whole = self.get(key, stretch(pieces)).await?;
            Ok(cut_apart(whole, pieces))
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        self.head_len(key).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        self.list_prefix(prefix).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.delete_key(key).boxed()
    }
}

async fn put_file(
    directory: Arc<Directory>,
    key: String,
    parts: Vec<Bytes>,
    mode: PutMode,
) -> Result<(), ObjectError> {
    let putting = tokio::task::spawn_blocking(move || directory.put(&key, parts, mode));
    match putting.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(PutFailed::Before(error))) => match classify_io(&error, Fate::NotDone) {
            // A put misses no object, but its folder.
            ObjectError::NotFound => Err(ObjectError::Refused(error.to_string())),
            told => Err(told),
        },
        Ok(Err(PutFailed::After(error))) => Err(ObjectError::Retry {
            fate: Fate::Unknown,
            what: error.to_string(),
        }),
        Err(gone) => Err(ObjectError::Retry {
            fate: Fate::Unknown,
            what: gone.to_string(),
        }),
    }
}

async fn get_file_pieces(
    directory: Arc<Directory>,
    key: String,
    pieces: Vec<Range<u64>>,
) -> Result<Vec<Bytes>, ObjectError> {
    let wanted = stretch(&pieces);
    let reading = tokio::task::spawn_blocking(move || directory.read(&key, &pieces));
    let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => past_end(&wanted, None),
        _ => classify_io(&error, Fate::NotDone),
    })
}

fn past_end(range: &Range<u64>, len: Option<u64>) -> ObjectError {
    let (start, end) = (range.start, range.end);
    ObjectError::Refused(match len {
        Some(len) => format!("bytes {start}..{end} of an object of {len} bytes"),
        None => format!("bytes {start}..{end} of an object that ends before"),
    })
}

/// What an error says of the data. `fate` is that of an error that says nothing.
///
/// A conditional put that the crate retried inside may answer "exists" because of its own first attempt: the caller reads
/// the nonce back. The same for S3's 409 on a create, which says "somebody else is at it", not who won.
fn classify(error: &object_store::Error, fate: Fate) -> ObjectError {
    use object_store::Error as E;
    match error {
        // "No such object" says that data is gone; a wrong bucket says nothing of the data.
        E::NotFound { source, .. } if source.to_string().contains("NoSuchBucket") => {
            ObjectError::Refused(error.to_string())
        }
        E::NotFound { .. } => ObjectError::NotFound,
        E::AlreadyExists { .. } | E::Precondition { .. } => ObjectError::AlreadyExists,
        E::Generic { .. } | E::JoinError { .. } => classify_generic(error, fate),
        other => ObjectError::Refused(other.to_string()),
    }
}

/// Errors of the local disk carry an `io::Error`; errors of a remote store that came through all retries carry its words.
fn classify_generic(error: &object_store::Error, fate: Fate) -> ObjectError {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return classify_io(io, fate);
        }
        source = inner.source();
    }
    let what = error.to_string();
    // 507, and what S3 look-alikes say with it.
    if what.contains("507 Insufficient Storage") || what.contains("StorageFull") {
        return ObjectError::Full;
    }
    if REFUSALS.iter().any(|refusal| what.contains(refusal)) {
        return ObjectError::Refused(what);
    }
    ObjectError::Retry { fate, what }
}

/// Words of answers that no later attempt changes, and that the crate sorts no further: access denied to a listing, a bucket
/// that is missing (under a listing) or cannot be, one of another region, a store that knows no conditional puts. Other answers of the 400s are left to be tried
/// again: S3 says 400 to a body that came too slowly and to a token that ran out, too.
const REFUSALS: &[&str] = &[
    "403 Forbidden",
    "NoSuchBucket",
    "InvalidBucketName",
    "incorrectly configured region",
    "501 Not Implemented",
];

fn classify_io(error: &io::Error, fate: Fate) -> ObjectError {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound => ObjectError::NotFound,
        K::AlreadyExists => ObjectError::AlreadyExists,
        K::StorageFull | K::QuotaExceeded => ObjectError::Full,
        K::PermissionDenied
        | K::ReadOnlyFilesystem
        | K::NotADirectory
        | K::IsADirectory
        | K::InvalidInput => ObjectError::Refused(error.to_string()),
        _ => ObjectError::Retry {
            fate,
            what: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(kind: io::ErrorKind) -> object_store::Error {
        object_store::Error::Generic {
            store: "test",
            source: Box::new(io::Error::from(kind)),
        }
    }

    #[test]
    fn errors_say_what_happened_to_the_data() {
        use io::ErrorKind as K;
        let of = |kind| classify(&generic(kind), Fate::Unknown);
        assert_eq!(of(K::StorageFull), ObjectError::Full);
        assert_eq!(of(K::QuotaExceeded), ObjectError::Full);
        assert!(matches!(of(K::PermissionDenied), ObjectError::Refused(_)));
        assert!(matches!(
            of(K::TimedOut),
            ObjectError::Retry {
                fate: Fate::Unknown,
                ..
            }
        ));
        let words = |words: &str| object_store::Error::Generic {
            store: "test",
            source: words.into(),
        };
        let full = words("Server returned non-2xx status code: 507 Insufficient Storage");
        assert_eq!(classify(&full, Fate::Unknown), ObjectError::Full);
        let unknown = words("Server returned non-2xx status code: 501 Not Implemented: NotImplemented");
        assert!(matches!(
            classify(&unknown, Fate::Unknown),
            ObjectError::Refused(_)
        ));
        let away = classify(&words("connection reset"), Fate::NotDone);
        assert!(matches!(
            away,
            ObjectError::Retry {
                fate: Fate::NotDone,
                ..
            }
        ));
    }

    #[test]
    fn a_missing_bucket_is_not_a_missing_object() {
        let missing = |words: &str| object_store::Error::NotFound {
            path: "data/0".to_owned(),
            source: words.into(),
        };
        let key = missing("404 Not Found: <Code>NoSuchKey</Code>");
        assert_eq!(classify(&key, Fate::NotDone), ObjectError::NotFound);
        let bucket = missing("404 Not Found: <Code>NoSuchBucket</Code>");
        assert!(matches!(
            classify(&bucket, Fate::NotDone),
            ObjectError::Refused(_)
        ));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_refused() {
        let refused = RemoteStore::local(Path::new("/dev/null/objects"));
        assert!(matches!(refused.map(|_| ()), Err(ObjectError::Refused(_))));
    }
}
