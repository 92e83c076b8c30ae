//! Carries a guarded transaction through lost answers.
//!
//! Owns: when a transaction is sent again, and what is known of it in the end. Never: whether a failed compare was our own
//! doing (the caller knows its own values).
//! **Invariant**: `Fate::NotDone` is answered only if no attempt can have been carried out, now or later (trap T6).
//!
//! Sending again is safe because every transaction here is guarded by a compare that its own success makes false. Reading back
//! instead is not: a request whose answer was lost may still be on its way.
//!
//! One gap is known and left: a request that guards with "absent", is overtaken by another's creation *and* its deletion, and
//! arrives after both, is carried out although its sender was told that the name is taken.

use crate::store::{MetaStore, Txn, TxnError, TxnOutcome};
use millstream_log::Fate;
use std::fmt;
use std::time::Duration;

/// How often a transaction is sent.
const ATTEMPTS_MAX: u32 = 6;
/// The pause after the first attempt; it doubles with each, so that all take about a second.
const PAUSE_FIRST: Duration = Duration::from_millis(25);

/// The metadata store failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFailure {
    /// What is known of the change.
    pub fate: Fate,
    /// What failed.
    pub what: String,
}

impl StoreFailure {
    pub(crate) fn not_done(what: impl fmt::Display) -> Self {
        Self {
            fate: Fate::NotDone,
            what: what.to_string(),
        }
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fate {
            Fate::NotDone => write!(f, "{} (nothing was changed)", self.what),
            Fate::Unknown => write!(f, "{} (it is not known whether the change was made)", self.what),
        }
    }
}

impl std::error::Error for StoreFailure {}

/// What came out.
pub(crate) struct Settled {
    pub(crate) outcome: TxnOutcome,
    /// An attempt before this answer may have been carried out: then a failed compare may be our own success.
    pub(crate) doubted: bool,
}

/// Sends the transaction until it is answered.
pub(crate) async fn settle(store: &dyn MetaStore, txn: Txn) -> Result<Settled, StoreFailure> {
    assert!(
        !txn.compares.is_empty(),
        "only a guarded transaction may be sent twice"
    );
    let mut doubted = false;
    let mut pause = PAUSE_FIRST;
    let mut attempt = 1;
    loop {
        let (fate, what) = match store.txn(txn.clone()).await {
            Ok(outcome) => return Ok(Settled { outcome, doubted }),
            Err(TxnError::Store { fate, what }) => (fate, what),
            Err(refused @ (TxnError::Refused(_) | TxnError::SessionGone)) => {
                (Fate::NotDone, refused.to_string())
            }
        };
        doubted |= fate == Fate::Unknown;
        if attempt == ATTEMPTS_MAX {
            let fate = if doubted { Fate::Unknown } else { Fate::NotDone };
            return Err(StoreFailure { fate, what });
        }
        attempt += 1;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
