//! From a given Arrow schema to the tree that plans are compiled onto.
//!
//! Each Arrow type is taken for the Avro type that would become it, so that plans are compiled as onto a reader schema. What a
//! reader schema says and an Arrow schema does not is left open: records and fixed have any name, fields no default (a
//! nullable column that the writer lacks is null), and the symbols of a dictionary are gathered from the writers.
//!
//! The metadata that this crate writes is read back: `avro.enum.symbols` fixes an enum's symbols, `avro.name` and
//! `avro.namespace` tell a union's branches apart, `avro.logicalType` tells texts of UUIDs from other text and instants
//! without a zone from local times, and `avro.union` unions from other structs.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::{
    DECIMAL32_MAX_PRECISION, DECIMAL64_MAX_PRECISION, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION,
    DataType, Field, FieldRef, Fields, IntervalUnit, Schema as ArrowSchema, SchemaRef, TimeUnit as ArrowUnit,
    UnionMode,
};
use sabot_codec::extension;
use sabot_decode::{PlanError, Target, TimeZone};

use super::projection::Keep;
use super::{Branch, Form, MAX_DEPTH, MAX_NODES, NO_COLUMN, Node, ShapeId, Union, arrow};
use crate::schema::{
    Decimal, Enum, Field as AvroField, FullName, Kind, Logical, Named, TimeUnit, Type, TypeId,
};

/// The tree of a given schema, without columns so far.
pub(super) struct Given {
    pub(super) types: Vec<Type>,
    pub(super) root_type: TypeId,
    pub(super) nodes: Vec<Node>,
    pub(super) root: ShapeId,
}

/// The schema without what the projection drops.
pub(super) fn prune(schema: &SchemaRef, keep: &Keep) -> Result<SchemaRef, PlanError> {
    if let Keep::All = keep {
        return Ok(Arc::clone(schema));
    }
    let fields = prune_fields(schema.fields(), keep)?;
    Ok(Arc::new(ArrowSchema::new_with_metadata(
        fields,
        schema.metadata().clone(),
    )))
}

fn prune_fields(fields: &Fields, keep: &Keep) -> Result<Fields, PlanError> {
    keep.check(|name| fields.iter().any(|field| field.name() == name))?;
    let kept = fields
        .iter()
        .filter_map(|field| Some((field, keep.below(field.name())?)));
    let kept = kept
        .map(|(field, keep)| prune_field(field, keep).map_err(|error| error.within(field.name().as_str())));
    kept.collect()
}

fn prune_field(field: &FieldRef, keep: &Keep) -> Result<FieldRef, PlanError> {
    if let Keep::All = keep {
        return Ok(Arc::clone(field));
    }
    let with = |data_type| Arc::new(field.as_ref().clone().with_data_type(data_type));
    Ok(match field.data_type() {
        DataType::Struct(fields) => with(DataType::Struct(prune_fields(fields, keep)?)),
        DataType::List(item) => {
            let item = prune_field(item, keep).map_err(|error| error.within("[]"))?;
            with(DataType::List(item))
        }
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let value = prune_field(&fields[1], keep).map_err(|error| error.within("{}"))?;
                let pair = DataType::Struct(vec![Arc::clone(&fields[0]), value].into());
                let entries = Arc::new(entries.as_ref().clone().with_data_type(pair));
                with(DataType::Map(entries, *sorted))
            }
            _ => Arc::clone(field),
        },
        other => {
            return Err(PlanError::new(format!(
                "a projection cannot select within {other}"
            )));
        }
    })
}

impl Given {
    pub(super) fn new(schema: &ArrowSchema, target: &Target) -> Result<Self, PlanError> {
        let mut given = Self {
            types: Vec::new(),
            root_type: TypeId(0),
            nodes: Vec::new(),
            root: ShapeId(0),
        };
        let mut builder = Builder {
            given: &mut given,
            target,
            depth: 0,
        };
        let (kind, form, width) = builder.record(schema.fields())?;
        let (root_type, root) = builder.push(Value::new(kind), form, false, width)?;
        (given.root_type, given.root) = (root_type, root);
        Ok(given)
    }
}

/// The symbols that a dictionary's column has from the start: one must stand where a value may not be null.
pub(super) fn first_symbols(symbols: &Enum, is_nullable: bool) -> ArrayRef {
    let placeholder = (symbols.symbols.is_empty() && !is_nullable).then_some("");
    let symbols = symbols.symbols.iter().map(|symbol| &**symbol).chain(placeholder);
    Arc::new(symbols.map(Some).collect::<StringArray>())
}

struct Builder<'a> {
    given: &'a mut Given,
    target: &'a Target,
    depth: usize,
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

impl Builder<'_> {
    fn field(&mut self, field: &Field) -> Result<(TypeId, ShapeId), PlanError> {
        self.named_field(field, None)
    }

    fn named_field(&mut self, field: &Field, named: Option<Named>) -> Result<(TypeId, ShapeId), PlanError> {
        let max_depth = self.target.limits.depth.min(MAX_DEPTH);
        if self.depth >= max_depth {
            return Err(PlanError::new(format!(
                "the schema nests deeper than the limit of {max_depth}"
            )));
        }
        self.depth += 1;
        let (mut value, form, width) = self.value(field)?;
        self.depth -= 1;
        let is_nullable = match &form {
            // Its nulls are rows of its null branch.
            Form::Union(Union {
                branches,
                is_dense: true,
            }) => branches.iter().any(|branch| {
                let ty = self.given.nodes[branch.id.0 as usize].ty;
                matches!(self.given.types[ty.0 as usize].kind, Kind::Null)
            }),
            _ => field.is_nullable() || matches!(value.kind, Kind::Null),
        };
        value.named = named.map(Box::new);
        self.push(value, form, is_nullable, width + usize::from(is_nullable))
    }

    fn value(&mut self, field: &Field) -> Result<(Value, Form, usize), PlanError> {
        let data_type = field.data_type();
        match data_type {
            DataType::Struct(fields) if metadata(field, arrow::UNION) == Some("struct") => {
                self.union(fields.iter(), false)
            }
            DataType::Struct(fields) => {
                let (kind, form, width) = self.record(fields)?;
                Ok((Value::new(kind), form, width))
            }
            DataType::List(item) => {
                let (ty, id) = self.field(item).map_err(|error| error.within("[]"))?;
                Ok((Value::new(Kind::Array(ty)), Form::Array(id), 4))
            }
            DataType::Map(entries, is_sorted) => {
                let value = map_value(entries, *is_sorted)?;
                let (ty, value) = self.field(value).map_err(|error| error.within("{}"))?;
                let key = NO_COLUMN;
                Ok((Value::new(Kind::Map(ty)), Form::Map { key, value }, 4))
            }
            DataType::Union(fields, UnionMode::Dense) => {
                self.union(fields.iter().map(|(_, field)| field), true)
            }
            _ => {
                let is_json = extension::name(field) == Some(extension::JSON) && is_text(data_type);
                let form = if is_json { Form::Json } else { Form::Leaf };
                Ok((leaf(field, self.target)?, form, arrow::slot_bytes(data_type)))
            }
        }
    }

    fn record(&mut self, fields: &Fields) -> Result<(Kind, Form, usize), PlanError> {
        let (mut read, mut kept, mut width) = (Vec::new(), Vec::new(), 0);
        for (position, field) in fields.iter().enumerate() {
            let name = field.name().as_str();
            if fields[..position].iter().any(|other| other.name() == name) {
                return Err(PlanError::new("two fields have this name").within(name));
            }
            let (ty, id) = self.field(field).map_err(|error| error.within(name))?;
            width += self.given.nodes[id.0 as usize].width_bytes;
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

    fn union<'f>(
        &mut self,
        fields: impl Iterator<Item = &'f FieldRef>,
        is_dense: bool,
    ) -> Result<(Value, Form, usize), PlanError> {
        let (mut types, mut branches) = (Vec::new(), Vec::new());
        for (position, field) in fields.enumerate() {
            // Branches of one kind are told apart by their names.
            let name = metadata(field, "avro.name").unwrap_or(field.name());
            let named = Named {
                name: FullName::new(name, metadata(field, "avro.namespace").unwrap_or("")),
                aliases: Vec::new(),
                doc: None,
            };
            let child = self.named_field(field, Some(named));
            let (ty, id) = child.map_err(|error| error.within(format!("<{}>", field.name())))?;
            if !is_dense && !field.is_nullable() {
                let message = "a member of a union may be null, since only one of them is set";
                return Err(PlanError::new(message).within(format!("<{}>", field.name())));
            }
            types.push(ty);
            branches.push(Branch {
                id,
                child: Some(position),
            });
        }
        let union = Union {
            branches: branches.into(),
            is_dense,
        };
        let width = union.width_bytes(&self.given.nodes);
        Ok((Value::new(Kind::Union(types)), Form::Union(union), width))
    }

    fn push(
        &mut self,
        value: Value,
        form: Form,
        is_nullable: bool,
        width_bytes: usize,
    ) -> Result<(TypeId, ShapeId), PlanError> {
        if self.given.nodes.len() >= MAX_NODES {
            return Err(PlanError::new(format!(
                "the schema has more than {MAX_NODES} columns"
            )));
        }
        let ty = TypeId(self.given.types.len() as u32);
        self.given.types.push(Type {
            kind: value.kind,
            logical: value.logical,
            logical_name: None,
            named: value.named,
        });
        self.given.nodes.push(Node {
            ty,
            is_nullable,
            column: NO_COLUMN,
            form,
            width_bytes,
        });
        Ok((ty, ShapeId(self.given.nodes.len() as u32 - 1)))
    }
}

/// The Avro type of anything but structs, lists, maps and unions.
fn leaf(field: &Field, target: &Target) -> Result<Value, PlanError> {
    let logical_type = metadata(field, "avro.logicalType");
    let symbols = metadata(field, arrow::ENUM_SYMBOLS);
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
                // Where instants stand in columns without a zone by option.
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
            PlanError::new(format!("{:?} is no list of symbols", arrow::ENUM_SYMBOLS)).with_source(error)
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
