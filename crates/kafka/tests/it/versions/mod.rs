//! Every API that is advertised, at every version that is advertised: asked at that version, answered at it, without an error.

mod cluster;
mod groups;
mod records;
mod security;
mod share;
mod streams;
mod topics;
mod transactions;

use crate::harness::{Client, Server};
use millstream_kafka::supported_apis;
use millstream_kafka_wire::*;
use std::collections::BTreeSet;

/// What has been asked.
#[derive(Default)]
struct Covered(BTreeSet<i16>);

impl Covered {
    /// Asks at each version, newest last, and hands the answer to `check`.
    async fn each<M: Request>(
        &mut self,
        client: &mut Client,
        request: impl Fn(i16) -> M,
        check: impl Fn(i16, M::Response),
    ) {
        self.0.insert(M::KEY.code());
        for version in M::KEY.stable_versions() {
            let response = client.call(version, &request(version)).await;
            check(version, response);
        }
    }
}

fn name(text: &'static str) -> Str {
    Str::from_static(text)
}

async fn topic_id(client: &mut Client, topic: &str) -> Uuid {
    let described = client.ask(&crate::requests::metadata_of(&[topic], false)).await;
    described.topics[0].topic_id
}

#[tokio::test(start_paused = true)]
async fn every_advertised_version_of_every_api_is_answered_without_error() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    let id = topic_id(&mut client, "t").await;
    let mut covered = Covered::default();
    records::all(&mut covered, &mut client, id).await;
    topics::all(&mut covered, &mut client).await;
    cluster::all(&mut covered, &mut client).await;
    groups::all(&mut covered, &mut client, id).await;
    share::all(&mut covered, &mut client, id).await;
    streams::all(&mut covered, &mut client).await;
    transactions::all(&mut covered, &mut client).await;
    security::all(&mut covered).await;
    let advertised: BTreeSet<i16> = supported_apis().iter().map(|api| api.key).collect();
    assert_eq!(covered.0, advertised, "an API without a line here");
}
