//! How Millstream is found and started.

use super::Site;
use crate::shell::root;
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

/// The binary that was built last, be it of a debug or of a release build.
pub fn newest_binary() -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built = ["release", "debug"]
        .map(|profile| target.join(profile).join("millstream"))
        .into_iter()
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max();
    match built {
        Some((_, path)) => Ok(path),
        None => bail!("no broker is built; run `cargo build --release` first"),
    }
}
