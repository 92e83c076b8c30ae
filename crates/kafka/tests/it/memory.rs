//! The memory that all requests share: admitted in turn, given back always, and never a dead end.

use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::{Buf, Bytes};
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const KIB: usize = 1024;

async fn server(request_bytes_max: usize) -> Server {
    let server = Server::configured(&[("message.max.bytes", "10000000")], |config| {
        config.request_bytes_max = request_bytes_max;
    })
    .await;
    server.topic("t", 1, &[]).await;
    server
}

/// A produce request of at least so many bytes.
fn large(bytes: usize) -> ProduceRequest {
    produce("t", 0, batch_of(&[&"x".repeat(bytes)]))
}

fn frame(request: &ProduceRequest) -> Bytes {
    let mut frame = encode_request(request, PRODUCE_BY_NAME, 1, None).expect("it encodes");
    frame.copy_to_bytes(frame.len())
}

async fn offset(client: &mut Client) -> i64 {
    produced(&client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await.1).base_offset
}

/// Lets every other task go as far as it can.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn large_requests_are_admitted_in_the_order_in_which_they_came() {
    let server = server(300 * KIB).await;
    let whole = frame(&large(200 * KIB));
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    // Each has said how long its request is; there is memory for one of them.
    for client in &mut clients {
        client.stream.write_all(&whole[..100]).await.unwrap();
        settle().await;
    }
    // The rest comes in the opposite order, and changes nothing: who came first is first.
    for client in clients.iter_mut().rev() {
        client.stream.write_all(&whole[100..]).await.unwrap();
        settle().await;
    }
    for (expected, client) in (0..).zip(&mut clients) {
        assert_eq!(offset(client).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn small_requests_pass_while_large_ones_wait() {
    let server = server(300 * KIB).await;
    let whole = frame(&large(200 * KIB));
    let mut holder = server.connect();
    holder.stream.write_all(&whole[..100]).await.unwrap();
    let mut waiter = server.connect();
    waiter.stream.write_all(&whole[..100]).await.unwrap();
    settle().await;
    let mut small = server.connect();
    assert_eq!(
        produced(&small.call(PRODUCE_BY_NAME, &large(100)).await).base_offset,
        0
    );
    holder.stream.write_all(&whole[100..]).await.unwrap();
    waiter.stream.write_all(&whole[100..]).await.unwrap();
    assert_eq!((offset(&mut holder).await, offset(&mut waiter).await), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_gives_its_share_back() {
    let mut server = server(300 * KIB).await;
    server.limits.stall_max = Duration::from_secs(5);
    let whole = frame(&large(200 * KIB));
    let mut torn = whole.to_vec();
    torn[60] ^= 0xff;
    for round in 0..5 {
        // Gone in the middle of its request; gone while it waits for its turn; refused; silent for too long; served.
        let mut gone = server.connect();
        gone.stream.write_all(&whole[..1000]).await.unwrap();
        settle().await;
        let mut waiting = server.connect();
        waiting.stream.write_all(&whole[..1000]).await.unwrap();
        settle().await;
        drop(waiting);
        drop(gone);
        let mut refused = server.connect();
        refused.stream.write_all(&torn).await.unwrap();
        drop(refused);
        let mut silent = server.connect();
        silent.stream.write_all(&whole[..1000]).await.unwrap();
        let mut served = server.connect();
        served.stream.write_all(&whole).await.unwrap();
        assert!(silent.receive_frame().await.is_none(), "it stalled");
        assert!(offset(&mut served).await >= 0, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_above_the_whole_budget_takes_all_of_it_and_gets_through() {
    let server = server(64 * KIB).await;
    let mut clients: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    let whole = frame(&large(500 * KIB));
    let mut senders = Vec::new();
    for client in clients.drain(..) {
        let whole = whole.clone();
        senders.push(tokio::spawn(async move {
            let mut client = client;
            client.stream.write_all(&whole).await.unwrap();
            offset(&mut client).await
        }));
    }
    let mut offsets = Vec::new();
    for sender in senders {
        offsets.push(sender.await.unwrap());
    }
    offsets.sort_unstable();
    assert_eq!(offsets, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn one_connection_with_many_large_requests_in_flight_does_not_wait_for_itself() {
    let server = server(64 * KIB).await;
    let mut client = server.connect();
    let whole = frame(&large(30 * KIB));
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let sending = tokio::spawn(async move {
        for _ in 0..50 {
            writer.write_all(&whole).await.unwrap();
        }
        writer
    });
    let mut answers = 0;
    let mut buffer = bytes::BytesMut::new();
    while answers < 50 {
        use tokio::io::AsyncReadExt;
        assert!(reader.read_buf(&mut buffer).await.unwrap() > 0);
        while let Some(length) = buffer.first_chunk::<4>() {
            let length = 4 + i32::from_be_bytes(*length) as usize;
            if buffer.len() < length {
                break;
            }
            buffer.advance(length);
            answers += 1;
        }
    }
    client.stream = reader.unsplit(sending.await.unwrap());
    assert_eq!(
        produced(&client.call(PRODUCE_BY_NAME, &large(10)).await).base_offset,
        50
    );
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_keeps_no_memory_of_its_request() {
    let server = server(64 * KIB).await;
    let mut client = server.connect();
    // A request of more than half the budget, about partitions that wait.
    let partitions: Vec<(i32, i64)> = vec![(0, 0); 1_200];
    let mut waiting = fetch("t", Uuid::ZERO, &partitions);
    waiting.max_wait_ms = 60_000;
    client.send(FETCH_BY_NAME, &waiting).await;
    settle().await;
    let begun = tokio::time::Instant::now();
    let mut other = server.connect();
    assert_eq!(
        produced(&other.call(PRODUCE_BY_NAME, &large(60 * KIB)).await).base_offset,
        0
    );
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
