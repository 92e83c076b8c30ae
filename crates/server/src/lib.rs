//! x
#![allow(missing_docs)]
pub mod config;
pub mod client;
