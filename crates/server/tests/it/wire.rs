//! A client that is nothing but the codec over any stream, and the logins of the tests.

use bytes::{Buf, Bytes};
use millstream_broker::security::ScramMechanism;
use millstream_broker::security::sasl::scram::ScramClient;
use millstream_kafka_wire::{
    ApiVersionsRequest, Request, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    Str, decode_response, encode_request,
};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A broker that says nothing for so long has failed the test, which must not hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers of the tests are small.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A connection that is given up when nothing comes.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the broker listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Everything that the peer still sends until it closes; an error when it does not.
pub fn rest(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(bytes),
        other => other.map(|_| bytes),
    }
}

pub struct Wire<S = TcpStream> {
    stream: S,
    client_id: &'static str,
    next_id: i32,
}

impl Wire {
    pub fn connect(address: &str) -> Self {
        Self::over(connect(address))
    }
}

impl<S: Read + Write> Wire<S> {
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            client_id: "it",
            next_id: 1,
        }
    }

    /// The same under another name of the client.
    pub fn named(self, client_id: &'static str) -> Self {
        Self { client_id, ..self }
    }

    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Sends at the newest version.
    pub fn send<R: Request>(&mut self, request: &R) -> io::Result<()> {
        let mut frame = encode_request(
            request,
            newest::<R>(),
            self.next_id,
            Some(Str::from_static(self.client_id)),
        )
        .expect("the test asks what the version can say");
        self.next_id += 1;
        self.stream.write_all(&frame.copy_to_bytes(frame.remaining()))?;
        self.stream.flush()
    }

    pub fn receive<R: Request>(&mut self) -> io::Result<R::Response> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        assert!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        let (_, answer) = decode_response(&Bytes::from(frame), newest::<R>()).expect("the answer decodes");
        Ok(answer)
    }

    pub fn ask<R: Request>(&mut self, request: &R) -> io::Result<R::Response> {
        self.send(request)?;
        self.receive::<R>()
    }

    /// Sends what every client sends first.
    pub fn ask_for_versions(&mut self) -> io::Result<()> {
        self.send(&ApiVersionsRequest {
            client_software_name: Str::from_static("it"),
            client_software_version: Str::from_static("1"),
        })
    }

    /// Whether the broker answers at all.
    pub fn versions(&mut self) -> io::Result<usize> {
        self.ask_for_versions()?;
        Ok(self.receive::<ApiVersionsRequest>()?.api_keys.len())
    }

    fn handshake(&mut self, mechanism: &'static str) {
        let request = SaslHandshakeRequest {
            mechanism: Str::from_static(mechanism),
        };
        assert_eq!(self.ask(&request).expect("an answer").error_code, 0);
    }

    fn authenticate(&mut self, message: impl Into<Bytes>) -> SaslAuthenticateResponse {
        let request = SaslAuthenticateRequest {
            auth_bytes: message.into(),
        };
        self.ask(&request).expect("an answer")
    }

    /// The code of a login by PLAIN.
    pub fn plain(&mut self, user: &str, password: &str) -> i16 {
        self.handshake("PLAIN");
        self.authenticate(format!("\0{user}\0{password}")).error_code
    }

    /// The code of a login by SCRAM-SHA-512, and the client's last message.
    pub fn scram(&mut self, user: &str, password: &str, by_token: bool) -> (i16, String) {
        self.handshake("SCRAM-SHA-512");
        let mut exchange = ScramClient::new(ScramMechanism::Sha512, user, password, "a-nonce-of-the-test");
        if by_token {
            exchange = exchange.with_token();
        }
        let challenge = self.authenticate(exchange.first());
        assert_eq!(challenge.error_code, 0);
        let challenge = String::from_utf8(challenge.auth_bytes.to_vec()).expect("text");
        let last = exchange.last(&challenge).expect("it makes sense");
        (self.authenticate(last.clone()).error_code, last)
    }

    /// The code of a login by OAUTHBEARER.
    pub fn bearer(&mut self, token: &str) -> i16 {
        self.handshake("OAUTHBEARER");
        let answer = self.authenticate(format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}"));
        match answer.auth_bytes.is_empty() {
            true => answer.error_code,
            // It is told why first, and then that it has failed.
            false => self.authenticate("\u{1}").error_code,
        }
    }
}

fn newest<R: Request>() -> i16 {
    *R::KEY.stable_versions().end()
}

/// Base64 with the given two last characters of the alphabet, without padding.
fn base64_with(bytes: &[u8], last_two: [char; 2]) -> String {
    let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(last_two);
    let alphabet: Vec<char> = letters.collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(alphabet[(bits >> (18 - 6 * at)) as usize & 63]);
        }
    }
    text
}

/// As passwords of tokens are written, with padding.
pub fn base64(bytes: &[u8]) -> String {
    let text = base64_with(bytes, ['+', '/']);
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

/// As parts of web tokens are written.
pub fn base64url(bytes: &[u8]) -> String {
    base64_with(bytes, ['-', '_'])
}
