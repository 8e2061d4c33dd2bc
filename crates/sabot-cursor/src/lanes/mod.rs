//! One value from each of many messages at once.
//!
//! The messages are independent, so that a loop over them keeps the processor busy where a loop
//! over the values of one message waits for each length in turn. A loop has no branch on what it
//! reads: it collects whether anything was odd, and then [`careful`] reads the same values again.
//! There a lane that is not what its type allows is lost: its position gets a bit that no position
//! has, so that it cannot end where its message does.
//!
//! The loops are plain Rust, compiled several times for what processors have (see [`Level`]); the
//! compiler makes vectors of them. That is this module's only unsafe code: calling what was
//! compiled for a processor that was found to be the one at hand.
//!
//! # Example
//!
//! Three messages whose next value is an int: `0e`, `ac 02` and `ff ff ff ff ff 01`.
//!
//! 1. From each lane's position a word of eight bytes is read. The lowest byte whose high bit is
//!    clear ends the varint: after one, two and six bytes.
//! 2. The groups of seven bits are moved together, and the lanes move on by 1, 2 and 6 bytes. The
//!    last one is odd, since an int has five bytes at most: the loop says so, and is undone.
//! 3. [`careful`] reads the same values one by one. The third lane is lost: its position gets the
//!    bit [`LOST`], and stays beyond the end of its message whatever is read then.
//!
//! # Invariants
//!
//! - What a loop accepts, the careful way accepts, with the same values.
//! - A lane that is lost, or beyond its message, never comes back.
//! - Where a value is null, its lane moves by one byte, and its value is 0.

mod careful;
mod loops;

use std::sync::atomic::{AtomicU8, Ordering};

use crate::Window;

/// Messages read at once at most.
pub const LANES: usize = 64;

/// Lanes for which a loop of vectors takes longer than one lane after the other.
const FEW: usize = 8;

/// The bit of a position that says that its lane is lost. Positions stay far below it, whatever is
/// read.
const LOST: u32 = 1 << 30;

/// Where a string is in an arena: its first byte in the low half, its length in the high half.
pub type PackedSpan = u64;

/// Up to 64 positions that move through their messages side by side.
///
/// ```
/// use sabot_cursor::{Arena, IntEncoding::Zigzag, Lanes};
///
/// let mut arena = Arena::new();
/// let mut lanes = Lanes::new();
/// for message in [b"\x02\x04".as_slice(), b"\x54\x01", b"\x06\x04\x00"] {
///     lanes.push(arena.push(message).unwrap());
/// }
/// let mut values = [0; 64];
/// lanes.longs(arena.window(), None, Zigzag, &mut values);
/// assert_eq!(values[..3], [1, 42, 3]);
/// lanes.longs(arena.window(), None, Zigzag, &mut values);
/// assert_eq!(values[..3], [2, -1, 2]);
/// // The third message has a byte more.
/// assert_eq!(lanes.lost(false), 0b100);
/// ```
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an engine moves the positions as it likes"
)]
pub struct Lanes {
    /// Lanes in use, at most [`LANES`].
    pub len: usize,
    /// Where each lane reads next: below 2³¹. A position beyond its message moves on with every
    /// read, by 10 bytes at most, so that it takes more reads to reach the type's end than a block
    /// has.
    pub at: [u32; LANES],
    /// Where its message ends.
    pub end: [u32; LANES],
}

/// The two bytes, of which one comes before each value that may be null: in Avro 0 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The byte before a value that is there.
    there: u8,
    /// The bit in which the other byte differs, and its place.
    differs: u8,
    shift: u8,
}

impl Presence {
    /// The byte before a value that is there, and the one that stands for null.
    ///
    /// # Panics
    ///
    /// If they do not differ in one bit, which the loops look at.
    #[inline]
    #[must_use]
    pub const fn new(there: u8, absent: u8) -> Self {
        let differs = there ^ absent;
        assert!(differs.is_power_of_two(), "the bytes differ in one bit");
        Self {
            there,
            differs,
            shift: differs.trailing_zeros() as u8,
        }
    }
}

/// How the bits of a varint stand for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the binary codecs have these two")]
pub enum IntEncoding {
    /// As they are: Protobuf's int64, and its lengths.
    Plain = 0,
    /// 0, 1, 2, 3, ... stand for 0, -1, 1, -2, ...: all of Avro's numbers, and Protobuf's sint64.
    Zigzag = 1,
}

impl IntEncoding {
    #[inline(always)]
    const fn signed_64(self, value: u64) -> i64 {
        (value >> self as u32) as i64 ^ -((value & self as u64) as i64)
    }

    #[inline(always)]
    const fn signed_32(self, value: u32) -> i32 {
        (value >> self as u32) as i32 ^ -((value & self as u32) as i32)
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self::new()
    }
}

impl Lanes {
    /// No lanes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            len: 0,
            at: [0; LANES],
            end: [0; LANES],
        }
    }

    /// Adds a message.
    ///
    /// # Panics
    ///
    /// If there are [`LANES`] already.
    #[inline]
    pub fn push(&mut self, message: core::ops::Range<u32>) {
        (self.at[self.len], self.end[self.len]) = (message.start, message.end);
        self.len += 1;
    }

    /// The bits of all lanes.
    #[inline]
    #[must_use]
    pub fn all(&self) -> u64 {
        u64::MAX.checked_shr((LANES - self.len) as u32).unwrap_or(0)
    }

    /// Marks a lane as lost, if `is_lost`.
    #[inline(always)]
    pub fn lose(&mut self, lane: usize, is_lost: bool) {
        lose(&mut self.at[lane], is_lost);
    }

    /// The bits of the lanes that did not end where their messages do, or, if these may go on, that
    /// went beyond them.
    #[must_use]
    pub fn lost(&self, may_end_early: bool) -> u64 {
        let lanes = self.at.iter().zip(&self.end).take(self.len).enumerate();
        lanes.fold(0, |mask, (lane, (at, end))| {
            mask | u64::from(at > end || at < end && !may_end_early) << lane
        })
    }
}

/// Marks a position as lost, if `is_lost`.
#[inline(always)]
fn lose(at: &mut u32, is_lost: bool) {
    *at |= u32::from(is_lost) * LOST;
}

/// What the processor at hand has, as far as the loops are compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Level {
    /// What every processor of its kind has.
    Base,
    /// AVX2 and BMI2.
    Avx2,
    /// AVX-512 as of Ice Lake and Zen 4.
    Avx512,
}

impl Level {
    /// The best level that the processor at hand has, looked up once.
    #[inline(always)]
    pub(crate) fn best() -> Self {
        static BEST: AtomicU8 = AtomicU8::new(u8::MAX);
        match BEST.load(Ordering::Relaxed) {
            0 => Self::Base,
            1 => Self::Avx2,
            2 => Self::Avx512,
            _ => {
                let best = Self::detect();
                BEST.store(best as u8, Ordering::Relaxed);
                best
            }
        }
    }

    #[cold]
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let has_avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
            let has_avx512 = has!("avx512f")
                && has!("avx512bw")
                && has!("avx512cd")
                && has!("avx512dq")
                && has!("avx512vl")
                && has!("avx512vpopcntdq");
            match (has_avx2, has_avx512) {
                (true, true) => return Self::Avx512,
                (true, false) => return Self::Avx2,
                _ => {}
            }
        }
        Self::Base
    }
}

/// Declares the loops of a name for every level, and the method that picks one.
macro_rules! loops {
    ($($(#[$doc:meta])* $name:ident($values:ty $(, $extra:ident: $extra_type:ty)?);)+) => {
        impl Lanes {$(
            $(#[$doc])*
            ///
            /// Returns the bits of the lanes whose value is there.
            #[inline]
            pub fn $name(&mut self, window: Window<'_>, presence: Option<Presence> $(, $extra: $extra_type)?, values: &mut $values) -> u64 {
                if self.len <= FEW {
                    return careful::$name(window, self, presence $(, $extra)?, values);
                }
                let before = self.at;
                let (is_odd, present) = match presence {
                    None => (levels::$name::<false>(window, self, Presence::new(0, 1) $(, $extra)?, values, &mut [0; LANES]), self.all()),
                    Some(presence) => {
                        let mut nulls = [0; LANES];
                        let is_odd = levels::$name::<true>(window, self, presence $(, $extra)?, values, &mut nulls);
                        (is_odd, !bits_of_bytes(&nulls) & self.all())
                    }
                };
                if !is_odd {
                    return present;
                }
                self.at = before;
                careful::$name(window, self, presence $(, $extra)?, values)
            }
        )+}

        mod levels {
            use super::{IntEncoding, LANES, Lanes, PackedSpan, Presence, Window, loops};
            #[cfg(target_arch = "x86_64")]
            use super::Level;
            $(
                #[inline]
                pub(super) fn $name<const NULLABLE: bool>(
                    window: Window<'_>, lanes: &mut Lanes, presence: Presence $(, $extra: $extra_type)?, values: &mut $values, nulls: &mut [u8; LANES],
                ) -> bool {
                    #[cfg(target_arch = "x86_64")]
                    {
                        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
                        fn avx2<const NULLABLE: bool>(
                            window: Window<'_>, lanes: &mut Lanes, presence: Presence $(, $extra: $extra_type)?, values: &mut $values, nulls: &mut [u8; LANES],
                        ) -> bool {
                            loops::$name::<NULLABLE, true>(window, lanes, presence $(, $extra)?, values, nulls)
                        }
                        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vpopcntdq")]
                        fn avx512<const NULLABLE: bool>(
                            window: Window<'_>, lanes: &mut Lanes, presence: Presence $(, $extra: $extra_type)?, values: &mut $values, nulls: &mut [u8; LANES],
                        ) -> bool {
                            loops::$name::<NULLABLE, true>(window, lanes, presence $(, $extra)?, values, nulls)
                        }
                        let best = Level::best();
                        if best == Level::Avx512 {
                            #[expect(unsafe_code, reason = "the loops take half as long with what newer processors have")]
                            // SAFETY: 1. Calling the function asks for nothing but its features.
                            // 2. `Level::Avx512` is returned only where all of them were found
                            // on the processor at hand.
                            return unsafe { avx512::<NULLABLE>(window, lanes, presence $(, $extra)?, values, nulls) };
                        }
                        if best == Level::Avx2 {
                            #[expect(unsafe_code, reason = "the loops take half as long with what newer processors have")]
                            // SAFETY: 1. Calling the function asks for nothing but its features.
                            // 2. `Level::Avx2` is returned only where all of them were found on
                            // the processor at hand.
                            return unsafe { avx2::<NULLABLE>(window, lanes, presence $(, $extra)?, values, nulls) };
                        }
                    }
                    loops::$name::<NULLABLE, false>(window, lanes, presence $(, $extra)?, values, nulls)
                }
            )+
        }
    };
}

loops! {
    /// Reads a 64-bit varint from each message.
    longs([i64; LANES], encoding: IntEncoding);
    /// The same, where some have more than eight bytes: slower.
    longs_of_any_length([i64; LANES], encoding: IntEncoding);
    /// Reads a 32-bit varint from each message.
    ints([i32; LANES], encoding: IntEncoding);
    /// Reads a byte that is 0 or 1 from each message.
    bools([u8; LANES]);
    /// Reads four bytes from each message, as a little-endian word.
    words_32([u32; LANES]);
    /// Reads eight bytes from each message, as a little-endian word.
    words_64([u64; LANES]);
    /// Reads a length and as many bytes from each message, and says where these are.
    sized([PackedSpan; LANES], encoding: IntEncoding);
    /// Steps over `len` bytes of each message, and says where these are.
    fixed([PackedSpan; LANES], len: u32);
}

/// The bits of bytes that are 0 or 1, that of the first byte lowest.
///
/// ```
/// let mut bytes = [0; sabot_cursor::LANES];
/// (bytes[0], bytes[63]) = (1, 1);
/// assert_eq!(sabot_cursor::bits_of_bytes(&bytes), 1 | 1 << 63);
/// ```
#[inline]
#[must_use]
pub fn bits_of_bytes(bytes: &[u8; LANES]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    let bits = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    words.iter().rev().fold(0, |all, word| all << 8 | bits(word))
}
