//! A shard with a stream in memory; writes and markers become done when the test says so.

use crate::group::TopicName;
use crate::transaction::*;
use millstream_broker::StateRecord;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub const ID: &str = "copier";
pub const START_MS: i64 = 1_700_000_000_000;
pub const TIMEOUT_MS: i32 = 60_000;

pub struct Bench {
    pub shard: Shard,
    pub now: Now,
    /// The stream: what is durable.
    pub stream: Vec<StateRecord>,
    /// Writes under way.
    pub writes: VecDeque<(PersistToken, Option<StateRecord>)>,
    /// Markers under way.
    pub jobs: VecDeque<MarkerJob>,
    pub answers: BTreeMap<RequestId, Answer>,
    next_request: u64,
    fresh: i64,
}

pub fn partitions(all: &[(&str, i32)]) -> Partitions {
    let named = all.iter().map(|(topic, index)| (TopicName::from(*topic), *index));
    named.collect()
}

impl Bench {
    pub fn new() -> Self {
        let now = Now {
            monotonic: Duration::ZERO,
            wall_ms: START_MS,
        };
        let mut bench = Self {
            shard: ShardLoader::default()
                .finish(TransactionConfig::default(), now, &mut Vec::new())
                .expect("an empty stream"),
            now,
            stream: Vec::new(),
            writes: VecDeque::new(),
            jobs: VecDeque::new(),
            answers: BTreeMap::new(),
            next_request: 0,
            fresh: 1_000,
        };
        bench.shard.check();
        bench.next_request = 1;
        bench
    }

    pub fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.shard.step(input, self.now, &mut out);
        self.shard.check();
        for output in out {
            match output {
                Output::Reply(request, answer) => {
                    let earlier = self.answers.insert(request, answer);
                    assert!(earlier.is_none(), "a request is answered once");
                }
                Output::Persist(token, record) => self.writes.push_back((token, record)),
                Output::Mark(job) => self.jobs.push_back(job),
            }
        }
    }

    pub fn send(&mut self, request: Request) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.step(Input::Request(id, request));
        id
    }

    /// The oldest write becomes durable.
    pub fn persist_one(&mut self) -> bool {
        let Some((token, record)) = self.writes.pop_front() else {
            return false;
        };
        self.stream.extend(record);
        self.step(Input::Persisted(token, Ok(())));
        true
    }

    pub fn persist(&mut self) {
        while self.persist_one() {}
    }

    /// The markers of the oldest job become durable.
    pub fn mark_one(&mut self) -> Option<MarkerJob> {
        let job = self.jobs.pop_front()?;
        self.step(Input::Marked(job.id.clone()));
        Some(job)
    }

    /// Everything under way is done.
    pub fn settle(&mut self) {
        loop {
            self.persist();
            if self.mark_one().is_none() && self.writes.is_empty() {
                return;
            }
        }
    }

    pub fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall_ms += i64::try_from(time.as_millis()).expect("hours at most");
        while self.shard.next_deadline() <= self.now.monotonic {
            self.step(Input::Tick);
        }
    }

    /// What a restart finds.
    pub fn replayed(&self, out: &mut Vec<Output>) -> Shard {
        let mut loader = ShardLoader::default();
        for record in &self.stream {
            loader.replay(&record.key, record.value.as_deref());
        }
        let shard = loader.finish(TransactionConfig::default(), self.now, out);
        shard.expect("own records")
    }

    /// A crash: what was not durable is gone, and so is whoever asked.
    pub fn restart(&mut self) {
        let mut out = Vec::new();
        self.shard = self.replayed(&mut out);
        self.shard.check();
        self.writes.clear();
        self.jobs.clear();
        for output in out {
            match output {
                Output::Mark(job) => self.jobs.push_back(job),
                other => panic!("a start only writes markers: {other:?}"),
            }
        }
    }

    pub fn fresh_id(&mut self) -> i64 {
        self.fresh += 1;
        self.fresh
    }

    pub fn init_request(&mut self, expected: Option<ProducerEpoch>) -> Request {
        Request::Init(InitRequest {
            id: ID.into(),
            timeout_ms: TIMEOUT_MS,
            expected,
            fresh_id: self.fresh_id(),
        })
    }

    pub fn init(&mut self, expected: Option<ProducerEpoch>) -> Result<ProducerEpoch, TransactionError> {
        let request = self.init_request(expected);
        let id = self.send(request);
        self.settle();
        match self.answers.remove(&id) {
            Some(Answer::Init(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub fn add_request(producer: ProducerEpoch, policy: EpochPolicy, all: &[(&str, i32)]) -> Request {
        Request::Add(AddRequest {
            id: ID.into(),
            producer,
            partitions: partitions(all),
            policy,
        })
    }

    pub fn add(
        &mut self,
        producer: ProducerEpoch,
        policy: EpochPolicy,
        all: &[(&str, i32)],
    ) -> Result<(), TransactionError> {
        let id = self.send(Self::add_request(producer, policy, all));
        self.persist();
        match self.answers.remove(&id) {
            Some(Answer::Add(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub fn verify(
        &mut self,
        producer: ProducerEpoch,
        all: &[(&str, i32)],
    ) -> Result<Partitions, TransactionError> {
        let id = self.send(Request::Verify(VerifyRequest {
            id: ID.into(),
            producer,
            partitions: partitions(all),
        }));
        self.persist();
        match self.answers.remove(&id) {
            Some(Answer::Verify(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// Asks for an end and lets it become durable; the markers stay under way.
    pub fn end(
        &mut self,
        producer: ProducerEpoch,
        policy: EpochPolicy,
        commit: bool,
    ) -> Result<ProducerEpoch, TransactionError> {
        let fresh_id = (producer.epoch >= i16::MAX - 1).then(|| self.fresh_id());
        let id = self.send(Request::End(EndRequest {
            id: ID.into(),
            producer,
            commit,
            policy,
            fresh_id,
        }));
        self.persist();
        match self.answers.remove(&id) {
            Some(Answer::End(outcome)) => outcome,
            other => panic!("{other:?}"),
        }
    }

    pub fn phase(&self) -> Phase {
        self.shard.states()[&TransactionalId::from(ID)].phase
    }
}
