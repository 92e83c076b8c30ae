//! A front end over a broker in memory, and a client that is nothing but the codec.

use bytes::{Buf, Bytes, BytesMut};
use millstream_broker::security::Principal;
use millstream_broker::testing::World;
use millstream_broker::{Broker, Dry, TopicSpec};
use millstream_kafka::group::CoordinatorConfig;
use millstream_kafka::{
    Advertised, ConnectionError, ConnectionLimits, Kafka, KafkaConfig, LoginRules, Peer, serve_connection,
};
use millstream_kafka_wire::{Frame, Request, Response, Str, decode_response, encode_request};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the simulated network holds in one direction.
const NETWORK_BYTES: usize = 256 << 10;

/// One broker with its front end.
pub struct Server {
    pub world: World,
    pub broker: Broker,
    pub kafka: Arc<Kafka>,
    pub limits: ConnectionLimits,
    config: KafkaConfig,
    stop: watch::Sender<bool>,
}

fn coordinator() -> CoordinatorConfig {
    CoordinatorConfig {
        runtime: Handle::current(),
        member_id_seed: 7,
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With start values of settings.
    pub async fn with(fixed: &[(&str, &str)]) -> Self {
        Self::configured(fixed, |_| {}).await
    }

    pub async fn configured(fixed: &[(&str, &str)], change: impl FnOnce(&mut KafkaConfig)) -> Self {
        Self::over(World::new(fixed), change).await
    }

    /// The same broker after a restart: what was durable is there.
    pub async fn restarted(self) -> Self {
        self.broker.close().await;
        Self::over(self.world, |_| {}).await
    }

    /// Over media that are there already.
    pub async fn over(world: World, change: impl FnOnce(&mut KafkaConfig)) -> Self {
        let broker = world.open().await;
        let mut config = KafkaConfig {
            advertised: vec![Advertised {
                listener: "PLAINTEXT".to_owned(),
                host: "broker.test".to_owned(),
                port: 9092,
            }],
            rack: Some("r1".to_owned()),
            log_dir: "/data".to_owned(),
            request_bytes_max: 64 << 20,
            fetch_sessions_max: 100,
        };
        change(&mut config);
        Self {
            kafka: Kafka::new(broker.clone(), config.clone(), coordinator()),
            world,
            broker,
            config,
            limits: ConnectionLimits::default(),
            stop: watch::Sender::new(false),
        }
    }

    /// Opens another broker over what the last one left behind.
    pub async fn reopen(&mut self) {
        self.broker = self.world.open().await;
        self.kafka = Kafka::new(self.broker.clone(), self.config.clone(), coordinator());
    }

    /// A topic, made behind the protocol's back.
    pub async fn topic(&self, name: &str, partitions: u32, configs: &[(&str, &str)]) {
        let configs = configs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        let spec = TopicSpec {
            name: name.to_owned(),
            partitions: Some(partitions),
            configs: configs.collect(),
        };
        self.broker
            .create_topic(&spec, Dry::Run)
            .await
            .expect("a new topic");
    }

    pub fn connect(&self) -> Client {
        self.connect_through(|stream| stream)
    }

    /// A client who is known, as by its certificate.
    pub fn connect_as(&self, principal: Principal) -> Client {
        let (stream, theirs) = tokio::io::duplex(NETWORK_BYTES);
        Client::over(stream, self.serve_as(theirs, principal, None))
    }

    /// A client that must log in first.
    pub fn connect_to_login(&self, rules: LoginRules) -> Client {
        let (stream, theirs) = tokio::io::duplex(NETWORK_BYTES);
        let task = self.serve_as(theirs, Principal::anonymous(), Some(Arc::new(rules)));
        Client::over(stream, task)
    }

    /// A client whose connection is served through a wrapper of the stream.
    pub fn connect_through<S>(&self, wrap: impl FnOnce(DuplexStream) -> S) -> Client
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (stream, theirs) = tokio::io::duplex(NETWORK_BYTES);
        Client::over(stream, self.serve(wrap(theirs)))
    }

    /// The client's end of a connection, and the task that serves it.
    pub fn connect_raw(&self) -> (DuplexStream, JoinHandle<Result<(), ConnectionError>>) {
        self.connect_over(NETWORK_BYTES)
    }

    /// The same over a network that holds so many bytes.
    pub fn connect_over(
        &self,
        network_bytes: usize,
    ) -> (DuplexStream, JoinHandle<Result<(), ConnectionError>>) {
        let (ours, theirs) = tokio::io::duplex(network_bytes);
        (ours, self.serve(theirs))
    }

    fn serve<S>(&self, stream: S) -> JoinHandle<Result<(), ConnectionError>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.serve_as(stream, Principal::anonymous(), None)
    }

    fn serve_as<S>(
        &self,
        stream: S,
        principal: Principal,
        login: Option<Arc<LoginRules>>,
    ) -> JoinHandle<Result<(), ConnectionError>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let peer = Peer {
            address: "127.0.0.1:50000".parse().expect("an address"),
            local: "127.0.0.1:9092".parse().expect("an address"),
            listener: "PLAINTEXT".to_owned(),
            principal: Arc::new(principal),
            login,
        };
        let mut stopped = self.stop.subscribe();
        let stopped = async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let serving = serve_connection(self.kafka.clone(), stream, peer, self.limits.clone(), stopped);
        tokio::spawn(serving)
    }

    /// Tells every connection to end.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// A whole request as it travels.
pub fn frame_of<M: Request>(request: &M, version: i16, id: i32) -> Frame {
    let client = Some(Str::from_static("harness"));
    encode_request(request, version, id, client).expect("the test asks what the version can say")
}

/// A connection's client side.
pub struct Client {
    pub stream: DuplexStream,
    pub task: JoinHandle<Result<(), ConnectionError>>,
    buffer: BytesMut,
    next_id: i32,
}

impl Client {
    fn over(stream: DuplexStream, task: JoinHandle<Result<(), ConnectionError>>) -> Self {
        Self {
            stream,
            task,
            buffer: BytesMut::new(),
            next_id: 1,
        }
    }

    /// Sends a request; its correlation id.
    pub async fn send<M: Request>(&mut self, version: i16, request: &M) -> i32 {
        self.send_frame(|id| frame_of(request, version, id)).await
    }

    /// Sends the frame that is made for a correlation id; the id.
    pub async fn send_frame(&mut self, frame: impl FnOnce(i32) -> Frame) -> i32 {
        let id = self.next_id;
        self.next_id += 1;
        let mut frame = frame(id);
        self.stream
            .write_all_buf(&mut frame)
            .await
            .expect("the connection is open");
        id
    }

    /// The next answer, whatever it is; `None` when the connection has ended.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(length) = self.buffer.first_chunk::<4>() {
                let length = i32::from_be_bytes(*length) as usize;
                if self.buffer.len() >= 4 + length {
                    self.buffer.advance(4);
                    return Some(self.buffer.split_to(length).freeze());
                }
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                assert!(self.buffer.is_empty(), "half an answer");
                return None;
            }
        }
    }

    /// The next answer and the id of its request.
    pub async fn receive<R: Response>(&mut self, version: i16) -> (i32, R) {
        let frame = self.receive_frame().await.expect("an answer");
        decode_response(&frame, version).expect("the answer decodes at its version")
    }

    pub async fn call<M: Request>(&mut self, version: i16, request: &M) -> M::Response {
        let id = self.send(version, request).await;
        let (answered, response) = self.receive(version).await;
        assert_eq!(answered, id);
        response
    }

    /// At the newest version that is served.
    pub async fn ask<M: Request>(&mut self, request: &M) -> M::Response {
        self.call(*M::KEY.stable_versions().end(), request).await
    }

    /// How the connection ended, once it has.
    pub async fn ended(self) -> Result<(), ConnectionError> {
        let Self { stream, task, .. } = self;
        let ended = task.await.expect("no panic");
        drop(stream);
        ended
    }
}
