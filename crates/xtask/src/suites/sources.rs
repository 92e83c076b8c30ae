//! Brings the suites onto this machine: pinned by the manifests under `tests/suites/`, from the registries' own clients,
//! kept under `.cache/suites/`. What stands in our files beside a suite (stubs, notes) is read here too.

use crate::installs::{self, cache, need, quiet, remove, stamped};
use crate::shell::{output, root, run};
use anyhow::{Context, anyhow};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The package that carries librdkafka's sources with its tests.
const LIBRDKAFKA_CARRIER: &str = "node_modules/@confluentinc/kafka-javascript";

/// Our files about a suite.
pub fn manifests(suite: &str) -> PathBuf {
    root().join("tests/suites").join(suite)
}

/// What a registry gave.
pub fn folder(suite: &str) -> PathBuf {
    cache().join("suites").join(suite)
}

/// Why a test fails, where somebody looked: `tests/suites/NAME.notes`, one line `TEST reason` each.
pub fn notes(suite: &str) -> BTreeMap<String, String> {
    let path = root().join("tests/suites").join(format!("{suite}.notes"));
    // Most suites have none.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs
        .map(|(test, reason)| (test.to_owned(), reason.to_owned()))
        .collect()
}

/// The version that a manifest names: what follows `key` on its line, without punctuation.
pub fn pinned(manifest: &Path, key: &str) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let found = text.lines().find_map(|line| {
        let (_, rest) = line.split_once(key)?;
        let begin = rest.find(|c: char| c.is_ascii_digit())?;
        let version = rest[begin..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        version.into_iter().next().map(str::to_owned)
    });
    found.ok_or_else(|| anyhow!("{} names no version of {key}", manifest.display()))
}

/// librdkafka's folder, with `tests/test-runner` once it is built.
pub fn librdkafka_folder() -> PathBuf {
    folder("librdkafka")
        .join(LIBRDKAFKA_CARRIER)
        .join("deps/librdkafka")
}

/// The manifest of the package that carries librdkafka; it names librdkafka's version.
pub fn librdkafka_carrier() -> PathBuf {
    folder("librdkafka").join(LIBRDKAFKA_CARRIER).join("package.json")
}

/// librdkafka and its tests, compiled.
pub fn librdkafka() -> anyhow::Result<()> {
    need(
        &["npm", "cc", "c++", "make"],
        "npm g++ make libssl-dev zlib1g-dev",
    )?;
    let inputs = ["package.json", "package-lock.json"].map(|name| manifests("librdkafka").join(name));
    stamped("suite-librdkafka", &inputs, || {
        if !Path::new("/usr/include/rapidjson").exists() {
            installs::apt_install("rapidjson-dev")?;
        }
        let target = folder("librdkafka");
        remove(&target)?;
        std::fs::create_dir_all(&target)?;
        for input in &inputs {
            std::fs::copy(
                input,
                target.join(input.file_name().expect("manifests are files")),
            )?;
        }
        // The carrier's own script would fetch and build what nobody needs here.
        run(quiet("npm")
            .args(["ci", "--ignore-scripts", "--silent"])
            .current_dir(&target))?;
        let sources = librdkafka_folder();
        run(quiet("./configure")
            .args(["--disable-sasl", "--disable-curl"])
            .current_dir(&sources))?;
        run(quiet("make").args(["-s", "-j2", "libs"]).current_dir(&sources))?;
        run(quiet("make")
            .args(["-s", "-j2", "-C", "tests", "test-runner"])
            .current_dir(&sources))
    })
}

/// A crate with its tests, as its registry has it, outside of every workspace and with no toolchain of its own. Of what
/// its lock file names, `newer` (name and version) is replaced: old versions that today's compiler refuses.
pub fn crate_sources(name: &str, newer: &[(&str, &str)]) -> anyhow::Result<()> {
    let manifest = manifests("rust").join("Cargo.toml");
    let lock = manifests("rust").join("Cargo.lock");
    stamped(&format!("suite-{name}"), &[manifest.clone(), lock], || {
        let target = folder(name);
        remove(&target)?;
        std::fs::create_dir_all(cache().join("suites"))?;
        run(quiet("cp")
            .arg("-r")
            .arg(registry_folder(&manifest, name)?)
            .arg(&target))?;
        let toolchain = target.join("rust-toolchain.toml");
        if toolchain.exists() {
            std::fs::remove_file(toolchain)?;
        }
        let cargo = target.join("Cargo.toml");
        let text = std::fs::read_to_string(&cargo)?;
        std::fs::write(&cargo, text + "\n[workspace]\n")
            .context("cannot cut the crate off from our workspace")?;
        for (dependency, version) in newer {
            let update = ["update", "--quiet", "-p", dependency, "--precise", version];
            run(crate::shell::cargo().args(update).current_dir(&target))?;
        }
        Ok(())
    })
}

/// Where Cargo keeps the sources of a dependency of a manifest.
fn registry_folder(manifest: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut command = crate::shell::cargo();
    command
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(manifest);
    let metadata: serde_json::Value = serde_json::from_str(&output(&mut command)?)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let found = packages.iter().find(|package| package["name"] == name);
    let path = found.and_then(|package| package["manifest_path"].as_str());
    let path = Path::new(path.with_context(|| format!("cargo metadata does not know {name}"))?);
    Ok(path
        .parent()
        .context("a manifest lies in a folder")?
        .to_path_buf())
}

/// The Python that has what kafka-python's tests import.
pub fn kafka_python_interpreter() -> PathBuf {
    folder("kafka-python").join("venv/bin/python")
}

/// The unpacked source archive of kafka-python.
pub fn kafka_python_sources() -> PathBuf {
    folder("kafka-python").join("sources")
}

/// kafka-python's source archive, completed by what it leaves out, and a Python for it.
pub fn kafka_python() -> anyhow::Result<()> {
    let ours = manifests("kafka-python");
    let venv = folder("kafka-python").join("venv");
    installs::python_packages("suite-kafka-python-venv", &venv, &ours.join("requirements.txt"))?;
    let inputs = ["version.txt", "service.py"].map(|name| ours.join(name));
    stamped("suite-kafka-python", &inputs, || {
        let target = kafka_python_sources();
        remove(&target)?;
        std::fs::create_dir_all(&target)?;
        let requirement = std::fs::read_to_string(&inputs[0])?;
        run(quiet(kafka_python_interpreter())
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
            ])
            .args(["--no-binary", "kafka-python", "--dest"])
            .arg(&target)
            .arg(requirement.trim()))?;
        let archive = std::fs::read_dir(&target)?
            .flatten()
            .next()
            .context("pip left no archive")?;
        run(quiet("tar")
            .args(["-xz", "--strip-components=1", "-f"])
            .arg(archive.path())
            .current_dir(&target))?;
        std::fs::copy(&inputs[1], target.join("test/service.py"))?;
        std::fs::write(target.join("test/__init__.py"), "").context("cannot make the tests a package")
    })
}

/// The compiled tests of franz-go's client.
pub fn franz_go_binary() -> PathBuf {
    folder("bin").join("kgo.test")
}

/// franz-go's client tests. Always built: Go itself knows what is current.
pub fn franz_go() -> anyhow::Result<()> {
    need(&["go"], "golang")?;
    std::fs::create_dir_all(folder("bin"))?;
    run(quiet("go")
        .args(["test", "-c", "-o"])
        .arg(franz_go_binary())
        .arg("github.com/twmb/franz-go/pkg/kgo")
        .current_dir(manifests("go")))
}

#[cfg(test)]
mod tests {
    use super::{manifests, pinned};

    #[test]
    fn versions_are_read_from_the_manifests() {
        for (suite, file, key) in [
            ("rust", "Cargo.toml", "rdkafka = "),
            ("rust", "Cargo.toml", "rskafka = "),
            ("go", "go.mod", "twmb/franz-go v"),
            ("kafka-python", "version.txt", "kafka-python=="),
            ("librdkafka", "package.json", "kafka-javascript"),
        ] {
            let version = pinned(&manifests(suite).join(file), key).expect("a version");
            assert!(version.split('.').count() >= 2, "{suite}: {version}");
        }
    }
}
