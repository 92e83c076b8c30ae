//! Queues over the partitioned log: subscriptions that hand out single records, and remember what became of each.
//!
//! Owns: cursors, locks with deadlines, delivery counts, outcomes, dead letters; for every protocol that has queues. Never: a
//! protocol's names (front ends give theirs by `Policy`), membership (who may ask is the front end's business), records (the log's).
//!
//! Way of a record: `acquire` reads it and locks it for a holder; `settle` takes the holder's answer, which is confirmed when it is
//! durable (`shard`); a lock that runs out (`timers`) brings it back; what is given up goes to the dead-letter topic (`graves`).
//!
//! **Invariant**: a record whose acceptance was confirmed is never handed out again; one that was not, is, until it is given up.

mod acquire;
mod cell;
mod format;
mod graves;
mod id;
mod kept;
mod ledger;
mod letters;
mod policy;
mod queues;
mod runs;
mod settle;
mod shard;
mod stock;
mod subscription;
mod timers;
mod waiting;
mod weigh;
mod wheel;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use acquire::{AcquireAsk, AcquireBudget, AcquireError, AcquireSlice};
pub use graves::Letters;
pub use id::{Holder, Space, SubscriptionId};
pub use ledger::{Cause, Change, Ledger, Mark};
pub use policy::{DeadLetters, Dispatch, Labels, Policy, PolicySource, StartAt};
pub use queues::{Queues, Standing};
pub use runs::{Range, Runs};
pub use settle::{Disposition, Durability, Kept, SettleRefused, Settlement};
pub use subscription::{Acquired, Candidate, Counts, Offer, Subscription};
pub use wheel::{TICK, Tick, Wheel};

/// Why a queue did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueueError {
    /// There is no such subscription, or it was deleted.
    #[error("there is no such subscription")]
    Gone,
    /// The answer is refused; nothing of it was taken.
    #[error(transparent)]
    Refused(#[from] SettleRefused),
    /// The outcome is certainly not durable; what was asked may be asked again.
    #[error("the outcome was not kept: {0}")]
    NotKept(String),
    /// The outcome may be durable or not; the state is being loaded again.
    #[error("whether the outcome was kept is unknown")]
    Unknown,
    /// The broker is going down, or the state cannot be read.
    #[error("queues are not served")]
    Closed,
}
