//! [`Encoder`]: appends values and gathers them. Small values go into one buffer; large byte fields and records are kept as
//! shared chunks beside it, so that a fetch response never copies what the log's caches hold. Last step of the fetch path.
//!
//! Invariant: `shared` is ordered by its positions in `small`, and none lies inside an open tagged field.

use crate::error::EncodeError;
use crate::frame::Frame;
use crate::records::Records;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Wire};
use bytes::Bytes;

/// Byte fields from this length on are shared, shorter ones copied: a copy of so few bytes costs less than one more entry in
/// the list that the kernel gathers from.
pub const SHARE_BYTES_MIN: usize = 2048;

/// First allocation of a message's small values; most responses fit.
const SMALL_BYTES_INITIAL: usize = 256;

/// Collects one message, or one frame.
pub struct Encoder {
    /// A plain vector: its short appends compile to a compare and a store, those of `BytesMut` to a call.
    small: Vec<u8>,
    /// Chunk and the length of `small` at which it goes in.
    shared: Vec<(usize, Bytes)>,
    shared_bytes: usize,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $method:ident($type:ty);)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $method(&mut self, value: $type) {
            self.small.extend_from_slice(&value.to_be_bytes());
        }
    )*};
}

impl Encoder {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self {
            small: Vec::with_capacity(SMALL_BYTES_INITIAL),
            shared: Vec::new(),
            shared_bytes: 0,
        }
    }

    /// Bytes so far, the shared ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.small.len() + self.shared_bytes
    }

    /// Whether nothing was appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fixed! {
        /// One signed byte.
        i8(i8);
        /// Two bytes, signed.
        i16(i16);
        /// Two bytes, unsigned.
        u16(u16);
        /// Four bytes, signed.
        i32(i32);
        /// Eight bytes, signed.
        i64(i64);
        /// Eight bytes, IEEE 754.
        f64(f64);
    }

    /// One byte, 0 or 1.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.small.push(value.into());
    }

    /// Sixteen bytes.
    #[inline]
    pub fn uuid(&mut self, value: Uuid) {
        self.small.extend_from_slice(&value.0);
    }

    /// An unsigned integer, seven bits a byte, the lowest first.
    #[inline]
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.small.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.small.push(value as u8);
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, value: &Str, at: At) -> Result<(), EncodeError> {
        let bytes = value.as_bytes();
        // Also at flexible versions, where the length could say more: no client reads longer ones.
        let len = i16::try_from(bytes.len()).map_err(|_| EncodeError::TooLong)?;
        if at.flexible {
            self.uvarint(len as u32 + 1);
        } else {
            self.i16(len);
        }
        self.small.extend_from_slice(bytes);
        Ok(())
    }

    /// A string or null.
    #[inline]
    pub fn opt_string(&mut self, value: &Option<Str>, at: At) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.string(value, at),
            None if at.flexible => {
                self.uvarint(0);
                Ok(())
            }
            None => {
                self.i16(-1);
                Ok(())
            }
        }
    }

    /// A byte field.
    pub fn bytes(&mut self, value: &Bytes, at: At) -> Result<(), EncodeError> {
        self.len_of(value.len(), at)?;
        self.chunk(value);
        Ok(())
    }

    /// A byte field or null.
    pub fn opt_bytes(&mut self, value: &Option<Bytes>, at: At) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.bytes(value, at),
            None => self.null(at),
        }
    }

    /// Record batches.
    pub fn records(&mut self, value: &Records, at: At) -> Result<(), EncodeError> {
        self.len_of(value.len(), at)?;
        value.chunks().for_each(|chunk| self.chunk(chunk));
        Ok(())
    }

    /// Record batches or null.
    pub fn opt_records(&mut self, value: &Option<Records>, at: At) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.records(value, at),
            None => self.null(at),
        }
    }

    /// An array.
    pub fn array<T: Wire>(&mut self, value: &[T], at: At) -> Result<(), EncodeError> {
        self.len_of(value.len(), at)?;
        value.iter().try_for_each(|element| element.write(self, at))
    }

    /// An array or null.
    pub fn opt_array<T: Wire>(&mut self, value: &Option<Vec<T>>, at: At) -> Result<(), EncodeError> {
        match value {
            Some(value) => self.array(value, at),
            None => self.null(at),
        }
    }

    /// A struct or null.
    pub fn opt_struct<T: Wire>(&mut self, value: &Option<T>, at: At) -> Result<(), EncodeError> {
        match value {
            Some(value) => {
                self.i8(1);
                value.write(self, at)
            }
            None => {
                self.i8(-1);
                Ok(())
            }
        }
    }

    /// A tagged field: its tag, the length of what `write` appends, and that.
    pub fn tag(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.uvarint(tag);
        let start = self.small.len();
        let shared = self.shared.len();
        write(self)?;
        // The schema compiler lets no byte field into a tagged field: turning the bytes below would misplace its chunk.
        assert_eq!(self.shared.len(), shared, "a shared chunk inside a tagged field");
        let end = self.small.len();
        let len = u32::try_from(end - start).map_err(|_| EncodeError::TooLong)?;
        // The length goes before what it measures: append it, then turn it to the front. Tagged fields are short and rare.
        self.uvarint(len);
        let width = self.small.len() - end;
        self.small[start..].rotate_right(width);
        Ok(())
    }

    /// Everything in one piece, copied when there are shared chunks.
    #[must_use]
    pub fn into_contiguous(self) -> Bytes {
        if self.shared.is_empty() {
            return self.small.into();
        }
        let mut whole = Vec::with_capacity(self.len());
        let mut from = 0;
        for (position, chunk) in &self.shared {
            whole.extend_from_slice(&self.small[from..*position]);
            whole.extend_from_slice(chunk);
            from = *position;
        }
        whole.extend_from_slice(&self.small[from..]);
        whole.into()
    }

    /// Ends a frame that was begun with [`Encoder::frame`].
    pub(crate) fn into_frame(mut self) -> Result<Frame, EncodeError> {
        let len = i32::try_from(self.len() - size_of::<i32>()).map_err(|_| EncodeError::TooLong)?;
        self.small[..size_of::<i32>()].copy_from_slice(&len.to_be_bytes());
        let small = Bytes::from(self.small);
        let mut chunks = Vec::with_capacity(2 * self.shared.len() + 1);
        let mut from = 0;
        for (position, chunk) in self.shared {
            if position > from {
                chunks.push(small.slice(from..position));
                from = position;
            }
            chunks.push(chunk);
        }
        if from < small.len() {
            chunks.push(small.slice(from..));
        }
        Ok(Frame::new(chunks))
    }

    /// Begins a frame: leaves room for its length.
    pub(crate) fn frame() -> Self {
        let mut encoder = Self::new();
        encoder.i32(0);
        encoder
    }

    #[inline]
    fn chunk(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARE_BYTES_MIN {
            self.small.extend_from_slice(bytes);
        } else {
            self.shared_bytes += bytes.len();
            self.shared.push((self.small.len(), bytes.clone()));
        }
    }

    #[inline]
    fn len_of(&mut self, len: usize, at: At) -> Result<(), EncodeError> {
        let len = i32::try_from(len).map_err(|_| EncodeError::TooLong)?;
        if at.flexible {
            self.uvarint(len as u32 + 1);
        } else {
            self.i32(len);
        }
        Ok(())
    }

    #[inline]
    fn null(&mut self, at: At) -> Result<(), EncodeError> {
        if at.flexible {
            self.uvarint(0);
        } else {
            self.i32(-1);
        }
        Ok(())
    }
}
