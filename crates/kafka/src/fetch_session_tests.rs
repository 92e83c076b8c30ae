//! What a session remembers, tells and refuses.

use super::*;

fn ask(partition: i32, from: i64) -> Ask {
    let topic = TopicKey::Name(Str::from_static("t"));
    Ask {
        topic,
        partition,
        from,
        bytes_max: 1,
        epoch: -1,
        last_fetched_epoch: -1,
    }
}

fn request(id: i32, epoch: i32, asks: Vec<Ask>) -> SessionRequest {
    SessionRequest {
        id,
        epoch,
        asks,
        forgotten: Vec::new(),
        by_id: false,
    }
}

fn plan(sessions: &FetchSessions, id: i32, epoch: i32, asks: Vec<Ask>) -> Plan {
    let plan = sessions.plan(request(id, epoch, asks), Duration::ZERO);
    plan.unwrap_or_else(|code| panic!("refused with {code:?}"))
}

fn refused(sessions: &FetchSessions, request: SessionRequest) -> Option<ErrorCode> {
    sessions.plan(request, Duration::ZERO).err()
}

fn tell(plan: &Plan, at: usize, told: Told, has_news: HasNews) -> bool {
    plan.tell(|must_tell| must_tell(&plan.asks[at], told, has_news))
}

fn partitions(plan: &Plan) -> Vec<i32> {
    plan.asks.iter().map(|ask| ask.partition).collect()
}

const TOLD: Told = Told {
    high_watermark: 5,
    log_start: 0,
};

#[test]
fn a_session_remembers_partitions_and_tells_only_what_changed() {
    let sessions = FetchSessions::new(2, 0);
    let first = plan(&sessions, 0, 0, vec![ask(0, 0), ask(1, 0)]);
    assert!(first.session_id > 0 && !first.incremental);
    assert!(tell(&first, 0, TOLD, HasNews::No));
    let next = plan(&sessions, first.session_id, 1, vec![ask(1, 7)]);
    assert!(next.incremental);
    assert_eq!(next.asks, [ask(0, 0), ask(1, 7)]);
    assert!(!tell(&next, 0, TOLD, HasNews::No));
    let moved = Told {
        high_watermark: 6,
        log_start: 0,
    };
    assert!(tell(&next, 0, moved, HasNews::No));
    assert!(tell(&next, 0, moved, HasNews::Error));
    assert!(
        tell(&next, 0, moved, HasNews::No),
        "after an error everything is news"
    );
}

#[test]
fn partitions_that_gave_data_go_to_the_end() {
    let sessions = FetchSessions::new(1, 0);
    let first = plan(&sessions, 0, 0, vec![ask(0, 0), ask(1, 0), ask(2, 0)]);
    tell(&first, 0, TOLD, HasNews::Records);
    let next = plan(&sessions, first.session_id, 1, Vec::new());
    assert_eq!(partitions(&next), [1, 2, 0]);
    tell(&next, 1, TOLD, HasNews::Records);
    let next = plan(&sessions, first.session_id, 2, Vec::new());
    assert_eq!(partitions(&next), [1, 0, 2]);
}

#[test]
fn forgotten_partitions_are_not_read_and_the_last_one_ends_the_session() {
    let sessions = FetchSessions::new(1, 0);
    let id = plan(&sessions, 0, 0, vec![ask(0, 0), ask(1, 0)]).session_id;
    let forget = |epoch, partition| SessionRequest {
        forgotten: vec![(TopicKey::Name(Str::from_static("t")), partition)],
        ..request(id, epoch, Vec::new())
    };
    let next = sessions.plan(forget(1, 0), Duration::ZERO).ok().unwrap();
    assert_eq!(partitions(&next), [1]);
    let last = sessions.plan(forget(2, 1), Duration::ZERO).ok().unwrap();
    assert_eq!((last.session_id, last.asks.len(), sessions.len()), (0, 0, 0));
}

#[test]
fn wrong_ids_and_epochs_are_told_apart() {
    let sessions = FetchSessions::new(1, 0);
    let id = plan(&sessions, 0, 0, vec![ask(0, 0)]).session_id;
    let wrong_epoch = refused(&sessions, request(id, 5, Vec::new()));
    assert_eq!(wrong_epoch, Some(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    let wrong_id = refused(&sessions, request(id + 1, 1, Vec::new()));
    assert_eq!(wrong_id, Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    let by_id = SessionRequest {
        by_id: true,
        ..request(id, 1, Vec::new())
    };
    assert_eq!(
        refused(&sessions, by_id),
        Some(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR)
    );
}

#[test]
fn epochs_go_round_without_the_two_that_mean_something_else() {
    assert_eq!(next_epoch(EPOCH_INITIAL), 1);
    assert_eq!(next_epoch(i32::MAX), 1);
}

#[test]
fn slots_are_bounded_and_only_idle_sessions_make_room() {
    let sessions = FetchSessions::new(1, 0);
    let open = |now| {
        sessions
            .plan(request(0, 0, vec![ask(0, 0)]), now)
            .ok()
            .unwrap()
            .session_id
    };
    let first = open(Duration::ZERO);
    assert_eq!(open(Duration::ZERO), 0);
    let later = open(EVICTION_AGE);
    assert!(later > 0 && later != first);
    assert_eq!(sessions.len(), 1);
}

#[test]
fn what_all_sessions_remember_is_counted_until_the_last_user_is_gone() {
    let sessions = FetchSessions::new(2, 0);
    let remembered = || sessions.remembered.load(Ordering::Relaxed);
    let first = plan(&sessions, 0, 0, vec![ask(0, 0), ask(1, 0)]);
    let second = plan(&sessions, 0, 0, vec![ask(0, 0)]);
    assert_eq!(remembered(), 3);
    let grown = plan(&sessions, second.session_id, 1, vec![ask(0, 1), ask(7, 0)]);
    assert_eq!(remembered(), 4);
    plan(&sessions, first.session_id, EPOCH_FINAL, Vec::new());
    drop(first);
    assert_eq!(remembered(), 2);
    drop((second, grown, sessions));
}

#[test]
fn ids_of_two_lives_of_a_broker_are_far_apart() {
    let id = |seed| plan(&FetchSessions::new(1, seed), 0, 0, vec![ask(0, 0)]).session_id;
    // A restart within a millisecond is no restart; one after a second must not give the ids of before.
    let ids: Vec<i32> = (0..50)
        .map(|second| id(1_700_000_000_000 + second * 1_000))
        .collect();
    for (at, one) in ids.iter().enumerate() {
        assert!(
            ids[..at].iter().all(|other| one.abs_diff(*other) > 10_000),
            "{ids:?}"
        );
    }
}
