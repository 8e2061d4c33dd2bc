//! Makes columns that Parquet can hold of those that it cannot.
//!
//! | Arrow | Parquet |
//! |---|---|
//! | an interval | a struct of `months`, `days` and `nanoseconds` |
//! | a struct without members | a boolean, true where the struct is there |
//!
//! Both keep every value. Unions never come this far: for Parquet the decoder is asked for structs
//! with one nullable member a branch. Should one come all the same, the schema is refused with its
//! path.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::IntervalMonthDayNanoType;
use arrow_array::{
    Array, ArrayRef, BooleanArray, GenericListArray, Int32Array, Int64Array, MapArray, OffsetSizeTrait,
    RecordBatch, RecordBatchOptions, StructArray,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef};

/// How to make batches of one schema storable.
#[derive(Debug)]
pub(crate) struct Storable {
    schema: SchemaRef,
    unchanged: bool,
}

impl Storable {
    /// Plans the conversion; the error names the field that has none.
    pub(crate) fn new(from: &SchemaRef) -> Result<Self, String> {
        let fields: Fields = from.fields().iter().map(field).collect::<Result<_, _>>()?;
        let schema = Arc::new(Schema::new_with_metadata(fields, from.metadata().clone()));
        Ok(Self {
            unchanged: schema == *from,
            schema,
        })
    }

    /// The schema of what [`Self::convert`] gives.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Converts one batch.
    pub(crate) fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.unchanged {
            return Ok(batch.clone());
        }
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns
            .map(|(column, field)| array(column, field.data_type()))
            .collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
    }
}

fn field(from: &FieldRef) -> Result<FieldRef, String> {
    let within = |path: String| {
        if path.starts_with(['[', ' ']) {
            format!("{}{path}", from.name())
        } else {
            format!("{}.{path}", from.name())
        }
    };
    let data_type = data_type(from.data_type()).map_err(within)?;
    if data_type == *from.data_type() {
        return Ok(from.clone());
    }
    Ok(Arc::new(from.as_ref().clone().with_data_type(data_type)))
}

fn data_type(from: &DataType) -> Result<DataType, String> {
    Ok(match from {
        DataType::Interval(IntervalUnit::MonthDayNano) => DataType::Struct(interval_fields()),
        DataType::Struct(fields) if fields.is_empty() => DataType::Boolean,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect::<Result<_, _>>()?),
        DataType::List(item) => DataType::List(field(item)?),
        DataType::LargeList(item) => DataType::LargeList(field(item)?),
        DataType::Map(entries, sorted) => DataType::Map(field(entries)?, *sorted),
        DataType::Union(..) => return Err(" is a union".into()),
        other => other.clone(),
    })
}

fn interval_fields() -> Fields {
    Fields::from(vec![
        Field::new("months", DataType::Int32, false),
        Field::new("days", DataType::Int32, false),
        Field::new("nanoseconds", DataType::Int64, false),
    ])
}

fn array(from: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if from.data_type() == to {
        return Ok(from.clone());
    }
    match (from.data_type(), to) {
        (DataType::Interval(_), DataType::Struct(fields)) => interval(from, fields),
        (DataType::Struct(_), DataType::Boolean) => {
            let present = BooleanBuffer::new_set(from.len());
            Ok(Arc::new(BooleanArray::new(present, from.logical_nulls())))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let from = from.as_struct();
            let columns = from.columns().iter().zip(fields);
            let columns = columns
                .map(|(column, field)| array(column, field.data_type()))
                .collect::<Result<_, _>>()?;
            Ok(Arc::new(StructArray::try_new(
                fields.clone(),
                columns,
                from.nulls().cloned(),
            )?))
        }
        (DataType::List(_), DataType::List(item)) => list::<i32>(from, item),
        (DataType::LargeList(_), DataType::LargeList(item)) => list::<i64>(from, item),
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let from = from.as_map();
            let items = array(
                &(Arc::new(from.entries().clone()) as ArrayRef),
                entries.data_type(),
            )?;
            let (offsets, nulls) = (from.offsets().clone(), from.nulls().cloned());
            let map = MapArray::try_new(
                entries.clone(),
                offsets,
                items.as_struct().clone(),
                nulls,
                *sorted,
            )?;
            Ok(Arc::new(map))
        }
        (from, to) => Err(ArrowError::SchemaError(format!(
            "no conversion from {from} to {to}"
        ))),
    }
}

fn list<O: OffsetSizeTrait>(from: &ArrayRef, item: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let from = from.as_list::<O>();
    let items = array(from.values(), item.data_type())?;
    let list =
        GenericListArray::<O>::try_new(item.clone(), from.offsets().clone(), items, from.nulls().cloned())?;
    Ok(Arc::new(list))
}

fn interval(from: &ArrayRef, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let from = from.as_primitive::<IntervalMonthDayNanoType>();
    let values = from.values();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(values.iter().map(|value| value.months).collect::<Int32Array>()),
        Arc::new(values.iter().map(|value| value.days).collect::<Int32Array>()),
        Arc::new(
            values
                .iter()
                .map(|value| value.nanoseconds)
                .collect::<Int64Array>(),
        ),
    ];
    Ok(Arc::new(StructArray::try_new(
        fields.clone(),
        columns,
        from.nulls().cloned(),
    )?))
}
