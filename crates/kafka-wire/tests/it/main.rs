//! The codec against an independent one, and against hostile input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod hostile;
mod oracle;
