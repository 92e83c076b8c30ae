//! What holds for every history: random clients, a stream that is slow and fails, restarts.

use super::harness::*;
use crate::group::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const GROUPS: [&str; 2] = ["g", "h"];
const CLIENTS: usize = 4;

#[derive(Clone, Debug)]
enum Act {
    Join {
        client: usize,
        known: bool,
        required: bool,
        changed: bool,
    },
    Sync {
        client: usize,
    },
    Heartbeat {
        client: usize,
    },
    Leave {
        client: usize,
    },
    Commit {
        client: usize,
        member: bool,
        offset: i64,
    },
    DeleteOffsets {
        client: usize,
    },
    DeleteGroup {
        group: usize,
    },
    TopicDeleted,
    Pass {
        ms: u64,
    },
    Settle {
        fails: bool,
    },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let client = 0..CLIENTS;
    let act = prop_oneof![
        6 => (client.clone(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(client, known, required, changed)| Act::Join { client, known, required, changed }),
        6 => client.clone().prop_map(|client| Act::Sync { client }),
        3 => client.clone().prop_map(|client| Act::Heartbeat { client }),
        1 => client.clone().prop_map(|client| Act::Leave { client }),
        4 => (client.clone(), any::<bool>(), 0..100_i64)
            .prop_map(|(client, member, offset)| Act::Commit { client, member, offset }),
        1 => client.prop_map(|client| Act::DeleteOffsets { client }),
        1 => (0..GROUPS.len()).prop_map(|group| Act::DeleteGroup { group }),
        1 => Just(Act::TopicDeleted),
        5 => prop_oneof![Just(0), 1..4_000_u64, Just(12_000), Just(700_000)].prop_map(|ms| Act::Pass { ms }),
        8 => prop::bool::weighted(0.15).prop_map(|fails| Act::Settle { fails }),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..120)
}

/// What a client believes.
#[derive(Clone, Default)]
struct Client {
    member: Option<MemberId>,
    joined: Option<Joined>,
    waiting: Option<RequestId>,
}

struct Play {
    world: World,
    clients: Vec<Client>,
    /// Unanswered requests that wait for members or shares, with the time they were asked.
    asked: BTreeMap<RequestId, Duration>,
    leaders: BTreeMap<(String, i32), MemberId>,
}

fn config() -> GroupConfig {
    GroupConfig {
        offsets_retention: Duration::from_secs(1_200),
        ..GroupConfig::default()
    }
}

impl Play {
    fn new() -> Self {
        let mut world = World::new(config());
        world.writes = Writes::Hold;
        Self {
            world,
            clients: vec![Client::default(); CLIENTS],
            asked: BTreeMap::new(),
            leaders: BTreeMap::new(),
        }
    }

    /// Clients 0 and 1 are dynamic, 2 and 3 static; odd ones use the second group.
    fn group(client: usize) -> &'static str {
        GROUPS[client % GROUPS.len()]
    }

    fn instance(client: usize) -> Option<InstanceId> {
        (client >= 2).then(|| format!("instance-{client}").into())
    }

    fn act(&mut self, act: Act) {
        let at = self.world.now.monotonic;
        match act {
            Act::Join {
                client,
                known,
                required,
                changed,
            } => self.join(client, known, required, changed),
            Act::Sync { client } => {
                if let Some(joined) = self.clients[client].joined.clone() {
                    let id = self.world.sync(&joined, Self::group(client));
                    self.asked.insert(id, at);
                }
            }
            Act::Heartbeat { client } => {
                if let Some(joined) = self.clients[client].joined.clone() {
                    let _ = self.world.heartbeat(&joined, Self::group(client));
                }
            }
            Act::Leave { client } => {
                let leaver = Leaver {
                    member: self.clients[client].member.clone(),
                    instance: Self::instance(client),
                };
                // The last one's is answered once it is durable.
                self.world.ask(Request::Leave(LeaveRequest {
                    group: Self::group(client).into(),
                    members: vec![leaver],
                }));
            }
            Act::Commit {
                client,
                member,
                offset,
            } => {
                let mut commit = commit_request(Self::group(client), offset);
                if let Some(joined) = self.clients[client].joined.clone().filter(|_| member) {
                    commit.generation = joined.generation;
                    commit.member = Some(joined.member);
                }
                commit.topics[0].partitions[0].partition = i32::try_from(client).unwrap();
                self.world.ask(Request::Commit(commit));
            }
            Act::DeleteOffsets { client } => {
                self.world.ask(Request::DeleteOffsets(DeleteOffsetsRequest {
                    group: Self::group(client).into(),
                    topics: vec![("t".into(), vec![0, 1, 2, 3])],
                }));
            }
            Act::DeleteGroup { group } => {
                self.world.ask(Request::Delete(GROUPS[group].into()));
            }
            Act::TopicDeleted => self.world.step(Input::TopicDeleted("t".into(), TopicId::UNKNOWN)),
            Act::Pass { ms } => self.world.pass(millis(ms)),
            Act::Settle { fails } => {
                if fails {
                    self.world.writes = Writes::Fail(PersistError::Unavailable);
                }
                self.world.settle_one();
                self.world.writes = Writes::Hold;
            }
            Act::Restart => self.restart(),
        }
        self.learn();
        self.check();
    }

    fn join(&mut self, client: usize, known: bool, required: bool, changed: bool) {
        let mut join = join_request(Self::group(client));
        join.member = self.clients[client].member.clone().filter(|_| known);
        join.instance = Self::instance(client);
        join.member_id_required = required;
        join.rebalance_timeout_ms = 20_000;
        if changed {
            join.protocols.push(protocol("sticky", subscription(&["t", "u"])));
        }
        let id = self.world.join(join);
        self.clients[client].waiting = Some(id);
        self.asked.insert(id, self.world.now.monotonic);
    }

    /// Writes under way are lost, and with them whoever waits.
    fn restart(&mut self) {
        let mut world = self.world.restarted(config());
        world.writes = Writes::Hold;
        self.world = world;
        self.asked.clear();
        for client in &mut self.clients {
            client.waiting = None;
        }
        // Answers that never left may have announced a generation that is now announced again.
        self.leaders.clear();
    }

    /// Clients read their answers.
    fn learn(&mut self) {
        for (index, client) in self.clients.iter_mut().enumerate() {
            let Some(answer) = client.waiting.and_then(|id| self.world.answers.get(&id)) else {
                continue;
            };
            client.waiting = None;
            match answer {
                Answer::Join(Ok(joined)) => {
                    client.member = Some(joined.member.clone());
                    client.joined = Some(joined.clone());
                    if !joined.members.is_empty() && !joined.skip_assignment {
                        let place = (Self::group(index).to_owned(), joined.generation);
                        let leader = self.leaders.entry(place).or_insert_with(|| joined.member.clone());
                        assert_eq!(*leader, joined.member, "one member a generation is told to lead");
                    }
                }
                Answer::Join(Err(refused)) if refused.error == GroupError::MemberIdRequired => {
                    client.member.clone_from(&refused.member);
                }
                _ => {}
            }
        }
    }

    fn check(&mut self) {
        let answers = &self.world.answers;
        self.asked.retain(|id, _| !answers.contains_key(id));
        // 20 s to join, the same to sync, the initial delay; while a write is under way the stream's time counts too.
        if self.world.held.is_empty() {
            for (id, at) in &self.asked {
                let waited = self.world.now.monotonic.saturating_sub(*at);
                assert!(
                    waited <= Duration::from_secs(60),
                    "request {id:?} has waited {waited:?}"
                );
            }
        }
        for group in GROUPS {
            if self.world.describe(group).is_err() {
                // A group that was forgotten may come again, and counts its generations anew.
                self.leaders.retain(|(of, _), _| of != group);
            }
        }
        let replayed = self.world.restarted(config());
        assert_eq!(
            replayed.shard.durable(),
            self.world.shard.durable(),
            "replay is live (T12)"
        );
    }

    /// Everything answered, everything written; a restart then shows what the live shard shows.
    fn finish(mut self) {
        self.world.writes = Writes::Succeed;
        self.world.settle();
        self.learn();
        self.check();
        for group in GROUPS {
            let live = self.world.describe(group);
            let settled = |described: &DescribedGroup| {
                matches!(described.state, GroupState::Stable | GroupState::Empty)
            };
            if live.as_ref().is_ok_and(settled)
                && self.world.shard.durable().contains_key(&GroupId::from(group))
            {
                self.compare(group, live.unwrap());
            }
        }
        self.world.pass(Duration::from_secs(120));
        self.check();
        assert!(
            self.asked.is_empty(),
            "no request is left without an answer: {:?}",
            self.asked
        );
        self.world.pass(Duration::from_secs(3_600));
        assert!(self.world.shard.durable().is_empty(), "what nobody uses goes");
        assert_eq!(self.world.shard.writes_in_flight(), 0);
    }

    fn compare(&mut self, group: &str, live: DescribedGroup) {
        let mut again = self.world.restarted(config());
        let replayed = again.describe(group).unwrap();
        // A generation that became empty is stored, but if that write failed, or was never followed by another one, the
        // stored members come back after a restart and are missed then.
        if replayed.state == live.state {
            assert_eq!(replayed.members.len(), live.members.len());
            for (old, new) in live.members.iter().zip(&replayed.members) {
                assert_eq!(
                    (&old.member, &old.instance, &old.assignment),
                    (&new.member, &new.instance, &new.assignment)
                );
            }
        }
        let all = FetchRequest {
            group: group.into(),
            member: None,
            member_epoch: -1,
            topics: None,
            require_stable: false,
        };
        assert_eq!(again.fetch(all.clone()), self.world.fetch(all));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_promises(acts in acts()) {
        let mut play = Play::new();
        for act in acts {
            play.act(act);
        }
        play.finish();
    }

    #[test]
    fn every_record_reads_back(
        group in ".{0,20}", topic in ".{0,20}", partition: i32, producer_id: i64,
        offset: i64, leader_epoch: i32, committed_ms: i64, expires in prop::option::of(0..i64::MAX), note in ".{0,40}",
    ) {
        let stored = CommittedOffset {
            offset,
            leader_epoch,
            committed_ms,
            expires_ms: expires,
            topic_id: TopicId([7; 16]),
            metadata: note.into(),
        };
        let (group, topic) = (GroupId::from(group), TopicName::from(topic));
        for record in [
            Record::Offset(group.clone(), topic.clone(), partition, Some(stored.clone())),
            Record::TransactionalOffset(group, producer_id, topic, partition, Some(stored)),
        ] {
            let encoded = record.encode();
            prop_assert_eq!(Record::decode(&encoded.key, encoded.value.as_deref()), Ok(record));
        }
    }

    #[test]
    fn arbitrary_bytes_are_a_record_or_an_error(
        key in prop::collection::vec(any::<u8>(), 0..64), value in prop::option::of(prop::collection::vec(any::<u8>(), 0..128)),
    ) {
        let _ = Record::decode(&key, value.as_deref());
    }
}
