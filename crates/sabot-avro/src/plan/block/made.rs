//! Values that are made of some bytes: `fixed`, UUIDs, decimals, durations.
//!
//! Where the bytes of each lane are is read first, as for strings. What they stand for is worked
//! out lane by lane then, without a branch on their lengths.
//!
//! # Example
//!
//! Two rows of a decimal of `bytes` with two digits after the point: 1.25 is `02 7d` (length 1,
//! then 125), and -3.00 is `04 fe d4` (length 2, then -300).
//!
//! 1. The lengths say that row 0 has the byte at 1 and row 1 the bytes at 3 and 4.
//! 2. Eight bytes are read at each of these places, the first byte highest: `7d 04 fe d4 ..` and
//!    `fe d4 ..`.
//! 3. They are moved down by 56 and 48 bits, which drops what comes after the value and keeps its
//!    sign: 125 and -300.
//! 4. Both are below the limit of the precision, and go to the column.
//!
//! # Invariants
//!
//! - A lane whose bytes are no value of its type is lost; what it leaves in the column is dropped
//!   with the block.
//! - A lane that is null has no bytes and leaves 0.

use sabot_codec::{Extent, RowLanes, unpack};
use sabot_columns::Span;
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::{LANES, PackedSpan};

use super::super::values::{DecimalLimit, decimal_128, decimal_256, duration, uuid};
use super::values::place;
use super::{Block, Op, OpKind};

impl Block<'_> {
    pub(super) fn made(&mut self, op: &Op, lanes: &mut RowLanes, extent: Extent) {
        let (column, aux, plan) = (op.at as usize, op.aux as usize, self.plan);
        let bytes = match op.kind {
            OpKind::Fixed => Some(op.aux),
            OpKind::Duration => Some(12),
            OpKind::UuidText => None,
            _ => plan.decimals[aux].fixed_bytes,
        };
        let (mut packed, window) = ([0; LANES], self.arena.window());
        let present = match bytes {
            Some(bytes) => lanes.read.fixed(window, op.presence(), bytes, &mut packed),
            None => lanes.read.sized(window, op.presence(), Zigzag, &mut packed),
        };
        self.mark_valid(op, lanes, extent, present);
        let read = LaneBytes {
            spans: packed,
            source: window.padded(),
            present,
        };
        match op.kind {
            OpKind::Fixed => self.fixed(column, &read, lanes, extent),
            OpKind::UuidText => {
                let values = read.map(lanes, uuid);
                self.place_fixed(column, &values, lanes, extent);
            }
            OpKind::Duration => {
                let values = read.map(lanes, |bytes| duration(bytes.try_into().ok()?));
                let column = &mut self.columns.intervals[column];
                place(column, extent, lanes, &values, |value| value);
            }
            OpKind::Decimal256 => {
                let limit = plan.decimals[aux].limit.wide;
                let values = read.map(lanes, |bytes| decimal_256(bytes, limit));
                place(&mut self.columns.i256s[column], extent, lanes, &values, |value| {
                    value
                });
            }
            _ => self.decimals(op, &read, lanes, extent),
        }
    }

    fn fixed(&mut self, column: usize, read: &LaneBytes<'_>, lanes: &RowLanes, extent: Extent) {
        let column = &mut self.columns.fixed[column];
        if !extent.is_shared {
            let spans = lanes.spans_by_position(&read.spans);
            return column.extend_spans(read.source, &spans[..extent.len]);
        }
        column.grow(extent.end());
        for (to, span) in lanes.to.iter().zip(read.spans.map(unpack)).take(lanes.len()) {
            // A null has no bytes, nor has a lane that is lost.
            if span.len as usize == column.width() {
                column.set(extent.base + *to as usize, span.of(read.source));
            }
        }
    }

    fn place_fixed<const WIDTH: usize>(
        &mut self,
        column: usize,
        values: &[[u8; WIDTH]; LANES],
        lanes: &RowLanes,
        extent: Extent,
    ) where
        [u8; WIDTH]: Default,
    {
        let column = &mut self.columns.fixed[column];
        if !extent.is_shared {
            return column.extend_packed(&lanes.by_position(*values)[..extent.len]);
        }
        column.grow(extent.end());
        for (to, value) in lanes.to.iter().zip(values).take(lanes.len()) {
            column.set(extent.base + *to as usize, value);
        }
    }

    /// Decimals of up to 38 digits. Within their precision, numbers fit into the bits that Arrow
    /// has for it.
    fn decimals(&mut self, op: &Op, read: &LaneBytes<'_>, lanes: &mut RowLanes, extent: Extent) {
        let column = op.at as usize;
        let limit = self.plan.decimals[op.aux as usize].limit;
        let most = read.spans[..lanes.len()]
            .iter()
            .fold(0, |most, span| most.max(*span >> 32));
        if most > 8 {
            let values = match most {
                ..=16 => self.decimals_of_16_bytes(read, limit, lanes),
                _ => read.map(lanes, |bytes| decimal_128(bytes, limit.narrow)),
            };
            let columns = &mut *self.columns;
            return match op.kind {
                OpKind::Decimal32 => place(&mut columns.i32s[column], extent, lanes, &values, |value| {
                    value as i32
                }),
                OpKind::Decimal64 => place(&mut columns.i64s[column], extent, lanes, &values, |value| {
                    value as i64
                }),
                _ => place(&mut columns.i128s[column], extent, lanes, &values, |value| value),
            };
        }
        let values = self.decimals_of_8_bytes(read, limit, lanes);
        let columns = &mut *self.columns;
        match op.kind {
            OpKind::Decimal32 => place(&mut columns.i32s[column], extent, lanes, &values, |value| {
                value as i32
            }),
            OpKind::Decimal64 => place(&mut columns.i64s[column], extent, lanes, &values, |value| value),
            _ => place(&mut columns.i128s[column], extent, lanes, &values, i128::from),
        }
    }

    /// Numbers of at most 8 bytes each.
    fn decimals_of_8_bytes(
        &self,
        read: &LaneBytes<'_>,
        limit: DecimalLimit,
        lanes: &mut RowLanes,
    ) -> [i64; LANES] {
        // Of more digits the largest number alone is lost, which the row engine takes then.
        let limit = i64::try_from(limit.narrow).unwrap_or(i64::MAX);
        let (window, mut values) = (self.arena.window(), [0; LANES]);
        for (lane, value) in values.iter_mut().enumerate().take(lanes.len()) {
            let Span { start, len } = unpack(read.spans[lane]);
            let word = window.word(start).swap_bytes() as i64;
            // No bytes at all are 0; by the whole width a number cannot be moved.
            let moved = word >> ((64 - 8 * len) & 63);
            *value = if len == 0 { 0 } else { moved };
            lanes.read.lose(lane, *value >= limit || *value <= -limit);
        }
        values
    }

    /// The same for at most 16.
    fn decimals_of_16_bytes(
        &self,
        read: &LaneBytes<'_>,
        limit: DecimalLimit,
        lanes: &mut RowLanes,
    ) -> [i128; LANES] {
        let (window, limit, mut values) = (self.arena.window(), limit.narrow, [0; LANES]);
        for (lane, value) in values.iter_mut().enumerate().take(lanes.len()) {
            let Span { start, len } = unpack(read.spans[lane]);
            let [high, low] = [start, start + 8].map(|at| window.word(at).swap_bytes());
            let word = (u128::from(high) << 64 | u128::from(low)) as i128;
            let moved = word >> ((128 - 8 * len) & 127);
            *value = if len == 0 { 0 } else { moved };
            lanes.read.lose(lane, *value >= limit || *value <= -limit);
        }
        values
    }
}

/// Where the bytes of each lane are.
struct LaneBytes<'a> {
    spans: [PackedSpan; LANES],
    source: &'a [u8],
    present: u64,
}

impl LaneBytes<'_> {
    /// The values of the lanes that have some; where there is none for the bytes, the lane is lost.
    #[inline(always)]
    fn map<T: Copy + Default>(&self, lanes: &mut RowLanes, value: impl Fn(&[u8]) -> Option<T>) -> [T; LANES] {
        let mut values = [T::default(); LANES];
        for (lane, column) in values.iter_mut().enumerate().take(lanes.len()) {
            if self.present >> lane & 1 == 1 {
                let value = value(unpack(self.spans[lane]).of(self.source));
                lanes.read.lose(lane, value.is_none());
                *column = value.unwrap_or_default();
            }
        }
        values
    }
}
