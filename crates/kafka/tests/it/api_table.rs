//! docs/APIS.md is the table of dispatch and nothing else.

use millstream_kafka::supported_apis;
use millstream_kafka_wire::ApiKey;
use std::fmt::Write;
use std::path::Path;

/// Set to rewrite the page instead of comparing it.
const REWRITE: &str = "MILLSTREAM_WRITE_DOCS";

const HEAD: &str = "\
# Kafka APIs

Which requests of Kafka's protocol are served, and in which versions. ApiVersions is derived from the same table in
`crates/kafka/src/dispatch.rs`; a client uses nothing that is not named there. Every version in this list is asked and answered
in `crates/kafka/tests/it/versions/`.

Made by a test; after a change write it anew with `MILLSTREAM_WRITE_DOCS=1 cargo test -p millstream-kafka --test it api_table`.

| Key | API | Versions | Remarks |
|----:|-----|----------|---------|
";

const FOOT: &str = "
A request of any other API or version ends its connection, as with Kafka; only ApiVersions answers a version that it does not
know, in version 0, so that the client can step down (KIP-511).
";

/// What a reader should know beside the versions.
fn remarks(key: ApiKey) -> &'static str {
    match key {
        ApiKey::Produce => {
            "Advertised from 0 on because librdkafka else turns compression off (KAFKA-18659); below 3 the connection ends, as \
             with Kafka 4. Every acks is answered once the batch is durable."
        }
        ApiKey::Fetch => {
            "Sessions (KIP-227) and topic ids (KIP-516). At least one batch a request, however large."
        }
        ApiKey::ListOffsets => {
            "Earliest, latest, by time, maximum timestamp, and the three positions of tiered storage."
        }
        ApiKey::Metadata => "Creates missing topics where the client and auto.create.topics.enable allow it.",
        ApiKey::CreateTopics => {
            "Any replication factor is accepted, and 1 is shown: copies are the object store's business."
        }
        ApiKey::FindCoordinator => "Groups and transactions.",
        ApiKey::JoinGroup => {
            "Classic protocol: static members, cooperative rebalance, member ids in two steps (KIP-394)."
        }
        ApiKey::DescribeConfigs => {
            "Topics, brokers and client metrics, with synonyms, types and documentation."
        }
        ApiKey::DescribeLogDirs => "One directory.",
        ApiKey::AlterReplicaLogDirs => "There is one directory: a partition is there, or nowhere.",
        ApiKey::ElectLeaders => "Never needed: a partition's owner is the preferred one.",
        ApiKey::AlterPartitionReassignments => {
            "A partition has one owner; an assignment to it holds at once, any other is refused."
        }
        ApiKey::ListPartitionReassignments => "Never any.",
        ApiKey::UnregisterBroker => "No broker that has gone is on the list; one that is alive is refused.",
        ApiKey::AlterClientQuotas => {
            "Users, clients and addresses; an address is written as digits, names are not resolved."
        }
        ApiKey::DescribeQuorum => "One voter; the offset is the revision of the metadata.",
        ApiKey::UpdateFeatures => {
            "All changes or none. Levels are kept and told; see `crates/kafka/src/features.rs`."
        }
        ApiKey::GetTelemetrySubscriptions | ApiKey::PushTelemetry => {
            "Client metrics (KIP-714), shown on `/metrics` as `millstream_client_metric`."
        }
        ApiKey::ListConfigResources => "Topics, brokers, groups and client metrics.",
        ApiKey::SaslHandshake => {
            "On listeners that ask for a login; after version 0 the mechanism's messages travel bare."
        }
        ApiKey::SaslAuthenticate => {
            "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 (with delegation tokens), OAUTHBEARER; logins that are renewed (KIP-368)."
        }
        ApiKey::DescribeAcls | ApiKey::CreateAcls | ApiKey::DeleteAcls => {
            "SECURITY_DISABLED unless authorizer.class.name is set."
        }
        ApiKey::AlterUserScramCredentials => "Only keys that follow from the salted password are kept.",
        ApiKey::CreateDelegationToken
        | ApiKey::RenewDelegationToken
        | ApiKey::ExpireDelegationToken
        | ApiKey::DescribeDelegationToken => {
            "DELEGATION_TOKEN_AUTH_DISABLED unless security.token_key_file is set."
        }
        ApiKey::DescribeCluster => "Endpoints of brokers only.",
        _ => remarks_of_groups(key),
    }
}

fn remarks_of_groups(key: ApiKey) -> &'static str {
    match key {
        ApiKey::ShareGroupHeartbeat => {
            "Members are spread over partitions as Kafka's assignor `simple` does."
        }
        ApiKey::ShareFetch => {
            "Acknowledgements travel along. Whole batches, or exact numbers of records (KIP-1206); whoever waits is woken."
        }
        ApiKey::ShareAcknowledge => "Accept, release, reject, renew (KIP-1222); answered when durable.",
        ApiKey::AlterShareGroupOffsets => "What became of records above the new start is forgotten.",
        ApiKey::StreamsGroupHeartbeat => {
            "Topics of the application are made at once, with the rights of who asks. No static members, patterns or warm-up \
             tasks, as in Kafka."
        }
        _ => remarks_of_transactions(key),
    }
}

fn remarks_of_transactions(key: ApiKey) -> &'static str {
    match key {
        ApiKey::InitProducerId => {
            "Idempotent and transactional producers. Two-phase commit for others (KIP-939) is not final."
        }
        ApiKey::AddPartitionsToTxn => {
            "Clients up to version 3; from 4 on it is for brokers. With transaction.version 2 the first batch adds its partition."
        }
        ApiKey::EndTxn => "Answered once the decision is durable; the markers follow.",
        ApiKey::WriteTxnMarkers => {
            "For tools that end a transaction which no coordinator knows (`kafka-transactions.sh abort`)."
        }
        _ => "",
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for api in supported_apis() {
        let key = ApiKey::try_from(api.key).expect("served, so known");
        let (low, high) = api.versions.into_inner();
        let versions = if low == high {
            low.to_string()
        } else {
            format!("{low} to {high}")
        };
        let remarks = remarks(key);
        let gap = if remarks.is_empty() { "" } else { " " };
        writeln!(
            page,
            "| {} | {} | {versions} |{gap}{remarks} |",
            api.key, api.name
        )
        .expect("text grows");
    }
    page + FOOT
}

#[test]
fn the_page_of_apis_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/APIS.md");
    let expected = page();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &expected).expect("docs/ can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/APIS.md is out of date: run this test with {REWRITE}=1"
    );
}
