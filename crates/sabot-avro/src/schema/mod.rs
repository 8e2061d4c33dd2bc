//! An Avro schema as a graph: types in one array, references between them by position.
//!
//! A reference to a named type is the position of its definition, so that whoever walks the graph
//! needs no table of names, and recursion is a cycle. The price is that a walk has to bound its own
//! depth.

mod logical;
mod names;
mod parse;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use logical::{Decimal, Logical, TimeUnit};
pub(crate) use names::FullName;
pub(crate) use parse::brief;

/// A type of a [`Schema`], by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(pub(crate) u32);

/// A parsed schema, closed under its references. Clones share the types.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    types: Arc<[Type]>,
    pub(crate) root: TypeId,
    /// Whether it was made from an Arrow schema, which fits more types than Avro's schemas do.
    pub(crate) is_arrow: bool,
}

/// One type.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    /// The logical type, if it is one that its base type can carry; every other is ignored, as the
    /// specification says.
    pub(crate) logical: Option<Logical>,
    /// The logical type's name as written, known or not.
    pub(crate) logical_name: Option<Box<str>>,
    /// Of records, enums and fixed.
    pub(crate) named: Option<Box<Named>>,
}

/// What named types have.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: FullName,
    pub(crate) aliases: Vec<FullName>,
    pub(crate) doc: Option<Box<str>>,
}

/// The base types.
#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Enum),
    Array(TypeId),
    Map(TypeId),
    Union(Vec<TypeId>),
    Record(Vec<Field>),
}

/// An enum's symbols.
#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) symbols: Vec<Box<str>>,
    /// The position of the symbol that stands in for those a reader does not know.
    pub(crate) default: Option<usize>,
}

/// A record's field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: Box<str>,
    pub(crate) aliases: Vec<Box<str>>,
    pub(crate) doc: Option<Box<str>>,
    pub(crate) default: Option<Value>,
    pub(crate) ty: TypeId,
}

impl Schema {
    /// A schema made from an Arrow schema.
    pub(crate) fn from_arrow(types: Vec<Type>, root: TypeId) -> Self {
        Self {
            types: types.into(),
            root,
            is_arrow: true,
        }
    }

    /// A type as a walk meets it.
    pub(crate) fn at(&self, id: TypeId) -> At<'_> {
        At { schema: self, id }
    }

    /// The type of a whole message.
    pub(crate) fn root(&self) -> At<'_> {
        self.at(self.root)
    }

    /// How many types there are.
    pub(crate) fn len(&self) -> usize {
        self.types.len()
    }
}

/// A type together with the schema that it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) id: TypeId,
}

impl<'a> At<'a> {
    pub(crate) fn ty(self) -> &'a Type {
        &self.schema.types[self.id.0 as usize]
    }

    pub(crate) fn kind(self) -> &'a Kind {
        &self.ty().kind
    }

    pub(crate) fn to(self, id: TypeId) -> Self {
        Self { id, ..self }
    }

    /// What a union's branch is called: a type's unqualified name.
    pub(crate) fn short_name(self) -> &'a str {
        self.ty()
            .named
            .as_ref()
            .map_or_else(|| self.kind().name(), |named| named.name.short())
    }

    /// The type's full name.
    pub(crate) fn full_name(self) -> &'a str {
        self.ty()
            .named
            .as_ref()
            .map_or_else(|| self.kind().name(), |named| named.name.as_str())
    }
}

impl Kind {
    /// The name of the base type.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Fixed(_) => "fixed",
            Self::Enum(_) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) => "record",
        }
    }

    /// The primitive type of this name.
    fn primitive(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }
}
