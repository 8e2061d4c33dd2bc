//! Which columns a batch has, and what metadata columns hold.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};
use sabot_assemble::{Metadata, OnError, PushStop, TimestampKind, Tombstones};

use crate::one_column::OneColumn;
use crate::support::{Bench, Message, PLAIN, Part, Timestamp, options};

fn byte(byte: u8) -> Part {
    Part::Bare(vec![byte])
}

fn names(schema: &Schema) -> Vec<&str> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect()
}

#[test]
fn columns_stand_in_a_fixed_order() {
    let options = options(|options| {
        options.metadata = Metadata::ALL;
        options.tombstones = Tombstones::Flag;
        options.on_error = OnError::Null;
        (options.error_column, options.raw_column) = (true, true);
    });
    let mut bench = Bench::toys(options, true);
    assert_eq!(bench.assembler.schema(), None);
    let row = Part::row(PLAIN, 1, "one");
    let assembled = bench.batch(&[Message::keyed(0, row.clone(), row)]);
    let schema = assembled.batch.schema();
    assert_eq!(
        names(&schema),
        [
            "key",
            "id",
            "name",
            "_topic",
            "_partition",
            "_offset",
            "_timestamp",
            "_timestamp_type",
            "_key",
            "_headers",
            "_deleted",
            "_error",
            "_raw"
        ]
    );
    assert_eq!(bench.assembler.schema(), Some(schema.clone()));
    let id = schema.field_with_name("id").unwrap();
    assert!(id.is_nullable());
    assert_eq!(id.metadata()["note"], "toy");
    let DataType::Struct(key) = schema.field(0).data_type() else {
        panic!("{schema}")
    };
    assert!(!key[0].is_nullable(), "the struct is null, not its fields");
}

#[test]
fn value_fields_stay_as_they_are_where_no_row_can_lack_a_value() {
    for on_error in [OnError::Fail, OnError::Skip, OnError::DeadLetter] {
        let options = options(|options| {
            options.on_error = on_error;
            options.tombstones = Tombstones::Drop;
            // They have no effect where no bad row is kept.
            (options.error_column, options.raw_column) = (true, true);
        });
        let mut bench = Bench::new(options, None, OneColumn::unions("u"));
        let assembled = bench.batch(&[Message::new(0, byte(1)), Message::new(1, Part::Null)]);
        let schema = assembled.batch.schema();
        assert_eq!(
            names(&schema),
            [
                "u",
                "_topic",
                "_partition",
                "_offset",
                "_timestamp",
                "_timestamp_type"
            ]
        );
        assert_eq!(schema.field(0), OneColumn::unions("u").schema().unwrap().field(0));
        assert_eq!(schema.metadata()["about"], "a test");
        assert_eq!(assembled.batch.num_rows(), 1);
        assert_eq!(assembled.records, 2);
    }
}

#[test]
fn until_a_part_has_a_schema_it_has_no_column() {
    let options = options(|options| {
        options.on_error = OnError::Skip;
        options.metadata = Metadata::NONE;
    });
    let mut bench = Bench::toys(options, true);
    let refused = Part::Misframed;
    let nothing = [
        Message::new(0, Part::Null),
        Message::new(1, refused.clone()),
        Message::keyed(2, refused, Part::Null),
        Message::new(3, Part::Null),
    ];
    let assembled = bench.batch(&nothing);
    assert_eq!(
        (assembled.batch.num_columns(), assembled.batch.num_rows()),
        (0, 2)
    );
    assert_eq!(assembled.bad.len(), 2);

    let assembled = bench.batch(&[Message::new(4, Part::row(PLAIN, 1, "one"))]);
    assert_eq!(names(&assembled.batch.schema()), ["id", "name"]);
    assert_eq!(
        bench.assembler.schema(),
        None,
        "the key's column is still to come"
    );

    let assembled = bench.batch(&[Message::keyed(5, Part::row(PLAIN, 1, "one"), Part::Null)]);
    assert_eq!(names(&assembled.batch.schema()), ["key", "id", "name"]);
    let assembled = bench.batch(&nothing);
    assert_eq!(names(&assembled.batch.schema()), ["key", "id", "name"]);
    assert_eq!(Some(assembled.batch.schema()), bench.assembler.schema());
    assert_eq!(assembled.batch.num_rows(), 2);
}

#[test]
fn a_key_of_one_plain_value_is_one_plain_column() {
    for (name, is_single) in [("key", true), ("value", true), ("id", false)] {
        let mut bench = Bench::new(options(|_| {}), Some(OneColumn::ints(name)), OneColumn::ints("v"));
        let assembled = bench.batch(&[
            Message::keyed(0, byte(7), byte(1)),
            Message::keyed(1, Part::Null, byte(2)),
        ]);
        let key = assembled.batch.column_by_name("key").unwrap();
        assert!(key.is_valid(0) && key.is_null(1));
        let field = assembled.batch.schema().field(0).clone();
        assert!(field.is_nullable());
        assert_eq!(field.metadata()["about"], "a test");
        assert_eq!(field.data_type() == &DataType::Int32, is_single);
        let ints = if is_single { key } else { key.as_struct().column(0) };
        assert_eq!(ints.as_primitive::<Int32Type>().value(0), 7);
    }
}

#[test]
fn a_value_column_keeps_its_name_and_what_is_added_gives_way() {
    for (name, expected) in [
        ("key", ["key_", "key", "_offset", "_deleted"]),
        ("_offset", ["key", "_offset", "_offset_", "_deleted"]),
        ("_deleted", ["key", "_deleted", "_offset", "_deleted_"]),
        ("other", ["key", "other", "_offset", "_deleted"]),
    ] {
        let options = options(|options| {
            options.metadata = Metadata::NONE;
            options.metadata.offset = true;
            options.tombstones = Tombstones::Flag;
        });
        let mut bench = Bench::new(options, Some(OneColumn::ints("value")), OneColumn::ints(name));
        let assembled = bench.batch(&[Message::keyed(9, byte(1), byte(2))]);
        assert_eq!(names(&assembled.batch.schema()), expected);
        let ints = |column: usize| {
            assembled
                .batch
                .column(column)
                .as_primitive::<Int32Type>()
                .value(0)
        };
        assert_eq!((ints(0), ints(1)), (1, 2));
    }
}

#[test]
fn a_union_column_can_be_null() {
    for on_error in [OnError::Skip, OnError::Null] {
        let options = options(|options| {
            options.metadata = Metadata::NONE;
            options.on_error = on_error;
        });
        let mut bench = Bench::new(options, None, OneColumn::unions("u"));
        let values = [byte(1), Part::Null, byte(2), byte(0xff), byte(4), byte(3)];
        let messages: Vec<_> = (0..)
            .zip(values)
            .map(|(offset, value)| Message::new(offset, value))
            .collect();
        let assembled = bench.batch(&messages);
        let union = assembled.batch.column(0).as_union();
        union.to_data().validate_full().unwrap();
        let texts: Vec<String> = (0..union.len())
            .map(|row| {
                let value = union.value(row);
                match value.data_type() {
                    DataType::Int32 => value.as_primitive::<Int32Type>().value(0).to_string(),
                    DataType::Utf8 => format!("{:?}", value.as_string::<i32>().value(0)),
                    _ => "null".to_owned(),
                }
            })
            .collect();
        let mut expected = vec!["1", "null", "\"2\"", "null", "\"4\"", "3"];
        if on_error == OnError::Skip {
            expected.remove(3);
        }
        assert_eq!(texts, expected);
        // Batches with and without nulls have one schema.
        let schema = assembled.batch.schema();
        assert_eq!(bench.batch(&[Message::new(9, byte(1))]).batch.schema(), schema);
    }
}

fn all_metadata(messages: &[Message]) -> RecordBatch {
    let options = options(|options| {
        options.metadata = Metadata::ALL;
        options.tombstones = Tombstones::Null;
    });
    Bench::toys(options, false).batch(messages).batch
}

/// Several topics, partitions and kinds of timestamps, and keys that are null, bytes and none.
fn records() -> Vec<Message> {
    let created = Timestamp {
        ms: 1_700_000_000_123,
        kind: TimestampKind::Create,
    };
    let appended = Timestamp {
        ms: -2,
        kind: TimestampKind::LogAppend,
    };
    let mut messages = Vec::new();
    for (offset, (topic, timestamp)) in [
        ("a", Some(created)),
        ("b", Some(appended)),
        ("a", None),
        ("c", None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut message = Message::keyed(i64::MAX - offset as i64, Part::Null, Part::row(PLAIN, 1, "one"));
        (message.topic, message.timestamp) = (topic.into(), timestamp);
        message.partition = -(offset as i32);
        messages.push(message);
    }
    messages[2].key = Part::Bare(b"\xff\0".to_vec());
    messages[3].key = Part::Bare(b"".to_vec());
    messages
}

#[test]
fn metadata_columns_hold_what_records_hold() {
    let batch = all_metadata(&records());

    let topics = batch
        .column_by_name("_topic")
        .unwrap()
        .as_dictionary::<Int32Type>();
    assert_eq!(topics.keys().values(), &[0, 1, 0, 2]);
    assert_eq!(
        topics
            .values()
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    let partitions = batch
        .column_by_name("_partition")
        .unwrap()
        .as_primitive::<Int32Type>();
    assert_eq!(partitions.values(), &[0, -1, -2, -3]);
    let offsets = batch
        .column_by_name("_offset")
        .unwrap()
        .as_primitive::<Int64Type>();
    assert_eq!(offsets.value(3), i64::MAX - 3);
    let times = batch
        .column_by_name("_timestamp")
        .unwrap()
        .as_primitive::<TimestampMillisecondType>();
    assert_eq!(times.timezone(), Some("UTC"));
    assert_eq!(
        times.iter().collect::<Vec<_>>(),
        [Some(1_700_000_000_123), Some(-2), None, None]
    );
    let kinds = batch
        .column_by_name("_timestamp_type")
        .unwrap()
        .as_dictionary::<Int8Type>();
    let kinds = kinds.downcast_dict::<arrow_array::StringArray>().unwrap();
    let kinds: Vec<_> = kinds.into_iter().collect();
    assert_eq!(kinds, [Some("CreateTime"), Some("LogAppendTime"), None, None]);
    let keys = batch.column_by_name("_key").unwrap().as_binary::<i32>();
    assert_eq!(
        keys.iter().collect::<Vec<_>>(),
        [None, None, Some(&b"\xff\0"[..]), Some(b"")]
    );
}

#[test]
fn headers_keep_order_duplicates_nulls_and_any_name() {
    let mut messages: Vec<_> = (0..3)
        .map(|offset| Message::new(offset, Part::row(PLAIN, 1, "one")))
        .collect();
    let header = |name: &[u8], value: Option<&[u8]>| (name.to_vec(), value.map(<[u8]>::to_vec));
    messages[0].headers = vec![
        header(b"b", Some(b"1")),
        header(b"a", None),
        header(b"b", Some(b"")),
        header(b"", Some(b"\xff")),
    ];
    messages[2].headers = vec![header(b"bad \xff\\", Some(b"2"))];
    let batch = all_metadata(&messages);
    let lists = batch.column_by_name("_headers").unwrap().as_list::<i32>();
    let read = |row: usize| -> Vec<(String, Option<Vec<u8>>)> {
        let entries = lists.value(row);
        let entries = entries.as_struct();
        let names = entries.column(0).as_string::<i32>().iter();
        let values = entries.column(1).as_binary::<i32>().iter();
        names
            .zip(values)
            .map(|(name, value)| (name.unwrap().to_owned(), value.map(<[u8]>::to_vec)))
            .collect()
    };
    assert_eq!(
        read(0),
        [
            ("b".to_owned(), Some(b"1".to_vec())),
            ("a".to_owned(), None),
            ("b".to_owned(), Some(vec![])),
            (String::new(), Some(vec![0xff]))
        ]
    );
    assert_eq!(read(1), []);
    assert_eq!(read(2), [(r"bad \xff\\".to_owned(), Some(b"2".to_vec()))]);
}

#[test]
fn memory_is_counted_and_bounded() {
    let options = options(|options| {
        options.metadata.key = true;
        options.batch_bytes = 10_000;
    });
    let mut bench = Bench::toys(options, false);
    let empty_bytes = bench.assembler.buffered_bytes();
    let key = Part::Framed(PLAIN, vec![7; 1000]);
    let messages: Vec<_> = (0..100)
        .map(|offset| Message::keyed(offset, key.clone(), Part::row(PLAIN, 1, "one")))
        .collect();
    let mut next = 0;
    let mut batches = 0;
    while next < messages.len() {
        let pushed = bench.push(&messages[next..]);
        assert!(pushed.taken > 0 && pushed.taken <= 10, "{pushed:?}");
        assert!(matches!(pushed.stop, PushStop::Full | PushStop::Done));
        let bytes = bench.assembler.buffered_bytes();
        assert!(bytes > 1000 * pushed.taken && bytes < 20_000, "{bytes} bytes");
        next += pushed.taken;
        assert_eq!(bench.assembler.finish().unwrap().batch.num_rows(), pushed.taken);
        assert!(bench.assembler.buffered_bytes() <= empty_bytes + 64);
        batches += 1;
    }
    assert!(batches >= 10);
}

#[test]
fn an_assembler_can_move_to_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&Bench::toys(options(|_| {}), true).assembler);
}
