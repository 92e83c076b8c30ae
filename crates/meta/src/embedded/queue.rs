//! Commands that wait for the embedded store's next commit, and their answers.
//!
//! Owns: order (first come, first decided), the bounds on what waits, and that at most one drainer runs.
//! **Invariant**: while the queue holds a command, a drainer runs or is about to.

use super::journal::Failure;
use crate::local::Draft;
use crate::store::{Session, SessionError, SessionId, Txn, TxnError, TxnOutcome};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Commands that one commit takes.
const GROUP_COMMANDS_MAX: usize = 512;
/// Bytes after which a group is full.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// What may wait: bytes in units of `PERMIT_BYTES`, each command at least one unit. Callers wait beyond it.
const QUEUE_BYTES_MAX: usize = 16 << 20;
const PERMIT_BYTES: usize = 1024;

pub(super) enum Command {
    Txn {
        txn: Txn,
        reply: oneshot::Sender<Result<TxnOutcome, TxnError>>,
    },
    OpenSession {
        ttl: Duration,
        reply: oneshot::Sender<Result<Session, SessionError>>,
    },
    /// Ends one session, or only those whose time is up.
    EndSession {
        session: Option<SessionId>,
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
}

/// A command with the room that it takes.
pub(super) struct Queued {
    command: Command,
    bytes: usize,
    permit: OwnedSemaphorePermit,
}

/// A decided command: the answer waits for the commit.
pub(super) struct Decided {
    answer: Answer,
    /// The room is taken until the answer is out.
    _permit: OwnedSemaphorePermit,
}

enum Answer {
    Txn(
        Result<TxnOutcome, TxnError>,
        oneshot::Sender<Result<TxnOutcome, TxnError>>,
    ),
    Opened(Session, oneshot::Sender<Result<Session, SessionError>>),
    Ended(oneshot::Sender<Result<(), SessionError>>),
}

impl Queued {
    pub(super) fn decide(self, draft: &mut Draft<'_>) -> Decided {
        let answer = match self.command {
            Command::Txn { txn, reply } => Answer::Txn(draft.txn(&txn), reply),
            Command::OpenSession { ttl, reply } => Answer::Opened(draft.open_session(ttl), reply),
            Command::EndSession { session, reply } => {
                if let Some(session) = session {
                    draft.end_session(session);
                }
                Answer::Ended(reply)
            }
        };
        Decided {
            answer,
            _permit: self.permit,
        }
    }

    /// Answers without a decision.
    pub(super) fn refuse(self, failure: &Failure) {
        // Whoever is no longer there to hear an answer does not need it: here and below.
        match self.command {
            Command::Txn { reply, .. } => drop(reply.send(Err(txn_error(failure)))),
            Command::OpenSession { reply, .. } => drop(reply.send(Err(session_error(failure)))),
            Command::EndSession { reply, .. } => drop(reply.send(Err(session_error(failure)))),
        }
    }
}

impl Decided {
    /// Answers, after the commit that holds the decision, or its failure: then also the decisions that changed nothing are
    /// void, as they were made upon changes that are not there.
    pub(super) fn send(self, failure: Option<&Failure>) {
        match self.answer {
            Answer::Txn(outcome, reply) => drop(reply.send(match failure {
                Some(failure) => Err(txn_error(failure)),
                None => outcome,
            })),
            Answer::Opened(session, reply) => drop(reply.send(match failure {
                Some(failure) => Err(session_error(failure)),
                None => Ok(session),
            })),
            Answer::Ended(reply) => drop(reply.send(match failure {
                Some(failure) => Err(session_error(failure)),
                None => Ok(()),
            })),
        }
    }
}

fn txn_error(failure: &Failure) -> TxnError {
    TxnError::Store {
        fate: failure.fate,
        what: failure.what.clone(),
    }
}

fn session_error(failure: &Failure) -> SessionError {
    SessionError::Unavailable(failure.what.clone())
}

struct Waiting {
    commands: VecDeque<Queued>,
    drained: bool,
}

pub(super) struct Queue {
    room: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX / PERMIT_BYTES)),
            waiting: Mutex::new(Waiting {
                commands: VecDeque::new(),
                drained: false,
            }),
        }
    }

    /// Waits for room and queues the command. Whether the caller has to start a drainer.
    pub(super) async fn push(&self, bytes: usize, command: Command) -> bool {
        let units = u32::try_from(1 + bytes / PERMIT_BYTES).expect("transactions are bounded");
        let permit = self.room.clone().acquire_many_owned(units).await;
        let permit = permit.expect("the semaphore is never closed");
        let mut waiting = self.waiting.lock();
        waiting.commands.push_back(Queued {
            command,
            bytes,
            permit,
        });
        !std::mem::replace(&mut waiting.drained, true)
    }

    /// The next group; `None` ends the drainer.
    pub(super) fn next_group(&self) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock();
        let mut group = Vec::new();
        let mut bytes = 0;
        while group.len() < GROUP_COMMANDS_MAX && bytes < GROUP_BYTES_MAX {
            let Some(queued) = waiting.commands.pop_front() else {
                break;
            };
            bytes += queued.bytes;
            group.push(queued);
        }
        waiting.drained = !group.is_empty();
        (!group.is_empty()).then_some(group)
    }

    /// Held by the drainer: if it dies, what waits is dropped (its callers learn that the outcome is unknown) and the next
    /// command starts another.
    pub(super) fn watch_drainer(&self) -> DrainerWatch<'_> {
        DrainerWatch {
            queue: self,
            finished: false,
        }
    }
}

pub(super) struct DrainerWatch<'a> {
    queue: &'a Queue,
    finished: bool,
}

impl DrainerWatch<'_> {
    pub(super) fn finished(&mut self) {
        self.finished = true;
    }
}

impl Drop for DrainerWatch<'_> {
    fn drop(&mut self) {
        if !self.finished {
            let mut waiting = self.queue.waiting.lock();
            waiting.commands.clear();
            waiting.drained = false;
        }
    }
}
