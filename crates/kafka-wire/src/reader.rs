//! [`Reader`]: takes values off a frame. Owns the two bounds on hostile input: every count is compared with the bytes that
//! remain, and everything that is allocated is charged to a budget made from the frame's length.
//!
//! Never copies byte fields or records, nor strings unless told to: they are slices of the frame. First step of the append path after the
//! socket.

use crate::error::DecodeError;
use crate::records::Records;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Wire};
use bytes::Bytes;

/// Memory that decoding any frame may take, however short it is. Small messages never meet the budget.
pub const DECODE_BUDGET_BYTES_BASE: usize = 4 << 20;

/// Further memory for each byte of the frame. Dense real messages (thousands of partitions) take three to five bytes of structs
/// a byte; a frame of minimal elements would take up to a hundred.
pub const DECODE_BUDGET_BYTES_PER_BYTE: usize = 8;

/// Memory that no frame may pass, however long: what makes honest frames long is records, which take no memory of their own. A
/// million partitions fit.
pub const DECODE_BUDGET_BYTES_MAX: usize = 128 << 20;

const _: () = assert!(DECODE_BUDGET_BYTES_BASE < DECODE_BUDGET_BYTES_MAX);

/// A position in a frame.
pub struct Reader<'a> {
    frame: &'a Bytes,
    rest: &'a [u8],
    budget: usize,
    detaches: bool,
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $method:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $method(&mut self) -> Result<$type, DecodeError> {
            let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
            self.rest = rest;
            Ok(<$type>::from_be_bytes(*head))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// At the start of `frame`, with the default budget.
    #[must_use]
    pub fn new(frame: &'a Bytes) -> Self {
        let scaled = frame.len().saturating_mul(DECODE_BUDGET_BYTES_PER_BYTE);
        let budget = scaled
            .saturating_add(DECODE_BUDGET_BYTES_BASE)
            .min(DECODE_BUDGET_BYTES_MAX);
        Self::with_budget(frame, budget)
    }

    /// At the start of `frame`; arrays may take `budget_bytes` of memory together, then decoding stops with
    /// [`DecodeError::OverBudget`]. Servers give unauthenticated peers less.
    #[must_use]
    pub fn with_budget(frame: &'a Bytes, budget_bytes: usize) -> Self {
        Self {
            frame,
            rest: frame,
            budget: budget_bytes,
            detaches: false,
        }
    }

    /// Copies strings from now on, so that they do not keep the frame in memory (T14).
    #[must_use]
    pub fn detaching_strings(mut self) -> Self {
        self.detaches = true;
        self
    }

    /// Bytes that are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Memory that arrays may still take, in bytes.
    #[must_use]
    pub fn budget_left(&self) -> usize {
        self.budget
    }

    /// Ends the frame: whatever is left was not part of the message.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }

    fixed! {
        /// One signed byte.
        i8 -> i8;
        /// Two bytes, signed.
        i16 -> i16;
        /// Two bytes, unsigned.
        u16 -> u16;
        /// Four bytes, signed.
        i32 -> i32;
        /// Eight bytes, signed.
        i64 -> i64;
        /// Eight bytes, IEEE 754.
        f64 -> f64;
    }

    /// One byte; anything but zero is true, as in Kafka.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    /// Sixteen bytes.
    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(Uuid(*head))
    }

    /// An unsigned integer of up to 32 bits, seven a byte, the lowest first.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        // One byte is the rule: lengths below 127 and tag counts.
        if let Some((&byte, rest)) = self.rest.split_first()
            && byte < 0x80
        {
            self.rest = rest;
            return Ok(u32::from(byte));
        }
        self.uvarint_long()
    }

    fn uvarint_long(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (&byte, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
            self.rest = rest;
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong)
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, at: At) -> Result<Str, DecodeError> {
        self.opt_string(at)?.ok_or(DecodeError::UnexpectedNull)
    }

    /// A string or null.
    #[inline]
    pub fn opt_string(&mut self, at: At) -> Result<Option<Str>, DecodeError> {
        let len = if at.flexible {
            self.compact_len()?
        } else {
            plain_len(self.i16()?.into())?
        };
        // The compact length could say more, but Kafka allows no longer strings, and none could be written back.
        if len.is_some_and(|len| len > i16::MAX as usize) {
            return Err(DecodeError::InvalidLength);
        }
        let Some(len) = len else { return Ok(None) };
        let text = match self.detaches {
            true => {
                self.charge(len, 1)?;
                Bytes::copy_from_slice(self.take(len)?)
            }
            false => self.slice(len)?,
        };
        Str::from_utf8(text).map(Some)
    }

    /// A byte field.
    #[inline]
    pub fn bytes(&mut self, at: At) -> Result<Bytes, DecodeError> {
        self.opt_bytes(at)?.ok_or(DecodeError::UnexpectedNull)
    }

    /// A byte field or null.
    #[inline]
    pub fn opt_bytes(&mut self, at: At) -> Result<Option<Bytes>, DecodeError> {
        let len = self.len(at)?;
        len.map(|len| self.slice(len)).transpose()
    }

    /// Record batches.
    #[inline]
    pub fn records(&mut self, at: At) -> Result<Records, DecodeError> {
        self.bytes(at).map(Records::from)
    }

    /// Record batches or null.
    #[inline]
    pub fn opt_records(&mut self, at: At) -> Result<Option<Records>, DecodeError> {
        Ok(self.opt_bytes(at)?.map(Records::from))
    }

    /// An array.
    #[inline]
    pub fn array<T: Wire>(&mut self, at: At) -> Result<Vec<T>, DecodeError> {
        self.opt_array(at)?.ok_or(DecodeError::UnexpectedNull)
    }

    /// An array or null.
    pub fn opt_array<T: Wire>(&mut self, at: At) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.len(at)? else {
            return Ok(None);
        };
        // The first bound: a count that the frame cannot hold is a lie, and is found before anything is allocated for it.
        if count > self.rest.len() / T::BYTES_MIN {
            return Err(DecodeError::Truncated);
        }
        self.charge(count, size_of::<T>())?;
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(T::read(self, at)?);
        }
        Ok(Some(elements))
    }

    /// A struct or null: one byte, -1 for null.
    pub fn opt_struct<T: Wire>(&mut self, at: At) -> Result<Option<T>, DecodeError> {
        if self.i8()? < 0 {
            return Ok(None);
        }
        T::read(self, at).map(Some)
    }

    /// The tagged fields that end a struct of a flexible version. `known` reads the tags it knows and answers `true`; the others
    /// are skipped, as KIP-482 asks.
    #[inline]
    pub fn tags(
        &mut self,
        mut known: impl FnMut(u32, &mut Reader<'a>) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = self.uvarint()?;
        // No bound on the count is needed: each round takes at least two bytes or fails.
        for _ in 0..count {
            let tag = self.uvarint()?;
            let len = self.uvarint()?;
            let mut field = Reader {
                frame: self.frame,
                rest: self.take(len as usize)?,
                budget: self.budget,
                detaches: self.detaches,
            };
            let read = known(tag, &mut field)?;
            self.budget = field.budget;
            if read {
                field.finish()?;
            }
        }
        Ok(())
    }

    /// The tagged fields of a struct that has none of its own.
    #[inline]
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(false))
    }

    #[inline]
    pub(crate) fn len(&mut self, at: At) -> Result<Option<usize>, DecodeError> {
        if at.flexible {
            self.compact_len()
        } else {
            plain_len(self.i32()?)
        }
    }

    /// Null is 0, and n is written as n + 1.
    #[inline]
    fn compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok((self.uvarint()? as usize).checked_sub(1))
    }

    /// The second bound: an element may take far more memory than bytes on the wire (T14).
    #[inline]
    fn charge(&mut self, count: usize, size: usize) -> Result<(), DecodeError> {
        let bytes = count.saturating_mul(size);
        self.budget = self.budget.checked_sub(bytes).ok_or(DecodeError::OverBudget)?;
        Ok(())
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    fn slice(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        let part = self.take(len)?;
        Ok(self.frame.slice_ref(part))
    }
}

#[inline]
fn plain_len(len: i32) -> Result<Option<usize>, DecodeError> {
    match usize::try_from(len) {
        Ok(len) => Ok(Some(len)),
        Err(_) if len == -1 => Ok(None),
        Err(_) => Err(DecodeError::InvalidLength),
    }
}
