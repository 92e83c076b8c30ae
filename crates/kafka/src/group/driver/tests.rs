//! Promises of a shard's task, over a stream in memory whose writes finish when the test says so.

use super::shard::{Ask, Task};
use super::state::State;
use crate::group::tests::harness::TestFacts;
use crate::group::*;
use crate::state::{OnRecord, Writer};
use futures_util::future::BoxFuture;
use millstream_broker::{AppendError, Clock, Fate, StateError, StateRecord};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

/// Follows tokio's paused time.
struct TestClock(tokio::time::Instant);

impl Clock for TestClock {
    fn wall_ms(&self) -> i64 {
        1_700_000_000_000 + i64::try_from(self.monotonic().as_millis()).unwrap()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Stream {
    records: Mutex<Vec<StateRecord>>,
    appends: Mutex<Vec<usize>>,
    /// One permit an append that may finish.
    permits: Semaphore,
    /// One permit an open that may finish.
    opens: Semaphore,
    appending: Notify,
    fail: Mutex<Option<StateError>>,
    topics: Mutex<BTreeMap<String, TopicId>>,
}

struct Handle(Arc<Stream>);

impl State for Handle {
    fn open<'a>(
        &'a self,
        _partition: u32,
        on_record: OnRecord<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn Writer>, StateError>> {
        Box::pin(async move {
            self.0.opens.acquire().await.unwrap().forget();
            for record in self.0.records.lock().iter() {
                on_record(&record.key, record.value.as_deref());
            }
            let writer: Arc<dyn Writer> = Arc::new(Handle(self.0.clone()));
            Ok(writer)
        })
    }

    fn topic_id(&self, topic: &str) -> Option<TopicId> {
        self.0.topics.lock().get(topic).copied()
    }
}

impl Writer for Handle {
    fn append(&self, records: Vec<StateRecord>) -> BoxFuture<'static, Result<(), StateError>> {
        let stream = self.0.clone();
        Box::pin(async move {
            stream.appends.lock().push(records.len());
            stream.appending.notify_one();
            stream.permits.acquire().await.unwrap().forget();
            if let Some(error) = stream.fail.lock().take() {
                return Err(error);
            }
            stream.records.lock().extend(records);
            Ok(())
        })
    }
}

struct Bench {
    stream: Arc<Stream>,
    mailbox: mpsc::Sender<Ask>,
}

const PLENTY: usize = 1 << 20;

impl Bench {
    fn new(opens: usize, permits: usize) -> Self {
        let stream = Arc::new(Stream {
            records: Mutex::default(),
            appends: Mutex::default(),
            permits: Semaphore::new(permits),
            opens: Semaphore::new(opens),
            appending: Notify::new(),
            fail: Mutex::default(),
            topics: Mutex::new(BTreeMap::from([("t".to_owned(), TopicId([1; 16]))])),
        });
        let (mailbox, inbox) = mpsc::channel(64);
        let task = Task {
            partition: 0,
            config: GroupConfig::default(),
            state: Arc::new(Handle(stream.clone())),
            facts: Arc::new(TestFacts::default()),
            topics: tokio::sync::watch::Sender::new(0).subscribe(),
            clock: Arc::new(TestClock(tokio::time::Instant::now())),
            inbox,
        };
        tokio::spawn(task.run());
        Self { stream, mailbox }
    }

    async fn ask(&self, request: Request) -> oneshot::Receiver<Result<Answer, GroupError>> {
        let (reply, answer) = oneshot::channel();
        assert!(
            self.mailbox
                .send(Ask::Request(Box::new(request), reply))
                .await
                .is_ok()
        );
        answer
    }

    async fn commit(&self, offset: i64) -> oneshot::Receiver<Result<Answer, GroupError>> {
        self.ask(commit(offset)).await
    }

    async fn offset(&self) -> Result<Option<i64>, GroupError> {
        let fetch = FetchRequest {
            group: "g".into(),
            member: None,
            member_epoch: -1,
            topics: Some(vec![FetchTopic {
                topic: "t".into(),
                topic_id: TopicId::UNKNOWN,
                partitions: vec![0],
            }]),
            require_stable: false,
        };
        match self.ask(Request::Fetch(fetch)).await.await.unwrap()? {
            Answer::Fetch(Ok(topics)) => Ok(topics[0].partitions[0]
                .1
                .clone()
                .unwrap()
                .map(|offset| offset.offset)),
            other => panic!("{other:?}"),
        }
    }
}

fn commit(offset: i64) -> Request {
    Request::Commit(CommitRequest {
        group: "g".into(),
        generation: -1,
        member: None,
        instance: None,
        retention_ms: None,
        transaction: None,
        group_not_found_supported: true,
        topics: vec![CommitTopic {
            topic: "t".into(),
            topic_id: TopicId([1; 16]),
            partitions: vec![CommitPartition {
                partition: 0,
                offset,
                leader_epoch: -1,
                metadata: Arc::from(""),
            }],
        }],
    })
}

fn is_committed(answer: &Result<Answer, GroupError>) -> bool {
    matches!(answer, Ok(Answer::Commit(Ok(_))))
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_during_the_load_is_told_to_ask_again() {
    let bench = Bench::new(0, PLENTY);
    assert_eq!(bench.offset().await, Err(GroupError::CoordinatorLoadInProgress));
    bench.stream.opens.add_permits(1);
    while bench.offset().await == Err(GroupError::CoordinatorLoadInProgress) {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.offset().await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn commits_that_gather_during_an_append_share_the_next_one() {
    let bench = Bench::new(1, 0);
    let first = bench.commit(0).await;
    bench.stream.appending.notified().await;
    let mut answers = vec![first];
    for offset in 1..=50 {
        answers.push(bench.commit(offset).await);
    }
    assert_eq!(bench.offset().await, Ok(None), "nothing is durable yet");
    bench.stream.permits.add_permits(PLENTY);
    for answer in answers {
        assert!(is_committed(&answer.await.unwrap()));
    }
    assert_eq!(*bench.stream.appends.lock(), [1, 50]);
    assert_eq!(bench.offset().await, Ok(Some(50)));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_certainly_failed_is_refused_and_the_shard_goes_on() {
    let bench = Bench::new(1, PLENTY);
    *bench.stream.fail.lock() = Some(StateError::Append(AppendError::StorageFull));
    let refused = bench.commit(1).await.await.unwrap();
    assert_eq!(
        refused,
        Ok(Answer::Commit(Err(GroupError::CoordinatorNotAvailable)))
    );
    assert!(is_committed(&bench.commit(2).await.await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_fate_makes_the_shard_read_what_holds() {
    let bench = Bench::new(1, 0);
    let unknown = bench.commit(7).await;
    bench.stream.appending.notified().await;
    // The write did happen, and its answer was lost.
    let record = Record::Offset(
        "g".into(),
        "t".into(),
        0,
        Some(CommittedOffset {
            offset: 7,
            leader_epoch: -1,
            committed_ms: 0,
            expires_ms: None,
            topic_id: TopicId([1; 16]),
            metadata: Arc::from(""),
        }),
    );
    let encoded = record.encode();
    bench.stream.records.lock().push(StateRecord {
        key: encoded.key,
        value: encoded.value,
    });
    *bench.stream.fail.lock() = Some(StateError::Append(AppendError::Storage {
        fate: Fate::Unknown,
        what: "the answer was lost".into(),
    }));
    bench.stream.permits.add_permits(PLENTY);
    assert!(
        unknown.await.is_err(),
        "dropped: the asker is told to look for the coordinator again"
    );
    bench.stream.opens.add_permits(1);
    while bench.offset().await == Err(GroupError::CoordinatorLoadInProgress) {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.offset().await, Ok(Some(7)));
}

#[tokio::test(start_paused = true)]
async fn offsets_of_a_topic_that_was_deleted_during_the_load_are_forgotten() {
    let bench = Bench::new(1, PLENTY);
    assert!(is_committed(&bench.commit(3).await.await.unwrap()));
    let records = bench.stream.records.lock().clone();
    let again = Bench::new(0, PLENTY);
    *again.stream.records.lock() = records;
    again
        .stream
        .topics
        .lock()
        .insert("t".to_owned(), TopicId([2; 16]));
    again.stream.opens.add_permits(1);
    while again.offset().await != Ok(None) {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        again
            .stream
            .records
            .lock()
            .last()
            .map(|record| record.value.clone()),
        Some(None)
    );
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_without_anybody_asking() {
    let bench = Bench::new(1, PLENTY);
    let join = JoinRequest {
        group: "g".into(),
        member: None,
        instance: None,
        fresh_member: "m".into(),
        client: ClientInfo {
            id: Arc::from("c"),
            host: Arc::from("/h"),
        },
        session_timeout_ms: 6_000,
        rebalance_timeout_ms: 6_000,
        protocol_type: "consumer".into(),
        protocols: vec![Protocol {
            name: "range".into(),
            metadata: bytes::Bytes::new(),
        }],
        member_id_required: false,
        skip_assignment_supported: true,
    };
    let answer = bench.ask(Request::Join(join)).await;
    // Paused time runs to the next deadline as soon as nothing else can: the initial delay ends by itself.
    assert!(matches!(answer.await.unwrap(), Ok(Answer::Join(Ok(_)))));
}

#[tokio::test(start_paused = true)]
async fn closing_finishes_the_writes_under_way_and_lets_go_of_who_waits() {
    let bench = Bench::new(1, 0);
    let committed = bench.commit(1).await;
    bench.stream.appending.notified().await;
    let (done, ended) = oneshot::channel();
    assert!(bench.mailbox.send(Ask::Close(done)).await.is_ok());
    let (reply, late) = oneshot::channel();
    let _ = bench.mailbox.send(Ask::Request(Box::new(commit(2)), reply)).await;
    bench.stream.permits.add_permits(PLENTY);
    assert!(is_committed(&committed.await.unwrap()));
    assert!(
        ended.await.is_err(),
        "the sender is dropped when the task is gone"
    );
    assert!(late.await.is_err());
    assert_eq!(bench.stream.records.lock().len(), 1);
}

#[test]
fn member_ids_never_repeat_and_carry_the_clients_name() {
    let ids = super::member_ids::MemberIds::new(42);
    let all: std::collections::BTreeSet<String> = (0..1_000).map(|_| ids.next("app").to_string()).collect();
    assert_eq!(all.len(), 1_000);
    assert!(
        all.iter()
            .all(|id| id.starts_with("app-") && id.len() == "app-".len() + 36)
    );
    let other = super::member_ids::MemberIds::new(43);
    assert!(!all.contains(&other.next("app").to_string()));
}
