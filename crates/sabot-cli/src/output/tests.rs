//! Every format against a file under `testdata/golden`, over one batch with every Arrow type that a
//! codec can make. `SABOT_BLESS=1 cargo test -p sabot-cli` writes the files anew.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::{
    Decimal128Type, Float64Type, Int8Type, Int32Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal256Array, DictionaryArray,
    DurationMillisecondArray, FixedSizeBinaryArray, Float32Array, Int32Array, Int64Array, NullArray,
    PrimitiveArray, RecordBatch, StringArray, StringViewArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array, UnionArray,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Fields, Schema, UnionFields, UnionMode};
use sabot::{Metadata, Tombstones};

use super::storable::Storable;
use super::{Destination, Existing, Format, Layout, OutputSpec, TableOptions, Template, ValueLayout};

const NASTY: &str = "tab\t\"quote\" \\ \u{1b}[2J \u{9b} é 漢 🦀, line\nbreak";

#[test]
fn text_formats_write_their_golden_files() {
    let template = Template::parse("%t[%p]@%o %T %k(%K)=%s(%S) {%h}\\n").unwrap();
    let wide = TableOptions::default();
    let narrow = TableOptions {
        width: Some(100),
        color: true,
        flags: "--wide, --select",
    };
    for (name, format, batch) in [
        ("types.jsonl", Format::JsonLines, types()),
        ("types.json", Format::Json, types()),
        ("types.csv", Format::Csv, types()),
        ("types.txt", Format::Table(wide), types()),
        ("messages-narrow.txt", Format::Table(narrow), messages()),
        ("messages.jsonl", Format::Envelope, messages()),
        ("messages-format.txt", Format::Template(template), messages()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        // Two batches: the headers and the brackets must be there once.
        write(
            &format,
            &path,
            &[batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)],
        );
        compare(name, &std::fs::read(&path).unwrap());
    }
}

#[test]
fn json_that_is_written_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("types.json");
    write(&Format::Json, &path, &[types()]);
    let array: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(array.as_array().unwrap().len(), types().num_rows());
    assert_eq!(array[0].as_object().unwrap().len(), types().num_columns());
    assert_eq!(array[0]["text"], NASTY);
}

#[test]
fn parquet_and_arrow_give_back_what_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let batch = types();
    let arrow = folder.path().join("types.arrow");
    write(&Format::Arrow, &arrow, &[batch.slice(0, 1), batch.slice(1, 2)]);
    let reader = arrow_ipc::reader::FileReader::try_new(std::fs::File::open(&arrow).unwrap(), None).unwrap();
    let read: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(read, [batch.slice(0, 1), batch.slice(1, 2)]);

    // Of the types, Parquet lacks unions, which the decoder leaves out for it, and intervals.
    let columns: Vec<usize> = (0..batch.num_columns())
        .filter(|at| batch.schema().field(*at).name() != "union")
        .collect();
    let batch = batch.project(&columns).unwrap();
    let parquet = folder.path().join("types.parquet");
    write(
        &Format::Parquet,
        &parquet,
        &[batch.slice(0, 1), batch.slice(1, 2)],
    );
    let file = std::fs::File::open(&parquet).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let read: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let storable = Storable::new(&batch.schema()).unwrap().convert(&batch).unwrap();
    assert_eq!(read.len(), 1);
    for (at, field) in storable.schema().fields().iter().enumerate() {
        assert_eq!(
            read[0].column(at).as_ref(),
            storable.column(at).as_ref(),
            "{}",
            field.name()
        );
    }
    let spans = storable["span"].as_any().downcast_ref::<StructArray>().unwrap();
    assert_eq!(spans.column_names(), ["months", "days", "nanoseconds"]);
    assert!(spans.is_null(1));
}

#[test]
fn a_union_in_parquet_is_refused_by_its_path() {
    let nested = Field::new_list(
        "unions",
        types().schema().field_with_name("union").unwrap().clone(),
        true,
    );
    let schema = Arc::new(Schema::new(vec![Field::new_struct("outer", vec![nested], true)]));
    assert_eq!(
        Storable::new(&schema).unwrap_err(),
        "outer.unions.union is a union"
    );
}

#[test]
fn whole_files_appear_only_when_they_are_whole() {
    for format in [Format::Parquet, Format::Arrow, Format::Json] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let spec = spec(&format, &path, Existing::Refuse, None);
        let mut sink = super::open(&spec).unwrap();
        assert_eq!(sink.write(&numbers(3)).unwrap(), super::Durable::NotYet);
        assert!(!path.exists());
        sink.finish().unwrap();
        assert!(path.exists());
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing partial is left"
        );
        // What exists is not replaced unasked.
        spec.check().unwrap_err();
        let mut again = super::open(&self::spec(&format, &path, Existing::Overwrite, None)).unwrap();
        again.write(&numbers(1)).unwrap();
        drop(again);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "an abandoned file is removed"
        );
    }
}

#[test]
fn rotated_files_are_durable_one_by_one_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    let spec = spec(&Format::Parquet, &path, Existing::Refuse, Some(4));
    for _ in 0..2 {
        let mut sink = super::open(&spec).unwrap();
        assert_eq!(sink.write(&numbers(3)).unwrap(), super::Durable::NotYet);
        assert_eq!(sink.write(&numbers(3)).unwrap(), super::Durable::Yes);
        assert_eq!(sink.write(&numbers(1)).unwrap(), super::Durable::NotYet);
        sink.finish().unwrap();
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "out-00000.parquet",
            "out-00001.parquet",
            "out-00002.parquet",
            "out-00003.parquet"
        ]
    );
}

#[test]
fn appending_cuts_off_a_torn_record_and_writes_no_second_header() {
    let rows = "{\"number\":0}\n";
    for (format, before, after) in [
        (
            Format::JsonLines,
            "{\"number\":7}\n{\"num",
            format!("{{\"number\":7}}\n{rows}"),
        ),
        (Format::JsonLines, "", rows.to_owned()),
        // Whole but for its line break.
        (
            Format::JsonLines,
            "{\"number\":7}",
            format!("{{\"number\":7}}\n{rows}"),
        ),
        (
            Format::JsonLines,
            "{\"number\":7}\n{\"number\":8}",
            format!("{{\"number\":7}}\n{{\"number\":8}}\n{rows}"),
        ),
        (Format::Csv, "number\r\n7\r\n", "number\r\n7\r\n0\r\n".to_owned()),
        (
            Format::Csv,
            "number\n\"7\n\"\r\n\"torn\nrec",
            "number\n\"7\n\"\r\n0\r\n".to_owned(),
        ),
        (Format::Csv, "", "number\r\n0\r\n".to_owned()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, before).unwrap();
        let mut sink = super::open(&spec(&format, &path, Existing::Append, None)).unwrap();
        sink.write(&numbers(1)).unwrap();
        sink.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), after, "{before:?}");
    }
}

#[test]
fn appending_messages_without_line_breaks_takes_nothing_away() {
    for (template, before) in [("%o;", "0;1;2;"), ("%o;", "line\n0;1;"), ("%o\\n", "0\n1\n")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::fs::write(&path, before).unwrap();
        let format = Format::Template(Template::parse(template).unwrap());
        let mut sink = super::open(&spec(&format, &path, Existing::Append, None)).unwrap();
        sink.write(&messages().slice(0, 1)).unwrap();
        sink.finish().unwrap();
        let after = std::fs::read_to_string(&path).unwrap();
        assert!(
            after.len() > before.len() && after.starts_with(before),
            "{after:?}"
        );
    }
}

/// With a group, rows count once they are on disk; a device or a pipe has none to wait for.
#[cfg(unix)]
#[test]
fn what_has_no_disk_is_written_all_the_same() {
    for format in [Format::JsonLines, Format::Json, Format::Parquet] {
        let mut spec = spec(&format, Path::new("/dev/null"), Existing::Refuse, None);
        spec.sync = true;
        let mut sink = super::open(&spec).unwrap();
        sink.write(&numbers(1)).unwrap();
        sink.finish().unwrap();
    }
}

#[test]
fn rows_of_other_columns_are_not_added_to_a_csv_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    std::fs::write(&path, "text\r\na\r\n").unwrap();
    let mut sink = super::open(&spec(&Format::Csv, &path, Existing::Append, None)).unwrap();
    let error = sink.write(&numbers(1)).unwrap_err();
    assert!(
        error
            .message()
            .unwrap()
            .contains("the columns are number, but the output's are text")
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "text\r\na\r\n");
}

#[test]
fn two_writers_never_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    let rotated = spec(&Format::Parquet, &path, Existing::Refuse, Some(2));
    let (mut one, mut other) = (super::open(&rotated).unwrap(), super::open(&rotated).unwrap());
    for sink in [&mut one, &mut other] {
        sink.write(&numbers(1)).unwrap();
    }
    one.finish().unwrap();
    other.finish().unwrap();
    for name in ["out-00000.parquet", "out-00001.parquet"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    for format in [Format::Parquet, Format::Csv] {
        let path = folder.path().join("single");
        let spec = spec(&format, &path, Existing::Overwrite, None);
        let mut one = super::open(&spec).unwrap();
        one.write(&numbers(1)).unwrap();
        let second = super::open(&spec).and_then(|mut other| other.write(&numbers(1)).map(drop));
        let message = second.unwrap_err();
        assert!(
            message.message().unwrap().contains("another process"),
            "{message:?}"
        );
        one.finish().unwrap();
    }
}

fn write(format: &Format, path: &Path, batches: &[RecordBatch]) {
    let mut sink = super::open(&spec(format, path, Existing::Refuse, None)).unwrap();
    for batch in batches {
        sink.write(batch).unwrap();
    }
    sink.finish().unwrap();
}

fn spec(format: &Format, path: &Path, existing: Existing, rotate_rows: Option<usize>) -> OutputSpec {
    OutputSpec {
        format: format.clone(),
        destination: Destination::File {
            path: path.to_owned(),
            existing,
        },
        layout: Layout {
            key: true,
            metadata: {
                let mut metadata = Metadata::ALL;
                metadata.key = false;
                metadata
            },
            tombstones: Tombstones::Flag,
            error_columns: false,
            value: ValueLayout::Record,
        },
        rotate_rows,
        sync: false,
    }
}

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/golden")
        .join(name)
}

fn compare(name: &str, found: &[u8]) {
    let path = golden(name);
    if std::env::var_os("SABOT_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read(&path).unwrap();
    // Compared as text for a readable failure, and as bytes because headers may hold anything.
    assert_eq!(
        String::from_utf8_lossy(found),
        String::from_utf8_lossy(&expected),
        "{name}"
    );
    assert_eq!(found, expected, "{name}");
}

fn numbers(rows: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_from_iter([("number", column)]).unwrap()
}

type Columns = Vec<(&'static str, ArrayRef)>;

/// Three rows: something, nothing (where a column can say nothing), and an extreme.
fn types() -> RecordBatch {
    let columns = [scalars(), decimals(), times(), nested()];
    let (mut fields, mut arrays): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .flatten()
        .map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
        .unzip();
    let uuid = Field::new("uuid", DataType::FixedSizeBinary(16), true);
    let name = ("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned());
    fields.push(uuid.with_metadata(HashMap::from([name])));
    let bytes: [u8; 16] = std::array::from_fn(|at| at as u8 * 17);
    let uuids = [Some(bytes), None, Some([0; 16])].into_iter();
    arrays.push(Arc::new(
        FixedSizeBinaryArray::try_from_sparse_iter_with_size(uuids, 16).unwrap(),
    ));
    let spans = vec![
        Some(IntervalMonthDayNano::new(1, -2, 500_000_000)),
        None,
        Some(IntervalMonthDayNano::new(0, 0, 0)),
    ];
    let spans: ArrayRef = Arc::new(PrimitiveArray::<IntervalMonthDayNanoType>::from(spans));
    fields.push(Field::new("span", spans.data_type().clone(), true));
    arrays.push(spans);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn scalars() -> Columns {
    vec![
        ("null", Arc::new(NullArray::new(3))),
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "int",
            Arc::new(Int32Array::from(vec![Some(-7), None, Some(i32::MIN)])),
        ),
        (
            "unsigned",
            Arc::new(UInt64Array::from(vec![Some(7), None, Some(u64::MAX)])),
        ),
        (
            "float",
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NEG_INFINITY)])),
        ),
        (
            "double",
            Arc::new(PrimitiveArray::<Float64Type>::from(vec![
                Some(-1e300),
                None,
                Some(f64::NAN),
            ])),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![Some(NASTY), None, Some("")])),
        ),
        (
            "view",
            Arc::new(StringViewArray::from(vec![
                Some("longer than twelve bytes"),
                None,
                Some("short"),
            ])),
        ),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![
                Some(&[0, 1, 255, 254][..]),
                None,
                Some(b""),
            ])),
        ),
        (
            "enum",
            Arc::new(DictionaryArray::<Int32Type>::from_iter([
                Some("NEW"),
                None,
                Some("SENT"),
            ])),
        ),
    ]
}

fn decimals() -> Columns {
    vec![
        (
            "decimal",
            Arc::new(
                PrimitiveArray::<Decimal128Type>::from(vec![
                    Some(-12_345),
                    None,
                    Some(i128::pow(10, 38) - 1),
                ])
                .with_precision_and_scale(38, 2)
                .unwrap(),
            ),
        ),
        (
            "wide_decimal",
            Arc::new(
                Decimal256Array::from(vec![Some(i256::from_i128(1)), None, Some(i256::from_i128(-1))])
                    .with_precision_and_scale(76, 30)
                    .unwrap(),
            ),
        ),
    ]
}

fn times() -> Columns {
    vec![
        (
            "date",
            Arc::new(Date32Array::from(vec![Some(0), None, Some(i32::MAX)])),
        ),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(86_399_999_999),
                None,
                Some(0),
            ])),
        ),
        (
            "instant",
            Arc::new(
                TimestampMillisecondArray::from(vec![Some(-1), None, Some(i64::MAX)]).with_timezone("UTC"),
            ),
        ),
        (
            "local",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1_709_208_000_000_001),
                None,
                Some(0),
            ])),
        ),
        (
            "duration",
            Arc::new(DurationMillisecondArray::from(vec![Some(-1_500), None, Some(0)])),
        ),
    ]
}

fn nested() -> Columns {
    let mut tags = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    tags.keys().append_value("a \"b\"");
    tags.values().append_value(1);
    tags.keys().append_value("c");
    tags.values().append_null();
    tags.append(true).unwrap();
    tags.append(false).unwrap();
    tags.append(true).unwrap();
    let mut list = ListBuilder::new(StringBuilder::new());
    list.values().append_value("x");
    list.values().append_null();
    list.append(true);
    list.append(false);
    list.append(true);
    vec![
        ("list", Arc::new(list.finish())),
        ("map", Arc::new(tags.finish())),
        ("struct", structs()),
        ("union", unions()),
    ]
}

fn structs() -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("x", DataType::Int32, true),
        Field::new("nothing", DataType::Struct(Fields::empty()), true),
    ]);
    let nothing = StructArray::new_empty_fields(3, None);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None, None])),
        Arc::new(nothing),
    ];
    Arc::new(StructArray::try_new(fields, columns, Some(vec![true, false, true].into())).unwrap())
}

/// A string, null, and a record: a dense union as Avro's.
fn unions() -> ArrayRef {
    let point = Fields::from(vec![Field::new("x", DataType::Int64, false)]);
    let fields = UnionFields::try_new(
        [0, 1, 2],
        [
            Field::new("null", DataType::Null, true),
            Field::new("string", DataType::Utf8, false),
            Field::new("demo.Point", DataType::Struct(point.clone()), false),
        ],
    )
    .unwrap();
    let points = StructArray::new(point, vec![Arc::new(Int64Array::from(vec![5]))], None);
    let children: Vec<ArrayRef> = vec![
        Arc::new(NullArray::new(1)),
        Arc::new(StringArray::from(vec!["a \"b\""])),
        Arc::new(points),
    ];
    let union =
        UnionArray::try_new(fields, vec![1, 0, 2].into(), Some(vec![0, 0, 0].into()), children).unwrap();
    assert!(matches!(union.data_type(), DataType::Union(_, UnionMode::Dense)));
    Arc::new(union)
}

/// Three messages: a record, a tombstone without key and timestamp, and one that looks like
/// metadata.
fn messages() -> RecordBatch {
    let header = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ]);
    let entries = StructArray::new(
        header.clone(),
        vec![
            Arc::new(StringArray::from(vec!["trace", "trace", "none"])),
            Arc::new(BinaryArray::from(vec![Some(&b"a"[..]), Some(b"\xff"), None])),
        ],
        None,
    );
    let headers = arrow_array::ListArray::new(
        Arc::new(Field::new("item", DataType::Struct(header), false)),
        arrow_buffer::OffsetBuffer::from_lengths([3, 0, 0]),
        Arc::new(entries),
        None,
    );
    let times =
        TimestampMillisecondArray::from(vec![Some(1_700_000_000_123), None, Some(0)]).with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "key_",
            Arc::new(StringArray::from(vec![Some("k1"), None, Some("")])),
        ),
        ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
        (
            "key",
            Arc::new(StringArray::from(vec![
                Some("not the key"),
                None,
                Some("x".repeat(80).as_str()),
            ])),
        ),
        (
            "_topic",
            Arc::new(StringArray::from(vec![
                Some("not the topic"),
                None,
                Some("wide 漢字 text"),
            ])),
        ),
        (
            "_topic_",
            Arc::new(DictionaryArray::<Int32Type>::from_iter([
                "orders", "orders", "other",
            ])),
        ),
        ("_partition", Arc::new(Int32Array::from(vec![0, 1, 2]))),
        ("_offset", Arc::new(Int64Array::from(vec![10, 11, 12]))),
        ("_timestamp", Arc::new(times)),
        (
            "_timestamp_type",
            Arc::new(DictionaryArray::<Int8Type>::from_iter([
                Some("CreateTime"),
                None,
                Some("LogAppendTime"),
            ])),
        ),
        ("_headers", Arc::new(headers)),
        ("_deleted", Arc::new(BooleanArray::from(vec![false, true, false]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}
