//! From a reader schema to the columns: Arrow fields, and the tree that plans are compiled onto.
//!
//! The tree is the reader schema unrolled, without what the projection drops. `[null, T]` is a nullable `T` here, and a
//! union of one branch that branch, so that a node is what a column is. A recursive type has no such tree: where it comes up within
//! itself, an option says what the column is.

mod arrow;
mod given;
mod growing;

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{
    DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef, UnionFields, UnionMode,
};
use sabot_codec::{GIVEN_TYPES, Projection, Selection};
use sabot_columns::{Layout, NodeIx, NodeKind};
use sabot_decode::{
    EnumType, MappingOption, PlanError, RecursionType, Target, TimeZone, UnionType, branch_segment,
    field_segment,
};

use crate::schema::{At, Kind, Schema, TypeId};
use given::Given;
use growing::Growing;

/// Nodes of one tree at most: named types used over and over unroll exponentially.
const MAX_NODES: usize = 1 << 16;
/// Bytes of names, documentation and symbols in one tree at most: they are repeated wherever their type is used.
const MAX_TEXT_BYTES: usize = 64 << 20;
/// Levels of nesting at most, whatever the limit asked for: compiling and assembling recurse on the thread's stack.
const MAX_DEPTH: usize = 128;
/// Branches of a dense union: as many as its columns take.
const MAX_BRANCHES: usize = 128;
/// Members that a union may have as a struct: each of its values takes a step for each member.
const MAX_MEMBERS: usize = 1024;
/// The name of the only column where a message is no record.
pub(crate) const VALUE_COLUMN: &str = "value";

/// A node of a [`Output`], by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShapeId(u32);

/// The columns under a reader schema.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) reader: Schema,
    pub(crate) layout: Arc<Layout>,
    /// The values of each dictionary column.
    pub(crate) dictionaries: Vec<(NodeIx, ArrayRef)>,
    /// The symbols of the dictionaries that grow with the writers' enums.
    growing: RefCell<Growing>,
    /// Whether plans may end at the last value that a column takes, and leave the rest of a message unseen.
    pub(crate) may_end_early: bool,
    nodes: Vec<Node>,
    /// The whole message. Where it is a record, it has no column of its own.
    pub(crate) root: ShapeId,
}

/// What one column holds.
#[derive(Debug)]
pub(crate) struct Node {
    /// The reader's type, without the null or the single-branch union around it.
    pub(crate) ty: TypeId,
    pub(crate) is_nullable: bool,
    pub(crate) column: NodeIx,
    pub(crate) form: Form,
    /// Bytes that a row takes in the columns at this node and below, without what stands in strings and lists.
    pub(crate) width_bytes: usize,
}

/// How a column is composed.
#[derive(Debug)]
pub(crate) enum Form {
    Leaf,
    /// The fields kept, by position in the reader's record.
    Record(Box<[(usize, ShapeId)]>),
    Array(ShapeId),
    Map {
        key: NodeIx,
        value: ShapeId,
    },
    /// A union of more than null and one type.
    Union(Union),
    /// Avro's JSON encoding of the writer's value.
    Json,
    /// The writer's value as it is written.
    Encoded,
    /// Nothing: a recursive type that is not unrolled any further.
    Cut,
    /// Nothing: a union's branch that the projection drops.
    Dropped,
}

/// A union column.
#[derive(Debug)]
pub(crate) struct Union {
    /// The branches, but for the null of a struct, which is the struct's own.
    pub(crate) branches: Box<[Branch]>,
    pub(crate) is_dense: bool,
}

impl Union {
    /// What a row takes: of a dense union one branch, of a struct the places of all.
    fn width_bytes(&self, nodes: &[Node]) -> usize {
        const TYPE_ID_AND_OFFSET_BYTES: usize = 5;
        let branches = self.branches.iter();
        let widths = branches.map(|branch| nodes[branch.id.0 as usize].width_bytes);
        if self.is_dense {
            TYPE_ID_AND_OFFSET_BYTES + widths.max().unwrap_or(0)
        } else {
            widths.sum()
        }
    }
}

/// A branch of a union column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    pub(crate) id: ShapeId,
    /// The position of its child column. Only a struct lacks those that a projection drops.
    pub(crate) child: Option<usize>,
}

impl sabot_codec::Output for Output {
    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn dictionaries(&self) -> &[(NodeIx, ArrayRef)] {
        &self.dictionaries
    }

    fn take_grown_dictionaries(&mut self) -> Vec<(NodeIx, ArrayRef)> {
        self.growing.get_mut().take_grown()
    }
}

impl Output {
    /// Lays out the columns of `reader`.
    pub(crate) fn new(reader: Schema, target: &Target) -> Result<Self, PlanError> {
        target.mapping.check(&MappingOption::ALL, "")?;
        let projection = Projection::parse(target.projection.as_deref())?;
        let mut builder = Builder {
            target,
            nodes: Vec::new(),
            text_bytes: 0,
            open: Vec::new(),
            depth: 0,
        };
        let (schema, root) = builder.root(reader.root(), &projection)?;
        Self::with_columns(reader, &schema, builder.nodes, root, target)
    }

    /// Takes the columns of a given schema.
    pub(crate) fn from_arrow(schema: &SchemaRef, target: &Target) -> Result<Self, PlanError> {
        // Instants without a zone are told from local times by it.
        let zone = (target.mapping.time_zone == TimeZone::None).then_some(MappingOption::TimeZone);
        target.mapping.check(zone.as_slice(), GIVEN_TYPES)?;
        let kept = Projection::parse(target.projection.as_deref())?.prune(schema)?;
        let given = Given::new(&kept, schema, target)?;
        let reader = Schema::from_arrow(given.types, given.root_type);
        Self::with_columns(reader, &kept, given.nodes, given.root, target)
    }

    fn with_columns(
        reader: Schema,
        schema: &SchemaRef,
        nodes: Vec<Node>,
        root: ShapeId,
        target: &Target,
    ) -> Result<Self, PlanError> {
        let mut output = Self {
            reader,
            layout: Arc::new(Layout::new(schema)?),
            dictionaries: Vec::new(),
            growing: RefCell::default(),
            may_end_early: target.projection.is_some() && !target.check_tail,
            nodes,
            root,
        };
        output.bind_roots();
        let width = output.width_bytes();
        if width > target.limits.batch_bytes.max(target.limits.row_bytes) {
            return Err(PlanError::new(format!(
                "one row takes {width} bytes at least, more than a batch may hold"
            )));
        }
        Ok(output)
    }

    pub(crate) fn node(&self, id: ShapeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Bytes that a row takes in the columns at least.
    pub(crate) fn width_bytes(&self) -> usize {
        self.node(self.root).width_bytes
    }

    /// The positions of a writer's symbols in a dictionary that has none of its own, but gathers them; `None` where the
    /// column is no dictionary.
    pub(crate) fn grow(&self, column: NodeIx, symbols: &[Box<str>]) -> Option<Result<Box<[i32]>, PlanError>> {
        let (_, first) = self.dictionaries.iter().find(|(node, _)| *node == column)?;
        Some(self.growing.borrow_mut().add(column, first, symbols))
    }

    fn bind_roots(&mut self) {
        let layout = Arc::clone(&self.layout);
        let is_record = matches!(self.reader.root().kind(), Kind::Record(_));
        if let (Form::Record(fields), true) = (&self.node(self.root).form, is_record) {
            let fields: Vec<_> = fields.iter().map(|(_, id)| *id).collect();
            fields
                .iter()
                .zip(layout.roots())
                .for_each(|(id, root)| self.bind(&layout, *id, *root));
        } else {
            self.bind(&layout, self.root, layout.roots()[0]);
        }
    }

    /// Ties a node and those below it to the columns that the layout made for them.
    fn bind(&mut self, layout: &Layout, id: ShapeId, column: NodeIx) {
        let node = &mut self.nodes[id.0 as usize];
        node.column = column;
        let below: Vec<(ShapeId, NodeIx)> = match (&mut node.form, &layout.node(column).kind) {
            (Form::Record(fields), NodeKind::Struct(children)) => fields
                .iter()
                .map(|(_, id)| *id)
                .zip(children.iter().copied())
                .collect(),
            (Form::Union(union), NodeKind::Struct(children) | NodeKind::Union(_, children)) => {
                let branches = union.branches.iter();
                let with_columns = branches.filter_map(|branch| Some((branch.id, children[branch.child?])));
                with_columns.collect()
            }
            (Form::Array(item), NodeKind::List(_, child)) => vec![(*item, *child)],
            (Form::Map { key, value }, NodeKind::Map(_, key_column, value_column)) => {
                *key = *key_column;
                vec![(*value, *value_column)]
            }
            (_, NodeKind::Dictionary(_)) => {
                let ty = node.ty;
                if let Kind::Enum(symbols) = self.reader.at(ty).kind() {
                    self.dictionaries
                        .push((column, given::first_symbols(symbols, node.is_nullable)));
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        below
            .into_iter()
            .for_each(|(id, column)| self.bind(layout, id, column));
    }
}

/// The column of a node that has none (yet).
pub(crate) const NO_COLUMN: NodeIx = NodeIx(u32::MAX);

struct Builder<'a> {
    target: &'a Target,
    nodes: Vec<Node>,
    /// Bytes of text in the fields so far.
    text_bytes: usize,
    /// The records that the current path leads through.
    open: Vec<TypeId>,
    /// How many values the current path is inside of.
    depth: usize,
}

impl Builder<'_> {
    fn root(&mut self, at: At<'_>, projection: &Projection) -> Result<(SchemaRef, ShapeId), PlanError> {
        if let Kind::Record(_) = at.kind() {
            let (fields, form, width) = self.record(at, &projection.root())?;
            let id = self.push(at.id, false, form, width)?;
            return Ok((
                Arc::new(ArrowSchema::new_with_metadata(fields, arrow::metadata(at, None))),
                id,
            ));
        }
        let keep = projection.only_column(VALUE_COLUMN)?;
        let (field, id) = self.field(at, VALUE_COLUMN, None, &keep)?;
        Ok((Arc::new(ArrowSchema::new(vec![field])), id))
    }

    /// The column of the type `at`, and its node.
    fn field(
        &mut self,
        at: At<'_>,
        name: &str,
        doc: Option<&str>,
        keep: &Selection<'_>,
    ) -> Result<(FieldRef, ShapeId), PlanError> {
        let max_depth = self.target.limits.depth.min(MAX_DEPTH);
        if self.depth >= max_depth {
            return Err(PlanError::new(format!(
                "the schema nests deeper than the limit of {max_depth}"
            )));
        }
        self.depth += 1;
        let (at, mut is_nullable) = without_null(at);
        if let Kind::Union(branches) = at.kind() {
            // A null struct, where unions are structs.
            is_nullable = branches.iter().any(|id| matches!(at.to(*id).kind(), Kind::Null));
        }
        let (data_type, form, width) = self.data_type(at, keep)?;
        self.depth -= 1;
        is_nullable |= match &data_type {
            // Arrow counts the rows of a branch of type Null among a dense union's nulls, whatever was dropped there.
            DataType::Union(branches, _) => branches
                .iter()
                .any(|(_, branch)| *branch.data_type() == DataType::Null),
            other => *other == DataType::Null,
        };
        // A bit of validity, rounded up.
        let id = self.push(at.id, is_nullable, form, width + usize::from(is_nullable))?;
        let mut metadata = arrow::metadata(at, doc);
        arrow::mark(&mut metadata, at, &data_type, &self.nodes[id.0 as usize].form);
        let metadata_bytes = metadata.iter().map(|(key, value)| key.len() + value.len());
        self.add_text(name.len() + metadata_bytes.sum::<usize>())?;
        let field = Field::new(name, data_type, is_nullable).with_metadata(metadata);
        Ok((Arc::new(field), id))
    }

    fn data_type(&mut self, at: At<'_>, keep: &Selection<'_>) -> Result<(DataType, Form, usize), PlanError> {
        let is_leaf = !matches!(
            at.kind(),
            Kind::Record(_) | Kind::Array(_) | Kind::Map(_) | Kind::Union(_)
        );
        if is_leaf {
            keep.leaf(at.kind().name())?;
        }
        match at.kind() {
            Kind::Record(_) if self.open.contains(&at.id) => self.recursion(at, keep),
            Kind::Record(_) => {
                let (fields, form, width) = self.record(at, keep)?;
                Ok((DataType::Struct(fields), form, width))
            }
            Kind::Array(item) => {
                let item = self
                    .field(at.to(*item), "item", None, &keep.items())
                    .map_err(|error| error.within("[]"));
                let (item, id) = item?;
                Ok((DataType::List(item), Form::Array(id), 4))
            }
            Kind::Map(value) => {
                let value = self
                    .field(at.to(*value), "value", None, &keep.values())
                    .map_err(|error| error.within("{}"));
                let (value, id) = value?;
                let key = Field::new("key", self.target.mapping.strings.data_type(), false);
                let entries = DataType::Struct(Fields::from(vec![Arc::new(key), value]));
                let entries = Arc::new(Field::new("entries", entries, false));
                Ok((
                    DataType::Map(entries, false),
                    Form::Map {
                        key: NO_COLUMN,
                        value: id,
                    },
                    4,
                ))
            }
            Kind::Union(branches) => self.union(at, branches, keep),
            Kind::Enum(symbols) if symbols.symbols.is_empty() => {
                Err(PlanError::new("an enum without symbols has no values"))
            }
            kind => {
                let data_type = arrow::leaf(at, &self.target.mapping);
                let mut width = arrow::slot_bytes(&data_type);
                if let (Kind::Enum(symbols), EnumType::Utf8) = (kind, self.target.mapping.enums) {
                    width += symbols
                        .symbols
                        .iter()
                        .map(|symbol| symbol.len())
                        .max()
                        .unwrap_or(0);
                }
                Ok((data_type, Form::Leaf, width))
            }
        }
    }

    /// A record within itself.
    fn recursion(&mut self, at: At<'_>, keep: &Selection<'_>) -> Result<(DataType, Form, usize), PlanError> {
        let mapping = &self.target.mapping;
        let (data_type, form, width) = match mapping.recursion {
            RecursionType::Json => (mapping.strings.data_type(), Form::Json, 16),
            RecursionType::Binary => (mapping.bytes.data_type(), Form::Encoded, 16),
            RecursionType::Unroll(times) => {
                let levels = self.open.iter().filter(|open| **open == at.id).count();
                if levels <= usize::from(times) {
                    let (fields, form, width) = self.record(at, keep)?;
                    return Ok((DataType::Struct(fields), form, width));
                }
                (DataType::Null, Form::Cut, 0)
            }
            _ => {
                let message = format!(
                    "the type {:?} contains itself; choose what becomes of it with the option `recursion`, or a projection without it",
                    at.full_name()
                );
                return Err(PlanError::new(message));
            }
        };
        if !keep.is_all() {
            let message = format!(
                "a projection cannot select within {:?} within itself, unless it is unrolled that far (the option `recursion`)",
                at.full_name()
            );
            return Err(PlanError::new(message));
        }
        Ok((data_type, form, width))
    }

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
            width += self.nodes[id.0 as usize].width_bytes;
        }
        self.open.pop();
        Ok((columns.into(), Form::Record(kept.into()), width))
    }

    fn union(
        &mut self,
        at: At<'_>,
        branches: &[TypeId],
        keep: &Selection<'_>,
    ) -> Result<(DataType, Form, usize), PlanError> {
        let is_dense = self.target.mapping.unions == UnionType::Dense;
        let max_branches = if is_dense { MAX_BRANCHES } else { MAX_MEMBERS };
        if branches.len() > max_branches {
            return Err(PlanError::new(format!(
                "a union of {} branches; {max_branches} are the most",
                branches.len()
            )));
        }
        let names: Vec<_> = branches
            .iter()
            .map(|id| branch_name(at.to(*id), branches))
            .collect();
        let keeps = keep.branches(&names)?;
        let (mut fields, mut kept) = (Vec::new(), Vec::new());
        for ((&name, keep), branch) in names.iter().zip(keeps).zip(branches.iter().map(|id| at.to(*id))) {
            if !is_dense && matches!(branch.kind(), Kind::Null) {
                continue;
            }
            let Some(keep) = keep else {
                // A dense union keeps the branch, so that its rows are known to be of it.
                let id = self.push(branch.id, true, Form::Dropped, 0)?;
                kept.push(Branch {
                    id,
                    child: is_dense.then_some(fields.len()),
                });
                if is_dense {
                    fields.push(Arc::new(Field::new(name, DataType::Null, true)));
                }
                continue;
            };
            let child = self.field(branch, name, None, &keep);
            let (field, id) = child.map_err(|error| error.within(branch_segment(name)))?;
            let node = &mut self.nodes[id.0 as usize];
            node.is_nullable |= !is_dense;
            kept.push(Branch {
                id,
                child: Some(fields.len()),
            });
            fields.push(if is_dense {
                field
            } else {
                Arc::new(field.as_ref().clone().with_nullable(true))
            });
        }
        let data_type = if is_dense {
            let ids = (0..=i8::MAX).take(fields.len());
            let fields = UnionFields::try_new(ids, fields);
            let fields =
                fields.map_err(|error| PlanError::new("the union cannot be mapped").with_source(error))?;
            DataType::Union(fields, UnionMode::Dense)
        } else {
            DataType::Struct(fields.into())
        };
        let union = Union {
            branches: kept.into(),
            is_dense,
        };
        let width = union.width_bytes(&self.nodes);
        Ok((data_type, Form::Union(union), width))
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

    fn push(
        &mut self,
        ty: TypeId,
        is_nullable: bool,
        form: Form,
        width: usize,
    ) -> Result<ShapeId, PlanError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(PlanError::new(format!(
                "the schema unrolls to more than {MAX_NODES} columns"
            )));
        }
        self.nodes.push(Node {
            ty,
            is_nullable,
            column: NO_COLUMN,
            form,
            width_bytes: width,
        });
        Ok(ShapeId(self.nodes.len() as u32 - 1))
    }
}

/// The type without null around it, and whether null was there. A general union keeps its null, as a branch of its own.
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
fn branch_name<'a>(branch: At<'a>, branches: &[TypeId]) -> &'a str {
    let short = branch.short_name();
    let same = branches
        .iter()
        .filter(|id| branch.to(**id).short_name() == short)
        .count();
    if same > 1 { branch.full_name() } else { short }
}
