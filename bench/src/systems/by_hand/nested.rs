//! The nested schema.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, ListArray, MapArray, PrimitiveArray, RecordBatch,
    StringArray, StructArray,
};
use arrow_schema::{Field, FieldRef, Fields};

use super::columns::{Offsets, Strings, nulls, scalars};
use super::{Columns, Cursor, run};
use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;
use crate::systems::by_hand::cursor::Bad;

const STATUSES: [&str; 4] = ["NEW", "PAID", "SENT", "DONE"];

#[derive(Default)]
pub struct Nested {
    id: Vec<i64>,
    status: Vec<i32>,
    name: Strings,
    city: Strings,
    has_age: Vec<bool>,
    age: Vec<i32>,
    lines: Offsets,
    sku: Strings,
    count: Vec<i32>,
    price: Vec<f64>,
    attributes: Offsets,
    attribute_names: Strings,
    attribute_values: Strings,
    attribute_count: usize,
    tags: Offsets,
    tag: Strings,
    tag_count: usize,
}

impl Run for Nested {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        run(self, messages, batch)
    }
}

impl Columns for Nested {
    #[inline]
    fn row(&mut self, body: &mut Cursor<'_>) -> Result<(), Bad> {
        self.id.push(body.long()?);
        let status = body.int()?;
        if !(0..STATUSES.len() as i32).contains(&status) {
            return Err(Bad::Tag);
        }
        self.status.push(status);
        self.name.read(body)?;
        self.city.read(body)?;
        let has_age = body.is_present()?;
        self.has_age.push(has_age);
        self.age.push(if has_age { body.int()? } else { 0 });
        loop {
            let items = body.block()?;
            for _ in 0..items {
                self.sku.read(body)?;
                self.count.push(body.int()?);
                self.price.push(body.double()?);
            }
            if items == 0 {
                break;
            }
        }
        self.lines.push(self.price.len())?;
        loop {
            let items = body.block()?;
            for _ in 0..items {
                self.attribute_names.read(body)?;
                self.attribute_values.read(body)?;
            }
            self.attribute_count += items;
            if items == 0 {
                break;
            }
        }
        self.attributes.push(self.attribute_count)?;
        loop {
            let items = body.block()?;
            for _ in 0..items {
                self.tag.read(body)?;
            }
            self.tag_count += items;
            if items == 0 {
                break;
            }
        }
        self.tags.push(self.tag_count)
    }

    fn flush(&mut self) -> Result<RecordBatch, String> {
        (self.attribute_count, self.tag_count) = (0, 0);
        let id = PrimitiveArray::<Int64Type>::new(scalars(&mut self.id), None);
        let status = DictionaryArray::try_new(
            Int32Array::new(scalars(&mut self.status), None),
            Arc::new(StringArray::from_iter_values(STATUSES)),
        )
        .map_err(|error| error.to_string())?;
        let age = PrimitiveArray::<Int32Type>::new(scalars(&mut self.age), nulls(&mut self.has_age));
        let customer = members([
            ("name", self.name.array(None)?, false),
            ("city", self.city.array(None)?, false),
            ("age", Arc::new(age), true),
        ]);
        let line = members([
            ("sku", self.sku.array(None)?, false),
            (
                "count",
                Arc::new(PrimitiveArray::<Int32Type>::new(scalars(&mut self.count), None)),
                false,
            ),
            (
                "price",
                Arc::new(PrimitiveArray::<Float64Type>::new(scalars(&mut self.price), None)),
                false,
            ),
        ]);
        let entries = members([
            ("key", self.attribute_names.array(None)?, false),
            ("value", self.attribute_values.array(None)?, false),
        ]);
        let attributes = MapArray::new(
            item("entries", &entries),
            self.attributes.take(),
            entries,
            None,
            false,
        );
        let columns: [(&str, ArrayRef); 6] = [
            ("id", Arc::new(id)),
            ("status", Arc::new(status)),
            ("customer", Arc::new(customer)),
            ("lines", list(&mut self.lines, Arc::new(line))),
            ("attributes", Arc::new(attributes)),
            ("tags", list(&mut self.tags, self.tag.array(None)?)),
        ];
        RecordBatch::try_from_iter(columns).map_err(|error| error.to_string())
    }
}

fn members<const N: usize>(columns: [(&str, ArrayRef, bool); N]) -> StructArray {
    let fields: Fields = columns
        .iter()
        .map(|(name, column, nullable)| Field::new(*name, column.data_type().clone(), *nullable))
        .collect();
    StructArray::new(
        fields,
        columns.into_iter().map(|(_, column, _)| column).collect(),
        None,
    )
}

fn list(offsets: &mut Offsets, items: ArrayRef) -> ArrayRef {
    Arc::new(ListArray::new(item("item", &items), offsets.take(), items, None))
}

fn item(name: &str, items: &dyn Array) -> FieldRef {
    Arc::new(Field::new(name, items.data_type().clone(), false))
}
