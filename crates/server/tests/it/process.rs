//! A broker process on free ports and a directory of its own, killed when it is dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The program under test.
pub fn millstream() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MILLSTREAM_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A directory that vanishes with its value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "millstream-it-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A broker that is ready.
pub struct Broker {
    child: Child,
    pub kafka: String,
    pub admin: String,
    pub line: String,
}

impl Broker {
    /// Starts a broker on free ports and waits for its line.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &["--kafka-listen", "127.0.0.1:0"])
    }

    pub fn start_with(data: &Path, flags: &[&str]) -> Self {
        Self::start_logging(data, flags, Stdio::inherit())
    }

    /// The same, with its log going elsewhere.
    pub fn start_logging(data: &Path, flags: &[&str], log: Stdio) -> Self {
        let mut child = millstream()
            .args(["serve", "--admin-listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("text");
        let between = |before: &str, after: &str| {
            let (_, rest) = line.split_once(before).expect("the line names the addresses");
            rest.split_once(after).expect("the line goes on").0.to_owned()
        };
        assert!(line.contains(" is ready: "), "the broker did not start: {line:?}");
        let kafka = between("Kafka on ", ", ");
        let admin = between("admin on http://", ", data in");
        Self {
            child,
            kafka,
            admin,
            line,
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .expect("kill is there");
        assert!(sent.success());
    }

    /// SIGTERM, then the end.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("it ends")
    }

    /// SIGKILL, then the end.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// GET over HTTP: the status line and the body.
    pub fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.admin).expect("the admin side listens");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n"
        )
        .expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        (
            head.lines().next().unwrap_or_default().to_owned(),
            body.to_owned(),
        )
    }

    /// Runs a command of the command line against this broker.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary starts")
    }

    /// As `run`, with an input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input).expect("it reads its input");
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = millstream();
        command.args(args).args(["--bootstrap", &self.kafka]);
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The standard output of a command that must have succeeded.
pub fn succeeded(output: Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The standard error of a command that must have failed with exit code 1, as one line.
pub fn failed(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "an error is one line: {error}");
    error
}
