//! The codecs of record batches, for payloads of front ends that are no batches.
//!
//! Owns: what a codec's number means, and the cap. Never: what is inside.

use bytes::Bytes;
use millstream_log::batch::{BatchError, Codec, decompress};

/// Why a payload was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// No codec has this number.
    UnknownCodec,
    /// It holds more than it may.
    TooLarge,
    /// It is not of its codec.
    Malformed,
}

/// Opens a payload, to at most `bytes_max`. Codecs have the numbers of record batches: none, gzip, snappy, lz4, zstd.
///
/// # Errors
/// What is wrong with it; a payload that claims more than the cap costs no more than the cap.
pub fn open(codec: i8, payload: &Bytes, bytes_max: usize) -> Result<Bytes, Unopened> {
    let bits = u8::try_from(codec).map_err(|_| Unopened::UnknownCodec)?;
    let codec = Codec::from_bits(bits).map_err(|_| Unopened::UnknownCodec)?;
    decompress(codec, payload, bytes_max).map_err(|error| match error {
        BatchError::TooLarge => Unopened::TooLarge,
        _ => Unopened::Malformed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_log::batch::compress;

    #[test]
    fn every_codec_is_opened_and_none_beyond_the_cap() {
        let plain = Bytes::from(vec![7; 10_000]);
        for codec in Codec::ALL {
            let packed = match codec {
                Codec::None => plain.clone(),
                _ => compress(codec, None, &plain).expect("it compresses"),
            };
            let bits = codec.bits().cast_signed();
            assert_eq!(open(bits, &packed, 10_000), Ok(plain.clone()), "{codec:?}");
            assert_eq!(open(bits, &packed, 9_999), Err(Unopened::TooLarge), "{codec:?}");
        }
        assert_eq!(open(5, &plain, 10_000), Err(Unopened::UnknownCodec));
        assert_eq!(open(-1, &plain, 10_000), Err(Unopened::UnknownCodec));
        assert_eq!(open(4, &plain, 10_000), Err(Unopened::Malformed));
    }
}
