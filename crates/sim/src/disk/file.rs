//! One file of the simulated disk: what is on the platter, what a reader sees, and the writes between the two.

use crate::rng::Rng;
use bytes::Bytes;

/// A disk writes sectors whole, as a rule; the rule is not relied upon (see `Surviving::torn_at`).
const SECTOR_BYTES: usize = 512;

/// What a power loss leaves of the writes that were not synced. Drawn once a crash, so that whole classes of crashes (nothing
/// survives, everything survives) are as likely as mixtures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surviving {
    Nothing,
    Everything,
    /// The first writes in order, the next one torn at some byte.
    Prefix,
    /// Any whole writes, in no order.
    SomeWrites,
    /// Any sectors of any writes.
    SomeSectors,
}

impl Surviving {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        *rng.pick(&[
            Self::Nothing,
            Self::Everything,
            Self::Prefix,
            Self::Prefix,
            Self::SomeWrites,
            Self::SomeSectors,
        ])
    }
}

/// The name of a write, unique in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WriteId(u64);

struct Write {
    id: WriteId,
    offset: usize,
    bytes: Vec<u8>,
    finished: bool,
}

impl Write {
    /// Puts `part` of the write into `target`.
    fn apply(&self, target: &mut Vec<u8>, part: std::ops::Range<usize>) {
        let (from, to) = (self.offset + part.start, self.offset + part.end);
        if part.is_empty() {
            return;
        }
        if target.len() < to {
            target.resize(to, 0);
        }
        target[from..to].copy_from_slice(&self.bytes[part]);
    }

    fn apply_all(&self, target: &mut Vec<u8>) {
        self.apply(target, 0..self.bytes.len());
    }

    /// Any sectors of it, each kept or not.
    fn apply_some_sectors(&self, target: &mut Vec<u8>, rng: &mut Rng) {
        let mut at = 0;
        while at < self.bytes.len() {
            let in_sector = (self.offset + at) % SECTOR_BYTES;
            let next = (at + SECTOR_BYTES - in_sector).min(self.bytes.len());
            if rng.one_in(2) {
                self.apply(target, at..next);
            }
            at = next;
        }
    }

    fn apply_torn(&self, target: &mut Vec<u8>, rng: &mut Rng) {
        let kept = rng.index(self.bytes.len() + 1);
        self.apply(target, 0..kept);
    }
}

/// See the module.
pub(super) struct File {
    durable: Vec<u8>,
    view: Vec<u8>,
    /// Not durable, oldest first.
    writes: Vec<Write>,
    next_id: u64,
}

impl File {
    pub(super) fn zeros(len: u64) -> Self {
        let len = usize::try_from(len).expect("simulated files are small");
        Self {
            durable: vec![0; len],
            view: vec![0; len],
            writes: Vec::new(),
            next_id: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.view.len() as u64
    }

    pub(super) fn read(&self, offset: u64, len: usize) -> Option<Bytes> {
        let from = usize::try_from(offset).ok()?;
        let found = self.view.get(from..from.checked_add(len)?)?;
        Some(Bytes::copy_from_slice(found))
    }

    pub(super) fn begin_write(&mut self, offset: u64, bytes: Vec<u8>) -> WriteId {
        let id = WriteId(self.next_id);
        self.next_id += 1;
        self.writes.push(Write {
            id,
            offset: usize::try_from(offset).expect("simulated files are small"),
            bytes,
            finished: false,
        });
        id
    }

    pub(super) fn finish_write(&mut self, id: WriteId) {
        let Self { writes, view, .. } = self;
        let write = writes.iter_mut().find(|write| write.id == id);
        let write = write.expect("a write finishes once, and only a crash takes it away");
        write.finished = true;
        write.apply_all(view);
    }

    /// A part of the write is in the page cache, and nothing says which.
    pub(super) fn fail_write(&mut self, id: WriteId, rng: &mut Rng) {
        let at = self.writes.iter().position(|write| write.id == id);
        let mut write = self.writes.remove(at.expect("a write fails once"));
        write.bytes.truncate(rng.index(write.bytes.len() + 1));
        write.finished = true;
        write.apply_all(&mut self.view);
        self.writes.push(write);
    }

    /// The writes that a sync called now covers.
    pub(super) fn finished(&self) -> Vec<WriteId> {
        let finished = self.writes.iter().filter(|write| write.finished);
        finished.map(|write| write.id).collect()
    }

    pub(super) fn sync(&mut self, covered: &[WriteId]) {
        let Self { writes, durable, .. } = self;
        writes.retain(|write| {
            let synced = covered.contains(&write.id);
            if synced {
                write.apply_all(durable);
            }
            !synced
        });
    }

    /// Some sectors reached the platter; the others never will, though readers still see them.
    pub(super) fn fail_sync(&mut self, covered: &[WriteId], rng: &mut Rng) {
        let Self { writes, durable, .. } = self;
        writes.retain(|write| {
            let failed = covered.contains(&write.id);
            if failed {
                write.apply_some_sectors(durable, rng);
            }
            !failed
        });
    }

    pub(super) fn lose_power(&mut self, surviving: Surviving, rng: &mut Rng) {
        let kept = rng.index(self.writes.len() + 1);
        for (at, write) in self.writes.drain(..).enumerate() {
            let durable = &mut self.durable;
            match surviving {
                Surviving::Nothing => {}
                Surviving::Everything => write.apply_all(durable),
                Surviving::Prefix if at < kept => write.apply_all(durable),
                Surviving::Prefix if at == kept => write.apply_torn(durable, rng),
                Surviving::Prefix => {}
                Surviving::SomeWrites if rng.one_in(2) => write.apply_all(durable),
                Surviving::SomeWrites => {}
                Surviving::SomeSectors => write.apply_some_sectors(durable, rng),
            }
        }
        self.view.clone_from(&self.durable);
    }

    pub(super) fn kill(&mut self, rng: &mut Rng) {
        for write in &mut self.writes {
            if !write.finished {
                write.bytes.truncate(rng.index(write.bytes.len() + 1));
                write.finished = true;
                write.apply_all(&mut self.view);
            }
        }
    }
}
