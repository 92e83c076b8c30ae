//! `millstream serve`: the order in which a broker comes up and goes down.
//!
//! Up: settings, listeners bound, admin side live, log recovered, admin side ready, connections accepted, one line printed.
//! Down: no more connections, requests in flight finish within the grace time, groups and log close, exit 0. A second signal
//! exits at once; so does a crash: nothing that was acknowledged depends on a clean end.

use crate::cli::ServeArgs;
use crate::config::layers::unknown_variables;
use crate::config::listener::Protocol;
use crate::config::value::{HostPort, LogFormat};
use crate::config::{Layers, Settings};
use crate::listen::{AcceptLimits, Acceptor, ConnectionCounts, bind};
use crate::security::{Guard, Security};
use crate::wire_up::{Running, Wiring};
use anyhow::{Context, anyhow, bail};
use millstream_admin::Readiness;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Descriptors beside those of connections: segments, objects that are read, the metadata store, the admin side.
const FILES_BESIDE_CONNECTIONS: u64 = 4_096;

/// Entry of the subcommand; returns when the broker has stopped in good order.
pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let layers = Layers::for_serve(args)?;
    let settings = layers.settings();
    start_logging(&settings)?;
    for name in unknown_variables(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
        tracing::warn!("the environment variable {name} is no setting; `millstream config show` lists all");
    }
    raise_open_files(settings.limits.connections_max);
    let data = data_runtime(settings.runtime.data_threads)?;
    // Groups and transactions have a thread of their own: data traffic at full load never delays a heartbeat.
    let coordination = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("coordination")
        .enable_all()
        .build()
        .context("cannot start the coordination thread")?;
    let outcome = data.block_on(serve(&layers, coordination.handle().clone()));
    coordination.shutdown_background();
    data.shutdown_background();
    outcome
}

async fn serve(layers: &Layers, coordination: tokio::runtime::Handle) -> anyhow::Result<()> {
    let settings = layers.settings();
    let mut signals = Signals::new()?;
    let mut security = Security::load(&settings)?;
    let mut kafka = Vec::new();
    for listener in &settings.kafka.listen.0 {
        kafka.push(bind_named(&listener.address, "--kafka-listen").await?);
    }
    let admin = bind_named(&settings.admin.listen, "--admin-listen").await?;
    let kafka_at = kafka
        .iter()
        .map(|bound| addresses(bound))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let admin_at = addresses(&admin)?;
    let (stop, stopped) = watch::channel(false);
    let readiness = Readiness::default();
    let mut side = JoinSet::new();
    for listener in admin {
        let mut stopped = stopped.clone();
        let until = async move {
            let _ = stopped.wait_for(|stopping| *stopping).await;
        };
        side.spawn(millstream_admin::serve(listener, readiness.clone(), until));
    }
    let counts = Arc::new(ConnectionCounts::default());
    let wiring = Wiring {
        settings: settings.clone(),
        broker_configs: crate::config::broker_settings::values(layers.broker()),
        kafka_at: kafka_at.clone(),
        authenticators: security.authenticators.clone(),
        counts: counts.clone(),
        coordination,
    };
    // A signal during a long recovery ends the process: opening changes nothing that a crash could not end just as well.
    let running = tokio::select! {
        biased;
        () = signals.next() => return Ok(()),
        opened = wiring.open() => opened?,
    };
    readiness.ready(running.source());
    let limits = AcceptLimits {
        connections_max: settings.limits.connections_max,
        grace: settings.limits.shutdown_grace,
    };
    let mut accepting = JoinSet::new();
    running.make_scram_users(&settings).await?;
    security.follow(&settings);
    let guards = security.guards.iter().zip(&kafka);
    let guards: Vec<Guard> = guards
        .flat_map(|(guard, bound)| bound.iter().map(|_| guard.clone()))
        .collect();
    let bound = kafka.into_iter().flatten().collect();
    let all = Acceptor::all(bound, limits, &counts, &running.gate());
    for (acceptor, guard) in all.into_iter().zip(guards) {
        let handler = running.handler(guard, stopped.clone());
        accepting.spawn(acceptor.serve(handler, stopped.clone()));
    }
    announce(&settings, &kafka_at, &admin_at);
    signals.next().await;
    tracing::info!("stopping: connections finish what they have begun");
    let _ = stop.send(true);
    let finish = finish(running, accepting);
    tokio::select! {
        biased;
        () = signals.next() => bail!("stopped at once by a second signal; the next start recovers"),
        () = finish => {}
    }
    tracing::info!("stopped");
    Ok(())
}

async fn finish(running: Running, mut accepting: JoinSet<()>) {
    running.release_groups().await;
    while accepting.join_next().await.is_some() {}
    running.close().await;
}

/// One line that says where to connect, on the standard output, whatever the level of tracing.
fn announce(settings: &Settings, kafka: &[Vec<SocketAddr>], admin: &[SocketAddr]) {
    let list = |addresses: &[SocketAddr]| {
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        shown.join(", ")
    };
    let listeners = settings.kafka.listen.0.iter().zip(kafka);
    let kafka: Vec<String> = listeners
        .map(|(listener, at)| match listener.protocol {
            Protocol::Plaintext => list(at),
            protocol => format!("{}://{}", protocol.name(), list(at)),
        })
        .collect();
    let line = format!(
        "millstream {} is ready: Kafka on {}, admin on http://{}, data in {}\n",
        env!("CARGO_PKG_VERSION"),
        kafka.join(", "),
        list(admin),
        settings.data.dir.display(),
    );
    let mut out = io::stdout().lock();
    // Whoever started the broker may have closed its output; that is no reason to stop.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

async fn bind_named(address: &HostPort, flag: &str) -> anyhow::Result<Vec<TcpListener>> {
    bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("cannot listen on {address}: the port is taken; stop what uses it, or choose another with {flag} HOST:PORT")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow!("cannot listen on {address}: permission denied; ports below 1024 are for root, choose another with {flag} HOST:PORT")
        }
        _ => anyhow!("cannot listen on {address}: {error}; {flag} HOST:PORT names another"),
    })
}

fn addresses(listeners: &[TcpListener]) -> anyhow::Result<Vec<SocketAddr>> {
    let addresses: io::Result<Vec<SocketAddr>> = listeners.iter().map(TcpListener::local_addr).collect();
    addresses.context("a listener has no address")
}

fn data_runtime(threads: usize) -> anyhow::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.thread_name("data").enable_all();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.build().context("cannot start the data threads")
}

/// Raises the soft limit of open files as far as it is allowed and needed. Too low a limit is no error: connections beyond it are
/// not accepted, and that is logged when it happens.
fn raise_open_files(connections_max: usize) {
    let wanted = connections_max as u64 + FILES_BESIDE_CONNECTIONS;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit < wanted => {
            tracing::warn!(
                limit,
                wanted,
                "the limit of open files is too low for limits.connections_max; raise it (ulimit -n)"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files is not known"),
    }
}

fn start_logging(settings: &Settings) -> anyhow::Result<()> {
    let level = &settings.trace.level;
    let filter = tracing_subscriber::EnvFilter::try_new(level).map_err(|error| {
        anyhow!("trace.level = \"{level}\": {error}; write e.g. info, or info,millstream_log=debug")
    })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match settings.trace.format {
        LogFormat::Text => subscriber
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .init(),
        LogFormat::Json => subscriber.json().init(),
    }
    // A panic is a line in the log like everything else, with its place.
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(%backtrace, "{panic}");
    }));
    Ok(())
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
