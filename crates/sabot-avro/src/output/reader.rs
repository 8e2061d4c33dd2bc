//! From a reader schema to its columns: the Arrow schema, and the nodes that plans are compiled
//! onto.
//!
//! One walk unrolls the schema, with what the projection keeps of each value. Names and
//! documentation are repeated wherever their type is used, so their bytes are counted as the nodes
//! are.
//!
//! # A small example
//!
//! | Avro | field | node |
//! |---|---|---|
//! | `string` | `Utf8` | `Leaf` |
//! | `union { null, string }`, in either order | nullable `Utf8` | nullable `Leaf` of `string` |
//! | `union { int }` | `Int32` | `Leaf` of `int` |
//! | `union { null, int, string }` | `Union` of null, int and string, nullable | `Union` with three branches |
//! | the same as a struct | nullable `Struct` of int and string, both nullable | `Union` with two branches |
//! | the same, of which `<int>` is kept | nullable `Struct` of int | `Union` of the node of int and a `Dropped` one |
//! | `record List { int value; union { null, List } next; }` | `value`: `Int32`; `next`: nullable text that is JSON | `Leaf`, `Json` |
//! | the same, unrolled once | `next`: `Struct` of `value` and `next`; `next.next`: `Null` | `Record`, with `Leaf` and `Cut` |
//!
//! # Invariants
//!
//! - A record has a field for each of its node's fields, in this order.
//! - A record that is open, which means that the walk is inside of it, is only entered again where
//!   it is unrolled. So the walk ends.
//! - A node's type is without the null around it: whether a null may be there, the column says.

use std::sync::Arc;

use arrow_schema::{
    DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef, UnionFields, UnionMode,
};
use sabot_codec::{Projection, Selection};
use sabot_decode::{EnumType, PlanError, RecursionType, Target, UnionType, branch_segment, field_segment};

use super::node::{Branch, Form, NO_COLUMN, Nodes, OutputNodeId, Union};
use super::{VALUE_COLUMN, types};
use crate::schema::{At, Kind, TypeId};

/// Bytes of names, documentation and symbols in one tree at most: they are repeated wherever their
/// type is used.
const MAX_TEXT_BYTES: usize = 64 << 20;
/// Branches of a dense union: as many as its columns take.
const MAX_BRANCHES: usize = 128;
/// Members that a union may have as a struct: each of its values takes a step for each member.
const MAX_MEMBERS: usize = 1024;

/// The schema of the columns for messages of the type `message`, their nodes, and that of the
/// whole.
pub(super) fn nodes(
    message: At<'_>,
    projection: &Projection,
    target: &Target,
) -> Result<(SchemaRef, Nodes, OutputNodeId), PlanError> {
    let mut builder = Builder {
        target,
        nodes: Nodes::new(target.limits.depth),
        text_bytes: 0,
        open: Vec::new(),
    };
    let (schema, root) = builder.message(message, projection)?;
    Ok((Arc::new(schema), builder.nodes, root))
}

struct Builder<'a> {
    target: &'a Target,
    nodes: Nodes,
    /// Bytes of text in the fields so far.
    text_bytes: usize,
    /// The records that the current path leads through.
    open: Vec<TypeId>,
}

/// A column that is not a field yet.
struct Column {
    data_type: DataType,
    form: Form,
    /// Bytes that a row takes in it, validity aside.
    width_bytes: usize,
}

impl Column {
    const fn new(data_type: DataType, form: Form, width_bytes: usize) -> Self {
        Self {
            data_type,
            form,
            width_bytes,
        }
    }
}

/// Bytes of a list's or map's offset.
const OFFSET_BYTES: usize = 4;
/// Bytes of text or bytes of any length without their contents, whichever type they have.
const MAX_TEXT_WIDTH_BYTES: usize = 16;

impl Builder<'_> {
    fn message(
        &mut self,
        at: At<'_>,
        projection: &Projection,
    ) -> Result<(ArrowSchema, OutputNodeId), PlanError> {
        if let Kind::Record(_) = at.kind() {
            // The record's fields are the batch's columns, and it has none itself.
            let (fields, form, width) = self.record(at, &projection.root())?;
            let id = self.nodes.push(at.id, false, form, width)?;
            let schema = ArrowSchema::new_with_metadata(fields, types::metadata(at, None));
            return Ok((schema, id));
        }
        let keep = projection.only_column(VALUE_COLUMN)?;
        let (field, id) = self.field(at, VALUE_COLUMN, None, &keep)?;
        Ok((ArrowSchema::new(vec![field]), id))
    }

    /// The column of the type `at`, and its node.
    fn field(
        &mut self,
        at: At<'_>,
        name: &str,
        doc: Option<&str>,
        keep: &Selection<'_>,
    ) -> Result<(FieldRef, OutputNodeId), PlanError> {
        self.nodes.descend()?;
        let (at, mut is_nullable) = without_null(at);
        if let Kind::Union(branches) = at.kind() {
            // A null struct, where unions are structs.
            is_nullable = branches.iter().any(|id| matches!(at.to(*id).kind(), Kind::Null));
        }
        let column = self.column(at, keep)?;
        self.nodes.ascend();
        is_nullable |= match &column.data_type {
            // Arrow counts the rows of a branch of type Null among a dense union's nulls, whatever
            // was dropped there.
            DataType::Union(branches, _) => branches
                .iter()
                .any(|(_, branch)| *branch.data_type() == DataType::Null),
            other => *other == DataType::Null,
        };
        let mut metadata = types::metadata(at, doc);
        types::mark(&mut metadata, at, &column.data_type, &column.form);
        let metadata_bytes = metadata.iter().map(|(key, value)| key.len() + value.len());
        self.add_text(name.len() + metadata_bytes.sum::<usize>())?;
        // A bit of validity, rounded up.
        let width_bytes = column.width_bytes + usize::from(is_nullable);
        let id = self.nodes.push(at.id, is_nullable, column.form, width_bytes)?;
        let field = Field::new(name, column.data_type, is_nullable).with_metadata(metadata);
        Ok((Arc::new(field), id))
    }

    fn column(&mut self, at: At<'_>, keep: &Selection<'_>) -> Result<Column, PlanError> {
        match at.kind() {
            Kind::Record(_) if self.open.contains(&at.id) => self.recursion(at, keep),
            Kind::Record(_) => {
                let (fields, form, width) = self.record(at, keep)?;
                Ok(Column::new(DataType::Struct(fields), form, width))
            }
            Kind::Array(item) => {
                let item = self.field(at.to(*item), "item", None, &keep.items());
                let (item, id) = item.map_err(|error| error.within("[]"))?;
                Ok(Column::new(DataType::List(item), Form::Array(id), OFFSET_BYTES))
            }
            Kind::Map(value) => {
                let value = self.field(at.to(*value), "value", None, &keep.values());
                let (field, value) = value.map_err(|error| error.within("{}"))?;
                let key = Field::new("key", self.target.mapping.strings.data_type(), false);
                let entries = DataType::Struct(Fields::from(vec![Arc::new(key), field]));
                let entries = Arc::new(Field::new("entries", entries, false));
                let key = NO_COLUMN;
                let form = Form::Map { key, value };
                Ok(Column::new(DataType::Map(entries, false), form, OFFSET_BYTES))
            }
            Kind::Union(branches) => self.union(at, branches, keep),
            kind => {
                keep.leaf(kind.name())?;
                self.leaf(at)
            }
        }
    }

    fn leaf(&self, at: At<'_>) -> Result<Column, PlanError> {
        let data_type = types::leaf(at, &self.target.mapping);
        let mut width_bytes = types::width_bytes(&data_type);
        if let Kind::Enum(symbols) = at.kind() {
            let lengths = symbols.symbols.iter().map(|symbol| symbol.len());
            let longest = lengths.max();
            let longest = longest.ok_or_else(|| PlanError::new("an enum without symbols has no values"))?;
            if self.target.mapping.enums == EnumType::Utf8 {
                // A byte of a message becomes a whole symbol.
                width_bytes += longest;
            }
        }
        Ok(Column::new(data_type, Form::Leaf, width_bytes))
    }

    /// A record within itself.
    fn recursion(&mut self, at: At<'_>, keep: &Selection<'_>) -> Result<Column, PlanError> {
        let mapping = &self.target.mapping;
        let (data_type, form, width_bytes) = match mapping.recursion {
            RecursionType::Json => (mapping.strings.data_type(), Form::Json, MAX_TEXT_WIDTH_BYTES),
            RecursionType::Binary => (mapping.bytes.data_type(), Form::Encoded, MAX_TEXT_WIDTH_BYTES),
            RecursionType::Unroll(times) => {
                let levels = self.open.iter().filter(|open| **open == at.id).count();
                if levels <= usize::from(times) {
                    let (fields, form, width) = self.record(at, keep)?;
                    return Ok(Column::new(DataType::Struct(fields), form, width));
                }
                (DataType::Null, Form::Cut, 0)
            }
            _ => {
                return Err(PlanError::new(format!(
                    "the type {:?} contains itself; choose what becomes of it with the option `recursion`, \
                     or a projection without it",
                    at.full_name()
                )));
            }
        };
        if !keep.is_all() {
            return Err(PlanError::new(format!(
                "a projection cannot select within {:?} within itself, unless it is unrolled that far \
                 (the option `recursion`)",
                at.full_name()
            )));
        }
        Ok(Column::new(data_type, form, width_bytes))
    }

    /// The fields that are kept of a record, its form, and its width.
    fn record(&mut self, at: At<'_>, keep: &Selection<'_>) -> Result<(Fields, Form, usize), PlanError> {
        let Kind::Record(fields) = at.kind() else {
            return Err(PlanError::new("a record was expected"));
        };
        let asked = keep.members(fields.iter().map(|field| &*field.name))?;
        // Fields that are dropped cost a look at each.
        self.add_text(fields.len())?;
        self.open.push(at.id);
        let (mut columns, mut kept, mut width) = (Vec::new(), Vec::new(), 0);
        for (position, keep) in asked {
            let field = &fields[position];
            let column = self.field(at.to(field.ty), &field.name, field.doc.as_deref(), &keep);
            let (column, id) = column.map_err(|error| error.within(field_segment(&field.name)))?;
            columns.push(column);
            kept.push((position, id));
            width += self.nodes.get(id).width_bytes;
        }
        self.open.pop();
        Ok((columns.into(), Form::Record(kept.into()), width))
    }

    fn union(&mut self, at: At<'_>, branches: &[TypeId], keep: &Selection<'_>) -> Result<Column, PlanError> {
        let is_dense = self.target.mapping.unions == UnionType::Dense;
        let max_branches = if is_dense { MAX_BRANCHES } else { MAX_MEMBERS };
        if branches.len() > max_branches {
            return Err(PlanError::new(format!(
                "a union of {} branches; {max_branches} are the most",
                branches.len()
            )));
        }
        let branches: Vec<At<'_>> = branches.iter().map(|id| at.to(*id)).collect();
        let names: Vec<_> = branches
            .iter()
            .map(|branch| branch_name(*branch, &branches))
            .collect();
        let keeps = keep.branches(&names)?;
        let (mut fields, mut kept) = (Vec::new(), Vec::new());
        for ((branch, name), keep) in branches.iter().zip(names).zip(keeps) {
            if !is_dense && matches!(branch.kind(), Kind::Null) {
                // It is a null struct.
                continue;
            }
            let (field, id) = self.branch(*branch, name, keep, is_dense)?;
            let child = field.is_some().then_some(fields.len());
            kept.push(Branch { id, child });
            fields.extend(field);
        }
        let union = Union {
            branches: kept.into(),
            is_dense,
        };
        let width = self.nodes.union_width_bytes(&union);
        Ok(Column::new(
            union_type(fields, is_dense)?,
            Form::Union(union),
            width,
        ))
    }

    /// A branch's node, and its field if it has one.
    fn branch(
        &mut self,
        branch: At<'_>,
        name: &str,
        keep: Option<Selection<'_>>,
        is_dense: bool,
    ) -> Result<(Option<FieldRef>, OutputNodeId), PlanError> {
        let Some(keep) = keep else {
            let id = self.nodes.push(branch.id, true, Form::Dropped, 0)?;
            // A dense union keeps the branch, so that its rows are known to be of it.
            let field = is_dense.then(|| Arc::new(Field::new(name, DataType::Null, true)));
            return Ok((field, id));
        };
        let child = self.field(branch, name, None, &keep);
        let (field, id) = child.map_err(|error| error.within(branch_segment(name)))?;
        if is_dense {
            return Ok((Some(field), id));
        }
        // A member is null where another one is set.
        self.nodes.get_mut(id).is_nullable = true;
        let field = field.as_ref().clone().with_nullable(true);
        Ok((Some(Arc::new(field)), id))
    }

    fn add_text(&mut self, bytes: usize) -> Result<(), PlanError> {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(PlanError::new(format!(
                "the schema unrolls to more than {MAX_TEXT_BYTES} bytes of names, documentation and symbols"
            )));
        }
        Ok(())
    }
}

fn union_type(fields: Vec<FieldRef>, is_dense: bool) -> Result<DataType, PlanError> {
    if !is_dense {
        return Ok(DataType::Struct(fields.into()));
    }
    let ids = (0..=i8::MAX).take(fields.len());
    let fields = UnionFields::try_new(ids, fields)
        .map_err(|error| PlanError::new("the union cannot be mapped").with_source(error))?;
    Ok(DataType::Union(fields, UnionMode::Dense))
}

/// The type without null around it, and whether null was there. A general union keeps its null, as
/// a branch of its own.
fn without_null(at: At<'_>) -> (At<'_>, bool) {
    let Kind::Union(branches) = at.kind() else {
        return (at, false);
    };
    let is_null = |id: &&TypeId| matches!(at.to(**id).kind(), Kind::Null);
    let has_null = branches.iter().any(|id| is_null(&id));
    let mut others = branches.iter().filter(|id| !is_null(id));
    match (others.next(), others.next()) {
        (Some(only), None) => (at.to(*only), has_null),
        (None, _) => (at.to(branches[0]), true),
        _ => (at, false),
    }
}

/// The unqualified name, or the full one where two branches share the former.
fn branch_name<'a>(branch: At<'a>, branches: &[At<'a>]) -> &'a str {
    let short = branch.short_name();
    let same = branches.iter().filter(|other| other.short_name() == short);
    if same.count() > 1 {
        branch.full_name()
    } else {
        short
    }
}
