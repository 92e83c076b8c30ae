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
    }
}

const TOLD: Told = Told {
    high_watermark: 5,
    log_start: 0,
};

#[test]
fn a_session_remembers_partitions_and_tells_only_what_changed() {
    let sessions = FetchSessions::new(2);
    let plan = sessions
        .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
        .unwrap();
    assert!(plan.session_id > 0 && !plan.incremental);
    assert!(sessions.tell(plan.session_id, &plan.asks[0], TOLD, HasNews::No));
    let id = plan.session_id;
    let plan = sessions
        .plan(request(id, 1, vec![ask(1, 7)]), Duration::ZERO)
        .unwrap();
    assert!(plan.incremental);
    assert_eq!(plan.asks, [ask(0, 0), ask(1, 7)]);
    assert!(!sessions.tell(id, &plan.asks[0], TOLD, HasNews::No));
    assert!(sessions.tell(
        id,
        &plan.asks[0],
        Told {
            high_watermark: 6,
            log_start: 0
        },
        HasNews::No
    ));
}

#[test]
fn partitions_that_gave_data_go_to_the_end() {
    let sessions = FetchSessions::new(1);
    let plan = sessions
        .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
        .unwrap();
    sessions.tell(plan.session_id, &plan.asks[0], TOLD, HasNews::Records);
    let plan = sessions
        .plan(request(plan.session_id, 1, Vec::new()), Duration::ZERO)
        .unwrap();
    let order: Vec<i32> = plan.asks.iter().map(|ask| ask.partition).collect();
    assert_eq!(order, [1, 0]);
}

#[test]
fn forgotten_partitions_are_not_read() {
    let sessions = FetchSessions::new(1);
    let id = sessions
        .plan(request(0, 0, vec![ask(0, 0), ask(1, 0)]), Duration::ZERO)
        .unwrap()
        .session_id;
    let forgotten = vec![(TopicKey::Name(Str::from_static("t")), 0)];
    let next = SessionRequest {
        id,
        epoch: 1,
        asks: Vec::new(),
        forgotten,
    };
    assert_eq!(sessions.plan(next, Duration::ZERO).unwrap().asks, [ask(1, 0)]);
}

#[test]
fn wrong_ids_and_epochs_are_told_apart() {
    let sessions = FetchSessions::new(1);
    let id = sessions
        .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
        .unwrap()
        .session_id;
    let wrong_epoch = sessions
        .plan(request(id, 5, Vec::new()), Duration::ZERO)
        .unwrap_err();
    assert_eq!(wrong_epoch, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
    let wrong_id = sessions
        .plan(request(id + 1, 1, Vec::new()), Duration::ZERO)
        .unwrap_err();
    assert_eq!(wrong_id, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn slots_are_bounded_and_only_idle_sessions_make_room() {
    let sessions = FetchSessions::new(1);
    let first = sessions
        .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
        .unwrap()
        .session_id;
    assert_eq!(
        sessions
            .plan(request(0, 0, vec![ask(0, 0)]), Duration::ZERO)
            .unwrap()
            .session_id,
        0
    );
    let later = sessions
        .plan(request(0, 0, vec![ask(0, 0)]), EVICTION_AGE)
        .unwrap()
        .session_id;
    assert!(later > 0 && later != first);
    assert_eq!(sessions.len(), 1);
}
