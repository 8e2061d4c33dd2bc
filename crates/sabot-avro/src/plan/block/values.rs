//! Values of one column: read into a buffer for all lanes, then appended, or put in their places,
//! at once.
//!
//! # Example
//!
//! An int that may be null, and three lanes at the bytes `02 0e` (7), `00` (null) and `02 01` (-1).
//!
//! 1. The loop over the lanes gives the values 7, 0, -1, and a set of the lanes whose value is
//!    there: `0b101`. A null is 0, without a branch.
//! 2. The set is appended to the validity as one word.
//! 3. The values are appended to the column as one slice.
//!
//! Were the lanes those of a list's second round, they would not be next to each other in the
//! column: each would say to which position it goes.
//!
//! # Invariants
//!
//! - A lane's value is there if and only if its bit is set in what the loops return, or the lane is
//!   lost.
//! - Lanes that are dense are the positions of their extent, in order.

use sabot_codec::{Extent, RowLanes, Stuck};
use sabot_columns::{Bits, NodeIx, NodeKind, Span};
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::LANES;

use super::{Block, Op, OpKind};

impl Block<'_> {
    /// Reads one step's value for all lanes.
    #[inline]
    pub(super) fn value(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        match op.kind {
            kind if is_string(kind) => self.string(op, pc, lanes, extent),
            OpKind::Fixed
            | OpKind::Decimal32
            | OpKind::Decimal64
            | OpKind::Decimal128
            | OpKind::Decimal256
            | OpKind::Duration
            | OpKind::UuidText => {
                self.made(op, lanes, extent);
                Ok(())
            }
            _ => {
                self.number(op, lanes, extent);
                Ok(())
            }
        }
    }

    fn number(&mut self, op: &Op, lanes: &mut RowLanes, extent: Extent) {
        match op.kind {
            OpKind::Long | OpKind::LongToFloat | OpKind::LongToDouble | OpKind::LongScaled => {
                self.long(op, lanes, extent);
            }
            OpKind::Float | OpKind::FloatToDouble | OpKind::Double => self.float(op, lanes, extent),
            OpKind::Null => {
                self.mark_valid(op, lanes, extent, lanes.read.all());
                self.columns.nulls[op.at as usize] = extent.end();
            }
            OpKind::Bool => {
                let mut values = [0; LANES];
                let present = lanes.read.bools(self.arena.window(), op.presence(), &mut values);
                self.mark_valid(op, lanes, extent, present);
                place_bits(&mut self.columns.bools[op.at as usize], extent, lanes, &values);
            }
            _ => self.int(op, lanes, extent),
        }
    }

    fn long(&mut self, op: &Op, lanes: &mut RowLanes, extent: Extent) {
        let mut values = [0; LANES];
        let present = lanes
            .read
            .longs(self.arena.window(), op.presence(), Zigzag, &mut values);
        self.mark_valid(op, lanes, extent, present);
        if op.kind == OpKind::LongScaled {
            scale(self.plan.factors[op.aux as usize], lanes, &mut values);
        }
        let (column, columns) = (op.at as usize, &mut *self.columns);
        match op.kind {
            OpKind::LongToFloat => place(&mut columns.f32s[column], extent, lanes, &values, |value| {
                value as f32
            }),
            OpKind::LongToDouble => place(&mut columns.f64s[column], extent, lanes, &values, |value| {
                value as f64
            }),
            _ => place(&mut columns.i64s[column], extent, lanes, &values, |value| value),
        }
    }

    fn int(&mut self, op: &Op, lanes: &mut RowLanes, extent: Extent) {
        let mut values = [0; LANES];
        let present = lanes
            .read
            .ints(self.arena.window(), op.presence(), Zigzag, &mut values);
        self.mark_valid(op, lanes, extent, present);
        let (column, columns) = (op.at as usize, &mut *self.columns);
        match op.kind {
            OpKind::IntToLong => place(&mut columns.i64s[column], extent, lanes, &values, i64::from),
            OpKind::IntToFloat => place(&mut columns.f32s[column], extent, lanes, &values, |value| {
                value as f32
            }),
            OpKind::IntToDouble => place(&mut columns.f64s[column], extent, lanes, &values, f64::from),
            OpKind::IntScaled => {
                let mut values = values.map(i64::from);
                scale(self.plan.factors[op.aux as usize], lanes, &mut values);
                place(&mut columns.i64s[column], extent, lanes, &values, |value| value);
            }
            OpKind::EnumIndex => {
                let is_symbol = |index: i32| ((index as u32) < op.aux).then_some(index);
                symbols(lanes, &mut values, present, is_symbol);
                place(&mut columns.i32s[column], extent, lanes, &values, |value| value);
            }
            OpKind::EnumMapped => {
                let indexes = &self.plan.enums[op.aux as usize].indexes;
                let index = |written| indexes.get(usize::try_from(written).ok()?).copied();
                symbols(lanes, &mut values, present, |written| {
                    index(written).filter(|index| *index >= 0)
                });
                place(&mut columns.i32s[column], extent, lanes, &values, |value| value);
            }
            _ => place(&mut columns.i32s[column], extent, lanes, &values, |value| value),
        }
    }

    fn float(&mut self, op: &Op, lanes: &mut RowLanes, extent: Extent) {
        let (column, window) = (op.at as usize, self.arena.window());
        if op.kind == OpKind::Double {
            let mut values = [0; LANES];
            let present = lanes.read.words_64(window, op.presence(), &mut values);
            self.mark_valid(op, lanes, extent, present);
            return place(
                &mut self.columns.f64s[column],
                extent,
                lanes,
                &values,
                f64::from_bits,
            );
        }
        let mut values = [0; LANES];
        let present = lanes.read.words_32(window, op.presence(), &mut values);
        self.mark_valid(op, lanes, extent, present);
        let single = f32::from_bits;
        if op.kind == OpKind::Float {
            place(&mut self.columns.f32s[column], extent, lanes, &values, single);
        } else {
            let column = &mut self.columns.f64s[column];
            place(column, extent, lanes, &values, |bits| single(bits).into());
        }
    }

    fn string(&mut self, op: &Op, pc: usize, lanes: &mut RowLanes, extent: Extent) -> Result<(), Stuck> {
        let (mut packed, window) = ([0; LANES], self.arena.window());
        let present = match op.kind {
            OpKind::FixedAsBytes => lanes.read.fixed(window, op.presence(), op.aux, &mut packed),
            _ => lanes.read.sized(window, op.presence(), Zigzag, &mut packed),
        };
        self.mark_valid(op, lanes, extent, present);
        if extent.is_shared {
            self.defer_strings(pc, lanes, &packed, extent);
            return Ok(());
        }
        let spans = lanes.spans_by_position(&packed);
        if !self.push_strings(is_text(op.kind), self.plan.sites[pc].column, &spans[..extent.len])? {
            let source = self.arena.window().padded();
            for lane in 0..lanes.len() {
                let text = spans[lanes.to[lane] as usize].of(source);
                lanes.read.lose(lane, std::str::from_utf8(text).is_err());
            }
        }
        Ok(())
    }

    /// Appends strings, and says whether they are what their column wants: UTF-8.
    pub(super) fn push_strings(
        &mut self,
        is_text: bool,
        column: NodeIx,
        spans: &[Span],
    ) -> Result<bool, Stuck> {
        let source = self.arena.window().padded();
        match self.layout.node(column).kind {
            NodeKind::Bytes(column) if is_text => Ok(self.columns.bytes[column].extend_text(source, spans)?),
            NodeKind::LargeBytes(column) if is_text => {
                Ok(self.columns.large_bytes[column].extend_text(source, spans)?)
            }
            NodeKind::Bytes(column) => {
                self.columns.bytes[column].extend_spans(source, spans)?;
                Ok(true)
            }
            NodeKind::LargeBytes(column) => {
                self.columns.large_bytes[column].extend_spans(source, spans)?;
                Ok(true)
            }
            NodeKind::Views(column) => {
                let column = &mut self.columns.views[column];
                for span in spans {
                    column.push(span.of(source))?;
                }
                let is_utf8 = |span: &Span| std::str::from_utf8(span.of(source)).is_ok();
                Ok(!is_text || spans.iter().all(is_utf8))
            }
            _ => Ok(true),
        }
    }
}

/// Whether the step reads a string of any length.
fn is_string(kind: OpKind) -> bool {
    use OpKind as K;
    matches!(
        kind,
        K::Bytes | K::LargeBytes | K::BytesView | K::Text | K::LargeText | K::TextView | K::FixedAsBytes
    )
}

/// Whether the strings that the step reads have to be UTF-8.
pub(super) fn is_text(kind: OpKind) -> bool {
    matches!(kind, OpKind::Text | OpKind::LargeText | OpKind::TextView)
}

/// Multiplies each value; one that overflows loses its lane.
fn scale(factor: i64, lanes: &mut RowLanes, values: &mut [i64; LANES]) {
    for (lane, value) in values.iter_mut().enumerate().take(lanes.len()) {
        let scaled = value.checked_mul(factor);
        lanes.read.lose(lane, scaled.is_none());
        *value = scaled.unwrap_or(0);
    }
}

/// The reader's symbols; a lane whose symbol it has not is lost.
#[inline(always)]
fn symbols(
    lanes: &mut RowLanes,
    values: &mut [i32; LANES],
    present: u64,
    index: impl Fn(i32) -> Option<i32>,
) {
    for (lane, value) in values.iter_mut().enumerate().take(lanes.len()) {
        let index = index(*value);
        let is_there = present >> lane & 1 == 1;
        lanes.read.lose(lane, is_there && index.is_none());
        *value = if is_there { index.unwrap_or(0) } else { 0 };
    }
}

/// Appends a value for each lane, or puts it in its place.
#[inline(always)]
pub(super) fn place<T: Copy + Default, V: Copy>(
    column: &mut Vec<T>,
    extent: Extent,
    lanes: &RowLanes,
    values: &[V; LANES],
    convert: impl Fn(V) -> T,
) {
    if lanes.is_dense {
        column.extend(values[..lanes.len()].iter().map(|value| convert(*value)));
        return;
    }
    if column.len() < extent.end() {
        column.resize(extent.end(), T::default());
    }
    let column = &mut column[extent.base..];
    for (to, value) in lanes.to.iter().zip(values).take(lanes.len()) {
        column[*to as usize] = convert(*value);
    }
}

/// The same for booleans.
fn place_bits(column: &mut Bits, extent: Extent, lanes: &RowLanes, values: &[u8; LANES]) {
    if lanes.is_dense {
        let values = values[..lanes.len()].iter().enumerate();
        let word = values.fold(0, |word, (lane, value)| word | u64::from(*value) << lane);
        column.push_word(word, lanes.len());
        return;
    }
    column.grow(extent.end());
    for (to, value) in lanes.to.iter().zip(values).take(lanes.len()) {
        column.or(extent.base + *to as usize, *value == 1);
    }
}
