//! Everything at once against a model.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One step of the random test.
#[derive(Clone, Debug)]
enum Step {
    Append {
        stream: u8,
        keys: Vec<u8>,
        deleted: bool,
    },
    Upload,
    Trim {
        stream: u8,
        permille: u16,
    },
    Delete {
        stream: u8,
    },
    Housekeep,
    Restart,
    Faults {
        puts: Vec<u8>,
        appends: Vec<u8>,
    },
    Advance(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..4, proptest::collection::vec(0u8..6, 1..5), any::<bool>())
            .prop_map(|(stream, keys, deleted)| Step::Append { stream, keys, deleted: deleted && keys_are_few(stream) }),
        5 => Just(Step::Upload),
        2 => (0u8..4, 0u16..=1000).prop_map(|(stream, permille)| Step::Trim { stream, permille }),
        1 => (3u8..4).prop_map(|stream| Step::Delete { stream }),
        4 => Just(Step::Housekeep),
        1 => Just(Step::Restart),
        2 => (proptest::collection::vec(0u8..5, 0..3), proptest::collection::vec(0u8..3, 0..2))
            .prop_map(|(puts, appends)| Step::Faults { puts, appends }),
        1 => (0u16..800).prop_map(Step::Advance),
    ]
}

fn keys_are_few(stream: u8) -> bool {
    stream < 2
}

/// What must be readable: every record, from each stream's start on.
#[derive(Default)]
struct Model {
    records: BTreeMap<u64, TestRecord>,
    committed: u64,
    start: u64,
}

impl Model {
    /// Judges what was read. Streams 0 and 1 are compacted: a record may be missing if a newer one of its key is there to be
    /// read or was before, or if it is a tombstone; nothing else may, and nothing may differ.
    fn judge(&self, stream: u8, found: &BTreeMap<u64, TestRecord>) {
        let expected = || self.records.range(self.start..self.committed.max(self.start));
        for (offset, record) in found {
            assert_eq!(
                self.records.get(offset),
                Some(record),
                "stream {stream}, offset {offset}"
            );
        }
        for (offset, record) in expected() {
            let newer = expected().any(|(later, other)| later > offset && other.key == record.key);
            let may_be_gone = stream < 2 && (newer || record.value.is_none());
            assert!(
                found.contains_key(offset) || may_be_gone,
                "stream {stream}: offset {offset} is lost"
            );
        }
    }
}

/// The log, and what must be readable in it.
struct Run {
    world: World,
    models: BTreeMap<u8, Model>,
    deleted: BTreeSet<u8>,
}

impl Run {
    async fn new() -> Run {
        let world = World::new().await;
        for stream in 0..4u8 {
            let policy = if stream < 2 { compacted() } else { keep_all() };
            world.tail.set_policy(id(stream), policy);
        }
        Run {
            world,
            models: BTreeMap::new(),
            deleted: BTreeSet::new(),
        }
    }

    async fn step(mut self, step: Step) -> Run {
        match step {
            Step::Append { stream, .. } | Step::Trim { stream, .. } if self.deleted.contains(&stream) => {}
            Step::Append {
                stream,
                keys,
                deleted,
            } => self.append(stream, &keys, deleted),
            Step::Upload => self.upload().await,
            Step::Trim { stream, permille } => self.trim(stream, permille).await,
            Step::Delete { stream } => self.delete(stream).await,
            // Under faults a part of it may fail; that must not change any record either.
            Step::Housekeep => drop(self.world.house.round(0).await),
            Step::Restart => {
                // An opening that fails changes nothing, and is not what is tested here.
                self.world.list.heal();
                self.world = self.world.restart().await;
            }
            Step::Faults { puts, appends } => {
                self.world.objects.fail_puts(puts.into_iter().map(object_fault));
                self.world.list.inject(appends.into_iter().map(append_fault));
            }
            Step::Advance(ms) => self.world.clock.advance(i64::from(ms)),
        }
        self
    }

    fn append(&mut self, stream: u8, keys: &[u8], deleted: bool) {
        let model = self.models.entry(stream).or_default();
        let at = model.records.len() as i64;
        let make = |key: &u8| match deleted {
            true => tombstone(&key.to_string(), at),
            false => record(&key.to_string(), &format!("value {at}"), at),
        };
        let records: Vec<TestRecord> = keys.iter().map(make).collect();
        let base = self.world.tail.append(id(stream), &records);
        model.records.extend((base.0..).zip(records));
    }

    async fn upload(&mut self) {
        self.world.upload().await;
        for model in self.models.values_mut() {
            model.committed = model.records.len() as u64;
        }
    }

    async fn trim(&mut self, stream: u8, permille: u16) {
        let model = self.models.entry(stream).or_default();
        let to = model.records.len() as u64 * u64::from(permille) / 1000;
        if self.world.manifest.trim(id(stream), Offset(to)).await.is_ok() {
            self.world.tail.advance_start(id(stream), Offset(to));
            model.start = model.start.max(to);
        }
    }

    async fn delete(&mut self, stream: u8) {
        let through = self.world.tail.durable_group();
        if self
            .world
            .manifest
            .delete_stream(id(stream), through)
            .await
            .is_ok()
        {
            self.world.tail.remove(id(stream));
            self.models.remove(&stream);
            self.deleted.insert(stream);
        }
    }

    async fn judge(&self) {
        self.world
            .manifest
            .with_image(|image| image.check())
            .expect("every invariant");
        for (stream, model) in &self.models {
            match self.world.read_all(id(*stream), Offset(model.start)).await {
                Ok(found) => model.judge(*stream, &found),
                Err(ReadError::StreamGone) => {
                    assert_eq!((model.committed, model.start), (0, 0), "stream {stream}")
                }
                Err(error) => panic!("stream {stream}: {error:?}"),
            }
        }
        for stream in &self.deleted {
            let found = self.world.read_all(id(*stream), Offset(0)).await;
            assert_eq!(found, Err(ReadError::StreamGone), "deleted for good");
        }
    }
}

fn id(stream: u8) -> StreamId {
    StreamId(u64::from(stream))
}

fn object_fault(n: u8) -> ObjectFault {
    match n {
        0 => ObjectFault::NotDone,
        1 => ObjectFault::UnknownDone,
        2 => ObjectFault::UnknownNotDone,
        3 => ObjectFault::Full,
        _ => ObjectFault::Refused,
    }
}

fn append_fault(n: u8) -> AppendFault {
    match n {
        0 => AppendFault::NotDone,
        1 => AppendFault::UnknownDone,
        _ => AppendFault::UnknownNotDone,
    }
}

async fn run_steps(steps: Vec<Step>) {
    let mut run = Run::new().await;
    for step in steps {
        run = run.step(step).await;
        run.judge().await;
    }
    every_object_is_accounted_for(&run.world).await;
}

/// After the dust has settled the store holds what the manifest names, and nothing else.
async fn every_object_is_accounted_for(world: &World) {
    world.objects.heal();
    world.list.heal();
    world.upload().await;
    for round in 0..3 {
        world.house.round(round * 1000).await.expect("no faults are left");
    }
    let mut named: Vec<String> = world
        .manifest
        .with_image(|image| image.objects.keys().map(|id| id.key()).collect());
    named.sort();
    assert_eq!(world.objects.keys(), named);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Invariant 4 and 5, T4 to T8 together: whatever happens in whatever order, no record is lost or changed but by policy.
    #[test]
    fn random_uploads_trims_merges_compactions_and_faults_keep_the_records(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(run_steps(steps));
    }
}
