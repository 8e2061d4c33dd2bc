//! The output schema: the columns that messages become, and the tree that plans are compiled onto.
//!
//! The tree is the reader schema unrolled, without what the projection drops. It says of each
//! column which Avro type it holds, so that a plan can be compiled for any writer schema, and where
//! the layout put it. There are two ways to it: from a reader schema (or the first writer's), which
//! gets the Arrow types that the mapping chooses, and from an Arrow schema, whose types are taken
//! for the Avro types that would become them. What follows is the same for both.
//!
//! # A small example
//!
//! The reader schema
//!
//! ```text
//! record Order {
//!     long id;
//!     union { null, string } note;
//!     array<record Line { string sku; double price; }> lines;
//! }
//! ```
//!
//! with the projection `lines.price, id` becomes these nodes, each pushed after those below it:
//!
//! | node | of the type | form | column | width in bytes |
//! |---|---|---|---|---|
//! | 0 | `double` | `Leaf` | `lines[].price`, a `Float64` | 8 |
//! | 1 | `Line` | `Record`: field 1 is node 0 | `lines[]`, a `Struct` | 8 |
//! | 2 | `array` | `Array` of node 1 | `lines`, a `List` | 4: its offset |
//! | 3 | `long` | `Leaf` | `id`, an `Int64` | 8 |
//! | 4 | `Order` | `Record`: field 2 is node 2, field 0 is node 3 | none: it is the batch | 12 |
//!
//! Had `note` been kept, it would be a nullable `Utf8`: null is no type of its own here, but for a
//! union of more than null and one type. So a node is what a column is.
//!
//! # Invariants
//!
//! - Nodes below another have smaller ids than it.
//! - A record's fields are in the order of its columns; their positions are those of the reader's
//!   fields.
//! - Each node is tied to one column of the layout, but for the record that is the whole message,
//!   and for what is dropped and leaves no column.
//! - A node's width is what a row takes in the columns at least, whatever its message holds. Text
//!   and items come on top.

mod given;
mod growing;
mod node;
mod reader;
mod types;

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::SchemaRef;
use sabot_codec::{GIVEN_TYPES, Projection};
use sabot_columns::{Layout, NodeIx, NodeKind};
use sabot_decode::{MappingOption, PlanError, Target, TimeZone};

use crate::schema::{Enum, Kind, Schema};
use given::Given;
use growing::Growing;
use node::Nodes;
pub(crate) use node::{Branch, Form, NO_COLUMN, OutputNode, OutputNodeId, Union};

/// The name of the only column where a message is no record.
pub(crate) const VALUE_COLUMN: &str = "value";

/// The columns, and what each holds.
#[derive(Debug)]
pub(crate) struct Output {
    /// The schema that writers' values are resolved onto.
    pub(crate) reader: Schema,
    pub(crate) layout: Arc<Layout>,
    /// The values of each dictionary column.
    pub(crate) dictionaries: Vec<(NodeIx, ArrayRef)>,
    /// The symbols of the dictionaries that grow with the writers' enums.
    growing: RefCell<Growing>,
    /// Whether plans may end at the last value that a column takes, and leave the rest of a message
    /// unseen.
    pub(crate) may_end_early: bool,
    nodes: Nodes,
    /// The whole message. Where it is a record, it has no column of its own.
    pub(crate) root: OutputNodeId,
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
    /// The columns of `reader`.
    pub(crate) fn new(reader: Schema, target: &Target) -> Result<Self, PlanError> {
        target.mapping.check(&MappingOption::ALL, "")?;
        let projection = Projection::parse(target.projection.as_deref())?;
        let (schema, nodes, root) = reader::nodes(reader.root(), &projection, target)?;
        Self::with_columns(reader, &schema, nodes, root, target)
    }

    /// The columns of a given schema.
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
        nodes: Nodes,
        root: OutputNodeId,
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

    pub(crate) fn node(&self, id: OutputNodeId) -> &OutputNode {
        self.nodes.get(id)
    }

    /// Bytes that a row takes in the columns at least.
    pub(crate) fn width_bytes(&self) -> usize {
        self.node(self.root).width_bytes
    }

    /// The positions of a writer's symbols in a dictionary that has none of its own, but gathers
    /// them; `None` where the column is no dictionary.
    pub(crate) fn grow(&self, column: NodeIx, symbols: &[Box<str>]) -> Option<Result<Box<[i32]>, PlanError>> {
        let (_, first) = self.dictionaries.iter().find(|(node, _)| *node == column)?;
        Some(self.growing.borrow_mut().add(column, first, symbols))
    }

    /// Ties all nodes to their columns.
    fn bind_roots(&mut self) {
        let layout = Arc::clone(&self.layout);
        let is_record = matches!(self.reader.root().kind(), Kind::Record(_));
        let (Form::Record(fields), true) = (&self.node(self.root).form, is_record) else {
            // A message that is no record is the only column.
            return self.bind(&layout, self.root, layout.roots()[0]);
        };
        let fields: Vec<_> = fields.iter().map(|(_, id)| *id).collect();
        for (id, root) in fields.into_iter().zip(layout.roots()) {
            self.bind(&layout, id, *root);
        }
    }

    /// Ties a node and those below it to the columns that the layout made for them.
    fn bind(&mut self, layout: &Layout, id: OutputNodeId, column: NodeIx) {
        let node = self.nodes.get_mut(id);
        node.column = column;
        let below: Vec<(OutputNodeId, NodeIx)> = match (&mut node.form, &layout.node(column).kind) {
            (Form::Record(fields), NodeKind::Struct(children)) => {
                let ids = fields.iter().map(|(_, id)| *id);
                ids.zip(children.iter().copied()).collect()
            }
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
                if let Kind::Enum(symbols) = self.reader.at(node.ty).kind() {
                    let first = first_symbols(symbols, node.is_nullable);
                    self.dictionaries.push((column, first));
                }
                Vec::new()
            }
            _ => Vec::new(),
        };
        for (id, column) in below {
            self.bind(layout, id, column);
        }
    }
}

/// The symbols that a dictionary's column has from the start. Where it may not be null and has none
/// of its own, it has one for placeholders to point at.
fn first_symbols(symbols: &Enum, is_nullable: bool) -> ArrayRef {
    let placeholder = (symbols.symbols.is_empty() && !is_nullable).then_some("");
    let symbols = symbols.symbols.iter().map(|symbol| &**symbol).chain(placeholder);
    Arc::new(symbols.map(Some).collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    use sabot_decode::WriterSchema;

    use super::*;

    #[test]
    fn the_example_of_the_documentation() {
        let reader = WriterSchema::avro(
            r#"{"type": "record", "name": "Order", "fields": [
                {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]},
                {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
                    {"name": "sku", "type": "string"}, {"name": "price", "type": "double"}]}}}]}"#,
        );
        let mut target = Target::default();
        target.projection = Some(vec!["lines.price, id".to_owned()]);
        let schema = Schema::parse(&reader).expect("the schema is right");
        let output = Output::new(schema, &target).expect("the schema has columns");
        let Form::Record(fields) = &output.node(output.root).form else {
            panic!("a message is a record");
        };
        let [(2, lines), (0, id)] = **fields else {
            panic!("the fields are lines and id: {fields:?}");
        };
        let Form::Array(line) = output.node(lines).form else {
            panic!("lines are a list");
        };
        let Form::Record(fields) = &output.node(line).form else {
            panic!("a line is a record");
        };
        let [(1, price)] = **fields else {
            panic!("the price is left of a line: {fields:?}");
        };
        let widths = [price, line, lines, id, output.root].map(|id| output.node(id).width_bytes);
        assert_eq!(widths, [8, 8, 4, 8, 12]);
        assert_eq!(output.node(output.root).column, NO_COLUMN);
    }
}
