//! The command line's pure parts: what is parsed, what is printed.

use super::format::{Format, Piece, base64};
use super::show::{counted, table_text};
use super::start_at::StartAt;
use crate::cli::{Cli, Command};
use crate::client::offsets::TopicPartition;
use clap::{CommandFactory, Parser};
use millstream_log::batch::{BatchBuilder, Codec, NewRecord};
use std::time::Duration;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn serve_needs_no_flag_and_has_one_for_each_setting() {
    assert!(parse("millstream serve").is_ok());
    let cli =
        parse("millstream serve --data-dir d --kafka-listen [::1]:1 --admin-listen a:2 --log-flush async")
            .unwrap();
    let Command::Serve(args) = cli.command else {
        panic!("serve was asked for");
    };
    let given: Vec<&str> = args.settings.0.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(given, ["d", "[::1]:1", "a:2", "async"]);
    let error = parse("millstream serve --kafka-lisen x")
        .expect_err("no such flag")
        .to_string();
    assert!(error.contains("--kafka-listen"), "{error}");
}

#[test]
fn clients_take_their_flags_before_and_after_the_subcommand() {
    for line in [
        "millstream topic -b h:1 list --json",
        "millstream topic list --json -b h:1",
    ] {
        let Command::Topic(args) = parse(line).unwrap().command else {
            panic!("topic was asked for");
        };
        assert_eq!(args.connect.bootstrap.to_string(), "h:1");
        assert!(args.connect.json);
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    for line in [
        "millstream topic create",
        "millstream topic create t --partitions 0",
        "millstream topic create t --config nonsense",
        "millstream produce t --acks 2",
        "millstream produce t --key a --key-separator b",
        "millstream produce t --batch-bytes many",
        "millstream consume",
        "millstream consume t --from yesterday",
        "millstream consume t --group g --partition 1",
        "millstream consume t --format nothing",
        "millstream group reset g",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
    for line in [
        "millstream consume t --from -10",
        "millstream group reset g --to -10",
        "millstream consume t -F %s\\n",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn places_are_read_as_people_write_them() {
    let cases = [
        ("beginning", StartAt::Beginning),
        ("latest", StartAt::End),
        ("42", StartAt::Offset(42)),
        ("-10", StartAt::BeforeEnd(10)),
        ("1h", StartAt::Ago(Duration::from_secs(3_600))),
        ("@1500", StartAt::Time(1_500)),
        ("1970-01-02", StartAt::Time(86_400_000)),
        ("2026-11-21T10:00:00Z", StartAt::Time(1_795_255_200_000)),
        ("2026-11-21T11:00:00.25+01:00", StartAt::Time(1_795_255_200_250)),
        ("2000-02-29 00:00", StartAt::Time(951_782_400_000)),
    ];
    for (text, place) in cases {
        assert_eq!(text.parse(), Ok(place), "{text}");
    }
    for text in [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-11-21T25:00:00Z",
        "@",
        "1 parsec",
    ] {
        assert!(text.parse::<StartAt>().is_err(), "{text}");
    }
}

#[test]
fn a_format_of_ones_own_is_read_in_pieces() {
    let format: Format = "%t/%p:%o\\n100%%".parse().unwrap();
    let literal = |text: &str| Piece::Literal(text.as_bytes().to_vec());
    let pieces = vec![
        Piece::Topic,
        literal("/"),
        Piece::Partition,
        literal(":"),
        Piece::Offset,
        literal("\n100%"),
    ];
    assert_eq!(format, Format::Custom(pieces));
    assert!(
        "%z".parse::<Format>().is_err()
            && "%s\\z".parse::<Format>().is_err()
            && "%".parse::<Format>().is_err()
    );
}

#[test]
fn records_are_written_in_every_format_and_bytes_are_not_lost() {
    let mut builder = BatchBuilder::new(Codec::None);
    let headers: [(&[u8], Option<&[u8]>); 2] = [(b"h", Some(b"1")), (b"h", None)];
    let record = NewRecord {
        timestamp: 7,
        key: Some(b"k"),
        value: Some(&[0xff, 0x00]),
        headers: &headers,
    };
    builder.push(&record).unwrap();
    let batch = builder.finish().unwrap();
    let records = batch.records(1 << 20).unwrap();
    let record = records.iter().next().unwrap().unwrap();
    let place = TopicPartition {
        topic: "t".to_owned(),
        partition: 3,
    };
    let written = |format: &str| {
        let mut out = Vec::new();
        format
            .parse::<Format>()
            .unwrap()
            .write(&mut out, &place, &record)
            .unwrap();
        out
    };
    assert_eq!(written("value"), [0xff, 0x00, b'\n']);
    assert_eq!(written("raw"), [0xff, 0x00]);
    assert_eq!(written("key-value"), [b'k', b'\t', 0xff, 0x00, b'\n']);
    assert_eq!(written("%t %p %o %T %k %K %S [%h]"), b"t 3 0 7 k 1 2 [h=1,h=]");
    let json: serde_json::Value = serde_json::from_slice(&written("json")).unwrap();
    let expected = serde_json::json!({
        "topic": "t", "partition": 3, "offset": 0, "timestamp": 7, "key": "k",
        "value": { "base64": "/wA=" }, "headers": [["h", "1"], ["h", null]],
    });
    assert_eq!(json, expected);
}

#[test]
fn base64_is_that_of_the_rfc() {
    for (plain, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        assert_eq!(base64(plain.as_bytes()), encoded);
    }
}

#[test]
fn tables_are_aligned_and_numbers_stand_right() {
    let rows = vec![
        vec!["a".to_owned(), "1".to_owned()],
        vec!["long".to_owned(), "1000".to_owned()],
    ];
    assert_eq!(
        table_text(&["NAME", "N"], &rows),
        "NAME     N\na        1\nlong  1000\n"
    );
    assert_eq!(counted(1, "record"), "1 record");
    assert_eq!(counted(0, "record"), "0 records");
}
