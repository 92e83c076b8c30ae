//! Objects as files of a local directory: written past the page cache, and read past it where much is read at once.
//!
//! An object is written once, as a whole, by a thread that has just got its bytes from memory. Through the page cache it would be
//! copied to pages of its own, which the kernel has to find, to write back and to give up again: more CPU than everything else
//! that an upload does, and writeback that makes the flushes of the write-ahead log wait.
//!
//! Owns: how a file comes to be there, whole and durable, or not at all; the buffers that direct reads and writes take.
//! Never: names and errors of the port, which are `remote`'s.
//!
//! **Invariant**: a name in the directory stands for a whole file, flushed before it got the name.

use super::store::{PutMode, WritePace};
use crate::disk::direct::{self, ALIGN_BYTES, past_the_cache};
use crate::disk::file::{read_exact_at, sync_folder};
use crate::disk::pages::{Pages, stays_where_it_was_read};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

/// Bytes of one direct write: enough that a disk is busy with it and not with its head and tail.
const CHUNK_BYTES: usize = 1 << 20;
/// The same where there is time, and a flush of somebody else may come in between.
const STRETCH_BYTES: usize = 256 << 10;
/// From this size on what lies together is read directly.
const DIRECT_READ_MIN: u64 = 64 << 10;
/// See the module. Its methods block.
pub(super) struct Directory {
    root: PathBuf,
    /// Tells unfinished files of one name apart.
    staged: AtomicU64,
    /// Whether the file system takes direct writes; some (in memory, over a network) do not.
    direct: bool,
    /// Whether a folder was made, and not flushed into the one above it yet.
    folders_due: AtomicBool,
    /// What direct reads and writes go by.
    pages: Pages,
    /// How fast direct writes go; as fast as can be before it is set.
    pace: OnceLock<Arc<dyn WritePace>>,
}

/// Why a file is not there, or may not be.
#[derive(Debug)]
pub(super) enum PutFailed {
    /// It is not there.
    Before(io::Error),
    /// It has its name, and a power failure may take it again.
    After(io::Error),
}

impl Directory {
    /// Creates the directory durably and removes what a crash left of unfinished puts (`<name>#<number>`, which no listing shows).
    pub(super) fn open(root: &Path) -> io::Result<Directory> {
        fs::create_dir_all(root)?;
        if let Some(parent) = root.canonicalize()?.parent() {
            sync_folder(parent)?;
        }
        remove_staged(root)?;
        Ok(Directory {
            root: root.to_owned(),
            staged: AtomicU64::new(0),
            direct: direct::is_possible(root),
            folders_due: AtomicBool::new(false),
            pages: Pages::default(),
            pace: OnceLock::new(),
        })
    }

    /// See `ObjectStore::go_by`. The first one stays.
    pub(super) fn go_by(&self, pace: Arc<dyn WritePace>) {
        let _ = self.pace.set(pace);
    }

    /// Makes the parts, one after the other, the file `key`, durably.
    pub(super) fn put(&self, key: &str, parts: Vec<Bytes>, mode: PutMode) -> Result<(), PutFailed> {
        let path = self.root.join(key);
        let staged = self.stage(&path, parts).map_err(PutFailed::Before)?;
        let named = match mode {
            PutMode::Replace => fs::rename(&staged, &path),
            PutMode::CreateNew => fs::hard_link(&staged, &path),
        };
        if mode == PutMode::CreateNew || named.is_err() {
            // What stays is removed at the next start.
            let _ = fs::remove_file(&staged);
        }
        // A name that is there already may be this object's own, of an attempt whose flush failed: nobody is told of it before it is flushed.
        let is_there = named
            .as_ref()
            .map_or_else(|error| error.kind() == io::ErrorKind::AlreadyExists, |()| true);
        if is_there {
            self.sync_above(&path).map_err(PutFailed::After)?;
        }
        named.map_err(PutFailed::Before)
    }

    /// The pieces, each a buffer of its own.
    ///
    /// Much at once is read past the page cache, whose pages would cost more than the reading, and drive out what others keep there. A little is
    /// read through it: what lies around it in the file is likely to be asked for next, by readers of other streams.
    pub(super) fn read(&self, key: &str, pieces: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let path = self.root.join(key);
        let len: u64 = pieces.iter().map(|piece| piece.end - piece.start).sum();
        let direct = len >= DIRECT_READ_MIN && self.direct;
        let file = if direct {
            past_the_cache(OpenOptions::new().read(true)).open(path)?
        } else {
            File::open(path)?
        };
        let read = |piece: &Range<u64>| {
            let len = usize::try_from(piece.end - piece.start).expect("a piece is a block or a footer");
            if direct {
                self.read_directly(&file, piece.start, len)
            } else {
                read_exact_at(&file, piece.start, len)
            }
        };
        pieces.iter().map(read).collect()
    }

    /// The pages that the piece lies in, and of them the piece.
    fn read_directly(&self, file: &File, at: u64, len: usize) -> io::Result<Bytes> {
        let before = usize::try_from(at % ALIGN_BYTES as u64).expect("below a page");
        let mut buffer = self.pages.take(before + len)?;
        let mut read = 0;
        while read < before + len {
            // What is cut short here, at the end of the file or by a signal, goes on at a page.
            let aligned = read / ALIGN_BYTES * ALIGN_BYTES;
            match file.read_at(&mut buffer[aligned..], at - before as u64 + aligned as u64) {
                Ok(count) if aligned + count <= read => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => read = aligned + count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if stays_where_it_was_read(len) {
            Ok(Bytes::from_owner(buffer).slice(before..before + len))
        } else {
            // Not to pin pages for a few bytes.
            Ok(Bytes::copy_from_slice(&buffer[before..before + len]))
        }
    }

    /// Writes and flushes a file that has no name of its own yet.
    fn stage(&self, path: &Path, parts: Vec<Bytes>) -> io::Result<PathBuf> {
        let mut staged = path.as_os_str().to_owned();
        staged.push(format!("#{}", self.staged.fetch_add(1, Ordering::Relaxed)));
        let staged = PathBuf::from(staged);
        let written = match self.write(&staged, parts.clone()) {
            // The folder is made when it is first needed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folders(path)?;
                self.write(&staged, parts)
            }
            written => written,
        };
        match written {
            Ok(()) => Ok(staged),
            Err(error) => {
                let _ = fs::remove_file(&staged);
                Err(error)
            }
        }
    }

    fn write(&self, staged: &Path, parts: Vec<Bytes>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if self.direct {
            past_the_cache(&mut options);
        }
        let mut file = options.open(staged)?;
        if self.direct {
            self.write_directly(&file, parts)?;
        } else {
            for part in parts {
                file.write_all(&part)?;
            }
        }
        file.sync_all()
    }

    /// The last page is written whole, with zeros behind, which are cut off then. Answers how many bytes were copied.
    fn write_directly(&self, file: &File, mut parts: Vec<Bytes>) -> io::Result<u64> {
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        let mut copied = 0;
        if len == 0 {
            return Ok(copied);
        }
        direct::allocate(file, len)?;
        parts.push(direct::padding(len));
        let mut chunk = self.pages.take(CHUNK_BYTES)?;
        let (mut rest, mut at) = (VecDeque::from(parts), 0);
        while !rest.is_empty() {
            let stretch = take(&mut rest, self.await_turn());
            copied += direct::write(file, at, &stretch, &mut chunk)?;
            at += stretch.iter().map(|part| part.len() as u64).sum::<u64>();
        }
        file.set_len(len)?;
        Ok(copied)
    }

    /// Waits until more may be written. Answers how much.
    fn await_turn(&self) -> usize {
        match self.pace.get().and_then(|pace| pace.wait(STRETCH_BYTES)) {
            None => CHUNK_BYTES,
            Some(wait) => {
                thread::sleep(wait);
                STRETCH_BYTES
            }
        }
    }

    fn make_folders(&self, path: &Path) -> io::Result<()> {
        self.folders_due.store(true, Ordering::Relaxed);
        path.parent().map_or(Ok(()), fs::create_dir_all)
    }

    /// Makes the name durable: in its folder, and that one in those above it where they are new.
    fn sync_above(&self, path: &Path) -> io::Result<()> {
        let folders_due = self.folders_due.swap(false, Ordering::Relaxed);
        let depth = if folders_due { usize::MAX } else { 1 };
        let above = path.ancestors().skip(1).take(depth);
        let synced = above
            .take_while(|above| above.starts_with(&self.root))
            .try_for_each(sync_folder);
        if synced.is_err() && folders_due {
            self.folders_due.store(true, Ordering::Relaxed);
        }
        synced
    }
}

/// The first `len` bytes of the parts, or all that is left.
fn take(parts: &mut VecDeque<Bytes>, len: usize) -> Vec<Bytes> {
    let (mut taken, mut missing) = (Vec::new(), len);
    while missing > 0
        && let Some(part) = parts.front_mut()
    {
        let piece = part.split_to(part.len().min(missing));
        missing -= piece.len();
        taken.push(piece);
        if part.is_empty() {
            parts.pop_front();
        }
    }
    taken
}

/// Flushes what a life before may have left unflushed, too.
fn remove_staged(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let staged = name.to_str().and_then(|name| name.rsplit_once('#'));
        if entry.file_type()?.is_dir() {
            remove_staged(&entry.path())?;
        } else if staged.is_some_and(|(_, number)| number.parse::<u64>().is_ok()) {
            fs::remove_file(entry.path())?;
        }
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Offset, StreamId};
    use crate::objects::ObjectId;
    use crate::objects::encode::{BatchSpan, ObjectEncoder};
    use std::time::Duration;

    fn parts(len: usize) -> Vec<Bytes> {
        let whole: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        let (small, large) = whole.split_at(len / 3);
        vec![
            Bytes::copy_from_slice(small),
            Bytes::new(),
            Bytes::copy_from_slice(large),
        ]
    }

    /// In pieces small and large, from anywhere, to the end and past it.
    fn read_everywhere(directory: &Directory, key: &str, whole: &[u8]) {
        for from in [0, 1, ALIGN_BYTES - 1, ALIGN_BYTES, 70_000]
            .into_iter()
            .filter(|from| *from < whole.len())
        {
            for pieces in [1, 2, 5] {
                let each = (whole.len() - from) / pieces;
                // Next to each other, and with a byte between each two.
                for gap in [0, 1.min(each)] {
                    let begin = |n: usize| from + n * each;
                    let places: Vec<_> = (0..pieces).map(|n| begin(n)..begin(n + 1) - gap).collect();
                    let wanted: Vec<_> = places.iter().map(|at| at.start as u64..at.end as u64).collect();
                    let read = directory.read(key, &wanted).expect("a read");
                    let is_right = |(place, piece): (&Range<usize>, &Bytes)| *piece == whole[place.clone()];
                    assert!(
                        read.len() == pieces && places.iter().zip(&read).all(is_right),
                        "{key} from {from} in {pieces}"
                    );
                }
            }
            let past = from as u64..whole.len() as u64 + 1;
            let read = directory.read(key, std::slice::from_ref(&past));
            assert!(
                matches!(&read, Err(error) if error.kind() == io::ErrorKind::UnexpectedEof),
                "{key} from {from}"
            );
        }
    }

    #[test]
    fn files_of_every_length_are_what_was_put_directly_and_through_the_page_cache() {
        let root = std::env::temp_dir().join(format!("millstream-directory-{}", std::process::id()));
        let mut directory = Directory::open(&root).expect("a folder");
        for direct in [directory.direct, false] {
            directory.direct = direct;
            for len in [
                0,
                1,
                ALIGN_BYTES - 1,
                ALIGN_BYTES,
                CHUNK_BYTES,
                2 * CHUNK_BYTES + 5,
            ] {
                let key = format!("data/{direct}/{len}");
                directory
                    .put(&key, parts(len), PutMode::CreateNew)
                    .expect("a put");
                let whole = parts(len).concat();
                assert!(fs::read(root.join(&key)).expect("the file") == whole, "{key}");
                read_everywhere(&directory, &key, &whole);
                let taken = directory.put(&key, parts(1), PutMode::CreateNew);
                let is_taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
                assert!(
                    matches!(&taken, Err(PutFailed::Before(error)) if is_taken(error)),
                    "{taken:?}"
                );
                directory.put(&key, parts(7), PutMode::Replace).expect("a put");
                assert_eq!(fs::read(root.join(&key)).expect("the file").len(), 7);
            }
        }
        let left: Vec<_> = fs::read_dir(root.join("data/false"))
            .expect("the folder")
            .collect();
        assert_eq!(left.len(), 6, "nothing unfinished stays");
        fs::remove_dir_all(&root).expect("cleaning up");
    }

    /// Begins at a page of memory.
    fn batch(pages: &Pages, len: usize) -> Bytes {
        let mut batch = pages.take(len).expect("memory");
        batch.fill(b'v');
        Bytes::from_owner(batch).slice(..len)
    }

    #[test]
    fn large_batches_that_begin_at_a_page_of_memory_are_written_from_where_they_lie() {
        const LARGE_BYTES: usize = 1_000_003;
        const SMALL_BYTES: usize = 300;
        let root = std::env::temp_dir().join(format!("millstream-uncopied-{}", std::process::id()));
        let directory = Directory::open(&root).expect("a folder");
        let mut encoder = ObjectEncoder::new(ObjectId(1 << 30), 1, 512 << 10);
        // Of every stream two large batches, with a small one between them and one before the next.
        let lens = [LARGE_BYTES, SMALL_BYTES, LARGE_BYTES, SMALL_BYTES].repeat(4);
        for (n, len) in (0..).zip(&lens) {
            let span = BatchSpan {
                base: Offset(n),
                last: Offset(n),
                first_timestamp: 0,
                max_timestamp: 0,
            };
            encoder.push(StreamId(n / 4), span, batch(&directory.pages, *len));
        }
        let object = encoder.finish();
        let path = root.join("object");
        // Through the page cache: where direct writes are refused, they take the same way up to the file.
        let file = File::create(&path).expect("a file");
        let copied = directory
            .write_directly(&file, object.parts.clone())
            .expect("a write");
        assert!(fs::read(&path).expect("the file") == object.parts.concat());
        let large = lens.iter().filter(|len| **len == LARGE_BYTES).count();
        // The last page of each, what fills it, and what is no large batch.
        let pages = (large + 2) * 2 * ALIGN_BYTES + lens.len() * SMALL_BYTES;
        assert!(
            copied <= pages as u64 + u64::from(object.footer_len),
            "{copied} of {} bytes were copied",
            object.len
        );
        fs::remove_dir_all(&root).expect("cleaning up");
    }

    /// Answers no pause, and counts how often it is asked.
    struct Counting(AtomicU64);

    impl WritePace for Counting {
        fn wait(&self, bytes: usize) -> Option<Duration> {
            self.0.fetch_add(bytes as u64, Ordering::Relaxed);
            Some(Duration::ZERO)
        }
    }

    #[test]
    fn at_a_pace_every_stretch_is_asked_for_and_the_file_is_whole() {
        let root = std::env::temp_dir().join(format!("millstream-paced-{}", std::process::id()));
        let directory = Directory::open(&root).expect("a folder");
        let pace = Arc::new(Counting(AtomicU64::new(0)));
        directory.go_by(pace.clone());
        let len = 5 * STRETCH_BYTES + 1;
        directory
            .put("data/paced", parts(len), PutMode::CreateNew)
            .expect("a put");
        assert!(fs::read(root.join("data/paced")).expect("the file") == parts(len).concat());
        if directory.direct {
            assert_eq!(pace.0.load(Ordering::Relaxed), 6 * STRETCH_BYTES as u64);
        }
        fs::remove_dir_all(&root).expect("cleaning up");
    }
}
