//! A file that another program appends lines to, and the wait for what it is to show: the event that a trial goes on at.

use crate::process::now;
use anyhow::bail;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Whole lines of a growing file, each given out once.
pub struct Journal {
    path: PathBuf,
    read: u64,
    lines: u64,
}

impl Journal {
    /// A file that need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: 0,
            lines: 0,
        }
    }

    /// The lines that have come since the last call, without what the writer has not ended yet.
    pub fn news(&mut self) -> anyhow::Result<String> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        bytes.truncate(whole);
        self.read += whole as u64;
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How many lines there are by now.
    pub fn lines(&mut self) -> anyhow::Result<u64> {
        self.news()?;
        Ok(self.lines)
    }
}

/// Asks again and again until the answer is yes. An error of the question ends the wait, as its limit does.
pub fn wait_for(
    what: &str,
    limit: Duration,
    mut holds: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<Duration> {
    let began = now();
    while !holds()? {
        if now() - began > limit {
            bail!("not within {limit:?}: {what}");
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(now() - began)
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use std::io::Write;

    #[test]
    fn a_line_is_given_once_it_is_whole_and_only_once() {
        let path = std::env::temp_dir().join(format!("journal-{}", std::process::id()));
        let mut journal = Journal::new(path.clone());
        assert_eq!(journal.news().expect("no file is no line"), "");
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(b"one\ntw").expect("a write");
        assert_eq!(journal.news().expect("a line"), "one\n");
        file.write_all(b"o\n").expect("a write");
        assert_eq!(journal.news().expect("a line"), "two\n");
        assert_eq!(journal.lines().expect("two lines"), 2);
        std::fs::remove_file(path).expect("our own file");
    }
}
