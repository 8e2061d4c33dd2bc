//! Varints in an arena, one by one and in runs, against those of a slice.

use proptest::prelude::*;
use sabot_cursor::{Arena, IntEncoding, Lanes, Presence, RUN, varint};

/// Values of every length, each as likely.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = (any::<u64>(), 0u32..64).prop_map(|(value, shift)| value >> shift);
    prop::collection::vec(value, 1..150)
}

fn encode(values: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut value in values.iter().copied() {
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes
}

proptest! {
    #[test]
    fn runs_read_what_was_written(values in values()) {
        let bytes = encode(&values);
        let mut arena = Arena::new();
        arena.push(&bytes).unwrap();
        let (mut read, mut at, mut run) = (Vec::new(), 0, [0; RUN]);
        while read.len() < values.len() {
            let (count, taken) = arena.window().varint_run::<10>(at, values.len() - read.len(), &mut run);
            prop_assert!(count > 0);
            read.extend_from_slice(&run[..count]);
            at += taken;
        }
        prop_assert_eq!(read, values);
        prop_assert_eq!(at as usize, bytes.len());
    }

    #[test]
    fn a_varint_in_an_arena_is_one_in_a_slice(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80u8..], 10..14)) {
        let mut arena = Arena::new();
        arena.push(&bytes).unwrap();
        let expected = varint::read_u64(&bytes).ok().map(|(value, len)| (value, len as u32));
        prop_assert_eq!(arena.window().varint(0), expected);
        // A run stops before what is no varint, or has more bytes than it may.
        let (count, _) = arena.window().varint_run::<5>(0, 1, &mut [0; RUN]);
        prop_assert_eq!(count == 1, expected.is_some_and(|(_, len)| len <= 5));
    }

    #[test]
    fn few_lanes_and_many_read_the_same(values in values(), nulls in any::<u64>(), is_zigzag in any::<bool>()) {
        let encoding = if is_zigzag { IntEncoding::Zigzag } else { IntEncoding::Plain };
        let presence = Presence::new(1, 0);
        let (mut arena, mut all) = (Arena::new(), Lanes::new());
        for (lane, value) in values.iter().take(sabot_cursor::LANES).enumerate() {
            let message = match nulls >> lane & 1 {
                0 => [&[1], &encode(&[*value])[..]].concat(),
                _ => vec![0],
            };
            all.push(arena.push(&message).unwrap());
        }
        let one_by_one: Vec<_> = (0..all.len)
            .map(|lane| {
                let (mut one, mut value) = (Lanes::new(), [0; sabot_cursor::LANES]);
                one.push(all.at[lane]..all.end[lane]);
                let present = one.longs(arena.window(), Some(presence), encoding, &mut value);
                assert_eq!(one.lost(false), 0);
                (value[0], present)
            })
            .collect();
        let mut together = [0; sabot_cursor::LANES];
        let present = all.longs(arena.window(), Some(presence), encoding, &mut together);
        prop_assert_eq!(all.lost(false), 0);
        for (lane, (value, is_there)) in one_by_one.into_iter().enumerate() {
            prop_assert_eq!((together[lane], present >> lane & 1), (value, is_there));
            if is_there == 1 && !is_zigzag {
                prop_assert_eq!(value as u64, values[lane]);
            }
        }
    }
}
