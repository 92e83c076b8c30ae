//! Range: each topic is cut into contiguous pieces, one a subscriber, in the order of the subscribers.
//!
//! Owns: the cut. **Invariant**: two topics with as many partitions and the same subscribers are cut alike, so that a join of
//! the two finds equal keys at one member. Static members come first, in the order of their instance ids: a restart under a new
//! member id moves nothing.

use super::{Assignment, Spec};

pub(super) fn assign(spec: &Spec<'_>) -> Vec<Assignment> {
    let mut order: Vec<usize> = (0..spec.members.len()).collect();
    order.sort_by_key(|&index| {
        let member = &spec.members[index];
        (member.instance.is_none(), member.instance, member.id)
    });
    let mut rank = vec![0; order.len()];
    for (at, &index) in order.iter().enumerate() {
        rank[index] = at;
    }
    let mut shares = vec![Assignment::new(); spec.members.len()];
    for (topic, mut subscribers) in spec.subscribers() {
        subscribers.sort_by_key(|&index| rank[index]);
        let count = i32::try_from(subscribers.len()).unwrap_or(i32::MAX);
        let partitions = spec.partitions(&topic);
        let (each, longer) = (partitions / count, partitions % count);
        let mut next = 0;
        for (at, index) in (0_i32..).zip(subscribers) {
            let end = next + each + i32::from(at < longer);
            if end > next {
                shares[index].insert(topic, (next..end).collect());
            }
            next = end;
        }
    }
    shares
}
