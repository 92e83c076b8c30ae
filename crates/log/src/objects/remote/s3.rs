//! S3: building the client, and asking the store whether it keeps the one promise that fencing rests on.
//!
//! Owns: retries (few and short inside the client; the log's own above them see every failure) and the probe. Never sorts
//! errors: that is the parent's. On the path of uploads and of cold reads.

use super::{Backend, ObjectError, ObjectStore, PutMode, RemoteStore, S3Options};
use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// Retries inside the client. More would hide a slow store from the log for minutes (the crate's default is three).
const RETRIES_MAX: usize = 2;
/// No retry begins after this.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
/// First and longest pause between retries.
const RETRY_WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// A store that does not accept a connection within this is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest object (64 MiB) passes a line of 10 Mbit/s in this time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Outside the keys of data, where the collector deletes what it does not know.
const PROBE_KEY: &str = "probe/conditional-create";

impl RemoteStore {
    /// Asks the store whether it can be written to and honours conditional creates.
    ///
    /// `Refused` if it ignores `If-None-Match: *`: a writer that was fenced off could then replace an object that is in
    /// use. `Refused`, too, for a bucket that is missing or closed to us; `Retry` if the store does not answer.
    ///
    /// The object stays: were it deleted, two probes at once could each find the key free and blame the store.
    pub async fn probe(&self) -> Result<(), ObjectError> {
        let body = || vec![Bytes::from_static(b"millstream")];
        self.put(PROBE_KEY, body(), PutMode::Replace).await?;
        match self.put(PROBE_KEY, body(), PutMode::CreateNew).await {
            Err(ObjectError::AlreadyExists) => Ok(()),
            Ok(()) => Err(ObjectError::Refused(
                "the store ignores If-None-Match: it replaced an object that a conditional create must leave alone. \
                 Take a store, or a version of it, that knows conditional writes"
                    .to_owned(),
            )),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn connect(options: &S3Options) -> Result<Arc<dyn Backend>, ObjectError> {
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(options.allow_http);
    let backoff = BackoffConfig {
        init_backoff: RETRY_WAIT.0,
        max_backoff: RETRY_WAIT.1,
        base: 2.0,
    };
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&options.bucket)
        .with_client_options(client)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig {
            backoff,
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
        });
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some((key, secret)) = &options.credentials {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    let bucket = builder
        .build()
        .map_err(|error| ObjectError::Refused(error.to_string()))?;
    if options.prefix.is_empty() {
        return Ok(Arc::new(bucket));
    }
    Ok(Arc::new(PrefixStore::new(bucket, options.prefix.as_str())))
}
