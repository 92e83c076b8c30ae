//! The state machine of one partition of `__transaction_state`: its transactional ids, their timers and their unfinished writes.
//!
//! Owns: the order of decisions. Never: IO, clocks, randomness, waiting; time comes in as `Now`, everything else goes out as `Output`.
//! The driver calls `step`, appends what it is told to, writes markers, and comes back at `next_deadline`.
//!
//! The state that decides is the newest one, also while its write is under way: questions are decided in the order in which they come,
//! each is answered once its write is durable, and writes are durable in their order. A write that fails leaves the machine ahead of its
//! stream, so the driver throws it away and loads another.
//!
//! **Invariant**: with no write under way, the states are the fold of the records in the stream (trap T12). Markers are asked for only
//! when "prepare" is durable.

mod add;
mod check;
mod end;
mod expire;
mod init;
mod list;
mod load;

pub use load::ShardLoader;

use super::answer::{Answer, MarkerJob, Output};
use super::config::{PARKED_MAX, TransactionConfig, WAIT_MAX};
use super::error::{PersistError, TransactionError};
use super::name::TransactionalId;
use super::record::Record;
use super::request::{Input, Request};
use super::state::{Phase, TransactionState};
use crate::state::{Now, PersistToken, RequestId};
use expire::Sweep;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// One transactional id.
#[derive(Clone, Debug)]
struct Live {
    state: TransactionState,
    writes_in_flight: usize,
    /// When the broker aborts the transaction; known while it is ongoing.
    aborts_at: Option<Duration>,
    /// Requests that wait for the markers, with the time at which they are told to ask again.
    parked: VecDeque<(Duration, RequestId, Request)>,
    /// Where the shard's timer of this id stands.
    armed_at: Option<Duration>,
}

impl Live {
    fn new(state: TransactionState) -> Self {
        Self {
            state,
            writes_in_flight: 0,
            aborts_at: None,
            parked: VecDeque::new(),
            armed_at: None,
        }
    }

    fn earliest_deadline(&self) -> Option<Duration> {
        let parked = self.parked.front().map(|(until, _, _)| *until);
        self.aborts_at.into_iter().chain(parked).min()
    }
}

/// A write without an outcome.
#[derive(Debug)]
struct Pending {
    token: PersistToken,
    id: TransactionalId,
    /// Whether the id counts it among its writes; one that deletes the id does not.
    is_counted: bool,
    reply: Option<(RequestId, Answer)>,
    /// Markers to be written once the write is durable.
    markers: Option<MarkerJob>,
}

/// All transactional ids of one partition of `__transaction_state`.
#[derive(Debug)]
pub struct Shard {
    config: TransactionConfig,
    ids: BTreeMap<TransactionalId, Live>,
    /// When to look at which id. May be early, is never late.
    timers: BTreeSet<(Duration, TransactionalId)>,
    /// Oldest first.
    pending: VecDeque<Pending>,
    next_token: PersistToken,
    sweep: Sweep,
}

/// What a write is followed by.
#[derive(Default)]
struct Then {
    reply: Option<(RequestId, Answer)>,
    markers: Option<MarkerJob>,
}

impl Shard {
    /// Decides about one input. What is to be done is added to `out`, in order.
    pub fn step(&mut self, input: Input, now: Now, out: &mut Vec<Output>) {
        match input {
            Input::Request(request, asked) => self.request(request, asked, now, out),
            Input::Persisted(token, outcome) => self.persisted(token, outcome, out),
            Input::Marked(id) => self.marked(&id, now, out),
            Input::Tick => self.tick(now, out),
        }
    }

    /// When the next `Input::Tick` is due, on the monotonic clock.
    #[must_use]
    pub fn next_deadline(&self) -> Duration {
        let sweep = self.sweep.due;
        self.timers.first().map_or(sweep, |(timer, _)| sweep.min(*timer))
    }

    fn request(&mut self, request: RequestId, asked: Request, now: Now, out: &mut Vec<Output>) {
        match asked {
            Request::Init(init) => self.init(request, init, now, out),
            Request::Add(add) => self.add(request, add, now, out),
            Request::Verify(verify) => self.verify(request, &verify, out),
            Request::End(end) => self.end(request, &end, now, out),
            Request::Describe(id) => {
                let described = self
                    .describe(&id)
                    .ok_or(TransactionError::TransactionalIdNotFound);
                reply(out, request, Answer::Describe(described));
            }
            Request::List(filter) => {
                let listed = self.list(&filter, now);
                reply(out, request, Answer::List(listed));
            }
        }
    }

    /// The outcome of the oldest write. After a failure the machine is of no use any more: see the module.
    fn persisted(&mut self, token: PersistToken, outcome: Result<(), PersistError>, out: &mut Vec<Output>) {
        let Some(pending) = self.pending.pop_front() else {
            return;
        };
        assert_eq!(pending.token, token, "outcomes arrive in the order of the writes");
        if pending.is_counted
            && let Some(live) = self.ids.get_mut(&pending.id)
        {
            live.writes_in_flight -= 1;
        }
        if outcome.is_err() {
            return;
        }
        if let Some((request, answer)) = pending.reply {
            reply(out, request, answer);
        }
        if let Some(job) = pending.markers {
            out.push(Output::Mark(job));
        }
    }

    /// Every marker of a transaction is durable: it is complete, and whoever waited for that goes on.
    fn marked(&mut self, id: &TransactionalId, now: Now, out: &mut Vec<Output>) {
        let Some(live) = self.ids.get(id).filter(|live| live.state.phase.is_prepared()) else {
            return;
        };
        let completed = live.state.completed(now.wall_ms);
        self.change(id, completed, Then::default(), out);
        let live = self.ids.get_mut(id).expect("it was just changed");
        let parked = std::mem::take(&mut live.parked);
        for (_, request, asked) in parked {
            self.request(request, asked, now, out);
        }
        self.arm(id);
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some((due, _)) = self.timers.first()
            && *due <= now.monotonic
        {
            let (_, id) = self.timers.pop_first().expect("the first entry was just seen");
            if let Some(live) = self.ids.get_mut(&id) {
                live.armed_at = None;
                self.run_deadlines(&id, now, out);
                self.arm(&id);
            }
        }
        self.run_sweep(now, out);
    }

    fn run_deadlines(&mut self, id: &TransactionalId, now: Now, out: &mut Vec<Output>) {
        let Some(live) = self.ids.get_mut(id) else { return };
        while let Some((until, _, _)) = live.parked.front()
            && *until <= now.monotonic
        {
            let (_, request, asked) = live.parked.pop_front().expect("the front was just seen");
            refuse(out, request, &asked, TransactionError::ConcurrentTransactions);
        }
        let is_late = live.aborts_at.is_some_and(|at| at <= now.monotonic);
        if is_late && live.state.phase == Phase::Ongoing {
            tracing::info!(%id, timeout_ms = live.state.timeout_ms, "a transaction took too long and is aborted");
            self.fence(id, true, now, out);
        }
    }

    /// Lets a request wait for the markers of the transaction that is being ended; refuses it if too many wait.
    fn park(
        &mut self,
        id: &TransactionalId,
        request: RequestId,
        asked: Request,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(live) = self.ids.get_mut(id).filter(|live| live.parked.len() < PARKED_MAX) else {
            return refuse(out, request, &asked, TransactionError::ConcurrentTransactions);
        };
        live.parked.push_back((now.monotonic + WAIT_MAX, request, asked));
        self.arm(id);
    }

    /// Puts another state in force and writes it.
    fn change(&mut self, id: &TransactionalId, state: TransactionState, then: Then, out: &mut Vec<Output>) {
        let live = self
            .ids
            .entry(id.clone())
            .or_insert_with(|| Live::new(state.clone()));
        live.state = state;
        if live.state.phase != Phase::Ongoing {
            live.aborts_at = None;
        }
        let record = Record {
            id: id.clone(),
            state: Some(live.state.clone()),
        };
        self.persist(id, Some(&record), then, out);
    }

    /// Answers behind the writes that are under way: what they promised must hold before anybody builds on it.
    fn answer_in_order(
        &mut self,
        id: &TransactionalId,
        request: RequestId,
        answer: Answer,
        out: &mut Vec<Output>,
    ) {
        let is_durable = self.ids.get(id).is_none_or(|live| live.writes_in_flight == 0);
        if is_durable {
            return reply(out, request, answer);
        }
        let then = Then {
            reply: Some((request, answer)),
            ..Then::default()
        };
        self.persist(id, None, then, out);
    }

    fn persist(&mut self, id: &TransactionalId, record: Option<&Record>, then: Then, out: &mut Vec<Output>) {
        let live = self.ids.get_mut(id);
        let is_counted = live.is_some();
        if let Some(live) = live {
            live.writes_in_flight += 1;
        }
        let token = self.next_token;
        self.next_token.0 += 1;
        self.pending.push_back(Pending {
            token,
            id: id.clone(),
            is_counted,
            reply: then.reply,
            markers: then.markers,
        });
        out.push(Output::Persist(token, record.map(Record::encode)));
    }

    /// Moves the timer of an id to its earliest deadline.
    fn arm(&mut self, id: &TransactionalId) {
        let Some(live) = self.ids.get_mut(id) else { return };
        let wanted = live.earliest_deadline();
        // A timer that is too early only costs a look; so a deadline that moved away leaves it where it is.
        let is_earlier = match (wanted, live.armed_at) {
            (Some(wanted), Some(armed)) => wanted < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !is_earlier {
            return;
        }
        if let Some(armed) = live.armed_at.take() {
            self.timers.remove(&(armed, id.clone()));
        }
        if let Some(wanted) = wanted {
            self.timers.insert((wanted, id.clone()));
            live.armed_at = Some(wanted);
        }
    }
}

fn reply(out: &mut Vec<Output>, request: RequestId, answer: Answer) {
    out.push(Output::Reply(request, answer));
}

/// Answers a request with an error, whatever it asked for.
fn refuse(out: &mut Vec<Output>, request: RequestId, asked: &Request, error: TransactionError) {
    let answer = match asked {
        Request::Init(_) => Answer::Init(Err(error)),
        Request::Add(_) => Answer::Add(Err(error)),
        Request::Verify(_) => Answer::Verify(Err(error)),
        Request::End(_) => Answer::End(Err(error)),
        Request::Describe(_) => Answer::Describe(Err(error)),
        Request::List(_) => Answer::List(Vec::new()),
    };
    reply(out, request, answer);
}
