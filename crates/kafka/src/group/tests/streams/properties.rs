//! What holds for every history of a streams group: members that lose answers, fall silent and come back, topics that go and come,
//! a stream that is slow and fails, restarts. The invariants of the machine are looked at after each step.

use super::*;
use proptest::prelude::*;

const MEMBERS: &[&str] = &["a", "b", "c", "d"];

#[derive(Clone, Debug)]
enum Act {
    /// A heartbeat; the answer may be lost.
    Beat {
        member: usize,
        arrives: bool,
    },
    Leave {
        member: usize,
    },
    /// The process begins anew: it knows nothing.
    Forget {
        member: usize,
    },
    Topic {
        partitions: u32,
    },
    NoTopic,
    Standbys(u32),
    Pass {
        ms: u64,
    },
    Settle {
        fails: bool,
    },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let member = 0..MEMBERS.len();
    let act = prop_oneof![
        16 => (member.clone(), prop::bool::weighted(0.8))
            .prop_map(|(member, arrives)| Act::Beat { member, arrives }),
        1 => member.clone().prop_map(|member| Act::Leave { member }),
        1 => member.prop_map(|member| Act::Forget { member }),
        1 => (1..6_u32).prop_map(|partitions| Act::Topic { partitions }),
        1 => Just(Act::NoTopic),
        1 => (0..3_u32).prop_map(Act::Standbys),
        4 => prop_oneof![Just(0), 1..4_000_u64, Just(20_000), Just(50_000)].prop_map(|ms| Act::Pass { ms }),
        8 => prop::bool::weighted(0.1).prop_map(|fails| Act::Settle { fails }),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..100)
}

struct Play {
    world: World,
    members: Vec<Member>,
    standby_replicas: u32,
}

impl Play {
    fn new() -> Self {
        let mut world = World::new(quick());
        world.writes = Writes::Hold;
        Self {
            world,
            members: MEMBERS.iter().map(|id| Member::new(id)).collect(),
            standby_replicas: 0,
        }
    }

    /// As a client that has just started, or has lost an answer: it tells everything. Two members are of one process.
    fn request(&self, at: usize) -> StreamsHeartbeat {
        let member = &self.members[at];
        let mut request = beat(member.id, member.epoch);
        request.owned = Some(member.has.clone());
        request.rebalance_timeout_ms = Some(20_000);
        request.process = Some(Arc::from(format!("p{}", at / 2)));
        request.terms.standby_replicas = self.standby_replicas;
        request.terms.assignment_interval = Duration::from_millis(500);
        request
    }

    fn beat(&mut self, at: usize, arrives: bool) {
        let request = self.request(at);
        let id = self.world.ask(Request::StreamsHeartbeat(Box::new(request)));
        // Without an outcome of its write it has no answer: for the client, that is one more that was lost.
        let Some(Answer::StreamsHeartbeat(outcome)) = self.world.answers.get(&id).cloned() else {
            return;
        };
        let member = &mut self.members[at];
        match outcome {
            Ok(told) if arrives => {
                member.epoch = told.epoch;
                member.has = told.assignment.unwrap_or_else(|| member.has.clone());
            }
            Ok(_) => {}
            Err(
                GroupError::GroupIdNotFound | GroupError::UnknownMemberId | GroupError::FencedMemberEpoch,
            ) => {
                *member = Member::new(member.id);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Beat { member, arrives } => self.beat(member, arrives),
            Act::Leave { member } => {
                let request = beat(self.members[member].id, -1);
                self.world.ask(Request::StreamsHeartbeat(Box::new(request)));
                self.members[member] = Member::new(self.members[member].id);
            }
            Act::Forget { member } => self.members[member] = Member::new(self.members[member].id),
            Act::Topic { partitions } => {
                self.world.facts.put("in", partitions, 1);
                self.world.facts.put("log", partitions, 1);
            }
            Act::NoTopic => drop(self.world.facts.topics.lock().remove("log")),
            Act::Standbys(count) => self.standby_replicas = count,
            Act::Pass { ms } => self.world.pass(millis(ms)),
            Act::Settle { fails } => {
                self.world.writes = match fails {
                    true => Writes::Fail(PersistError::Unavailable),
                    false => Writes::Succeed,
                };
                self.world.settle();
                self.world.writes = Writes::Hold;
            }
            Act::Restart => {
                self.world = self.world.restarted(quick());
                self.world.writes = Writes::Hold;
            }
        }
    }

    /// Nothing goes wrong any more: everybody gets what he is to have.
    fn come_to_rest(&mut self) {
        self.act(&Act::Settle { fails: false });
        self.world.writes = Writes::Succeed;
        self.act(&Act::Topic { partitions: 5 });
        for _ in 0..20 {
            for at in 0..self.members.len() {
                self.beat(at, true);
            }
            self.world.pass(millis(500));
        }
        let group = describe(&mut self.world);
        assert_eq!(group.state, GroupState::Stable);
        let mut active: Vec<i32> = self
            .members
            .iter()
            .flat_map(|member| super::active(&member.has))
            .collect();
        active.sort_unstable();
        assert_eq!(
            active,
            [0, 1, 2, 3, 4],
            "every task is somebody's, and nobody else's"
        );
        let copies: usize = self.members.iter().map(|member| member.has.standby.len()).sum();
        // There are two processes.
        assert_eq!(copies, 5 * self.standby_replicas.min(1) as usize);
        let before = describe(&mut self.world);
        assert_eq!(describe(&mut self.world.restarted(quick())), before);
    }
}

/// A topic that is made anew has other partitions for a while, and a broker that starts then computes what is due.
#[test]
fn targets_are_of_the_topics_that_their_epoch_was_raised_for() {
    let beat = |member| Act::Beat {
        member,
        arrives: false,
    };
    let acts = [
        Act::Topic { partitions: 5 },
        beat(0),
        beat(1),
        beat(3),
        beat(2),
        Act::Settle { fails: false },
        Act::Topic { partitions: 1 },
        Act::Restart,
    ];
    let mut play = Play::new();
    for act in &acts {
        play.act(act);
    }
    play.come_to_rest();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_every_task_finds_one_member(acts in acts()) {
        let mut play = Play::new();
        for act in &acts {
            play.act(act);
        }
        play.come_to_rest();
    }
}
