//! The other end of the bare loop's sockets: one that sends as fast as it can, and one that throws away what comes.

use super::PIECE_BYTES;
use crate::kernel::cpu_seconds;
use crate::process::now;
use anyhow::Context;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// Connections that send.
pub const CONNECTIONS: usize = 4;

/// Pieces of a connection that wait for their answer at most, as a client's requests in flight.
const IN_FLIGHT_MAX: usize = 5;

/// Sends over all connections for so long, waits for every answer, and says what it did as the load program does.
pub fn send(port: u16, time: Duration) -> anyhow::Result<()> {
    let streams: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| connect(port))
        .collect::<anyhow::Result<_>>()?;
    let piece = noise();
    let began = now();
    let pieces = thread::scope(|scope| {
        let piece = &piece;
        let senders: Vec<_> = streams
            .into_iter()
            .map(|stream| scope.spawn(move || send_on(stream, piece, time)))
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().expect("no sender panics"))
            .sum::<anyhow::Result<usize>>()
    })?;
    report(pieces * PIECE_BYTES, now() - began)
}

/// Takes whatever comes until the connection ends.
pub fn discard(port: u16) -> anyhow::Result<()> {
    let mut stream = connect(port)?;
    let mut buffer = vec![0; PIECE_BYTES];
    let began = now();
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return report(bytes, now() - began),
            count => bytes += count,
        }
    }
}

fn connect(port: u16) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).context("cannot connect to the bare loop")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Pieces that were sent and answered.
fn send_on(mut stream: TcpStream, piece: &[u8], time: Duration) -> anyhow::Result<usize> {
    let deadline = now() + time;
    let (mut sent, mut answered) = (0, 0);
    let mut answers = [0; IN_FLIGHT_MAX];
    while now() < deadline {
        stream.write_all(piece)?;
        sent += 1;
        if sent - answered == IN_FLIGHT_MAX {
            stream.read_exact(&mut answers[..1]).context("no answer")?;
            answered += 1;
        }
    }
    let left = &mut answers[..sent - answered];
    stream.read_exact(left).context("not everything was answered")?;
    Ok(sent)
}

/// Bytes that no disk can make smaller.
fn noise() -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(PIECE_BYTES / size_of::<u64>()).flatten().collect()
}

fn report(bytes: usize, took: Duration) -> anyhow::Result<()> {
    println!(
        "bytes={bytes} seconds={:.6} client_cpu_seconds={:.3}",
        took.as_secs_f64(),
        cpu_seconds(std::process::id())?
    );
    Ok(())
}
