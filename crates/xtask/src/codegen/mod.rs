//! `cargo xtask codegen`: from the schema tables of kafka-wire to its committed Rust files.
//!
//! Owns crates/kafka-wire/src/generated, whole: what it did not write there is removed. The result depends on the tables and on
//! rustfmt only; a test compares it with what is committed.

mod arbitrary;
mod emit;
mod errors;
mod parse;
mod registry;
mod rust;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// File names below `generated`, and what stands in them.
type Files = BTreeMap<PathBuf, String>;

/// Writes the generated files.
pub fn write() -> Result<(), String> {
    let wanted = generate()?;
    let root = wire_dir().join("src/generated");
    for stale in committed(&root)?
        .keys()
        .filter(|path| !wanted.contains_key(*path))
    {
        fs::remove_file(root.join(stale)).map_err(|error| format!("{}: {error}", stale.display()))?;
    }
    for (path, text) in &wanted {
        let path = root.join(path);
        let folder = path.parent().expect("a file below a folder");
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Fails when the committed files are not what the tables give.
pub fn check() -> Result<(), String> {
    let wanted = generate()?;
    let found = committed(&wire_dir().join("src/generated"))?;
    let missing = wanted
        .iter()
        .filter(|(path, text)| found.get(*path) != Some(text))
        .map(|(path, _)| path);
    let stale = found.keys().filter(|path| !wanted.contains_key(*path));
    let wrong: Vec<String> = missing
        .chain(stale)
        .map(|path| path.display().to_string())
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "run `cargo xtask codegen`; these differ: {}",
            wrong.join(", ")
        ))
    }
}

fn wire_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../kafka-wire")
}

fn generate() -> Result<Files, String> {
    let tables = tables()?;
    let mut files = Files::new();
    files.insert("mod.rs".into(), registry::modules(&tables));
    files.insert("api_key.rs".into(), registry::api_key(&tables));
    files.insert("arbitrary/mod.rs".into(), arbitrary::modules(&tables));
    let errors = wire_dir().join("schema/error_codes.txt");
    let text = fs::read_to_string(&errors).map_err(|error| format!("{}: {error}", errors.display()))?;
    files.insert("error_code.rs".into(), errors::emit(&errors::parse(&text)?));
    for table in &tables {
        let file = format!("{}.rs", rust::snake(&table.name));
        files.insert(Path::new("arbitrary").join(&file), arbitrary::table(table));
        files.insert(file.into(), emit::table(table));
    }
    for (path, text) in &mut files {
        *text = rustfmt(text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(files)
}

/// All tables, in the order of their names.
fn tables() -> Result<Vec<schema::Table>, String> {
    let folder = wire_dir().join("schema");
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|extension| extension == "ws") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut tables = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).map_err(fault)?;
        tables.push(parse::parse(&name, &text)?);
    }
    Ok(tables)
}

fn committed(root: &Path) -> Result<Files, String> {
    let mut files = Files::new();
    for folder in ["", "arbitrary"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_file() {
                let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
                let name = path.file_name().expect("a file has a name");
                files.insert(Path::new(folder).join(name), text);
            }
        }
    }
    Ok(files)
}

/// Formats with the workspace's rustfmt.toml, found from the folder that it runs in.
fn rustfmt(text: &str) -> Result<String, String> {
    let fault = |error: std::io::Error| format!("rustfmt: {error}");
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(wire_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    // rustfmt reads everything before it writes, so that this cannot block on a full pipe.
    child
        .stdin
        .take()
        .expect("piped above")
        .write_all(text.as_bytes())
        .map_err(fault)?;
    let output = child.wait_with_output().map_err(fault)?;
    if !output.status.success() {
        return Err("rustfmt refused it".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
