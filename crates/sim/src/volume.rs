//! The volume that files of the write-ahead log and objects share: how much both may take together.
//!
//! Owns: that account. Never: what the bytes are.
//!
//! **Invariant**: what was added fitted; without a limit everything does.

use parking_lot::Mutex;

#[derive(Debug, Default)]
struct Account {
    bytes_max: Option<u64>,
    files: u64,
    objects: u64,
}

/// What takes room.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A file of the disk.
    File,
    /// An object of the store.
    Object,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Volume(Mutex<Account>);

impl Volume {
    /// What files and objects may take together from now on; `None`: anything. What is there stays.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.0.lock().bytes_max = bytes_max;
    }

    /// What they take now.
    #[must_use]
    pub fn bytes_used(&self) -> u64 {
        self.0.lock().used()
    }

    /// Whether there was room for one more; then it has taken it.
    pub(crate) fn add(&self, what: What, len: u64) -> bool {
        let mut account = self.0.lock();
        let fits = account.fits(len);
        *account.of(what) += if fits { len } else { 0 };
        fits
    }

    /// One is gone.
    pub(crate) fn remove(&self, what: What, len: u64) {
        *self.0.lock().of(what) -= len;
    }

    /// What all files take after a crash.
    pub(crate) fn files_are(&self, bytes: u64) {
        self.0.lock().files = bytes;
    }
}

impl Account {
    fn of(&mut self, what: What) -> &mut u64 {
        match what {
            What::File => &mut self.files,
            What::Object => &mut self.objects,
        }
    }

    fn used(&self) -> u64 {
        self.files + self.objects
    }

    fn fits(&self, more: u64) -> bool {
        self.bytes_max.is_none_or(|max| self.used() + more <= max)
    }
}
