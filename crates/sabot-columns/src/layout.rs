//! The tree of columns under a schema: which node stores its values in which column.
//!
//! The tree is flat, immutable and shared: codecs compile plans against it, and hold the columns'
//! positions instead of pointers.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, SchemaRef, UnionMode};
use sabot_decode::{PlanError, field_segment};

/// A node of a [`Layout`], by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a position and nothing else")]
pub struct NodeIx(pub u32);

/// A column's position in one of the arrays of [`crate::Columns`]; which array, the node's
/// [`NodeKind`] says.
pub type ColumnIx = usize;

/// One field of the schema, at any depth.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Node {
    /// The Arrow field.
    pub field: FieldRef,
    /// Where the validity is in `Columns::validity`, if the field is nullable and its type has one.
    pub validity: Option<ColumnIx>,
    /// Where the values are.
    pub kind: NodeKind,
}

/// Where a node's values are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant names the array of `Columns` that its column is in"
)]
#[non_exhaustive]
pub enum NodeKind {
    Null(ColumnIx),
    Bool(ColumnIx),
    I8(ColumnIx),
    I16(ColumnIx),
    I32(ColumnIx),
    I64(ColumnIx),
    U8(ColumnIx),
    U16(ColumnIx),
    U32(ColumnIx),
    U64(ColumnIx),
    F32(ColumnIx),
    F64(ColumnIx),
    I128(ColumnIx),
    I256(ColumnIx),
    Interval(ColumnIx),
    /// Utf8 and Binary.
    Bytes(ColumnIx),
    /// LargeUtf8 and LargeBinary.
    LargeBytes(ColumnIx),
    /// Utf8View and BinaryView.
    Views(ColumnIx),
    Fixed(ColumnIx),
    /// `Dictionary(Int32, Utf8)` whose values the codec sets once; the keys' column is in `i32s`.
    Dictionary(ColumnIx),
    Struct(Arc<[NodeIx]>),
    List(ColumnIx, NodeIx),
    /// Keys and values; the entries' struct has no node of its own.
    Map(ColumnIx, NodeIx, NodeIx),
    /// A dense union whose type ids are its children's positions.
    Union(ColumnIx, Arc<[NodeIx]>),
}

/// How many columns of each kind a layout uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) validity: usize,
    pub(crate) nulls: usize,
    pub(crate) bools: usize,
    pub(crate) i8s: usize,
    pub(crate) i16s: usize,
    pub(crate) i32s: usize,
    pub(crate) i64s: usize,
    pub(crate) u8s: usize,
    pub(crate) u16s: usize,
    pub(crate) u32s: usize,
    pub(crate) u64s: usize,
    pub(crate) f32s: usize,
    pub(crate) f64s: usize,
    pub(crate) i128s: usize,
    pub(crate) i256s: usize,
    pub(crate) intervals: usize,
    pub(crate) bytes: usize,
    pub(crate) large_bytes: usize,
    pub(crate) views: usize,
    pub(crate) lists: usize,
    /// Widths of the fixed-size columns.
    pub(crate) fixed: Vec<usize>,
    /// Numbers of children of the unions.
    pub(crate) unions: Vec<usize>,
}

/// The tree of columns under a schema.
#[derive(Debug, Clone)]
pub struct Layout {
    schema: SchemaRef,
    nodes: Vec<Node>,
    roots: Vec<NodeIx>,
    pub(crate) counts: Counts,
}

impl Layout {
    /// All nodes, children before what holds them.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIx, &Node)> {
        (0..).map(NodeIx).zip(&self.nodes)
    }

    /// Lays out the columns of `schema`.
    ///
    /// # Errors
    ///
    /// [`PlanError`] with the field's path where a type has no columns here: Float16, LargeList,
    /// FixedSizeList, list views, run-end encoding, sparse unions, unions whose type ids are not 0,
    /// 1, 2, ..., dictionaries other than `Dictionary(Int32, Utf8)`, and intervals other than
    /// month-day-nano.
    pub fn new(schema: &SchemaRef) -> Result<Self, PlanError> {
        let mut layout = Self {
            schema: Arc::clone(schema),
            nodes: Vec::new(),
            roots: Vec::new(),
            counts: Counts::default(),
        };
        layout.roots = layout.add_all(schema.fields())?;
        Ok(layout)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The nodes of the schema's top-level fields, in order.
    #[must_use]
    pub fn roots(&self) -> &[NodeIx] {
        &self.roots
    }

    /// One node.
    ///
    /// # Panics
    ///
    /// If `ix` is from another layout with more nodes.
    #[must_use]
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    fn add_all(&mut self, fields: &Fields) -> Result<Vec<NodeIx>, PlanError> {
        fields.iter().map(|field| self.add(field)).collect()
    }

    fn add(&mut self, field: &FieldRef) -> Result<NodeIx, PlanError> {
        let kind = self
            .kind_of(field)
            .map_err(|e| e.within(field_segment(field.name())))?;
        let has_validity = field.is_nullable() && !matches!(kind, NodeKind::Null(_) | NodeKind::Union(..));
        let validity = has_validity.then(|| take(&mut self.counts.validity));
        self.nodes.push(Node {
            field: Arc::clone(field),
            validity,
            kind,
        });
        Ok(NodeIx(self.nodes.len() as u32 - 1))
    }

    fn kind_of(&mut self, field: &Field) -> Result<NodeKind, PlanError> {
        use DataType as T;
        let counts = &mut self.counts;
        Ok(match field.data_type() {
            T::Null => NodeKind::Null(take(&mut counts.nulls)),
            T::Boolean => NodeKind::Bool(take(&mut counts.bools)),
            T::Int8 => NodeKind::I8(take(&mut counts.i8s)),
            T::Int16 => NodeKind::I16(take(&mut counts.i16s)),
            T::Int32 | T::Date32 | T::Time32(_) | T::Decimal32(..) | T::Interval(IntervalUnit::YearMonth) => {
                NodeKind::I32(take(&mut counts.i32s))
            }
            T::Int64 | T::Date64 | T::Time64(_) | T::Timestamp(..) | T::Duration(_) | T::Decimal64(..) => {
                NodeKind::I64(take(&mut counts.i64s))
            }
            T::UInt8 => NodeKind::U8(take(&mut counts.u8s)),
            T::UInt16 => NodeKind::U16(take(&mut counts.u16s)),
            T::UInt32 => NodeKind::U32(take(&mut counts.u32s)),
            T::UInt64 => NodeKind::U64(take(&mut counts.u64s)),
            T::Float32 => NodeKind::F32(take(&mut counts.f32s)),
            T::Float64 => NodeKind::F64(take(&mut counts.f64s)),
            T::Decimal128(..) => NodeKind::I128(take(&mut counts.i128s)),
            T::Decimal256(..) => NodeKind::I256(take(&mut counts.i256s)),
            T::Interval(IntervalUnit::MonthDayNano) => NodeKind::Interval(take(&mut counts.intervals)),
            T::Utf8 | T::Binary => NodeKind::Bytes(take(&mut counts.bytes)),
            T::LargeUtf8 | T::LargeBinary => NodeKind::LargeBytes(take(&mut counts.large_bytes)),
            T::Utf8View | T::BinaryView => NodeKind::Views(take(&mut counts.views)),
            T::FixedSizeBinary(width) => {
                let width = usize::try_from(*width).map_err(|_| PlanError::new("a negative width"))?;
                counts.fixed.push(width);
                NodeKind::Fixed(counts.fixed.len() - 1)
            }
            T::Dictionary(key, value) if **key == T::Int32 && **value == T::Utf8 => {
                NodeKind::Dictionary(take(&mut counts.i32s))
            }
            T::Struct(fields) => NodeKind::Struct(self.add_all(fields)?.into()),
            T::List(item) => {
                let column = take(&mut counts.lists);
                NodeKind::List(column, self.add(item)?)
            }
            T::Map(entries, _) => {
                let column = take(&mut counts.lists);
                let (key, value) = entry_fields(entries)?;
                NodeKind::Map(column, self.add(key)?, self.add(value)?)
            }
            T::Union(fields, UnionMode::Dense)
                if fields
                    .iter()
                    .enumerate()
                    .all(|(at, (id, _))| i8::try_from(at) == Ok(id)) =>
            {
                counts.unions.push(fields.len());
                let column = counts.unions.len() - 1;
                let children: Result<Vec<_>, _> = fields.iter().map(|(_, field)| self.add(field)).collect();
                NodeKind::Union(column, children?.into())
            }
            other => return Err(PlanError::new(format!("no columns for the Arrow type {other}"))),
        })
    }
}

/// The key and value fields of a map's entries.
fn entry_fields(entries: &FieldRef) -> Result<(&FieldRef, &FieldRef), PlanError> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Ok((&fields[0], &fields[1])),
        other => Err(PlanError::new(format!(
            "a map's entries are a struct of two fields, not {other}"
        ))),
    }
}

fn take(count: &mut usize) -> ColumnIx {
    *count += 1;
    *count - 1
}
