//! Questions to the HTTP sides of what is under test, over a plain socket.

use anyhow::Context;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What an answer may take.
#[derive(Clone, Copy)]
pub struct Limits {
    pub time: Duration,
    pub bytes: u64,
}

/// Of a broker's admin side.
pub const ADMIN_LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    bytes: 64 << 20,
};

/// Status and body of an answer. HTTP 1.0, so that it comes in one piece and ends with the connection.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
    limits: Limits,
) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(limits.time))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.take(limits.bytes).read_to_string(&mut text)?;
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((
        status.with_context(|| format!("no status in {text:?}"))?,
        body.to_owned(),
    ))
}

/// One whole number of a broker's `/metrics`, by its name with its labels; none if it is not shown.
pub fn metric(admin: SocketAddr, name: &str) -> anyhow::Result<Option<u64>> {
    let (_, text) = ask(admin, "GET", "/metrics", "", ADMIN_LIMITS)?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let number = |value: &str| {
        // Numbers are shown as OpenMetrics likes them, with a fraction of nothing.
        let whole = value.trim().split('.').next().unwrap_or_default();
        whole.parse().with_context(|| format!("{name} is \"{value}\""))
    };
    value.map(number).transpose()
}
