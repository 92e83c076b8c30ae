//! The producing half of the bare loop: sockets to two copies on disk.
//!
//! A thread for each connection fills pieces and computes their checksums; one thread writes and flushes the first copy and
//! answers; one writes the second. Pieces travel between them in their own memory and go back to their connection's thread when the
//! second copy is written, so that what is in memory is bounded by [`PIECES_EACH`].

use super::super::disk::{Buffer, buffer, direct};
use super::ends::CONNECTIONS;
use super::{CHECKSUMS, PIECE_BYTES};
use anyhow::Context;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Pieces of a connection that are in memory: as much as a broker's cache of the newest records, all connections together.
const PIECES_EACH: usize = 24;

/// The first copy: written round and round, as segments that are used again.
const LOG_PIECES: u64 = 256;

/// Pieces that one flush of the first copy covers.
const FLUSH_PIECES: usize = 4;

/// Where fewer than those have come, nothing more is coming for the moment.
const FLUSH_WAIT: Duration = Duration::from_millis(20);

/// A file of the second copy.
const OBJECT_PIECES: u64 = 32;

/// A piece with its connection.
struct Piece {
    connection: usize,
    bytes: Buffer,
    checksum: u32,
}

/// Where a file of the second copy lies.
pub fn object(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("object-{number:05}"))
}

/// Says where it listens once its files are ready, and stores what the connections send until all have ended.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let log = written_log(folder, LOG_PIECES)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("port={}", listener.local_addr()?.port());
    store(folder, &log, &listener)
}

fn store(folder: &Path, log: &File, listener: &TcpListener) -> anyhow::Result<()> {
    let (to_log, for_log) = sync_channel(CONNECTIONS * PIECES_EACH);
    let (to_objects, for_objects) = sync_channel(CONNECTIONS * PIECES_EACH);
    let (mut free, mut returns) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let (give, take) = sync_channel(PIECES_EACH);
        for _ in 0..PIECES_EACH {
            give.send(buffer(PIECE_BYTES)?)
                .expect("there is room for every piece");
        }
        free.push(take);
        returns.push(give);
    }
    let streams: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|_| Ok(listener.accept()?.0))
        .collect::<anyhow::Result<_>>()?;
    let answers: Vec<TcpStream> = streams
        .iter()
        .map(TcpStream::try_clone)
        .collect::<Result<_, _>>()?;
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (connection, (stream, free)) in streams.into_iter().zip(free).enumerate() {
            let to_log = to_log.clone();
            threads.push(scope.spawn(move || receive(connection, stream, &free, &to_log)));
        }
        drop(to_log);
        threads.push(scope.spawn(move || keep_log(log, &for_log, answers, &to_objects)));
        threads.push(scope.spawn(move || keep_objects(folder, &for_objects, &returns)));
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no thread panics"))
    })
}

/// The first copy's file, with all its bytes on disk.
fn written_log(folder: &Path, pieces: u64) -> anyhow::Result<File> {
    let file = allocated(&folder.join("log"), pieces)?;
    let zeros = buffer(PIECE_BYTES)?;
    for at in 0..pieces {
        file.write_all_at(&zeros, at * PIECE_BYTES as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn allocated(path: &Path, pieces: u64) -> anyhow::Result<File> {
    let file = direct()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    fallocate(&file, FallocateFlags::empty(), 0, pieces * PIECE_BYTES as u64)?;
    Ok(file)
}

/// Fills pieces from a connection until it ends.
fn receive(
    connection: usize,
    mut stream: TcpStream,
    free: &Receiver<Buffer>,
    to_log: &SyncSender<Piece>,
) -> anyhow::Result<()> {
    while let Ok(mut bytes) = free.recv() {
        match stream.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error).context("a connection"),
        }
        let piece = Piece {
            connection,
            checksum: crc32c::crc32c(&bytes),
            bytes,
        };
        // Whoever is gone says by itself why.
        if to_log.send(piece).is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes the first copy, flushes it, answers, and hands on.
fn keep_log(
    log: &File,
    pieces: &Receiver<Piece>,
    mut answers: Vec<TcpStream>,
    to_objects: &SyncSender<Piece>,
) -> anyhow::Result<()> {
    let round = log.metadata()?.len();
    let mut at = 0;
    loop {
        let group = group(pieces);
        if group.is_empty() {
            return Ok(());
        }
        for piece in &group {
            log.write_all_at(&piece.bytes, at % round)?;
            at += PIECE_BYTES as u64;
        }
        log.sync_data().context("the flush of the first copy")?;
        for piece in group {
            answers[piece.connection].write_all(&[1])?;
            if to_objects.send(piece).is_err() {
                return Ok(());
            }
        }
    }
}

/// What one flush covers; empty when no more will come.
fn group(pieces: &Receiver<Piece>) -> Vec<Piece> {
    let mut group: Vec<Piece> = pieces.recv().into_iter().collect();
    while (1..FLUSH_PIECES).contains(&group.len()) {
        match pieces.recv_timeout(FLUSH_WAIT) {
            Ok(piece) => group.push(piece),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    group
}

/// Writes the second copy, gives memory back, and at the end writes down the checksums for those that read it.
fn keep_objects(
    folder: &Path,
    pieces: &Receiver<Piece>,
    returns: &[SyncSender<Buffer>],
) -> anyhow::Result<()> {
    let mut checksums = Vec::new();
    let mut open: Option<File> = None;
    for (at, piece) in (0..).zip(pieces) {
        let (number, place) = (at / OBJECT_PIECES, at % OBJECT_PIECES);
        let file = match open.take() {
            Some(file) => file,
            None => allocated(&object(folder, number), OBJECT_PIECES)?,
        };
        file.write_all_at(&piece.bytes, place * PIECE_BYTES as u64)?;
        checksums.extend(piece.checksum.to_le_bytes());
        if place + 1 == OBJECT_PIECES {
            file.sync_all().context("the flush of the second copy")?;
        } else {
            open = Some(file);
        }
        // Its connection may have ended.
        let _ = returns[piece.connection].send(piece.bytes);
    }
    if let Some(file) = open {
        file.sync_all().context("the flush of the second copy")?;
    }
    std::fs::write(folder.join(CHECKSUMS), checksums).context("cannot write the checksums")
}

#[cfg(test)]
mod tests {
    use super::super::{ends, serve};
    use super::*;

    fn piece() -> Piece {
        Piece {
            connection: 0,
            bytes: buffer(PIECE_BYTES).expect("memory"),
            checksum: 0,
        }
    }

    #[test]
    fn a_flush_covers_four_pieces_and_fewer_only_when_no_more_come() {
        let (give, take) = sync_channel(6);
        for _ in 0..6 {
            give.send(piece()).expect("there is room");
        }
        drop(give);
        let groups = [group(&take).len(), group(&take).len(), group(&take).len()];
        assert_eq!(groups, [4, 2, 0]);
    }

    #[test]
    fn what_was_sent_is_served_again_and_a_changed_byte_is_found() {
        const LOG_PIECES_FEW: u64 = 3;
        let folder = std::env::temp_dir().join(format!("millstream-bare-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        // A file system in memory knows no direct writes; nothing is to be learnt from it.
        if let Ok(log) = written_log(&folder, LOG_PIECES_FEW) {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("it is bound").port();
            thread::scope(|scope| {
                let storing = scope.spawn(|| store(&folder, &log, &listener));
                ends::send(port, Duration::from_millis(30)).expect("everything is answered");
                storing.join().expect("no panic").expect("everything is stored");
            });
            serve::tests::serve_once(&folder).expect("what was stored");
            let first = std::fs::OpenOptions::new().write(true).open(object(&folder, 0));
            let first = first.expect("a file of the second copy");
            first.write_all_at(&[0; 8], 0).expect("a changed byte");
            first.sync_all().expect("it is on disk");
            assert!(serve::tests::serve_once(&folder).is_err());
        }
        std::fs::remove_dir_all(&folder).expect("it was there");
    }
}
