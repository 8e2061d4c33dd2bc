//! One payload, one value, one column.

use std::sync::Arc;

use arrow_schema::Schema;
use sabot_codec::{Driver, Engine, Fault, Plan, PlansBy, Projection, RowBudget};
use sabot_columns::{Columns, Layout, NodeKind};
use sabot_decode::{MappingOption, OutputSchema, PlanError, RowErrorKind, Target};
use sabot_wire::Guid;

use crate::Serde;

/// The options that are honoured.
pub(crate) const OPTIONS: &[MappingOption] =
    &[MappingOption::Strings, MappingOption::Bytes, MappingOption::Uuids];

/// A decoder of one serde's payloads.
pub(crate) fn open(serde: Serde, column: &str, target: &Target) -> Result<Driver<PlainEngine>, PlanError> {
    if target.output != OutputSchema::FirstWriter {
        return Err(PlanError::new(
            "a plain value has no schema to be resolved onto another",
        ));
    }
    let projection = Projection::parse(target.projection.as_deref())?;
    projection.only_column(column)?.leaf(serde.name())?;
    let why = "no plain value is of such a type";
    target.mapping.check(OPTIONS, why)?;
    let field = serde.field(column, &target.mapping);
    let layout = Arc::new(Layout::new(&Arc::new(Schema::new(vec![field])))?);
    let kind = layout.node(layout.roots()[0]).kind.clone();
    Driver::with_plan(PlainEngine, target.limits, |_, _| {
        Ok((layout, Value { serde, kind }))
    })
}

/// Reads plain values, one by one: there is nothing between two values that many at once would
/// save.
#[derive(Debug)]
pub(crate) struct PlainEngine;

/// How a payload is read.
#[derive(Debug)]
pub(crate) struct Value {
    serde: Serde,
    /// Where the column's values are.
    kind: NodeKind,
}

impl Plan for Value {}

impl Engine for PlainEngine {
    type Output = Arc<Layout>;
    type Plan = Value;
    const PLANS_BY: PlansBy = PlansBy::Nothing;

    fn row(
        &mut self,
        value: &Value,
        body: &[u8],
        columns: &mut Columns,
        _: &mut RowBudget,
    ) -> Result<(), Fault> {
        columns.validity[0].push(true);
        push(columns, &value.kind, value.serde, body)
    }
}

/// Appends one value to the only column.
fn push(columns: &mut Columns, kind: &NodeKind, serde: Serde, bytes: &[u8]) -> Result<(), Fault> {
    match kind {
        NodeKind::Bool(column) => match fixed(bytes)? {
            [byte @ (0 | 1)] => columns.bools[*column].push(byte == 1),
            [byte] => return Err(Fault::of_message(0, RowErrorKind::InvalidBoolean(byte))),
        },
        NodeKind::I16(column) => columns.i16s[*column].push(i16::from_be_bytes(fixed(bytes)?)),
        NodeKind::I32(column) => columns.i32s[*column].push(i32::from_be_bytes(fixed(bytes)?)),
        NodeKind::I64(column) => columns.i64s[*column].push(i64::from_be_bytes(fixed(bytes)?)),
        NodeKind::F32(column) => columns.f32s[*column].push(f32::from_be_bytes(fixed(bytes)?)),
        NodeKind::F64(column) => columns.f64s[*column].push(f64::from_be_bytes(fixed(bytes)?)),
        NodeKind::Fixed(column) => columns.fixed[*column].push(parse_uuid(bytes)?.as_bytes()),
        NodeKind::Bytes(column) => columns.bytes[*column].push(text(serde, bytes)?)?,
        NodeKind::LargeBytes(column) => columns.large_bytes[*column].push(text(serde, bytes)?)?,
        NodeKind::Views(column) => columns.views[*column].push(text(serde, bytes)?)?,
        _ => return Err(Fault::of_message(0, RowErrorKind::UnusableSchema)),
    }
    Ok(())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    let size = RowErrorKind::WrongSize {
        expected: N as u32,
        found: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    };
    bytes.try_into().map_err(|_| Fault::of_message(0, size))
}

/// The bytes, checked as far as the serde demands.
fn text(serde: Serde, bytes: &[u8]) -> Result<&[u8], Fault> {
    match serde {
        Serde::String => match std::str::from_utf8(bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Fault::of_message(error.valid_up_to(), RowErrorKind::InvalidUtf8)),
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
    uuid.ok_or_else(|| Fault::of_message(0, RowErrorKind::InvalidText))
}
