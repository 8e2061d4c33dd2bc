//! From a given Arrow schema to the tree that plans are compiled onto.
//!
//! Each Arrow type is taken for the Avro type that would become it, so that plans are compiled as
//! onto a reader schema. What a reader schema says and an Arrow schema does not is left open:
//! records and fixed have any name, fields no default (a nullable column that the writer lacks is
//! null), and the symbols of a dictionary are gathered from the writers.
//!
//! # A small example
//!
//! | given column | Avro type | form |
//! |---|---|---|
//! | `id: Int64`, not nullable | `long` | `Leaf` |
//! | `at: Timestamp(Millisecond, "UTC")` | `long`, `timestamp-millis` | `Leaf` |
//! | `status: Dictionary(Int32, Utf8)`, nullable | an `enum`, whose symbols are those of the writers | `Leaf` |
//! | `lines: List(Struct(sku: Utf8))`, nullable | an `array` of a `record` of any name | `Array`, `Record` |
//! | `raw: Utf8`, `arrow.json`, nullable | `string`; values of any type are taken | `Json` |
//!
//! A writer's record `{ long at; long id; }` is then resolved onto the record of these types, as
//! onto any reader schema: its fields are found by name, and `status`, `lines` and `raw` are null,
//! since the writer has none.
//!
//! # Metadata
//!
//! What this crate writes is read back: `avro.enum.symbols` fixes an enum's symbols, `avro.name`
//! and `avro.namespace` tell a union's branches apart, `avro.logicalType` tells texts of UUIDs from
//! other text and instants without a zone from local times, and `avro.union` unions from other
//! structs.
//!
//! # Invariants
//!
//! - The schema comes out as it went in, but for what the projection drops, and for its order.
//! - Each column has a type of its own, used nowhere else: no two columns share what is known of
//!   them.
//! - A branch that is dropped keeps its type, so that a writer's values of it are known to be of
//!   it.

use arrow_schema::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION,
    DataType, Field, FieldRef, Fields, IntervalUnit, Schema as ArrowSchema, TimeUnit as ArrowUnit, UnionMode,
};
use sabot_codec::{STRUCT_UNION, UNION_KEY, extension};
use sabot_decode::{PlanError, Target, TimeZone, branch_segment, field_segment};

use super::node::{Branch, Form, NO_COLUMN, Nodes, OutputNodeId, Union};
use super::types;
use crate::schema::{
    Decimal, Enum, Field as AvroField, FullName, Kind, Logical, Named, TimeUnit, Type, TypeId,
};

/// The tree of a given schema, without columns so far, and the types that it is of.
pub(super) struct Given {
    pub(super) types: Vec<Type>,
    pub(super) root_type: TypeId,
    pub(super) nodes: Nodes,
    pub(super) root: OutputNodeId,
}

impl Given {
    /// The tree of `kept`, which is what the projection leaves of `whole`.
    pub(super) fn new(kept: &ArrowSchema, whole: &ArrowSchema, target: &Target) -> Result<Self, PlanError> {
        let mut builder = Builder {
            target,
            types: Vec::new(),
            nodes: Nodes::new(target.limits.depth),
        };
        let (kind, form, width) = builder.record(kept.fields(), whole.fields())?;
        let (root_type, root) = builder.push(Value::new(kind), form, false, width)?;
        let Builder { types, nodes, .. } = builder;
        Ok(Self {
            types,
            root_type,
            nodes,
            root,
        })
    }
}

struct Builder<'a> {
    target: &'a Target,
    types: Vec<Type>,
    nodes: Nodes,
}

/// The Avro type of a column.
struct Value {
    kind: Kind,
    logical: Option<Logical>,
    named: Option<Box<Named>>,
}

impl Value {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            logical: None,
            named: None,
        }
    }

    const fn with(kind: Kind, logical: Logical) -> Self {
        Self {
            kind,
            logical: Some(logical),
            named: None,
        }
    }
}

/// A column, and the given field that it is what the projection leaves of.
#[derive(Debug, Clone, Copy)]
struct Column<'a> {
    kept: &'a Field,
    whole: &'a Field,
}

impl Builder<'_> {
    fn field(&mut self, column: Column<'_>) -> Result<(TypeId, OutputNodeId), PlanError> {
        self.named_field(column, None)
    }

    fn named_field(
        &mut self,
        column: Column<'_>,
        named: Option<Named>,
    ) -> Result<(TypeId, OutputNodeId), PlanError> {
        self.nodes.descend()?;
        let (mut value, form, width) = self.value(column)?;
        self.nodes.ascend();
        let is_nullable = match &form {
            // Its nulls are rows of its null branch, and of those that are columns of type Null
            // since they are dropped.
            Form::Union(Union {
                branches,
                is_dense: true,
            }) => branches.iter().any(|branch| {
                let node = self.nodes.get(branch.id);
                matches!(node.form, Form::Dropped)
                    || matches!(self.types[node.ty.0 as usize].kind, Kind::Null)
            }),
            _ => column.kept.is_nullable() || matches!(value.kind, Kind::Null),
        };
        value.named = named.map(Box::new);
        self.push(value, form, is_nullable, width + usize::from(is_nullable))
    }

    fn value(&mut self, column: Column<'_>) -> Result<(Value, Form, usize), PlanError> {
        let field = column.kept;
        match (field.data_type(), column.whole.data_type()) {
            (DataType::Struct(fields), DataType::Struct(whole))
                if metadata(field, UNION_KEY) == Some(STRUCT_UNION) =>
            {
                let kept = |name: &str| fields.iter().find(|field| field.name() == name);
                self.union(whole.iter().map(|whole| (kept(whole.name()), whole)), false)
            }
            (DataType::Struct(fields), DataType::Struct(whole)) => {
                let (kind, form, width) = self.record(fields, whole)?;
                Ok((Value::new(kind), form, width))
            }
            (DataType::List(kept), DataType::List(whole)) => {
                let item = self.field(Column { kept, whole });
                let (ty, id) = item.map_err(|error| error.within("[]"))?;
                Ok((Value::new(Kind::Array(ty)), Form::Array(id), 4))
            }
            (DataType::Map(entries, is_sorted), DataType::Map(whole, _)) => {
                let (kept, whole) = (map_value(entries, *is_sorted)?, map_value(whole, *is_sorted)?);
                let value = self.field(Column { kept, whole });
                let (ty, value) = value.map_err(|error| error.within("{}"))?;
                let key = NO_COLUMN;
                Ok((Value::new(Kind::Map(ty)), Form::Map { key, value }, 4))
            }
            (DataType::Union(fields, UnionMode::Dense), DataType::Union(whole, _)) => {
                let branches = fields.iter().zip(whole.iter());
                let branches = branches.map(|((_, kept), (_, whole))| {
                    let is_dropped = *kept.data_type() == DataType::Null && kept != whole;
                    ((!is_dropped).then_some(kept), whole)
                });
                self.union(branches, true)
            }
            (data_type, _) => {
                let is_json = extension::name(field) == Some(extension::JSON) && is_text(data_type);
                let form = if is_json { Form::Json } else { Form::Leaf };
                Ok((leaf(field, self.target)?, form, types::width_bytes(data_type)))
            }
        }
    }

    fn record(&mut self, fields: &Fields, whole: &Fields) -> Result<(Kind, Form, usize), PlanError> {
        let (mut read, mut kept, mut width) = (Vec::new(), Vec::new(), 0);
        for (position, field) in fields.iter().enumerate() {
            let name = field.name().as_str();
            let segment = field_segment(name);
            if fields[..position].iter().any(|other| other.name() == name) {
                return Err(PlanError::new("two fields have this name").within(segment));
            }
            let column = Column {
                kept: field,
                whole: whole.iter().find(|whole| whole.name() == name).unwrap_or(field),
            };
            let (ty, id) = self.field(column).map_err(|error| error.within(segment))?;
            width += self.nodes.get(id).width_bytes;
            kept.push((position, id));
            read.push(AvroField {
                name: name.into(),
                aliases: Vec::new(),
                doc: None,
                default: None,
                ty,
            });
        }
        Ok((Kind::Record(read), Form::Record(kept.into()), width))
    }

    /// A union of these branches: what is kept of each, `None` where it is dropped, and the whole
    /// of it.
    fn union<'f>(
        &mut self,
        all: impl Iterator<Item = (Option<&'f FieldRef>, &'f FieldRef)>,
        is_dense: bool,
    ) -> Result<(Value, Form, usize), PlanError> {
        let (mut types, mut branches, mut children) = (Vec::new(), Vec::new(), 0..);
        for (kept, whole) in all {
            let (ty, id) = self
                .branch(kept, whole, is_dense)
                .map_err(|error| error.within(branch_segment(whole.name())))?;
            types.push(ty);
            // A struct has no member for a branch that is dropped.
            let has_child = is_dense || kept.is_some();
            let child = has_child.then(|| children.next()).flatten();
            branches.push(Branch { id, child });
        }
        let union = Union {
            branches: branches.into(),
            is_dense,
        };
        let width = self.nodes.union_width_bytes(&union);
        Ok((Value::new(Kind::Union(types)), Form::Union(union), width))
    }

    fn branch(
        &mut self,
        kept: Option<&FieldRef>,
        whole: &Field,
        is_dense: bool,
    ) -> Result<(TypeId, OutputNodeId), PlanError> {
        // Branches of one kind are told apart by their names.
        let name = metadata(whole, "avro.name").unwrap_or(whole.name());
        let named = Named {
            name: FullName::new(name, metadata(whole, "avro.namespace").unwrap_or("")),
            aliases: Vec::new(),
            doc: None,
        };
        if !is_dense && !whole.is_nullable() {
            return Err(PlanError::new(
                "a member of a union may be null, since only one of them is set",
            ));
        }
        if let Some(kept) = kept {
            return self.named_field(Column { kept, whole }, Some(named));
        }
        // Its type alone says which values are of it.
        let (mut value, ..) = self.value(Column { kept: whole, whole })?;
        value.named = Some(Box::new(named));
        self.push(value, Form::Dropped, true, 0)
    }

    fn push(
        &mut self,
        value: Value,
        form: Form,
        is_nullable: bool,
        width_bytes: usize,
    ) -> Result<(TypeId, OutputNodeId), PlanError> {
        let ty = TypeId(self.types.len() as u32);
        self.types.push(Type {
            kind: value.kind,
            logical: value.logical,
            logical_name: None,
            named: value.named,
        });
        let id = self.nodes.push(ty, is_nullable, form, width_bytes)?;
        Ok((ty, id))
    }
}

/// The Avro type of anything but structs, lists, maps and unions.
fn leaf(field: &Field, target: &Target) -> Result<Value, PlanError> {
    let logical_type = metadata(field, "avro.logicalType");
    let symbols = metadata(field, types::ENUM_SYMBOLS);
    Ok(match field.data_type() {
        DataType::Null => Value::new(Kind::Null),
        DataType::Boolean => Value::new(Kind::Boolean),
        DataType::Int32 if symbols.is_some() => Value::new(Kind::Enum(enumeration(symbols)?)),
        DataType::Int32 => Value::new(Kind::Int),
        DataType::Int64 => Value::new(Kind::Long),
        DataType::Float32 => Value::new(Kind::Float),
        DataType::Float64 => Value::new(Kind::Double),
        text if is_text(text) && logical_type == Some("uuid") => Value::with(Kind::String, Logical::Uuid),
        text if is_text(text) => Value::new(Kind::String),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Value::new(Kind::Bytes),
        DataType::FixedSizeBinary(16) if extension::name(field) == Some(extension::UUID) => {
            Value::with(Kind::Fixed(16), Logical::Uuid)
        }
        DataType::FixedSizeBinary(size) => Value::new(Kind::Fixed(usize::try_from(*size).unwrap_or(0))),
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
            Value::new(Kind::Enum(enumeration(symbols)?))
        }
        DataType::Decimal32(precision, scale) => decimal(*precision, *scale, DECIMAL32_MAX_PRECISION)?,
        DataType::Decimal64(precision, scale) => decimal(*precision, *scale, DECIMAL64_MAX_PRECISION)?,
        DataType::Decimal128(precision, scale) => decimal(*precision, *scale, DECIMAL128_MAX_PRECISION)?,
        DataType::Decimal256(precision, scale) => decimal(*precision, *scale, DECIMAL256_MAX_PRECISION)?,
        DataType::Date32 => Value::with(Kind::Int, Logical::Date),
        DataType::Time32(ArrowUnit::Millisecond) => Value::with(Kind::Int, Logical::TimeMillis),
        DataType::Time64(ArrowUnit::Microsecond) => Value::with(Kind::Long, Logical::TimeMicros),
        DataType::Timestamp(unit, zone) => {
            let is_utc = match (zone, logical_type) {
                (Some(_), _) => true,
                (None, Some(name)) => name.starts_with("timestamp-"),
                // By option columns without a zone are of instants.
                (None, None) => target.mapping.time_zone == TimeZone::None,
            };
            let unit = match unit {
                ArrowUnit::Millisecond => TimeUnit::Millis,
                ArrowUnit::Microsecond => TimeUnit::Micros,
                ArrowUnit::Nanosecond => TimeUnit::Nanos,
                ArrowUnit::Second => return Err(unknown(field.data_type())),
            };
            Value::with(Kind::Long, Logical::Timestamp { unit, is_utc })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => Value::with(Kind::Fixed(12), Logical::Duration),
        other => return Err(unknown(other)),
    })
}

fn decimal(precision: u8, scale: i8, max_precision: u8) -> Result<Value, PlanError> {
    if !(1..=max_precision).contains(&precision) {
        return Err(PlanError::new(format!(
            "this decimal has 1 to {max_precision} digits, not {precision}"
        )));
    }
    let scale = u16::try_from(scale);
    let scale = scale.map_err(|_| PlanError::new("no decimal of Avro has a negative scale"))?;
    let precision = u16::from(precision);
    Ok(Value::with(
        Kind::Bytes,
        Logical::Decimal(Decimal { precision, scale }),
    ))
}

fn unknown(data_type: &DataType) -> PlanError {
    PlanError::new(format!("no type of Avro becomes {data_type}"))
}

/// The symbols that the metadata lists; none where it does not.
fn enumeration(symbols: Option<&str>) -> Result<Enum, PlanError> {
    let symbols: Vec<Box<str>> = match symbols {
        None => Vec::new(),
        Some(json) => serde_json::from_str(json).map_err(|error| {
            PlanError::new(format!("{:?} is no list of symbols", types::ENUM_SYMBOLS)).with_source(error)
        })?,
    };
    Ok(Enum {
        symbols,
        default: None,
    })
}

fn map_value(entries: &Field, is_sorted: bool) -> Result<&FieldRef, PlanError> {
    match entries.data_type() {
        _ if is_sorted => Err(PlanError::new("the keys of Avro's maps are not sorted")),
        DataType::Struct(fields)
            if fields.len() == 2 && is_text(fields[0].data_type()) && !fields[0].is_nullable() =>
        {
            Ok(&fields[1])
        }
        _ => Err(PlanError::new("the keys of Avro's maps are text, and never null")),
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn metadata<'a>(field: &'a Field, key: &str) -> Option<&'a str> {
    field.metadata().get(key).map(String::as_str)
}
