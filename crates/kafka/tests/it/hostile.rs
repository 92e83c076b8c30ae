//! Peers that mean harm, or are broken: every one of them ends its own connection at most, memory stays bounded, and the others
//! are served. Seeded: a failing seed is printed and repeats.

use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::{Buf, Bytes};
use millstream_broker::testing::{BatchBuilder, Codec, batch_of, batch_with};
use millstream_kafka::{ConnectionError, supported_apis};
use millstream_kafka_wire::testing::Rng;
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Rounds of each random attack.
const ROUNDS: u64 = 300;

async fn server() -> Server {
    let server = Server::with(&[("auto.create.topics.enable", "false")]).await;
    server.topic("t", 1, &[]).await;
    server
}

/// Whether an honest client is served, on a connection of its own.
async fn still_serves(server: &Server) {
    let mut client = server.connect();
    let response = client
        .call(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["honest"])))
        .await;
    assert_eq!(produced(&response).error_code, 0);
}

/// Sends the bytes, reads whatever comes, and waits for the end of the connection. A panic in its task fails the test.
async fn attack(server: &Server, bytes: &[u8]) -> Result<(), ConnectionError> {
    let (stream, task) = server.connect_raw();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move {
        let mut sink = vec![0; 64 << 10];
        while reader.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    });
    // A connection that has ended takes no more: that is its right.
    let _ = writer.write_all(bytes).await;
    let _ = writer.shutdown().await;
    let ended = task.await.expect("no panic");
    drop(writer);
    reading.await.expect("no panic");
    ended
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = (bytes.len() as i32).to_be_bytes().to_vec();
    frame.extend(bytes);
    frame
}

/// A frame of an API that is served, with this for a message.
fn request(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = [key.to_be_bytes(), version.to_be_bytes()].concat();
    frame.extend([0, 0, 0, 1, 0xff, 0xff]);
    if ApiKey::try_from(key)
        .expect("served")
        .request_header_version(version)
        >= 2
    {
        frame.push(0);
    }
    frame.extend(body);
    framed(&frame)
}

fn random_bytes(rng: &mut Rng, len: u64) -> Vec<u8> {
    (0..len).map(|_| rng.next() as u8).collect()
}

#[tokio::test(start_paused = true)]
async fn random_bytes_end_the_connection_and_nothing_else() {
    let server = server().await;
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let len = rng.below(300);
        let mut bytes = random_bytes(&mut rng, len);
        if rng.boolean() {
            // As a frame, so that it gets past the length.
            bytes = framed(&bytes);
        }
        let _ = attack(&server, &bytes).await;
    }
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn lengths_that_no_request_has_end_the_connection_before_anything_is_read() {
    let server = server().await;
    for length in [-1, i32::MIN, 0, 1, 9, (100 << 20) + 1, i32::MAX, 0x4745_5420] {
        let ended = attack(&server, &length.to_be_bytes()).await.unwrap_err();
        assert!(
            matches!(ended, ConnectionError::FrameLength(told) if told == length),
            "{length}: {ended}"
        );
    }
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn every_api_at_every_version_survives_random_messages() {
    let server = server().await;
    for api in supported_apis() {
        for version in ApiKey::try_from(api.key).unwrap().stable_versions() {
            for seed in 0..12 {
                let mut rng = Rng::new(seed << 32 | (api.key as u64) << 16 | version as u64);
                let len = rng.below(120);
                let mut body = random_bytes(&mut rng, len);
                // Small numbers look more like counts and lengths than random ones.
                if rng.boolean() {
                    body.iter_mut().for_each(|byte| *byte %= 4);
                }
                let _ = attack(&server, &request(api.key, version, &body)).await;
            }
        }
    }
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn requests_with_a_flipped_bit_or_cut_short_do_no_harm() {
    let server = server().await;
    let whole = {
        let batches = [(0, batch_of(&["a", "b"])), (5, batch_of(&["c"]))];
        let produce = encode_request(&produce_to("t", Uuid::ZERO, &batches), 12, 1, None);
        let fetch = encode_request(&fetch("t", Uuid::ZERO, &[(0, 0), (1, 7)]), 12, 2, None);
        let metadata = encode_request(&metadata_of(&["t", "u"], true), 12, 3, None);
        [produce, fetch, metadata].map(|frame| {
            let mut frame = frame.unwrap();
            frame.copy_to_bytes(frame.len())
        })
    };
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let mut bytes = whole[rng.below(3) as usize].to_vec();
        for _ in 0..=rng.below(3) {
            let at = 4 + rng.below(bytes.len() as u64 - 4) as usize;
            bytes[at] ^= 1 << rng.below(8);
        }
        if rng.below(3) == 0 {
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
        }
        let _ = attack(&server, &bytes).await;
    }
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn counts_beyond_all_measure_are_refused_without_the_memory_for_them() {
    let server = server().await;
    // Produce 3: no transaction, acks, timeout, then the count of topics.
    let mut body = vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1];
    for count in [i32::MAX, 1 << 24, -2, i32::MIN] {
        body.truncate(8);
        body.extend(count.to_be_bytes());
        body.extend([0; 64]);
        let frame = request(0, 3, &body);
        let mut ended = None;
        let measured = allocation_counter::measure(|| {
            // Only the decoder runs in here: the count is refused before anything is made of it.
            let bytes = Bytes::from(frame[14..].to_vec());
            ended = Some(ProduceRequest::decode_exact(&bytes, 3).is_err());
        });
        assert_eq!(ended, Some(true));
        assert!(measured.bytes_max < 1 << 20, "{}", measured.bytes_max);
        attack(&server, &frame).await.expect_err("it is malformed");
    }
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_dribbles_is_given_up_and_holds_nobody_up() {
    let server = server().await;
    let mut whole = encode_request(&produce("t", 0, batch_of(&["late"])), 12, 1, None).unwrap();
    let whole = whole.copy_to_bytes(whole.len());
    // In time: byte by byte, within what a frame may take.
    let (mut stream, _task) = server.connect_raw();
    for byte in whole.iter() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    // Too slow: each byte comes before the connection counts as idle, and it is given up all the same.
    let begun = Instant::now();
    let (mut stream, task) = server.connect_raw();
    for byte in whole.iter() {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let ended = task.await.unwrap().unwrap_err();
    assert!(matches!(ended, ConnectionError::Stalled), "{ended}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_cut_off_and_its_answers_are_let_go() {
    let server = server().await;
    let (mut stream, task) = server.connect_over(4 << 10);
    let mut frame = encode_request(&ApiVersionsRequest::default(), 0, 1, None).unwrap();
    let frame = frame.copy_to_bytes(frame.len());
    let begun = Instant::now();
    // It asks and asks: soon its answers fill the network, then its questions do.
    let mut asked = 0;
    while stream.write_all(&frame).await.is_ok() {
        asked += 1;
    }
    let ended = task.await.unwrap().unwrap_err();
    assert!(matches!(ended, ConnectionError::Stalled), "{ended}");
    assert!(
        begun.elapsed() <= Duration::from_secs(31),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        asked < 1_000,
        "{asked} requests were read without an answer taken"
    );
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_idle_connections_cost_little_and_hold_nobody_up() {
    const CONNECTIONS: usize = 10_000;
    let server = server().await;
    let mut idle = Vec::with_capacity(CONNECTIONS);
    for at in 0..CONNECTIONS {
        let (mut stream, task) = server.connect_over(64);
        // Some never say anything, some stop in the middle of a length, some in the middle of a frame.
        stream
            .write_all(&[0, 0, 1, 0, 0, 18, 0][..at % 8 % 7])
            .await
            .unwrap();
        idle.push((stream, task));
    }
    still_serves(&server).await;
    // Those that began a frame are given up, the silent ones stay until they count as idle.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let open = idle.iter().filter(|(_, task)| !task.is_finished()).count();
    assert!((1..CONNECTIONS / 2).contains(&open), "{open} open");
    still_serves(&server).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(idle.iter().all(|(_, task)| task.is_finished()));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_grows_beyond_all_measure_when_opened_is_refused() {
    let server = server().await;
    // Only a topic whose rules need the records opens a batch.
    server
        .topic("compacted", 1, &[("cleanup.policy", "compact")])
        .await;
    server
        .topic("recompressed", 1, &[("compression.type", "lz4")])
        .await;
    let mut client = server.connect();
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Snappy, Codec::Lz4] {
        let bomb = bomb(codec);
        assert!(bomb.len() < 1 << 20, "{codec:?}: {} bytes", bomb.len());
        for topic in ["compacted", "recompressed"] {
            if topic == "recompressed" && codec == Codec::Lz4 {
                continue; // Its own codec: it stays closed.
            }
            let response = client
                .call(PRODUCE_BY_NAME, &produce(topic, 0, bomb.clone()))
                .await;
            let code = produced(&response).error_code;
            let refused = [
                ErrorCode::CORRUPT_MESSAGE,
                ErrorCode::INVALID_RECORD,
                ErrorCode::MESSAGE_TOO_LARGE,
            ];
            assert!(
                refused.iter().any(|refusal| refusal.0 == code),
                "{codec:?} to {topic}: {code}"
            );
        }
    }
    still_serves(&server).await;
}

/// One record that says it is 16 MiB of zeros in well below a megabyte, with its record cut off: the batch claims more than it
/// holds, and every byte of it has to be unpacked to find out.
fn bomb(codec: Codec) -> Bytes {
    let zeros = "\0".repeat(if codec == Codec::Snappy { 8 << 20 } else { 16 << 20 });
    let honest = batch_with(BatchBuilder::new(codec), &[(Some("k"), &zeros)]);
    // Two records are told and one is there: what opens it must notice, and give back what it took.
    let mut lying = honest.to_vec();
    lying[57..61].copy_from_slice(&2_i32.to_be_bytes());
    lying[23..27].copy_from_slice(&1_i32.to_be_bytes());
    let crc = crc32c::crc32c(&lying[21..]);
    lying[17..21].copy_from_slice(&crc.to_be_bytes());
    lying.into()
}

#[tokio::test(start_paused = true)]
async fn sessions_remember_no_more_partitions_than_all_may_together() {
    let server = server().await;
    let mut client = server.connect();
    let mut opened = 0;
    // Each asks for as many partitions as fit a large request, over and over.
    let partitions: Vec<(i32, i64)> = (0..60_000).map(|partition| (partition, 0)).collect();
    for _ in 0..12 {
        let mut request = fetch("t", Uuid::ZERO, &partitions);
        request.session_epoch = 0;
        let response = client.call(FETCH_BY_NAME, &request).await;
        assert_eq!((response.error_code, fetched(&response).len()), (0, 60_000));
        opened += usize::from(response.session_id > 0);
    }
    assert!(
        (1..=8).contains(&opened),
        "{opened} sessions of 60,000 partitions"
    );
    assert_eq!(server.kafka.fetch_sessions(), opened);
    still_serves(&server).await;
}

#[tokio::test(start_paused = true)]
async fn many_attackers_at_once_do_not_keep_an_honest_client_from_its_order() {
    let server = server().await;
    let mut honest: Client = server.connect();
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let (mut stream, _task) = server.connect_raw();
        let len = rng.below(64);
        let bytes = framed(&random_bytes(&mut rng, len));
        stream.write_all(&bytes).await.unwrap();
        let response = honest
            .call(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["x"])))
            .await;
        assert_eq!(produced(&response).base_offset, seed as i64);
    }
}
