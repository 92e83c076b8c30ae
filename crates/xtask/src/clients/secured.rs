//! Stock clients against a broker that asks who they are: certificates, users and rules are made for the run, and thrown away.

use crate::brokers::{Peer, Site};
use crate::installs;
use crate::process::run_bounded;
use crate::shell::output;
use anyhow::{Context, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Each program ends by itself long before.
const PROGRAM_LIMIT: Duration = Duration::from_secs(240);

/// Users of the run; they exist nowhere else.
const USERS: &str = "admin:admin-secret\nalice:alice-secret\nbob:bob-secret\n";

/// Runs the programs; the first case that fails is the error.
pub fn run(folder: &Path, binary: Option<PathBuf>) -> anyhow::Result<()> {
    let mut site = Site::prepare(Peer::Millstream, folder, None, binary)?;
    make_files(folder)?;
    let ports = [free_port()?, free_port()?, free_port()?];
    configure(&mut site, folder, ports);
    let broker = site.start()?;
    let mut arguments = vec![folder.display().to_string()];
    arguments.extend(ports.iter().map(u16::to_string));
    let mut python = Command::new(installs::python());
    python
        .arg(installs::sources().join("python/secured.py"))
        .args(&arguments);
    let classes = format!(
        "{}:{}",
        installs::java_classes().display(),
        installs::kafka_classpath()
    );
    let mut java = Command::new("java");
    java.args(["-cp", &classes, "Secured"]).args(&arguments);
    // Java comes after Python, which makes the topics and rules.
    for (name, mut command) in [("python", python), ("java", java)] {
        let finished = run_bounded(&mut command, PROGRAM_LIMIT, &folder.join(format!("{name}.log")))?;
        let cases = finished.stdout.lines().filter(|line| line.starts_with("CASE "));
        let (passed, others): (Vec<&str>, Vec<&str>) = cases.partition(|line| line.ends_with(" ok"));
        println!("secured: {name}: {} cases passed", passed.len());
        if !finished.succeeded() || !others.is_empty() || passed.is_empty() {
            bail!("secured: {name}: {}; see {}", others.join(", "), folder.display());
        }
    }
    broker.stop()
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

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
