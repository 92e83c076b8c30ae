//! Stock clients against a broker that asks who they are: certificates, users and rules are made for the run, and thrown away.

use crate::brokers::{Peer, Site, free_ports};
use crate::installs;
use crate::process::run_bounded;
use crate::shell::output;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Each program ends by itself long before.
const PROGRAM_LIMIT: Duration = Duration::from_secs(430);

/// Users of the run; they exist nowhere else.
const USERS: &str = "admin:admin-secret\nalice:alice-secret\nbob:bob-secret\n";

/// One program, which drives one client or two against the listeners of the run.
struct Program {
    /// Of its log, and in the table.
    name: &'static str,
    install: fn() -> anyhow::Result<()>,
    command: fn() -> Command,
}

/// In their order: Python makes the topics and the rules.
const PROGRAMS: &[Program] = &[
    Program {
        name: "librdkafka and kafka-python",
        install: installs::python_clients,
        command: || {
            let mut command = Command::new(installs::python());
            command.arg(installs::sources().join("python/secured.py"));
            command
        },
    },
    Program {
        name: "kafka-clients",
        install: || installs::kafka().and_then(|()| installs::java_program()),
        command: || {
            let (ours, theirs) = (installs::java_classes(), installs::kafka_classpath());
            let mut command = Command::new("java");
            command.args(["-cp", &format!("{}:{theirs}", ours.display()), "Secured"]);
            command
        },
    },
    Program {
        name: "franz-go",
        install: installs::go_clients,
        command: || Command::new(installs::binary("secured-franz")),
    },
    Program {
        name: "Sarama",
        install: installs::go_clients,
        command: || Command::new(installs::binary("secured-sarama")),
    },
    Program {
        name: "kafkajs",
        install: installs::node_clients,
        command: || {
            let mut command = Command::new("node");
            command
                .arg(installs::sources().join("node/secured.js"))
                .env("NODE_PATH", installs::node_modules());
            command
        },
    },
];

/// Runs the programs and gives the section of docs/CLIENTS.md; the cases that fail are the error.
pub fn run(folder: &Path, binary: Option<PathBuf>) -> anyhow::Result<String> {
    for program in PROGRAMS {
        (program.install)()?;
    }
    let mut site = Site::prepare(Peer::Millstream, folder, None, binary)?;
    make_files(folder)?;
    let ports = free_ports()?;
    configure(&mut site, folder, ports);
    let broker = site.start()?;
    let mut table = SECTION.to_owned();
    let mut failed = Vec::new();
    for program in PROGRAMS {
        let mut command = (program.command)();
        command.arg(folder).args(ports.iter().map(u16::to_string));
        let log = folder.join(format!("{}.log", program.name));
        let finished = run_bounded(&mut command, PROGRAM_LIMIT, &log)?;
        let cases = finished
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("CASE "));
        let (passed, others): (Vec<&str>, Vec<&str>) = cases.partition(|line| line.ends_with(" ok"));
        println!("secured: {}: {} cases passed", program.name, passed.len());
        if !finished.succeeded() && others.is_empty() || passed.is_empty() {
            failed.push(format!("{} did not finish", program.name));
        }
        failed.extend(others.iter().map(|case| (*case).to_owned()));
        let names: Vec<&str> = passed.iter().map(|line| line.trim_end_matches(" ok")).collect();
        let row = format!("| {} | {} | {} |\n", program.name, names.len(), names.join(", "));
        table += &row;
    }
    broker.stop()?;
    if failed.is_empty() {
        return Ok(table);
    }
    bail!("secured: {}; see {}", failed.join(", "), folder.display());
}

/// What the section opens with.
const SECTION: &str = "## Secured listeners\n\n\
    Written by `cargo xtask clients --only secured --write`. One broker with the listeners SSL, SASL_PLAINTEXT and SASL_SSL, users, \
    certificates and access rules; each case writes a record and reads it back in a group, or is refused as it must be: a wrong \
    password, an expired token, a strange or missing certificate, a strange broker, a right that is missing.\n\n\
    | Client | Cases, all passed | Which |\n|---|---|---|\n";

fn configure(site: &mut Site, folder: &Path, ports: [u16; 3]) {
    let at = |name: &str| folder.join(name).display().to_string();
    for (kind, port) in ["SSL", "SASL_PLAINTEXT", "SASL_SSL"].iter().zip(ports) {
        site.set("kafka-listen", &format!("{kind}://127.0.0.1:{port}"));
    }
    let [ssl, plain, sasl] = ports;
    let advertised =
        format!("SSL://localhost:{ssl},SASL_PLAINTEXT://localhost:{plain},SASL_SSL://localhost:{sasl}");
    site.set("kafka-advertised", &advertised);
    site.set(
        "security-sasl-mechanisms",
        "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER",
    );
    site.set("security-scram-users-file", &at("users"));
    site.set("security-plain-users-file", &at("users"));
    site.set("security-token-key-file", &at("token.key"));
    site.set("tls-cert-file", &at("broker.pem"));
    site.set("tls-key-file", &at("broker.key"));
    site.set("tls-client-ca-file", &at("ca.pem"));
    site.set("tls-client-auth", "requested");
    site.set("tls-principal-mapping-rules", "RULE:^.*CN=([^,]+).*$/$1/");
    // The only signature that Python makes without another package is none.
    site.set("oauth-allow-unsecured", "true");
    site.set("set", "authorizer.class.name=StandardAuthorizer");
    site.set("set", "super.users=User:admin");
}

fn make_files(folder: &Path) -> anyhow::Result<()> {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("users", USERS)?;
    write("token.key", "the secret of this run\n")?;
    write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        output(command.current_dir(folder).args(arguments.split(' '))).map(drop)
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=Authority")?;
    // Of another authority: its own.
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout stranger.key -out stranger.pem -subj /CN=alice/O=Example",
    )?;
    for name in ["broker", "alice"] {
        let subject = format!("/CN={name}/O=Example");
        openssl(&format!(
            "req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj {subject}"
        ))?;
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
        ))?;
    }
    Ok(())
}
