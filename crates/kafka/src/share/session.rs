//! Share sessions: which partitions a member fetches from this broker, so that it need not say it again; and the numbers of the
//! exchange, so that no request is taken twice.
//!
//! Owns: the table. Never: locks on records; those are the queues'. Pure, but for the identity of a connection.
//!
//! **Invariant**: a member has one session, on one connection, and all sessions together remember at most `PLACES_MAX` partitions.

use super::SessionTurn;
use crate::connection::Peer;
use crate::errors::ErrorCode;
use millstream_broker::queue::Holder;
use millstream_kafka_wire::Uuid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

/// Partitions that all sessions together remember, at about 100 bytes each.
const PLACES_MAX: usize = 500_000;

/// Epoch of a request that begins a session.
pub(crate) const EPOCH_INITIAL: i32 = 0;

/// Epoch of a request that ends it.
pub(crate) const EPOCH_FINAL: i32 = -1;

/// Whose session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionKey {
    pub group: Arc<str>,
    pub member: Arc<str>,
}

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub topic: Uuid,
    pub partition: u32,
}

/// The part of a ShareFetch that is about the session.
pub(crate) struct ShareAsk<'a> {
    pub epoch: i32,
    pub added: &'a [Place],
    pub forgotten: &'a [Place],
}

/// A session that is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub group: Arc<str>,
    pub holder: Holder,
    /// Every partition from which it may hold records.
    pub places: Vec<Place>,
}

struct Session {
    holder: Holder,
    /// What the next request must bear.
    epoch: i32,
    /// In the order in which they were added.
    fetched: Vec<Place>,
    /// Fetched now or earlier.
    touched: BTreeSet<Place>,
    peer: Weak<Peer>,
}

pub(super) struct ShareSessions {
    sessions_max: usize,
    sessions: BTreeMap<SessionKey, Session>,
    next_holder: u64,
    places: usize,
}

impl ShareSessions {
    pub fn new(sessions_max: usize) -> Self {
        Self {
            sessions_max,
            sessions: BTreeMap::new(),
            next_holder: 0,
            places: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn fetch(
        &mut self,
        key: &SessionKey,
        ask: &ShareAsk<'_>,
        peer: &Arc<Peer>,
    ) -> Result<SessionTurn, ErrorCode> {
        match ask.epoch {
            EPOCH_FINAL => return self.acknowledge(key, EPOCH_FINAL),
            EPOCH_INITIAL => self.begin(key, peer)?,
            epoch => drop(self.advance(key, epoch)?),
        }
        if self.places + ask.added.len() > PLACES_MAX {
            return Err(ErrorCode::SHARE_SESSION_LIMIT_REACHED);
        }
        let session = self
            .sessions
            .get_mut(key)
            .ok_or(ErrorCode::SHARE_SESSION_NOT_FOUND)?;
        session.fetched.retain(|place| !ask.forgotten.contains(place));
        for place in ask.added {
            // A partition may be named only to be acknowledged while it is forgotten.
            if ask.forgotten.contains(place) {
                continue;
            }
            if session.touched.insert(*place) {
                self.places += 1;
                session.fetched.push(*place);
            } else if !session.fetched.contains(place) {
                session.fetched.push(*place);
            }
        }
        Ok(session.turn())
    }

    pub fn acknowledge(&mut self, key: &SessionKey, epoch: i32) -> Result<SessionTurn, ErrorCode> {
        match epoch {
            EPOCH_INITIAL => Err(ErrorCode::INVALID_SHARE_SESSION_EPOCH),
            EPOCH_FINAL => {
                let session = self.sessions.get(key).ok_or(ErrorCode::SHARE_SESSION_NOT_FOUND)?;
                Ok(session.turn())
            }
            epoch => self.advance(key, epoch),
        }
    }

    /// A session that the member has already is begun anew; what it holds stays its own.
    fn begin(&mut self, key: &SessionKey, peer: &Arc<Peer>) -> Result<(), ErrorCode> {
        let peer = Arc::downgrade(peer);
        if let Some(session) = self.sessions.get_mut(key) {
            session.epoch = EPOCH_INITIAL + 1;
            session.fetched.clear();
            session.peer = peer;
            return Ok(());
        }
        if self.sessions.len() >= self.sessions_max {
            return Err(ErrorCode::SHARE_SESSION_LIMIT_REACHED);
        }
        self.next_holder += 1;
        let session = Session {
            holder: Holder(self.next_holder),
            epoch: EPOCH_INITIAL + 1,
            fetched: Vec::new(),
            touched: BTreeSet::new(),
            peer,
        };
        self.sessions.insert(key.clone(), session);
        Ok(())
    }

    fn advance(&mut self, key: &SessionKey, epoch: i32) -> Result<SessionTurn, ErrorCode> {
        let session = self
            .sessions
            .get_mut(key)
            .ok_or(ErrorCode::SHARE_SESSION_NOT_FOUND)?;
        if session.epoch != epoch {
            return Err(ErrorCode::INVALID_SHARE_SESSION_EPOCH);
        }
        session.epoch = epoch.checked_add(1).unwrap_or(EPOCH_INITIAL + 1);
        Ok(session.turn())
    }

    pub fn end(&mut self, key: &SessionKey) -> Option<Ended> {
        let session = self.sessions.remove(key)?;
        self.places -= session.touched.len();
        Some(Ended {
            group: key.group.clone(),
            holder: session.holder,
            places: session.touched.into_iter().collect(),
        })
    }

    pub fn disconnected(&mut self, peer: &Arc<Peer>) -> Vec<Ended> {
        let of_peer = |(key, session): (&SessionKey, &Session)| {
            std::ptr::eq(session.peer.as_ptr(), Arc::as_ptr(peer)).then(|| key.clone())
        };
        let keys: Vec<SessionKey> = self.sessions.iter().filter_map(of_peer).collect();
        keys.iter().filter_map(|key| self.end(key)).collect()
    }
}

impl Session {
    /// Each request begins with the next partition, so that none starves.
    fn turn(&self) -> SessionTurn {
        let mut places = self.fetched.clone();
        if !places.is_empty() {
            let first = self.epoch.unsigned_abs() as usize % places.len();
            places.rotate_left(first);
        }
        SessionTurn {
            holder: self.holder,
            places,
        }
    }
}
