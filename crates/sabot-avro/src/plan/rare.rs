//! The row engine's steps of rarer types.

use sabot_decode::{RowErrorKind, StringType};

use super::big::{Big, read_big};
use super::json::JsonWriter;
use super::prefix::Failure;
use super::row::{Row, StepFault, overflow};
use super::skip::Skips;
use super::values::{decimal_128, decimal_256, duration, uuid, uuid_text};
use super::{Op, OpKind};
use crate::schema::TypeId;

impl<'a> Row<'a> {
    /// The steps of rarer types, out of the way of the others.
    #[inline(never)]
    pub(super) fn rare(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let (column, aux) = (op.at as usize, op.aux as usize);
        let at = self.cursor.position();
        let fail = |kind| StepFault::Row(Failure::new(kind, at));
        match op.kind {
            OpKind::IntScaled | OpKind::LongScaled => {
                let value = match op.kind {
                    OpKind::IntScaled => i64::from(self.cursor.read_int()?),
                    _ => self.cursor.read_long()?,
                };
                let scaled = value.checked_mul(self.plan.factors[aux]);
                self.columns.i64s[column].push(scaled.ok_or_else(|| fail(RowErrorKind::NumberOutOfRange))?);
            }
            OpKind::EnumMapped => {
                let index = self.read_symbol(aux)?;
                self.columns.i32s[column].push(index as i32);
            }
            OpKind::EnumText => {
                let index = self.read_symbol(aux)?;
                self.push_made(op, pc, self.plan.enums[aux].texts[index].as_bytes())?;
            }
            OpKind::Decimal32
            | OpKind::Decimal64
            | OpKind::Decimal128
            | OpKind::Decimal256
            | OpKind::DecimalText => self.decimal(op, pc)?,
            OpKind::BigDecimal32
            | OpKind::BigDecimal64
            | OpKind::BigDecimal128
            | OpKind::BigDecimal256
            | OpKind::BigDecimalText => self.big_decimal(op, pc)?,
            OpKind::Duration => {
                let value = duration(self.cursor.read_array()?);
                self.columns.intervals[column]
                    .push(value.ok_or_else(|| fail(RowErrorKind::NumberOutOfRange))?);
            }
            OpKind::UuidText | OpKind::UuidTextAsText => {
                let value = uuid(self.cursor.read_sized()?).ok_or_else(|| fail(RowErrorKind::InvalidText))?;
                if op.kind == OpKind::UuidText {
                    self.columns.fixed[column].push(&value);
                } else {
                    self.push_text(op, pc, &uuid_text(value))?;
                }
            }
            OpKind::UuidBytesAsText => {
                let value = self.cursor.read_array()?;
                self.push_text(op, pc, &uuid_text(value))?;
            }
            OpKind::FixedAsBytes => {
                let bytes = self.cursor.read_slice(aux)?;
                self.push_text(op, pc, bytes)?;
            }
            OpKind::Json | OpKind::JsonInDefault => self.json(op, pc)?,
            OpKind::Encoded => self.encoded(&self.plan.skips, op, pc)?,
            OpKind::EncodedInDefault => {
                let skips = self.plan.skips_in_default.as_ref();
                skips.map_or(Ok(()), |skips| self.encoded(skips, op, pc))?;
            }
            _ => unreachable!("step {pc} is none of the rarer types: {op:?}"),
        }
        Ok(())
    }

    /// A value as text.
    fn json(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let Some((writer, reader)) = &self.plan.schemas else {
            return Ok(());
        };
        let (schema, skips) = match op.kind {
            OpKind::Json => (writer, Some(&self.plan.skips)),
            _ => (reader, self.plan.skips_in_default.as_ref()),
        };
        let Some(skips) = skips else { return Ok(()) };
        let depth = self.plan.depth();
        self.with_text(|row, text| {
            let mut writer = JsonWriter {
                cursor: &mut row.cursor,
                max_bytes: row.budget.row_limit_bytes(),
                budget: row.budget,
                skips,
                text,
            };
            writer.value(schema.at(TypeId(op.aux)), depth)?;
            row.push_made(op, pc, text)
        })
    }

    /// Makes text in a buffer that is kept, unless it becomes large.
    fn with_text(
        &mut self,
        make: impl FnOnce(&mut Self, &mut Vec<u8>) -> Result<(), StepFault>,
    ) -> Result<(), StepFault> {
        const MAX_KEPT_BYTES: usize = 1 << 16;
        let mut text = std::mem::take(self.text);
        text.clear();
        let made = make(self, &mut text);
        if text.capacity() <= MAX_KEPT_BYTES {
            *self.text = text;
        }
        made
    }

    /// A value as it is written.
    fn encoded(&mut self, skips: &Skips, op: &Op, pc: usize) -> Result<(), StepFault> {
        let mut end = self.cursor;
        let step = skips.step(TypeId(op.aux));
        skips.run(step, &mut end, self.budget, self.plan.depth())?;
        let bytes = self.cursor.read_slice(end.position() - self.cursor.position())?;
        self.push_text(op, pc, bytes)
    }

    /// A decimal of the schema's scale.
    fn decimal(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let at = self.cursor.position();
        let overflow = || StepFault::Row(Failure::new(RowErrorKind::DecimalOverflow, at));
        let (column, site) = (op.at as usize, self.plan.decimals[op.aux as usize]);
        let bytes = self.read_bytes(site.fixed_bytes)?;
        match op.kind {
            // Within their precision, numbers fit into the bits that Arrow has for it.
            OpKind::Decimal32 | OpKind::Decimal64 | OpKind::Decimal128 => {
                let value = decimal_128(bytes, site.limit.narrow).ok_or_else(overflow)?;
                match op.kind {
                    OpKind::Decimal32 => self.columns.i32s[column].push(value as i32),
                    OpKind::Decimal64 => self.columns.i64s[column].push(value as i64),
                    _ => self.columns.i128s[column].push(value),
                }
            }
            OpKind::Decimal256 => {
                let value = decimal_256(bytes, site.limit.wide);
                self.columns.i256s[column].push(value.ok_or_else(overflow)?);
            }
            _ => {
                let (precision, scale) = (site.precision.into(), site.scale as usize);
                self.with_text(|row, text| {
                    let big = Big::from_bytes(bytes);
                    let written = big.and_then(|big| big.write_plain(precision, scale, text));
                    written.ok_or_else(overflow)?;
                    row.push_made(op, pc, text)
                })?;
            }
        }
        Ok(())
    }

    /// A decimal with its own scale.
    fn big_decimal(&mut self, op: &Op, pc: usize) -> Result<(), StepFault> {
        let at = self.cursor.position();
        let fail = |kind| StepFault::Row(Failure::new(kind, at));
        let bytes = self.cursor.read_sized()?;
        let (number, scale) = read_big(bytes).map_err(fail)?;
        if op.kind == OpKind::BigDecimalText {
            return self.with_text(|row, text| {
                number.write_scientific(scale, text);
                row.push_text(op, pc, text)
            });
        }
        let site = self.plan.decimals[op.aux as usize];
        let value = number.rescaled(scale, site.scale);
        let limit = site.limit.wide;
        let value = value.filter(|value| limit.wrapping_neg() < *value && *value < limit);
        let value = value.ok_or_else(|| fail(RowErrorKind::DecimalOverflow))?;
        let column = op.at as usize;
        match op.kind {
            OpKind::BigDecimal32 => self.columns.i32s[column].push(value.as_i128() as i32),
            OpKind::BigDecimal64 => self.columns.i64s[column].push(value.as_i128() as i64),
            OpKind::BigDecimal128 => self.columns.i128s[column].push(value.as_i128()),
            _ => self.columns.i256s[column].push(value),
        }
        Ok(())
    }

    /// The bytes of a decimal.
    fn read_bytes(&mut self, fixed_bytes: Option<u32>) -> Result<&'a [u8], Failure> {
        Ok(match fixed_bytes {
            Some(size) => self.cursor.read_slice(size as usize)?,
            None => self.cursor.read_sized()?,
        })
    }

    /// The reader's index of a writer's symbol.
    fn read_symbol(&mut self, map: usize) -> Result<usize, Failure> {
        let at = self.cursor.position();
        let written = self.cursor.read_int()?;
        let index = usize::try_from(written)
            .ok()
            .and_then(|at| self.plan.enums[map].indexes.get(at));
        let index = index.ok_or(Failure::new(RowErrorKind::InvalidEnumIndex(written.into()), at))?;
        usize::try_from(*index).map_err(|_| Failure::new(RowErrorKind::Unresolvable, at))
    }

    /// Appends text that may be many times longer than what stands for it in the message.
    fn push_made(&mut self, op: &Op, pc: usize, text: &[u8]) -> Result<(), StepFault> {
        self.charge(text.len(), self.cursor.position(), pc)?;
        self.push_text(op, pc, text)
    }

    /// Appends text, or bytes, wherever they stand.
    fn push_text(&mut self, op: &Op, pc: usize, text: &[u8]) -> Result<(), StepFault> {
        let column = op.at as usize;
        match self.plan.sites[pc].text {
            StringType::LargeUtf8 => self.columns.large_bytes[column].push(text),
            StringType::Utf8View => self.columns.views[column].push(text),
            _ => self.columns.bytes[column].push(text),
        }
        .map_err(overflow)
    }
}
