//! Under which epoch a member that shares out by itself may send a heartbeat (KIP-848, KIP-1071).
//!
//! Owns: that rule. **Invariant**: who is behind by more than one lost answer has to join anew.

use crate::group::error::GroupError;

/// `repeats`: whether what the member says it has is a part of what it was given, so that only the answer with the present epoch was
/// lost.
pub(super) fn admit_epoch(
    told: i32,
    present: i32,
    previous: i32,
    repeats: impl FnOnce() -> bool,
) -> Result<(), GroupError> {
    // Epoch 0 says that it has nothing and begins anew; that it may do at any time.
    let is_admitted = told == present || told == 0 || told == previous && told < present && repeats();
    is_admitted.then_some(()).ok_or(GroupError::FencedMemberEpoch)
}
