//! Columns: what is appended comes out, what is rolled back leaves no trace, and every supported
//! type has its columns.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, DictionaryArray, RecordBatch, StringArray, types::Int32Type};
use arrow_buffer::{IntervalMonthDayNano, i256};
use arrow_schema::{
    DataType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit, UnionFields, UnionMode,
};
use proptest::prelude::*;
use sabot_columns::{Columns, Layout, NodeIx, NodeKind};

/// Appends a value made from `seed` to `node`'s subtree.
fn push(columns: &mut Columns, node: NodeIx, seed: u64) {
    let layout = Arc::clone(columns.layout());
    let next = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    if layout.node(node).validity.is_some() && seed.is_multiple_of(3) {
        columns.push_null(node).unwrap();
        return;
    }
    if let Some(column) = layout.node(node).validity {
        columns.validity[column].push(true);
    }
    let text = &"a long string, and a word: größer"[..(seed % 27) as usize];
    match &layout.node(node).kind {
        NodeKind::Null(column) => columns.nulls[*column] += 1,
        NodeKind::Bool(column) => columns.bools[*column].push(seed.is_multiple_of(2)),
        NodeKind::I8(column) => columns.i8s[*column].push(seed as i8),
        NodeKind::I16(column) => columns.i16s[*column].push(seed as i16),
        NodeKind::I32(column) => columns.i32s[*column].push((seed % 1000) as i32),
        NodeKind::I64(column) => columns.i64s[*column].push((seed % 1000) as i64),
        NodeKind::U8(column) => columns.u8s[*column].push(seed as u8),
        NodeKind::U16(column) => columns.u16s[*column].push(seed as u16),
        NodeKind::U32(column) => columns.u32s[*column].push(seed as u32),
        NodeKind::U64(column) => columns.u64s[*column].push(seed),
        NodeKind::F32(column) => columns.f32s[*column].push(seed as f32),
        NodeKind::F64(column) => columns.f64s[*column].push(seed as f64),
        NodeKind::I128(column) => columns.i128s[*column].push(i128::from(seed)),
        NodeKind::I256(column) => columns.i256s[*column].push(i256::from_i128(i128::from(seed))),
        NodeKind::Interval(column) => {
            columns.intervals[*column].push(IntervalMonthDayNano::new(1, 2, seed as i64));
        }
        NodeKind::Bytes(column) => columns.bytes[*column].push(text.as_bytes()).unwrap(),
        NodeKind::LargeBytes(column) => columns.large_bytes[*column].push(text.as_bytes()).unwrap(),
        NodeKind::Views(column) => columns.views[*column].push(text.as_bytes()).unwrap(),
        NodeKind::Fixed(column) => {
            let bytes = vec![seed as u8; columns.fixed[*column].width()];
            columns.fixed[*column].push(&bytes);
        }
        NodeKind::Dictionary(column) => columns.i32s[*column].push((seed % 2) as i32),
        NodeKind::Struct(children) => children
            .iter()
            .for_each(|&child| push(columns, child, next ^ u64::from(child.0))),
        NodeKind::List(column, item) => {
            let items = seed % 4;
            (0..items).for_each(|at| push(columns, *item, next ^ at));
            columns.lists[*column].push(items as usize).unwrap();
        }
        NodeKind::Map(column, key, value) => {
            let items = seed % 4;
            for at in 0..items {
                push(columns, *key, next ^ at);
                push(columns, *value, next ^ (at << 8));
            }
            columns.lists[*column].push(items as usize).unwrap();
        }
        NodeKind::Union(column, children) => {
            let branch = (seed % children.len() as u64) as usize;
            columns.unions[*column].push(branch as i8).unwrap();
            push(columns, children[branch], next);
        }
        other => panic!("{other:?} is not known to this test"),
    }
}

/// Every supported type, nullable and not, alone and nested.
fn everything() -> SchemaRef {
    use DataType as T;
    let leaves = [
        T::Null,
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Float32,
        T::Float64,
        T::Date32,
        T::Date64,
        T::Time32(TimeUnit::Millisecond),
        T::Time64(TimeUnit::Microsecond),
        T::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        T::Duration(TimeUnit::Second),
        T::Interval(IntervalUnit::YearMonth),
        T::Interval(IntervalUnit::MonthDayNano),
        T::Decimal32(9, 2),
        T::Decimal64(18, 2),
        T::Decimal128(38, 2),
        T::Decimal256(76, 2),
        T::Utf8,
        T::Binary,
        T::LargeUtf8,
        T::LargeBinary,
        T::Utf8View,
        T::BinaryView,
        T::FixedSizeBinary(5),
        T::FixedSizeBinary(0),
        T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8)),
    ];
    let leaf =
        |name: String, data_type: &T, nullable| Arc::new(Field::new(name, data_type.clone(), nullable));
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for (at, data_type) in leaves.iter().enumerate() {
        fields.push(leaf(format!("{at}"), data_type, *data_type == T::Null));
        fields.push(leaf(format!("{at}?"), data_type, true));
    }
    let members: Fields = fields.clone().into();
    let item = Arc::new(Field::new("item", T::Struct(members.clone()), true));
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        Field::new("value", T::Struct(members), true),
    ]);
    let branches = vec![
        Field::new("list", T::List(Arc::clone(&item)), true),
        Field::new("null", T::Null, true),
        Field::new("view", T::Utf8View, false),
    ];
    let union = T::Union(UnionFields::try_new(0..3, branches).unwrap(), UnionMode::Dense);
    let nested = [
        T::List(item),
        T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
        T::List(Arc::new(Field::new("item", union.clone(), true))),
        union,
    ];
    fields.extend(
        nested
            .iter()
            .enumerate()
            .map(|(at, data_type)| leaf(format!("nested {at}"), data_type, true)),
    );
    Arc::new(Schema::new(fields))
}

fn columns(schema: &SchemaRef) -> Columns {
    let layout = Arc::new(Layout::new(schema).unwrap());
    let mut columns = Columns::new(Arc::clone(&layout));
    for at in 0.. {
        if at as usize >= count(&layout, layout.roots()) {
            break;
        }
        if let NodeKind::Dictionary(_) = layout.node(NodeIx(at)).kind {
            columns.set_dictionary(NodeIx(at), Arc::new(StringArray::from(vec!["x", "y"])));
        }
    }
    columns
}

fn count(layout: &Layout, nodes: &[NodeIx]) -> usize {
    let below = |&ix: &NodeIx| match &layout.node(ix).kind {
        NodeKind::Struct(children) | NodeKind::Union(_, children) => count(layout, children),
        NodeKind::List(_, item) => count(layout, &[*item]),
        NodeKind::Map(_, key, value) => count(layout, &[*key, *value]),
        _ => 0,
    };
    nodes.len() + nodes.iter().map(below).sum::<usize>()
}

fn append(columns: &mut Columns, seed: u64) {
    let layout = Arc::clone(columns.layout());
    for &root in layout.roots() {
        push(columns, root, seed ^ u64::from(root.0));
    }
}

fn row(columns: &mut Columns, seed: u64) {
    append(columns, seed);
    columns.end_row();
}

fn batch(schema: &SchemaRef, seeds: &[u64]) -> RecordBatch {
    let mut columns = columns(schema);
    seeds.iter().for_each(|&seed| row(&mut columns, seed));
    columns.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Rows appended half-way, whole and rolled back, or truncated, leave nothing behind.
    #[test]
    fn what_is_dropped_leaves_no_trace(
        kept in prop::collection::vec(any::<u64>(), 0..12),
        dropped in prop::collection::vec(any::<u64>(), 1..4),
        half in 0usize..70,
    ) {
        let schema = everything();
        let mut columns = columns(&schema);
        let layout = Arc::clone(columns.layout());
        for &seed in &kept {
            dropped.iter().for_each(|&seed| row(&mut columns, seed));
            columns.truncate(columns.rows() - dropped.len());
            layout.roots().iter().take(half).for_each(|&root| push(&mut columns, root, dropped[0]));
            columns.rollback();
            row(&mut columns, seed);
        }
        prop_assert_eq!(columns.finish().unwrap(), batch(&schema, &kept));
    }

    /// A flush starts anew.
    #[test]
    fn batches_do_not_touch(seeds in prop::collection::vec(any::<u64>(), 0..10), at in 0usize..10) {
        let schema = everything();
        let at = at.min(seeds.len());
        let mut columns = columns(&schema);
        for part in [&seeds[..at], &seeds[at..]] {
            part.iter().for_each(|&seed| row(&mut columns, seed));
            prop_assert_eq!(columns.finish().unwrap(), batch(&schema, part));
            prop_assert_eq!(columns.rows(), 0);
        }
    }
}

#[test]
fn a_null_row_is_null_or_a_placeholder() {
    let schema = everything();
    let mut columns = columns(&schema);
    columns.push_null_values().unwrap();
    columns.end_row();
    row(&mut columns, 1);
    let batch = columns.finish().unwrap();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        assert_eq!(column.len(), 2, "{field}");
        if field.is_nullable() {
            assert!(
                column.logical_nulls().is_some_and(|nulls| nulls.is_null(0)),
                "{field}"
            );
        }
    }
}

#[test]
fn a_flushed_dictionary_keeps_its_values() {
    let data_type = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schema = Arc::new(Schema::new(vec![Field::new("d", data_type, false)]));
    let mut columns = columns(&schema);
    for _ in 0..2 {
        row(&mut columns, 1);
        let batch = columns.finish().unwrap();
        let keys = batch
            .column(0)
            .as_any()
            .downcast_ref::<DictionaryArray<Int32Type>>()
            .unwrap();
        assert_eq!(
            keys.downcast_dict::<StringArray>()
                .unwrap()
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
            ["y"]
        );
    }
}

#[test]
fn a_codecs_fault_is_an_error_and_no_panic() {
    let schema = everything();
    for missing in 0..schema.fields().len() {
        let mut columns = columns(&schema);
        let layout = Arc::clone(columns.layout());
        for (at, &root) in layout.roots().iter().enumerate() {
            if at != missing {
                push(&mut columns, root, 1);
            }
        }
        columns.end_row();
        let result = columns.finish();
        assert!(result.is_err(), "{} was not missed", schema.field(missing));
    }
    let mut columns = Columns::new(Arc::new(
        Layout::new(&Arc::new(Schema::new(vec![Field::new(
            "s",
            DataType::Utf8,
            false,
        )])))
        .unwrap(),
    ));
    columns.bytes[0].push(&[0xff]).unwrap();
    columns.end_row();
    assert!(
        columns.finish().is_err(),
        "a string that is not UTF-8 became an array"
    );
}

#[test]
fn types_without_columns_are_refused_with_their_path() {
    let float = Field::new("half", DataType::Float16, true);
    let outer = Field::new("outer", DataType::Struct(vec![float].into()), true);
    let error = Layout::new(&Arc::new(Schema::new(vec![outer]))).unwrap_err();
    assert_eq!(error.field_path(), "outer.half");
    assert!(error.to_string().contains("Float16"), "{error}");
}

/// The type ids of a union end with 127.
#[test]
fn a_union_of_128_branches_has_columns() {
    let branches = (0..128).map(|at| Field::new(format!("b{at}"), DataType::Int32, false));
    let branches = UnionFields::try_new(0..=127, branches).unwrap();
    let union = DataType::Union(branches, UnionMode::Dense);
    let schema = Arc::new(Schema::new(vec![Field::new("u", union, false)]));
    let mut columns = columns(&schema);
    for branch in [0, 127, 64] {
        columns.unions[0].push(branch).unwrap();
        columns.i32s[branch as usize].push(i32::from(branch));
        columns.end_row();
    }
    let batch = columns.finish().unwrap();
    let union = batch.column(0).as_union();
    assert_eq!(union.type_ids(), &[0, 127, 64]);
    assert_eq!(union.value(1).as_primitive::<Int32Type>().value(0), 127);
}

#[test]
fn bytes_held_are_counted_and_given_up() {
    let schema = everything();
    let mut columns = columns(&schema);
    let empty = columns.buffered_bytes();
    row(&mut columns, 7);
    assert!(columns.buffered_bytes() > empty);
    columns.finish().unwrap();
    assert_eq!(columns.buffered_bytes(), empty);
}
