//! The cursor against a plain model, and the integers at every edge.

use proptest::prelude::*;
use sabot_cursor::ReadErrorKind::{InvalidLength, Truncated, VarintOverflow};
use sabot_cursor::{Cursor, ReadErrorKind, varint};

/// The definition, spelled out with as many bits as it takes.
fn model(bytes: &[u8], max_bytes: usize, bits: u32) -> Result<(u128, usize), ReadErrorKind> {
    let mut value = 0u128;
    for at in 0..max_bytes {
        let Some(byte) = bytes.get(at) else {
            return Err(Truncated);
        };
        value |= u128::from(byte & 0x7f) << (7 * at);
        if value >> bits != 0 {
            return Err(VarintOverflow);
        }
        if byte & 0x80 == 0 {
            return Ok((value, at + 1));
        }
    }
    Err(VarintOverflow)
}

fn agrees(bytes: &[u8]) {
    let wide = varint::read_u64(bytes).map(|(value, len)| (u128::from(value), len));
    assert_eq!(wide, model(bytes, 10, 64), "{bytes:02x?}");
    let narrow = varint::read_u32(bytes).map(|(value, len)| (u128::from(value), len));
    assert_eq!(narrow, model(bytes, 5, 32), "{bytes:02x?}");
}

fn encode(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn every_short_sequence() {
    agrees(&[]);
    for first in 0..=255u8 {
        agrees(&[first]);
        for second in 0..=255u8 {
            agrees(&[first, second]);
            agrees(&[first, second, 0x01]);
        }
    }
}

#[test]
fn every_length_and_last_byte() {
    for continued in [0x80u8, 0x81, 0xff] {
        for len in 0..=11usize {
            for last in 0..=255u8 {
                let mut bytes = vec![continued; len];
                bytes.push(last);
                agrees(&bytes);
                // The same with bytes after it, so that the word-wise path is taken.
                bytes.extend([0xff; 9]);
                agrees(&bytes);
            }
        }
    }
}

#[test]
fn edges_of_the_types() {
    for (bytes, expected) in [
        (&[0x00][..], Ok(0)),
        (&[0x01], Ok(-1)),
        (&[0x80, 0x00], Ok(0)),
        (&[0xfe, 0xff, 0xff, 0xff, 0x0f], Ok(i32::MAX)),
        (&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(i32::MIN)),
        (&[0x80, 0x80, 0x80, 0x80, 0x10], Err(VarintOverflow)),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Err(VarintOverflow)),
        (&[0x80, 0x80, 0x80, 0x80], Err(Truncated)),
    ] {
        assert_eq!(
            Cursor::new(bytes).read_int().map_err(|e| e.kind),
            expected,
            "{bytes:02x?}"
        );
    }
    let longest = |last: u8| [&[0xff; 9][..], &[last]].concat();
    for (bytes, expected) in [
        (longest(0x01), Ok(i64::MIN)),
        (longest(0x02), Err(VarintOverflow)),
        (longest(0x81), Err(VarintOverflow)),
        (vec![0xff; 9], Err(Truncated)),
        ([&[0xfe][..], &[0xff; 8], &[0x01]].concat(), Ok(i64::MAX)),
    ] {
        assert_eq!(
            Cursor::new(&bytes).read_long().map_err(|e| e.kind),
            expected,
            "{bytes:02x?}"
        );
    }
}

#[test]
fn sized_slices() {
    for (bytes, expected) in [
        (&[0x00][..], Ok(&b""[..])),
        (&[0x02, 0x61], Ok(b"a")),
        (&[0x04, 0x61], Err(InvalidLength(2))),
        (&[0x01, 0x61], Err(InvalidLength(-1))),
        (&[0xff; 9], Err(Truncated)),
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            Err(InvalidLength(i64::MIN)),
        ),
        (
            &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            Err(InvalidLength(i64::MAX)),
        ),
        (&[], Err(Truncated)),
    ] {
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.read_sized().map_err(|e| e.kind), expected, "{bytes:02x?}");
        assert!(expected.is_ok() || cursor.position() == 0, "a failed read moved");
    }
}

#[test]
fn errors_say_where_and_what() {
    let mut cursor = Cursor::new(&[1, 2, 3]);
    cursor.skip(1).unwrap();
    let error = cursor.read_array::<4>().unwrap_err();
    assert_eq!((error.kind, error.offset_bytes), (Truncated, 1));
    assert_eq!(error.to_string(), "the bytes end inside a value at byte 1");
    assert_eq!(cursor.read_slice(usize::MAX).unwrap_err().kind, Truncated);
    assert_eq!(cursor.rest(), [2, 3]);
    assert_eq!(cursor.remaining(), 2);
}

proptest! {
    #[test]
    fn integers_round_trip(value: u64, tail: Vec<u8>) {
        let encoded = encode(value);
        let bytes = [&encoded[..], &tail].concat();
        prop_assert_eq!(varint::read_u64(&bytes), Ok((value, encoded.len())));
        let zigzag = (value as i64) << 1 ^ (value as i64) >> 63;
        prop_assert_eq!(varint::unzigzag_64(zigzag as u64), value as i64);
        let zigzag = (value as i32) << 1 ^ (value as i32) >> 31;
        prop_assert_eq!(varint::unzigzag_32(zigzag as u32), value as i32);
    }

    #[test]
    fn any_bytes_agree_with_the_definition(bytes: Vec<u8>) {
        agrees(&bytes);
    }

    #[test]
    fn values_come_out_in_order(int: i32, long: i64, single: u32, double: u64, text: Vec<u8>) {
        let mut bytes = encode(u64::from((int << 1 ^ int >> 31) as u32));
        bytes.extend(encode((long << 1 ^ long >> 63) as u64));
        bytes.extend(f32::from_bits(single).to_le_bytes());
        bytes.extend(f64::from_bits(double).to_le_bytes());
        bytes.extend(encode(text.len() as u64 * 2));
        bytes.extend(&text);
        let mut cursor = Cursor::new(&bytes);
        prop_assert_eq!(cursor.read_int(), Ok(int));
        prop_assert_eq!(cursor.read_long(), Ok(long));
        prop_assert_eq!(cursor.read_f32().unwrap().to_bits(), single);
        prop_assert_eq!(cursor.read_f64().unwrap().to_bits(), double);
        prop_assert_eq!(cursor.read_sized(), Ok(&text[..]));
        prop_assert_eq!(cursor.remaining(), 0);
        for end in 0..bytes.len() {
            let mut cursor = Cursor::new(&bytes[..end]);
            let read = cursor.read_int().is_ok()
                && cursor.read_long().is_ok()
                && cursor.read_f32().is_ok()
                && cursor.read_f64().is_ok()
                && cursor.read_sized().is_ok();
            prop_assert!(!read, "cut at {} and still read", end);
        }
    }
}
