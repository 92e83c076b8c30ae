//! Kinds of values that a setting may have, each with its one spelling for people: `64MiB`, `10s`, `127.0.0.1:9092`.

use millstream_log::FlushMode;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A kind of value that is written as text in files, variables and flags.
pub trait Value: Sized + PartialOrd {
    /// The kind's name in the docs.
    const KIND: &'static str;
    /// A value, or the choices, as one would write them.
    const EXAMPLE: &'static str;
    /// Reads one.
    ///
    /// # Errors
    /// What was expected, as the end of a sentence that names the setting.
    fn parse(text: &str) -> Result<Self, String>;
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The size where memory is meant. A size that exceeds the address space is the whole address space.
    #[must_use]
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Units of sizes, and their bytes. Powers of two and of ten are kept apart, as their names say.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Value for ByteSize {
    const KIND: &'static str = "size";
    const EXAMPLE: &'static str = "64MiB";

    fn parse(text: &str) -> Result<Self, String> {
        scaled(text, SIZE_UNITS)
            .map(Self)
            .ok_or_else(|| "must be a size such as 64MiB, 1GB or 65536".to_owned())
    }
}

/// Units of durations, and their milliseconds.
const TIME_UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

impl Value for Duration {
    const KIND: &'static str = "duration";
    const EXAMPLE: &'static str = "10s";

    fn parse(text: &str) -> Result<Self, String> {
        scaled(text, TIME_UNITS)
            .map(Duration::from_millis)
            .ok_or_else(|| "must be a duration such as 250ms, 10s, 5m, 12h or 7d".to_owned())
    }
}

/// A whole number followed by one of `units`, multiplied out.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let number: u64 = digits.parse().ok()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.checked_mul(*factor)
}

/// An address as a person writes it: a name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Port; 0 asks for a free one where one listens.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl std::str::FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "must be HOST:PORT, e.g. 127.0.0.1:9092 or [::1]:9092".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // An IPv6 address needs its brackets, or nobody knows where the port begins.
        if host.is_empty() || (bare.is_none() && host.contains([':', '[', ']'])) {
            return Err(expected());
        }
        Ok(Self {
            host: bare.unwrap_or(host).to_owned(),
            port: port.parse().map_err(|_| expected())?,
        })
    }
}

impl Value for HostPort {
    const KIND: &'static str = "host:port";
    const EXAMPLE: &'static str = "127.0.0.1:9092";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Value for usize {
    const KIND: &'static str = "number";
    const EXAMPLE: &'static str = "1000";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be a whole number".to_owned())
    }
}

impl Value for String {
    const KIND: &'static str = "text";
    const EXAMPLE: &'static str = "name";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "path";
    const EXAMPLE: &'static str = "/var/lib/millstream";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must be a path".to_owned());
        }
        Ok(Self::from(text))
    }
}

/// A setting that may be absent is written as the empty text.
impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;
    const EXAMPLE: &'static str = T::EXAMPLE;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        T::parse(text).map(Some)
    }
}

/// An address of the web. It holds no password: settings are shown by `millstream config show` and in errors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebAddress(pub String);

impl WebAddress {
    /// Whether what is fetched from it comes encrypted, from whom the certificate names.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl Value for WebAddress {
    const KIND: &'static str = "URL";
    const EXAMPLE: &'static str = "https://issuer.example/keys";

    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "must be a URL such as https://issuer.example/keys".to_owned();
        let (_, rest) = web_scheme(text).ok_or_else(expected)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() {
            return Err(expected());
        }
        // A password may hold a slash, so nobody can tell one before an `@` from a host and the beginning of a path.
        if rest.contains('@') {
            return Err(
                "must be a URL without a user name or password: settings are shown (an @ of the path may be written %40)"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }
}

/// The scheme of an address of the web, with what separates it from the rest, and the rest.
fn web_scheme(text: &str) -> Option<(&str, &str)> {
    let schemes = ["https://", "http://"];
    schemes
        .into_iter()
        .find_map(|scheme| text.strip_prefix(scheme).map(|rest| (scheme, rest)))
}

/// A refused text as an error may show it: nothing of what stands before its last `@`, where a user name and password stand, but a
/// scheme.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = web_scheme(before).map_or("", |(scheme, _)| scheme);
            format!("{scheme}***@{host}")
        }
        None => text.to_owned(),
    }
}

/// Where objects are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKind {
    /// A directory below the data directory.
    Local,
    /// A bucket of an S3-compatible store.
    S3,
}

/// Whether clients are asked for a certificate (Kafka: ssl.client.auth).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientAuth {
    /// No.
    None,
    /// One that is shown must be good.
    Requested,
    /// Without a good one there is no connection.
    Required,
}

/// The oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl Value for bool {
    const KIND: &'static str = "choice";
    const EXAMPLE: &'static str = "true, false";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "must be one of: true, false".to_owned())
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Gives an enum of choices its texts.
macro_rules! choices {
    ($kind:ty, $example:literal, $($text:literal => $value:expr),+) => {
        impl Value for $kind {
            const KIND: &'static str = "choice";
            const EXAMPLE: &'static str = $example;

            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok($value),)+
                    _ => Err(concat!("must be one of: ", $example).to_owned()),
                }
            }
        }
    };
}

choices!(ClientAuth, "none, requested, required", "none" => ClientAuth::None, "requested" => ClientAuth::Requested, "required" => ClientAuth::Required);
choices!(TlsVersion, "1.2, 1.3", "1.2" => TlsVersion::Tls12, "1.3" => TlsVersion::Tls13);
choices!(StoreKind, "local, s3", "local" => StoreKind::Local, "s3" => StoreKind::S3);
choices!(LogFormat, "text, json", "text" => LogFormat::Text, "json" => LogFormat::Json);

/// [`FlushMode`] with an order, which [`Value`] asks for and the log has no use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flush {
    /// See [`FlushMode::Sync`].
    Sync,
    /// See [`FlushMode::Async`].
    Async,
}

impl From<Flush> for FlushMode {
    fn from(flush: Flush) -> Self {
        match flush {
            Flush::Sync => Self::Sync,
            Flush::Async => Self::Async,
        }
    }
}

choices!(Flush, "sync, async", "sync" => Flush::Sync, "async" => Flush::Async);
