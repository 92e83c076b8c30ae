//! The clients and the cases: which program runs which client, and what each is to report.

use crate::installs::{self, binary, java_classes, kafka_classpath, kafka_library, node_modules, sources};
use std::process::Command;

/// One stock client and the program that drives it.
pub struct Program {
    /// As in its `VERSION` line and in the names of its topics.
    pub name: &'static str,
    /// What it is, for the table.
    pub about: &'static str,
    /// Cases that it shares with others.
    pub cases: &'static [&'static str],
    /// Cases that only this program has.
    pub more_cases: &'static [&'static str],
    /// Brings the client onto the machine.
    pub install: fn() -> anyhow::Result<()>,
    /// The program, without the address of the broker.
    pub command: fn() -> Command,
}

/// What every client reports, in the order of the table.
pub const CASES: &[&str] = &[
    "create_topic",
    "list_topics",
    "describe_topic",
    "codec_none",
    "codec_gzip",
    "codec_snappy",
    "codec_lz4",
    "codec_zstd",
    "acks_0",
    "acks_1",
    "acks_all",
    "idempotent",
    "headers",
    "null_key_value",
    "group_rebalance",
    "commit_resume",
    "transaction",
    "transaction_offsets",
    "seek_by_time",
    "alter_configs",
    "create_partitions",
    "delete_records",
    "list_groups",
    "describe_group",
    "delete_group",
    "delete_topic",
];

/// Every client; the slowest first, so that the two lanes end together.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "kafka-tools",
        about: "Apache Kafka's command line tools",
        cases: CASES,
        more_cases: &["perf_tools", "end_to_end_latency", "verifiable_producer"],
        install: || installs::python_clients().and_then(|()| installs::kafka()),
        command: || python("kafka_tools_client.py"),
    },
    Program {
        name: "kafka-admin-tools",
        about: "Apache Kafka's tools for whoever runs a cluster",
        cases: &[],
        more_cases: &[
            "api_versions",
            "compatibility",
            "features",
            "quorum",
            "log_dirs",
            "reassign_partitions",
            "elect_leaders",
            "client_quotas",
            "ip_quotas",
            "client_metrics",
            "broker_configs",
            "reset_offsets",
        ],
        install: || installs::python_clients().and_then(|()| installs::kafka()),
        command: || python("kafka_admin_tools.py"),
    },
    Program {
        name: "kcat",
        about: "kcat, on Debian's librdkafka",
        cases: CASES,
        more_cases: &[],
        install: || installs::python_clients().and_then(|()| installs::kcat()),
        command: || python("kcat_client.py"),
    },
    Program {
        name: "confluent-kafka",
        about: "confluent-kafka for Python, on librdkafka",
        cases: CASES,
        more_cases: &["consumer_group", "consumer_group_upgrade"],
        install: installs::python_clients,
        command: || python("confluent_client.py"),
    },
    Program {
        name: "confluent-share-consumer",
        about: "confluent-kafka for Python, share groups",
        cases: &[],
        more_cases: &[
            "share_implicit",
            "share_explicit",
            "share_members",
            "share_delivery_limit",
            "share_killed_member",
        ],
        install: installs::python_clients,
        command: || python("confluent_share_client.py"),
    },
    Program {
        name: "kafka-python",
        about: "kafka-python",
        cases: CASES,
        more_cases: &[],
        install: installs::python_clients,
        command: || python("kafka_python_client.py"),
    },
    Program {
        name: "aiokafka",
        about: "aiokafka, for Python's asyncio",
        cases: CASES,
        more_cases: &[],
        install: installs::python_clients,
        command: || python("aiokafka_client.py"),
    },
    Program {
        name: "kafka-clients",
        about: "Apache Kafka's Java client",
        cases: CASES,
        more_cases: &[
            "consumer_group",
            "consumer_group_static",
            "consumer_group_pattern",
            "consumer_group_upgrade",
        ],
        install: || installs::kafka().and_then(|()| installs::java_program()),
        command: java,
    },
    Program {
        name: "kafka-share-consumer",
        about: "Apache Kafka's Java client, share groups",
        cases: &[],
        more_cases: &[
            "share_implicit",
            "share_explicit",
            "share_members",
            "share_delivery_limit",
            "share_renew",
            "share_dead_letters",
            "share_describe",
            "share_offsets",
        ],
        install: || installs::kafka().and_then(|()| installs::java_program()),
        command: java_share,
    },
    Program {
        name: "franz-go",
        about: "franz-go (kgo and kadm), for Go",
        cases: CASES,
        more_cases: &[],
        install: installs::go_clients,
        command: || Command::new(binary("franz")),
    },
    Program {
        name: "sarama",
        about: "Sarama, for Go",
        cases: CASES,
        more_cases: &[],
        install: installs::go_clients,
        command: || Command::new(binary("sarama")),
    },
    Program {
        name: "kafkajs",
        about: "kafkajs, for Node.js",
        cases: CASES,
        more_cases: &[],
        install: installs::node_clients,
        command: node,
    },
];

fn python(file: &str) -> Command {
    let mut command = Command::new(installs::python());
    command
        .arg(sources().join("python").join(file))
        .env("KAFKA_LIB", kafka_library())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn java() -> Command {
    java_program("KafkaClients")
}

fn java_program(class: &str) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-cp")
        .arg(format!("{}:{}", java_classes().display(), kafka_classpath()))
        .arg(class);
    command
}

fn java_share() -> Command {
    java_program("ShareClients")
}

fn node() -> Command {
    let mut command = Command::new("node");
    command
        .arg(sources().join("node/kafkajs.js"))
        .env("NODE_PATH", node_modules());
    command
}
