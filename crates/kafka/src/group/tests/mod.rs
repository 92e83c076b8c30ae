//! Tests of group coordination.
