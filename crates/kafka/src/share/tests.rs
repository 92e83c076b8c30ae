//! Sessions, acknowledge types and durations, without a broker.

use super::acks::{AckBatch, Renewal, settlements};
use super::session::{EPOCH_FINAL, Place, SessionKey, ShareAsk, ShareSessions};
use crate::connection::Peer;
use crate::errors::ErrorCode;
use millstream_broker::queue::Disposition;
use millstream_broker::security::Principal;
use millstream_kafka_wire::Uuid;
use std::sync::Arc;

fn peer() -> Arc<Peer> {
    Arc::new(Peer {
        address: "127.0.0.1:1".parse().unwrap(),
        local: "127.0.0.1:2".parse().unwrap(),
        listener: "PLAINTEXT".to_owned(),
        principal: Arc::new(Principal::anonymous()),
        login: None,
    })
}

fn key(member: &str) -> SessionKey {
    SessionKey {
        group: Arc::from("g"),
        member: Arc::from(member),
    }
}

fn place(partition: u32) -> Place {
    Place {
        topic: Uuid::from_u128(1),
        partition,
    }
}

fn ask<'a>(epoch: i32, added: &'a [Place], forgotten: &'a [Place]) -> ShareAsk<'a> {
    ShareAsk {
        epoch,
        added,
        forgotten,
    }
}

#[test]
fn a_session_counts_its_requests_and_serves_each_partition_first_in_turn() {
    let mut sessions = ShareSessions::new(10);
    let (peer, key) = (peer(), key("m"));
    let both = [place(0), place(1)];
    assert_eq!(
        sessions.fetch(&key, &ask(1, &[], &[]), &peer).unwrap_err(),
        ErrorCode::SHARE_SESSION_NOT_FOUND
    );
    let first = sessions.fetch(&key, &ask(0, &both, &[]), &peer).unwrap().places[0];
    let next = sessions.fetch(&key, &ask(1, &[], &[]), &peer).unwrap().places[0];
    assert_ne!(first, next);
    let again = sessions.fetch(&key, &ask(1, &[], &[]), &peer);
    assert_eq!(again.unwrap_err(), ErrorCode::INVALID_SHARE_SESSION_EPOCH);
    assert_eq!(
        sessions.acknowledge(&key, 0).unwrap_err(),
        ErrorCode::INVALID_SHARE_SESSION_EPOCH
    );
    sessions.acknowledge(&key, 2).unwrap();
    let forgot = sessions
        .fetch(&key, &ask(3, &[place(0)], &[place(0)]), &peer)
        .unwrap();
    assert_eq!(forgot.places, [place(1)]);
    sessions.fetch(&key, &ask(EPOCH_FINAL, &[], &[]), &peer).unwrap();
    let ended = sessions.end(&key).unwrap();
    assert_eq!(ended.places, both, "locks may lie in what was forgotten");
    assert_eq!(sessions.len(), 0);
}

#[test]
fn a_connection_takes_its_sessions_along_and_no_others() {
    let mut sessions = ShareSessions::new(2);
    let (here, there) = (peer(), peer());
    sessions
        .fetch(&key("a"), &ask(0, &[place(0)], &[]), &here)
        .unwrap();
    sessions
        .fetch(&key("b"), &ask(0, &[place(0)], &[]), &there)
        .unwrap();
    let full = sessions.fetch(&key("c"), &ask(0, &[], &[]), &there);
    assert_eq!(full.unwrap_err(), ErrorCode::SHARE_SESSION_LIMIT_REACHED);
    assert_eq!(sessions.disconnected(&here).len(), 1);
    assert_eq!(sessions.disconnected(&here).len(), 0);
    // A member that came back on another connection keeps its session when the first one ends.
    let holder = sessions
        .fetch(&key("b"), &ask(0, &[], &[]), &here)
        .unwrap()
        .holder;
    assert_eq!(sessions.disconnected(&there).len(), 0);
    assert_eq!(sessions.disconnected(&here)[0].holder, holder);
}

#[test]
fn acknowledgements_are_ranges_and_bad_ones_are_refused() {
    let batch = |first, last, types| AckBatch { first, last, types };
    let found = settlements([batch(0, 3, &[1, 1, 2, 3]), batch(4, 9, &[3])], Renewal::Absent).unwrap();
    let flat: Vec<_> = found
        .iter()
        .map(|one| (*one.range.start(), *one.range.end(), one.disposition))
        .collect();
    assert_eq!(
        flat,
        [
            (0, 1, Disposition::Accept),
            (2, 2, Disposition::Release),
            (3, 9, Disposition::Reject)
        ]
    );
    let bad: [(i64, i64, &[i8]); 6] = [
        (3, 2, &[1]),
        (-1, 2, &[1]),
        (0, 2, &[]),
        (0, 2, &[1, 1]),
        (0, 0, &[5]),
        (0, 0, &[4]),
    ];
    for (first, last, types) in bad {
        assert_eq!(
            settlements([batch(first, last, types)], Renewal::Absent),
            Err(ErrorCode::INVALID_REQUEST)
        );
    }
    assert!(settlements([batch(5, 6, &[1]), batch(6, 7, &[1])], Renewal::Absent).is_err());
    assert!(settlements([batch(0, 0, &[4])], Renewal::Announced).is_ok());
}
