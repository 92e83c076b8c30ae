//! Settings of topics and brokers: one table of rows, one way a value is found, one way it is changed.
//!
//! Owns: names, validation, precedence. Never: the store (the catalog keeps values) or the effect (each user reads its typed view).

pub mod alter;
mod broker_rows;
mod group_rows;
pub mod resolve;
pub mod row;
pub mod settings;
#[cfg(test)]
mod tests;
mod topic_rows;

pub use broker_rows::{BROKER_ROWS, broker_row};
pub use group_rows::{GROUP_ROWS, group_row};
pub use topic_rows::{TOPIC_ROWS, topic_row};
