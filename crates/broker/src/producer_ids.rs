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
        // One caller fetches the next block while the others wait for it: a crowd of them would only be in each other's way.
        let mut ids = self.inner.producer_ids.lock().await;
        loop {
            if let Some(id) = ids.take() {
                return Ok(id);
            }
            let block = self.inner.catalog.allocate_producer_ids().await?;
            ids.refill(block);
        }
    }
}
