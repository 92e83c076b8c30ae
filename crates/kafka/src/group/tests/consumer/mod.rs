//! Promises of consumer groups (KIP-848).

mod client;
mod durable;
mod members;
mod migration;
mod moving;
mod properties;
mod statics;
mod topics;
