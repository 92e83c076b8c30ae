//! A broker that asks who its clients are, as the command line meets it: TLS, logins, certificates, files that change, and a log
//! without secrets.

use crate::process::{Broker, Folder, millstream};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// Passwords that must stand in no log.
pub const ADMIN: &str = "sesame-of-the-admin";
pub const ALICE: &str = "wonderland-of-alice";

/// An authority and what it has signed, below a directory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Writes NAME.pem and NAME.key.
    fn sign(&self, folder: &Path, name: &str) {
        let (certificate, key) = self.signed(name, |_| {});
        fs::write(folder.join(format!("{name}.key")), key).expect("written");
        fs::write(folder.join(format!("{name}.pem")), certificate).expect("written");
    }

    /// A certificate and its key as PEM, for what `change` makes of an ordinary one.
    pub fn signed(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, name);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Example");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        (certificate.pem(), key.serialize_pem())
    }

    /// Its own certificate and key as PEM.
    pub fn own(&self) -> (String, String) {
        (self.pem.clone(), self.issuer.key().serialize_pem())
    }
}

/// Files of a broker with TLS, and the users admin and alice.
pub fn secured(folder: &Folder) -> Authority {
    let path = folder.path();
    let authority = Authority::new();
    fs::write(path.join("ca.pem"), &authority.pem).expect("written");
    authority.sign(path, "broker");
    authority.sign(path, "alice");
    let users = format!("admin:{ADMIN}\nalice:{ALICE}\n");
    fs::write(path.join("users"), users).expect("written");
    authority
}

pub fn start(folder: &Folder, protocol: &str, more: &[&str]) -> Broker {
    let at = |name: &str| folder.path().join(name).display().to_string();
    let listen = format!("{protocol}://127.0.0.1:0");
    let (cert, key, ca, users) = (at("broker.pem"), at("broker.key"), at("ca.pem"), at("users"));
    let mut flags = vec![
        "--kafka-listen",
        &listen,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-client-ca-file",
        &ca,
        "--tls-client-auth",
        "requested",
        "--tls-principal-mapping-rules",
        "RULE:^.*CN=([^,]+).*$/$1/",
        "--security-scram-users-file",
        &users,
        "--security-plain-users-file",
        &users,
        "--security-sasl-mechanisms",
        "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        "--security-reload-interval",
        "100ms",
        "--trace-level",
        "trace",
        "--set",
        "authorizer.class.name=StandardAuthorizer",
        "--set",
        "super.users=User:admin",
    ];
    // What is given twice holds as the test gives it; a listener more is a listener more.
    let given = |flag: &&str| *flag != "--kafka-listen" && more.contains(flag);
    while let Some(at) = flags.iter().position(given) {
        flags.drain(at..at + 2);
    }
    flags.extend(more);
    let log = fs::File::create(folder.path().join("log")).expect("a file");
    Broker::start_logging(&folder.path().join("data"), &flags, Stdio::from(log))
}

fn address(broker: &Broker) -> String {
    let (_, address) = broker.kafka.split_once("://").expect("a protocol");
    address.to_owned()
}

/// `millstream topic ...` against the broker.
fn topic(broker: &Broker, password: Option<&str>, args: &[&str]) -> Output {
    let mut command = millstream();
    command.arg("topic").args(args).args(["-b", &address(broker)]);
    if let Some(password) = password {
        command.env("MILLSTREAM_PASSWORD", password);
    }
    command.output().expect("it runs")
}

fn complaint(output: &Output) -> String {
    assert!(
        !output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeds(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn path(folder: &Folder, name: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    path.display().to_string()
}

#[test]
fn logins_inside_tls_say_who_somebody_is_and_the_log_holds_no_secret() {
    let folder = Folder::new();
    secured(&folder);
    let broker = start(&folder, "SASL_SSL", &[]);
    let ca = path(&folder, "ca.pem");
    let as_user = |user: &'static str, more: &[&'static str]| {
        let mut args = vec!["--security-protocol", "SASL_SSL", "--username", user, "--ca"];
        args.push(Box::leak(ca.clone().into_boxed_str()));
        args.extend(more);
        args
    };
    let admin = as_user("admin", &[]);
    succeeds(&topic(
        &broker,
        Some(ADMIN),
        &[&["create", "secret"], &admin[..]].concat(),
    ));
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let args = as_user("admin", &["--sasl-mechanism", mechanism]);
        assert!(succeeds(&topic(&broker, Some(ADMIN), &[&["list"], &args[..]].concat())).contains("secret"));
        let args = as_user("alice", &["--sasl-mechanism", mechanism]);
        let listed = succeeds(&topic(&broker, Some(ALICE), &[&["list"], &args[..]].concat()));
        assert!(!listed.contains("secret"), "alice has no right: {listed}");
        let refused = complaint(&topic(
            &broker,
            Some(ALICE),
            &[&["create", "mine"], &args[..]].concat(),
        ));
        assert!(refused.contains("TOPIC_AUTHORIZATION_FAILED"), "{refused}");
        let wrong = "not-the-password-of-alice";
        let refused = complaint(&topic(&broker, Some(wrong), &[&["list"], &args[..]].concat()));
        assert!(
            refused.contains("SASL_AUTHENTICATION_FAILED") && !refused.contains(wrong),
            "{refused}"
        );
    }
    assert!(broker.stop().success());
    let log = fs::read_to_string(folder.path().join("log")).expect("a log");
    assert!(log.len() > 1000, "it was traced");
    for secret in [ADMIN, ALICE, "not-the-password-of-alice"] {
        assert!(!log.contains(secret), "a password stands in the log");
        assert!(
            !log.contains(&format!("{:?}", secret.as_bytes())),
            "a password stands in the log as bytes"
        );
    }
}

#[test]
fn who_does_not_speak_tls_or_trusts_another_authority_is_not_connected() {
    let folder = Folder::new();
    secured(&folder);
    let broker = start(&folder, "SASL_SSL", &[]);
    complaint(&topic(&broker, None, &["list"]));
    let other = Authority::new();
    fs::write(folder.path().join("other.pem"), &other.pem).expect("written");
    let other = path(&folder, "other.pem");
    let args = [
        "list",
        "--security-protocol",
        "SASL_SSL",
        "--username",
        "admin",
        "--ca",
        &other,
    ];
    let refused = complaint(&topic(&broker, Some(ADMIN), &args));
    assert!(
        refused.contains("certificate") || refused.contains("UnknownIssuer"),
        "{refused}"
    );
}

#[test]
fn a_certificate_says_who_its_bearer_is() {
    let folder = Folder::new();
    let authority = secured(&folder);
    authority.sign(folder.path(), "admin");
    let broker = start(&folder, "SSL", &[]);
    let by = |name: &str, args: &[&str]| {
        let (ca, cert, key) = (
            path(&folder, "ca.pem"),
            path(&folder, &format!("{name}.pem")),
            path(&folder, &format!("{name}.key")),
        );
        let security = [
            "--security-protocol",
            "SSL",
            "--ca",
            &ca,
            "--client-cert",
            &cert,
            "--client-key",
            &key,
        ];
        topic(&broker, None, &[args, &security[..]].concat())
    };
    succeeds(&by("admin", &["create", "mine"]));
    assert!(complaint(&by("alice", &["create", "hers"])).contains("AUTHORIZATION_FAILED"));
    // Signed by somebody else: the handshake fails, and nothing is asked.
    Authority::new().sign(folder.path(), "stranger");
    complaint(&by("stranger", &["list"]));
}

#[test]
fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let folder = Folder::new();
    secured(&folder);
    let broker = start(&folder, "SASL_SSL", &[]);
    let list = |ca: &str| {
        let ca = path(&folder, ca);
        let args = [
            "list",
            "--security-protocol",
            "SASL_SSL",
            "--username",
            "admin",
            "--ca",
            &ca,
        ];
        topic(&broker, Some(ADMIN), &args)
    };
    succeeds(&list("ca.pem"));
    let log = || fs::read_to_string(folder.path().join("log")).expect("a log");
    fs::write(folder.path().join("broker.pem"), "no certificate").expect("written");
    while !log().contains("what was read before holds on") {
        std::thread::yield_now();
    }
    succeeds(&list("ca.pem"));
    let next = Authority::new();
    fs::write(folder.path().join("next.pem"), &next.pem).expect("written");
    next.sign(folder.path(), "broker");
    while !log().contains("read anew") {
        std::thread::yield_now();
    }
    succeeds(&list("next.pem"));
    complaint(&list("ca.pem"));
}
