//! How Millstream is found and started.

use super::Site;
use crate::shell::{cargo, root, run};
use anyhow::bail;
use std::path::PathBuf;
use std::process::Command;

/// The broker's command: only what a user would type, so that the defaults are what is tested.
pub fn command(site: &Site) -> Command {
    let mut command = Command::new(&site.binary);
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(site.data())
        .args(["--kafka-listen", &format!("127.0.0.1:{}", site.kafka_port)])
        .args(["--admin-listen", &format!("127.0.0.1:{}", site.other_port)])
        .args(&site.arguments)
        .envs(site.environment.iter().copied());
    for (flag, value) in &site.settings {
        command.arg(flag).arg(value);
    }
    command
}

/// A release build of a program of the workspace, made now: what is measured is never a debug build, and never an old one.
pub fn release_binary(package: &str, name: &str) -> anyhow::Result<PathBuf> {
    run(cargo().args([
        "build",
        "--release",
        "--quiet",
        "--package",
        package,
        "--bin",
        name,
    ]))?;
    Ok(target().join("release").join(name))
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The binary that was built last, be it of a debug or of a release build: for tasks that test and do not measure.
pub fn newest_binary() -> anyhow::Result<PathBuf> {
    let built = ["release", "debug"]
        .map(|profile| target().join(profile).join("millstream"))
        .into_iter()
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max();
    match built {
        Some((_, path)) => Ok(path),
        None => bail!("no broker is built; run `cargo build --release` first"),
    }
}
