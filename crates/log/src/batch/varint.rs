//! Zigzag variable-length integers, as records carry them (Protocol Buffers' sint32 and sint64).
//!
//! Owns: reading and writing one. Never reads past the slice.
//!
//! **Invariant**: a value that does not fit its type is refused, also where the surplus bits would be cut off silently.
//! Read path: every field of a record. Write path: `encode`.

/// Bytes of the longest 32-bit value.
const VARINT_BYTES_MAX: u32 = 5;
/// Bytes of the longest 64-bit value.
const VARLONG_BYTES_MAX: u32 = 10;

/// Takes a 32-bit value off the front of `bytes`. `None`: it ends too early, or does not fit.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<i32> {
    // Nearly every field of a record is below 64: one byte.
    let (&first, rest) = bytes.split_first()?;
    let raw = if first < 0x80 {
        *bytes = rest;
        u32::from(first)
    } else {
        u32::try_from(take_unsigned(bytes, VARINT_BYTES_MAX)?).ok()?
    };
    Some((raw >> 1) as i32 ^ -((raw & 1) as i32))
}

/// Takes a 64-bit value off the front of `bytes`. `None`: it ends too early, or does not fit.
pub(super) fn take_varlong(bytes: &mut &[u8]) -> Option<i64> {
    let raw = take_unsigned(bytes, VARLONG_BYTES_MAX)?;
    Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
}

fn take_unsigned(bytes: &mut &[u8], bytes_max: u32) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..bytes_max {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << (7 * index);
        if shifted >> (7 * index) != bits {
            return None;
        }
        value |= shifted;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Appends a 32-bit value.
pub(super) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_varlong(out, i64::from(value));
}

/// Appends a 64-bit value.
pub(super) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut raw = zigzag(value);
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

/// Bytes that `put_varlong` (or, for values in range, `put_varint`) appends.
pub(super) fn varlong_bytes(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

// A 32-bit value has the same encoding in both widths.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
#[path = "varint_tests.rs"]
mod tests;
