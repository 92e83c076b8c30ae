//! Configuration: one table of settings (`table.rs`), laid over each other from default, file, environment and flags (`layers.rs`),
//! and shown (`show.rs`). What a value means to the log is in `wire_up.rs`.
//!
//! **Invariant**: a setting is known everywhere or nowhere; nothing here names a single setting besides its row.

pub mod broker_settings;
pub mod flags;
pub mod layers;
pub mod listener;
pub mod show;
pub mod table;
pub mod value;

#[cfg(test)]
mod tests;

pub use flags::SettingFlags;
pub use layers::{ConfigError, Layers, Source};
pub use table::Settings;
