//! Questions to a broker over plain sockets: does it answer requests, is its admin side well.

use super::must_live;
use crate::brokers::{Broker, Site};
use crate::http;
use crate::process::now;
use anyhow::{Context, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// Recovery of gigabytes on a slow disk comes before the first answer.
const READY_LIMIT: Duration = Duration::from_secs(180);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// ApiVersions version 0, correlation id 1, no client id: length, key, version, correlation id, null string.
const API_VERSIONS: &[u8] = &[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Starts the broker and waits until it has answered a request; how long that took.
pub fn start(site: &Site) -> anyhow::Result<(Broker, Duration)> {
    let began = now();
    let mut broker = site.start()?;
    while answer(site.kafka_address()).is_err() {
        must_live(site, &mut broker)?;
        if now() - began > READY_LIMIT {
            bail!(
                "the broker answers nothing after {READY_LIMIT:?}; see {}",
                site.log().display()
            );
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok((broker, now() - began))
}

/// One request and its answer on a connection of its own.
pub fn answer(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(API_VERSIONS)?;
    let mut head = [0; 8];
    stream.read_exact(&mut head).context("no answer")?;
    if head[4..] != [0, 0, 0, 1] {
        bail!("an answer to another request");
    }
    Ok(())
}

/// Whether `GET /health` is answered with 200.
pub fn is_healthy(site: &Site) -> bool {
    http::ask(site.admin_address(), "GET", "/health", "", http::ADMIN_LIMITS)
        .is_ok_and(|(status, _)| status == 200)
}
