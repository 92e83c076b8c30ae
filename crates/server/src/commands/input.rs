//! What `produce` reads: lines of the standard input or of files, each a record; or whole files, each one record.

use super::show::{self, Unit};
use indicatif::ProgressBar;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// The longest line that is taken: no topic takes more in one record without being told to.
pub const LINE_BYTES_MAX: u64 = 1 << 30;

/// Bytes read at once from a file.
const READ_BYTES: usize = 1 << 20;

/// How input becomes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A record is what stands before this byte. A missing one at the end of the input is no matter.
    At(u8),
    /// A file is one record.
    WholeFiles,
}

/// The next record's bytes, source by source.
pub struct Input {
    cut: Cut,
    waiting: VecDeque<PathBuf>,
    open: Option<Source>,
    bar: ProgressBar,
}

struct Source {
    name: String,
    reader: BufReader<Box<dyn AsyncRead + Unpin + Send>>,
    /// What has been read of the record that is not whole. Kept here, so that reading can be dropped and taken up again.
    partial: Vec<u8>,
}

impl Input {
    /// Reads `files` one after the other; the standard input if there are none.
    pub async fn new(files: &[PathBuf], cut: Cut) -> anyhow::Result<Self> {
        let mut total = 0;
        for file in files {
            // Asked for before anything is sent: a misspelt name is found before half of the files are in the topic.
            let facts = tokio::fs::metadata(file)
                .await
                .map_err(|error| unreadable(file, &error))?;
            if facts.is_dir() {
                anyhow::bail!("{} is a directory; name the files in it", file.display());
            }
            total += facts.len();
        }
        let bar = match files {
            [] => ProgressBar::hidden(),
            _ => show::progress(Unit::Bytes, total, "produce"),
        };
        let open = files
            .is_empty()
            .then(|| Source::new("standard input".to_owned(), Box::new(tokio::io::stdin())));
        Ok(Self {
            cut,
            waiting: files.iter().cloned().collect(),
            open,
            bar,
        })
    }

    /// The next record; `None` at the end of everything. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        loop {
            if let Some(source) = &mut self.open {
                let read = match self.cut {
                    Cut::At(byte) => source.next_until(byte).await?,
                    Cut::WholeFiles => source.rest().await?,
                };
                if let Some(record) = read {
                    self.bar
                        .inc(record.len() as u64 + u64::from(self.cut != Cut::WholeFiles));
                    if self.cut == Cut::WholeFiles {
                        self.open = None;
                    }
                    return Ok(Some(record));
                }
                self.open = None;
            }
            // Taken off the list only once it is open: a caller that stops waiting meanwhile would lose the whole file.
            let Some(path) = self.waiting.front() else {
                self.bar.finish_and_clear();
                return Ok(None);
            };
            let file = tokio::fs::File::open(path)
                .await
                .map_err(|error| unreadable(path, &error))?;
            self.open = Some(Source::new(path.display().to_string(), Box::new(file)));
            self.waiting.pop_front();
        }
    }
}

impl Source {
    fn new(name: String, reader: Box<dyn AsyncRead + Unpin + Send>) -> Self {
        Self {
            name,
            reader: BufReader::with_capacity(READ_BYTES, reader),
            partial: Vec::new(),
        }
    }

    async fn next_until(&mut self, byte: u8) -> anyhow::Result<Option<Vec<u8>>> {
        let room = LINE_BYTES_MAX.saturating_sub(self.partial.len() as u64);
        let read = (&mut self.reader)
            .take(room)
            .read_until(byte, &mut self.partial)
            .await;
        read.map_err(|error| anyhow::anyhow!("cannot read {}: {error}", self.name))?;
        let mut record = std::mem::take(&mut self.partial);
        match record.last() {
            None => Ok(None),
            Some(last) if *last == byte => {
                record.pop();
                Ok(Some(record))
            }
            Some(_) if record.len() as u64 >= LINE_BYTES_MAX => {
                anyhow::bail!("{}: a line is longer than {LINE_BYTES_MAX} bytes", self.name)
            }
            Some(_) => Ok(Some(record)),
        }
    }

    async fn rest(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let read = (&mut self.reader)
            .take(LINE_BYTES_MAX + 1)
            .read_to_end(&mut self.partial)
            .await;
        read.map_err(|error| anyhow::anyhow!("cannot read {}: {error}", self.name))?;
        if self.partial.len() as u64 > LINE_BYTES_MAX {
            anyhow::bail!(
                "{} is larger than {LINE_BYTES_MAX} bytes, too large for one record",
                self.name
            );
        }
        Ok(Some(std::mem::take(&mut self.partial)))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot read {}: {error}", path.display())
}
