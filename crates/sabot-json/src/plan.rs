//! What to write for each node of a layout.
//!
//! The plan runs parallel to the layout: node `n` of the one is node `n` of the other. It is
//! compiled once from the Arrow schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use sabot_codec::{FieldPaths, extension};
use sabot_columns::{Layout, NodeIx, NodeKind};
use sabot_decode::{FieldPathId, PlanError, field_segment};

/// The metadata key that says how a text column takes values which are no strings.
pub(crate) const SCALAR_KEY: &str = "sabot:json";
/// The value under [`SCALAR_KEY`] of columns that take any scalar: strings as they are, others as
/// they are written.
pub(crate) const SCALAR: &str = "scalar";
/// Nulls that one message may leave in its lists. An object in a list takes a value of every column
/// below that list, whatever it holds itself, so a short text could fill any amount of memory.
pub(crate) const MAX_NULL_CELLS: usize = 16 << 20;

/// How JSON becomes a column's value; where the values are, the layout says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conversion {
    Null,
    Bool,
    Integer,
    Float,
    Decimal {
        precision: u8,
        scale: i8,
    },
    /// A string.
    Text,
    /// A string, or the text of another scalar.
    Scalar,
    /// The text of anything.
    Raw,
    Base64,
    Uuid,
    Date32,
    Date64,
    Time(TimeUnit),
    Timestamp {
        unit: TimeUnit,
        zoned: bool,
    },
    Dictionary,
    Struct,
    List,
    Map,
}

/// One node of a plan.
#[derive(Debug)]
pub(crate) struct PlanNode {
    pub(crate) conversion: Conversion,
    /// What errors point at.
    pub(crate) path: FieldPathId,
    /// Of a struct: its members' positions by name.
    pub(crate) members: HashMap<Box<str>, u32>,
    /// Values that a null here takes in all columns below: one, and those of a struct's members.
    pub(crate) cells: usize,
}

/// What to write for each node of a layout.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) layout: Arc<Layout>,
    /// The top level's members, which have no node.
    pub(crate) members: HashMap<Box<str>, u32>,
    nodes: Vec<PlanNode>,
}

impl Plan {
    pub(crate) fn new(schema: &SchemaRef, paths: &mut FieldPaths) -> Result<Self, PlanError> {
        let layout = Arc::new(Layout::new(schema)?);
        let mut plan = Self {
            members: names(&layout, layout.roots())?,
            layout,
            nodes: Vec::new(),
        };
        let roots = plan.layout.roots().to_vec();
        for root in roots {
            plan.add_field(root, FieldPathId::ROOT, paths)?;
        }
        Ok(plan)
    }

    pub(crate) fn node(&self, node: NodeIx) -> &PlanNode {
        &self.nodes[node.0 as usize]
    }

    fn add_field(&mut self, ix: NodeIx, above: FieldPathId, paths: &mut FieldPaths) -> Result<(), PlanError> {
        let name = field_segment(self.layout.node(ix).field.name()).into_owned();
        self.add_below(ix, above, &name, paths)
    }

    fn add_below(
        &mut self,
        ix: NodeIx,
        above: FieldPathId,
        segment: &str,
        paths: &mut FieldPaths,
    ) -> Result<(), PlanError> {
        let path = paths.below(above, segment);
        self.add(ix, path, paths).map_err(|error| error.within(segment))
    }

    /// The layout numbers children first, and so does the plan.
    fn add(&mut self, ix: NodeIx, path: FieldPathId, paths: &mut FieldPaths) -> Result<(), PlanError> {
        let node = self.layout.node(ix).clone();
        let mut members = HashMap::new();
        let mut cells = 1;
        match &node.kind {
            NodeKind::Struct(children) => {
                members = names(&self.layout, children)?;
                for &child in children.iter() {
                    self.add_field(child, path, paths)?;
                    cells += self.node(child).cells;
                }
            }
            NodeKind::List(_, item) => self.add_below(*item, path, "[]", paths)?,
            NodeKind::Map(_, key, value) => {
                if let DataType::Map(_, true) = node.field.data_type() {
                    return Err(PlanError::new("the keys of a JSON object are not sorted"));
                }
                self.add(*key, path, paths)?;
                self.add_below(*value, path, "{}", paths)?;
                if self.node(*key).conversion != Conversion::Text {
                    return Err(PlanError::new(
                        "a JSON object's keys are text: a map with other keys cannot hold it",
                    ));
                }
            }
            _ => {}
        }
        debug_assert_eq!(
            self.nodes.len(),
            ix.0 as usize,
            "the plan runs parallel to the layout"
        );
        self.nodes.push(PlanNode {
            conversion: conversion(&node.field)?,
            path,
            members,
            cells,
        });
        Ok(())
    }
}

impl sabot_codec::Plan for Plan {}

/// Positions by name. Two columns of one name could not both be found.
fn names(layout: &Layout, nodes: &[NodeIx]) -> Result<HashMap<Box<str>, u32>, PlanError> {
    let mut names = HashMap::with_capacity(nodes.len());
    for (at, &node) in nodes.iter().enumerate() {
        let name = layout.node(node).field.name().as_str();
        if names.insert(name.into(), at as u32).is_some() {
            return Err(PlanError::new(format!("two fields are named {name:?}")));
        }
    }
    Ok(names)
}

fn conversion(field: &Field) -> Result<Conversion, PlanError> {
    use DataType as T;
    let extension_name = extension::name(field);
    let is_scalar = field
        .metadata()
        .get(SCALAR_KEY)
        .is_some_and(|value| value == SCALAR);
    Ok(match field.data_type() {
        T::Null => Conversion::Null,
        T::Boolean => Conversion::Bool,
        T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Duration(_) => Conversion::Integer,
        T::Float32 | T::Float64 => Conversion::Float,
        T::Decimal32(precision, scale)
        | T::Decimal64(precision, scale)
        | T::Decimal128(precision, scale)
        | T::Decimal256(precision, scale) => Conversion::Decimal {
            precision: *precision,
            scale: *scale,
        },
        T::Utf8 | T::LargeUtf8 | T::Utf8View => match extension_name {
            Some(extension::JSON) => Conversion::Raw,
            _ if is_scalar => Conversion::Scalar,
            _ => Conversion::Text,
        },
        T::FixedSizeBinary(16) if extension_name == Some(extension::UUID) => Conversion::Uuid,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Conversion::Base64,
        T::Date32 => Conversion::Date32,
        T::Date64 => Conversion::Date64,
        T::Time32(unit) | T::Time64(unit) => Conversion::Time(*unit),
        T::Timestamp(unit, zone) => Conversion::Timestamp {
            unit: *unit,
            zoned: zone.is_some(),
        },
        T::Dictionary(..) => Conversion::Dictionary,
        T::Struct(_) => Conversion::Struct,
        T::List(_) => Conversion::List,
        T::Map(..) => Conversion::Map,
        other => {
            return Err(PlanError::new(format!(
                "JSON has no form for the Arrow type {other}"
            )));
        }
    })
}
