//! A reader's default values, from JSON to Avro bytes.
//!
//! The bytes are what a writer with the reader's own schema would have written; plans read them as
//! such.

use std::str::FromStr;

use sabot_decode::PlanError;
use sabot_wire::Guid;
use serde_json::{Map, Value};

use super::big::{Big, read_big};
use super::values::{DecimalLimit, decimal_256, duration};
use crate::schema::{At, Decimal, Field, Kind, Logical, TypeId, brief};

/// Values within one default at most: records whose fields have defaults of their own can multiply
/// without end.
const MAX_VALUES: usize = 1 << 16;
/// Levels of nesting within one default at most.
const MAX_DEPTH: usize = 128;

/// The bytes of `json` as a value of the type `at`, which may be `max_bytes`: a text that is the
/// default of an inner record's field is repeated for every such record.
pub(super) fn encode(at: At<'_>, json: &Value, max_bytes: usize) -> Result<Box<[u8]>, PlanError> {
    let mut encoder = Encoder {
        bytes: Vec::new(),
        max_bytes,
        values: 0,
    };
    encoder.value(at, json, 0)?;
    Ok(encoder.bytes.into())
}

struct Encoder {
    bytes: Vec<u8>,
    max_bytes: usize,
    values: usize,
}

impl Encoder {
    fn value(&mut self, at: At<'_>, json: &Value, depth: usize) -> Result<(), PlanError> {
        self.values += 1;
        if self.values > MAX_VALUES || depth > MAX_DEPTH || self.bytes.len() > self.max_bytes {
            return Err(PlanError::new("the default is too large or too deep"));
        }
        let mismatch = || PlanError::new(format!("the default {} is no {}", brief(json), at.kind().name()));
        match at.kind() {
            Kind::Null => json.as_null().ok_or_else(mismatch)?,
            Kind::Boolean => self.bytes.push(u8::from(json.as_bool().ok_or_else(mismatch)?)),
            Kind::Int => {
                let int = json.as_i64().and_then(|long| i32::try_from(long).ok());
                self.long(int.ok_or_else(mismatch)?.into());
            }
            Kind::Long => self.long(json.as_i64().ok_or_else(mismatch)?),
            Kind::Float => {
                let single = float(json).ok_or_else(mismatch)? as f32;
                self.bytes.extend(single.to_le_bytes());
            }
            Kind::Double => self.bytes.extend(float(json).ok_or_else(mismatch)?.to_le_bytes()),
            Kind::Bytes | Kind::Fixed(_) => {
                let bytes = bytes(json).filter(|bytes| fits(at, bytes)).ok_or_else(mismatch)?;
                if let Kind::Bytes = at.kind() {
                    self.long(bytes.len() as i64);
                }
                self.bytes.extend(bytes);
            }
            Kind::String => {
                let text = json
                    .as_str()
                    .filter(|text| fits(at, text.as_bytes()))
                    .ok_or_else(mismatch)?;
                self.text(text);
            }
            Kind::Enum(symbols) => {
                let default = json.as_str().ok_or_else(mismatch)?;
                let index = symbols.symbols.iter().position(|symbol| **symbol == *default);
                let index = index.ok_or_else(mismatch)?;
                self.long(index as i64);
            }
            Kind::Array(item) => {
                let items = json.as_array().ok_or_else(mismatch)?;
                self.block(items.len());
                items
                    .iter()
                    .try_for_each(|json| self.value(at.to(*item), json, depth + 1))?;
                self.end_blocks(items.len());
            }
            Kind::Map(value) => {
                let entries = json.as_object().ok_or_else(mismatch)?;
                self.block(entries.len());
                for (key, json) in entries {
                    self.text(key);
                    self.value(at.to(*value), json, depth + 1)?;
                }
                self.end_blocks(entries.len());
            }
            Kind::Union(branches) if self.union(at, branches, json, depth) => {}
            Kind::Union(_) => return Err(mismatch()),
            Kind::Record(fields) => self.record(at, fields, json.as_object().ok_or_else(mismatch)?, depth)?,
        }
        Ok(())
    }

    /// The first branch that takes the default; whether there is one.
    fn union(&mut self, at: At<'_>, branches: &[TypeId], json: &Value, depth: usize) -> bool {
        // Since 1.12 the specification allows the default of any branch, not only of the first.
        let start = self.bytes.len();
        // Text is a float in no specification, so that a branch of text comes first.
        let is_last = |at: At<'_>| json.is_string() && matches!(at.kind(), Kind::Float | Kind::Double);
        let positions = branches.iter().enumerate();
        let (last, first): (Vec<_>, Vec<_>) = positions.partition(|(_, branch)| is_last(at.to(**branch)));
        first.into_iter().chain(last).any(|(index, branch)| {
            self.bytes.truncate(start);
            self.long(index as i64);
            self.value(at.to(*branch), json, depth + 1).is_ok()
        })
    }

    fn record(
        &mut self,
        at: At<'_>,
        fields: &[Field],
        object: &Map<String, Value>,
        depth: usize,
    ) -> Result<(), PlanError> {
        for field in fields {
            let json = object.get(&*field.name).or(field.default.as_ref());
            let missing = || PlanError::new("the default lacks this field");
            let value = json
                .ok_or_else(missing)
                .and_then(|json| self.value(at.to(field.ty), json, depth + 1));
            value.map_err(|error| error.within(&*field.name))?;
        }
        Ok(())
    }

    fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    fn text(&mut self, text: &str) {
        self.long(text.len() as i64);
        self.bytes.extend(text.as_bytes());
    }

    fn block(&mut self, count: usize) {
        self.long(count as i64);
    }

    fn end_blocks(&mut self, count: usize) {
        // A block of no items is the end already.
        if count > 0 {
            self.long(0);
        }
    }
}

/// A number, or the names that other implementations write for those which JSON has not.
fn float(json: &Value) -> Option<f64> {
    match json.as_str() {
        None => json.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("INF" | "Infinity") => Some(f64::INFINITY),
        Some("-INF" | "-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}

/// Bytes are written as text whose characters 0 to 255 stand for them.
fn bytes(json: &Value) -> Option<Vec<u8>> {
    json.as_str()?
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

/// Whether bytes or text are of the right size, and fit the logical type: a default that does not
/// would spoil every row.
fn fits(at: At<'_>, bytes: &[u8]) -> bool {
    let is_size = match at.kind() {
        Kind::Fixed(size) => bytes.len() == *size,
        _ => true,
    };
    is_size
        && match at.ty().logical {
            Some(Logical::BigDecimal) => read_big(bytes).is_ok(),
            Some(Logical::Decimal(decimal)) if decimal.precision > Decimal::MAX_ARROW_PRECISION => {
                let (big, mut text) = (Big::from_bytes(bytes), Vec::new());
                big.and_then(|big| big.write_plain(decimal.precision.into(), 0, &mut text))
                    .is_some()
            }
            Some(Logical::Decimal(decimal)) => {
                decimal_256(bytes, DecimalLimit::new(decimal.precision).wide).is_some()
            }
            Some(Logical::Duration) => bytes.try_into().is_ok_and(|bytes| duration(bytes).is_some()),
            Some(Logical::Uuid) if matches!(at.kind(), Kind::String) => {
                std::str::from_utf8(bytes).is_ok_and(|text| Guid::from_str(text).is_ok())
            }
            _ => true,
        }
}
