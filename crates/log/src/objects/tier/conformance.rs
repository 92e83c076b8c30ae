//! What every implementation of the `SecondTier` port must do. Each promise is one check; all run on an empty tier of `bytes_max`.

use super::{Piece, SecondTier};
use bytes::Bytes;

/// Length of the usual piece here.
const PIECE_BYTES: usize = 10_000;

/// Runs every check; panics at the first promise that is not kept. `settled` waits until nothing is on its way to the medium.
pub async fn check<T: SecondTier>(tier: &T, bytes_max: u64, settled: impl AsyncFn(&T)) {
    a_piece_is_answered_as_it_was_offered(tier, &settled).await;
    a_name_that_was_not_offered_is_a_miss(tier).await;
    what_is_no_piece_is_dropped(tier).await;
    a_second_offer_changes_nothing(tier, &settled).await;
    a_forgotten_object_is_gone_and_no_other(tier, &settled).await;
    an_undone_past_is_gone(tier, &settled).await;
    it_stays_within_its_bytes_and_never_mixes_pieces_up(tier, bytes_max, &settled).await;
    hits_and_misses_are_counted(tier).await;
    after_the_end_nothing_is_taken(tier).await;
}

/// The `n`-th piece of an object.
#[must_use]
pub fn piece(object: u64, n: u64, len: usize) -> Piece {
    Piece {
        object,
        position: n * (1 << 20),
        len: u32::try_from(len).expect("tests use short pieces"),
    }
}

/// Bytes that no other piece has.
#[must_use]
pub fn bytes_of(piece: Piece) -> Bytes {
    let seed = piece.object.wrapping_mul(31).wrapping_add(piece.position >> 20);
    let word = |n: u64| {
        seed.wrapping_add(n)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..u64::from(piece.len).div_ceil(8)).flat_map(word).collect();
    bytes.truncate(piece.len as usize);
    bytes.into()
}

async fn a_piece_is_answered_as_it_was_offered<T: SecondTier>(tier: &T, settled: &impl AsyncFn(&T)) {
    let pieces: Vec<Piece> = (0..5).map(|n| piece(1, n, PIECE_BYTES + n as usize)).collect();
    for piece in &pieces {
        tier.offer(*piece, &bytes_of(*piece));
    }
    // On its way or on the medium: the answer is the same.
    for _ in 0..2 {
        for piece in &pieces {
            assert_eq!(tier.get(*piece).await, Some(bytes_of(*piece)), "{piece:?}");
        }
        settled(tier).await;
    }
}

async fn a_name_that_was_not_offered_is_a_miss<T: SecondTier>(tier: &T) {
    for other in [
        piece(1, 77, PIECE_BYTES),
        piece(2, 0, PIECE_BYTES),
        piece(1, 0, PIECE_BYTES - 1),
        piece(1, 0, PIECE_BYTES + 1),
        Piece {
            position: 1,
            ..piece(1, 0, PIECE_BYTES)
        },
    ] {
        assert_eq!(tier.get(other).await, None, "{other:?}");
    }
}

async fn what_is_no_piece_is_dropped<T: SecondTier>(tier: &T) {
    let before = tier.stats().dropped;
    let (empty, named_longer) = (piece(3, 0, 0), piece(3, 1, 20));
    tier.offer(empty, &Bytes::new());
    tier.offer(named_longer, &Bytes::from_static(b"short"));
    assert_eq!(tier.get(empty).await, None, "nothing to keep");
    assert_eq!(tier.get(named_longer).await, None, "not what its name says");
    assert_eq!(tier.stats().dropped, before + 2, "both are counted");
}

async fn a_second_offer_changes_nothing<T: SecondTier>(tier: &T, settled: &impl AsyncFn(&T)) {
    let piece = piece(4, 0, PIECE_BYTES);
    tier.offer(piece, &bytes_of(piece));
    tier.offer(piece, &bytes_of(piece));
    settled(tier).await;
    let written = tier.stats().written_bytes;
    tier.offer(piece, &bytes_of(piece));
    settled(tier).await;
    assert_eq!(tier.get(piece).await, Some(bytes_of(piece)));
    assert_eq!(tier.stats().written_bytes, written, "it is there already");
}

async fn a_forgotten_object_is_gone_and_no_other<T: SecondTier>(tier: &T, settled: &impl AsyncFn(&T)) {
    for object in [10, 11, 12] {
        for n in 0..3 {
            let piece = piece(object, n, PIECE_BYTES);
            tier.offer(piece, &bytes_of(piece));
        }
    }
    tier.forget(11);
    settled(tier).await;
    tier.forget(404);
    for n in 0..3 {
        assert_eq!(
            tier.get(piece(11, n, PIECE_BYTES)).await,
            None,
            "piece {n} of the deleted object"
        );
        for object in [10, 12] {
            let kept = piece(object, n, PIECE_BYTES);
            assert_eq!(tier.get(kept).await, Some(bytes_of(kept)), "{kept:?}");
        }
    }
}

async fn an_undone_past_is_gone<T: SecondTier>(tier: &T, settled: &impl AsyncFn(&T)) {
    let objects = [20, 21, u64::MAX];
    for object in objects {
        let piece = piece(object, 0, PIECE_BYTES);
        tier.offer(piece, &bytes_of(piece));
    }
    settled(tier).await;
    tier.forget_from(21);
    let kept = piece(20, 0, PIECE_BYTES);
    assert_eq!(tier.get(kept).await, Some(bytes_of(kept)), "below");
    for object in &objects[1..] {
        assert_eq!(
            tier.get(piece(*object, 0, PIECE_BYTES)).await,
            None,
            "object {object}"
        );
    }
    let again = piece(21, 0, PIECE_BYTES);
    tier.offer(again, &bytes_of(again));
    assert_eq!(
        tier.get(again).await,
        Some(bytes_of(again)),
        "an object of the new life"
    );
}

async fn it_stays_within_its_bytes_and_never_mixes_pieces_up<T: SecondTier>(
    tier: &T,
    bytes_max: u64,
    settled: &impl AsyncFn(&T),
) {
    let len = usize::try_from(bytes_max / 40).expect("tests use small tiers");
    let offered: Vec<Piece> = (0..100).map(|n| piece(100 + n, n, len)).collect();
    for piece in &offered {
        tier.offer(*piece, &bytes_of(*piece));
        settled(tier).await;
        assert!(tier.stats().bytes <= bytes_max, "{:?}", tier.stats());
    }
    let mut kept = 0;
    for piece in &offered {
        if let Some(bytes) = tier.get(*piece).await {
            assert!(bytes == bytes_of(*piece), "another's bytes for {piece:?}");
            kept += 1;
        }
    }
    assert!((1..=40).contains(&kept), "{kept} of 100 pieces fit");
    let last = offered[99];
    assert!(
        tier.get(last).await.is_some(),
        "the newest one is not the one that goes"
    );
}

async fn hits_and_misses_are_counted<T: SecondTier>(tier: &T) {
    let here = piece(50, 0, PIECE_BYTES);
    tier.offer(here, &bytes_of(here));
    let before = tier.stats();
    assert!(tier.get(here).await.is_some());
    assert!(tier.get(piece(51, 0, PIECE_BYTES)).await.is_none());
    let after = tier.stats();
    assert_eq!((after.hits, after.misses), (before.hits + 1, before.misses + 1));
    assert_eq!((after.is_on, after.errors, after.damaged), (true, 0, 0));
}

async fn after_the_end_nothing_is_taken<T: SecondTier>(tier: &T) {
    tier.close().await;
    tier.close().await;
    let late = piece(60, 0, PIECE_BYTES);
    tier.offer(late, &bytes_of(late));
    assert_eq!(tier.get(late).await, None);
}
