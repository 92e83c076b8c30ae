//! The consuming half of the bare loop: what was stored goes from disk to a socket, compared with its checksums.
//!
//! Several threads read, so that the disk is never idle; a piece's place says which, so that the sender takes them in order without
//! a lock.

use super::super::disk::{Buffer, buffer, direct};
use super::store::object;
use super::{CHECKSUMS, PIECE_BYTES};
use crate::process::now;
use anyhow::{Context, bail};
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// One read at a time leaves most disks idle.
const READERS: usize = 4;

/// Pieces that a reader has in memory.
const PIECES_EACH: usize = 4;

/// Whether pieces are compared with their checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// As a broker that trusts no disk.
    All,
    /// To see what that costs.
    None,
}

/// A stored piece: its file, its place there, its checksum.
struct Stored {
    file: usize,
    at: u64,
    checksum: u32,
}

/// Sends the stored pieces again and again to the one who connects, for so long.
pub fn run(folder: &Path, time: Duration, checks: Checks) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("port={}", listener.local_addr()?.port());
    serve(folder, &listener, time, checks)
}

fn serve(folder: &Path, listener: &TcpListener, time: Duration, checks: Checks) -> anyhow::Result<()> {
    let (files, pieces) = stored(folder)?;
    let (mut stream, _) = listener.accept()?;
    thread::scope(|scope| {
        let mut readers = Vec::new();
        let mut ways = Vec::new();
        for reader in 0..READERS {
            let (give, taken) = sync_channel(PIECES_EACH);
            let (give_back, free) = sync_channel(PIECES_EACH);
            for _ in 0..PIECES_EACH {
                give_back
                    .send(buffer(PIECE_BYTES)?)
                    .expect("there is room for every piece");
            }
            let (files, pieces) = (&files, &pieces);
            readers.push(scope.spawn(move || {
                let mine = pieces.iter().cycle().skip(reader).step_by(READERS);
                read(files, mine, checks, &free, &give)
            }));
            ways.push((taken, give_back));
        }
        let deadline = now() + time;
        for (taken, give_back) in ways.iter().cycle() {
            // A reader that is gone says by itself why.
            let Ok(bytes) = taken.recv() else { break };
            stream.write_all(&bytes).context("the other end")?;
            if now() >= deadline || give_back.send(bytes).is_err() {
                break;
            }
        }
        drop((ways, stream));
        readers
            .into_iter()
            .try_for_each(|reader| reader.join().expect("no reader panics"))
    })
}

/// The files of the second copy, and every piece of them.
fn stored(folder: &Path) -> anyhow::Result<(Vec<File>, Vec<Stored>)> {
    let checksums = std::fs::read(folder.join(CHECKSUMS)).context("nothing was stored")?;
    let checksums: Vec<u32> = checksums
        .chunks_exact(size_of::<u32>())
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("a chunk has their length")))
        .collect();
    let (mut files, mut pieces): (Vec<File>, Vec<Stored>) = (Vec::new(), Vec::new());
    let mut left = checksums.into_iter().peekable();
    while left.peek().is_some() {
        let path = object(folder, files.len() as u64);
        let file = direct().read(true).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let count = file.metadata()?.len() / PIECE_BYTES as u64;
        for (place, checksum) in (0..count).zip(left.by_ref()) {
            pieces.push(Stored {
                file: files.len(),
                at: place * PIECE_BYTES as u64,
                checksum,
            });
        }
        files.push(file);
    }
    if pieces.is_empty() {
        bail!("nothing was stored");
    }
    Ok((files, pieces))
}

fn read<'a>(
    files: &[File],
    pieces: impl Iterator<Item = &'a Stored>,
    checks: Checks,
    free: &Receiver<Buffer>,
    give: &SyncSender<Buffer>,
) -> anyhow::Result<()> {
    for piece in pieces {
        // The sender has ended.
        let Ok(mut bytes) = free.recv() else { break };
        files[piece.file].read_exact_at(&mut bytes, piece.at)?;
        if checks == Checks::All && crc32c::crc32c(&bytes) != piece.checksum {
            bail!("a piece is not what was stored");
        }
        if give.send(bytes).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::super::ends;
    use super::*;

    /// For the test of what stores: serves the first piece, and reads some more.
    pub fn serve_once(folder: &Path) -> anyhow::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        thread::scope(|scope| {
            let discarding = scope.spawn(move || ends::discard(port));
            let served = serve(folder, &listener, Duration::ZERO, Checks::All);
            discarding.join().expect("no panic")?;
            served
        })
    }
}
