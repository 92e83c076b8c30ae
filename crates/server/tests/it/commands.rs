//! The command line against a real broker: every record comes back as it went in, and errors lose nothing.

use crate::process::{Broker, Folder, failed, succeeded};
use serde_json::Value;

/// Lines of several lengths, an empty one among them.
fn lines(count: usize) -> Vec<u8> {
    let line = |n: usize| format!("{n} {}\n", "x".repeat(n * 7 % 900));
    (0..count)
        .map(line)
        .chain(["\n".to_owned()])
        .collect::<String>()
        .into_bytes()
}

fn from_start(topic: &str) -> [&str; 5] {
    ["consume", topic, "--from", "beginning", "--until-end"]
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn what_was_acknowledged_is_read_back_after_a_clean_end_and_after_a_kill() {
    let folder = Folder::new();
    let input = lines(5_000);
    let mut broker = Broker::start(folder.path());
    succeeded(broker.run(&["topic", "create", "lines", "--partitions", "1"]));
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let produce = ["produce", "lines", "--codec", codec, "--batch-bytes", "64KiB"];
        succeeded(broker.run_with(&produce, &input));
    }
    let expected = input.repeat(5);
    assert!(succeeded(broker.run(&from_start("lines"))) == expected);
    assert!(broker.stop().success());
    broker = Broker::start(folder.path());
    assert!(
        succeeded(broker.run(&from_start("lines"))) == expected,
        "after a clean end"
    );
    broker.kill();
    broker = Broker::start(folder.path());
    assert!(
        succeeded(broker.run(&from_start("lines"))) == expected,
        "after a kill"
    );
}

#[test]
fn keys_headers_and_nulls_come_back_as_they_went_in() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    let produce = [
        "produce",
        "t",
        "-K",
        ":",
        "-H",
        "who=me",
        "--empty-is-null",
        "--json",
    ];
    let summary = json(&succeeded(broker.run_with(&produce, b"a:1\nb:\nc:x:y\n")));
    assert_eq!(summary["records"], 3);
    let shown = succeeded(broker.run(&[&from_start("t")[..], &["--format", "%k=%s %S [%h]\\n"]].concat()));
    assert_eq!(
        String::from_utf8_lossy(&shown),
        "a=1 1 [who=me]\nb= -1 [who=me]\nc=x:y 3 [who=me]\n"
    );
    let shown = succeeded(broker.run(&["consume", "t", "--from", "-1", "--until-end", "--json"]));
    assert_eq!(json(&shown)["value"], "x:y");
}

#[test]
fn a_whole_file_is_one_record() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    let file = folder.path().join("one.bin");
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&file, &bytes).expect("written");
    let path = file.to_str().expect("an ASCII path");
    succeeded(broker.run(&["produce", "files", path, "--whole-file"]));
    assert!(succeeded(broker.run(&[&from_start("files")[..], &["--format", "raw"]].concat())) == bytes);
    let error = failed(&broker.run(&["produce", "files", "/no/such/file"]));
    assert!(error.contains("/no/such/file"), "{error}");
}

#[test]
fn topics_are_created_described_altered_and_deleted() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    succeeded(broker.run(&["topic", "create", "t", "-p", "2", "-c", "retention.ms=60000"]));
    let error = failed(&broker.run(&["topic", "create", "t"]));
    assert!(error.contains("TOPIC_ALREADY_EXISTS"), "{error}");
    succeeded(broker.run(&["topic", "create", "t", "--if-not-exists"]));
    succeeded(broker.run(&[
        "topic",
        "alter",
        "t",
        "-p",
        "3",
        "-c",
        "cleanup.policy=compact",
        "--unset",
        "retention.ms",
    ]));
    let described = json(&succeeded(broker.run(&["topic", "describe", "t", "--json"])));
    assert_eq!(described["partitions"].as_array().map(Vec::len), Some(3));
    assert_eq!(described["configs"][0]["name"], "cleanup.policy");
    assert_eq!(
        described["configs"].as_array().map(Vec::len),
        Some(1),
        "retention.ms is the default again"
    );
    let error = failed(&broker.run(&["topic", "alter", "t", "-c", "no.such.setting=1"]));
    assert!(error.contains("no.such.setting"), "{error}");
    let (_, over_http) = broker.get("/api/v1/topics/t");
    assert_eq!(
        json(over_http.as_bytes())["partition_list"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    succeeded(broker.run(&["topic", "delete", "t"]));
    let error = failed(&broker.run(&["topic", "describe", "t"]));
    assert!(error.contains("there is no such topic"), "{error}");
    assert_eq!(
        json(&succeeded(broker.run(&["topic", "list", "--json"]))),
        Value::Array(Vec::new())
    );
}

#[test]
fn a_group_goes_on_where_it_committed_also_after_a_kill() {
    let folder = Folder::new();
    let flags = [
        "--kafka-listen",
        "localhost:0",
        "--set",
        "group.initial.rebalance.delay.ms=0",
    ];
    let mut broker = Broker::start_with(folder.path(), &flags);
    succeeded(broker.run_with(&["produce", "t"], b"1\n2\n3\n4\n5\n"));
    let consume = [
        "consume",
        "t",
        "--group",
        "g",
        "--from",
        "beginning",
        "--max-messages",
        "2",
    ];
    assert_eq!(succeeded(broker.run(&consume)), b"1\n2\n");
    assert_eq!(succeeded(broker.run(&consume)), b"3\n4\n");
    broker.kill();
    broker = Broker::start_with(folder.path(), &flags);
    let described = json(&succeeded(broker.run(&["group", "describe", "g", "--json"])));
    assert_eq!(
        (&described["lag"], &described["offsets"][0]["committed"]),
        (&Value::from(1), &Value::from(4))
    );
    let (_, over_http) = broker.get("/api/v1/groups/g");
    assert_eq!(json(over_http.as_bytes())["lag"], 1);
    let dry = succeeded(broker.run(&["group", "reset", "g", "--to", "beginning", "--dry-run"]));
    assert!(String::from_utf8_lossy(&dry).contains("nothing was changed"));
    succeeded(broker.run(&["group", "reset", "g", "--to", "-3"]));
    assert_eq!(succeeded(broker.run(&consume)), b"3\n4\n");
    succeeded(broker.run(&["group", "delete", "g"]));
    let error = failed(&broker.run(&["group", "describe", "g"]));
    assert!(error.contains("GROUP_ID_NOT_FOUND"), "{error}");
}

#[test]
fn a_consumer_stops_when_its_output_is_closed() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    succeeded(broker.run_with(&["produce", "t"], &lines(20_000)));
    let script = format!(
        "'{}' consume t --from beginning --bootstrap {} | head -n 1",
        env!("CARGO_BIN_EXE_millstream"),
        broker.kafka
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .expect("a shell");
    assert_eq!(output.stdout, b"0 \n");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
