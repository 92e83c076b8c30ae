//! When targets are computed and something comes in between: a topic that is made, a write that is refused.

use super::*;

/// Whenever it is made, even between two looks of one step.
#[test]
fn a_topic_that_appears_while_tasks_are_dealt_out_is_seen() {
    let delayed = |beat: &mut StreamsHeartbeat| beat.terms.initial_delay = Duration::from_secs(3);
    for looks in 0..16 {
        let mut world = World::new(quick());
        world.facts.put("in", 4, 1);
        let mut member = Member::new("a");
        member.beat_with(&mut world, delayed);
        world.facts.put("in", 4, 2);
        *world.facts.appears.lock() = Some((looks, "log", 4));
        world.pass(Duration::from_secs(3));
        for _ in 0..20 {
            member.beat_with(&mut world, delayed);
        }
        assert_eq!(active(&member.has), [0, 1, 2, 3], "after {looks} looks");
    }
}

#[test]
fn targets_that_cannot_be_written_are_not_tried_without_a_pause() {
    let mut world = World::new(quick());
    world.facts.put("in", 4, 1);
    world.facts.put("log", 4, 1);
    let delayed = |beat: &mut StreamsHeartbeat| beat.terms.initial_delay = Duration::from_secs(3);
    let mut member = Member::new("a");
    member.beat_with(&mut world, delayed);
    world.writes = Writes::Hold;
    world.pass(Duration::from_secs(3));
    for reloads in 1..4 {
        world.writes = Writes::Fail(PersistError::TooLarge);
        world.settle();
        assert_eq!(world.reloads, reloads);
        assert!(world.shard.next_deadline() > world.now.monotonic);
        world.writes = Writes::Hold;
        world.pass(Duration::from_secs(1));
    }
    world.writes = Writes::Succeed;
    world.settle();
    member.beat(&mut world);
    assert_eq!(active(&member.has), [0, 1, 2, 3]);
}
