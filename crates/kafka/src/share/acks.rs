//! Acknowledgements as they come, as ranges with one disposition each.
//!
//! Owns: the reading of acknowledge types, and the rules that a batch of them must meet. Never: whether the member holds the records.

use crate::errors::ErrorCode;
use millstream_broker::queue::{Disposition, Settlement};
use std::ops::RangeInclusive;

/// Acknowledge types on the wire (KIP-932, KIP-1222).
const GAP: i8 = 0;
const ACCEPT: i8 = 1;
const RELEASE: i8 = 2;
const REJECT: i8 = 3;
const RENEW: i8 = 4;

/// One batch: offsets, and one type for all of them or one for each.
pub(crate) struct AckBatch<'a> {
    pub first: i64,
    pub last: i64,
    pub types: &'a [i8],
}

/// Whether the request says that it renews locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Its version has the type, and the request names it.
    Announced,
    /// A renewal among its acknowledgements is an error.
    Absent,
}

/// The ranges of one partition's batches. Neighbours with the same disposition become one.
pub(crate) fn settlements<'a>(
    batches: impl IntoIterator<Item = AckBatch<'a>>,
    renewal: Renewal,
) -> Result<Vec<Settlement>, ErrorCode> {
    let mut out: Vec<Settlement> = Vec::new();
    for AckBatch { first, last, types } in batches {
        let from = u64::try_from(first).map_err(|_| ErrorCode::INVALID_REQUEST)?;
        let to = u64::try_from(last).map_err(|_| ErrorCode::INVALID_REQUEST)?;
        let behind = out.last().is_none_or(|before| *before.range.end() < from);
        if to < from || !behind {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        match types {
            [] => return Err(ErrorCode::INVALID_REQUEST),
            [one] => push(&mut out, from..=to, disposition(*one, renewal)?),
            each if each.len() as u64 == to - from + 1 => {
                for (offset, one) in (from..=to).zip(each) {
                    push(&mut out, offset..=offset, disposition(*one, renewal)?);
                }
            }
            _ => return Err(ErrorCode::INVALID_REQUEST),
        }
    }
    Ok(out)
}

fn push(out: &mut Vec<Settlement>, range: RangeInclusive<u64>, disposition: Disposition) {
    match out.last_mut() {
        Some(last) if last.disposition == disposition && *last.range.end() + 1 == *range.start() => {
            last.range = *last.range.start()..=*range.end();
        }
        _ => out.push(Settlement { range, disposition }),
    }
}

fn disposition(on_wire: i8, renewal: Renewal) -> Result<Disposition, ErrorCode> {
    match on_wire {
        GAP => Ok(Disposition::Gap),
        ACCEPT => Ok(Disposition::Accept),
        RELEASE => Ok(Disposition::Release),
        REJECT => Ok(Disposition::Reject),
        RENEW if renewal == Renewal::Announced => Ok(Disposition::Renew),
        _ => Err(ErrorCode::INVALID_REQUEST),
    }
}
