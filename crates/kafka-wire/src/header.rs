//! The headers before every request and response, and whole frames made of header and message.
//!
//! Written by hand, not generated: the client id keeps its two-byte length even in the flexible header, and a header must be
//! readable when the API or its version is unknown, so that the peer can be told.

use crate::api::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Request, Response};
use bytes::Bytes;

/// Header fields before the client id are never flexible, and neither is the client id (KIP-482).
const PLAIN: At = At {
    version: 1,
    flexible: false,
};

/// What stands before a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeader {
    /// Number of the API; may be one that is not known here.
    pub api_key: i16,
    /// Version of the request and of the response that it gets.
    pub api_version: i16,
    /// Chosen by the client, given back in the response.
    pub correlation_id: i32,
    /// Name that the client gave itself.
    pub client_id: Option<Str>,
}

impl RequestHeader {
    /// Reads the header at the start of a frame (without its length). Reads it too when the version is beyond those that are
    /// known; of an unknown API only the fixed part and the client id are read.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let header = Self {
            api_key: reader.i16()?,
            api_version: reader.i16()?,
            correlation_id: reader.i32()?,
            client_id: reader.opt_string(PLAIN)?,
        };
        let known = ApiKey::try_from(header.api_key);
        if known.is_ok_and(|key| key.request_header_version(header.api_version) >= 2) {
            reader.skip_tags()?;
        }
        Ok(header)
    }

    /// API key, version and correlation id of a frame, before anything else of it is trusted.
    #[must_use]
    pub fn peek(frame: &Bytes) -> Option<(i16, i16, i32)> {
        let mut reader = Reader::new(frame);
        Some((reader.i16().ok()?, reader.i16().ok()?, reader.i32().ok()?))
    }

    fn write(&self, encoder: &mut Encoder, header_version: i16) -> Result<(), EncodeError> {
        encoder.i16(self.api_key);
        encoder.i16(self.api_version);
        encoder.i32(self.correlation_id);
        encoder.opt_string(&self.client_id, PLAIN)?;
        if header_version >= 2 {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// A whole request frame, ready to be written.
pub fn encode_request<M: Request>(
    body: &M,
    version: i16,
    correlation_id: i32,
    client_id: Option<Str>,
) -> Result<Frame, EncodeError> {
    let header = RequestHeader {
        api_key: M::KEY.code(),
        api_version: version,
        correlation_id,
        client_id,
    };
    let mut encoder = Encoder::frame();
    header.write(&mut encoder, M::KEY.request_header_version(version))?;
    body.encode(&mut encoder, version)?;
    encoder.into_frame()
}

/// A whole response frame, ready to be written.
pub fn encode_response<M: Response>(
    body: &M,
    version: i16,
    correlation_id: i32,
) -> Result<Frame, EncodeError> {
    let mut encoder = Encoder::frame();
    encoder.i32(correlation_id);
    if M::KEY.response_header_version(version) >= 1 {
        encoder.uvarint(0);
    }
    body.encode(&mut encoder, version)?;
    encoder.into_frame()
}

/// Reads the message of a request whose header was taken off `reader`. What follows it in the frame is ignored, as Kafka does:
/// librdkafka's Metadata request at version 13 ends with three bytes that the message does not have.
pub fn decode_request<M: Request>(mut reader: Reader<'_>, version: i16) -> Result<M, DecodeError> {
    M::decode(&mut reader, version)
}

/// Reads a response frame (without its length): correlation id and message; the frame must end with it.
pub fn decode_response<M: Response>(frame: &Bytes, version: i16) -> Result<(i32, M), DecodeError> {
    let mut reader = Reader::new(frame);
    let correlation_id = reader.i32()?;
    if M::KEY.response_header_version(version) >= 1 {
        reader.skip_tags()?;
    }
    let body = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok((correlation_id, body))
}
