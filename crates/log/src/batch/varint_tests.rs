//! Tests of `varint`: both ends of every width, and what does not fit.

use super::*;
use proptest::prelude::*;

#[test]
fn values_that_end_too_early_or_do_not_fit_are_refused() {
    for mut bytes in [
        &[][..],
        &[0x80],
        &[0xff; 4],
        &[0xff, 0xff, 0xff, 0xff, 0x1f],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0],
    ] {
        assert_eq!(take_varint(&mut bytes), None);
    }
    for mut bytes in [&[][..], &[0xff; 9], &[0xff; 11]] {
        assert_eq!(take_varlong(&mut bytes), None);
    }
    let mut two_at_bit_63 = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2][..];
    assert_eq!(take_varlong(&mut two_at_bit_63), None);
}

#[test]
fn the_extremes_take_five_and_ten_bytes() {
    for value in [i32::MIN, i32::MAX] {
        let mut out = Vec::new();
        put_varint(&mut out, value);
        assert_eq!(out.len(), 5);
        assert_eq!(take_varint(&mut &out[..]), Some(value));
    }
    for value in [i64::MIN, i64::MAX] {
        let mut out = Vec::new();
        put_varlong(&mut out, value);
        assert_eq!((out.len(), varlong_bytes(value)), (10, 10));
        assert_eq!(take_varlong(&mut &out[..]), Some(value));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value: i64, narrow: i32, tail: u8, shift in 0..64_u32) {
        let value = value >> shift;
        let mut out = Vec::new();
        put_varlong(&mut out, value);
        prop_assert_eq!(out.len(), varlong_bytes(value));
        put_varint(&mut out, narrow >> (shift / 2));
        out.push(tail);
        let mut rest = &out[..];
        prop_assert_eq!(take_varlong(&mut rest), Some(value));
        prop_assert_eq!(take_varint(&mut rest), Some(narrow >> (shift / 2)));
        prop_assert_eq!(rest, &[tail][..]);
    }
}
