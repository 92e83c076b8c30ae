//! Every message of every version is compared with the crate `kafka-protocol`: what we write it reads, it writes the same bytes
//! again, and those bytes we read as the value that we began with. Byte for byte, so that both directions are covered at once.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message as TheirMessage};
use millstream_kafka_wire::testing::{self, Arbitrary, Rng};
use millstream_kafka_wire::{self as ours, ApiKey, Message, Reader, Request, RequestHeader, Response, Str};
use std::collections::BTreeSet;

/// Random values a message and version; enough that each field is seen empty, null, full and at its edges.
const VALUES: u64 = 40;

/// What `kafka-protocol` 0.18 (Kafka 4.1) does not carry.
const BEYOND_ORACLE: &[&str] = &[
    "ListOffsetsRequest 11",
    "ListOffsetsResponse 11",
    "OffsetCommitRequest 10",
    "OffsetFetchRequest 10",
    "InitProducerIdRequest 6",
    "WriteTxnMarkersRequest 2",
    "WriteTxnMarkersResponse 2",
    "DescribeLogDirsRequest 5",
    "DescribeLogDirsResponse 5",
    "ShareFetchRequest 2",
    "ShareFetchResponse 2",
    "ShareAcknowledgeRequest 2",
    "ShareAcknowledgeResponse 2",
    "StreamsGroupHeartbeatRequest 0",
    "StreamsGroupHeartbeatResponse 0",
    "StreamsGroupDescribeRequest 0",
    "StreamsGroupDescribeResponse 0",
    "DescribeShareGroupOffsetsRequest 1",
    "DescribeShareGroupOffsetsResponse 1",
];

/// Compares one message at all versions that both know; answers the versions that only we know.
fn compare<Ours, Theirs>(name: &str) -> Vec<String>
where
    Ours: Message + Arbitrary,
    Theirs: TheirMessage + Encodable + Decodable,
{
    let mut beyond = Vec::new();
    for version in Ours::VERSION_MIN..=Ours::VERSION_MAX {
        if !(Theirs::VERSIONS.min..=Theirs::VERSIONS.max).contains(&version) {
            beyond.push(format!("{name} {version}"));
            continue;
        }
        for seed in 0..VALUES {
            let case = format!("{name} version {version} seed {seed}");
            let value: Ours = testing::message(&mut Rng::new(seed), version);
            let written = value.encode_to_bytes(version).expect(&case);
            assert_eq!(
                Ours::decode_exact(&written, version).as_ref(),
                Ok(&value),
                "{case}"
            );

            let mut rest = written.clone();
            let read = Theirs::decode(&mut rest, version).expect(&case);
            assert!(rest.is_empty(), "{case}: the oracle left bytes over");
            let mut again = BytesMut::new();
            read.encode(&mut again, version).expect(&case);
            assert_eq!(again.freeze(), written, "{case}: {value:?}");
        }
    }
    beyond
}

macro_rules! compare_all {
    ($($api:ident $request:ident $response:ident;)*) => {{
        let mut beyond: Vec<String> = Vec::new();
        $(compare_api!(beyond $api $request $response);)*
        beyond
    }};
}

macro_rules! compare_api {
    ($beyond:ident StreamsGroupHeartbeat $request:ident $response:ident) => {
        $beyond.push(concat!(stringify!($request), " 0").to_owned());
        $beyond.push(concat!(stringify!($response), " 0").to_owned());
    };
    ($beyond:ident StreamsGroupDescribe $request:ident $response:ident) => {
        $beyond.push(concat!(stringify!($request), " 0").to_owned());
        $beyond.push(concat!(stringify!($response), " 0").to_owned());
    };
    ($beyond:ident $api:ident $request:ident $response:ident) => {
        $beyond.extend(compare::<ours::$request, theirs::$request>(stringify!($request)));
        $beyond.extend(compare::<ours::$response, theirs::$response>(stringify!(
            $response
        )));
    };
}

#[test]
fn every_message_and_version_agrees_with_the_oracle() {
    let beyond = ours::for_each_api!(compare_all);
    assert_eq!(
        beyond, BEYOND_ORACLE,
        "versions without an oracle are listed by hand"
    );
}

#[test]
fn consumer_protocol_agrees_with_the_oracle() {
    let subscription =
        compare::<ours::ConsumerProtocolSubscription, theirs::ConsumerProtocolSubscription>("");
    let assignment = compare::<ours::ConsumerProtocolAssignment, theirs::ConsumerProtocolAssignment>("");
    assert!(subscription.is_empty() && assignment.is_empty());
}

/// Reads recorded bytes and writes them again, for the message called `name`.
fn rewrite(name: &str, version: i16, bytes: &Bytes) -> Bytes {
    macro_rules! find {
        ($($api:ident $request:ident $response:ident;)*) => {
            match name {
                $(
                    stringify!($request) => again::<ours::$request>(version, bytes),
                    stringify!($response) => again::<ours::$response>(version, bytes),
                )*
                _ => panic!("{name} is no message"),
            }
        };
    }
    ours::for_each_api!(find)
}

fn again<M: Message>(version: i16, bytes: &Bytes) -> Bytes {
    M::decode_exact(bytes, version)
        .unwrap()
        .encode_to_bytes(version)
        .unwrap()
}

#[test]
fn what_the_oracle_lacks_agrees_with_recorded_messages_of_kafka() {
    let mut seen = BTreeSet::new();
    for line in include_str!("golden/kafka-4.3.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, version, hex] = words.as_slice() else {
            panic!("{line}")
        };
        let digits = (0..hex.len()).step_by(2);
        let bytes: Bytes = digits
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(
            rewrite(name, version.parse().unwrap(), &bytes),
            bytes,
            "{name} {version}"
        );
        seen.insert(format!("{name} {version}"));
    }
    assert_eq!(
        seen,
        BEYOND_ORACLE.iter().map(|known| (*known).to_owned()).collect()
    );
}

/// A whole request and response frame of one API through the oracle's headers.
fn headers<Req: Request + Arbitrary>()
where
    Req::Response: Arbitrary,
{
    for version in Req::KEY.versions() {
        let (key, mut rng) = (Req::KEY, Rng::new(7));
        let body: Req = testing::message(&mut rng, version);
        let frame = ours::encode_request(&body, version, 77, Some(Str::from("me"))).unwrap();
        let mut frame = contiguous(frame);
        let header_version = key.request_header_version(version);
        let mut rest = frame.split_off(4);
        assert_eq!(
            frame[..],
            u32::try_from(rest.len()).unwrap().to_be_bytes(),
            "{key} {version}"
        );
        assert_eq!(RequestHeader::peek(&rest), Some((key.code(), version, 77)));
        let mut reader = Reader::new(&rest);
        let ours = RequestHeader::read(&mut reader).unwrap();
        let after = reader.remaining();
        let theirs = theirs::RequestHeader::decode(&mut rest, header_version).unwrap();
        assert_eq!(
            rest.len(),
            after,
            "{key} {version}: both headers end at one place"
        );
        assert_eq!(
            (theirs.request_api_key, theirs.request_api_version),
            (key.code(), version)
        );
        assert_eq!(
            (theirs.correlation_id, theirs.client_id.as_deref()),
            (77, Some("me"))
        );
        assert_eq!((ours.correlation_id, ours.client_id.as_deref()), (77, Some("me")));

        let body: Req::Response = testing::message(&mut rng, version);
        let mut rest = contiguous(ours::encode_response(&body, version, -3).unwrap()).split_off(4);
        assert_eq!(
            ours::decode_response(&rest, version),
            Ok((-3, body)),
            "{key} {version}"
        );
        let header_version = <Req::Response as Response>::KEY.response_header_version(version);
        let theirs = theirs::ResponseHeader::decode(&mut rest, header_version).unwrap();
        assert_eq!(theirs.correlation_id, -3);
    }
}

fn contiguous(frame: ours::Frame) -> Bytes {
    frame.into_chunks().concat().into()
}

#[test]
fn frames_and_headers_agree_with_the_oracle() {
    macro_rules! all {
        ($($api:ident $request:ident $response:ident;)*) => {
            $(headers::<ours::$request>();)*
        };
    }
    ours::for_each_api!(all);
}

#[test]
fn header_versions_agree_with_the_oracle() {
    for key in ApiKey::ALL {
        let Ok(theirs) = theirs::ApiKey::try_from(key.code()) else {
            continue;
        };
        let known = theirs.valid_versions();
        for version in key
            .versions()
            .filter(|version| (known.min..=known.max).contains(version))
        {
            assert_eq!(
                key.request_header_version(version),
                theirs.request_header_version(version),
                "{key}"
            );
            assert_eq!(
                key.response_header_version(version),
                theirs.response_header_version(version),
                "{key}"
            );
        }
    }
}
