//! The one table of settings. A setting is one row; its place in the file (`group.name`), its environment variable
//! (`MILLSTREAM_GROUP_NAME`), its flag (`--group-name`), `millstream config show` and docs/CONFIG.md all derive from that row.
//!
//! Never here: what a setting does. The row's words tell the user, `wire_up.rs` hands the value on.

use super::listener::{AdvertisedList, Listeners};
use super::value::{
    ByteSize, ClientAuth, Flush, HostPort, LogFormat, StoreKind, TlsVersion, Value, WebAddress,
};
use std::path::PathBuf;
use std::time::Duration;

/// One setting, as text: what the docs, the flags and the errors need.
pub struct Row {
    /// Table of the TOML file.
    pub group: &'static str,
    /// Key inside the group.
    pub key: &'static str,
    /// What may be written, e.g. "size".
    pub kind: &'static str,
    /// An example of what may be written, for errors.
    pub example: &'static str,
    /// Written as in a file, without quotes. Empty: none.
    pub default: &'static str,
    /// Smallest and largest value, as text.
    pub range: Option<(&'static str, &'static str)>,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    /// Parses and compares with the range; the error says what was expected.
    pub check: fn(&str) -> Result<(), String>,
}

impl Row {
    /// The name in the file: `group.key`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.group, self.key)
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("MILLSTREAM_{}_{}", self.group, self.key).to_uppercase()
    }

    /// The flag, without the dashes in front.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("{}-{}", self.group, self.key).replace('_', "-")
    }
}

/// Parses `text` and holds it against the row's range.
fn parse_in<T: Value>(text: &str, range: Option<(&str, &str)>) -> Result<T, String> {
    let value = T::parse(text)?;
    if let Some((least, most)) = range {
        let bounds = (T::parse(least)?, T::parse(most)?);
        if value < bounds.0 || value > bounds.1 {
            return Err(format!("must lie between {least} and {most}"));
        }
    }
    Ok(value)
}

macro_rules! settings {
    ($(
        $group:ident: $Group:ident $title:literal {
            $( $key:ident: $kind:ty = $default:literal $(in $least:literal to $most:literal)?, $doc:literal; )+
        }
    )+) => {
        $(
            #[doc = $title]
            #[derive(Clone, Debug, PartialEq)]
            pub struct $Group { $( #[doc = $doc] pub $key: $kind, )+ }
        )+

        /// Every setting, typed.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings { $( #[doc = $title] pub $group: $Group, )+ }

        /// Every setting, as text, in the order of the docs.
        pub const ROWS: &[Row] = &[$($(
            Row {
                group: stringify!($group),
                key: stringify!($key),
                kind: <$kind as Value>::KIND,
                example: <$kind as Value>::EXAMPLE,
                default: $default,
                range: settings!(@range $($least $most)?),
                doc: $doc,
                check: |text| parse_in::<$kind>(text, settings!(@range $($least $most)?)).map(drop),
            },
        )+)+];

        /// The title of each group.
        pub const GROUPS: &[(&str, &str)] = &[$( (stringify!($group), $title), )+];

        impl Settings {
            /// Types the texts that `text_of` gives, asked once per row in the order of [`ROWS`].
            ///
            /// # Errors
            /// The first row whose text is refused, and why.
            pub fn from_texts<'a>(mut text_of: impl FnMut(usize) -> &'a str) -> Result<Self, (usize, String)> {
                let mut rows = ROWS.iter().enumerate();
                Ok(Self { $( $group: $Group { $(
                    $key: {
                        let (index, row) = rows.next().expect("each field has its row, in the same order");
                        parse_in(text_of(index), row.range).map_err(|why| (index, why))?
                    },
                )+ }, )+ })
            }
        }
    };
    (@range) => { None };
    (@range $least:literal $most:literal) => { Some(($least, $most)) };
}

settings! {
    data: DataSettings "Where data is kept" {
        dir: PathBuf = "./millstream-data",
            "Directory of this broker: write-ahead log, metadata and, unless an object store is set, the objects. One process at a time.";
    }
    kafka: KafkaSettings "Kafka listener" {
        listen: Listeners = "127.0.0.1:9092",
            "Addresses on which Kafka clients are accepted, each HOST:PORT, PROTOCOL://HOST:PORT or NAME:PROTOCOL://HOST:PORT with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; several with commas between, or the flag repeated. `localhost` listens on 127.0.0.1 and ::1; port 0 takes a free one.";
        advertised: AdvertisedList = "",
            "Addresses that clients are told to connect to: HOST:PORT for the first listener, NAME://HOST:PORT for the one of that name. None: the address on which the client reached this broker.";
        rack: Option<String> = "",
            "Rack or zone of this broker, as clients are told it (Kafka: broker.rack). Reads always go to the owner: there are no replicas to prefer.";
    }
    security: SecuritySettings "Logins" {
        sasl_mechanisms: String = "SCRAM-SHA-512,SCRAM-SHA-256",
            "How clients of SASL listeners log in: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN, OAUTHBEARER, with commas between (Kafka: sasl.enabled.mechanisms).";
        plain_users_file: Option<PathBuf> = "",
            "File of the users of PLAIN, one NAME:PASSWORD a line; read anew when it changes.";
        scram_users_file: Option<PathBuf> = "",
            "File of users, one NAME:PASSWORD a line, who become SCRAM users at start where they are none yet; everybody else is made with kafka-configs.";
        token_key_file: Option<PathBuf> = "",
            "File with the secret that delegation tokens follow from; none: there are no tokens (Kafka: delegation.token.secret.key).";
        token_lifetime_max: Duration = "7d" in "1s" to "3650d",
            "The longest that a delegation token lives (Kafka: delegation.token.max.lifetime.ms).";
        token_expiry: Duration = "1d" in "1s" to "3650d",
            "How long a delegation token lives unless it is renewed (Kafka: delegation.token.expiry.time.ms).";
        reauth_max: Duration = "0s" in "0s" to "365d",
            "After how long a login must be renewed; 0: never, unless a token ends (Kafka: connections.max.reauth.ms).";
        failed_login_delay: Duration = "100ms" in "0s" to "10s",
            "How long the answer to a failed login is held back (Kafka: connection.failed.authentication.delay.ms).";
        login_max: Duration = "30s" in "1s" to "10m",
            "In which time a connection must have logged in.";
        reload_interval: Duration = "10s" in "100ms" to "1d",
            "How often files of certificates, users and keys are looked at for changes.";
    }
    tls: TlsSettings "TLS" {
        cert_file: Option<PathBuf> = "",
            "PEM file of the broker's certificate and those between it and its authority; read anew when it changes.";
        key_file: Option<PathBuf> = "",
            "PEM file of the certificate's private key.";
        client_auth: ClientAuth = "none",
            "Whether clients show a certificate, by which they are known (Kafka: ssl.client.auth).";
        client_ca_file: Option<PathBuf> = "",
            "PEM file of the authorities that sign clients' certificates.";
        principal_mapping_rules: String = "DEFAULT",
            "Names of users from subjects of certificates: RULE:pattern/replacement/[LU] or DEFAULT, with commas between (Kafka: ssl.principal.mapping.rules).";
        min_version: TlsVersion = "1.2",
            "The oldest version of TLS that is spoken.";
    }
    oauth: OauthSettings "Tokens of OAUTHBEARER" {
        jwks_file: Option<PathBuf> = "",
            "File with the public keys of who signs tokens, a JSON web key set; read anew when it changes.";
        jwks_url: Option<WebAddress> = "",
            "The same by URL, fetched at start, after oauth.refresh_interval, and soon after a token came whose key is not in the set (Kafka: sasl.oauthbearer.jwks.endpoint.url).";
        refresh_interval: Duration = "1h" in "1s" to "365d",
            "How often oauth.jwks_url is fetched (Kafka: sasl.oauthbearer.jwks.endpoint.refresh.ms).";
        issuer: Option<String> = "",
            "The `iss` that a token must have (Kafka: sasl.oauthbearer.expected.issuer).";
        audience: Option<String> = "",
            "The `aud` that a token must have (Kafka: sasl.oauthbearer.expected.audience).";
        subject_claim: String = "sub",
            "The claim that holds the user's name (Kafka: sasl.oauthbearer.sub.claim.name).";
        clock_skew: Duration = "30s" in "0s" to "1h",
            "How far the clocks of signer and broker may be apart (Kafka: sasl.oauthbearer.clock.skew.seconds).";
        allow_unsecured: bool = "false",
            "Takes tokens that nobody has signed. Everybody can call themselves anything then: for tests of clients only.";
    }
    admin: AdminSettings "Admin listener" {
        listen: HostPort = "127.0.0.1:9644",
            "Address of the HTTP server: console page, /health, /ready, /metrics and the JSON API. It asks for no password: keep it private.";
    }
    log: LogSettings "The log" {
        flush: Flush = "sync",
            "When an append is answered: `sync` after fdatasync, `async` after the write reached the operating system (lost on power failure).";
        wal_segment_bytes: ByteSize = "64MiB" in "1MiB" to "4GiB",
            "Size of one pre-allocated segment file of the write-ahead log.";
        wal_group_bytes_max: ByteSize = "8MiB" in "64KiB" to "1GiB",
            "The largest group of batches that one flush makes durable.";
        wal_queue_bytes_max: ByteSize = "16MiB" in "1MiB" to "16GiB",
            "Bytes that may wait for the write-ahead log; producers beyond it wait.";
        wal_queue_batches_max: usize = "65536" in "64" to "16777216",
            "Batches that may wait for the write-ahead log; producers beyond it wait.";
        wal_unuploaded_bytes_max: ByteSize = "2GiB" in "64MiB" to "16TiB",
            "Bytes in the write-ahead log that are not in objects yet, and 120 for each batch (its entries in memory), at which producers wait: the bound on its size on disk.";
        tail_cache_bytes: ByteSize = "64MiB" in "1MiB" to "16TiB",
            "Memory for the newest batches of all partitions.";
        block_cache_bytes: ByteSize = "48MiB" in "1MiB" to "16TiB",
            "Memory for blocks read back from objects.";
        upload_bytes: ByteSize = "32MiB" in "1MiB" to "16GiB",
            "Bytes in the write-ahead log that are not in objects yet at which an upload starts; sooner where uploads fall behind.";
        upload_age: Duration = "10m" in "100ms" to "1d",
            "Age of the oldest batch that is not in an object yet at which an upload starts.";
        object_own_bytes: ByteSize = "4MiB" in "64KiB" to "32MiB",
            "From this size on a partition's part of an upload becomes an object of its own; smaller parts share one.";
        object_target_bytes: ByteSize = "32MiB" in "1MiB" to "32MiB",
            "Size up to which small objects of one partition are merged.";
        block_target_bytes: ByteSize = "512KiB" in "4KiB" to "64MiB",
            "Size of one block inside an object: the least that a read from an object fetches.";
        housekeeping_interval: Duration = "30s" in "100ms" to "1d",
            "How often retention, merging, compaction and collection look for work.";
        producer_expiry: Duration = "1d" in "1m" to "365d",
            "How long the state of a silent idempotent producer is kept (Kafka: producer.id.expiration.ms).";
    }
    objects: ObjectSettings "Object store" {
        kind: StoreKind = "local",
            "`local` keeps objects in the data directory, `s3` in a bucket of an S3-compatible store.";
        bucket: Option<String> = "",
            "Name of the bucket (s3).";
        prefix: Option<String> = "",
            "Put before every key, so that several brokers can share a bucket (s3).";
        endpoint: Option<WebAddress> = "",
            "URL of the store, for one that is not AWS, e.g. http://127.0.0.1:9000 (s3). Plain http is taken as meant.";
        region: String = "us-east-1",
            "Region of the bucket (s3). Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never from a file of ours.";
    }
    cache: CacheSettings "Disk cache of blocks" {
        disk_path: Option<PathBuf> = "",
            "Directory on a local disk, of this broker alone, that keeps blocks read from the bucket, so that the next read of them asks the bucket nothing; none: only memory does. What is lost there is read from the bucket again. Only with objects.kind = s3.";
        disk_bytes: ByteSize = "10GiB" in "16MiB" to "1024TiB",
            "How much of that disk is used at most; the oldest goes first. Takes about 150 bytes of memory a block, and of memory at most 1/400 of this.";
    }
    limits: LimitSettings "Limits" {
        connections_max: usize = "10000" in "1" to "1000000",
            "Connections of Kafka clients; one more is closed as soon as it is accepted.";
        request_bytes_max: ByteSize = "100MiB" in "1KiB" to "1GiB",
            "The largest request; a larger one closes its connection before anything is allocated (Kafka: socket.request.max.bytes).";
        request_memory_bytes: ByteSize = "256MiB" in "1MiB" to "1TiB",
            "Memory of all large requests that are being read or answered; beyond it sockets are not read. At least limits.request_bytes_max.";
        fetch_memory_bytes: ByteSize = "256MiB" in "1MiB" to "1TiB",
            "Memory of all answers to fetches that are not written yet; beyond it an answer holds one batch.";
        requests_in_flight_max: usize = "64" in "1" to "4096",
            "Requests of one connection that are begun and not answered; beyond it the socket is not read.";
        idle_max: Duration = "10m" in "1s" to "30d",
            "Time without a request after which a connection is closed (Kafka: connections.max.idle.ms).";
        fetch_sessions_max: usize = "1000" in "0" to "1000000",
            "Fetch sessions that are kept (Kafka: max.incremental.fetch.session.cache.slots).";
        shutdown_grace: Duration = "10s" in "0s" to "10m",
            "How long a clean shutdown lets requests in flight finish.";
    }
    runtime: RuntimeSettings "Runtime" {
        data_threads: usize = "0" in "0" to "1024",
            "Threads that serve connections; 0: one for each processor. Groups and transactions always have a thread of their own.";
    }
    trace: TraceSettings "Tracing" {
        level: String = "info",
            "What is logged: error, warn, info, debug, trace, or a filter such as `info,millstream_log=debug`.";
        format: LogFormat = "text",
            "`text` for people, `json` for machines: one object a line. On standard error.";
    }
}
