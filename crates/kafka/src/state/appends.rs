//! The writes of one shard on their way to its stream.
//!
//! Owns: what gathers, and the one append under way. Never: what a write means, or what follows its outcome.
//!
//! **Invariant**: one append is under way at a time, and whatever gathers meanwhile becomes the next one; so thousands of writes a
//! second cost as many appends as the stream can do, and their outcomes come in order.

use super::{PersistToken, Writer};
use futures_util::future::BoxFuture;
use millstream_broker::{StateError, StateRecord};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of records at which a gathered append is full. One write larger than this goes alone.
const APPEND_BYTES_MAX: usize = 1 << 20;

/// Bytes of records that may wait for the stream; beyond it nobody else is asked what is to be written.
const QUEUED_BYTES_MAX: usize = 16 << 20;

/// See the module.
pub(crate) struct Appends {
    writer: Arc<dyn Writer>,
    queue: VecDeque<(PersistToken, Vec<StateRecord>)>,
    queued_bytes: usize,
    under_way: Option<Append>,
}

/// An append without an outcome.
struct Append {
    tokens: Vec<PersistToken>,
    outcome: BoxFuture<'static, Result<(), StateError>>,
}

impl Appends {
    pub fn new(writer: Arc<dyn Writer>) -> Self {
        Self {
            writer,
            queue: VecDeque::new(),
            queued_bytes: 0,
            under_way: None,
        }
    }

    /// A write without records only waits for those before it.
    pub fn push(&mut self, token: PersistToken, records: Vec<StateRecord>) {
        self.queued_bytes += bytes_of(&records);
        self.queue.push_back((token, records));
    }

    pub fn has_room(&self) -> bool {
        self.queued_bytes < QUEUED_BYTES_MAX
    }

    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins the next append, if none is under way and there is something to write.
    pub fn advance(&mut self) {
        if self.under_way.is_some() || self.queue.is_empty() {
            return;
        }
        let mut tokens = Vec::new();
        let mut gathered = Vec::new();
        let mut bytes = 0;
        while let Some((_, records)) = self.queue.front() {
            let more = bytes_of(records);
            if !tokens.is_empty() && bytes + more > APPEND_BYTES_MAX {
                break;
            }
            let (token, records) = self.queue.pop_front().expect("the front was just seen");
            bytes += more;
            tokens.push(token);
            gathered.extend(records);
        }
        self.queued_bytes -= bytes;
        let outcome = match gathered.is_empty() {
            // Only questions that waited for earlier writes; those are done.
            true => Box::pin(std::future::ready(Ok(()))),
            false => self.writer.append(gathered),
        };
        self.under_way = Some(Append { tokens, outcome });
    }

    /// Waits for the append under way, for ever if there is none. May be dropped and taken up again.
    pub async fn outcome(&mut self) -> Result<(), StateError> {
        match &mut self.under_way {
            Some(append) => (&mut append.outcome).await,
            None => std::future::pending().await,
        }
    }

    /// The writes whose outcome came.
    pub fn finish(&mut self) -> Vec<PersistToken> {
        let append = self.under_way.take().expect("its outcome came");
        append.tokens
    }
}

fn bytes_of(records: &[StateRecord]) -> usize {
    records.iter().map(StateRecord::size_bytes).sum()
}
