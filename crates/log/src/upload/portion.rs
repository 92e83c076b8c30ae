//! How much an upload takes at once: everything, unless that finds no room.
//!
//! Pure: what was tried and how it went comes in, what to try next comes out. Never decides when.
//!
//! A store that is full takes a smaller upload where it does not take a larger one, and each that is committed frees what it holds in the
//! write-ahead log, which may be the only room there is. So what finds no room is tried at once with half of its bytes, down to one
//! group, and what is committed is followed by twice as much.
//!
//! **Why a cut at any group is right.** Recovery takes what the manifest says of a stream as of its committed end, and replays what groups
//! above `wal_through` hold beyond it. A smaller cut ends at a group: everything up to it is in its objects, and what it says of
//! producers was found by the function that recovery replays with, from what the manifest said before over just the batches of the cut (and
//! those that a trim took from between). So recovery finds the same after it as without it: one fold, made in two steps. What is known of
//! the producers now is as of the end of everything durable, and would be wrong: the batches beyond the cut would count twice. A copy kept
//! at some group in time would be right as well, but would have to be kept before anybody knows that it is needed, for every group at which a
//! cut may have to end, and would be gone after a restart.

use super::source::Oldest;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Portion {
    /// `None`: everything.
    bytes_max: Option<u64>,
}

impl Portion {
    /// Bytes of the groups that the next upload takes, but for a single one that is larger.
    pub(crate) fn bytes_max(self) -> u64 {
        self.bytes_max.unwrap_or(u64::MAX)
    }

    /// Whether nothing was found too large.
    pub(crate) fn is_everything(self) -> bool {
        self.bytes_max.is_none()
    }

    /// An upload of these found no room. False: there is nothing smaller.
    pub(crate) fn shrink(&mut self, tried: Oldest) -> bool {
        let is_divisible = tried.groups > 1;
        let bytes_max = if is_divisible {
            tried.bytes / 2
        } else {
            tried.bytes
        };
        self.bytes_max = Some(bytes_max);
        is_divisible
    }

    /// An upload of these is committed.
    pub(crate) fn grow(&mut self, committed: Oldest) {
        self.bytes_max = self.bytes_max.map(|_| committed.bytes.saturating_mul(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GroupSeq;

    /// The first of `groups` groups of 10 bytes that fit.
    fn oldest(groups: u64, portion: Portion) -> Oldest {
        let groups = (portion.bytes_max() / 10).clamp(1, groups);
        Oldest {
            through: GroupSeq(groups),
            groups,
            bytes: groups * 10,
        }
    }

    #[test]
    fn what_finds_no_room_is_halved_down_to_one_group_and_no_further() {
        let mut portion = Portion::default();
        let mut tried = Vec::new();
        loop {
            let next = oldest(50, portion);
            tried.push(next.groups);
            if !portion.shrink(next) {
                break;
            }
        }
        assert_eq!(tried, [50, 25, 12, 6, 3, 1]);
        assert_eq!(oldest(50, portion).groups, 1, "the next try, later");
    }

    #[test]
    fn what_is_committed_is_followed_by_twice_as_much_until_it_is_everything() {
        let mut portion = Portion::default();
        portion.grow(oldest(50, portion));
        assert_eq!(portion, Portion::default(), "everything stays everything");
        portion.shrink(oldest(1, portion));
        let mut tried = Vec::new();
        while tried.last() != Some(&50) {
            let next = oldest(50, portion);
            tried.push(next.groups);
            portion.grow(next);
        }
        assert_eq!(tried, [1, 2, 4, 8, 16, 32, 50]);
    }
}
