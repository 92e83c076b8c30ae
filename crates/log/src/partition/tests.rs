//! What a stream costs while nothing happens.

use super::{Committed, Partition};
use crate::ids::{Epoch, Offset, StreamId};
use crate::producers::Producers;

/// 100,000 idle streams take 40 MB or less. Raise this only with a reason.
const IDLE_BYTES_MAX: usize = 400;

#[test]
fn an_idle_stream_is_small() {
    let fresh = Partition::new(StreamId(1), Committed::default());
    let used = Partition::new(
        StreamId(2),
        Committed {
            start: Offset(5),
            end: Offset(50),
            epochs: vec![(Epoch(1), Offset(0))],
            producers: Vec::new(),
            aborted: Vec::new(),
        },
    );
    println!("fresh {} used {}", fresh.memory_bytes(), used.memory_bytes());
    println!("producers, boxed: {} and more", size_of::<Producers>());
    assert!(used.memory_bytes() <= IDLE_BYTES_MAX, "{}", used.memory_bytes());
}
