//! Commands that wait for the embedded store's next commit, and their answers.
//!
//! Owns: order (first come, first decided), the bounds on what waits, and that at most one drainer runs.
//! **Invariant**: while the queue holds a command, a drainer runs or is about to.

use super::journal::Failure;
use crate::local::Draft;
use crate::store::{Session, SessionError, SessionId, Txn, TxnError, TxnOutcome};
use millstream_log::Fate;
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
        reply: Reply<TxnOutcome, TxnError>,
    },
    OpenSession {
        ttl: Duration,
        reply: Reply<Session, SessionError>,
    },
    /// Ends one session, or only those whose time is up.
    EndSession {
        session: Option<SessionId>,
        reply: Reply<(), SessionError>,
    },
}

/// A command with the room that it takes.
pub(super) struct Queued {
    command: Command,
    bytes: usize,
    permit: OwnedSemaphorePermit,
}

/// The answers to a group: they wait for the commit.
pub(super) struct Answers {
    pub(super) decided: Vec<Decided>,
    /// Why the commit failed: then also the decisions that changed nothing are void, as they were made upon changes that are
    /// not there.
    pub(super) failure: Option<Failure>,
}

/// A decided command. Its room in the queue is taken until the answer is out.
pub(super) struct Decided {
    answer: Answer,
    _permit: OwnedSemaphorePermit,
}

type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// A decision (`None`: none was made, as the store has failed) and who waits for it.
enum Answer {
    Txn(Option<Result<TxnOutcome, TxnError>>, Reply<TxnOutcome, TxnError>),
    Opened(Option<Session>, Reply<Session, SessionError>),
    Ended(Reply<(), SessionError>),
}

impl Queued {
    pub(super) fn decide(self, draft: &mut Draft<'_>) -> Decided {
        self.answered(Some(draft))
    }

    fn answered(self, draft: Option<&mut Draft<'_>>) -> Decided {
        let answer = match self.command {
            Command::Txn { txn, reply } => Answer::Txn(draft.map(|draft| draft.txn(&txn)), reply),
            Command::OpenSession { ttl, reply } => {
                Answer::Opened(draft.map(|draft| draft.open_session(ttl)), reply)
            }
            Command::EndSession { session, reply } => {
                if let (Some(draft), Some(session)) = (draft, session) {
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
}

impl Answers {
    /// Nothing was decided: the store has failed.
    pub(super) fn refused(group: Vec<Queued>, what: String) -> Self {
        Self {
            decided: group.into_iter().map(|queued| queued.answered(None)).collect(),
            failure: Some(Failure {
                fate: Fate::NotDone,
                what,
            }),
        }
    }

    pub(super) fn send(self) {
        for Decided { answer, _permit } in self.decided {
            match answer {
                Answer::Txn(decision, reply) => {
                    reply_with(reply, decision, self.failure.as_ref().map(txn_error))
                }
                Answer::Opened(session, reply) => {
                    reply_with(reply, session.map(Ok), self.failure.as_ref().map(session_error));
                }
                Answer::Ended(reply) => {
                    reply_with(reply, Some(Ok(())), self.failure.as_ref().map(session_error));
                }
            }
        }
    }
}

fn reply_with<T, E>(reply: Reply<T, E>, decision: Option<Result<T, E>>, failure: Option<E>) {
    let answer = match failure {
        Some(failure) => Err(failure),
        None => decision.expect("without a failure everything was decided"),
    };
    // Whoever is no longer there to hear it does not need it.
    let _ = reply.send(answer);
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

    /// Held while a group is in work: if that panics, what waits is dropped (its callers learn that the outcome is unknown)
    /// and the next command starts another drainer.
    pub(super) fn watch_drainer(&self) -> DrainerWatch<'_> {
        DrainerWatch { queue: self }
    }
}

pub(super) struct DrainerWatch<'a> {
    queue: &'a Queue,
}

impl Drop for DrainerWatch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.queue.waiting.lock();
            waiting.commands.clear();
            waiting.drained = false;
        }
    }
}
