//! What holds for every history of a consumer group: members of both protocols, topics that come and go, a stream that is slow
//! and fails, restarts.

use super::client::*;
use super::migration::Classic;
use crate::group::tests::harness::*;
use crate::group::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const CLIENTS: usize = 4;
const CLASSICS: usize = 2;

#[derive(Clone, Debug)]
enum Act {
    /// A heartbeat; what it is told, it does at once, or only next time.
    Beat {
        client: usize,
        adopts: bool,
        tells: bool,
    },
    Leave {
        client: usize,
        away: bool,
    },
    Subscribe {
        client: usize,
        other: bool,
        pattern: bool,
    },
    Classic {
        member: usize,
    },
    ClassicLeave {
        member: usize,
    },
    Topic {
        other: bool,
        partitions: u32,
    },
    NoTopic {
        other: bool,
    },
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
        14 => (client.clone(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(client, adopts, tells)| Act::Beat { client, adopts, tells }),
        2 => (client.clone(), any::<bool>()).prop_map(|(client, away)| Act::Leave { client, away }),
        1 => (client, any::<bool>(), any::<bool>())
            .prop_map(|(client, other, pattern)| Act::Subscribe { client, other, pattern }),
        5 => (0..CLASSICS).prop_map(|member| Act::Classic { member }),
        1 => (0..CLASSICS).prop_map(|member| Act::ClassicLeave { member }),
        1 => (any::<bool>(), 1..6_u32).prop_map(|(other, partitions)| Act::Topic { other, partitions }),
        1 => any::<bool>().prop_map(|other| Act::NoTopic { other }),
        4 => prop_oneof![Just(0), 1..4_000_u64, Just(30_000), Just(70_000)].prop_map(|ms| Act::Pass { ms }),
        10 => prop::bool::weighted(0.1).prop_map(|fails| Act::Settle { fails }),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..100)
}

struct Play {
    world: World,
    clients: Vec<Client>,
    /// The heartbeat that each client waits for.
    waiting: Vec<Option<(RequestId, bool)>>,
    classics: Vec<Classic>,
    lives: u8,
}

impl Play {
    fn new() -> Self {
        let mut world = world(&[("t", 3), ("u", 2)]);
        world.writes = Writes::Hold;
        let client = |at: usize| match at {
            0 | 1 => Client::new(&format!("c{at}"), &["t"]),
            _ => Client::fixed(&format!("c{at}"), &format!("i{at}"), &["t", "u"]),
        };
        Self {
            world,
            clients: (0..CLIENTS).map(client).collect(),
            waiting: vec![None; CLIENTS],
            classics: vec![Classic::new(); CLASSICS],
            lives: 1,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Beat {
                client,
                adopts,
                tells,
            } => self.beat(client, adopts, tells),
            Act::Leave { client, away } => {
                let epoch = if away && client >= 2 { -2 } else { -1 };
                let one = &mut self.clients[client];
                one.epoch = epoch;
                one.ask(&mut self.world);
                self.forget(client);
            }
            Act::Subscribe {
                client,
                other,
                pattern,
            } => {
                let one = &mut self.clients[client];
                one.names = vec![if other { "u" } else { "t" }.into()];
                one.pattern = pattern.then(|| ".*".into());
                // Whoever subscribes to something else begins anew.
                self.forget(client);
            }
            Act::Classic { member } => self.classic(member),
            Act::ClassicLeave { member } => {
                let leaver = Leaver {
                    member: self.classics[member].id.clone(),
                    instance: None,
                };
                self.world.ask(Request::Leave(LeaveRequest {
                    group: "g".into(),
                    members: vec![leaver],
                }));
                self.classics[member] = Classic::new();
            }
            Act::Topic { other, partitions } => {
                let name = if other { "u" } else { "t" };
                let life = match self.world.facts.topic(name) {
                    // Topics only grow.
                    Some(view) if view.partitions > partitions => return,
                    Some(_) => self.lives,
                    None => {
                        self.lives += 1;
                        self.lives
                    }
                };
                let known = self.world.facts.topic(name);
                self.world.facts.put(name, partitions, life);
                if let Some(known) = known {
                    let view = TopicView { partitions, ..known };
                    self.world.facts.topics.lock().insert(name.to_owned(), view);
                }
                self.world.step(Input::TopicsChanged);
            }
            Act::NoTopic { other } => {
                let name = if other { "u" } else { "t" };
                self.world.facts.topics.lock().remove(name);
                self.world.step(Input::TopicsChanged);
            }
            Act::Pass { ms } => self.world.pass(millis(ms)),
            Act::Settle { fails } => {
                if fails {
                    self.world.writes = Writes::Fail(PersistError::Unavailable);
                }
                let reloads = self.world.reloads;
                self.world.settle_one();
                self.world.writes = Writes::Hold;
                if self.world.reloads > reloads {
                    self.world.step(Input::TopicsChanged);
                    self.waiting = vec![None; CLIENTS];
                }
            }
            Act::Restart => {
                let mut world = self.world.restarted(quick());
                world.writes = Writes::Hold;
                self.world = world;
                self.world.step(Input::TopicsChanged);
                self.waiting = vec![None; CLIENTS];
            }
        }
        self.learn();
        self.check();
    }

    fn forget(&mut self, client: usize) {
        let one = &mut self.clients[client];
        one.epoch = 0;
        one.owned.clear();
        one.assigned.clear();
        self.waiting[client] = None;
    }

    fn beat(&mut self, client: usize, adopts: bool, tells: bool) {
        if self.waiting[client].is_some() {
            return;
        }
        let one = &mut self.clients[client];
        if adopts {
            one.adopt();
        }
        let mut request = one.request();
        if !tells && one.epoch != 0 {
            request.owned = None;
        }
        let id = self.world.ask(Request::ConsumerHeartbeat(request));
        self.waiting[client] = Some((id, adopts));
    }

    fn classic(&mut self, member: usize) {
        // While writes wait, a classic client waits too; it asks only when it can be answered.
        let held = !self.world.held.is_empty();
        let classic = &mut self.classics[member];
        if held {
            let _ = classic.id.is_some().then(|| classic.heartbeat(&mut self.world));
            return;
        }
        self.world.writes = Writes::Succeed;
        classic.beat(&mut self.world);
        self.world.pass(millis(1));
        self.world.writes = Writes::Hold;
        if classic.joins_again && classic.heartbeat(&mut self.world) == Err(GroupError::UnknownMemberId) {
            *classic = Classic::new();
        }
    }

    /// Clients read their answers. One that is fenced gives everything up and begins anew.
    fn learn(&mut self) {
        for client in 0..CLIENTS {
            let Some((id, _)) = self.waiting[client] else {
                continue;
            };
            let Some(Answer::ConsumerHeartbeat(outcome)) = self.world.answers.get(&id).cloned() else {
                continue;
            };
            self.waiting[client] = None;
            match outcome {
                Ok(beaten) => self.clients[client].learn(&beaten),
                Err(
                    GroupError::FencedMemberEpoch
                    | GroupError::UnknownMemberId
                    | GroupError::GroupIdNotFound
                    | GroupError::FencedInstanceId
                    | GroupError::NotOfKind(_),
                ) => self.forget(client),
                Err(_) => {}
            }
        }
    }

    /// What is durable is what a restart finds. That the live group is its fold, and that no partition has two owners, the shard's
    /// own invariants check after each step.
    fn check(&mut self) {
        let replayed = self.world.restarted(quick());
        assert_eq!(
            replayed.shard.durable(),
            self.world.shard.durable(),
            "replay is live (T12)"
        );
        replayed.shard.check();
        self.check_owners();
    }

    /// Of the members that the group still knows under the epoch that they believe in, no two work on one partition.
    fn check_owners(&mut self) {
        let Ok(group) = described(&mut self.world) else {
            return;
        };
        let mut owners: BTreeMap<(TopicId, i32), &MemberId> = BTreeMap::new();
        for client in &self.clients {
            let member = group.members.iter().find(|member| member.member == client.id);
            if member.is_none_or(|member| member.epoch != client.epoch) {
                continue;
            }
            for (topic, partitions) in &client.owned {
                for &partition in partitions {
                    let earlier = owners.insert((*topic, partition), &client.id);
                    assert_eq!(earlier, None, "two members work on {topic:?} {partition}");
                }
            }
        }
    }

    /// The stream works again and the clients of the new protocol go on: soon every partition is somebody's.
    fn finish(mut self) {
        self.world.writes = Writes::Succeed;
        self.world.settle();
        self.learn();
        self.waiting = vec![None; CLIENTS];
        // Whoever speaks the classic protocol has gone.
        for _ in 0..3 {
            for client in 0..CLIENTS {
                if self.clients[client].beat(&mut self.world).is_err() {
                    self.forget(client);
                }
            }
            self.world.pass(Duration::from_secs(30));
            self.check();
        }
        for _ in 0..10 {
            for client in 0..CLIENTS {
                if self.clients[client].beat(&mut self.world).is_err() {
                    self.forget(client);
                }
            }
        }
        self.check();
        let group = described(&mut self.world).unwrap();
        assert_eq!(group.state, GroupState::Stable, "{group:?}");
        let owned: usize = self.clients.iter().map(Client::count).sum();
        let names: std::collections::BTreeSet<String> =
            match self.clients.iter().any(|one| one.pattern.is_some()) {
                true => self.world.facts.topics.lock().keys().cloned().collect(),
                false => self
                    .clients
                    .iter()
                    .flat_map(|one| &one.names)
                    .map(ToString::to_string)
                    .collect(),
            };
        let topics = self.world.facts.topics.lock();
        let wanted: u32 = names
            .iter()
            .filter_map(|name| topics.get(name))
            .map(|view| view.partitions)
            .sum();
        assert_eq!(
            owned,
            usize::try_from(wanted).unwrap(),
            "every partition is somebody's"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_a_consumer_group_keeps_the_promises(acts in acts()) {
        let mut play = Play::new();
        for act in acts {
            play.act(act);
        }
        play.finish();
    }
}
