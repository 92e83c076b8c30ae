//! Tests of the acceptor: limits, the gate, panics, the end.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use millstream_broker::quota::{bucket::Rate, connections::*};

/// A gate with one bound: connections from one address.
fn gate(per_address_max: u32) -> Gate {
    let connections = Connections::default();
    let settings = ConnectionSettings {
        max: u32::MAX,
        per_address_max,
        overrides: Vec::new(),
        rate: u32::MAX,
    };
    Arc::new(move |address| {
        let (settings, rate) = (&settings, Rate::over(1e9, 1.0));
        let bounds = Bounds {
            settings,
            rate,
            address_rate: None,
        };
        connections.admit(address, &bounds, Duration::ZERO)
    })
}

fn limits(connections_max: usize) -> AcceptLimits {
    AcceptLimits {
        connections_max,
        grace: Duration::from_secs(5),
    }
}

/// Answers one byte with the same byte, until the peer closes; panics on `!`.
async fn echo(mut stream: TcpStream, _: SocketAddr) {
    while let Ok(byte) = stream.read_u8().await {
        assert!(byte != b'!', "asked to");
        if stream.write_u8(byte).await.is_err() {
            return;
        }
    }
}

async fn start(connections_max: usize) -> Started {
    start_behind(connections_max, gate(u32::MAX)).await
}

type Started = (
    SocketAddr,
    Arc<ConnectionCounts>,
    watch::Sender<bool>,
    JoinSet<()>,
);

async fn start_behind(connections_max: usize, gate: Gate) -> Started {
    let listeners = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let counts = Arc::new(ConnectionCounts::default());
    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    for acceptor in Acceptor::all(listeners, limits(connections_max), &counts, &gate) {
        running.spawn(acceptor.serve(echo, stopped.clone()));
    }
    (address, counts, stop, running)
}

async fn echoes(stream: &mut TcpStream) -> bool {
    stream.write_u8(b'x').await.is_ok() && stream.read_u8().await.is_ok_and(|byte| byte == b'x')
}

#[tokio::test]
async fn a_connection_above_the_limit_is_closed_and_the_others_live() {
    let (address, counts, _stop, _running) = start(2).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(echoes(&mut first).await && echoes(&mut second).await);
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(third.read_u8().await.is_err(), "it is closed");
    assert_eq!((counts.open(), counts.accepted(), counts.refused()), (2, 2, 1));
    assert!(echoes(&mut first).await && echoes(&mut second).await);
    drop(first);
    let mut fourth = loop {
        // The permit comes back once the broker has seen the first one close.
        let mut fourth = TcpStream::connect(address).await.unwrap();
        if echoes(&mut fourth).await {
            break fourth;
        }
    };
    assert!(echoes(&mut fourth).await);
}

#[tokio::test]
async fn what_the_gate_refuses_is_closed_and_its_place_comes_back() {
    let (address, counts, _stop, _running) = start_behind(10, gate(1)).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    assert!(echoes(&mut first).await);
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(second.read_u8().await.is_err(), "one from an address");
    assert_eq!((counts.open(), counts.refused()), (1, 1));
    drop(first);
    // The place comes back once the broker has seen the first one close.
    loop {
        let mut third = TcpStream::connect(address).await.unwrap();
        if echoes(&mut third).await {
            break;
        }
    }
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_only() {
    let (address, counts, stop, mut running) = start(2).await;
    let mut bystander = TcpStream::connect(address).await.unwrap();
    assert!(echoes(&mut bystander).await);
    let mut culprit = TcpStream::connect(address).await.unwrap();
    culprit.write_u8(b'!').await.unwrap();
    assert!(culprit.read_u8().await.is_err());
    assert!(echoes(&mut bystander).await);
    // Its permit is free again: the limit is two.
    let mut next = TcpStream::connect(address).await.unwrap();
    assert!(echoes(&mut next).await);
    assert_eq!(counts.panicked(), 1);
    drop((bystander, next));
    stop.send(true).unwrap();
    running.join_next().await.unwrap().unwrap();
    assert_eq!(counts.open(), 0);
}

#[tokio::test]
async fn a_stop_waits_for_connections_that_finish() {
    let (address, _counts, stop, mut running) = start(2).await;
    let mut open = TcpStream::connect(address).await.unwrap();
    assert!(echoes(&mut open).await);
    stop.send(true).unwrap();
    // The request in flight is still answered after the stop.
    assert!(echoes(&mut open).await);
    drop(open);
    running.join_next().await.unwrap().unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn localhost_is_both_families_on_one_port() {
    let listeners = bind(&"localhost:0".parse().unwrap()).await.unwrap();
    let ports: Vec<u16> = listeners
        .iter()
        .map(|one| one.local_addr().unwrap().port())
        .collect();
    assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let first = bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = first[0].local_addr().unwrap().to_string();
    let error = bind(&address.parse().unwrap()).await.expect_err("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
