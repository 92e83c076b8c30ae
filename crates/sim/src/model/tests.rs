//! The model judges as it says: what it must refuse, it refuses.
