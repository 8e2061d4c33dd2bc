//! Values as text, in Avro's JSON encoding.
//!
//! The text is the writer's value: the writer's field names, and each value of a union in an object that names its branch.
//! Bytes are text whose characters 0 to 255 stand for them. What JSON has no number for is `"NaN"`, `"Infinity"` and
//! `"-Infinity"`, as Java writes it. Recursion is bounded by the limit on depth, the text by the limit on a row's size.

use std::io::Write;

use sabot_codec::RowBudget;
use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

use super::prefix::{Failure, read_block};
use super::skip::Skips;
use crate::schema::{At, Field, Kind, TypeId};

/// Turns values into text.
pub(super) struct JsonWriter<'a, 'b> {
    pub(super) cursor: &'a mut Cursor<'b>,
    pub(super) budget: &'a mut RowBudget,
    /// Of the schema that the value is written with: they know how many bytes an item takes at least.
    pub(super) skips: &'a Skips,
    pub(super) text: &'a mut Vec<u8>,
    /// Bytes of text at most.
    pub(super) max_bytes: usize,
}

impl JsonWriter<'_, '_> {
    /// Reads one value that may nest `depth` levels deep.
    pub(super) fn value(&mut self, at: At<'_>, depth: usize) -> Result<(), Failure> {
        let start = self.cursor.position();
        let limit = |what| Failure::new(RowErrorKind::LimitExceeded(what), start);
        if self.text.len() > self.max_bytes {
            return Err(limit("bytes of one row in the columns"));
        }
        let below = || depth.checked_sub(1).ok_or(limit("depth"));
        match at.kind() {
            Kind::Null => self.push("null"),
            Kind::Boolean => match self.cursor.read_u8()? {
                0 => self.push("false"),
                1 => self.push("true"),
                other => return Err(Failure::new(RowErrorKind::InvalidBoolean(other), start)),
            },
            Kind::Int => {
                let value = self.cursor.read_int()?;
                self.number(value.into());
            }
            Kind::Long => {
                let value = self.cursor.read_long()?;
                self.number(value);
            }
            Kind::Float => {
                let value = self.cursor.read_f32()?;
                self.float(value.into(), |text| serde_json::to_writer(text, &value));
            }
            Kind::Double => {
                let value = self.cursor.read_f64()?;
                self.float(value, |text| serde_json::to_writer(text, &value));
            }
            Kind::Bytes => {
                let bytes = self.cursor.read_sized()?;
                self.bytes(bytes);
            }
            Kind::Fixed(size) => {
                let bytes = self.cursor.read_slice(*size)?;
                self.bytes(bytes);
            }
            Kind::String => self.string()?,
            Kind::Enum(symbols) => {
                let index = self.cursor.read_int()?;
                let symbol = usize::try_from(index)
                    .ok()
                    .and_then(|index| symbols.symbols.get(index));
                let invalid = Failure::new(RowErrorKind::InvalidEnumIndex(index.into()), start);
                self.quoted(symbol.ok_or(invalid)?);
            }
            Kind::Union(branches) => self.union(at, branches, depth)?,
            Kind::Record(fields) => self.record(at, fields, below()?)?,
            Kind::Array(item) => self.items(at.to(*item), false, below()?)?,
            Kind::Map(value) => self.items(at.to(*value), true, below()?)?,
        }
        Ok(())
    }

    fn record(&mut self, at: At<'_>, fields: &[Field], depth: usize) -> Result<(), Failure> {
        for (position, field) in fields.iter().enumerate() {
            self.push(if position == 0 { "{" } else { "," });
            self.quoted(&field.name);
            self.push(":");
            self.value(at.to(field.ty), depth)?;
        }
        self.push(if fields.is_empty() { "{}" } else { "}" });
        Ok(())
    }

    fn union(&mut self, at: At<'_>, branches: &[TypeId], depth: usize) -> Result<(), Failure> {
        let start = self.cursor.position();
        let index = self.cursor.read_long()?;
        let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
        let branch = branch.ok_or(Failure::new(RowErrorKind::InvalidUnionIndex(index), start))?;
        let branch = at.to(*branch);
        if let Kind::Null = branch.kind() {
            self.push("null");
            return Ok(());
        }
        self.push("{");
        self.quoted(branch.full_name());
        self.push(":");
        self.value(branch, depth)?;
        self.push("}");
        Ok(())
    }

    fn items(&mut self, item: At<'_>, has_key: bool, depth: usize) -> Result<(), Failure> {
        self.push(if has_key { "{" } else { "[" });
        let mut is_first = true;
        let min_item_bytes = self.skips.min_bytes(item.id) + u32::from(has_key);
        while let Some(block) = read_block(self.cursor, self.budget, min_item_bytes)? {
            let start = self.cursor.position();
            for _ in 0..block.count {
                if !std::mem::take(&mut is_first) {
                    self.push(",");
                }
                if has_key {
                    self.string()?;
                    self.push(":");
                }
                self.value(item, depth)?;
            }
            if let Some(size_bytes) = block.size_bytes
                && self.cursor.position() - start != size_bytes
            {
                let kind = RowErrorKind::InvalidLength(size_bytes as i64);
                return Err(Failure::new(kind, block.size_at));
            }
        }
        self.push(if has_key { "}" } else { "]" });
        Ok(())
    }

    fn string(&mut self) -> Result<(), Failure> {
        let bytes = self.cursor.read_sized()?;
        let start = self.cursor.position() - bytes.len();
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Failure::new(RowErrorKind::InvalidUtf8, start + error.valid_up_to()))?;
        self.quoted(text);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.push("\"");
        for byte in bytes {
            let (start, mut utf8) = (self.text.len(), [0; 4]);
            let text = char::from(*byte).encode_utf8(&mut utf8);
            match byte {
                ..b' ' | b'"' | b'\\' => {
                    // As it is escaped in a string of its own.
                    self.quoted(text);
                    self.text.pop();
                    self.text.remove(start);
                }
                _ => self.push(text),
            }
        }
        self.push("\"");
    }

    fn number(&mut self, value: i64) {
        write!(self.text, "{value}").expect("because a vector takes everything");
    }

    /// `write` writes the number in its own precision.
    fn float(&mut self, value: f64, write: impl FnOnce(&mut Vec<u8>) -> serde_json::Result<()>) {
        if value.is_finite() {
            write(self.text).expect("because a finite number is JSON, and a vector takes everything");
        } else if value.is_nan() {
            self.push("\"NaN\"");
        } else {
            self.push(if value > 0.0 {
                "\"Infinity\""
            } else {
                "\"-Infinity\""
            });
        }
    }

    fn quoted(&mut self, text: &str) {
        serde_json::to_writer(&mut *self.text, text)
            .expect("because text is JSON, and a vector takes everything");
    }

    fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }
}
