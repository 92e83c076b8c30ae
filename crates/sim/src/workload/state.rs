//! A keeper of a state stream, as group offsets and transaction state are kept: replay must give what was kept.
//!
//! Every value is a number that was never used before. So one look at a replayed value tells which write it came from.

use super::{Answers, Backoff, Ctx};
use crate::rng::Rng;
use bytes::Bytes;
use millstream_broker::{OFFSETS_TOPIC, StateError, StateRecord, StateStream};
use millstream_log::{AppendError, Fate};
use std::collections::BTreeMap;

/// Keys of a keeper.
const KEYS: u64 = 6;

/// Changes in flight at once.
const IN_FLIGHT_MAX: u64 = 3;

/// Writes that a violation's text shows.
const WRITES_SHOWN: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fated {
    Kept,
    Unknown,
    Not,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    /// `None`: the key's end.
    value: Option<u64>,
    fated: Fated,
}

/// Whether state is opened by a broker that has just recovered, or once more later.
///
/// A write whose outcome is unknown was taken back in this life, and may still be found by the next recovery: only that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The first time after recovery.
    First,
    /// Later.
    Again,
}

/// See the module.
pub struct Keeper {
    partition: u32,
    rng: Rng,
    next_value: u64,
    /// Every write of a key, oldest first.
    writes: BTreeMap<u64, Vec<Write>>,
    backoff: Backoff,
}

impl Keeper {
    /// A keeper that has kept nothing.
    #[must_use]
    pub fn new(partition: u32, rng: Rng) -> Self {
        Self {
            partition,
            rng,
            next_value: 1,
            writes: BTreeMap::new(),
            backoff: Backoff::default(),
        }
    }

    /// Replays and judges, then works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        let mut opening = Opening::First;
        loop {
            if let Some(state) = self.open(ctx, opening).await {
                opening = Opening::Again;
                self.backoff.done();
                for _ in 0..50 {
                    let answers = self.change(ctx, &state).await;
                    let wait = self.backoff.answered(answers, &mut self.rng);
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    ctx.pause(&mut self.rng).await;
                }
            } else {
                tokio::time::sleep(self.backoff.refused(&mut self.rng)).await;
            }
            ctx.pause(&mut self.rng).await;
        }
    }

    /// Opens the state and compares it with what was kept.
    pub async fn open(&mut self, ctx: &Ctx, opening: Opening) -> Option<StateStream> {
        let topic = ctx.broker.topic_or_create(OFFSETS_TOPIC).await.ok()?;
        let mut replayed: BTreeMap<u64, u64> = BTreeMap::new();
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX);
        let opened = ctx
            .broker
            .open_state(&topic, self.partition % topic.partitions(), |key, value| {
                match value {
                    Some(value) => replayed.insert(number(key), number(value)),
                    None => replayed.remove(&number(key)),
                };
            });
        match opened.await {
            Ok(state) => {
                ctx.world.event(&format!("client: state replayed: {replayed:?}"));
                if let Err(what) = self.judge(&replayed, opening) {
                    ctx.world.violate(what);
                }
                Some(state)
            }
            Err(error) => {
                if ctx.world.is_calm() || matches!(error, StateError::Damaged(_)) {
                    ctx.world.violate(format!("state does not open: {error}"));
                }
                None
            }
        }
    }

    /// Each key shows a write that no later certain write hides. What recovery shows is certain from then on.
    fn judge(&mut self, replayed: &BTreeMap<u64, u64>, opening: Opening) -> Result<(), String> {
        if let Some(key) = replayed.keys().find(|key| !self.writes.contains_key(key)) {
            return Err(format!("state holds key {key}, which nobody wrote"));
        }
        for (key, writes) in &mut self.writes {
            let shown = replayed.get(key).copied();
            let possible = |at: usize| {
                let hidden = writes[at + 1..].iter().any(|write| write.fated == Fated::Kept);
                !hidden && writes[at].fated != Fated::Not && writes[at].value == shown
            };
            let newest = (0..writes.len()).rev().find(|at| possible(*at));
            match newest {
                Some(_) if opening == Opening::Again => {}
                Some(at) => {
                    writes.truncate(at + 1);
                    writes[at].fated = Fated::Kept;
                }
                None if shown.is_none() && writes.iter().all(|write| write.fated != Fated::Kept) => {
                    if opening == Opening::First {
                        writes.clear();
                    }
                }
                None => {
                    let newest = &writes[writes.len().saturating_sub(WRITES_SHOWN)..];
                    return Err(format!(
                        "state shows {shown:?} for key {key}, and was last written {newest:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    async fn change(&mut self, ctx: &Ctx, state: &StateStream) -> Answers {
        let mut answers = Answers::default();
        let mut pending = Vec::new();
        for _ in 0..=self.rng.below(IN_FLIGHT_MAX) {
            let mut records = Vec::new();
            let mut written = Vec::new();
            for _ in 0..=self.rng.below(2) {
                let key = self.rng.below(KEYS);
                let value = (!self.rng.one_in(4)).then_some(self.next_value);
                self.next_value += 1;
                let writes = self.writes.entry(key).or_default();
                writes.push(Write {
                    value,
                    fated: Fated::Unknown,
                });
                written.push((key, writes.len() - 1));
                records.push(StateRecord {
                    key: Bytes::copy_from_slice(&key.to_be_bytes()),
                    value: value.map(|value| Bytes::copy_from_slice(&value.to_be_bytes())),
                });
            }
            match state.append(records).await {
                Ok(change) => pending.push((written, change)),
                Err(error) => {
                    answers.refused = true;
                    self.end(ctx, &written, Err(error));
                }
            }
        }
        for (written, change) in pending {
            let answer = change.durable().await;
            answers.done |= answer.is_ok();
            answers.refused |= answer.is_err();
            self.end(ctx, &written, answer);
        }
        answers
    }

    fn end(&mut self, ctx: &Ctx, written: &[(u64, usize)], answer: Result<(), StateError>) {
        let fated = match &answer {
            Ok(()) => Fated::Kept,
            Err(StateError::Append(AppendError::Storage {
                fate: Fate::Unknown, ..
            })) => Fated::Unknown,
            Err(StateError::Append(
                AppendError::Storage { .. } | AppendError::StorageFull | AppendError::Closed,
            )) => Fated::Not,
            Err(error) => {
                ctx.world
                    .violate(format!("state must not be answered with: {error}"));
                Fated::Unknown
            }
        };
        ctx.world.event(&format!("client: state {written:?}: {fated:?}"));
        for (key, at) in written {
            self.writes.get_mut(key).expect("it was written")[*at].fated = fated;
        }
    }
}
