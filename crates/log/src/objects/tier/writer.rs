//! The one writer of a disk tier: finds what an earlier life left, then writes what was queued, bundle by bundle.
//!
//! Owns: the cache files, their order, and their room on the disk. Never flushes: a cache that a power failure tears is torn where
//! checksums see it, and a flush would only delay the write-ahead log's.
//!
//! **Invariant**: a file's old pieces leave the index before its first byte is overwritten.

use super::Piece;
use super::disk::{Limits, turn_off};
use super::format::{
    BUNDLE_HEAD_BYTES, FILE_HEADER_BYTES, FileHeader, PAGE_BYTES, Row, decode_front, encode_front,
    front_bytes, piece_count,
};
use super::shelf::{Shelf, Step, Stored};
use crate::disk::direct::padding;
use crate::disk::{Disk, DiskFile};
use crate::le::checksum;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Names of cache files; another file in the directory is not ours.
const NAME_PREFIX: &str = "cache-";
const NAME_DIGITS: usize = 16;

/// One cache file.
struct CacheFile {
    number: u64,
    name: String,
    file: Arc<dyn DiskFile>,
    /// Where the next bundle goes.
    position: u64,
    /// Pieces that the index may know in it.
    keys: Vec<Piece>,
}

/// How far the files of an earlier life were read.
enum Recovered {
    All,
    /// The tier ended, or was turned off, before.
    Stopped,
}

/// See the module.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    shelf: Arc<Shelf>,
    limits: Limits,
    /// Oldest first; the last one is written.
    files: VecDeque<CacheFile>,
    next_number: u64,
}

impl Writer {
    pub(super) fn new(disk: Arc<dyn Disk>, shelf: Arc<Shelf>, limits: Limits) -> Self {
        Self {
            disk,
            shelf,
            limits,
            files: VecDeque::new(),
            next_number: 1,
        }
    }

    pub(super) async fn run(mut self) {
        match self.recover().await {
            Ok(Recovered::All) => {}
            // Files that were not looked at count against the room, too: without them nothing may be written.
            Ok(Recovered::Stopped) => self.shelf.drop_queue(),
            Err(error) => turn_off(&self.shelf, &error),
        }
        loop {
            let step = self
                .shelf
                .next_step(self.bundle_bytes(), self.limits.bundle_pieces_max);
            match step {
                Step::Write(pieces) => {
                    if let Err(error) = self.write(pieces).await {
                        turn_off(&self.shelf, &error);
                    }
                }
                Step::Wait => self.shelf.work.notified().await,
                Step::Remove => {
                    self.remove_all().await;
                    return;
                }
                Step::End => return,
            }
        }
    }

    /// Takes over what lies in the directory; what is not whole, not ours or too much is removed. Looks before each step whether there
    /// is still any use in it: a cache of many files is long to read, and an end does not wait for that.
    async fn recover(&mut self) -> io::Result<Recovered> {
        let mut names = self.disk.list().await?;
        names.sort_unstable();
        let mut found = Vec::new();
        for name in names.iter().filter(|name| is_cache_file(name)) {
            if !self.shelf.is_working() {
                return Ok(Recovered::Stopped);
            }
            match self.open(name).await {
                Some(file) => found.push(file),
                None => self.disk.remove(name).await?,
            }
        }
        found.sort_unstable_by_key(|file| file.number);
        while found.len() > self.limits.files_max {
            let oldest = found.remove(0);
            self.disk.remove(&oldest.name).await?;
        }
        for file in &found {
            self.next_number = self.next_number.max(file.number + 1);
        }
        for mut file in found {
            self.shelf.add_file(file.number, file.file.clone());
            self.read_bundles(&mut file).await;
            if !self.shelf.is_working() {
                return Ok(Recovered::Stopped);
            }
            self.add(file);
        }
        Ok(Recovered::All)
    }

    /// The file, if it is a cache file of this owner and of this length.
    async fn open(&self, name: &str) -> Option<CacheFile> {
        let file = self.disk.open(name).await.ok()?;
        if file.len().await.ok()? != self.limits.file_bytes {
            return None;
        }
        let header = file.read_at(0, FILE_HEADER_BYTES).await.ok()?;
        let header = FileHeader::decode(&header).ok()?;
        let is_ours = header.owner == self.limits.owner
            && header.file_bytes == self.limits.file_bytes
            && header.number < u64::MAX;
        is_ours.then(|| CacheFile {
            number: header.number,
            name: name.to_owned(),
            file,
            position: PAGE_BYTES,
            keys: Vec::new(),
        })
    }

    /// Walks the bundles from the first one; ends at what is not one. Nobody can tell a torn end from a damaged middle, and
    /// either way what follows is only a cache.
    async fn read_bundles(&self, file: &mut CacheFile) {
        while self.shelf.is_working()
            && let Some(rows) = read_front(file, self.limits.file_bytes).await
        {
            let mut at = file.position + front_bytes(rows.len()) as u64;
            let mut places = Vec::with_capacity(rows.len());
            for row in &rows {
                places.push((row.piece, file.stored(at, row.checksum)));
                at += u64::from(row.piece.len);
            }
            let at = at.next_multiple_of(PAGE_BYTES);
            if at > self.limits.file_bytes || file.keys.len() + rows.len() > self.limits.file_pieces_max {
                return;
            }
            file.position = at;
            file.keys.extend(self.shelf.recover(places.into_iter()));
        }
    }

    /// How much the next bundle should hold: what the file has room for, so that little is left over at its end. Where that is less
    /// than a piece, the piece opens the next file alone.
    fn bundle_bytes(&self) -> usize {
        let most = self.limits.bundle_bytes_max;
        let Some(file) = self.files.back() else {
            return most;
        };
        let front = front_bytes(self.limits.bundle_pieces_max) as u64;
        let room = (self.limits.file_bytes - file.position).saturating_sub(front);
        usize::try_from(room).map_or(most, |room| room.min(most))
    }

    async fn write(&mut self, pieces: Vec<(Piece, Bytes)>) -> io::Result<()> {
        let payload: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        let len = (front_bytes(pieces.len()) + payload) as u64;
        let padding = padding(len);
        let file = self
            .file_with_room(len + padding.len() as u64, pieces.len())
            .await?;
        let row = |(piece, bytes): &(Piece, Bytes)| Row {
            piece: *piece,
            checksum: checksum(bytes),
        };
        let rows: Vec<Row> = pieces.iter().map(row).collect();
        let front = encode_front(file.number, &rows);
        let mut at = file.position + front.len() as u64;
        let mut parts = vec![front];
        let mut places = Vec::with_capacity(rows.len());
        for (row, (piece, bytes)) in rows.iter().zip(pieces) {
            places.push((piece, file.stored(at, row.checksum)));
            at += bytes.len() as u64;
            parts.push(bytes);
        }
        at += padding.len() as u64;
        parts.push(padding);
        file.file.write_at(file.position, &parts).await?;
        file.position = at;
        file.keys.extend(places.iter().map(|(piece, _)| *piece));
        self.shelf.store(places.into_iter());
        Ok(())
    }

    /// The file that is written, with room for a bundle of `len` bytes; a new one, or the oldest again, when it is full.
    async fn file_with_room(&mut self, len: u64, pieces: usize) -> io::Result<&mut CacheFile> {
        let limits = self.limits;
        let has_room = |file: &CacheFile| {
            file.position + len <= limits.file_bytes && file.keys.len() + pieces <= limits.file_pieces_max
        };
        if !self.files.back().is_some_and(has_room) {
            let file = if self.files.len() < limits.files_max {
                self.create().await?
            } else {
                self.take_oldest().await?
            };
            self.shelf.add_file(file.number, file.file.clone());
            self.add(file);
        }
        Ok(self.files.back_mut().expect("one was just added"))
    }

    async fn create(&mut self) -> io::Result<CacheFile> {
        let number = self.take_number();
        let name = format!("{NAME_PREFIX}{number:0NAME_DIGITS$x}");
        let file = self.disk.reserve(&name, self.limits.file_bytes).await?;
        self.begin(number, name, file).await
    }

    async fn take_oldest(&mut self) -> io::Result<CacheFile> {
        let oldest = self.files.pop_front().expect("there are as many as there may be");
        self.shelf.remove_file(oldest.number, &oldest.keys);
        self.count_bytes();
        let number = self.take_number();
        self.begin(number, oldest.name, oldest.file).await
    }

    async fn begin(&self, number: u64, name: String, file: Arc<dyn DiskFile>) -> io::Result<CacheFile> {
        let header = FileHeader {
            owner: self.limits.owner,
            number,
            file_bytes: self.limits.file_bytes,
        };
        let page = [header.encode(), padding(FILE_HEADER_BYTES as u64)];
        file.write_at(0, &page).await?;
        Ok(CacheFile {
            number,
            name,
            file,
            position: PAGE_BYTES,
            keys: Vec::new(),
        })
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn add(&mut self, file: CacheFile) {
        self.files.push_back(file);
        self.count_bytes();
    }

    fn count_bytes(&self) {
        let bytes = self.files.len() as u64 * self.limits.file_bytes;
        self.shelf.counters.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Gives the room back: a full disk may be the write-ahead log's, too.
    async fn remove_all(&mut self) {
        self.files.clear();
        if let Ok(names) = self.disk.list().await {
            for name in names.iter().filter(|name| is_cache_file(name)) {
                // The disk has failed; that it fails again says nothing new.
                let _ = self.disk.remove(name).await;
            }
        }
        self.count_bytes();
    }
}

impl CacheFile {
    fn stored(&self, at: u64, checksum: u64) -> Stored {
        Stored {
            file: self.number,
            at,
            checksum,
        }
    }
}

/// The table of the bundle at the file's position, if there is one.
async fn read_front(file: &CacheFile, file_bytes: u64) -> Option<Vec<Row>> {
    let room = file_bytes - file.position;
    if room < BUNDLE_HEAD_BYTES as u64 {
        return None;
    }
    let head = file.file.read_at(file.position, BUNDLE_HEAD_BYTES).await.ok()?;
    let len = front_bytes(piece_count(&head, file.number).ok()?);
    if room < len as u64 {
        return None;
    }
    let front = file.file.read_at(file.position, len).await.ok()?;
    decode_front(&front, file.number).ok()
}

fn is_cache_file(name: &str) -> bool {
    let digits = name.strip_prefix(NAME_PREFIX);
    digits.is_some_and(|digits| {
        digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}
