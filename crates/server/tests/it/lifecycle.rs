//! Coming up, going down, and the errors that a user meets in between.

use crate::process::{Broker, Folder, failed, millstream, succeeded};
use std::net::TcpListener;

#[test]
fn a_broker_needs_two_ports_and_a_directory_and_stops_in_good_order() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    assert!(
        broker
            .line
            .ends_with(&format!("data in {}\n", folder.path().display())),
        "{}",
        broker.line
    );
    assert_eq!(broker.get("/health").0, "HTTP/1.1 200 OK");
    assert_eq!(broker.get("/ready").0, "HTTP/1.1 200 OK");
    let (_, metrics) = broker.get("/metrics");
    assert!(metrics.contains("\nmillstream_connections 0"), "{metrics}");
    let (_, about) = broker.get("/api/v1/broker");
    let about: serde_json::Value = serde_json::from_str(&about).expect("JSON");
    assert_eq!(about["kafka_listeners"][0], broker.kafka.as_str());
    assert!(broker.get("/").1.contains("<title>Millstream</title>"));
    assert!(broker.stop().success(), "a clean end is exit code 0");
}

/// The metadata store was closed under the task that follows it, which said at each stop that it could not.
#[test]
fn a_clean_stop_says_nothing_alarming() {
    let folder = Folder::new();
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).expect("a file");
    let flags = ["--kafka-listen", "127.0.0.1:0"];
    let broker = Broker::start_logging(&folder.path().join("data"), &flags, log.into());
    succeeded(broker.run_with(&["produce", "t"], b"1\n"));
    assert!(broker.stop().success());
    let log = std::fs::read_to_string(&path).expect("text");
    assert!(log.contains("stopped"), "{log}");
    // The limit of open files is the machine's.
    let of_ours = |line: &&str| !line.contains("the limit of open files");
    let alarming = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    let alarms: Vec<&str> = log.lines().filter(of_ours).filter(alarming).collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[test]
fn two_brokers_do_not_share_a_directory_or_a_port() {
    let folder = Folder::new();
    let broker = Broker::start(folder.path());
    let serve = |data: &std::path::Path, kafka: &str| {
        let mut command = millstream();
        command
            .args([
                "serve",
                "--admin-listen",
                "127.0.0.1:0",
                "--kafka-listen",
                kafka,
                "--data-dir",
            ])
            .arg(data);
        failed(&command.output().expect("the binary starts"))
    };
    let error = serve(folder.path(), "127.0.0.1:0");
    assert!(
        error.contains("is in use by another process") && error.contains("--data-dir"),
        "{error}"
    );
    let other = Folder::new();
    let error = serve(other.path(), &broker.kafka);
    assert!(
        error.contains("the port is taken") && error.contains("--kafka-listen"),
        "{error}"
    );
}

#[test]
fn a_mistake_in_the_settings_is_one_line_that_says_where() {
    let folder = Folder::new();
    let file = folder.path().join("m.toml");
    std::fs::write(&file, "[log]\nflsh = \"sync\"\n").expect("written");
    let mut command = millstream();
    command.args(["serve", "--config"]).arg(&file);
    let error = failed(&command.output().expect("the binary starts"));
    assert!(
        error.contains("m.toml:2: there is no setting log.flsh; did you mean log.flush?"),
        "{error}"
    );
    let mut command = millstream();
    command.arg("serve").env("MILLSTREAM_LOG_FLUSH", "never");
    let error = failed(&command.output().expect("the binary starts"));
    assert!(
        error.contains("MILLSTREAM_LOG_FLUSH") && error.contains("sync, async"),
        "{error}"
    );
}

#[test]
fn what_holds_is_shown_with_its_source() {
    let mut command = millstream();
    command.args(["config", "show", "--log-flush", "async"]);
    let shown = String::from_utf8(succeeded(command.output().expect("the binary starts"))).expect("text");
    assert!(shown.contains("flush = \"async\"  # flag --log-flush"), "{shown}");
}

#[test]
fn a_client_without_a_broker_is_told_so() {
    // A port that was free a moment ago, on which nobody listens.
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let mut command = millstream();
    command.args(["topic", "list", "--bootstrap", &free.to_string()]);
    let error = failed(&command.output().expect("the binary starts"));
    assert!(error.contains("is a broker running there?"), "{error}");
}
