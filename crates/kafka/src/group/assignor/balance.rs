//! Uniform, for members that subscribe to different topics.
//!
//! Owns: the balance. Everybody keeps what is still his to have; what is free goes to the subscriber with the least; then, topic
//! by topic, partitions move from who has more to who has less.
//!
//! **Invariant**: at the end no partition could move to another subscriber of its topic and make the two more equal. Each move
//! lowers the sum of the squares of the shares' sizes, so the moves come to an end.

use super::{Assignment, Free, Spec};
use crate::group::name::TopicId;
use std::collections::{BTreeMap, BTreeSet};

struct Shares {
    shares: Vec<Assignment>,
    sizes: Vec<usize>,
}

impl Shares {
    fn give(&mut self, index: usize, topic: TopicId, partition: i32) {
        self.shares[index].entry(topic).or_default().insert(partition);
        self.sizes[index] += 1;
    }

    /// Takes the last partition of the topic from the member.
    fn take_one(&mut self, index: usize, topic: &TopicId) -> Option<i32> {
        let partitions = self.shares[index].get_mut(topic)?;
        let partition = partitions.pop_last()?;
        if partitions.is_empty() {
            self.shares[index].remove(topic);
        }
        self.sizes[index] -= 1;
        Some(partition)
    }

    fn holds(&self, index: usize, topic: &TopicId) -> bool {
        self.shares[index].contains_key(topic)
    }
}

pub(super) fn assign(spec: &Spec<'_>) -> Vec<Assignment> {
    let mut shares = Shares {
        shares: vec![Assignment::new(); spec.members.len()],
        sizes: vec![0; spec.members.len()],
    };
    let mut free = Free::all(spec);
    for (index, member) in spec.members.iter().enumerate() {
        for (topic, partitions) in member.present {
            if !spec.subscribes(index, topic) {
                continue;
            }
            for &partition in partitions {
                if free.take(topic, partition) {
                    shares.give(index, *topic, partition);
                }
            }
        }
    }
    let subscribers = spec.subscribers();
    give_free(&mut shares, &free, &subscribers);
    while subscribers.iter().fold(false, |moved, (topic, all)| {
        even_out(&mut shares, topic, all) || moved
    }) {}
    shares.shares
}

/// Topics with few subscribers first: later ones can still make up for it.
fn give_free(shares: &mut Shares, free: &Free, subscribers: &BTreeMap<TopicId, Vec<usize>>) {
    let mut rest: BTreeMap<TopicId, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in free.rest() {
        rest.entry(topic).or_default().push(partition);
    }
    let mut rest: Vec<_> = rest.into_iter().collect();
    rest.sort_by_key(|(topic, _)| subscribers.get(topic).map_or(0, Vec::len));
    for (topic, partitions) in rest {
        let all = subscribers.get(&topic).into_iter().flatten();
        let mut least: BTreeSet<(usize, usize)> = all.map(|&index| (shares.sizes[index], index)).collect();
        for partition in partitions {
            let Some((_, index)) = least.pop_first() else {
                break;
            };
            shares.give(index, topic, partition);
            least.insert((shares.sizes[index], index));
        }
    }
}

/// Moves partitions of one topic until nobody who has some of it has two more than a subscriber. Whether any moved.
fn even_out(shares: &mut Shares, topic: &TopicId, subscribers: &[usize]) -> bool {
    let mut all: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut holders: BTreeSet<(usize, usize)> = BTreeSet::new();
    for &index in subscribers {
        all.insert((shares.sizes[index], index));
        if shares.holds(index, topic) {
            holders.insert((shares.sizes[index], index));
        }
    }
    let mut moved = false;
    while let (Some(&(least, to)), Some(&(most, from))) = (all.first(), holders.last()) {
        if most <= least + 1 {
            break;
        }
        for index in [from, to] {
            let place = (shares.sizes[index], index);
            all.remove(&place);
            holders.remove(&place);
        }
        if let Some(partition) = shares.take_one(from, topic) {
            shares.give(to, *topic, partition);
            moved = true;
        }
        for index in [from, to] {
            let place = (shares.sizes[index], index);
            all.insert(place);
            if shares.holds(index, topic) {
                holders.insert(place);
            }
        }
    }
    moved
}
