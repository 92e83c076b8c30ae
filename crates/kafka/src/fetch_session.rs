//! Fetch sessions (KIP-227): what a consumer asked for last time, so that it need not say it again, and what it was told, so
//! that nothing unchanged is said again.
//!
//! Owns: the partitions of each session, their order of service, the epochs of the exchange. Never: reads. Pure, but for the
//! lock around the table.
//!
//! **Invariant**: partitions that gave data go to the end of the order, so that none starves (trap T16).

use crate::errors::ErrorCode;
use millstream_kafka_wire::{Str, Uuid};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A session that nobody used for so long may be dropped for a new one (Kafka: min.incremental.fetch.session.eviction.ms).
const EVICTION_AGE: Duration = Duration::from_secs(120);

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
}

/// How one request is to be answered.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Partitions to read, in this order.
    pub asks: Vec<Ask>,
    /// Id to answer with; 0 for none.
    pub session_id: i32,
    /// Whether only what changed is told.
    pub incremental: bool,
}

#[derive(Debug)]
struct Entry {
    ask: Ask,
    told: Option<Told>,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    used: Duration,
    order: BTreeMap<u64, Entry>,
    places: HashMap<(TopicKey, i32), u64>,
    next_place: u64,
}

/// All sessions of this node.
pub(crate) struct FetchSessions {
    slots_max: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    sessions: HashMap<i32, Session>,
    next_id: i32,
}

impl FetchSessions {
    pub fn new(slots_max: usize) -> Self {
        Self {
            slots_max,
            table: Mutex::default(),
        }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.table.lock().sessions.len()
    }

    /// Decides what a request reads.
    pub fn plan(&self, request: SessionRequest, now: Duration) -> Result<Plan, ErrorCode> {
        let mut table = self.table.lock();
        match request.epoch {
            EPOCH_INITIAL | EPOCH_FINAL => {
                table.sessions.remove(&request.id);
                let wants_session = request.epoch == EPOCH_INITIAL;
                let session_id = if wants_session {
                    table.open(&request.asks, self.slots_max, now)
                } else {
                    0
                };
                Ok(Plan {
                    asks: request.asks,
                    session_id,
                    incremental: false,
                })
            }
            epoch => {
                let session = table
                    .sessions
                    .get_mut(&request.id)
                    .ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
                if session.epoch != epoch {
                    return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
                }
                session.epoch = next_epoch(epoch);
                session.used = now;
                session.update(request.asks, request.forgotten);
                let asks = session.order.values().map(|entry| entry.ask.clone()).collect();
                Ok(Plan {
                    asks,
                    session_id: request.id,
                    incremental: true,
                })
            }
        }
    }

    /// Notes what is told of a partition; returns whether it must be told at all. Partitions with data go to the end.
    pub fn tell(&self, session_id: i32, ask: &Ask, told: Told, has_news: HasNews) -> bool {
        if session_id == 0 {
            return true;
        }
        let mut table = self.table.lock();
        let Some(session) = table.sessions.get_mut(&session_id) else {
            return true;
        };
        session.tell(ask, told, has_news)
    }
}

/// Whether a partition's answer carries records or an error, which are always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasNews {
    Records,
    Error,
    No,
}

impl Table {
    /// A new session's id, or 0 when every slot is taken by a session in use.
    fn open(&mut self, asks: &[Ask], slots_max: usize, now: Duration) -> i32 {
        if slots_max == 0 || asks.is_empty() {
            return 0;
        }
        if self.sessions.len() >= slots_max && !self.evict(now) {
            return 0;
        }
        self.next_id = if self.next_id == i32::MAX {
            1
        } else {
            self.next_id + 1
        };
        while self.sessions.contains_key(&self.next_id) {
            self.next_id = if self.next_id == i32::MAX {
                1
            } else {
                self.next_id + 1
            };
        }
        let mut session = Session {
            epoch: next_epoch(EPOCH_INITIAL),
            used: now,
            order: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
        };
        session.update(asks.to_vec(), Vec::new());
        self.sessions.insert(self.next_id, session);
        self.next_id
    }

    fn evict(&mut self, now: Duration) -> bool {
        let oldest = self
            .sessions
            .iter()
            .min_by_key(|(id, session)| (session.used, **id));
        match oldest {
            Some((id, session)) if now.saturating_sub(session.used) >= EVICTION_AGE => {
                let id = *id;
                self.sessions.remove(&id);
                true
            }
            _ => false,
        }
    }
}

impl Session {
    fn update(&mut self, asks: Vec<Ask>, forgotten: Vec<(TopicKey, i32)>) {
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

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(partition: i32, from: i64) -> Ask {
        let topic = TopicKey::Name(Str::from_static("t"));
        Ask {
            topic,
            partition,
            from,
            bytes_max: 1,
            epoch: -1,
            last_fetched_epoch: -1,
        }
    }

    fn request(id: i32, epoch: i32, asks: Vec<Ask>) -> SessionRequest {
        SessionRequest {
            id,
            epoch,
            asks,
            forgotten: Vec::new(),
        }
    }

    const TOLD: Told = Told {
        high_watermark: 5,
        log_start: 0,
    };

    #[test]
    fn a_session_remembers_partitions_and_tells_only_what_changed() {
        let sessions = FetchSessions::new(2);
        let plan = sessions
            .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
            .unwrap();
        assert!(plan.session_id > 0 && !plan.incremental);
        assert!(sessions.tell(plan.session_id, &plan.asks[0], TOLD, HasNews::No));
        let id = plan.session_id;
        let plan = sessions
            .plan(request(id, 1, vec![ask(1, 7)]), Duration::ZERO)
            .unwrap();
        assert!(plan.incremental);
        assert_eq!(plan.asks, [ask(0, 0), ask(1, 7)]);
        assert!(!sessions.tell(id, &plan.asks[0], TOLD, HasNews::No));
        assert!(sessions.tell(
            id,
            &plan.asks[0],
            Told {
                high_watermark: 6,
                log_start: 0
            },
            HasNews::No
        ));
    }

    #[test]
    fn partitions_that_gave_data_go_to_the_end() {
        let sessions = FetchSessions::new(1);
        let plan = sessions
            .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
            .unwrap();
        sessions.tell(plan.session_id, &plan.asks[0], TOLD, HasNews::Records);
        let plan = sessions
            .plan(request(plan.session_id, 1, Vec::new()), Duration::ZERO)
            .unwrap();
        let order: Vec<i32> = plan.asks.iter().map(|ask| ask.partition).collect();
        assert_eq!(order, [1, 0]);
    }

    #[test]
    fn forgotten_partitions_are_not_read() {
        let sessions = FetchSessions::new(1);
        let id = sessions
            .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
            .unwrap()
            .session_id;
        let forgotten = vec![(TopicKey::Name(Str::from_static("t")), 0)];
        let next = SessionRequest {
            id,
            epoch: 1,
            asks: Vec::new(),
            forgotten,
        };
        assert_eq!(sessions.plan(next, Duration::ZERO).unwrap().asks, [ask(1, 0)]);
    }

    #[test]
    fn wrong_ids_and_epochs_are_told_apart() {
        let sessions = FetchSessions::new(1);
        let id = sessions
            .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
            .unwrap()
            .session_id;
        let wrong_epoch = sessions
            .plan(request(id, 5, Vec::new()), Duration::ZERO)
            .unwrap_err();
        assert_eq!(wrong_epoch, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        let wrong_id = sessions
            .plan(request(id + 1, 1, Vec::new()), Duration::ZERO)
            .unwrap_err();
        assert_eq!(wrong_id, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    }

    #[test]
    fn slots_are_bounded_and_only_idle_sessions_make_room() {
        let sessions = FetchSessions::new(1);
        let first = sessions
            .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
            .unwrap()
            .session_id;
        assert_eq!(
            sessions
                .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
                .unwrap()
                .session_id,
            0
        );
        let later = sessions
            .plan(request(0, 0, vec![ask(0, 0)]), EVICTION_AGE)
            .unwrap()
            .session_id;
        assert!(later > 0 && later != first);
        assert_eq!(sessions.len(), 1);
    }
}
