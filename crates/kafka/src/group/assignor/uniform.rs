//! Uniform, for members that all subscribe to the same topics: shares differ by one partition at most, and a partition moves
//! only if its member has too many.
//!
//! Owns: the quota. **Invariant**: of two even assignments the one with fewer moves is chosen; so a member that keeps within its
//! quota keeps everything.

use super::{Assignment, Free, Spec};
use std::collections::VecDeque;

pub(super) fn assign(spec: &Spec<'_>) -> Vec<Assignment> {
    let count = spec.members.len();
    let mut shares = vec![Assignment::new(); count];
    if count == 0 {
        return shares;
    }
    let mut free = Free::all(spec);
    let partitions: usize = free.0.values().map(Vec::len).sum();
    let quota = partitions / count;
    // So many members have one more than the quota.
    let mut larger = partitions % count;
    let mut sizes = vec![0_usize; count];
    for (index, member) in spec.members.iter().enumerate() {
        // Whoever has more than the quota keeps one of the larger shares while there are any.
        let kept_max = quota + usize::from(larger > 0);
        let present = member.present.iter();
        let present =
            present.flat_map(|(topic, partitions)| partitions.iter().map(move |one| (*topic, *one)));
        for (topic, partition) in present {
            if sizes[index] == kept_max {
                break;
            }
            if free.take(&topic, partition) {
                shares[index].entry(topic).or_default().insert(partition);
                sizes[index] += 1;
            }
        }
        larger -= usize::from(sizes[index] > quota);
    }
    // First everybody up to the quota, in turns, so that a topic's partitions do not all fall to one member.
    let mut rest: VecDeque<_> = free.rest().collect();
    let mut hungry: VecDeque<usize> = (0..count).filter(|&index| sizes[index] < quota).collect();
    while let Some(index) = hungry.pop_front() {
        let Some((topic, partition)) = rest.pop_front() else {
            break;
        };
        shares[index].entry(topic).or_default().insert(partition);
        sizes[index] += 1;
        if sizes[index] < quota {
            hungry.push_back(index);
        }
    }
    let ready = (0..count).filter(|&index| sizes[index] == quota);
    for (index, (topic, partition)) in ready.zip(rest) {
        shares[index].entry(topic).or_default().insert(partition);
    }
    shares
}
