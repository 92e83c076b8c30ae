//! Ids of idempotent producers: blocks come from the catalog, durably, so that no id is given twice; single ids from memory.

use crate::Broker;
use crate::broker::BrokerError;
use std::ops::Range;

/// What is left of the block in hand.
#[derive(Default)]
pub(crate) struct ProducerIds {
    left: Range<i64>,
}

impl ProducerIds {
    pub(crate) fn take(&mut self) -> Option<i64> {
        self.left.next()
    }

    pub(crate) fn refill(&mut self, block: Range<i64>) {
        self.left = block;
    }
}

impl Broker {
    /// A producer id that nobody has had before.
    pub async fn new_producer_id(&self) -> Result<i64, BrokerError> {
        loop {
            if let Some(id) = self.inner.producer_ids.lock().take() {
                return Ok(id);
            }
            // Two callers may fetch a block each; the ids of the one that is overwritten stay unused, which harms nobody.
            let block = self.inner.catalog.allocate_producer_ids().await?;
            self.inner.producer_ids.lock().refill(block);
        }
    }
}
