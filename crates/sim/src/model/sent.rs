//! Batches as clients sent them, and what became of each.

use super::{Judgement, Model, Place};

/// The header of every record: which batch, and which record of it.
pub const TAG_HEADER: &[u8] = b"tag";

/// A batch's name: unique in a run. A retry of an idempotent producer sends the same batch again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId(u32);

impl BatchId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for BatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "batch #{}", self.0)
    }
}

/// The tag's value.
#[must_use]
pub fn encode_tag(batch: BatchId, record: u32) -> [u8; 8] {
    (u64::from(batch.0) << 32 | u64::from(record)).to_be_bytes()
}

/// Reads a tag.
#[must_use]
pub fn decode_tag(tag: &[u8]) -> Option<(BatchId, u32)> {
    let tag = u64::from_be_bytes(tag.try_into().ok()?);
    let (batch, record) = (tag >> 32, tag & u64::from(u32::MAX));
    Some((BatchId(u32::try_from(batch).ok()?), u32::try_from(record).ok()?))
}

/// A record as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRecord {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// `None`: a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its CreateTime.
    pub timestamp: i64,
}

/// How one attempt to append a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Durable, at this offset.
    Acked(u64),
    /// Durable, the broker says, though it has forgotten where (DUPLICATE_SEQUENCE_NUMBER).
    AckedSomewhere,
    /// Certainly not there, by this attempt.
    NotDone,
    /// Nobody knows.
    Unknown,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct SentBatch {
    /// Where it was sent to.
    pub place: Place,
    /// Who sent it.
    pub client: u32,
    /// Its number among what this client sent to this place.
    pub order: u64,
    /// Its records.
    pub records: Vec<SentRecord>,
    /// Producer id, epoch and first sequence of an idempotent producer.
    pub producer: Option<(i64, i16, i32)>,
    /// Encoded size.
    pub bytes: u64,
    /// The partition's end as it was known when the batch was first sent: it cannot land below.
    floor: u64,
    in_flight: u32,
    unknown: bool,
    acked: bool,
    /// The offset of its first record, once anybody knows it.
    landed: Option<u64>,
}

impl SentBatch {
    /// Whether it was acknowledged.
    #[must_use]
    pub fn is_acked(&self) -> bool {
        self.acked
    }

    /// Where it landed, if anybody knows.
    #[must_use]
    pub fn landed(&self) -> Option<u64> {
        self.landed
    }

    /// Whether it may be in the log.
    #[must_use]
    pub fn may_be_there(&self) -> bool {
        self.acked || self.landed.is_some() || self.unknown || self.in_flight > 0
    }

    pub(super) fn len(&self) -> u64 {
        self.records.len() as u64
    }
}

impl Model {
    /// A new batch is about to be sent.
    pub fn send_new(
        &mut self,
        (client, order): (u32, u64),
        place: Place,
        records: Vec<SentRecord>,
        producer: Option<(i64, i16, i32)>,
    ) -> BatchId {
        let id = BatchId(u32::try_from(self.batches.len()).expect("runs are short"));
        let floor = self.partition(place).end_seen();
        self.batches.push(SentBatch {
            place,
            client,
            order,
            records,
            producer,
            bytes: 0,
            floor,
            in_flight: 0,
            unknown: false,
            acked: false,
            landed: None,
        });
        id
    }

    /// The batch's encoded size.
    pub fn sized(&mut self, id: BatchId, bytes: u64) {
        self.batches[id.index()].bytes = bytes;
    }

    /// An attempt begins.
    pub fn attempt(&mut self, id: BatchId) {
        self.batches[id.index()].in_flight += 1;
    }

    /// An attempt ends.
    pub fn ended(&mut self, id: BatchId, outcome: Outcome) -> Judgement {
        let batch = &mut self.batches[id.index()];
        batch.in_flight = batch.in_flight.saturating_sub(1);
        match outcome {
            Outcome::NotDone => Ok(()),
            Outcome::Unknown => {
                batch.unknown = true;
                Ok(())
            }
            Outcome::AckedSomewhere => {
                if !batch.may_be_there() {
                    return Err(format!("{id} is called a duplicate, but was never written"));
                }
                batch.acked = true;
                Ok(())
            }
            Outcome::Acked(base) => {
                batch.acked = true;
                self.lands(id, base)
            }
        }
    }

    /// The broker's life is over: whoever waited for an answer does not get it.
    pub fn life_is_over(&mut self) {
        for batch in self.batches.iter_mut().filter(|batch| batch.in_flight > 0) {
            batch.in_flight = 0;
            batch.unknown = true;
        }
    }

    /// The batch's first record is at `base`: by an acknowledgement, or by a record that was read.
    pub(super) fn lands(&mut self, id: BatchId, base: u64) -> Judgement {
        let batch = &self.batches[id.index()];
        let place = batch.place;
        match batch.landed {
            Some(landed) if landed == base => return Ok(()),
            Some(landed) => {
                return Err(format!(
                    "{id} is in {place} twice: at offset {landed} and at {base}"
                ));
            }
            None => {}
        }
        if !batch.may_be_there() {
            return Err(format!("{id} was refused, but is in {place} at offset {base}"));
        }
        if base < batch.floor {
            return Err(format!(
                "{id} landed in {place} at {base}, below {}, which was visible before it was sent",
                batch.floor
            ));
        }
        let (owner, len) = ((batch.client, batch.order), batch.len());
        self.batches[id.index()].landed = Some(base);
        self.partition(place).establish(place, id, base, len)?;
        self.partition(place).keep_order(place, owner, base)
    }
}
