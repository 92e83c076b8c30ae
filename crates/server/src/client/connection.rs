//! One connection to one broker: frames out, frames in, answers in the order of the requests.

use super::CLIENT_ID;
use super::error::{ClientError, malformed};
use super::security::{ClientSecurity, Stream};
use crate::config::value::HostPort;
use bytes::{Bytes, BytesMut};
use millstream_kafka_wire::{ApiKey, ApiVersionsRequest, Request, Str, decode_response, encode_request};
use std::collections::HashMap;
use std::io;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long connecting may take.
const CONNECT_SECONDS: u64 = 10;

/// How long an answer may take, beyond what the request itself asks the broker to wait.
const ANSWER_SECONDS: u64 = 40;

/// The largest answer that is read: more than any that this client asks for.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// Memory taken ahead of the bytes that have arrived.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// An open connection whose versions are negotiated.
pub struct Connection {
    address: String,
    stream: BufReader<Box<dyn Stream>>,
    versions: HashMap<i16, RangeInclusive<i16>>,
    next_correlation: i32,
    /// A call was begun and, if nobody is in it now, given up in the middle: what comes next may be the answer to that one.
    in_call: bool,
}

/// A request that was sent and whose answer was not read yet.
#[must_use = "answers come in order; one that is not read is taken for the next"]
pub struct Sent<R> {
    correlation_id: i32,
    version: i16,
    _request: PhantomData<fn() -> R>,
}

impl Connection {
    /// Connects, asks for the versions that the broker speaks, and logs in.
    pub async fn open(address: &HostPort, security: &ClientSecurity) -> Result<Self, ClientError> {
        let unreachable = |why: io::Error| ClientError::Unreachable {
            address: address.to_string(),
            why,
        };
        let connecting = TcpStream::connect((address.host.as_str(), address.port));
        let stream = match timeout(Duration::from_secs(CONNECT_SECONDS), connecting).await {
            Ok(stream) => stream.map_err(unreachable)?,
            Err(_) => return Err(unreachable(io::ErrorKind::TimedOut.into())),
        };
        stream.set_nodelay(true).map_err(unreachable)?;
        let wrapping = security.wrap(&address.host, stream);
        let stream = match timeout(Duration::from_secs(CONNECT_SECONDS), wrapping).await {
            Ok(stream) => stream.map_err(unreachable)?,
            Err(_) => return Err(unreachable(io::ErrorKind::TimedOut.into())),
        };
        let mut connection = Self {
            address: address.to_string(),
            stream: BufReader::with_capacity(READ_AHEAD_BYTES, stream),
            versions: HashMap::new(),
            next_correlation: 0,
            in_call: false,
        };
        connection.negotiate().await?;
        security.log_in(&mut connection).await?;
        Ok(connection)
    }

    /// Where it leads.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Version 0 of ApiVersions is answered by every broker there is, and holds all that is needed.
    async fn negotiate(&mut self) -> Result<(), ClientError> {
        self.versions.insert(ApiKey::ApiVersions.code(), 0..=0);
        let answer = self.call(&ApiVersionsRequest::default(), 0..=0).await?;
        ClientError::check(
            || format!("ApiVersions at {}", self.address),
            answer.error_code,
            None,
        )?;
        for api in answer.api_keys {
            self.versions
                .insert(api.api_key, api.min_version..=api.max_version);
        }
        Ok(())
    }

    /// The highest version of `R` that both ends speak and that lies in `wanted`.
    pub fn version<R: Request>(&self, wanted: RangeInclusive<i16>) -> Result<i16, ClientError> {
        let ours = *wanted.start().max(&R::VERSION_MIN)..=*wanted.end().min(&R::VERSION_MAX);
        let theirs = self.versions.get(&R::KEY.code());
        if let Some(theirs) = theirs {
            let highest = *theirs.end().min(ours.end());
            if highest >= *theirs.start().max(ours.start()) {
                return Ok(highest);
            }
        }
        Err(ClientError::Unsupported {
            api: R::KEY.name(),
            theirs: theirs.cloned(),
            ours,
        })
    }

    /// Sends a request and reads its answer.
    pub async fn call<R: Request>(
        &mut self,
        request: &R,
        versions: RangeInclusive<i16>,
    ) -> Result<R::Response, ClientError> {
        self.call_slow(request, versions, Duration::ZERO).await
    }

    /// As `call`, for a request that lets the broker wait for `wait` by itself.
    pub async fn call_slow<R: Request>(
        &mut self,
        request: &R,
        versions: RangeInclusive<i16>,
        wait: Duration,
    ) -> Result<R::Response, ClientError> {
        self.in_call = true;
        let sent = self.send(request, versions).await?;
        let answer = self.receive(sent, wait).await?;
        self.in_call = false;
        Ok(answer)
    }

    /// Whether the last call was dropped while it waited, or failed: the connection is out of step, and must not be used.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.in_call
    }

    /// Sends a request whose answer is read later, or never comes (produce with acks 0).
    pub async fn send<R: Request>(
        &mut self,
        request: &R,
        versions: RangeInclusive<i16>,
    ) -> Result<Sent<R>, ClientError> {
        let version = self.version::<R>(versions)?;
        let correlation_id = self.next_correlation;
        self.next_correlation = self.next_correlation.wrapping_add(1);
        let client_id = Some(Str::from_static(CLIENT_ID));
        let mut frame = encode_request(request, version, correlation_id, client_id)?;
        let writing = async {
            let stream = self.stream.get_mut();
            stream.write_all_buf(&mut frame).await?;
            // TLS keeps what it has not sent.
            stream.flush().await
        };
        match timeout(Duration::from_secs(ANSWER_SECONDS), writing).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(self.lost(R::KEY.name(), why)),
            Err(_) => return Err(self.too_late(R::KEY.name(), ANSWER_SECONDS)),
        }
        Ok(Sent {
            correlation_id,
            version,
            _request: PhantomData,
        })
    }

    /// Reads the answer of the oldest request that is unanswered; `wait` is what the request itself lets the broker wait.
    pub async fn receive<R: Request>(
        &mut self,
        sent: Sent<R>,
        wait: Duration,
    ) -> Result<R::Response, ClientError> {
        let api = R::KEY.name();
        let patience = wait + Duration::from_secs(ANSWER_SECONDS);
        let frame = match timeout(patience, self.read_frame(api)).await {
            Ok(frame) => frame?,
            Err(_) => return Err(self.too_late(api, patience.as_secs())),
        };
        let decoded = decode_response::<R::Response>(&frame, sent.version);
        let (correlation_id, answer) = decoded.map_err(|error| malformed(&self.address, api, &error))?;
        if correlation_id != sent.correlation_id {
            let why = format!("it answers request {correlation_id}, not {}", sent.correlation_id);
            return Err(ClientError::Malformed {
                address: self.address.clone(),
                api,
                why,
            });
        }
        Ok(answer)
    }

    async fn read_frame(&mut self, api: &'static str) -> Result<Bytes, ClientError> {
        let length = self.stream.read_i32().await.map_err(|why| self.lost(api, why))?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > ANSWER_BYTES_MAX {
            return Err(ClientError::Malformed {
                address: self.address.clone(),
                api,
                why: "its length makes no sense".to_owned(),
            });
        }
        let mut frame = BytesMut::with_capacity(length.min(READ_AHEAD_BYTES));
        while frame.len() < length {
            let missing = (length - frame.len()) as u64;
            let read = (&mut self.stream).take(missing).read_buf(&mut frame).await;
            if read.map_err(|why| self.lost(api, why))? == 0 {
                return Err(self.lost(api, io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(frame.freeze())
    }

    fn lost(&self, api: &'static str, why: io::Error) -> ClientError {
        ClientError::Lost {
            address: self.address.clone(),
            api,
            why,
        }
    }

    fn too_late(&self, api: &'static str, seconds: u64) -> ClientError {
        ClientError::Timeout {
            address: self.address.clone(),
            api,
            seconds,
        }
    }
}
