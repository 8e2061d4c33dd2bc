//! One payload, one value, one column.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use sabot_codec::{Fault, Projection, SlotColumns};
use sabot_columns::{Columns, Layout, NodeKind};
use sabot_decode::{
    Decoder, FieldPathId, FlushError, OutputSchema, Payload, PlanError, Progress, RowError, RowErrorKind,
    SchemaKey, Slots, Target, WriterSchema,
};
use sabot_wire::Guid;

use crate::Serde;

#[derive(Debug)]
pub(crate) struct PlainDecoder {
    serde: Serde,
    schema: SchemaRef,
    /// Where the column's values and validity stand.
    kind: NodeKind,
    rows: SlotColumns,
}

impl PlainDecoder {
    pub(crate) fn new(serde: Serde, column: &str, target: &Target) -> Result<Self, PlanError> {
        if target.output != OutputSchema::FirstWriter {
            return Err(PlanError::new(
                "a plain value has no schema to be resolved onto another",
            ));
        }
        let projection = Projection::parse(target.projection.as_deref())?;
        projection.only_column(column)?.leaf(serde.name())?;
        let field = serde.field(column, &target.mapping);
        let schema = Arc::new(Schema::new(vec![field]));
        let layout = Arc::new(Layout::new(&schema)?);
        let kind = layout.node(layout.roots()[0]).kind.clone();
        Ok(Self {
            serde,
            schema,
            kind,
            rows: SlotColumns::new(Columns::new(layout), target.limits),
        })
    }
}

impl Decoder for PlainDecoder {
    fn schema(&self) -> Option<&SchemaRef> {
        Some(&self.schema)
    }

    fn prepare(&mut self, _: SchemaKey, _: &WriterSchema) -> Result<(), PlanError> {
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let (serde, kind) = (self.serde, &self.kind);
        self.rows.take(rows, bad, |columns, _, bytes| {
            columns.validity[0].push(true);
            push(columns, kind, serde, bytes)
        })
    }

    fn slots(&self) -> usize {
        self.rows.slots()
    }

    fn buffered_bytes(&self) -> usize {
        self.rows.buffered_bytes()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        self.rows.flush()
    }

    fn field_path(&self, _: FieldPathId) -> String {
        String::new()
    }
}

/// Appends one value to the only column.
fn push(columns: &mut Columns, kind: &NodeKind, serde: Serde, bytes: &[u8]) -> Result<(), Fault> {
    match kind {
        NodeKind::Bool(slot) => match fixed(bytes)? {
            [byte @ (0 | 1)] => columns.bools[*slot].push(byte == 1),
            [byte] => return Err(fault(0, RowErrorKind::InvalidBoolean(byte))),
        },
        NodeKind::I16(slot) => columns.i16s[*slot].push(i16::from_be_bytes(fixed(bytes)?)),
        NodeKind::I32(slot) => columns.i32s[*slot].push(i32::from_be_bytes(fixed(bytes)?)),
        NodeKind::I64(slot) => columns.i64s[*slot].push(i64::from_be_bytes(fixed(bytes)?)),
        NodeKind::F32(slot) => columns.f32s[*slot].push(f32::from_be_bytes(fixed(bytes)?)),
        NodeKind::F64(slot) => columns.f64s[*slot].push(f64::from_be_bytes(fixed(bytes)?)),
        NodeKind::Fixed(slot) => columns.fixed[*slot].push(parse_uuid(bytes)?.as_bytes()),
        NodeKind::Bytes(slot) => columns.bytes[*slot].push(text(serde, bytes)?)?,
        NodeKind::LargeBytes(slot) => columns.large_bytes[*slot].push(text(serde, bytes)?)?,
        NodeKind::Views(slot) => columns.views[*slot].push(text(serde, bytes)?)?,
        _ => return Err(fault(0, RowErrorKind::UnusableSchema)),
    }
    Ok(())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    let size = RowErrorKind::WrongSize {
        expected: N as u32,
        found: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    };
    bytes.try_into().map_err(|_| fault(0, size))
}

/// The bytes, checked as far as the serde demands.
fn text(serde: Serde, bytes: &[u8]) -> Result<&[u8], Fault> {
    match serde {
        Serde::String => match std::str::from_utf8(bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(fault(error.valid_up_to(), RowErrorKind::InvalidUtf8)),
        },
        Serde::Uuid => parse_uuid(bytes).map(|_| bytes),
        _ => Ok(bytes),
    }
}

/// Kafka's serializer writes the hyphenated form alone.
fn parse_uuid(bytes: &[u8]) -> Result<Guid, Fault> {
    let uuid = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() == 36)
        .and_then(|text| text.parse().ok());
    uuid.ok_or_else(|| fault(0, RowErrorKind::InvalidText))
}

#[cold]
fn fault(byte_offset: usize, kind: RowErrorKind) -> Fault {
    Fault::Row {
        byte_offset,
        path: FieldPathId::ROOT,
        kind,
    }
}
