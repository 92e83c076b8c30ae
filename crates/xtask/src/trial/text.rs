//! Real text that every development machine has: documentation, manual pages, licences, sources. Gathered once into one
//! file and read again and again until there is enough.

use crate::shell::{root, step};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where text lies on a Debian machine with Rust and Python.
const FOLDERS: &[&str] = &[
    "/usr/share/common-licenses",
    "/usr/share/doc",
    "/usr/share/man",
    "/usr/share/perl",
    "/usr/lib/python3",
    "/usr/lib/python3.11",
    "/usr/lib/python3.12",
    "/usr/lib/python3.13",
];

/// Endings of text; files without an ending (licences, READMEs) count as text, too.
const ENDINGS: &[&str] = &[
    "txt",
    "md",
    "rst",
    "html",
    "py",
    "pl",
    "pm",
    "pod",
    "rs",
    "toml",
    "c",
    "h",
    "json",
    "xml",
    "copyright",
    "gz",
];

/// Text beyond this repeats itself anyway.
const UNIQUE_BYTES_MAX: u64 = 256 << 20;

/// Larger files are data, not something that a person wrote.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A line longer than this is broken: brokers refuse records of more than a mebibyte.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Compressed files given to one process.
const GZIP_BATCH: usize = 256;

/// A file with at least `bytes` of text, or with all that this machine has if that is less.
pub fn gather(bytes: u64) -> anyhow::Result<PathBuf> {
    let wanted = bytes.min(UNIQUE_BYTES_MAX);
    let path = root().join(format!(".cache/trial/text-{wanted}"));
    if path.exists() {
        return Ok(path);
    }
    let partial = path.with_extension("partial");
    let out = crate::process::create(&partial)?;
    step("gather text", || fill(BufWriter::new(out), wanted))?;
    std::fs::rename(&partial, &path).context("cannot rename the text")?;
    Ok(path)
}

fn fill(mut out: BufWriter<File>, wanted: u64) -> anyhow::Result<()> {
    let mut written = 0;
    let mut compressed = Vec::new();
    for file in files()? {
        if written >= wanted {
            break;
        }
        if file.extension().is_some_and(|ending| ending == "gz") {
            compressed.push(file);
            if compressed.len() == GZIP_BATCH {
                written += unpack(&std::mem::take(&mut compressed), &mut out)?;
            }
        } else {
            // A file that only others may read is not for us.
            let Ok(opened) = File::open(&file) else { continue };
            written += copy_lines(BufReader::new(opened), &mut out)?;
        }
    }
    if written < wanted && !compressed.is_empty() {
        written += unpack(&compressed, &mut out)?;
    }
    if written == 0 {
        bail!("no text in {}", FOLDERS.join(", "));
    }
    out.flush().context("cannot write the text")
}

fn unpack(files: &[PathBuf], out: &mut impl Write) -> anyhow::Result<u64> {
    let mut child = Command::new("gzip")
        .arg("-dc")
        .args(files)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start gzip")?;
    let pipe = child.stdout.take().expect("stdout is piped");
    let written = copy_lines(BufReader::new(pipe), out)?;
    // A damaged file among them is no reason to have no text.
    child.wait().context("cannot reap gzip")?;
    Ok(written)
}

fn copy_lines(mut input: impl BufRead, out: &mut impl Write) -> anyhow::Result<u64> {
    let mut written = 0;
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        for part in line.chunks(LINE_BYTES_MAX) {
            out.write_all(part)?;
            out.write_all(b"\n")?;
            written += part.len() as u64 + 1;
        }
        if line.is_empty() {
            out.write_all(b"\n")?;
            written += 1;
        }
    }
    Ok(written)
}

/// Reads one line without its newline; false at the end.
pub fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> anyhow::Result<bool> {
    line.clear();
    let got = input.read_until(b'\n', line).context("cannot read the text")?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(got > 0)
}

/// Every text file, in an order that is the same on every run.
fn files() -> anyhow::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    folders.extend(cargo_sources());
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            // Of the entry itself: a link may lead in a circle.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_text(&entry.path()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn cargo_sources() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("registry/src"))
}

fn is_text(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let named = ending.is_none_or(|ending| ENDINGS.contains(&ending));
    named
        && path
            .metadata()
            .is_ok_and(|file| (1..FILE_BYTES_MAX).contains(&file.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_empty_ones_kept() {
        let text = [b"a\n\n".to_vec(), vec![b'x'; LINE_BYTES_MAX + 1]].concat();
        let mut out = Vec::new();
        let written = copy_lines(text.as_slice(), &mut out).expect("memory does not fail");
        assert_eq!(written, out.len() as u64);
        let lines: Vec<usize> = out.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert_eq!(lines, [1, 0, LINE_BYTES_MAX, 1, 0]);
    }
}
