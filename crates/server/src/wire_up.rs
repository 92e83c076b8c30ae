//! Puts the crates together: the one file that names adapters (disk, object store, metadata store, clock) and hands settings on; the
//! one of the block cache's second tier is in `disk_cache`.
//!
//! Owns: the order of opening and closing. Never: a decision; whatever is chosen here was chosen by a setting.

use crate::config::Settings;
use crate::config::listener::Listener;
use crate::config::table::ObjectSettings;
use crate::config::value::{HostPort, StoreKind};
use crate::disk_cache;
use crate::facts::Facts;
use crate::listen::{ConnectionCounts, Gate};
use crate::security::Guard;
use crate::security::tls::Accepted;
use anyhow::anyhow;
use futures_util::future::BoxFuture;
use millstream_admin::Source;
use millstream_broker::configs::resolve::ConfigMap;
use millstream_broker::security::sasl::Authenticators;
use millstream_broker::{Broker, BrokerConfig};
use millstream_kafka::group::CoordinatorConfig;
use millstream_kafka::{Advertised, ConnectionLimits, Kafka, KafkaConfig, Peer, serve_connection};
use millstream_log::disk::FileDisk;
use millstream_log::objects::remote::RemoteStore;
#[cfg(feature = "s3")]
use millstream_log::objects::store::ObjectError;
use millstream_log::objects::store::ObjectStore;
use millstream_log::{Clock, Log, LogConfig, LogPorts, OpenError, SystemClock, WalRunner};
use millstream_meta::catalog::CatalogConfig;
use millstream_meta::store::MetaStore;
use millstream_meta::{Catalog, EmbeddedStore, Entropy, MetaManifest, SystemEntropy};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The only broker of an embedded cluster, as Kafka's tools know it.
const BROKER_ID: u32 = 1;

/// Below the data directory: segments of the write-ahead log, and the lock of the whole.
const WAL_DIR: &str = "wal";

/// Below the data directory: objects, unless an object store is set.
const OBJECTS_DIR: &str = "objects";

/// Below the data directory: topics, settings, the log's manifest.
const META_FILE: &str = "meta.redb";

/// Everything that a broker is made from.
pub struct Wiring {
    /// The settings.
    pub settings: Settings,
    /// Start values of settings with Kafka's names.
    pub broker_configs: ConfigMap,
    /// Addresses on which Kafka clients are accepted, for each listener of the settings.
    pub kafka_at: Vec<Vec<SocketAddr>>,
    /// What logins are checked against.
    pub authenticators: Authenticators,
    /// Counts that the acceptors keep.
    pub counts: Arc<ConnectionCounts>,
    /// The runtime of groups and transactions.
    pub coordination: Handle,
}

/// A broker that runs.
pub struct Running {
    broker: Broker,
    kafka: Arc<Kafka>,
    store: EmbeddedStore,
    limits: ConnectionLimits,
    source: Arc<Facts>,
}

impl Wiring {
    /// Opens the data directory, recovers, and puts the front end before it.
    pub async fn open(self) -> anyhow::Result<Running> {
        let dir = self.settings.data.dir.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        // The disk's lock comes first: nothing is touched while another process works here.
        let disk = FileDisk::open(dir.join(WAL_DIR), self.settings.log.flush.into())
            .map_err(|error| refused(&dir, &error))?;
        let store = EmbeddedStore::open(&dir.join(META_FILE), clock.clone()).await;
        let store = store.map_err(|error| refused(&dir, &error))?;
        let meta: Arc<dyn MetaStore> = Arc::new(store.clone());
        let manifest = MetaManifest::new(meta.clone(), BROKER_ID, None, &SystemEntropy);
        let catalog_config = CatalogConfig {
            broker: BROKER_ID,
            session: None,
        };
        let catalog = Catalog::open(meta, Arc::new(SystemEntropy), catalog_config).await;
        let catalog = catalog.map_err(|error| refused(&dir, &error))?;
        let ports = LogPorts {
            clock: clock.clone(),
            disk: Arc::new(disk),
            objects: objects(&self.settings, &dir).await?,
            second_tier: disk_cache::open(&self.settings, &catalog.cluster_id())?,
            manifest: Arc::new(manifest),
            wal_runner: WalRunner::Thread,
        };
        let log = Log::open(log_config(&self.settings), ports)
            .await
            .map_err(|error| refused(&dir, &error))?;
        let config = BrokerConfig {
            broker_id: BROKER_ID,
            fixed: self.fixed_configs(),
            fetch_memory_bytes: self.settings.limits.fetch_memory_bytes.in_memory(),
            authenticators: self.authenticators.clone(),
        };
        let broker = Broker::open(config, log, catalog, clock).await?;
        Ok(self.front(broker, store))
    }

    fn front(self, broker: Broker, store: EmbeddedStore) -> Running {
        let config = KafkaConfig {
            advertised: self.advertised(),
            rack: self.settings.kafka.rack.clone(),
            log_dir: self.settings.data.dir.display().to_string(),
            request_bytes_max: self.settings.limits.request_memory_bytes.in_memory(),
            fetch_sessions_max: self.settings.limits.fetch_sessions_max,
        };
        let limits = ConnectionLimits {
            frame_bytes_max: self.settings.limits.request_bytes_max.in_memory(),
            in_flight_max: self.settings.limits.requests_in_flight_max,
            idle_max: self.settings.limits.idle_max,
            ..ConnectionLimits::default()
        };
        let coordinator = CoordinatorConfig {
            runtime: self.coordination,
            member_id_seed: u128::from_le_bytes(SystemEntropy.draw()),
        };
        let kafka = Kafka::new(broker.clone(), config, coordinator);
        let source = Arc::new(Facts {
            broker: broker.clone(),
            kafka: kafka.clone(),
            counts: self.counts,
            kafka_listeners: self.kafka_at.iter().flatten().map(ToString::to_string).collect(),
            data_dir: self.settings.data.dir.display().to_string(),
            started: broker.clock().monotonic(),
        });
        Running {
            broker,
            kafka,
            store,
            limits,
            source,
        }
    }

    /// What clients of each listener are told to connect to. An empty host stands for the address on which a client came in: right
    /// wherever addresses are not translated, and no setting is needed for it.
    fn advertised(&self) -> Vec<Advertised> {
        let kafka = &self.settings.kafka;
        let listeners = kafka.listen.0.iter().zip(&self.kafka_at).enumerate();
        let of_listener = |(position, (listener, at)): (usize, (&Listener, &Vec<SocketAddr>))| {
            let bound = at.first();
            let (host, port) = match kafka.advertised.of(&listener.name, position) {
                Some(HostPort { host, port }) => (host.clone(), *port),
                None => {
                    let wildcard = bound.is_some_and(|address| address.ip().is_unspecified());
                    let host = &listener.address.host;
                    (if wildcard { String::new() } else { host.clone() }, 0)
                }
            };
            Advertised {
                listener: listener.name.clone(),
                host,
                port: match port {
                    0 => bound.map_or(0, SocketAddr::port),
                    port => port,
                },
            }
        };
        listeners.map(of_listener).collect()
    }

    /// Our settings under Kafka's names, for tools that ask for them.
    fn fixed_configs(&self) -> ConfigMap {
        let names = self.settings.kafka.listen.0.iter().map(|listener| &listener.name);
        let bound = names.zip(&self.kafka_at);
        let listeners: Vec<String> = bound
            .flat_map(|(name, at)| at.iter().map(move |address| format!("{name}://{address}")))
            .collect();
        let advertised = self.advertised();
        let advertised = advertised
            .into_iter()
            .filter(|one| !one.host.is_empty())
            .map(|one| {
                let Advertised { listener, host, port } = one;
                format!("{listener}://{}", HostPort { host, port })
            });
        let advertised: Vec<String> = advertised.collect();
        let dir = self.settings.data.dir.display().to_string();
        let limits = &self.settings.limits;
        let mut fixed = ConfigMap::from([
            ("broker.id".to_owned(), BROKER_ID.to_string()),
            ("node.id".to_owned(), BROKER_ID.to_string()),
            ("listeners".to_owned(), listeners.join(",")),
            ("log.dir".to_owned(), dir.clone()),
            ("log.dirs".to_owned(), dir),
            (
                "socket.request.max.bytes".to_owned(),
                limits.request_bytes_max.0.to_string(),
            ),
            (
                "connections.max.idle.ms".to_owned(),
                limits.idle_max.as_millis().to_string(),
            ),
            ("max.connections".to_owned(), limits.connections_max.to_string()),
            (
                "max.incremental.fetch.session.cache.slots".to_owned(),
                limits.fetch_sessions_max.to_string(),
            ),
            (
                "producer.id.expiration.ms".to_owned(),
                self.settings.log.producer_expiry.as_millis().to_string(),
            ),
        ]);
        if !advertised.is_empty() {
            fixed.insert("advertised.listeners".to_owned(), advertised.join(","));
        }
        let rack = self.settings.kafka.rack.clone();
        fixed.extend(rack.map(|rack| ("broker.rack".to_owned(), rack)));
        fixed.extend(self.broker_configs.clone());
        fixed
    }
}

impl Running {
    /// Makes SCRAM users of those in `security.scram_users_file` who are none yet: somebody must be able to log in first.
    pub async fn make_scram_users(&self, settings: &Settings) -> anyhow::Result<()> {
        let Some(path) = &settings.security.scram_users_file else {
            return Ok(());
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            anyhow!(
                "cannot read security.scram_users_file {}: {error}",
                path.display()
            )
        })?;
        for line in text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let (user, password) = line
                .split_once(':')
                .ok_or_else(|| anyhow!("security.scram_users_file: a user is written NAME:PASSWORD"))?;
            let (salt, password) = (SystemEntropy.draw(), password.trim_end());
            let made = self.broker.make_scram_user(user, password, &salt).await;
            made.map_err(|error| anyhow!("security.scram_users_file: {error}"))?;
        }
        Ok(())
    }

    /// What the admin side asks.
    #[must_use]
    pub fn source(&self) -> Arc<dyn Source> {
        self.source.clone()
    }

    /// What an acceptor asks about each connection.
    #[must_use]
    pub fn gate(&self) -> Gate {
        let broker = self.broker.clone();
        Arc::new(move |address| broker.admit_connection(address))
    }

    /// What an acceptor of a listener calls for each connection.
    pub fn handler(
        &self,
        guard: Guard,
        stop: watch::Receiver<bool>,
    ) -> impl Fn(TcpStream, SocketAddr) -> BoxFuture<'static, ()> + use<> {
        let counts = self.source.counts.clone();
        let shared = Arc::new((self.kafka.clone(), self.limits.clone(), guard, counts));
        move |stream, address| {
            let (shared, mut stop) = (shared.clone(), stop.clone());
            Box::pin(async move {
                let (kafka, limits, guard, counts) = &*shared;
                let stopping = async move {
                    let _ = stop.wait_for(|stopping| *stopping).await;
                };
                let Ok(local) = stream.local_addr() else {
                    return; // Closed before it was served.
                };
                let peer = |subject: Option<&str>| Peer {
                    address,
                    local,
                    listener: guard.listener.clone(),
                    principal: Arc::new(guard.principal(subject)),
                    login: guard.login.clone(),
                };
                let (kafka, limits) = (kafka.clone(), limits.clone());
                let served = match &guard.tls {
                    None => serve_connection(kafka, stream, peer(None), limits, stopping).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(Accepted { stream, subject }) => {
                            let peer = peer(subject.as_deref());
                            serve_connection(kafka, stream, peer, limits, stopping).await
                        }
                        Err(error) => return tell_failed_handshake(&error, address, &guard.listener, counts),
                    },
                };
                if let Err(error) = served {
                    tracing::debug!(%address, listener = guard.listener, %error, "connection closed");
                }
            })
        }
    }

    /// Ends the coordination of groups: members that wait for a rebalance are told to look elsewhere, so that their
    /// connections can finish.
    pub async fn release_groups(&self) {
        self.kafka.close().await;
    }

    /// Ends in the order of dependence. What fails here is mended by the next start.
    pub async fn close(self) {
        self.kafka.close().await;
        self.broker.close().await;
        self.store.close().await;
    }
}

/// A peer that merely goes away has not failed: so do the probes of load balancers, as before a login.
fn tell_failed_handshake(error: &io::Error, address: SocketAddr, listener: &str, counts: &ConnectionCounts) {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    if let BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof = error.kind() {
        tracing::debug!(%address, listener, %error, "the peer left before its TLS handshake");
        return;
    }
    counts.count_failed_handshake();
    tracing::info!(%address, listener, %error, "a TLS handshake failed");
}

async fn objects(settings: &Settings, dir: &Path) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let wanted = &settings.objects;
    let store = match wanted.kind {
        StoreKind::Local => {
            let path = dir.join(OBJECTS_DIR);
            RemoteStore::local(&path)
                .map_err(|error| anyhow!("cannot keep objects in {}: {error}", path.display()))?
        }
        StoreKind::S3 => bucket(wanted).await?,
    };
    Ok(Arc::new(store))
}

#[cfg(feature = "s3")]
async fn bucket(wanted: &ObjectSettings) -> anyhow::Result<RemoteStore> {
    use anyhow::Context;
    let bucket = wanted
        .bucket
        .clone()
        .context("objects.kind is s3, so objects.bucket must name a bucket")?;
    let endpoint = wanted.endpoint.clone().map(|url| url.0);
    let options = millstream_log::objects::remote::S3Options {
        bucket,
        prefix: wanted.prefix.clone().unwrap_or_default(),
        region: Some(wanted.region.clone()),
        allow_http: endpoint.as_ref().is_some_and(|url| url.starts_with("http://")),
        endpoint,
        credentials: None,
    };
    let name = &options.bucket;
    let unusable = |error: ObjectError| anyhow!("cannot use the bucket {name}: {error}");
    let store = RemoteStore::s3(&options).map_err(unusable)?;
    match store.probe().await {
        // Partitions reopen from the write-ahead log alone: a store that is away holds up uploads, not the start.
        Err(error @ ObjectError::Retry { .. }) => {
            tracing::warn!(bucket = name, %error, "the object store does not answer; uploads wait until it does");
        }
        answer => answer.map_err(unusable)?,
    }
    Ok(store)
}

#[cfg(not(feature = "s3"))]
async fn bucket(_: &ObjectSettings) -> anyhow::Result<RemoteStore> {
    Err(anyhow!(
        "objects.kind is s3, but this program was built without the feature s3"
    ))
}

/// The log's settings, each field by name: a new one does not compile until it has its row.
#[must_use]
pub fn log_config(settings: &Settings) -> LogConfig {
    let log = &settings.log;
    LogConfig {
        flush: log.flush.into(),
        wal_segment_bytes: log.wal_segment_bytes.0,
        wal_group_bytes_max: log.wal_group_bytes_max.in_memory(),
        wal_queue_bytes_max: log.wal_queue_bytes_max.in_memory(),
        wal_queue_batches_max: log.wal_queue_batches_max,
        wal_unuploaded_bytes_max: log.wal_unuploaded_bytes_max.0,
        tail_cache_bytes: log.tail_cache_bytes.in_memory(),
        block_cache_bytes: log.block_cache_bytes.in_memory(),
        upload_bytes: log.upload_bytes.0,
        upload_age: log.upload_age,
        object_own_bytes: log.object_own_bytes.0,
        object_target_bytes: log.object_target_bytes.0,
        block_target_bytes: log.block_target_bytes.in_memory(),
        housekeeping_interval: log.housekeeping_interval,
        producer_expiry: log.producer_expiry,
    }
}

/// An error of opening, with what a person can do about it.
fn refused(dir: &Path, error: &OpenError) -> anyhow::Error {
    let dir = dir.display();
    match error {
        OpenError::InUse(_) => {
            anyhow!(
                "the data directory {dir} is in use by another process; stop it, or choose another with --data-dir DIR"
            )
        }
        OpenError::Corrupt(what) => anyhow!(
            "the data directory {dir} is damaged: {what}; nothing was changed: restore it from a copy, or move it away to start empty"
        ),
        OpenError::UnknownVersion(what) => {
            anyhow!(
                "the data directory {dir} was written by a later version: {what}; run that version, or a newer one"
            )
        }
        OpenError::Storage(what) => anyhow!("cannot open the data directory {dir}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;
    use crate::config::value::Value;

    #[test]
    fn the_table_and_the_log_have_the_same_defaults() {
        let ours = log_config(&Layers::default().settings());
        assert_eq!(format!("{ours:?}"), format!("{:?}", LogConfig::default()));
    }

    #[test]
    fn a_wildcard_is_never_advertised() {
        let wiring = |listen: &str, at: &str| {
            let mut settings = Layers::default().settings();
            settings.kafka.listen = Value::parse(listen).expect("an address");
            Wiring {
                settings,
                broker_configs: ConfigMap::new(),
                kafka_at: vec![vec![at.parse().expect("an address")]],
                authenticators: Authenticators::default(),
                counts: Arc::default(),
                coordination: tokio::runtime::Handle::current(),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let _entered = runtime.enter();
        let any = wiring("0.0.0.0:0", "0.0.0.0:4711").advertised().remove(0);
        assert_eq!((any.host.as_str(), any.port), ("", 4711));
        let named = wiring("localhost:9092", "127.0.0.1:9092").advertised().remove(0);
        assert_eq!((named.host.as_str(), named.port), ("localhost", 9092));
    }
}
