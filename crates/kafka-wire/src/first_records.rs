//! Where the records of a Produce request lie, told by the beginning of its frame: who reads a large one can have them begin at a page of
//! memory.
//!
//! Written by hand, not generated: it reads what has arrived, before the rest is there.

use crate::api::ApiKey;
use crate::error::DecodeError;
use crate::header::RequestHeader;
use crate::reader::Reader;
use crate::wire::At;
use bytes::Bytes;
use std::ops::Range;

/// The bytes of a frame (without its length) that are the first partition's records; none when it is another request, or has no records.
///
/// `Truncated` when more of the frame must arrive first.
pub fn first_records(beginning: &Bytes) -> Result<Option<Range<usize>>, DecodeError> {
    let mut reader = Reader::new(beginning);
    let header = RequestHeader::read(&mut reader)?;
    let (key, version) = (ApiKey::Produce, header.api_version);
    if header.api_key != key.code() || !key.versions().contains(&version) {
        return Ok(None);
    }
    let at = At {
        version,
        flexible: key.is_flexible(version),
    };
    reader.opt_string(at)?; // transactional_id
    reader.i16()?; // acks
    reader.i32()?; // timeout_ms
    if reader.len(at)?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    match version {
        13.. => drop(reader.uuid()?),  // topic_id
        _ => drop(reader.string(at)?), // name
    }
    if reader.len(at)?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    reader.i32()?; // index
    let Some(len) = reader.len(at)? else {
        return Ok(None);
    };
    let begin = beginning.len() - reader.remaining();
    Ok(Some(begin..begin + len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    use crate::{Str, Uuid, encode_request};
    use bytes::Buf;

    const RECORDS: &[u8] = b"these are the records of the first partition";

    fn frame(version: i16, records: Option<&'static [u8]>) -> Bytes {
        let data = |records: Option<&'static [u8]>| PartitionProduceData {
            index: 3,
            records: records.map(|records| Bytes::from_static(records).into()),
        };
        let request = ProduceRequest {
            transactional_id: (version % 2 == 0).then(|| Str::from_static("a transaction")),
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name: Str::from_static(if version < 13 { "topic" } else { "" }),
                topic_id: if version < 13 { Uuid::ZERO } else { Uuid([9; 16]) },
                partition_data: vec![data(records), data(Some(b"others"))],
            }],
        };
        let client_id = (version % 3 == 0).then(|| Str::from_static("a client"));
        let mut frame = encode_request(&request, version, 7, client_id).expect("it encodes");
        let mut bytes = frame.copy_to_bytes(frame.remaining());
        bytes.advance(4);
        bytes
    }

    #[test]
    fn the_records_are_found_in_every_version_as_soon_as_their_length_has_arrived() {
        for version in ApiKey::Produce.versions() {
            let frame = frame(version, Some(RECORDS));
            let range = first_records(&frame).expect("it decodes").expect("records");
            assert_eq!(frame[range.clone()], *RECORDS, "version {version}");
            for arrived in 0..frame.len() {
                let found = first_records(&frame.slice(..arrived));
                match arrived < range.start {
                    true => assert_eq!(
                        found,
                        Err(DecodeError::Truncated),
                        "{arrived} bytes of version {version}"
                    ),
                    false => assert_eq!(found, Ok(Some(range.clone()))),
                }
            }
        }
    }

    #[test]
    fn what_has_no_records_has_none() {
        for version in ApiKey::Produce.versions() {
            assert_eq!(
                first_records(&frame(version, None)),
                Ok(None),
                "version {version}"
            );
        }
        let other = crate::MetadataRequest::default();
        let mut frame = encode_request(&other, 9, 7, None).expect("it encodes");
        let mut frame = frame.copy_to_bytes(frame.remaining());
        frame.advance(4);
        assert_eq!(first_records(&frame), Ok(None));
    }
}
