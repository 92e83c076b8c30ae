//! Brings the stock clients onto this machine: pinned by the manifests under `tests/clients/`, kept under `.cache/`.
//!
//! Every step leaves a stamp with the text of its manifest; a step whose stamp is current costs nothing, so that
//! the second run needs no network.

use crate::shell::{root, run, step};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DEPENDENCY_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Where everything that is downloaded or built from downloads lies.
pub fn cache() -> PathBuf {
    root().join(".cache")
}

/// The sources and manifests of the suite.
pub fn sources() -> PathBuf {
    root().join("tests/clients")
}

/// Kafka's jars.
pub fn kafka_library() -> PathBuf {
    cache().join("kafka/lib")
}

/// Kafka's jars as the JVM takes them.
pub fn kafka_classpath() -> String {
    format!("{}/*", kafka_library().display())
}

/// Our compiled Java programs.
pub fn java_classes() -> PathBuf {
    cache().join("clients/java")
}

/// The Python that has the stock clients.
pub fn python() -> PathBuf {
    cache().join("clients/venv/bin/python")
}

/// The directory that Node looks for packages in.
pub fn node_modules() -> PathBuf {
    cache().join("clients/node/node_modules")
}

/// A compiled program of the suite, in Go or C.
pub fn binary(name: &str) -> PathBuf {
    cache().join("clients/bin").join(name)
}

/// Apache Kafka: broker, tools and Java client.
pub fn kafka() -> anyhow::Result<()> {
    need(&["java", "mvn"], "openjdk-17-jdk-headless maven")?;
    let pom = sources().join("java/pom.xml");
    stamped("kafka", std::slice::from_ref(&pom), || {
        let library = kafka_library();
        remove(&library)?;
        run(quiet("mvn")
            .args(["-q", "-B", "-f"])
            .arg(&pom)
            .arg(DEPENDENCY_PLUGIN)
            .arg("-DincludeScope=runtime")
            .arg(format!("-DoutputDirectory={}", library.display())))
    })
}

/// Our Java program for kafka-clients.
pub fn java_program() -> anyhow::Result<()> {
    need(&["javac"], "openjdk-17-jdk-headless")?;
    let sources = files(&sources().join("java/src"), "java")?;
    let inputs = [sources.clone(), vec![self::sources().join("java/pom.xml")]].concat();
    stamped("java", &inputs, || {
        run(quiet("javac")
            .arg("-d")
            .arg(java_classes())
            .args(["-cp", &kafka_classpath()])
            .args(&sources))
    })
}

/// confluent-kafka, kafka-python and aiokafka, in a virtual environment.
pub fn python_clients() -> anyhow::Result<()> {
    python_packages(
        "python",
        &cache().join("clients/venv"),
        &sources().join("python/requirements.txt"),
    )
}

/// The Python that has a server that speaks S3.
pub fn s3_python() -> PathBuf {
    cache().join("s3/venv/bin/python")
}

/// A server that speaks S3, in a virtual environment.
pub fn s3_server() -> anyhow::Result<()> {
    python_packages(
        "s3",
        &cache().join("s3/venv"),
        &root().join("tests/s3/requirements.txt"),
    )
}

/// A fresh virtual environment with what a manifest names.
pub fn python_packages(name: &str, venv: &Path, manifest: &Path) -> anyhow::Result<()> {
    need(&["python3"], "python3-venv")?;
    stamped(name, &[manifest.to_path_buf()], || {
        remove(venv)?;
        run(quiet("python3").args(["-m", "venv"]).arg(venv))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ];
        run(quiet(venv.join("bin/python")).args(pip).arg(manifest))
    })
}

/// kafkajs and its codecs.
pub fn node_clients() -> anyhow::Result<()> {
    need(&["node", "npm"], "nodejs npm")?;
    let manifests = ["package.json", "package-lock.json"].map(|name| sources().join("node").join(name));
    stamped("node", &manifests, || {
        let folder = cache().join("clients/node");
        remove(&folder)?;
        std::fs::create_dir_all(&folder)?;
        for manifest in &manifests {
            let name = manifest.file_name().expect("manifests are files");
            std::fs::copy(manifest, folder.join(name)).context("cannot copy a manifest")?;
        }
        run(quiet("npm").args(["ci", "--silent"]).current_dir(&folder))
    })
}

/// Sarama and franz-go. Always built: Go itself knows what is current.
pub fn go_clients() -> anyhow::Result<()> {
    need(&["go"], "golang")?;
    let target = cache().join("clients/bin");
    std::fs::create_dir_all(&target)?;
    run(quiet("go")
        .args(["build", "-o"])
        .arg(target)
        .arg("./cmd/...")
        .current_dir(sources().join("go")))
}

/// The version in the name of the broker's jar.
pub fn kafka_version() -> String {
    let jars = std::fs::read_dir(kafka_library()).into_iter().flatten().flatten();
    jars.filter_map(|entry| entry.file_name().into_string().ok())
        .find_map(|name| {
            let version = name.strip_prefix("kafka_2.13-")?.strip_suffix(".jar")?;
            Some(version.to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

/// kcat, from the system's packages.
pub fn kcat() -> anyhow::Result<()> {
    if !has("kcat") {
        apt_install("kcat")?;
    }
    Ok(())
}

/// The load generator of the benchmark, in C on the system's librdkafka.
pub fn load_program() -> anyhow::Result<()> {
    librdkafka()?;
    c_program("load")
}

/// The programs of the trials, in C on the system's librdkafka.
pub fn trial_programs() -> anyhow::Result<()> {
    librdkafka()?;
    c_program("lines")?;
    c_program("sequence")
}

fn librdkafka() -> anyhow::Result<()> {
    need(&["cc"], "gcc libc6-dev")?;
    if !Path::new("/usr/include/librdkafka/rdkafka.h").exists() {
        apt_install("librdkafka-dev")?;
    }
    Ok(())
}

fn c_program(name: &str) -> anyhow::Result<()> {
    let folder = sources().join("c");
    let source = folder.join(format!("{name}.c"));
    stamped(name, &[source.clone(), folder.join("client.h")], || {
        std::fs::create_dir_all(cache().join("clients/bin"))?;
        run(quiet("cc")
            .args(["-O2", "-Wall", "-Wextra", "-o"])
            .arg(binary(name))
            .arg(&source)
            .args(["-lrdkafka", "-lpthread"]))
    })
}

/// Installs one of Debian's packages; needs root.
pub fn apt_install(package: &str) -> anyhow::Result<()> {
    step(&format!("apt-get install {package}"), || {
        run(quiet("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args([
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
            package,
        ]))
    })
    .with_context(|| format!("install the package {package} by hand, or run this as root"))?;
    Ok(())
}

/// Whether a program is on the path.
pub fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// An error that names the packages when a program is missing.
pub fn need(programs: &[&str], packages: &str) -> anyhow::Result<()> {
    match programs.iter().find(|program| !has(program)) {
        None => Ok(()),
        Some(missing) => bail!("`{missing}` is not installed; on Debian: apt-get install {packages}"),
    }
}

/// A command that reads nothing from the terminal.
pub fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Removes a folder, if it is there.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn files(folder: &Path, suffix: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == suffix) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs `work` unless the stamp `name` holds the present text of every input.
pub fn stamped(
    name: &str,
    inputs: &[PathBuf],
    work: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut wanted = String::new();
    for input in inputs {
        wanted +=
            &std::fs::read_to_string(input).with_context(|| format!("cannot read {}", input.display()))?;
    }
    let stamp = cache().join("stamps").join(name);
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    // A step that is cut short must run again.
    let _ = std::fs::remove_file(&stamp);
    step(&format!("install: {name}"), work)?;
    crate::process::create(&stamp)?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
