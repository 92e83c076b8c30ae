//! Memory for direct reads: page by page out of mappings that the kernel may back with huge pages.
//!
//! A disk's request names the memory that it fills piece by piece, and what lies in pages of 4 KiB is 256 pieces a mebibyte: more than
//! many a device takes at once, and all of them looked up and pinned by the kernel. In huge pages it is one or two. (Measured on a
//! virtual disk, reads of 512 KiB to 1 MiB: 1.2 to 2.4 times the bytes a second for half of the CPU time.) An allocator's memory will not do:
//! it keeps what one thread takes and another one lets go of, and gives it back to the system in pieces, after which it is small pages again.
//!
//! Owns: which pages are free, and when a mapping goes back to the system. Never: what is in the pages.
//!
//! **Invariant**: of two extents that exist no byte is the same. The one module with unsafe code hangs on it: each extent is a slice of its
//! own in memory that they share.

use super::direct::ALIGN_BYTES;
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use parking_lot::Mutex;
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

/// Pages of a mapping: four huge pages. Extents of half a mebibyte and a bit leave a twentieth of it empty; in one huge page it would be a
/// fourth.
const MAPPING_PAGES: usize = (8 << 20) / ALIGN_BYTES;

/// From this size on what was read stays in its pages. What is smaller is copied, not to pin pages for a few bytes.
const STAYS_MIN: usize = 16 << 10;

/// Whether a piece of `len` bytes stays in the pages that it was read into.
pub(crate) const fn stays_where_it_was_read(len: usize) -> bool {
    len >= STAYS_MIN
}

/// Memory that a piece of `len` bytes pins at most which was read with the pages at its ends.
pub(crate) fn pinned_by_read(len: usize) -> usize {
    if stays_where_it_was_read(len) {
        len.next_multiple_of(ALIGN_BYTES) + ALIGN_BYTES
    } else {
        len
    }
}

/// See the module. A cheap clone.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    mappings: Arc<Mutex<Vec<Mapping>>>,
}

struct Mapping {
    memory: Arc<MmapRaw>,
    /// Ranges of pages; ascending, and never next to each other.
    free: Vec<Range<usize>>,
}

/// Pages of nobody else's, until it is dropped.
pub(crate) struct Extent {
    memory: Arc<MmapRaw>,
    pages: Range<usize>,
    home: Pages,
}

impl Pages {
    /// An extent of `len` bytes or up to a page more, with anything in it. An error when the system has no memory.
    pub(crate) fn take(&self, len: usize) -> io::Result<Extent> {
        let count = len.div_ceil(ALIGN_BYTES).max(1);
        let mut mappings = self.mappings.lock();
        // The oldest that has room: the younger ones empty, and go.
        let taken = mappings.iter_mut().find_map(|mapping| mapping.take(count));
        let (memory, pages) = match taken {
            Some(taken) => taken,
            None => {
                let mut mapping = Mapping::new(count.max(MAPPING_PAGES))?;
                let taken = mapping.take(count).expect("it is new and large enough");
                mappings.push(mapping);
                taken
            }
        };
        let home = self.clone();
        Ok(Extent { memory, pages, home })
    }

    /// One mapping that is empty stays, for the next extent. Of one that goes the caller has the last hold: it is unmapped outside of the
    /// lock.
    fn give(&self, memory: &Arc<MmapRaw>, pages: Range<usize>) {
        let mut mappings = self.mappings.lock();
        let at = mappings
            .iter()
            .position(|mapping| Arc::ptr_eq(&mapping.memory, memory))
            .expect("a mapping stays while any of its pages is taken");
        mappings[at].give(pages);
        if !mappings[at].is_empty() {
            return;
        }
        let is_unusual = mappings[at].pages() > MAPPING_PAGES;
        let empty = mappings.iter().filter(|mapping| mapping.is_empty()).count();
        if is_unusual || empty > 1 {
            mappings.remove(at);
        }
    }

    #[cfg(test)]
    pub(crate) fn mapped_bytes(&self) -> usize {
        let mappings = self.mappings.lock();
        mappings.iter().map(|mapping| mapping.memory.len()).sum()
    }
}

impl Mapping {
    fn new(pages: usize) -> io::Result<Mapping> {
        let mapped = MmapOptions::new().len(pages * ALIGN_BYTES).map_anon()?;
        ask_for_huge_pages(&mapped);
        Ok(Mapping {
            memory: Arc::new(MmapRaw::from(mapped)),
            free: std::iter::once(0..pages).collect(),
        })
    }

    fn pages(&self) -> usize {
        self.memory.len() / ALIGN_BYTES
    }

    fn is_empty(&self) -> bool {
        self.free.first() == Some(&(0..self.pages()))
    }

    /// The first `count` pages that are free together.
    fn take(&mut self, count: usize) -> Option<(Arc<MmapRaw>, Range<usize>)> {
        let at = self.free.iter().position(|free| free.len() >= count)?;
        let free = &mut self.free[at];
        let taken = free.start..free.start + count;
        free.start = taken.end;
        if free.start == free.end {
            self.free.remove(at);
        }
        Some((self.memory.clone(), taken))
    }

    fn give(&mut self, pages: Range<usize>) {
        let at = self.free.partition_point(|free| free.start < pages.start);
        let mut merged = pages;
        if let Some(next) = self.free.get(at).filter(|next| next.start == merged.end) {
            merged.end = next.end;
            self.free.remove(at);
        }
        match at.checked_sub(1).map(|before| &mut self.free[before]) {
            Some(before) if before.end == merged.start => before.end = merged.end,
            _ => self.free.insert(at, merged),
        }
    }
}

/// A system without them, or without any free, gives small ones.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(mapped: &MmapMut) {
    let _ = mapped.advise(memmap2::Advice::HugePage);
}

/// Other systems decide by themselves.
#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: &MmapMut) {}

impl Extent {
    fn len(&self) -> usize {
        self.pages.len() * ALIGN_BYTES
    }

    /// Its first byte.
    fn start(&self) -> *mut u8 {
        self.memory
            .as_mut_ptr()
            .wrapping_add(self.pages.start * ALIGN_BYTES)
    }
}

#[expect(
    unsafe_code,
    reason = "the file's text says what it brings, and on what it hangs"
)]
impl Deref for Extent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the pages lie within the mapping, which lives as long as `memory`, is readable and was zeroed by the system. No other
        // extent has any of them (`Mapping::take`), and of this one there is no mutable slice while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.start(), self.len()) }
    }
}

#[expect(
    unsafe_code,
    reason = "the file's text says what it brings, and on what it hangs"
)]
impl DerefMut for Extent {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, the mapping is writable, and `self` is borrowed by nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.len()) }
    }
}

impl AsRef<[u8]> for Extent {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        self.home.give(&self.memory, self.pages.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAPPING_BYTES: usize = MAPPING_PAGES * ALIGN_BYTES;

    fn take(pages: &Pages, len: usize) -> Extent {
        pages.take(len).expect("memory")
    }

    #[test]
    fn an_extent_begins_at_a_page_and_is_as_long_as_asked_or_a_page_more() {
        let pages = Pages::default();
        for len in [
            0,
            1,
            ALIGN_BYTES,
            ALIGN_BYTES + 1,
            MAPPING_BYTES,
            MAPPING_BYTES + 1,
        ] {
            let extent = take(&pages, len);
            assert!(extent.as_ptr().addr().is_multiple_of(ALIGN_BYTES));
            assert!(
                extent.len() >= len && extent.len() <= len.max(1) + ALIGN_BYTES,
                "{len}"
            );
        }
    }

    #[test]
    fn an_empty_mapping_stays_and_a_second_one_or_one_of_unusual_size_goes() {
        let pages = Pages::default();
        let both = (take(&pages, MAPPING_BYTES), take(&pages, MAPPING_BYTES));
        assert_eq!(pages.mapped_bytes(), 2 * MAPPING_BYTES);
        drop(both);
        assert_eq!(pages.mapped_bytes(), MAPPING_BYTES);
        let large = take(&pages, 3 * MAPPING_BYTES);
        assert_eq!(pages.mapped_bytes(), 4 * MAPPING_BYTES);
        drop(large);
        assert_eq!(pages.mapped_bytes(), MAPPING_BYTES);
    }

    #[test]
    fn a_gap_is_filled_before_another_mapping_is_made() {
        let pages = Pages::default();
        let mut extents: Vec<Extent> = (0..8).map(|_| take(&pages, 1 << 20)).collect();
        let at = extents[3].as_ptr();
        drop(extents.remove(3));
        assert_eq!(take(&pages, 1 << 20).as_ptr(), at);
        drop(extents);
        assert_eq!(
            take(&pages, MAPPING_BYTES).len(),
            MAPPING_BYTES,
            "the pages lie together again"
        );
        assert_eq!(pages.mapped_bytes(), MAPPING_BYTES);
    }

    /// At both ends of every page.
    fn mark(extent: &mut Extent, mark: u8) {
        for page in extent.chunks_exact_mut(ALIGN_BYTES) {
            page[0] = mark;
            page[ALIGN_BYTES - 1] = mark;
        }
    }

    fn is_marked(extent: &Extent, mark: u8) -> bool {
        let mut pages = extent.chunks_exact(ALIGN_BYTES);
        pages.all(|page| page[0] == mark && page[ALIGN_BYTES - 1] == mark)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Each extent keeps what was written to it whatever happens to the others, also on another thread.
        #[test]
        fn no_two_extents_share_a_page(steps in prop::collection::vec((1usize..3000, 0usize..12), 1..60)) {
            let pages = Pages::default();
            let mut held: Vec<(u8, Extent)> = Vec::new();
            for (number, (count, held_max)) in (0..).zip(steps) {
                let mut extent = take(&pages, count * ALIGN_BYTES);
                mark(&mut extent, number);
                held.push((number, extent));
                let gone: Vec<_> = held.drain(..held.len().saturating_sub(held_max)).collect();
                let keeper = std::thread::spawn(move || gone.iter().all(|(mark, extent)| is_marked(extent, *mark)));
                prop_assert!(keeper.join().expect("no panic"));
            }
            prop_assert!(held.iter().all(|(mark, extent)| is_marked(extent, *mark)));
            drop(held);
            prop_assert!(pages.mapped_bytes() <= MAPPING_BYTES);
        }
    }
}
