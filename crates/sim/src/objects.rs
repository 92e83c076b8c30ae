//! The simulated object store: whole objects, slow and unreliable answers.
//!
//! Owns: the objects over all lives of the broker. Never: what they mean.
//!
//! **Invariant**: it does what a real store may do, no more: a put is whole or not there; a lost answer says nothing; a request
//! that timed out may be carried out later, even after the process that sent it is gone.

use crate::rng::Rng;
use crate::volume::{Volume, What};
use crate::world::{Outage, Pace, Site, World};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millstream_log::Fate;
use millstream_log::objects::store::{ObjectError, ObjectStore, PutMode};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Puts that may be under way late at once; more are dropped.
const LATE_MAX: usize = 8;

/// Rates of faults, out of `RATE_UNIT` calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObjectFaults {
    /// Nothing happened, and the store says so (503).
    pub not_done: u64,
    /// The answer is lost; half of the time the operation was carried out, some of the time it will be.
    pub unknown: u64,
    /// No room.
    pub full: u64,
    /// A read answers with a flipped bit: the reader's checksums must find it.
    pub flipped: u64,
    /// An outage begins.
    pub outage: u64,
}

/// A fault that no store has: for the proof that the checker would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectMutation {
    /// After this many puts, the newest object is gone.
    LosesObjectAfterPuts(u64),
    /// Deletes also take the neighbour of the key that they are given.
    DeletesNeighbour,
}

struct LatePut {
    key: String,
    bytes: Bytes,
    mode: PutMode,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    /// The newest last.
    late: Vec<LatePut>,
    puts: u64,
}

/// See the module.
pub struct SimObjects {
    world: Arc<World>,
    pace: Pace,
    faults: ObjectFaults,
    mutation: Option<ObjectMutation>,
    outage: Outage,
    state: Mutex<State>,
}

/// What becomes of one operation.
enum Outcome {
    Plain,
    NotDone,
    UnknownDone,
    UnknownNotDone,
    UnknownLate,
}

impl SimObjects {
    /// An empty store.
    #[must_use]
    pub fn new(
        world: Arc<World>,
        pace: Pace,
        faults: ObjectFaults,
        mutation: Option<ObjectMutation>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world,
            pace,
            faults,
            mutation,
            outage: Outage::default(),
            state: Mutex::default(),
        })
    }

    /// The keys present, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state.lock().objects.keys().cloned().collect()
    }

    /// The process that sent them is gone: what is under way late arrives now, or never.
    pub fn settle_late(&self, rng: &mut Rng) {
        let mut state = self.state.lock();
        let late = std::mem::take(&mut state.late);
        for put in late {
            if rng.one_in(2) {
                self.world.event(&format!("late put of {} arrives", put.key));
                // Nobody waits for the answer.
                let _ = state.put(self.world.volume(), &put.key, put.bytes, put.mode);
            }
        }
    }

    async fn before(&self, site: Site, what: &str) {
        self.world.moment(site, self.pace, what).await;
    }

    async fn after(&self, site: Site, what: &str) {
        self.world.moment(site, self.pace, &format!("{what} done")).await;
    }

    fn outcome(&self) -> Outcome {
        if self.world.fault(self.faults.not_done) {
            return Outcome::NotDone;
        }
        let silent = self.outage.strikes(&self.world, self.faults.outage);
        if !silent && !self.world.fault(self.faults.unknown) {
            return Outcome::Plain;
        }
        match self.world.draw(|rng| rng.below(4)) {
            0 | 1 => Outcome::UnknownDone,
            2 => Outcome::UnknownNotDone,
            _ => Outcome::UnknownLate,
        }
    }

    /// Whether a read is answered.
    fn answers(&self) -> Result<(), ObjectError> {
        if self.outage.strikes(&self.world, 0) || self.world.fault(self.faults.not_done) {
            return Err(no_answer(Fate::NotDone));
        }
        Ok(())
    }

    fn put_now(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<(), ObjectError> {
        let mut state = self.state.lock();
        // What was late overtakes at the latest here, so that a retry meets its own first attempt.
        if self.world.draw(|rng| rng.one_in(2)) {
            for put in std::mem::take(&mut state.late) {
                let _ = state.put(self.world.volume(), &put.key, put.bytes, put.mode);
            }
        }
        let done = state.put(self.world.volume(), key, bytes, mode);
        if let Some(ObjectMutation::LosesObjectAfterPuts(puts)) = self.mutation
            && state.puts == puts
        {
            state.remove(self.world.volume(), key);
        }
        done
    }

    fn carry_out_put(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<(), ObjectError> {
        if self.world.fault(self.faults.full) {
            return Err(ObjectError::Full);
        }
        match self.outcome() {
            Outcome::Plain => self.put_now(key, bytes, mode),
            Outcome::NotDone => Err(no_answer(Fate::NotDone)),
            Outcome::UnknownDone => {
                let _ = self.put_now(key, bytes, mode);
                Err(no_answer(Fate::Unknown))
            }
            Outcome::UnknownNotDone => Err(no_answer(Fate::Unknown)),
            Outcome::UnknownLate => {
                let mut state = self.state.lock();
                if state.late.len() < LATE_MAX {
                    let key = key.to_owned();
                    state.late.push(LatePut { key, bytes, mode });
                }
                Err(no_answer(Fate::Unknown))
            }
        }
    }

    fn carry_out_delete(&self, key: &str) {
        let mut state = self.state.lock();
        state.remove(self.world.volume(), key);
        if self.mutation == Some(ObjectMutation::DeletesNeighbour) {
            let next = state.objects.range(key.to_owned()..).next();
            if let Some(next) = next.map(|(key, _)| key.clone()) {
                state.remove(self.world.volume(), &next);
            }
        }
    }

    fn read(&self, key: &str, range: &Range<u64>) -> Result<Bytes, ObjectError> {
        let whole = self
            .state
            .lock()
            .objects
            .get(key)
            .cloned()
            .ok_or(ObjectError::NotFound)?;
        if range.start > range.end || range.end > whole.len() as u64 {
            return Err(ObjectError::Refused("the range lies past the end".to_owned()));
        }
        let index = |at: u64| usize::try_from(at).expect("within an object in memory");
        let found = whole.slice(index(range.start)..index(range.end));
        if found.is_empty() || !self.world.fault(self.faults.flipped) {
            return Ok(found);
        }
        self.world.event("fault: a bit is flipped");
        let mut damaged = BytesMut::from(&found[..]);
        let at = self.world.draw(|rng| rng.index(damaged.len()));
        damaged[at] ^= 1;
        Ok(damaged.freeze())
    }
}

impl State {
    fn put(&mut self, volume: &Volume, key: &str, bytes: Bytes, mode: PutMode) -> Result<(), ObjectError> {
        if mode == PutMode::CreateNew && self.objects.contains_key(key) {
            return Err(ObjectError::AlreadyExists);
        }
        if !volume.add(What::Object, bytes.len() as u64) {
            return Err(ObjectError::Full);
        }
        self.remove(volume, key);
        self.puts += 1;
        self.objects.insert(key.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, volume: &Volume, key: &str) {
        if let Some(bytes) = self.objects.remove(key) {
            volume.remove(What::Object, bytes.len() as u64);
        }
    }
}

fn no_answer(fate: Fate) -> ObjectError {
    ObjectError::Retry {
        fate,
        what: "injected: no answer".to_owned(),
    }
}

impl ObjectStore for SimObjects {
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        async move {
            let bytes = Bytes::from(parts.concat());
            let what = format!("{key} {}", bytes.len());
            self.before("objects.put", &what).await;
            let answer = self.carry_out_put(key, bytes, mode);
            self.after("objects.put", &format!("{what} {answer:?}")).await;
            answer
        }
        .boxed()
    }

    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        async move {
            self.before("objects.get", &format!("{key} {range:?}")).await;
            self.answers()?;
            self.read(key, &range)
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        async move {
            self.before("objects.head", key).await;
            self.answers()?;
            let state = self.state.lock();
            let found = state.objects.get(key).map(|bytes| bytes.len() as u64);
            found.ok_or(ObjectError::NotFound)
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        async move {
            self.before("objects.list", prefix).await;
            self.answers()?;
            let state = self.state.lock();
            let found = state.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(found
                .map(|(key, bytes)| (key.clone(), bytes.len() as u64))
                .collect())
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        async move {
            self.before("objects.delete", key).await;
            let answer = match self.outcome() {
                Outcome::Plain => {
                    self.carry_out_delete(key);
                    Ok(())
                }
                Outcome::NotDone => Err(no_answer(Fate::NotDone)),
                Outcome::UnknownDone => {
                    self.carry_out_delete(key);
                    Err(no_answer(Fate::Unknown))
                }
                Outcome::UnknownNotDone | Outcome::UnknownLate => Err(no_answer(Fate::Unknown)),
            };
            self.after("objects.delete", &format!("{key} {answer:?}")).await;
            answer
        }
        .boxed()
    }
}
