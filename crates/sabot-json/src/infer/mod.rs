//! A schema from examples.

mod schema;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Schema, SchemaRef};
use sabot_codec::{Fault, Projection};
use sabot_decode::{Mapping, RowErrorKind};
use simd_json::{Node, StaticNode};

use crate::locate::Locator;
use crate::parse::Document;

/// What all messages of a sample have in common.
#[derive(Debug)]
pub(crate) struct Inference {
    members: Members,
    fields_left: usize,
}

impl Inference {
    /// Fields at all levels together: a message with more new ones is refused.
    const MAX_FIELDS: usize = 10_000;

    pub(crate) fn new() -> Self {
        Self {
            members: Members::default(),
            fields_left: Self::MAX_FIELDS,
        }
    }

    /// Whether no field was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.fields.is_empty()
    }

    /// Widens the schema so that `document` fits. Nothing changes if it is refused.
    pub(crate) fn add(&mut self, document: Document<'_>) -> Result<(), Fault> {
        let offset = |node| Locator::new(document).offset(node);
        let found = match document.nodes[0] {
            Node::Object { .. } => {
                return self.add_object(document).ok_or_else(|| {
                    Fault::of_message(offset(0), RowErrorKind::LimitExceeded("inferred fields"))
                });
            }
            Node::Array { .. } => "an array",
            Node::String(_) => "a string",
            Node::Static(StaticNode::Bool(_)) => "a boolean",
            Node::Static(StaticNode::Null) => "null",
            Node::Static(_) => "a number",
        };
        let expected = "an object";
        Err(Fault::of_message(
            offset(0),
            RowErrorKind::TypeMismatch { expected, found },
        ))
    }

    /// `None` if there would be too many fields.
    fn add_object(&mut self, document: Document<'_>) -> Option<()> {
        if document.nodes.len() <= self.fields_left {
            return self.members.add(document, 0, &mut self.fields_left);
        }
        let (mut members, mut fields_left) = (self.members.clone(), self.fields_left);
        members.add(document, 0, &mut fields_left)?;
        (self.members, self.fields_left) = (members, fields_left);
        Some(())
    }

    /// The schema of what `projection` keeps, its fields in the order asked for. Whoever mistyped a
    /// name is warned.
    pub(crate) fn schema(&self, mapping: &Mapping, projection: &Projection) -> SchemaRef {
        let (fields, doubts) = schema::fields(&self.members, mapping, projection);
        for doubt in doubts {
            log::warn!("{doubt} (in the sample; the column is JSON text)");
        }
        Arc::new(Schema::new(fields))
    }
}

/// The type of one value.
#[derive(Debug, Clone, Default)]
enum Type {
    /// Nothing but null so far.
    #[default]
    Unknown,
    Bool,
    Integer(Range),
    Float,
    Text,
    /// Scalars of several types.
    Scalar,
    Object(Members),
    List {
        item: Box<Type>,
        /// Items in all lists of the sample together.
        items: usize,
    },
    /// Scalars beside containers, or objects beside lists.
    Json,
}

/// Which integers were seen.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    negative: bool,
    beyond_i64: bool,
}

/// The members of objects, in the order of their first appearance.
#[derive(Debug, Clone, Default)]
struct Members {
    fields: Vec<(Box<str>, Type)>,
    positions: HashMap<Box<str>, usize>,
}

impl Members {
    /// `None` if there would be too many fields; those before them are in.
    fn add(&mut self, document: Document<'_>, at: usize, fields_left: &mut usize) -> Option<()> {
        let end = document.after(at);
        let mut key = at + 1;
        while key < end {
            let Node::String(name) = document.nodes[key] else {
                break;
            };
            let position = match self.positions.get(name) {
                Some(&position) => position,
                None => {
                    *fields_left = fields_left.checked_sub(1)?;
                    self.positions.insert(name.into(), self.fields.len());
                    self.fields.push((name.into(), Type::Unknown));
                    self.fields.len() - 1
                }
            };
            self.fields[position].1.add(document, key + 1, fields_left)?;
            key = document.after(key + 1);
        }
        Some(())
    }
}

impl Type {
    /// `None` if there would be too many fields. It goes no deeper than the limit that the document
    /// was checked against.
    fn add(&mut self, document: Document<'_>, at: usize, fields_left: &mut usize) -> Option<()> {
        match document.nodes[at] {
            Node::Static(StaticNode::Null) => {}
            Node::Object { .. } => {
                if let Self::Unknown = self {
                    *self = Self::Object(Members::default());
                }
                match self {
                    Self::Object(members) => members.add(document, at, fields_left)?,
                    _ => *self = Self::Json,
                }
            }
            Node::Array { len, .. } => {
                if let Self::Unknown = self {
                    *self = Self::List {
                        item: Box::default(),
                        items: 0,
                    };
                }
                let Self::List { item, items } = self else {
                    *self = Self::Json;
                    return Some(());
                };
                *items += len;
                let mut value = at + 1;
                for _ in 0..len {
                    item.add(document, value, fields_left)?;
                    value = document.after(value);
                }
            }
            ref scalar => self.add_scalar(scalar),
        }
        Some(())
    }

    fn add_scalar(&mut self, scalar: &Node<'_>) {
        let new = match scalar {
            Node::Static(StaticNode::Bool(_)) => Self::Bool,
            Node::Static(StaticNode::I64(value)) => Self::Integer(Range {
                negative: *value < 0,
                beyond_i64: false,
            }),
            Node::Static(StaticNode::U64(value)) => Self::Integer(Range {
                negative: false,
                beyond_i64: i64::try_from(*value).is_err(),
            }),
            Node::Static(StaticNode::F64(_)) => Self::Float,
            _ => Self::Text,
        };
        *self = match (std::mem::take(self), new) {
            (Self::Unknown, new) => new,
            (Self::Integer(a), Self::Integer(b)) => Self::Integer(Range {
                negative: a.negative || b.negative,
                beyond_i64: a.beyond_i64 || b.beyond_i64,
            }),
            (Self::Integer(_) | Self::Float, Self::Integer(_) | Self::Float) => Self::Float,
            (Self::Bool, Self::Bool) => Self::Bool,
            (Self::Text, Self::Text) => Self::Text,
            (Self::Object(_) | Self::List { .. } | Self::Json, _) => Self::Json,
            _ => Self::Scalar,
        };
    }

    fn scalar_type(&self, mapping: &Mapping) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Integer(Range {
                beyond_i64: false, ..
            }) => DataType::Int64,
            Self::Integer(Range { negative: false, .. }) => DataType::UInt64,
            // The digits of every 64-bit integer, signed or not.
            Self::Integer(_) => DataType::Decimal128(20, 0),
            Self::Float => DataType::Float64,
            _ => mapping.strings.data_type(),
        }
    }
}
