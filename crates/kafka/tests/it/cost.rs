//! What a request costs: system calls and allocations, counted, not timed.

use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::{Buf, Bytes};
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

/// Allocations of one produce request of one batch, from the socket to the socket, log and all, at most. A number to notice
/// growth by: lower it when it falls.
const ALLOCATIONS_PER_PRODUCE_MAX: u64 = 16;

fn encoded(count: usize) -> Bytes {
    let mut frame =
        encode_request(&produce("t", 0, batch_of(&["value"])), PRODUCE_BY_NAME, 1, None).expect("it encodes");
    frame.copy_to_bytes(frame.len()).repeat(count).into()
}

async fn send_and_take(client: &mut Client, frames: &Bytes, count: usize) {
    client.stream.write_all(frames).await.expect("it is open");
    for _ in 0..count {
        client.receive_frame().await.expect("an answer");
    }
}

#[test]
fn a_produce_request_allocates_no_more_than_it_did() {
    const COUNT: usize = 200;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let frames = encoded(COUNT);
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

/// A network that counts writes, and takes many pieces in one, as a socket does.
struct Counting {
    inner: DuplexStream,
    writes: Arc<AtomicU64>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
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

#[tokio::test(start_paused = true)]
async fn answers_that_are_ready_together_leave_together() {
    const COUNT: usize = 200;
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let writes = Arc::new(AtomicU64::new(0));
    let counted = writes.clone();
    let mut client = server.connect_through(|inner| Counting {
        inner,
        writes: counted,
    });
    send_and_take(&mut client, &encoded(COUNT), COUNT).await;
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes <= COUNT as u64 / 10, "{writes} writes for {COUNT} answers");
}
