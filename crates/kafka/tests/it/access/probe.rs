//! One request of one API without its types: how it is sent, and where its answer carries the code.

use crate::harness::{Client, Server, frame_of};
use crate::mechanisms::know_users;
use bytes::Bytes;
use millstream_broker::security::{Operation, Principal, ResourceType, TokenKey};
use millstream_broker::testing::World;
use millstream_kafka::{ConnectionError, Right, rights_of};
use millstream_kafka_wire::*;
use std::time::Duration;

/// Codes of Kafka that refuse for want of a right.
pub const TOPIC: i16 = 29;
pub const GROUP: i16 = 30;
pub const CLUSTER: i16 = 31;
pub const TRANSACTION: i16 = 53;
pub const TOKEN: i16 = 65;
/// Kafka's ILLEGAL_SASL_STATE.
const ILLEGAL_STATE: i16 = 34;
/// At the newest version that is served.
const NEWEST: i16 = i16::MAX;
/// No code of Kafka: the answer has none and leaves out what the asker may not know of.
pub const HIDDEN: i16 = -100;

/// Everything by which an answer says that a right is missing.
pub const REFUSALS: &[i16] = &[TOPIC, GROUP, CLUSTER, TRANSACTION, TOKEN, HIDDEN];

/// Whether this is what is to come of it where the proof of a login is due.
type Disturbed = dyn Fn(Option<&Bytes>) -> bool;

/// A request, and what is to come of it.
pub struct Probe {
    pub key: ApiKey,
    /// What of the API's rights is granted all the same: the refusal is for want of the others.
    pub given: &'static [Right],
    /// The answer without the right; of an API that asks for none, the answer to everybody.
    pub refused: i16,
    encode: Box<dyn Fn(i32) -> Frame>,
    judge: Box<dyn Fn(&Bytes) -> i16>,
    disturbs: Box<Disturbed>,
}

impl Probe {
    pub async fn send(&self, client: &mut Client) {
        client.send_frame(&self.encode).await;
    }

    /// The code in the next answer.
    pub async fn receive(&self, client: &mut Client) -> i16 {
        let frame = client.receive_frame().await.expect("an answer");
        (self.judge)(&frame)
    }

    /// Sends it where the proof of a login is due: ILLEGAL_SASL_STATE where the answer has a place for it, or nothing, and the end.
    pub async fn disturb(&self, mut client: Client) -> (bool, Result<(), ConnectionError>) {
        self.send(&mut client).await;
        let answer = client.receive_frame().await;
        let as_expected = (self.disturbs)(answer.as_ref());
        if answer.is_some() {
            assert!(client.receive_frame().await.is_none(), "{}", self.key.name());
        }
        (as_expected, client.ended().await)
    }

    pub async fn ask(&self, client: &mut Client) -> i16 {
        self.send(client).await;
        self.receive(client).await
    }

    pub fn rights(&self) -> &'static [Right] {
        rights_of(self.key).unwrap_or_else(|| panic!("{} has no row of rights", self.key.name()))
    }

    /// With these of the API's rights.
    pub fn given(mut self, rights: &'static [Right]) -> Self {
        self.given = rights;
        self
    }
}

/// A request at the newest version, answered `refused` for want of a right, in the place that `code` looks at.
pub fn probe<R: Request + 'static>(
    refused: i16,
    request: R,
    code: impl Fn(&R::Response) -> i16 + 'static,
) -> Probe {
    probe_at(NEWEST, refused, request, code)
}

/// The same at a version.
pub fn probe_at<R: Request + 'static>(
    version: i16,
    refused: i16,
    request: R,
    code: impl Fn(&R::Response) -> i16 + 'static,
) -> Probe {
    let version = version.min(*R::KEY.stable_versions().end());
    Probe {
        key: R::KEY,
        given: &[],
        refused,
        encode: Box::new(move |id| frame_of(&request, version, id)),
        judge: Box::new(move |frame| {
            let (_, answer) = decode_response(frame, version).expect("the answer decodes at its version");
            code(&answer)
        }),
        disturbs: Box::new(move |frame| {
            let expected = <R::Response as Response>::refused(ILLEGAL_STATE, version);
            expected == frame.map(|frame| decode_response(frame, version).expect("it decodes").1)
        }),
    }
}

/// The code, or that the answer shows nothing.
pub fn unless_hidden(code: i16, shows_nothing: bool) -> i16 {
    match (code, shows_nothing) {
        (0, true) => HIDDEN,
        _ => code,
    }
}

/// A broker on which there is one thing of each kind, all made by somebody else.
pub struct Stage {
    pub server: Server,
    /// Of the topic `t`.
    pub topic: Uuid,
    /// The secret of a token of the user `another`.
    pub token: Bytes,
}

impl Stage {
    pub async fn new() -> Self {
        let mut world = World::new(super::ON);
        let day = Duration::from_secs(86_400);
        world.authenticators.token_key = Some(TokenKey::new("a secret of the test", 7 * day, day));
        know_users(&mut world);
        let server = Server::over(world, |_| {}).await;
        server.topic("t", 1, &[]).await;
        let topic = Uuid(server.broker.topic("t").expect("it was made").id().0);
        let token = token_of_another(&server).await;
        make_group(&server, topic).await;
        make_share_group(&server).await;
        make_transaction(&server).await;
        Self { server, topic, token }
    }
}

async fn token_of_another(server: &Server) -> Bytes {
    let create = CreateDelegationTokenRequest {
        max_lifetime_ms: -1,
        ..Default::default()
    };
    let mut another = server.connect_as(Principal::user("another"));
    let token = another.ask(&create).await;
    assert_eq!(token.error_code, 0);
    token.hmac
}

/// The group `g` with a committed offset.
async fn make_group(server: &Server, topic: Uuid) {
    let commit = OffsetCommitRequest {
        group_id: super::name("g"),
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            topic_id: topic,
            partitions: vec![offset_commit::OffsetCommitRequestPartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    find_coordinator(server, 0, "g").await;
    let answer = super::admin(server).ask(&commit).await;
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
}

/// The share group `s`, which has lost its only member.
async fn make_share_group(server: &Server) {
    let mut admin = super::admin(server);
    for member_epoch in [0, -1] {
        let beat = ShareGroupHeartbeatRequest {
            group_id: super::name("s"),
            member_id: super::name("first"),
            member_epoch,
            subscribed_topic_names: (member_epoch == 0).then(|| vec![super::name("t")]),
            ..Default::default()
        };
        assert_eq!(admin.ask(&beat).await.error_code, 0);
    }
}

/// The transactional id `tx`.
async fn make_transaction(server: &Server) {
    find_coordinator(server, 1, "tx").await;
    let init = InitProducerIdRequest {
        transactional_id: Some(super::name("tx")),
        transaction_timeout_ms: 60_000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    assert_eq!(super::admin(server).ask(&init).await.error_code, 0);
}

/// Has the coordinator of a group (0) or a transaction (1) made.
async fn find_coordinator(server: &Server, key_type: i8, key: &'static str) {
    let find = FindCoordinatorRequest {
        key_type,
        coordinator_keys: vec![super::name(key)],
        ..Default::default()
    };
    let found = super::admin(server).ask(&find).await;
    assert_eq!(found.coordinators[0].error_code, 0);
}

/// Rights by which one may do what `right` says although they are called otherwise.
pub fn implies(other: Right, right: Right) -> bool {
    use Operation::{Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
    let operations: &[Operation] = match right.0 {
        Describe => &[Describe, Read, Write, Delete, Alter],
        DescribeConfigs => &[DescribeConfigs, AlterConfigs],
        _ => &[],
    };
    other == right || other.1 == right.1 && operations.contains(&other.0)
}

/// Every right that there is, but the one to everything.
pub fn all_rights() -> impl Iterator<Item = Right> {
    let operations = Operation::ALL.iter().filter(|one| **one != Operation::All);
    operations.flat_map(|operation| ResourceType::ALL.iter().map(|kind| (*operation, *kind)))
}
