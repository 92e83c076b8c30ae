//! The codec against an independent one, and against hostile input.

mod hostile;
mod oracle;
