//! From a parsed message to a row of the columns.
//!
//! Columns are written by appending, so every node gets exactly one value a row: of members with
//! one name the last is taken, and what is missing gets its null.

use std::collections::HashMap;

use arrow_buffer::i256;
use sabot_codec::{Fault, GrowingDictionaries, RowBudget};
use sabot_columns::{Columns, NodeIx, NodeKind};
use sabot_decode::{FieldPathId, RowErrorKind};
use simd_json::{Node, StaticNode};

use crate::locate::Locator;
use crate::parse::Document;
use crate::plan::{Conversion, MAX_NULL_CELLS, Plan};
use crate::{number, text};

/// What outlives a row: buffers and dictionaries.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// For each struct that is being written: where each member is on the tape, or 0.
    members: Vec<u32>,
    /// A map's keys on the tape.
    keys: Vec<u32>,
    bytes: Vec<u8>,
    pub(crate) dictionaries: GrowingDictionaries,
}

/// Appends one message to the columns; the caller ends the row.
pub(crate) fn write(
    columns: &mut Columns,
    plan: &Plan,
    scratch: &mut Scratch,
    document: Document<'_>,
    budget: &mut RowBudget,
) -> Result<(), Fault> {
    scratch.members.clear();
    let locator = Locator::new(document);
    let mut writer = Writer {
        columns,
        plan,
        scratch,
        document,
        locator,
        budget,
        open_lists: 0,
        null_cells_left: MAX_NULL_CELLS,
    };
    if !matches!(document.nodes[0], Node::Object { .. }) {
        return Err(writer.mismatch_at(FieldPathId::ROOT, 0, "an object"));
    }
    writer.write_members(&plan.members, plan.layout.roots(), 0)
}

struct Writer<'a> {
    columns: &'a mut Columns,
    plan: &'a Plan,
    scratch: &'a mut Scratch,
    document: Document<'a>,
    locator: Locator<'a>,
    budget: &'a mut RowBudget,
    /// Lists and maps around the value at hand.
    open_lists: usize,
    null_cells_left: usize,
}

impl<'a> Writer<'a> {
    /// Writes the members of the object at `at` into `children`.
    fn write_members(
        &mut self,
        names: &HashMap<Box<str>, u32>,
        children: &[NodeIx],
        at: usize,
    ) -> Result<(), Fault> {
        let base = self.scratch.members.len();
        self.scratch.members.resize(base + children.len(), 0);
        let end = self.document.after(at);
        let mut key = at + 1;
        // Members mostly come in the schema's order: the next one is tried before the table is
        // asked.
        let mut expected = 0;
        while key < end {
            let Node::String(name) = self.document.nodes[key] else {
                break;
            };
            let is_expected = children
                .get(expected)
                .is_some_and(|&child| self.plan.layout.node(child).field.name() == name);
            let position = if is_expected {
                Some(expected)
            } else {
                names.get(name).map(|&position| position as usize)
            };
            if let Some(position) = position {
                self.scratch.members[base + position] = key as u32 + 1;
                expected = position + 1;
            }
            key = self.document.after(key + 1);
        }
        for (position, &child) in children.iter().enumerate() {
            match self.scratch.members[base + position] {
                0 => self.write_null(child, at, false)?,
                value => self.write_value(child, value as usize)?,
            }
        }
        self.scratch.members.truncate(base);
        Ok(())
    }

    /// A null, or the end of the row where the column does not allow one; `at` is the node to point
    /// at. `is_written`: the message has a null, and not nothing.
    fn write_null(&mut self, node: NodeIx, at: usize, is_written: bool) -> Result<(), Fault> {
        const CELL_BYTES: usize = 8;
        if !self.plan.layout.node(node).field.is_nullable() {
            return Err(self.fault(node, at, RowErrorKind::MissingValue));
        }
        if self.open_lists > 0 {
            // In a list, objects without members cost as much as full ones.
            let cells = self.plan.node(node).cells;
            self.budget.charge_anyway(cells * CELL_BYTES);
            // How many nulls are written is bounded by the message. So a null for an object counts
            // as much as an object without members, which inference relies on.
            let left = self.null_cells_left.checked_sub(cells - usize::from(is_written));
            let kind = RowErrorKind::LimitExceeded("nulls in one message");
            self.null_cells_left = left.ok_or_else(|| self.fault(node, at, kind))?;
        }
        Ok(self.columns.push_null(node)?)
    }

    fn write_value(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let plan = self.plan;
        let conversion = &plan.node(node).conversion;
        let layout_node = plan.layout.node(node);
        let is_null = self.document.nodes[at] == Node::Static(StaticNode::Null);
        if is_null && (*conversion != Conversion::Raw || layout_node.validity.is_some()) {
            return self.write_null(node, at, true);
        }
        if let Some(column) = layout_node.validity {
            self.columns.validity[column].push(true);
        }
        match conversion {
            Conversion::Null => Err(self.mismatch(node, at, "null")),
            Conversion::Bool => self.write_bool(node, at),
            Conversion::Float => self.write_float(node, at),
            Conversion::Integer => {
                let value = self.integer(node, at)?;
                self.store(node, at, value)
            }
            Conversion::Decimal { precision, scale } => self.write_decimal(node, at, *precision, *scale),
            Conversion::Date32 | Conversion::Date64 | Conversion::Time(_) | Conversion::Timestamp { .. } => {
                self.write_time(node, at, conversion)
            }
            Conversion::Text | Conversion::Scalar | Conversion::Raw => self.write_text(node, at, conversion),
            Conversion::Base64 => self.write_base64(node, at),
            Conversion::Uuid => {
                let uuid = text::uuid(self.string(node, at)?);
                let uuid = uuid.ok_or_else(|| self.fault(node, at, RowErrorKind::InvalidText))?;
                if let NodeKind::Fixed(column) = layout_node.kind {
                    self.columns.fixed[column].push(uuid.as_bytes());
                }
                Ok(())
            }
            Conversion::Dictionary => self.write_dictionary(node, at),
            Conversion::Struct => self.write_struct(node, at),
            Conversion::List => self.write_list(node, at),
            Conversion::Map => self.write_map(node, at),
        }
    }

    fn write_bool(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        match (&self.plan.layout.node(node).kind, &self.document.nodes[at]) {
            (NodeKind::Bool(column), Node::Static(StaticNode::Bool(value))) => {
                self.columns.bools[*column].push(*value);
            }
            _ => return Err(self.mismatch(node, at, "a boolean")),
        }
        Ok(())
    }

    fn write_float(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let is_finite = match self.plan.layout.node(node).kind {
            NodeKind::F32(column) => {
                let value = self.float32(node, at)?;
                self.columns.f32s[column].push(value);
                value.is_finite()
            }
            NodeKind::F64(column) => {
                let value = self.float64(node, at)?;
                self.columns.f64s[column].push(value);
                value.is_finite()
            }
            _ => false,
        };
        if is_finite {
            Ok(())
        } else {
            Err(self.fault(node, at, RowErrorKind::NumberOutOfRange))
        }
    }

    fn float64(&mut self, node: NodeIx, at: usize) -> Result<f64, Fault> {
        match self.document.nodes[at] {
            Node::Static(StaticNode::F64(value)) => Ok(value),
            // Other zeros are unsigned on the tape.
            Node::Static(StaticNode::I64(0)) => Ok(-0.0),
            Node::Static(StaticNode::I64(value)) => Ok(value as f64),
            Node::Static(StaticNode::U64(value)) => Ok(value as f64),
            _ => Err(self.mismatch(node, at, "a number")),
        }
    }

    /// Rounded once, from the text: through an `f64` it could be rounded twice, to a neighbour of
    /// the nearest.
    fn float32(&mut self, node: NodeIx, at: usize) -> Result<f32, Fault> {
        self.float64(node, at)?;
        let text = std::str::from_utf8(self.locator.text(at)).ok();
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(f32::NAN))
    }

    fn write_decimal(&mut self, node: NodeIx, at: usize, precision: u8, scale: i8) -> Result<(), Fault> {
        let digits = match self.document.nodes[at] {
            Node::String(digits) => digits.as_bytes(),
            Node::Static(StaticNode::I64(_) | StaticNode::U64(_) | StaticNode::F64(_)) => {
                self.locator.text(at)
            }
            _ => return Err(self.mismatch(node, at, "a number")),
        };
        let value = number::scaled(digits, scale).filter(|value| number::fits(*value, precision));
        let kind = if number::is_number(digits) {
            RowErrorKind::DecimalOverflow
        } else {
            RowErrorKind::InvalidText
        };
        let value = value.ok_or_else(|| self.fault(node, at, kind))?;
        if let NodeKind::I256(column) = self.plan.layout.node(node).kind {
            self.columns.i256s[column].push(value);
            return Ok(());
        }
        let value = value
            .to_i128()
            .ok_or_else(|| self.fault(node, at, RowErrorKind::DecimalOverflow))?;
        self.store(node, at, value)
    }

    /// A whole number, exactly.
    fn integer(&mut self, node: NodeIx, at: usize) -> Result<i128, Fault> {
        match self.document.nodes[at] {
            Node::Static(StaticNode::I64(value)) => Ok(value.into()),
            Node::Static(StaticNode::U64(value)) => Ok(value.into()),
            Node::Static(StaticNode::F64(_)) => {
                let value = number::scaled(self.locator.text(at), 0).and_then(i256::to_i128);
                value.ok_or_else(|| self.fault(node, at, RowErrorKind::NumberOutOfRange))
            }
            _ => Err(self.mismatch(node, at, "a whole number")),
        }
    }

    /// Appends a number to an integer column if it fits there.
    fn store(&mut self, node: NodeIx, at: usize, value: i128) -> Result<(), Fault> {
        fn push<T: TryFrom<i128>>(values: &mut Vec<T>, value: i128) -> bool {
            T::try_from(value).map(|value| values.push(value)).is_ok()
        }
        let columns = &mut *self.columns;
        let fits = match self.plan.layout.node(node).kind {
            NodeKind::I8(column) => push(&mut columns.i8s[column], value),
            NodeKind::I16(column) => push(&mut columns.i16s[column], value),
            NodeKind::I32(column) => push(&mut columns.i32s[column], value),
            NodeKind::I64(column) => push(&mut columns.i64s[column], value),
            NodeKind::U8(column) => push(&mut columns.u8s[column], value),
            NodeKind::U16(column) => push(&mut columns.u16s[column], value),
            NodeKind::U32(column) => push(&mut columns.u32s[column], value),
            NodeKind::U64(column) => push(&mut columns.u64s[column], value),
            NodeKind::I128(column) => push(&mut columns.i128s[column], value),
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(self.fault(node, at, RowErrorKind::NumberOutOfRange))
        }
    }

    /// Dates and times: text, or a number of the column's unit.
    fn write_time(&mut self, node: NodeIx, at: usize, conversion: &Conversion) -> Result<(), Fault> {
        const DAY_MS: i64 = 86_400_000;
        let Node::String(written) = self.document.nodes[at] else {
            let value = self.integer(node, at)?;
            if let Conversion::Time(unit) = conversion
                && !(0..text::day(*unit)).contains(&value)
            {
                return Err(self.fault(node, at, RowErrorKind::NumberOutOfRange));
            }
            return self.store(node, at, value);
        };
        let value = match conversion {
            Conversion::Date32 => text::date(written).map(i64::from),
            Conversion::Date64 => text::date(written).map(|days| i64::from(days) * DAY_MS),
            Conversion::Time(unit) => text::time(written, *unit),
            Conversion::Timestamp { unit, zoned } => text::timestamp(written, *unit, *zoned),
            _ => None,
        };
        let value = value.ok_or_else(|| self.fault(node, at, RowErrorKind::InvalidText))?;
        self.store(node, at, value.into())
    }

    fn write_text(&mut self, node: NodeIx, at: usize, conversion: &Conversion) -> Result<(), Fault> {
        let value = match (conversion, &self.document.nodes[at]) {
            (Conversion::Raw, _) => self.locator.text(at),
            (_, Node::String(value)) => value.as_bytes(),
            (Conversion::Scalar, Node::Static(_)) => self.locator.text(at),
            _ => return Err(self.mismatch(node, at, "a string")),
        };
        self.push_bytes(node, value)
    }

    fn write_base64(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let written = self.string(node, at)?;
        let mut bytes = std::mem::take(&mut self.scratch.bytes);
        bytes.clear();
        let result = match text::base64(written, &mut bytes) {
            None => Err(self.fault(node, at, RowErrorKind::InvalidText)),
            Some(()) => self.push_binary(node, at, &bytes),
        };
        self.scratch.bytes = bytes;
        result
    }

    fn push_binary(&mut self, node: NodeIx, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        let NodeKind::Fixed(column) = self.plan.layout.node(node).kind else {
            return self.push_bytes(node, bytes);
        };
        let expected = self.columns.fixed[column].width();
        if bytes.len() != expected {
            let kind = RowErrorKind::WrongSize {
                expected: expected as u32,
                found: bytes.len() as u32,
            };
            return Err(self.fault(node, at, kind));
        }
        self.columns.fixed[column].push(bytes);
        Ok(())
    }

    fn push_bytes(&mut self, node: NodeIx, bytes: &[u8]) -> Result<(), Fault> {
        match self.plan.layout.node(node).kind {
            NodeKind::Bytes(column) => self.columns.bytes[column].push(bytes)?,
            NodeKind::LargeBytes(column) => self.columns.large_bytes[column].push(bytes)?,
            NodeKind::Views(column) => self.columns.views[column].push(bytes)?,
            _ => {}
        }
        Ok(())
    }

    fn write_dictionary(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let value = self.string(node, at)?;
        if let NodeKind::Dictionary(column) = self.plan.layout.node(node).kind {
            let key = self.scratch.dictionaries.key(column, value);
            let key = key.ok_or(Fault::Overflow)?;
            self.columns.i32s[column].push(key);
        }
        Ok(())
    }

    fn write_struct(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let plan = self.plan;
        let (NodeKind::Struct(children), Node::Object { .. }) =
            (&plan.layout.node(node).kind, &self.document.nodes[at])
        else {
            return Err(self.mismatch(node, at, "an object"));
        };
        self.write_members(&plan.node(node).members, children, at)
    }

    fn write_list(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let (NodeKind::List(column, item), Node::Array { len, .. }) =
            (&self.plan.layout.node(node).kind, &self.document.nodes[at])
        else {
            return Err(self.mismatch(node, at, "an array"));
        };
        let (column, item, len) = (*column, *item, *len);
        self.count_items(node, at, len)?;
        self.open_lists += 1;
        let mut value = at + 1;
        for _ in 0..len {
            self.write_value(item, value)?;
            value = self.document.after(value);
        }
        self.open_lists -= 1;
        Ok(self.columns.lists[column].push(len)?)
    }

    fn write_map(&mut self, node: NodeIx, at: usize) -> Result<(), Fault> {
        let (NodeKind::Map(column, key_node, value_node), Node::Object { len, .. }) =
            (&self.plan.layout.node(node).kind, &self.document.nodes[at])
        else {
            return Err(self.mismatch(node, at, "an object"));
        };
        let (column, key_node, value_node, len) = (*column, *key_node, *value_node, *len);
        self.count_items(node, at, len)?;
        let overwritten = self.overwritten_keys(at, len);
        self.open_lists += 1;
        let mut key = at + 1;
        for _ in 0..len {
            if overwritten.binary_search(&(key as u32)).is_err() {
                self.write_value(key_node, key)?;
                self.write_value(value_node, key + 1)?;
            }
            key = self.document.after(key + 1);
        }
        self.open_lists -= 1;
        Ok(self.columns.lists[column].push(len - overwritten.len())?)
    }

    /// The nodes of those keys of a map that come again further on, in order. Mostly there are
    /// none, and then nothing is allocated.
    fn overwritten_keys(&mut self, at: usize, len: usize) -> Vec<u32> {
        let mut keys = std::mem::take(&mut self.scratch.keys);
        keys.clear();
        let mut key = at + 1;
        for _ in 0..len {
            keys.push(key as u32);
            key = self.document.after(key + 1);
        }
        let name = |key: u32| match self.document.nodes[key as usize] {
            Node::String(name) => name,
            _ => "",
        };
        keys.sort_unstable_by_key(|&key| (name(key), key));
        let pairs = keys.windows(2).filter(|pair| name(pair[0]) == name(pair[1]));
        let mut overwritten: Vec<_> = pairs.map(|pair| pair[0]).collect();
        overwritten.sort_unstable();
        self.scratch.keys = keys;
        overwritten
    }

    fn count_items(&mut self, node: NodeIx, at: usize, items: usize) -> Result<(), Fault> {
        let taken = self.budget.take_items(items);
        taken.map_err(|over| self.fault(node, at, over.kind()))
    }

    fn string(&mut self, node: NodeIx, at: usize) -> Result<&'a str, Fault> {
        match self.document.nodes[at] {
            Node::String(value) => Ok(value),
            _ => Err(self.mismatch(node, at, "a string")),
        }
    }

    #[cold]
    fn mismatch(&mut self, node: NodeIx, at: usize, expected: &'static str) -> Fault {
        self.mismatch_at(self.plan.node(node).path, at, expected)
    }

    #[cold]
    fn mismatch_at(&mut self, path: FieldPathId, at: usize, expected: &'static str) -> Fault {
        let found = match self.document.nodes[at] {
            Node::String(_) => "a string",
            Node::Object { .. } => "an object",
            Node::Array { .. } => "an array",
            Node::Static(StaticNode::Bool(_)) => "a boolean",
            Node::Static(StaticNode::Null) => "null",
            Node::Static(_) => "a number",
        };
        let kind = RowErrorKind::TypeMismatch { expected, found };
        Fault::Row {
            byte_offset: self.locator.offset(at),
            path,
            kind,
        }
    }

    #[cold]
    fn fault(&mut self, node: NodeIx, at: usize, kind: RowErrorKind) -> Fault {
        Fault::Row {
            byte_offset: self.locator.offset(at),
            path: self.plan.node(node).path,
            kind,
        }
    }
}
