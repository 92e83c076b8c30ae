//! Kafka messages: bytes in, structs out, and back. No IO, no decision, nothing of ours below it.
//!
//! **Shape.** `schema/*.ws` are our tables of the protocol's facts (names, types, versions, tags, defaults; the notation is
//! explained in `schema/README.md`). `cargo xtask codegen` makes `src/generated/` from them, one module an API, committed. The
//! files beside `generated/` are written by hand and are all that the generated code leans on.
//!
//! **On the append path** a connection takes a frame off the socket as [`Bytes`](bytes::Bytes), reads its [`RequestHeader`] and
//! then the message; strings and records are slices of that frame. **On the fetch path** [`encode_response`] gathers small values
//! in one buffer and puts record chunks beside it; the [`Frame`] goes to a vectored write.
//!
//! **Invariants.**
//! - Records and byte fields are never copied on decode, and not on encode from [`SHARE_BYTES_MIN`] bytes on.
//! - Bytes from a peer cannot make this crate panic, recurse, or allocate more than a stated multiple of their length
//!   ([`Reader::with_budget`]).
//! - What [`ApiKey::versions`] names can be read and written, both ways, for requests and responses.
//! - Unknown tagged fields are skipped (KIP-482); anything else that is left over is an error.

#![forbid(unsafe_code)]

pub mod api;
pub mod consumer_protocol;
mod encoder;
mod error;
mod error_code;
mod first_records;
mod frame;
mod generated;
mod header;
mod reader;
mod records;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod uuid;
mod wire;

#[cfg(test)]
mod tests;

pub use encoder::{Encoder, SHARE_BYTES_MIN};
pub use error::{DecodeError, EncodeError};
pub use error_code::ErrorCode;
pub use first_records::first_records;
pub use frame::Frame;
pub use generated::*;
pub use header::{RequestHeader, decode_request, decode_response, encode_request, encode_response};
pub use reader::{DECODE_BUDGET_BYTES_BASE, DECODE_BUDGET_BYTES_MAX, DECODE_BUDGET_BYTES_PER_BYTE, Reader};
pub use records::Records;
pub use text::Str;
pub use uuid::{InvalidUuid, Uuid};
pub use wire::{At, Message, Request, Response, Wire};
