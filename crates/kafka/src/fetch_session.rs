//! Fetch sessions (KIP-227): what a consumer asked for last time, so that it need not say it again, and what it was told, so
//! that nothing unchanged is said again.
//!
//! Owns: the partitions of each session, their order of service, the epochs of the exchange. Never: reads. Pure, but for the
//! locks: a short one around the table, one around each session.
//!
//! **Invariant**: partitions that gave data go to the end of the order, so that none starves (trap T16); and all sessions
//! together remember at most `PARTITIONS_MAX` partitions, whatever clients ask for.

use crate::errors::ErrorCode;
use millstream_kafka_wire::{Str, Uuid};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A session that nobody used for so long may be dropped for a new one (Kafka: min.incremental.fetch.session.eviction.ms).
const EVICTION_AGE: Duration = Duration::from_secs(120);

/// Partitions that all sessions together remember, at about 250 bytes each. Above it clients are served without a session.
const PARTITIONS_MAX: usize = 500_000;

/// Epoch of a request that wants a new session.
const EPOCH_INITIAL: i32 = 0;

/// Epoch of a request that wants no session.
const EPOCH_FINAL: i32 = -1;

/// How a request names a topic: by id from version 13 on, by name before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TopicKey {
    Name(Str),
    Id(Uuid),
}

/// What is asked of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub topic: TopicKey,
    pub partition: i32,
    pub from: i64,
    pub bytes_max: i32,
    pub epoch: i32,
    pub last_fetched_epoch: i32,
}

/// What the session remembers having told of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub high_watermark: i64,
    pub log_start: i64,
}

/// The part of a request that is about sessions.
#[derive(Debug)]
pub(crate) struct SessionRequest {
    pub id: i32,
    pub epoch: i32,
    pub asks: Vec<Ask>,
    pub forgotten: Vec<(TopicKey, i32)>,
    /// Whether its version names topics by id; a session keeps to one way.
    pub by_id: bool,
}

/// How one request is to be answered.
pub(crate) struct Plan {
    /// Partitions to read, in this order.
    pub asks: Vec<Ask>,
    /// Id to answer with; 0 for none.
    pub session_id: i32,
    /// Whether only what changed is told.
    pub incremental: bool,
    session: Option<Arc<Mutex<Session>>>,
}

#[derive(Debug)]
struct Entry {
    ask: Ask,
    told: Option<Told>,
}

/// See the module.
pub(crate) struct Session {
    epoch: i32,
    by_id: bool,
    order: BTreeMap<u64, Entry>,
    places: HashMap<(TopicKey, i32), u64>,
    next_place: u64,
    /// Partitions of all sessions.
    remembered: Arc<AtomicUsize>,
}

/// All sessions of this node.
pub(crate) struct FetchSessions {
    slots_max: usize,
    remembered: Arc<AtomicUsize>,
    table: Mutex<Table>,
}

struct Table {
    slots: HashMap<i32, Slot>,
    next_id: i32,
}

struct Slot {
    used: Duration,
    session: Arc<Mutex<Session>>,
}

impl FetchSessions {
    /// Ids begin at a place that depends on `seed`: a client that comes back after a restart must not take another's session
    /// for its own.
    pub fn new(slots_max: usize, seed: i64) -> Self {
        // The odd constant of Knuth's multiplicative hash spreads times that lie close together.
        let spread = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 33;
        Self {
            slots_max,
            remembered: Arc::default(),
            table: Mutex::new(Table {
                slots: HashMap::new(),
                next_id: i32::try_from(spread).unwrap_or(0).max(1),
            }),
        }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.table.lock().slots.len()
    }

    /// Decides what a request reads.
    pub fn plan(&self, request: SessionRequest, now: Duration) -> Result<Plan, ErrorCode> {
        match request.epoch {
            EPOCH_INITIAL | EPOCH_FINAL => Ok(self.plan_full(request, now)),
            _ => self.plan_incremental(request, now),
        }
    }

    fn plan_full(&self, request: SessionRequest, now: Duration) -> Plan {
        self.table.lock().slots.remove(&request.id);
        let opened = match request.epoch {
            EPOCH_INITIAL => self.open(&request, now),
            _ => None,
        };
        let (session_id, session) = opened.unzip();
        Plan {
            asks: request.asks,
            session_id: session_id.unwrap_or(0),
            incremental: false,
            session,
        }
    }

    fn plan_incremental(&self, request: SessionRequest, now: Duration) -> Result<Plan, ErrorCode> {
        let shared = self.table.lock().touch(request.id, now);
        let shared = shared.ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        let mut session = shared.lock();
        if session.epoch != request.epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.by_id != request.by_id {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        if !self.has_room(request.asks.len()) {
            // The client asks for everything next, and is served without a session.
            self.table.lock().slots.remove(&request.id);
            return Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        }
        session.epoch = next_epoch(session.epoch);
        session.update(request.asks, request.forgotten);
        if session.order.is_empty() {
            self.table.lock().slots.remove(&request.id);
            return Ok(Plan {
                asks: Vec::new(),
                session_id: 0,
                incremental: false,
                session: None,
            });
        }
        Ok(Plan {
            asks: session.order.values().map(|entry| entry.ask.clone()).collect(),
            session_id: request.id,
            incremental: true,
            session: Some(shared.clone()),
        })
    }

    /// A new session, or none when every slot is taken by a session in use.
    fn open(&self, request: &SessionRequest, now: Duration) -> Option<(i32, Arc<Mutex<Session>>)> {
        if request.asks.is_empty() || !self.has_room(request.asks.len()) {
            return None;
        }
        let mut session = Session {
            epoch: next_epoch(EPOCH_INITIAL),
            by_id: request.by_id,
            order: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
            remembered: self.remembered.clone(),
        };
        session.update(request.asks.clone(), Vec::new());
        let session = Arc::new(Mutex::new(session));
        let slot = Slot {
            used: now,
            session: session.clone(),
        };
        let id = self.table.lock().insert(slot, self.slots_max, now)?;
        Some((id, session))
    }

    /// Not exact when requests race, and need not be.
    fn has_room(&self, partitions: usize) -> bool {
        let remembered = self.remembered.load(Ordering::Relaxed);
        remembered.saturating_add(partitions) <= PARTITIONS_MAX
    }
}

/// Whether a partition's answer carries records or an error, which are always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasNews {
    Records,
    Error,
    No,
}

impl Plan {
    /// Runs `tell` with a way to note what is told of a partition, which returns whether it must be told at all.
    /// Partitions with data go to the end of the order.
    pub fn tell<R>(&self, tell: impl FnOnce(&mut dyn FnMut(&Ask, Told, HasNews) -> bool) -> R) -> R {
        match &self.session {
            None => tell(&mut |_, _, _| true),
            Some(session) => {
                let mut session = session.lock();
                let incremental = self.incremental;
                tell(&mut |ask, told, has_news| session.tell(ask, told, has_news) || !incremental)
            }
        }
    }
}

impl Table {
    fn touch(&mut self, id: i32, now: Duration) -> Option<Arc<Mutex<Session>>> {
        let slot = self.slots.get_mut(&id)?;
        slot.used = now;
        Some(slot.session.clone())
    }

    fn insert(&mut self, slot: Slot, slots_max: usize, now: Duration) -> Option<i32> {
        if slots_max == 0 || self.slots.len() >= slots_max && !self.evict(now) {
            return None;
        }
        while self.slots.contains_key(&self.next_id) {
            self.next_id = next_id(self.next_id);
        }
        let id = self.next_id;
        self.next_id = next_id(id);
        self.slots.insert(id, slot);
        Some(id)
    }

    fn evict(&mut self, now: Duration) -> bool {
        let oldest = self.slots.iter().min_by_key(|(id, slot)| (slot.used, **id));
        let oldest = oldest.filter(|(_, slot)| now.saturating_sub(slot.used) >= EVICTION_AGE);
        let Some(id) = oldest.map(|(id, _)| *id) else {
            return false;
        };
        self.slots.remove(&id);
        true
    }
}

impl Session {
    fn update(&mut self, asks: Vec<Ask>, forgotten: Vec<(TopicKey, i32)>) {
        let before = self.order.len();
        for ask in asks {
            let key = (ask.topic.clone(), ask.partition);
            if let Some(entry) = self.places.get(&key).and_then(|place| self.order.get_mut(place)) {
                entry.ask = ask;
                continue;
            }
            self.places.insert(key, self.next_place);
            self.order.insert(self.next_place, Entry { ask, told: None });
            self.next_place += 1;
        }
        for key in forgotten {
            if let Some(place) = self.places.remove(&key) {
                self.order.remove(&place);
            }
        }
        self.remembered.fetch_add(self.order.len(), Ordering::Relaxed);
        self.remembered.fetch_sub(before, Ordering::Relaxed);
    }

    fn tell(&mut self, ask: &Ask, told: Told, has_news: HasNews) -> bool {
        let key = (ask.topic.clone(), ask.partition);
        let Some(place) = self.places.get_mut(&key) else {
            return true;
        };
        let Some(entry) = self.order.get_mut(place) else {
            return true;
        };
        let changed = entry.told != Some(told);
        // After an error the next answer must be told whatever it is: the client forgot what it knew.
        entry.told = (has_news != HasNews::Error).then_some(told);
        if has_news == HasNews::Records
            && let Some(entry) = self.order.remove(place)
        {
            self.order.insert(self.next_place, entry);
            *place = self.next_place;
            self.next_place += 1;
        }
        changed || has_news != HasNews::No
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.remembered.fetch_sub(self.order.len(), Ordering::Relaxed);
    }
}

fn next_id(id: i32) -> i32 {
    if id == i32::MAX { 1 } else { id + 1 }
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
#[path = "fetch_session_tests.rs"]
mod tests;
