//! A shard with a stream in memory and a hand-moved clock.

use crate::group::*;
use bytes::Bytes;
use millstream_broker::StateRecord;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// What happens to writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Durable at once.
    Succeed,
    /// Fail at once.
    Fail(PersistError),
    /// Stay under way until `settle`.
    Hold,
}

/// Topics and settings of groups, as a test makes them.
#[derive(Debug, Default)]
pub struct TestFacts {
    pub topics: Mutex<BTreeMap<String, TopicView>>,
    pub overrides: Mutex<GroupOverrides>,
    /// Who may not see which topic.
    pub hidden: Mutex<BTreeSet<(String, String)>>,
    /// Names of topics that were told, and rights that were asked for.
    pub named: AtomicUsize,
    /// A topic that appears once topics were looked up so many times more.
    pub appears: Mutex<Option<(usize, &'static str, u32)>>,
    pub asked: AtomicUsize,
}

impl TestFacts {
    /// A topic whose id follows from its name and `life`: one that is made anew has another.
    pub fn put(&self, name: &str, partitions: u32, life: u8) {
        let mut id = [life; 16];
        for (at, byte) in name.bytes().enumerate() {
            id[at % 15] = id[at % 15].wrapping_mul(31).wrapping_add(byte);
        }
        let view = TopicView {
            id: TopicId(id),
            partitions,
        };
        self.topics.lock().insert(name.to_owned(), view);
    }
}

impl Facts for TestFacts {
    fn topic(&self, name: &str) -> Option<TopicView> {
        let mut appears = self.appears.lock();
        match appears.take() {
            Some((0, name, partitions)) => self.put(name, partitions, 1),
            Some((looks, name, partitions)) => *appears = Some((looks - 1, name, partitions)),
            None => {}
        }
        self.topics.lock().get(name).copied()
    }
    fn topic_name(&self, id: TopicId) -> Option<TopicName> {
        let topics = self.topics.lock();
        let found = topics.iter().find(|(_, view)| view.id == id);
        found.map(|(name, _)| TopicName::from(name.as_str()))
    }
    fn each_topic(&self, each: &mut dyn FnMut(&str)) {
        self.topics.lock().keys().for_each(|name| {
            self.named.fetch_add(1, Relaxed);
            each(name);
        });
    }
    fn versions(&self) -> Versions {
        let of = |text: String| {
            text.bytes()
                .fold(0_u64, |hash, byte| hash * 31 % (1 << 40) + u64::from(byte))
        };
        Versions {
            topics: of(format!("{:?}", self.topics.lock().keys())),
            rights: of(format!("{:?}", self.hidden.lock())),
        }
    }
    fn eyes(&self, reader: Option<&PatternReader>) -> Eyes {
        let Some(reader) = reader else { return Eyes::Every };
        let hidden = self.hidden.lock();
        let is_named = hidden
            .iter()
            .any(|(principal, _)| **principal == *reader.principal);
        Eyes::Ruled(is_named.then(|| reader.principal.clone()), None)
    }
    fn seen(&self, reader: Option<&PatternReader>, names: &BTreeSet<TopicName>) -> BTreeSet<TopicName> {
        let hidden = self.hidden.lock();
        let is_seen = |name: &&TopicName| {
            self.asked.fetch_add(1, Relaxed);
            let pair = reader.map(|reader| (reader.principal.to_string(), name.as_str().to_owned()));
            pair.is_none_or(|pair| !hidden.contains(&pair))
        };
        names.iter().filter(is_seen).cloned().collect()
    }
    fn overrides(&self, _group: &GroupId) -> GroupOverrides {
        *self.overrides.lock()
    }
}

pub struct World {
    pub shard: Shard,
    pub facts: Arc<TestFacts>,
    pub config: GroupConfig,
    /// Whether the invariants are looked at after each step; large groups would take minutes.
    pub checks: bool,
    /// How often the shard asked to be read anew.
    pub reloads: usize,
    pub now: Now,
    pub writes: Writes,
    /// Durable records, oldest first.
    pub stream: Vec<StateRecord>,
    pub held: VecDeque<(PersistToken, Vec<StateRecord>)>,
    pub answers: BTreeMap<RequestId, Answer>,
    next_request: u64,
    next_member: u64,
    /// An outcome is being told already: what follows from it waits its turn, instead of going one call deeper.
    settling: bool,
}

pub fn quick() -> GroupConfig {
    GroupConfig {
        initial_rebalance_delay: Duration::ZERO,
        ..GroupConfig::default()
    }
}

pub fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Metadata of a consumer that subscribes to `topics`.
pub fn subscription(topics: &[&str]) -> Bytes {
    use millstream_kafka_wire::Str;
    use millstream_kafka_wire::consumer_protocol::{ConsumerProtocolSubscription, encode_versioned};
    let message = ConsumerProtocolSubscription {
        topics: topics.iter().map(|topic| Str::from(*topic)).collect(),
        ..Default::default()
    };
    encode_versioned(&message, 1).unwrap()
}

pub fn protocol(name: &str, metadata: Bytes) -> Protocol {
    Protocol {
        name: name.into(),
        metadata,
    }
}

pub fn join_request(group: &str) -> JoinRequest {
    JoinRequest {
        group: group.into(),
        member: None,
        instance: None,
        fresh_member: "unset".into(),
        client: ClientInfo {
            id: Arc::from("client"),
            host: Arc::from("/127.0.0.1"),
        },
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", subscription(&["t"]))],
        member_id_required: false,
        skip_assignment_supported: true,
    }
}

pub fn commit_request(group: &str, offset: i64) -> CommitRequest {
    CommitRequest {
        group: group.into(),
        generation: -1,
        member: None,
        instance: None,
        retention_ms: None,
        transaction: None,
        group_not_found_supported: true,
        topics: vec![CommitTopic {
            topic: "t".into(),
            topic_id: TopicId::UNKNOWN,
            partitions: vec![CommitPartition {
                partition: 0,
                offset,
                leader_epoch: -1,
                metadata: Arc::from("note"),
            }],
        }],
    }
}

impl World {
    pub fn new(config: GroupConfig) -> Self {
        Self::reopen(config, Arc::default(), Vec::new(), Duration::from_secs(1))
    }

    /// A shard that replays `stream`, as after a restart.
    pub fn reopen(
        config: GroupConfig,
        facts: Arc<TestFacts>,
        stream: Vec<StateRecord>,
        monotonic: Duration,
    ) -> Self {
        let now = Now {
            monotonic,
            wall_ms: 1_700_000_000_000,
        };
        let mut loader = ShardLoader::default();
        for record in &stream {
            loader.replay(&record.key, record.value.as_deref());
        }
        Self {
            shard: loader.finish(config.clone(), facts.clone(), now).unwrap(),
            facts,
            config,
            checks: true,
            reloads: 0,
            now,
            writes: Writes::Succeed,
            stream,
            held: VecDeque::new(),
            answers: BTreeMap::new(),
            next_request: 0,
            next_member: 0,
            settling: false,
        }
    }

    pub fn restarted(&self, config: GroupConfig) -> World {
        let mut world = World::reopen(
            config,
            self.facts.clone(),
            self.stream.clone(),
            self.now.monotonic,
        );
        world.now.wall_ms = self.now.wall_ms;
        // Ids are never given twice, also not by another life of the coordinator.
        world.next_member = self.next_member;
        world
    }

    /// One input, and all that follows from it at once.
    pub fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.shard.step(input, self.now, &mut out);
        let behind = out.contains(&Output::Reload);
        if self.checks && !behind {
            self.shard.check();
        }
        for output in out {
            match output {
                Output::Reply(id, answer) => {
                    let earlier = self.answers.insert(id, answer);
                    assert_eq!(earlier, None, "each request is answered exactly once");
                }
                Output::Persist(token, records) => self.held.push_back((token, records)),
                Output::Reload => {}
            }
        }
        if behind {
            return self.reload();
        }
        if self.writes != Writes::Hold {
            self.settle();
        }
    }

    /// What waits for the stream is dropped, and so is whoever waits for that.
    fn reload(&mut self) {
        let config = self.config.clone();
        let mut world = self.restarted(config);
        self.held.clear();
        std::mem::swap(&mut self.shard, &mut world.shard);
        self.reloads += 1;
    }

    /// Gives every write under way its outcome, in order.
    pub fn settle(&mut self) {
        if !std::mem::replace(&mut self.settling, true) {
            while self.settle_one() {}
            self.settling = false;
        }
    }

    pub fn settle_one(&mut self) -> bool {
        let Some((token, records)) = self.held.pop_front() else {
            return false;
        };
        let outcome = if let Writes::Fail(error) = self.writes {
            Err(error)
        } else {
            self.stream.extend(records);
            Ok(())
        };
        self.step(Input::Persisted(token, outcome));
        true
    }

    pub fn ask(&mut self, request: Request) -> RequestId {
        self.next_request += 1;
        let id = RequestId(self.next_request);
        self.step(Input::Request(id, request));
        self.run_due();
        id
    }

    pub fn join(&mut self, mut join: JoinRequest) -> RequestId {
        self.next_member += 1;
        join.fresh_member = format!("m{}", self.next_member).into();
        self.ask(Request::Join(join))
    }

    fn run_due(&mut self) {
        while self.shard.next_deadline() <= self.now.monotonic {
            self.step(Input::Tick);
        }
    }

    /// Lets time pass, deadline by deadline.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.monotonic + time;
        while self.shard.next_deadline() <= until {
            self.move_to(self.shard.next_deadline());
            self.step(Input::Tick);
        }
        self.move_to(until);
    }

    fn move_to(&mut self, monotonic: Duration) {
        let passed = monotonic.saturating_sub(self.now.monotonic);
        self.now.monotonic += passed;
        self.now.wall_ms += i64::try_from(passed.as_millis()).unwrap();
    }

    pub fn is_waiting(&self, id: RequestId) -> bool {
        !self.answers.contains_key(&id)
    }

    pub fn joined(&self, id: RequestId) -> Joined {
        match &self.answers[&id] {
            Answer::Join(Ok(joined)) => joined.clone(),
            other => panic!("not joined: {other:?}"),
        }
    }

    pub fn refused(&self, id: RequestId) -> JoinRefused {
        match &self.answers[&id] {
            Answer::Join(Err(refused)) => refused.clone(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn sync_outcome(&self, id: RequestId) -> Result<Bytes, GroupError> {
        match &self.answers[&id] {
            Answer::Sync(outcome) => outcome.clone().map(|synced| synced.assignment),
            other => panic!("no sync: {other:?}"),
        }
    }

    pub fn sync(&mut self, joined: &Joined, group: &str) -> RequestId {
        let assignments = joined.members.iter().map(|member| {
            let share = Bytes::from(format!("share of {}", member.member));
            (member.member.clone(), share)
        });
        self.ask(Request::Sync(SyncRequest {
            group: group.into(),
            generation: joined.generation,
            member: joined.member.clone(),
            instance: None,
            protocol_type: joined.protocol_type.clone(),
            protocol: joined.protocol.clone(),
            assignments: assignments.collect(),
        }))
    }

    pub fn heartbeat(&mut self, joined: &Joined, group: &str) -> Result<(), GroupError> {
        let id = self.ask(Request::Heartbeat(HeartbeatRequest {
            group: group.into(),
            generation: joined.generation,
            member: joined.member.clone(),
            instance: None,
        }));
        match &self.answers[&id] {
            Answer::Heartbeat(outcome) => *outcome,
            other => panic!("no heartbeat: {other:?}"),
        }
    }

    pub fn leave(
        &mut self,
        group: &str,
        leavers: Vec<Leaver>,
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        let id = self.ask(Request::Leave(LeaveRequest {
            group: group.into(),
            members: leavers,
        }));
        match &self.answers[&id] {
            Answer::Leave(outcome) => outcome
                .clone()
                .map(|all| all.into_iter().map(|(_, one)| one).collect()),
            other => panic!("no leave: {other:?}"),
        }
    }

    /// `count` members, joined and synced; the first leads.
    pub fn stable(&mut self, group: &str, joins: Vec<JoinRequest>) -> Vec<Joined> {
        let ids: Vec<RequestId> = joins.into_iter().map(|join| self.join(join)).collect();
        // Twice the initial delay: members that came after the first have prolonged it once.
        self.pass(Duration::from_secs(6));
        let joined: Vec<Joined> = ids.into_iter().map(|id| self.joined(id)).collect();
        let syncs: Vec<RequestId> = joined.iter().map(|joined| self.sync(joined, group)).collect();
        for id in syncs {
            self.sync_outcome(id).unwrap();
        }
        assert_eq!(self.state(group), GroupState::Stable);
        joined
    }

    pub fn describe(&mut self, group: &str) -> Result<DescribedGroup, GroupError> {
        let id = self.ask(Request::Describe(group.into()));
        match &self.answers[&id] {
            Answer::Describe(outcome) => outcome.clone(),
            other => panic!("no description: {other:?}"),
        }
    }

    pub fn state(&mut self, group: &str) -> GroupState {
        self.describe(group)
            .map_or(GroupState::Dead, |described| described.state)
    }

    pub fn commit(&mut self, commit: CommitRequest) -> Result<Result<(), GroupError>, GroupError> {
        let id = self.ask(Request::Commit(commit));
        self.commit_outcome(id)
    }

    pub fn commit_outcome(&self, id: RequestId) -> Result<Result<(), GroupError>, GroupError> {
        match &self.answers[&id] {
            Answer::Commit(outcome) => outcome.clone().map(|topics| topics[0].partitions[0].1),
            other => panic!("no commit: {other:?}"),
        }
    }

    pub fn fetch(&mut self, fetch: FetchRequest) -> Vec<FetchedTopic> {
        let id = self.ask(Request::Fetch(fetch));
        match &self.answers[&id] {
            Answer::Fetch(outcome) => outcome.clone().unwrap(),
            other => panic!("no fetch: {other:?}"),
        }
    }

    /// The committed offset of partition 0 of topic "t".
    pub fn offset(&mut self, group: &str) -> Option<i64> {
        let topics = self.fetch(FetchRequest {
            group: group.into(),
            member: None,
            member_epoch: -1,
            topics: Some(vec![FetchTopic {
                topic: "t".into(),
                topic_id: TopicId::UNKNOWN,
                partitions: vec![0],
            }]),
            require_stable: false,
        });
        topics[0].partitions[0]
            .1
            .clone()
            .unwrap()
            .map(|offset| offset.offset)
    }

    pub fn delete(&mut self, group: &str) -> Result<(), GroupError> {
        let id = self.ask(Request::Delete(group.into()));
        self.delete_outcome(id)
    }

    pub fn delete_outcome(&self, id: RequestId) -> Result<(), GroupError> {
        match &self.answers[&id] {
            Answer::Delete(outcome) => *outcome,
            other => panic!("no deletion: {other:?}"),
        }
    }
}
