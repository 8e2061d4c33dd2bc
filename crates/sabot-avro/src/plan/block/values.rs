//! Values of one column: read into a buffer for all lanes, then appended (or put in their places) at once.

use sabot_arrow::{Bits, Span};

use super::super::values::{decimal_128, decimal_256, duration, uuid};
use super::lanes::{Frame, LANES, Lanes, lose};
use super::read::{self, unzigzag_32, unzigzag_64};
use super::{Block, Op, OpKind, Stuck};

/// Calls a reader for values that may be null or may not.
macro_rules! read {
    ($name:ident $(, $bytes:literal)?; $block:expr, $op:expr, $lanes:expr $(, $extra:expr)?; $values:expr) => {
        if $op.non_null_byte == Op::NO_TAG {
            read::$name::<false $(, $bytes)?>($block.arena.window(), $lanes, Op::NO_TAG $(, $extra)?, $values)
        } else {
            read::$name::<true $(, $bytes)?>($block.arena.window(), $lanes, $op.non_null_byte $(, $extra)?, $values)
        }
    };
}

impl Block<'_> {
    /// Reads one step's value for all lanes.
    #[inline]
    pub(super) fn value(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        match op.kind {
            kind if is_string(kind) => self.string(op, pc, lanes, frame),
            OpKind::Fixed | OpKind::Decimal128 | OpKind::Decimal256 | OpKind::Duration | OpKind::UuidText => {
                self.converted(op, lanes, frame);
                Ok(())
            }
            _ => {
                self.number(op, lanes, frame);
                Ok(())
            }
        }
    }

    fn number(&mut self, op: &Op, lanes: &mut Lanes, frame: Frame) {
        let mut words = [0; LANES];
        let present = self.read_number(op, lanes, &mut words);
        self.mark_valid(op, lanes, frame, present);
        let (slot, columns, lanes) = (op.slot as usize, &mut *self.columns, &*lanes);
        match op.kind {
            OpKind::Null => columns.nulls[slot] = frame.base + frame.len,
            OpKind::Bool => place_bits(&mut columns.bools[slot], frame, lanes, &words),
            OpKind::Int => place(&mut columns.i32s[slot], frame, lanes, &words, unzigzag_32),
            OpKind::Long => place(&mut columns.i64s[slot], frame, lanes, &words, unzigzag_64),
            OpKind::IntToLong => place(&mut columns.i64s[slot], frame, lanes, &words, |word| {
                unzigzag_32(word).into()
            }),
            OpKind::IntToFloat => place(&mut columns.f32s[slot], frame, lanes, &words, |word| {
                unzigzag_32(word) as f32
            }),
            OpKind::IntToDouble => place(&mut columns.f64s[slot], frame, lanes, &words, |word| {
                unzigzag_32(word).into()
            }),
            OpKind::LongToFloat => place(&mut columns.f32s[slot], frame, lanes, &words, |word| {
                unzigzag_64(word) as f32
            }),
            OpKind::LongToDouble => place(&mut columns.f64s[slot], frame, lanes, &words, |word| {
                unzigzag_64(word) as f64
            }),
            OpKind::Float => place(&mut columns.f32s[slot], frame, lanes, &words, |word| {
                f32::from_bits(word as u32)
            }),
            OpKind::FloatToDouble => place(&mut columns.f64s[slot], frame, lanes, &words, |word| {
                f32::from_bits(word as u32).into()
            }),
            OpKind::Double => place(&mut columns.f64s[slot], frame, lanes, &words, f64::from_bits),
            // Checked and converted by the reader.
            OpKind::IntScaled | OpKind::LongScaled => {
                place(&mut columns.i64s[slot], frame, lanes, &words, |word| word as i64);
            }
            _ => place(&mut columns.i32s[slot], frame, lanes, &words, |word| word as i32),
        }
    }

    /// The words of numbers: as they are written, but for those that are checked one by one.
    #[inline]
    fn read_number(&mut self, op: &Op, lanes: &mut Lanes, words: &mut [u64; LANES]) -> u64 {
        match op.kind {
            OpKind::Null => lanes.all(),
            OpKind::Bool => read!(bools; self, op, lanes; words),
            OpKind::Float | OpKind::FloatToDouble => read!(words, 4; self, op, lanes; words),
            OpKind::Double => read!(words, 8; self, op, lanes; words),
            OpKind::Long | OpKind::LongToFloat | OpKind::LongToDouble => {
                read!(longs; self, op, lanes; words)
            }
            OpKind::LongScaled => {
                let present = read!(longs; self, op, lanes; words);
                self.scale(op, lanes, words, unzigzag_64);
                present
            }
            OpKind::IntScaled => {
                let present = read!(ints; self, op, lanes; words);
                self.scale(op, lanes, words, |word| unzigzag_32(word).into());
                present
            }
            OpKind::EnumIndex | OpKind::EnumMapped => {
                let present = read!(ints; self, op, lanes; words);
                self.symbols(op, lanes, words, present);
                present
            }
            _ => read!(ints; self, op, lanes; words),
        }
    }

    fn scale(&self, op: &Op, lanes: &mut Lanes, words: &mut [u64; LANES], value: impl Fn(u64) -> i64) {
        let factor = self.plan.factors[op.aux as usize];
        for (word, at) in words.iter_mut().zip(&mut lanes.at).take(lanes.len) {
            let scaled = value(*word).checked_mul(factor);
            lose(at, scaled.is_none());
            *word = scaled.unwrap_or(0) as u64;
        }
    }

    /// The reader's symbols; indexes that it has not are lost.
    fn symbols(&self, op: &Op, lanes: &mut Lanes, words: &mut [u64; LANES], present: u64) {
        let indexes = match op.kind {
            OpKind::EnumMapped => Some(&self.plan.enums[op.aux as usize].indexes),
            _ => None,
        };
        for (lane, (word, at)) in words.iter_mut().zip(&mut lanes.at).take(lanes.len).enumerate() {
            let written = unzigzag_32(*word) as u32;
            let index = match indexes {
                None => (written < op.aux).then_some(written),
                Some(indexes) => indexes
                    .get(written as usize)
                    .and_then(|index| u32::try_from(*index).ok()),
            };
            let is_there = present >> lane & 1 == 1;
            lose(at, is_there && index.is_none());
            *word = u64::from(if is_there { index.unwrap_or(0) } else { 0 });
        }
    }

    /// Values of some bytes that are made into something else.
    fn converted(&mut self, op: &Op, lanes: &mut Lanes, frame: Frame) {
        let (slot, aux) = (op.slot as usize, op.aux as usize);
        let fixed_bytes = match op.kind {
            OpKind::Fixed => Some(op.aux),
            OpKind::Duration => Some(12),
            OpKind::Decimal128 | OpKind::Decimal256 => self.plan.decimals[aux].fixed_bytes,
            _ => None,
        };
        let mut spans = [Span::default(); LANES];
        let present = match fixed_bytes {
            Some(bytes) => read!(fixed; self, op, lanes, bytes; &mut spans),
            None => read!(sized; self, op, lanes; &mut spans),
        };
        self.mark_valid(op, lanes, frame, present);
        let (columns, plan, source) = (&mut *self.columns, self.plan, self.arena.window().padded());
        let spans = Spans {
            spans: &spans,
            source,
            present,
        };
        match op.kind {
            OpKind::Decimal128 => {
                let limit = plan.decimals[aux].limit.narrow;
                let values = spans.map(lanes, |bytes| decimal_128(bytes, limit));
                place(&mut columns.i128s[slot], frame, lanes, &values, |value| value);
            }
            OpKind::Decimal256 => {
                let limit = plan.decimals[aux].limit.wide;
                let values = spans.map(lanes, |bytes| decimal_256(bytes, limit));
                place(&mut columns.i256s[slot], frame, lanes, &values, |value| value);
            }
            OpKind::Duration => {
                let values = spans.map(lanes, |bytes| duration(bytes.try_into().ok()?));
                place(&mut columns.intervals[slot], frame, lanes, &values, |value| value);
            }
            _ => {
                let column = &mut columns.fixed[slot];
                column.grow(frame.base + frame.len);
                let is_uuid = op.kind == OpKind::UuidText;
                spans.each(lanes, |to, bytes| {
                    let to = frame.base + to as usize;
                    match is_uuid {
                        true => uuid(bytes).map(|bytes| column.set(to, &bytes)),
                        // Of a lane that is lost, the bytes are missing.
                        false => (bytes.len() == column.width()).then(|| column.set(to, bytes)),
                    }
                });
            }
        }
    }

    fn string(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        let mut spans = [Span::default(); LANES];
        let present = read!(sized; self, op, lanes; &mut spans);
        self.mark_valid(op, lanes, frame, present);
        if frame.is_list {
            let gathered = self.gathered(pc);
            if gathered.len() < frame.len {
                gathered.resize(frame.len, Span::default());
            }
            for (to, span) in lanes.to.iter().zip(spans).take(lanes.len) {
                gathered[*to as usize] = span;
            }
            return Ok(());
        }
        if !lanes.is_dense {
            let read = std::mem::replace(&mut spans, [Span::default(); LANES]);
            for (to, span) in lanes.to.iter().zip(read).take(lanes.len) {
                spans[*to as usize] = span;
            }
        }
        if !self.append_strings(op, &spans[..frame.len])? {
            let source = self.arena.window().padded();
            for lane in 0..lanes.len {
                let text = spans[lanes.to[lane] as usize].of(source);
                lose(&mut lanes.at[lane], std::str::from_utf8(text).is_err());
            }
        }
        Ok(())
    }

    fn gathered(&mut self, pc: usize) -> &mut Vec<Span> {
        if self.spans.len() <= pc {
            self.spans.resize_with(pc + 1, Vec::new);
        }
        &mut self.spans[pc]
    }

    /// Appends the strings of a list's items.
    pub(super) fn finish_strings(
        &mut self,
        steps: std::ops::Range<usize>,
        frame: Frame,
    ) -> Result<(), Stuck> {
        for pc in steps {
            let op = &self.plan.ops[pc];
            if !is_string(op.kind) || frame.len == 0 {
                continue;
            }
            let mut spans = std::mem::take(self.gathered(pc));
            spans.resize(frame.len, Span::default());
            if !self.append_strings(op, &spans)? {
                // Which row has the item is not known here.
                self.lost = u64::MAX;
            }
            spans.clear();
            *self.gathered(pc) = spans;
        }
        Ok(())
    }

    /// Appends strings, and says whether they are what their column wants: UTF-8.
    fn append_strings(&mut self, op: &Op, spans: &[Span]) -> Result<bool, Stuck> {
        let (slot, source) = (op.slot as usize, self.arena.window().padded());
        Ok(match op.kind {
            OpKind::LargeText => self.columns.large_bytes[slot].extend_text(source, spans)?,
            OpKind::Text => self.columns.bytes[slot].extend_text(source, spans)?,
            OpKind::TextView | OpKind::BytesView => {
                let column = &mut self.columns.views[slot];
                for span in spans {
                    column.push(span.of(source))?;
                }
                let is_text = |span: &Span| std::str::from_utf8(span.of(source)).is_ok();
                op.kind == OpKind::BytesView || spans.iter().all(is_text)
            }
            OpKind::LargeBytes => {
                self.columns.large_bytes[slot].extend_spans(source, spans)?;
                true
            }
            _ => {
                self.columns.bytes[slot].extend_spans(source, spans)?;
                true
            }
        })
    }
}

/// Whether the step reads a string of any length.
fn is_string(kind: OpKind) -> bool {
    use OpKind as K;
    matches!(
        kind,
        K::Bytes | K::LargeBytes | K::BytesView | K::Text | K::LargeText | K::TextView
    )
}

/// What was read for each lane, as bytes.
struct Spans<'a> {
    spans: &'a [Span; LANES],
    source: &'a [u8],
    present: u64,
}

impl Spans<'_> {
    /// Calls `take` with the position and the bytes of each lane that has some; where it returns `None` the lane is lost.
    fn each(&self, lanes: &mut Lanes, mut take: impl FnMut(u32, &[u8]) -> Option<()>) {
        for lane in 0..lanes.len {
            if self.present >> lane & 1 == 1 {
                let bytes = self.spans[lane].of(self.source);
                lose(&mut lanes.at[lane], take(lanes.to[lane], bytes).is_none());
            }
        }
    }

    /// The values by lane.
    fn map<T: Copy + Default>(&self, lanes: &mut Lanes, value: impl Fn(&[u8]) -> Option<T>) -> [T; LANES] {
        let mut values = [T::default(); LANES];
        for (lane, slot) in values.iter_mut().enumerate().take(lanes.len) {
            if self.present >> lane & 1 == 1 {
                let value = value(self.spans[lane].of(self.source));
                lose(&mut lanes.at[lane], value.is_none());
                *slot = value.unwrap_or_default();
            }
        }
        values
    }
}

/// Appends a value for each lane, or puts it in its place.
#[inline(always)]
fn place<T: Copy + Default, V: Copy>(
    column: &mut Vec<T>,
    frame: Frame,
    lanes: &Lanes,
    values: &[V; LANES],
    convert: impl Fn(V) -> T,
) {
    if lanes.is_dense {
        column.extend(values[..lanes.len].iter().map(|value| convert(*value)));
        return;
    }
    if column.len() < frame.base + frame.len {
        column.resize(frame.base + frame.len, T::default());
    }
    let column = &mut column[frame.base..];
    for (to, value) in lanes.to.iter().zip(values).take(lanes.len) {
        column[*to as usize] = convert(*value);
    }
}

/// The same for booleans.
fn place_bits(column: &mut Bits, frame: Frame, lanes: &Lanes, values: &[u64; LANES]) {
    if lanes.is_dense {
        let values = values[..lanes.len].iter().enumerate();
        let word = values.fold(0, |word, (lane, value)| word | value << lane);
        column.push_word(word, lanes.len);
        return;
    }
    column.grow(frame.base + frame.len);
    for (to, value) in lanes.to.iter().zip(values).take(lanes.len) {
        column.or(frame.base + *to as usize, *value == 1);
    }
}
