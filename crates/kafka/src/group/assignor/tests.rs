//! What every assignment keeps, for random groups.

use super::*;
use proptest::prelude::*;

/// A group: partitions of each topic, the subscriptions, who has which.
#[derive(Clone, Debug)]
struct Case {
    topics: Vec<u32>,
    subscriptions: Vec<Vec<usize>>,
    members: Vec<usize>,
    statics: Vec<bool>,
}

fn cases(kinds: usize) -> impl Strategy<Value = Case> {
    (1..6_usize, 1..12_usize).prop_flat_map(move |(topics, members)| {
        let subscription = prop::collection::vec(0..topics, 0..=topics);
        (
            prop::collection::vec(0..20_u32, topics),
            prop::collection::vec(subscription, kinds),
            prop::collection::vec(0..kinds, members),
            prop::collection::vec(any::<bool>(), members),
        )
            .prop_map(|(topics, subscriptions, members, statics)| Case {
                topics,
                subscriptions,
                members,
                statics,
            })
    })
}

fn topic(index: usize) -> TopicId {
    let mut id = [0; 16];
    id[15] = u8::try_from(index + 1).unwrap();
    TopicId(id)
}

struct World {
    ids: Vec<MemberId>,
    instances: Vec<Option<InstanceId>>,
    present: Vec<Assignment>,
}

impl World {
    fn of(case: &Case) -> Self {
        let count = case.members.len();
        Self {
            ids: (0..count).map(|at| format!("m{at:02}").into()).collect(),
            instances: (0..count)
                .map(|at| case.statics[at].then(|| format!("i{at:02}").into()))
                .collect(),
            present: vec![Assignment::new(); count],
        }
    }

    fn spec(&self, case: &Case) -> Spec<'_> {
        let members = case
            .members
            .iter()
            .enumerate()
            .map(|(at, subscription)| MemberSpec {
                id: &self.ids[at],
                instance: self.instances[at].as_ref(),
                subscription: *subscription,
                present: &self.present[at],
            });
        let subscription = |topics: &Vec<usize>| topics.iter().map(|&index| topic(index)).collect();
        Spec {
            members: members.collect(),
            subscriptions: case.subscriptions.iter().map(subscription).collect(),
            topics: case
                .topics
                .iter()
                .enumerate()
                .map(|(at, count)| (topic(at), *count))
                .collect(),
        }
    }
}

fn size(share: &Assignment) -> usize {
    share.values().map(BTreeSet::len).sum()
}

/// How many partitions a member keeps of what it had.
fn kept(before: &Assignment, after: &Assignment) -> usize {
    let both = |(topic, had): (&TopicId, &BTreeSet<i32>)| {
        after.get(topic).map_or(0, |has| has.intersection(had).count())
    };
    before.iter().map(both).sum()
}

fn check_complete(spec: &Spec<'_>, shares: &[Assignment]) {
    assert_eq!(shares.len(), spec.members.len());
    let mut given: BTreeMap<(TopicId, i32), usize> = BTreeMap::new();
    for (index, share) in shares.iter().enumerate() {
        for (topic, partitions) in share {
            assert!(!partitions.is_empty(), "no topic without partitions");
            assert!(
                spec.subscribes(index, topic),
                "nobody gets what he did not ask for"
            );
            for &partition in partitions {
                assert!(partition < spec.partitions(topic));
                assert_eq!(given.insert((*topic, partition), index), None, "given once");
            }
        }
    }
    let wanted: usize = spec
        .subscribers()
        .keys()
        .map(|topic| usize::try_from(spec.partitions(topic)).unwrap())
        .sum();
    assert_eq!(given.len(), wanted, "every partition is given");
}

/// No partition could move to another subscriber and make the two more equal.
fn check_balanced(spec: &Spec<'_>, shares: &[Assignment]) {
    for (topic, subscribers) in spec.subscribers() {
        let least = subscribers
            .iter()
            .map(|&index| size(&shares[index]))
            .min()
            .unwrap();
        for &index in &subscribers {
            assert!(
                !shares[index].contains_key(&topic) || size(&shares[index]) <= least + 1,
                "{topic:?} of {index} should move"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_partition_is_given_exactly_once(case in cases(3), had in prop::collection::vec((0..12_usize, 0..6_usize, 0..25_i32), 0..60)) {
        let mut world = World::of(&case);
        for (member, index, partition) in had {
            if let Some(share) = world.present.get_mut(member) {
                share.entry(topic(index)).or_default().insert(partition);
            }
        }
        let spec = world.spec(&case);
        for assignor in Assignor::ALL {
            let shares = assign(assignor, &spec);
            check_complete(&spec, &shares);
            prop_assert_eq!(&shares, &assign(assignor, &spec), "the same question, the same answer");
            if assignor == Assignor::Uniform {
                check_balanced(&spec, &shares);
            }
        }
    }

    #[test]
    fn equal_subscriptions_are_shared_to_within_one_and_nothing_moves_without_need(case in cases(1), leaves in any::<prop::sample::Index>()) {
        let mut world = World::of(&case);
        world.present = assign(Assignor::Uniform, &world.spec(&case));
        let sizes: Vec<usize> = world.present.iter().map(size).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
        let again = assign(Assignor::Uniform, &world.spec(&case));
        prop_assert_eq!(&again, &world.present, "an assignment that is even stays");
        // One goes: whoever stays keeps all that he had.
        let mut smaller = case.clone();
        let gone = leaves.index(case.members.len());
        smaller.members.remove(gone);
        smaller.statics.remove(gone);
        if smaller.members.is_empty() {
            return Ok(());
        }
        world.ids.remove(gone);
        world.instances.remove(gone);
        world.present.remove(gone);
        let after = assign(Assignor::Uniform, &world.spec(&smaller));
        for (before, after) in world.present.iter().zip(&after) {
            prop_assert_eq!(kept(before, after), size(before));
        }
    }

    #[test]
    fn a_newcomer_takes_no_more_than_its_share(case in cases(1)) {
        let mut world = World::of(&case);
        world.present = assign(Assignor::Uniform, &world.spec(&case));
        let mut larger = case.clone();
        larger.members.push(0);
        larger.statics.push(false);
        world.ids.push("zz".into());
        world.instances.push(None);
        let had: usize = world.present.iter().map(size).sum();
        let before = world.present.clone();
        world.present.push(Assignment::new());
        let after = assign(Assignor::Uniform, &world.spec(&larger));
        let stayed: usize = before.iter().zip(&after).map(|(before, after)| kept(before, after)).sum();
        prop_assert_eq!(had - stayed, size(after.last().unwrap()), "only what the newcomer got has moved");
        let sizes: Vec<usize> = after.iter().map(size).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
    }

    #[test]
    fn ranges_are_contiguous_and_equal_topics_are_cut_alike(case in cases(1)) {
        let world = World::of(&case);
        let spec = world.spec(&case);
        for share in assign(Assignor::Range, &spec) {
            for (id, partitions) in &share {
                let (first, last) = (partitions.first().unwrap(), partitions.last().unwrap());
                prop_assert_eq!(usize::try_from(last - first).unwrap() + 1, partitions.len());
                for (other, theirs) in &share {
                    prop_assert!(spec.partitions(id) != spec.partitions(other) || partitions == theirs);
                }
            }
        }
    }
}

#[test]
fn a_thousand_members_and_ten_thousand_partitions_are_cheap() {
    let case = Case {
        topics: vec![1_000; 10],
        subscriptions: vec![(0..10).collect(), (0..5).collect()],
        members: (0..1_000).map(|at| at % 2).collect(),
        statics: vec![false; 1_000],
    };
    let mut world = World::of(&case);
    for _ in 0..3 {
        let shares = assign(Assignor::Uniform, &world.spec(&case));
        check_complete(&world.spec(&case), &shares);
        check_balanced(&world.spec(&case), &shares);
        world.present = shares;
    }
}
