//! The row engine: one message through all steps, into one row.
//!
//! It finds what is wrong with a row, and where, and it takes every shape. The steps append as they
//! go and never look back; the caller rolls back what a bad row left behind.
//!
//! # Example
//!
//! A record of a string that may be null and a list of ints, and the message `02 02 61 04 0e 10
//! 00`.
//!
//! 1. The step of the string reads the byte 2: the value is there. It reads a length of 1 and "a",
//!    checks that it is UTF-8, and appends it to the column and a 1 to its validity.
//! 2. The step of the list reads a head of 2, charges two items to the row, and runs the step of
//!    the int twice: 7 and 8. The next head is 0, the end. The list's offsets grow by 2.
//! 3. No step is left and no byte: the row is good.
//!
//! Had the message ended after `0e`, the int's step would have failed with the offset 5 and the
//! path of the list's items; the columns would be a string and an int ahead of the list, and be
//! truncated.
//!
//! # Invariants
//!
//! - A step that fails says what is wrong, where in the message, and in which field.
//! - What a row takes beyond its bytes is charged before it is appended.

use std::ops::Range;

use sabot_codec::{Fault, RowBudget};
use sabot_columns::{Columns, Overflow};
use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

use super::prefix::{Failure, read_block, read_presence};
use super::skip::Skips;
use super::{Op, OpKind, Plan};

/// Appends the row of one message's `body` to `columns`. `text` is for values that become text, and
/// kept from row to row.
pub(crate) fn decode_row(
    plan: &Plan,
    columns: &mut Columns,
    text: &mut Vec<u8>,
    body: &[u8],
    budget: &mut RowBudget,
) -> Result<(), Fault> {
    let byte_offset = decode_steps(plan, columns, text, body, 0..plan.ops.len(), budget)?;
    let left = body.len() - byte_offset;
    if left > 0 && !plan.ends_early {
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        return Err(Fault::of_message(byte_offset, RowErrorKind::TrailingBytes(left)));
    }
    Ok(())
}

/// Runs some steps of a row, whose bytes `body` begins with, and says how many bytes they read.
pub(super) fn decode_steps(
    plan: &Plan,
    columns: &mut Columns,
    text: &mut Vec<u8>,
    body: &[u8],
    steps: Range<usize>,
    budget: &mut RowBudget,
) -> Result<usize, Fault> {
    let mut row = Row {
        plan,
        columns,
        text,
        cursor: Cursor::new(body),
        budget,
    };
    row.run(steps.start, steps.end)?;
    Ok(row.cursor.position())
}

pub(super) struct Row<'a> {
    pub(super) plan: &'a Plan,
    pub(super) columns: &'a mut Columns,
    /// What a value that becomes text is written to.
    pub(super) text: &'a mut Vec<u8>,
    pub(super) cursor: Cursor<'a>,
    pub(super) budget: &'a mut RowBudget,
}

/// What a step fails with before it is known which it was.
#[derive(Clone, Copy)]
pub(super) enum StepFault {
    Row(Failure),
    Overflow,
    /// From a step below, which said where.
    Below(Fault),
}

impl<E: Into<Failure>> From<E> for StepFault {
    #[inline]
    fn from(error: E) -> Self {
        Self::Row(error.into())
    }
}

impl<'a> Row<'a> {
    /// Runs the steps from `pc` up to `end`.
    fn run(&mut self, mut pc: usize, end: usize) -> Result<(), Fault> {
        let plan = self.plan;
        while pc < end {
            let op = &plan.ops[pc];
            match self.step(op, pc) {
                Ok(next) => pc = next,
                Err(fault) => return Err(self.fault(fault, pc)),
            }
        }
        Ok(())
    }

    #[cold]
    fn fault(&self, fault: StepFault, pc: usize) -> Fault {
        match fault {
            StepFault::Row(Failure { kind, byte_offset }) => Fault::Row {
                byte_offset,
                path: self.plan.sites[pc].path,
                kind,
            },
            StepFault::Overflow => Fault::Overflow,
            StepFault::Below(fault) => fault,
        }
    }

    /// Runs one step, and says which is next.
    #[inline(always)]
    fn step(&mut self, op: &'a Op, pc: usize) -> Result<usize, StepFault> {
        if op.non_null_byte != Op::NO_TAG && !read_presence(&mut self.cursor, op.non_null_byte)? {
            return self.push_absent(op, pc);
        }
        if op.validity != Op::NO_VALIDITY {
            self.columns.validity[op.validity as usize].push(true);
        }
        match op.kind {
            OpKind::Struct => {}
            OpKind::List => {
                self.list(op, pc)?;
                return Ok(op.aux as usize);
            }
            OpKind::Default => {
                self.default(op, pc)?;
                return Ok(op.aux as usize);
            }
            OpKind::Switch => return self.switch(op),
            OpKind::Jump => return Ok(op.aux as usize),
            OpKind::Branch => self.columns.unions[op.at as usize]
                .push(op.aux as i8)
                .map_err(overflow)?,
            OpKind::PushNull => self
                .columns
                .push_null(self.plan.sites[pc].column)
                .map_err(overflow)?,
            OpKind::Fail => {
                return Err(Failure::new(RowErrorKind::Unresolvable, self.cursor.position()).into());
            }
            OpKind::Skip => self.skip(Some(&self.plan.skips), op)?,
            OpKind::SkipInDefault => self.skip(self.plan.skips_in_default.as_ref(), op)?,
            OpKind::TooDeep => {
                let kind = RowErrorKind::LimitExceeded("levels of a recursive type");
                return Err(Failure::new(kind, self.cursor.position()).into());
            }
            _ => self.value(op, pc)?,
        }
        Ok(pc + 1)
    }

    /// Appends one value to one column.
    #[inline(always)]
    fn value(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let column = op.at as usize;
        let Self { columns, cursor, .. } = self;
        match op.kind {
            OpKind::Null => columns.nulls[column] += 1,
            OpKind::Bool => {
                let value = self.read_bool()?;
                self.columns.bools[column].push(value);
            }
            OpKind::Int => columns.i32s[column].push(cursor.read_int()?),
            OpKind::Long => columns.i64s[column].push(cursor.read_long()?),
            OpKind::IntToLong => columns.i64s[column].push(cursor.read_int()?.into()),
            OpKind::IntToFloat => columns.f32s[column].push(cursor.read_int()? as f32),
            OpKind::IntToDouble => columns.f64s[column].push(cursor.read_int()?.into()),
            OpKind::LongToFloat => columns.f32s[column].push(cursor.read_long()? as f32),
            OpKind::LongToDouble => columns.f64s[column].push(cursor.read_long()? as f64),
            OpKind::Float => columns.f32s[column].push(cursor.read_f32()?),
            OpKind::FloatToDouble => columns.f64s[column].push(cursor.read_f32()?.into()),
            OpKind::Double => columns.f64s[column].push(cursor.read_f64()?),
            OpKind::Bytes => columns.bytes[column]
                .push(cursor.read_sized()?)
                .map_err(overflow)?,
            OpKind::LargeBytes => columns.large_bytes[column]
                .push(cursor.read_sized()?)
                .map_err(overflow)?,
            OpKind::BytesView => columns.views[column]
                .push(cursor.read_sized()?)
                .map_err(overflow)?,
            OpKind::Text => {
                let text = self.read_text()?;
                self.columns.bytes[column].push(text).map_err(overflow)?;
            }
            OpKind::LargeText => {
                let text = self.read_text()?;
                self.columns.large_bytes[column].push(text).map_err(overflow)?;
            }
            OpKind::TextView => {
                let text = self.read_text()?;
                self.columns.views[column].push(text).map_err(overflow)?;
            }
            OpKind::Fixed => columns.fixed[column].push(cursor.read_slice(op.aux as usize)?),
            OpKind::EnumIndex => {
                let index = self.read_index(op.aux)?;
                self.columns.i32s[column].push(index);
            }
            _ => self.rare(op, pc)?,
        }
        Ok(())
    }

    #[inline]
    fn read_bool(&mut self) -> Result<bool, Failure> {
        let at = self.cursor.position();
        match self.cursor.read_u8()? {
            byte @ (0 | 1) => Ok(byte == 1),
            byte => Err(Failure::new(RowErrorKind::InvalidBoolean(byte), at)),
        }
    }

    /// An enum's index below `symbols`.
    #[inline]
    fn read_index(&mut self, symbols: u32) -> Result<i32, Failure> {
        let at = self.cursor.position();
        let index = self.cursor.read_int()?;
        if index as u32 >= symbols {
            return Err(Failure::new(RowErrorKind::InvalidEnumIndex(index.into()), at));
        }
        Ok(index)
    }

    /// Appends a null instead of what the step would read, and says which step is next.
    #[inline]
    fn push_absent(&mut self, op: &Op, pc: usize) -> Result<usize, StepFault> {
        let column = op.at as usize;
        match op.kind {
            OpKind::Int | OpKind::EnumIndex => self.columns.i32s[column].push(0),
            OpKind::Long | OpKind::IntToLong => self.columns.i64s[column].push(0),
            OpKind::Float => self.columns.f32s[column].push(0.0),
            OpKind::Double => self.columns.f64s[column].push(0.0),
            OpKind::Bool => self.columns.bools[column].push(false),
            OpKind::Text | OpKind::Bytes => self.columns.bytes[column].push(&[]).map_err(overflow)?,
            kind => {
                self.columns
                    .push_null(self.plan.sites[pc].column)
                    .map_err(overflow)?;
                let has_steps = matches!(kind, OpKind::Struct | OpKind::List);
                return Ok(if has_steps { op.aux as usize } else { pc + 1 });
            }
        }
        // Only columns that can be null are read after such a byte.
        self.columns.validity[op.validity as usize].push(false);
        Ok(pc + 1)
    }

    #[inline]
    fn read_text(&mut self) -> Result<&'a [u8], Failure> {
        let text = self.cursor.read_sized()?;
        // Most text is short and ASCII, and calling the full check for each costs more than reading
        // the value.
        if is_short_ascii(text) {
            return Ok(text);
        }
        match std::str::from_utf8(text) {
            Ok(_) => Ok(text),
            Err(error) => {
                let start = self.cursor.position() - text.len();
                Err(Failure::new(
                    RowErrorKind::InvalidUtf8,
                    start + error.valid_up_to(),
                ))
            }
        }
    }

    fn list(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let Some(site) = self.plan.sites[pc].list else {
            return Ok(());
        };
        let mut items = 0;
        while let Some(block) = read_block(&mut self.cursor, self.budget, site.min_item_bytes)? {
            let bytes = block.count.saturating_mul(site.item_width_bytes as usize);
            self.charge(bytes, block.size_at, pc)?;
            let start = self.cursor.position();
            for _ in 0..block.count {
                self.run(pc + 1, op.aux as usize).map_err(StepFault::Below)?;
            }
            if let Some(size_bytes) = block.size_bytes
                && self.cursor.position() - start != size_bytes
            {
                let kind = RowErrorKind::InvalidLength(size_bytes as i64);
                return Err(Failure::new(kind, block.size_at).into());
            }
            items += block.count;
        }
        self.columns.lists[op.at as usize].push(items).map_err(overflow)
    }

    /// Charges what is about to be appended beyond the message's own bytes, of which a few may
    /// stand for many in the columns: nulls, defaults, items without bytes, text that is made.
    #[inline]
    pub(super) fn charge(&mut self, bytes: usize, at: usize, pc: usize) -> Result<(), StepFault> {
        let charged = self.budget.charge(bytes);
        charged.map_err(|over| StepFault::Below(over.at(at, self.plan.sites[pc].path)))
    }

    #[inline]
    fn switch(&mut self, op: &Op) -> Result<usize, StepFault> {
        let at = self.cursor.position();
        let index = self.cursor.read_long()?;
        if index as u64 >= u64::from(op.aux) {
            return Err(Failure::new(RowErrorKind::InvalidUnionIndex(index), at).into());
        }
        Ok(self.plan.jumps[op.first_jump() + index as usize] as usize)
    }

    fn skip(&mut self, skips: Option<&Skips>, op: &Op) -> Result<(), StepFault> {
        let Some(skips) = skips else { return Ok(()) };
        let depth = self.plan.depth();
        for at in op.skip_steps() {
            let (step, path) = self.plan.skip_steps[at];
            let skipped = skips.run(step, &mut self.cursor, self.budget, depth);
            skipped.map_err(|Failure { kind, byte_offset }| {
                StepFault::Below(Fault::Row {
                    byte_offset,
                    path,
                    kind,
                })
            })?;
        }
        Ok(())
    }

    /// Reads a default as if it stood in the message.
    fn default(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let default = Cursor::new(&self.plan.defaults[op.default_at()]);
        let message = std::mem::replace(&mut self.cursor, default);
        let result = self.run(pc + 1, op.aux as usize);
        self.cursor = message;
        result.map_err(|fault| match fault {
            Fault::Row { path, kind, .. } => StepFault::Below(Fault::Row {
                byte_offset: message.position(),
                path,
                kind,
            }),
            fault => StepFault::Below(fault),
        })
    }
}

#[cold]
pub(super) fn overflow(Overflow: Overflow) -> StepFault {
    StepFault::Overflow
}

/// Whether `text` has at most 32 bytes and all are ASCII.
#[inline]
fn is_short_ascii(text: &[u8]) -> bool {
    const NOT_ASCII: u64 = 0x8080_8080_8080_8080;
    if text.len() > 32 {
        return false;
    }
    let (words, tail) = text.as_chunks::<8>();
    let words = words
        .iter()
        .fold(0, |bits, word| bits | u64::from_le_bytes(*word));
    let tail = tail.iter().fold(0, |bits, byte| bits | byte);
    (words | u64::from(tail)) & NOT_ASCII == 0
}
