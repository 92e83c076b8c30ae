//! What a TLS listener does with those whom it is not to serve: older versions, no TLS at all, certificates that are missing, strange or
//! expired, and sessions that were heard.

use crate::process::{Broker, Folder};
use crate::security::{Authority, secured, start};
use crate::wire::{Wire, connect, rest};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// Content types of records, and what an alert says (RFC 8446, sections 5.1 and 6).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Of a whole record.
const ALERT_BYTES: usize = 7;
const FATAL: u8 = 2;
const PROTOCOL_VERSION: u8 = 70;

/// The addresses of a broker's listeners, in their order.
fn addresses(broker: &Broker) -> Vec<String> {
    let (_, shown) = broker.line.split_once("Kafka on ").expect("the line names them");
    let (shown, _) = shown.split_once(", admin on").expect("the line goes on");
    shown
        .split(", ")
        .map(|one| {
            one.rsplit_once("://")
                .map_or(one, |(_, address)| address)
                .to_owned()
        })
        .collect()
}

/// The first message of a client that speaks nothing newer than `version`, as a record.
fn client_hello(version: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    // ECDHE with ECDSA and AES, with the hash of TLS 1.2 and with that of its predecessors; RSA for those.
    let suites = [0xc02b_u16, 0xc02f, 0xc009, 0xc00a, 0xc013, 0x002f];
    body.extend((2 * suites.len() as u16).to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    let extensions: &[(u16, &[u8])] = &[
        (10, &[0, 4, 0, 29, 0, 23]), // groups: x25519, secp256r1
        (11, &[1, 0]),               // points: uncompressed
        (13, &[0, 4, 4, 3, 8, 4]),   // signatures: ECDSA and RSA-PSS with SHA-256
        (23, &[]),                   // extended master secret
    ];
    let encoded: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, bytes)| {
            let head = [kind.to_be_bytes(), (bytes.len() as u16).to_be_bytes()].concat();
            [head, bytes.to_vec()].concat()
        })
        .collect();
    body.extend((encoded.len() as u16).to_be_bytes());
    body.extend(encoded);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

#[test]
fn a_client_that_speaks_only_older_versions_is_told_so_and_closed() {
    let folder = Folder::new();
    secured(&folder);
    let broker = start(&folder, "SASL_SSL", &[]);
    // SSL 3.0, TLS 1.0, TLS 1.1.
    for version in [0x0300, 0x0301, 0x0302] {
        let mut stream = connect(&addresses(&broker)[0]);
        stream.write_all(&client_hello(version)).expect("it is connected");
        let answer = rest(&mut stream).expect("it closes");
        assert_eq!(
            (answer.first(), answer.get(5..)),
            (Some(&ALERT), Some(&[FATAL, PROTOCOL_VERSION][..])),
            "{version:#06x}: {answer:?}"
        );
    }
    // Who could speak 1.3 and was made to say less by somebody between finds it marked in the answer (RFC 8446, section 4.1.3).
    let mut stream = connect(&addresses(&broker)[0]);
    stream.write_all(&client_hello(0x0303)).expect("it is connected");
    let mut answer = [0; 43];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!((answer[0], answer[5]), (HANDSHAKE, 2), "the server's hello");
    assert_eq!(&answer[35..43], b"DOWNGRD\x01");
}

#[test]
fn a_listener_of_the_newest_version_refuses_the_one_before() {
    let folder = Folder::new();
    let authority = secured(&folder);
    let broker = start(&folder, "SSL", &["--tls-min-version", "1.3"]);
    let address = &addresses(&broker)[0];
    let client = |version| ask_over(address, &config(&authority.pem, None, &[version]));
    assert!(client(&rustls::version::TLS12).is_err());
    client(&rustls::version::TLS13).expect("it is served");
}

#[test]
fn plaintext_and_tls_on_each_others_listener_are_closed_without_an_answer() {
    let folder = Folder::new();
    let authority = secured(&folder);
    let broker = start(&folder, "SSL", &["--kafka-listen", "PLAINTEXT://127.0.0.1:0"]);
    let addresses = addresses(&broker);
    let (encrypted, plain) = (&addresses[0], &addresses[1]);
    let mut client = Wire::connect(encrypted);
    client.ask_for_versions().expect("it is connected");
    let answer = rest(&mut client.into_stream()).expect("it closes");
    let is_alert = answer.first() == Some(&ALERT) && answer.len() == ALERT_BYTES;
    assert!(answer.is_empty() || is_alert, "no answer: {answer:?}");
    let mut client = connect(plain);
    client.write_all(&client_hello(0x0303)).expect("it is connected");
    assert_eq!(rest(&mut client).expect("it closes"), b"");
    // Both say why, for who looks; and both serve those who speak as they do.
    Wire::connect(plain).versions().expect("an answer");
    ask_over(encrypted, &config(&authority.pem, None, BOTH)).expect("an answer");
    let log = std::fs::read_to_string(folder.path().join("log")).expect("a log");
    assert!(log.contains("the peer speaks TLS"), "the mistake is named");
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];

/// A certificate with its key, as PEM.
struct Shown {
    chain: String,
    key: String,
}

fn config(
    ca: &str,
    shown: Option<&Shown>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("a certificate"))
        .expect("an authority");
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(versions)
        .expect("versions that the provider has")
        .with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some(shown) => {
            let chain = CertificateDer::from_pem_slice(shown.chain.as_bytes()).expect("a certificate");
            let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![chain], key).expect("they fit")
        }
    };
    Arc::new(config)
}

/// A stream that remembers what was written.
struct Tap {
    stream: TcpStream,
    written: Vec<u8>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.written.extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

type Encrypted = StreamOwned<ClientConnection, Tap>;

/// Connects, and asks for the versions: with TLS 1.3 only the answer shows that the certificate was taken.
fn ask_over(address: &str, config: &Arc<ClientConfig>) -> io::Result<Encrypted> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(config.clone(), name).expect("a configuration");
    let tap = Tap {
        stream: connect(address),
        written: Vec::new(),
    };
    let mut wire = Wire::over(StreamOwned::new(connection, tap));
    wire.versions()?;
    Ok(wire.into_stream())
}

/// A broker that serves only who shows a certificate.
fn mutual(folder: &Folder) -> (Authority, Broker, String) {
    let authority = secured(folder);
    let broker = start(folder, "SSL", &["--tls-client-auth", "required"]);
    let address = addresses(&broker).remove(0);
    (authority, broker, address)
}

fn shown(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let (chain, key) = authority.signed("alice", change);
    Shown { chain, key }
}

#[test]
fn only_a_certificate_of_the_authority_that_holds_now_and_is_a_clients_connects() {
    let folder = Folder::new();
    let (authority, _broker, address) = mutual(&folder);
    let by = |shown: Option<&Shown>| {
        let versions: [&[&SupportedProtocolVersion]; 2] = [&BOTH[..1], &BOTH[1..]];
        versions.map(|versions| ask_over(&address, &config(&authority.pem, shown, versions)).is_ok())
    };
    assert_eq!(by(Some(&shown(&authority, |_| {}))), [true, true]);
    assert_eq!(by(None), [false, false], "without a certificate");
    let strange = shown(&Authority::new(), |_| {});
    assert_eq!(by(Some(&strange)), [false, false], "of another authority");
    let expired = shown(&authority, |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    assert_eq!(by(Some(&expired)), [false, false], "expired");
    let early = shown(&authority, |params| params.not_before = date_time_ymd(2200, 1, 1));
    assert_eq!(by(Some(&early)), [false, false], "not yet");
    let of_a_server = shown(&authority, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(by(Some(&of_a_server)), [false, false], "stolen from a server");
    let itself = authority.own();
    let itself = Shown {
        chain: itself.0,
        key: itself.1,
    };
    assert_eq!(
        by(Some(&itself)),
        [false, false],
        "the authority's own is no client's"
    );
}

/// The broker's own count of handshakes that failed, once it is `wanted`: it counts after the peer has seen the end.
fn counted(broker: &Broker, wanted: u64) -> bool {
    let line = format!("millstream_failed_tls_handshakes_total {wanted}.0");
    let mut looks = 0..1_000;
    looks.any(|_| broker.get("/metrics").1.lines().any(|found| found == line))
}

/// Whoever guesses at certificates was seen in the log alone, and by no number that raises an alarm.
#[test]
fn a_handshake_that_fails_is_counted_and_a_probe_that_leaves_is_not() {
    let folder = Folder::new();
    let (authority, broker, address) = mutual(&folder);
    assert!(counted(&broker, 0));
    let without = config(&authority.pem, None, BOTH);
    assert!(ask_over(&address, &without).is_err());
    assert!(counted(&broker, 1), "no certificate");
    drop(connect(&address));
    let mut stream = connect(&address);
    stream.write_all(&client_hello(0x0301)).expect("it is connected");
    rest(&mut stream).expect("it closes");
    assert!(counted(&broker, 2), "too old a version, and not who left");
    ask_over(
        &address,
        &config(&authority.pem, Some(&shown(&authority, |_| {})), BOTH),
    )
    .expect("it is served");
    assert!(counted(&broker, 2));
}

/// How many requests the broker has answered, by its own numbers.
fn answered(broker: &Broker) -> Vec<String> {
    let (_, metrics) = broker.get("/metrics");
    let lines = metrics.lines();
    lines
        .filter(|line| {
            line.starts_with("millstream_request") && line.contains("ApiVersions") && line.contains("_count")
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_session_that_was_heard_is_worth_nothing_when_it_is_sent_again() {
    let folder = Folder::new();
    let (authority, broker, address) = mutual(&folder);
    let alice = shown(&authority, |_| {});
    for version in BOTH {
        let session = ask_over(&address, &config(&authority.pem, Some(&alice), &[*version]));
        let heard = session.expect("alice is served").sock.written;
        let before = answered(&broker);
        assert!(!before.is_empty(), "the numbers are there");
        let mut thief = connect(&address);
        // It may be closed before everything was said.
        let _ = thief.write_all(&heard);
        rest(&mut thief).expect("it closes");
        assert_eq!(answered(&broker), before, "{version:?}: nothing was answered");
    }
}

#[test]
fn who_is_known_by_a_certificate_shows_it_on_every_connection() {
    let folder = Folder::new();
    let (authority, _broker, address) = mutual(&folder);
    let alice = shown(&authority, |_| {});
    for version in BOTH {
        // One configuration, which remembers sessions that the broker would take up again.
        let config = config(&authority.pem, Some(&alice), &[*version]);
        for _ in 0..3 {
            let session = ask_over(&address, &config).expect("alice is served");
            assert_eq!(
                session.conn.handshake_kind(),
                Some(HandshakeKind::Full),
                "{version:?}"
            );
        }
    }
}
