//! What a request and a MB cost: allocations, bytes allocated, reads and writes at the socket; counted, not timed.
//!
//! Each budget is what is needed now and a little more: a number to notice growth by. Lower it when it falls.

use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::{Buf, Bytes};
use millstream_broker::testing::{World, batch_of};
use millstream_kafka_wire::*;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::runtime::Runtime;

/// Allocations of one produce request of one batch, from the socket to the socket, log and all, at most.
const ALLOCATIONS_PER_PRODUCE_MAX: u64 = 16;

/// Allocations of one fetch request of one partition that has a batch, from the socket to the socket.
const ALLOCATIONS_PER_FETCH_MAX: u64 = 20;

/// Allocations of a MB that is produced in large requests, and of one that is fetched in large answers.
const ALLOCATIONS_PER_PRODUCED_MB_MAX: u64 = 70;
const ALLOCATIONS_PER_FETCHED_MB_MAX: u64 = 44;

/// Bytes allocated for a byte produced, in percent: what the disk and the objects in memory make of it. The request's own memory is what an
/// earlier one let go of, and the batch stays there. A copy on the way is 100 more.
const PRODUCED_PERCENT_MAX: u64 = 230;

/// Bytes allocated for a byte fetched, in percent: an answer shares its records with the caches. A copy on the way would be 100.
const FETCHED_PERCENT_MAX: u64 = 10;

/// Reads and writes at the socket, of a MB through a network that holds a quarter of it.
const READS_PER_PRODUCED_MB_MAX: u64 = 20;
const WRITES_PER_FETCHED_MB_MAX: u64 = 12;

const COUNT: usize = 200;

/// Of one record in a large batch; two of them make what is called a MB here.
const LARGE_BYTES: usize = 512 << 10;
const LARGE_COUNT: usize = 16;
const LARGE_MB: u64 = (LARGE_BYTES * LARGE_COUNT) as u64 >> 20;

const SEGMENT_BYTES: u64 = 64 << 20;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread")
}

fn frames<M: Request>(request: &M, version: i16, count: usize) -> Bytes {
    let mut frame = encode_request(request, version, 1, None).expect("it encodes");
    frame.copy_to_bytes(frame.len()).repeat(count).into()
}

fn produce_frames(value: &str, count: usize) -> Bytes {
    frames(&produce("t", 0, batch_of(&[value])), PRODUCE_BY_NAME, count)
}

/// Fetches of one partition from an offset, at most `bytes` of it.
fn fetch_frames(from: i64, bytes: i32, count: usize) -> Bytes {
    let mut request = fetch("t", Uuid::ZERO, &[(0, from)]);
    request.max_bytes = bytes;
    request.topics[0].partitions[0].partition_max_bytes = bytes;
    frames(&request, FETCH_BY_NAME, count)
}

fn large_value() -> String {
    "v".repeat(LARGE_BYTES)
}

async fn send_and_take(client: &mut Client, frames: &Bytes, count: usize) {
    client.stream.write_all(frames).await.expect("it is open");
    for _ in 0..count {
        client.receive_frame().await.expect("an answer");
    }
}

/// The same without an allocation on the client's side: answers are counted and thrown away. Their bytes.
async fn send_and_drop(client: &mut Client, frames: &Bytes, count: usize, memory: &mut [u8]) -> u64 {
    let mut bytes = 0;
    let each = frames.len() / count;
    for at in 0..count {
        let frame = &frames[at * each..(at + 1) * each];
        client.stream.write_all(frame).await.expect("it is open");
        let length = client.stream.read_u32().await.expect("an answer") as usize;
        assert!(length <= memory.len(), "an answer of {length} bytes");
        let answer = &mut memory[..length];
        client.stream.read_exact(answer).await.expect("the whole answer");
        bytes += length as u64;
    }
    bytes
}

/// With a log whose segment holds all that a test here produces: making another one would be counted.
async fn roomy_server() -> Server {
    let mut world = World::new(&[]);
    world.log.wal_segment_bytes = SEGMENT_BYTES;
    let server = Server::over(world, |_| {}).await;
    server.topic("t", 1, &[]).await;
    server
}

/// Allocations, and bytes allocated, of `count` requests one after another, with as many before that do not count.
fn measured(fill: &Bytes, fill_count: usize, frames: &Bytes, count: usize) -> (u64, u64, u64) {
    let runtime = runtime();
    let mut memory = vec![0; 2 * LARGE_BYTES];
    let (server, mut client) = runtime.block_on(async {
        let server = roomy_server().await;
        let mut client = server.connect();
        send_and_drop(&mut client, fill, fill_count, &mut memory).await;
        send_and_drop(&mut client, frames, count, &mut memory).await;
        (server, client)
    });
    let mut answered = 0;
    let counted = allocation_counter::measure(|| {
        answered = runtime.block_on(send_and_drop(&mut client, frames, count, &mut memory));
    });
    drop(server);
    (counted.count_total, counted.bytes_total, answered)
}

#[test]
fn a_produce_request_allocates_no_more_than_it_did() {
    let runtime = runtime();
    let frames = produce_frames("value", COUNT);
    let (server, mut client) = runtime.block_on(async {
        let server = Server::start().await;
        server.topic("t", 1, &[]).await;
        let mut client = server.connect();
        send_and_take(&mut client, &frames, COUNT).await;
        (server, client)
    });
    let measured = allocation_counter::measure(|| {
        runtime.block_on(send_and_take(&mut client, &frames, COUNT));
    });
    drop(server);
    let each = measured.count_total / COUNT as u64;
    println!(
        "{each} allocations a produce request, {} bytes",
        measured.bytes_total / COUNT as u64
    );
    assert!(
        each <= ALLOCATIONS_PER_PRODUCE_MAX,
        "{each} allocations a produce request"
    );
}

#[test]
fn a_fetch_request_allocates_no_more_than_it_did() {
    let (allocations, bytes, answered) = measured(
        &produce_frames("value", 1),
        1,
        &fetch_frames(0, 1 << 20, COUNT),
        COUNT,
    );
    let each = allocations / COUNT as u64;
    println!(
        "{each} allocations a fetch request, {} bytes",
        bytes / COUNT as u64
    );
    assert!(answered > 60 * COUNT as u64, "{answered} bytes hold no batches");
    assert!(
        each <= ALLOCATIONS_PER_FETCH_MAX,
        "{each} allocations a fetch request"
    );
}

#[test]
fn a_produced_megabyte_is_copied_no_more_often_than_it_was() {
    let frames = produce_frames(&large_value(), LARGE_COUNT);
    let (allocations, bytes, _) = measured(&produce_frames("value", 1), 1, &frames, LARGE_COUNT);
    let (each, percent) = (allocations / LARGE_MB, bytes * 100 / (LARGE_MB << 20));
    println!("{each} allocations a MB produced, {percent} % of its bytes");
    assert!(
        each <= ALLOCATIONS_PER_PRODUCED_MB_MAX,
        "{each} allocations a MB produced"
    );
    assert!(percent <= PRODUCED_PERCENT_MAX, "{percent} % allocated");
}

#[test]
fn a_fetched_megabyte_is_not_copied() {
    let fill = produce_frames(&large_value(), 1);
    let frames = fetch_frames(0, 1, LARGE_COUNT);
    let (allocations, bytes, answered) = measured(&fill, 1, &frames, LARGE_COUNT);
    let megabytes = answered >> 20;
    assert_eq!(megabytes, LARGE_MB, "every answer holds the batch");
    let (each, percent) = (allocations / megabytes, bytes * 100 / answered);
    println!("{each} allocations a MB fetched, {percent} % of its bytes");
    assert!(
        each <= ALLOCATIONS_PER_FETCHED_MB_MAX,
        "{each} allocations a MB fetched"
    );
    assert!(percent <= FETCHED_PERCENT_MAX, "{percent} % allocated");
}

/// How often a connection asked the network for something.
#[derive(Default)]
struct Calls {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Calls {
    fn take(&self) -> (u64, u64) {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        (take(&self.reads), take(&self.writes))
    }
}

/// A network that counts, and takes many pieces in one write, as a socket does.
struct Counting {
    inner: DuplexStream,
    calls: Arc<Calls>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.calls.reads.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.calls.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let whole: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        self.poll_write(cx, &whole)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

async fn counted_connection() -> (Server, Client, Arc<Calls>) {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let calls = Arc::new(Calls::default());
    let counted = calls.clone();
    let client = server.connect_through(|inner| Counting {
        inner,
        calls: counted,
    });
    (server, client, calls)
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_ready_together_leave_together() {
    let (_server, mut client, calls) = counted_connection().await;
    send_and_take(&mut client, &produce_frames("value", COUNT), COUNT).await;
    let (_, writes) = calls.take();
    assert!(writes <= COUNT as u64 / 10, "{writes} writes for {COUNT} answers");
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_together_are_read_together() {
    let (_server, mut client, calls) = counted_connection().await;
    let frames = produce_frames("value", COUNT);
    send_and_take(&mut client, &frames, COUNT).await;
    calls.take();
    send_and_take(&mut client, &frames, COUNT).await;
    let (reads, _) = calls.take();
    println!("{reads} reads for {COUNT} requests");
    assert!(reads <= COUNT as u64 / 10, "{reads} reads for {COUNT} requests");
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_takes_few_reads_and_few_writes() {
    let (_server, mut client, calls) = counted_connection().await;
    let mut memory = vec![0; 2 * LARGE_BYTES];
    let frames = produce_frames(&large_value(), LARGE_COUNT);
    send_and_drop(&mut client, &frames, LARGE_COUNT, &mut memory).await;
    let (reads, writes) = calls.take();
    println!(
        "a MB produced: {} reads, {} writes",
        reads / LARGE_MB,
        writes / LARGE_MB
    );
    assert!(
        reads <= READS_PER_PRODUCED_MB_MAX * LARGE_MB,
        "{reads} reads for {LARGE_MB} MB"
    );
    assert!(
        writes <= LARGE_COUNT as u64,
        "{writes} writes for {LARGE_COUNT} answers"
    );
    send_and_drop(
        &mut client,
        &fetch_frames(0, 1, LARGE_COUNT),
        LARGE_COUNT,
        &mut memory,
    )
    .await;
    let (reads, writes) = calls.take();
    println!(
        "a MB fetched: {} reads, {} writes",
        reads / LARGE_MB,
        writes / LARGE_MB
    );
    assert!(
        writes <= WRITES_PER_FETCHED_MB_MAX * LARGE_MB,
        "{writes} writes for {LARGE_MB} MB"
    );
    // One finds the request, one finds that there is nothing behind it.
    assert!(
        reads <= 2 * LARGE_COUNT as u64,
        "{reads} reads for {LARGE_COUNT} requests"
    );
}
