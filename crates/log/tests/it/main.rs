//! The log through its public face, on simulated media. One binary: each module is a topic.

mod append;
mod crash;
mod failures;
mod producers;
mod real;
mod support;
mod tiering;
mod wake;
