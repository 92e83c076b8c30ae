//! Keys of OAUTHBEARER by URL: fetched at start, exchanged when their owner exchanges them, and kept when the owner is away, slow or
//! talks nonsense.

use crate::process::{Broker, Folder};
use crate::signer::{Signer, key_set};
use crate::wire::Wire;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

/// Kafka's SASL_AUTHENTICATION_FAILED.
const FAILED: i16 = 58;

/// What the server of keys does with whoever asks.
#[derive(Clone)]
enum Manner {
    /// Answers with this body.
    Serve(String),
    /// Answers with a status that is none of success.
    Fail,
    /// Sends whoever asks elsewhere, for ever.
    SendAround,
    /// Takes the request and says nothing.
    Hang,
    /// Answers without an end.
    Flood,
}

/// A server of keys on this machine.
struct Keys {
    port: u16,
    manner: Arc<Mutex<Manner>>,
}

impl Keys {
    fn start(manner: Manner) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").expect("a port"), manner)
    }

    fn listen(listener: TcpListener, manner: Manner) -> Self {
        let port = listener.local_addr().expect("it is bound").port();
        let manner = Arc::new(Mutex::new(manner));
        let shared = manner.clone();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                let manner = shared.lock().expect("no panic holds it").clone();
                if let Some(stream) = answer(stream, &manner) {
                    held.push(stream);
                }
            }
        });
        Self { port, manner }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    fn turn(&self, manner: Manner) {
        *self.manner.lock().expect("no panic holds it") = manner;
    }
}

/// Answers one request; gives the stream back where it is to stay open.
fn answer(mut stream: TcpStream, manner: &Manner) -> Option<TcpStream> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let written = match manner {
        Manner::Serve(body) => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
        Manner::Fail => write!(
            stream,
            "HTTP/1.1 503 Away\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Manner::SendAround => write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /keys\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Manner::Hang => return Some(stream),
        Manner::Flood => {
            let begun = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{{\"keys\":[");
            // Ends when the broker has had enough.
            begun.and_then(|()| {
                std::iter::repeat_with(|| stream.write_all(&[b' '; 65_536]))
                    .find(Result::is_err)
                    .unwrap_or(Ok(()))
            })
        }
    };
    // The broker may hang up first: that is its right.
    drop(written);
    None
}

fn start(folder: &Folder, url: &str, interval: &str) -> Broker {
    let log = fs::File::create(folder.path().join("log")).expect("a file");
    let flags = [
        "--kafka-listen",
        "SASL_PLAINTEXT://127.0.0.1:0",
        "--security-sasl-mechanisms",
        "OAUTHBEARER",
        "--oauth-jwks-url",
        url,
        "--oauth-refresh-interval",
        interval,
        "--security-failed-login-delay",
        "0s",
    ];
    Broker::start_logging(&folder.path().join("data"), &flags, Stdio::from(log))
}

fn login(broker: &Broker, token: &str) -> i16 {
    let (_, address) = broker.kafka.split_once("://").expect("a protocol");
    Wire::connect(address).bearer(token)
}

/// Waits until the log says something once more than before.
fn said_again(folder: &Folder, what: &str, before: usize) -> usize {
    loop {
        let times = times_said(folder, what);
        if times > before {
            return times;
        }
        thread::yield_now();
    }
}

fn times_said(folder: &Folder, what: &str) -> usize {
    let log = fs::read_to_string(folder.path().join("log")).expect("a log");
    log.matches(what).count()
}

const FETCHED: &str = "oauth.jwks_url: fetched";
const KEPT: &str = "oauth.jwks_url: what was fetched before holds on";

#[test]
fn keys_that_are_exchanged_hold_from_the_first_token_on_and_the_old_ones_no_more() {
    let folder = Folder::new();
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let keys = Keys::start(Manner::Serve(key_set(&[&old])));
    // The next regular fetch is far away.
    let broker = start(&folder, &keys.url(), "1h");
    said_again(&folder, FETCHED, 0);
    assert_eq!(login(&broker, &old.token("alice")), 0);
    let strange = Signer::new("old");
    assert_eq!(
        login(&broker, &strange.token("alice")),
        FAILED,
        "another key of the same name"
    );
    keys.turn(Manner::Serve(key_set(&[&new])));
    // A token by a key that is not in the set has it fetched.
    while login(&broker, &new.token("alice")) == FAILED {
        thread::yield_now();
    }
    assert_eq!(login(&broker, &old.token("alice")), FAILED);
    assert_eq!(
        times_said(&folder, FETCHED),
        2,
        "once at start, and once for the new key"
    );
}

#[test]
fn a_broker_starts_without_its_keys_and_takes_them_when_they_come() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/keys", listener.local_addr().expect("it is bound"));
    let port = listener.local_addr().expect("it is bound");
    drop(listener);
    let broker = start(&folder, &url, "1s");
    said_again(&folder, KEPT, 0);
    let signer = Signer::new("k");
    assert_eq!(login(&broker, &signer.token("alice")), FAILED);
    let listener = TcpListener::bind(port).expect("the port is free again");
    let _keys = Keys::listen(listener, Manner::Serve(key_set(&[&signer])));
    said_again(&folder, FETCHED, 0);
    assert_eq!(login(&broker, &signer.token("alice")), 0);
}

#[test]
fn keys_hold_on_while_their_owner_fails_floods_or_talks_nonsense() {
    let folder = Folder::new();
    let signer = Signer::new("k");
    let keys = Keys::start(Manner::Serve(key_set(&[&signer])));
    let broker = start(&folder, &keys.url(), "1s");
    said_again(&folder, FETCHED, 0);
    let many = vec![&signer; 257];
    for (manner, complaint) in [
        (Manner::Fail, "503"),
        (Manner::SendAround, "redirect"),
        (Manner::Flood, "the answer is too large"),
        (Manner::Serve("<html>".to_owned()), "no JSON web key set"),
        (
            Manner::Serve("{\"keys\":[]}".to_owned()),
            "no key that can be used",
        ),
        (Manner::Serve(key_set(&many)), "at most 256 keys"),
    ] {
        let before = times_said(&folder, complaint);
        keys.turn(manner);
        said_again(&folder, complaint, before);
        assert_eq!(login(&broker, &signer.token("alice")), 0, "after {complaint}");
    }
    let next = Signer::new("next");
    keys.turn(Manner::Serve(key_set(&[&next])));
    while login(&broker, &next.token("alice")) == FAILED {
        thread::yield_now();
    }
}

#[test]
fn a_server_of_keys_that_never_answers_delays_nobody() {
    let folder = Folder::new();
    let signer = Signer::new("k");
    let keys = Keys::start(Manner::Serve(key_set(&[&signer])));
    let broker = start(&folder, &keys.url(), "1s");
    said_again(&folder, FETCHED, 0);
    keys.turn(Manner::Hang);
    // The fetch that hangs is given up by itself, and said so; until then and afterwards logins go on.
    let before = times_said(&folder, KEPT);
    assert_eq!(login(&broker, &signer.token("alice")), 0);
    said_again(&folder, KEPT, before);
    assert_eq!(login(&broker, &signer.token("alice")), 0);
    keys.turn(Manner::Serve(key_set(&[&signer])));
    said_again(&folder, FETCHED, times_said(&folder, FETCHED));
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let flags = [
        "--oauth-jwks-url",
        "https://reader:sesame-in-a-url@issuer.test/keys",
    ];
    let output = crate::process::millstream()
        .args(["config", "show"])
        .args(flags)
        .output()
        .expect("it runs");
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        !output.status.success() && shown.contains("without a user name"),
        "{shown}"
    );
    assert!(!shown.contains("sesame"), "{shown}");
}
