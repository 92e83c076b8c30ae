//! The log through its public face, on simulated media. One binary: each module is a topic.

mod append;
mod support;
