//! What classic consumers put into the opaque bytes of JoinGroup and SyncGroup: an int16 version, then the message (KIP-429,
//! KIP-792, KIP-881). A broker looks inside only to describe groups and to delete offsets; clients live by it.

use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::wire::Message;
use bytes::Bytes;

pub use crate::generated::consumer_protocol::*;

/// Reads a versioned message. A version above ours is read as our newest and what follows is left alone, as newer versions only
/// append fields; so do the Java clients among themselves during an upgrade.
pub fn decode_versioned<M: Message>(bytes: &Bytes) -> Result<(i16, M), DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    if version < M::VERSION_MIN {
        return Err(DecodeError::UnsupportedVersion);
    }
    let message = M::decode(&mut reader, version.min(M::VERSION_MAX))?;
    Ok((version, message))
}

/// The message with its version before it.
pub fn encode_versioned<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.i16(version);
    message.encode(&mut encoder, version)?;
    Ok(encoder.into_contiguous())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Str;

    #[test]
    fn a_newer_version_is_read_as_ours() {
        let wanted = ConsumerProtocolSubscription {
            topics: vec![Str::from("a")],
            rack_id: Some(Str::from("r")),
            ..Default::default()
        };
        let mut bytes = encode_versioned(&wanted, 3).unwrap().to_vec();
        bytes[1] = 9;
        bytes.extend([1, 2, 3]);
        let read = decode_versioned::<ConsumerProtocolSubscription>(&Bytes::from(bytes));
        assert_eq!(read, Ok((9, wanted)));
    }
}
