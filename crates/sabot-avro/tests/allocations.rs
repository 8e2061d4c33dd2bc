//! In steady state a message allocates nothing, and a batch little: the arrays' headers.
//!
//! Steady state is when the consumer has let go of the batches before: their memory is used again.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use sabot_avro::AvroFactory;
use sabot_decode::{
    BigDecimalType, BinaryType, Decoder, DecoderFactory, EnumType, OutputSchema, Payload, RecursionType,
    SchemaKey, Stop, StringType, Target, UnionType, UuidType, WideDecimalType, WriterSchema,
};
use sabot_testkit::alloc::{CountingAllocator, count};
use sabot_testkit::avro::{array, logical, long, map, nullable};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const KEYS: [SchemaKey; 2] = [SchemaKey::Id(1), SchemaKey::Id(2)];

/// Allocations of a flush for each array of the batch at most: its buffers' headers, its own, and
/// its parent's list of them.
const FLUSH_PER_ARRAY: usize = 8;
/// And for the batch as a whole.
const FLUSH_AT_MOST: usize = 16;
/// Bytes of one of them at most.
const HEADER_BYTES: usize = 256;

/// One kind of step, or several: a writer, a target, and messages of it.
struct Case {
    name: &'static str,
    writer: String,
    target: Target,
    bodies: Vec<Vec<u8>>,
}

impl Case {
    fn new(name: &'static str, writer: &str, bodies: &[&[u8]]) -> Self {
        Self {
            name,
            writer: record(writer),
            target: Target::default(),
            bodies: bodies.iter().map(|body| body.to_vec()).collect(),
        }
    }

    fn onto(mut self, reader: &str) -> Self {
        self.target.output = OutputSchema::Reader(WriterSchema::avro(record(reader)));
        self
    }

    fn arrow(mut self, ty: DataType) -> Self {
        let fields = vec![Field::new("f", ty, true)];
        self.target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Target)) -> Self {
        change(&mut self.target);
        self
    }

    fn open(&self) -> Box<dyn Decoder> {
        let fail = |error| panic!("{}: {error}", self.name);
        let mut decoder = AvroFactory.open(&self.target).unwrap_or_else(fail);
        for key in KEYS {
            let prepared = decoder.prepare(key, &WriterSchema::avro(self.writer.as_str()));
            prepared.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
        decoder
    }

    /// As many messages: runs of one key, or both in turn.
    fn rows(&self, count: usize, is_interleaved: bool) -> Vec<Payload<'_>> {
        let row = |at: usize| {
            let key = if is_interleaved { KEYS[at % 2] } else { KEYS[0] };
            Payload::with_key(key, &self.bodies[at / 2 % self.bodies.len()])
        };
        (0..count).map(row).collect()
    }
}

/// A record `R` of one field `f`, or with more of them after it.
fn record(ty: &str) -> String {
    format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "f", "type": {ty}}}]}}"#)
}

const LONG: &[&[u8]] = &[b"\x02", b"\x80\x80\x08"];
const TEXT: &[&[u8]] = &[b"\x0asmith", b"\x00", b"\x20longer than that"];
const FIXED: &str = r#"{"type": "fixed", "name": "F", "size": 2}"#;
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
const TURNED: &str = r#"{"type": "enum", "name": "E", "symbols": ["B", "A"]}"#;
const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}"#;
const WIDER: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 45}"#;
const WIDEST: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 100, "scale": 2}"#;
const DURATION: &str = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
const UUID: &[&[u8]] = &[b"\x4889791762-2336-4186-9674-299b90a802e2"];
const UUID_BYTES: &str = r#"{"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}"#;
const POINT: &str = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "s", "type": "string"}]}"#;
const UNION: &str = r#"["null", "int", "string"]"#;
const BIG: &[&[u8]] = &[b"\x08\x04\x10\x68\x04", b"\x06\x02\x05\x00"];
const LIST: &str = r#"["null", {"type": "record", "name": "L", "fields": [{"name": "v", "type": "int"}, {"name": "next", "type": ["null", "L"]}]}]"#;
const NUMBERS: &str = r#"["null", {"type": "record", "name": "L", "fields": [{"name": "d", "type": "double"}, {"name": "b", "type": "bytes"}, {"name": "next", "type": ["null", "L"]}]}]"#;
const NUMBER_LISTS: &[&[u8]] = &[b"\x02\0\0\0\0\0\0\xf8\x3f\x06\x01\xe9\"\x00", b"\x00"];
const LISTS: &[&[u8]] = &[b"\x02\x02\x02\x04\x02\x06\x00", b"\x00", b"\x02\x02\x00"];

/// Every step of numbers, text, bytes and what they become.
fn values() -> Vec<Case> {
    let int = "\"int\"";
    let (millis, time) = (logical("long", "timestamp-millis"), logical("int", "time-millis"));
    let (uuid, big) = (logical("string", "uuid"), logical("bytes", "big-decimal"));
    vec![
        Case::new("null", "\"null\"", &[b""]),
        Case::new("boolean", "\"boolean\"", &[b"\x00", b"\x01"]),
        Case::new("int", int, LONG),
        Case::new("long", "\"long\"", LONG),
        Case::new("int as long", int, LONG).onto("\"long\""),
        Case::new("int as float", int, LONG).onto("\"float\""),
        Case::new("int as double", int, LONG).onto("\"double\""),
        Case::new("long as float", "\"long\"", LONG).onto("\"float\""),
        Case::new("long as double", "\"long\"", LONG).onto("\"double\""),
        Case::new("float", "\"float\"", &[&[1; 4]]),
        Case::new("float as double", "\"float\"", &[&[1; 4]]).onto("\"double\""),
        Case::new("double", "\"double\"", &[&[1; 8]]),
        Case::new("time in another unit", &time, LONG).onto(&logical("long", "time-micros")),
        Case::new("timestamp in another unit", &millis, LONG).onto(&logical("long", "timestamp-nanos")),
        Case::new("text", "\"string\"", TEXT),
        Case::new("large text", "\"string\"", TEXT).with(|to| to.mapping.strings = StringType::LargeUtf8),
        Case::new("text as views", "\"string\"", TEXT).with(|to| to.mapping.strings = StringType::Utf8View),
        Case::new("bytes", "\"bytes\"", TEXT),
        Case::new("large bytes", "\"bytes\"", TEXT).with(|to| to.mapping.bytes = BinaryType::LargeBinary),
        Case::new("bytes as views", "\"bytes\"", TEXT).with(|to| to.mapping.bytes = BinaryType::BinaryView),
        Case::new("fixed", FIXED, &[b"ab"]),
        Case::new("fixed as bytes", FIXED, &[b"ab"]).arrow(DataType::Binary),
        Case::new("enum", ENUM, &[b"\x00", b"\x02"]),
        Case::new("enum mapped", ENUM, &[b"\x00", b"\x02"]).onto(TURNED),
        Case::new("enum as text", ENUM, &[b"\x00", b"\x02"]).with(|to| to.mapping.enums = EnumType::Utf8),
        Case::new("decimal", DECIMAL, &[b"\x02\x05", b"\x00"]),
        Case::new("wider decimal", WIDER, &[b"\x02\x05", b"\x00"]),
        Case::new("widest decimal", WIDEST, &[b"\x02\x05", b"\x00"]),
        Case::new("wide decimal as text", WIDEST, &[b"\x02\x05", b"\x00"])
            .with(|to| to.mapping.wide_decimals = WideDecimalType::Utf8),
        Case::new("big-decimal", &big, BIG),
        Case::new("big-decimal as text", &big, BIG).with(|to| to.mapping.big_decimals = BigDecimalType::Utf8),
        Case::new("big-decimal as Decimal128", &big, BIG)
            .with(|to| to.mapping.big_decimals = BigDecimalType::Decimal128 { scale: 2 }),
        Case::new("big-decimal as Decimal256", &big, BIG)
            .with(|to| to.mapping.big_decimals = BigDecimalType::Decimal256 { scale: 2 }),
        Case::new("duration", DURATION, &[&[1; 12]]),
        Case::new("uuid", &uuid, UUID),
        Case::new("uuid as text", &uuid, UUID).with(|to| to.mapping.uuids = UuidType::Utf8),
        Case::new("uuid's bytes as text", UUID_BYTES, &[&[1; 16]])
            .with(|to| to.mapping.uuids = UuidType::Utf8),
    ]
}

/// Every step that holds others, and those that read nothing or leave what they read.
fn structures() -> Vec<Case> {
    let point: &[&[u8]] = &[b"\x02\x0asmith", b"\x04\x00"];
    let there: &[&[u8]] = &[b"\x02\x02\x0asmith", b"\x00"];
    let points: &[&[u8]] = &[
        b"\x04\x02\x0asmith\x04\x00\x00",
        b"\x00",
        b"\x02\x02\x02x\x02\x02\x02y\x00",
    ];
    let ints: &[&[u8]] = &[b"\x04\x02\x04\x00", b"\x00", b"\x01\x02\x08\x00"];
    let lists: &[&[u8]] = &[b"\x04\x02\x02\x00\x00\x00", b"\x00"];
    let texts: &[&[u8]] = &[b"\x04\x02k\x0asmith\x02l\x00\x00", b"\x00"];
    let branches: &[&[u8]] = &[b"\x02\x08", b"\x04\x0asmith", b"\x00"];
    let grown = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"},
        {"name": "d", "type": {"type": "map", "values": "int"}, "default": {"k": 1}}, {"name": "n", "type": ["null", "string"], "default": null}]}"#;
    let skipping = format!(
        r#"{UNION}}}, {{"name": "g", "type": {}}}, {{"name": "h", "type": "int""#,
        array(POINT)
    );
    let skipped: &[&[u8]] = &[b"\x04\x02x\x02\x02\x02y\x00\x06", b"\x00\x00\x06"];
    let in_default =
        format!(r#"{POINT}, "default": {{"x": 1, "s": "skipped"}}}}, {{"name": "g", "type": "int""#);
    let keep = |path: &str| {
        let path = path.to_owned();
        move |to: &mut Target| to.projection = Some(vec![path])
    };
    vec![
        Case::new("record", POINT, point),
        Case::new("nullable record", &nullable(POINT), there),
        Case::new(
            "nullable text",
            &nullable("\"string\""),
            &[b"\x02\x0asmith", b"\x00"],
        ),
        Case::new("list", &array("\"int\""), ints),
        Case::new("list of records", &array(POINT), points),
        Case::new(
            "list of nullable records",
            &array(&nullable(POINT)),
            &[b"\x04\x02\x02\x02x\x00\x00", b"\x00"],
        ),
        Case::new("list of lists", &array(&array("\"int\"")), lists),
        Case::new(
            "list of unions",
            &array(UNION),
            &[b"\x06\x02\x08\x04\x02x\x00\x00", b"\x00"],
        ),
        Case::new("map", &map("\"string\""), texts),
        Case::new("union", UNION, branches),
        Case::new("union turned", UNION, branches).onto(r#"["string", "long", "null"]"#),
        Case::new("union as a struct", UNION, branches).with(|to| to.mapping.unions = UnionType::Struct),
        Case::new("defaults", POINT, point).onto(grown),
        Case::new("skipped", &skipping, skipped).with(keep("h")),
        Case::new(
            "skipped in a default",
            "\"long\"}, {\"name\": \"g\", \"type\": \"int\"",
            &[b"\x02\x02"],
        )
        .onto(&in_default.replace("\"name\": \"f\"", "\"name\": \"d\""))
        .with(keep("g")),
        Case::new("tail unseen", &skipping, skipped).with(keep("f")),
    ]
}

/// What holds itself, in messages and in a default.
fn recursions() -> Vec<Case> {
    let tree = r#"{"type": "record", "name": "T", "fields": [{"name": "v", "type": "int"},
        {"name": "below", "type": {"type": "array", "items": "T"}}]}"#;
    let default = r#"{"v": 1, "below": [{"v": 2, "below": []}]}"#;
    let recursive_default = format!(r#""int"}}, {{"name": "d", "type": {tree}, "default": {default}"#);
    vec![
        Case::new("recursion as JSON", LIST, LISTS),
        Case::new("recursion with numbers and bytes as JSON", NUMBERS, NUMBER_LISTS),
        Case::new("recursion as bytes", LIST, LISTS).with(|to| to.mapping.recursion = RecursionType::Binary),
        Case::new("recursion unrolled", LIST, LISTS)
            .with(|to| to.mapping.recursion = RecursionType::Unroll(4)),
        Case::new("recursion in a default as JSON", "\"int\"", LONG).onto(&recursive_default),
        Case::new("recursion in a default as bytes", "\"int\"", LONG)
            .onto(&recursive_default)
            .with(|to| to.mapping.recursion = RecursionType::Binary),
    ]
}

/// Arrays of a batch, those within others too.
fn arrays(schema: &Schema) -> usize {
    fn below(ty: &DataType) -> usize {
        let child = |field: &Arc<Field>| 1 + below(field.data_type());
        match ty {
            DataType::List(item) | DataType::Map(item, _) => child(item),
            DataType::Struct(fields) => fields.iter().map(child).sum(),
            DataType::Union(fields, _) => fields.iter().map(|(_, field)| child(field)).sum(),
            DataType::Dictionary(..) => 1,
            _ => 0,
        }
    }
    let fields = schema.fields().iter();
    fields.map(|field| 1 + below(field.data_type())).sum()
}

#[test]
fn a_message_allocates_nothing_and_a_batch_little() {
    let mut faults = Vec::new();
    for case in values().iter().chain(&structures()).chain(&recursions()) {
        for (count, is_interleaved) in [(64, false), (1000, false), (1000, true)] {
            let what = format!("{}, {count} messages, interleaved: {is_interleaved}", case.name);
            let found = check(case, &case.rows(count, is_interleaved));
            faults.extend(found.into_iter().map(|fault| format!("{what}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a decoder of the case allocates beyond the bounds.
fn check(case: &Case, rows: &[Payload<'_>]) -> Vec<String> {
    let mut decoder = case.open();
    let decode = |decoder: &mut dyn Decoder| {
        let progress = decoder.decode(rows, &mut |error| panic!("{}: {error:?}", case.name));
        assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
    };
    // Room grows over a few batches.
    for _ in 0..6 {
        decode(&mut *decoder);
        decoder.flush().expect("a flush");
    }
    let mut faults = Vec::new();
    let ((), decoding) = count(|| decode(&mut *decoder));
    if decoding.allocations > 0 {
        faults.push(format!("{} allocations in decoding", decoding.allocations));
    }
    let (slots, flushing) = count(|| decoder.flush().expect("a flush"));
    let arrays = arrays(&slots.batch.schema());
    // Headers, whatever the columns hold.
    let most = FLUSH_AT_MOST + FLUSH_PER_ARRAY * arrays;
    if flushing.allocations > most || flushing.bytes > most * HEADER_BYTES {
        faults.push(format!("{flushing:?} in flushing {arrays} arrays"));
    }
    faults
}

const WRITER: &str = r#"{"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "long"}, {"name": "gone", "type": ["null", {"type": "map", "values": "string"}]},
    {"name": "name", "type": ["null", "string"]}, {"name": "state", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "where", "type": ["null", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "double"}, {"name": "y", "type": "double"}]}]},
    {"name": "u", "type": ["null", "int", "string"]},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}}]}"#;

const READER: &str = r#"{"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "double"}, {"name": "name", "type": ["null", "string"]},
    {"name": "state", "type": {"type": "enum", "name": "E", "symbols": ["B", "A"]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "new", "type": {"type": "map", "values": "int"}, "default": {"k": 1}},
    {"name": "where", "type": ["null", {"type": "record", "name": "P", "fields": [{"name": "y", "type": "double"}]}]},
    {"name": "u", "type": ["string", "long", "null"]},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}}]}"#;

/// A message with everything, and one with nulls.
fn bodies() -> [Vec<u8>; 2] {
    let uuid = b"\x4889791762-2336-4186-9674-299b90a802e2";
    let place = [1.5f64.to_le_bytes(), 2.5f64.to_le_bytes()].concat();
    let full = [
        b"\x0e\x02\x02\x02k\x02v\x00\x02\x0asmith\x02\x02\x02a\x02\x02b\x00\x02",
        &place[..],
        b"\x04\x02x\x02\x05",
        uuid,
    ];
    let bare = [&b"\x10\x00\x00\x00\x00\x00\x00\x00"[..], uuid];
    [full.concat(), bare.concat()]
}

#[test]
fn nothing_is_allocated_for_a_message() {
    let keys = [SchemaKey::Id(1), SchemaKey::Id(2)];
    let bodies = bodies();
    // Two writers in turn, so that the plan changes with every message.
    let rows: Vec<_> = (0..2000)
        .map(|at| Payload::with_key(keys[at % 2], &bodies[at / 2 % 2]))
        .collect();
    for reader in [None, Some(READER)] {
        let mut target = Target::default();
        if let Some(reader) = reader {
            target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        }
        let mut decoder = AvroFactory.open(&target).unwrap();
        for key in keys {
            decoder.prepare(key, &WriterSchema::avro(WRITER)).unwrap();
        }
        // The columns leave room for as many rows again when they are flushed.
        for _ in 0..6 {
            decoder.decode(&rows, &mut |error| panic!("{error:?}"));
            decoder.flush().unwrap();
        }
        let (progress, counts) = count(|| decoder.decode(&rows, &mut |error| panic!("{error:?}")));
        assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
        assert_eq!(counts.allocations, 0);

        // Bad messages neither.
        let bad: Vec<_> = rows
            .iter()
            .map(|row| Payload::with_key(row.key, &bodies[0][..20]))
            .collect();
        decoder.flush().unwrap();
        decoder.decode(&bad, &mut |_| {});
        decoder.flush().unwrap();
        decoder.decode(&rows, &mut |_| {});
        decoder.flush().unwrap();
        let mut errors = 0;
        let (_, counts) = count(|| decoder.decode(&bad[..100], &mut |_| errors += 1));
        assert_eq!(errors, 100);
        assert!(
            counts.allocations <= 8,
            "{counts:?}: the bitmap of bad slots may grow, and nothing else"
        );
    }
}

/// A list of more items than any message has, in a few bytes: by a count, and by one with a size
/// after it.
fn claims() -> Vec<Vec<u8>> {
    const MANY: i64 = 2_000_000_000;
    vec![
        [long(MANY), vec![0]].concat(),
        [long(-MANY), vec![0, 0]].concat(),
        [long(-MANY), vec![4, 0, 0, 0]].concat(),
        [long(i64::MIN), vec![0, 0]].concat(),
        [long(i64::MAX), vec![0; 20]].concat(),
    ]
}

#[test]
fn items_that_are_not_there_cost_nothing() {
    let empty = r#"{"type": "record", "name": "Empty", "fields": []}"#;
    let none = r#"{"type": "fixed", "name": "None", "size": 0}"#;
    for item in ["\"null\"", "\"int\"", none, empty, "\"string\"", POINT] {
        for list in [
            format!(r#"{{"type": "array", "items": {item}}}"#),
            format!(r#"{{"type": "map", "values": {item}}}"#),
        ] {
            let plain = Case::new("plain", &list, &[]);
            let behind = format!(r#"{list}}}, {{"name": "end", "type": "int""#);
            let skipped =
                Case::new("skipped", &behind, &[]).with(|to| to.projection = Some(vec!["end".to_owned()]));
            let nested = Case::new("nested", &format!(r#"{{"type": "array", "items": {list}}}"#), &[]);
            let nullable = Case::new("nullable", &format!(r#"["null", {list}]"#), &[]);
            let json = format!(
                r#"{{"type": "record", "name": "T", "fields": [{{"name": "l", "type": {list}}}, {{"name": "below", "type": ["null", "T"]}}]}}"#
            );
            let json = Case::new("as JSON", &json, &[]);
            // The text begins before its list does.
            for (case, before, per_message) in [
                (plain, &[][..], 0),
                (skipped, &[], 0),
                (nested, &[2], 0),
                (nullable, &[2], 0),
                (json, &[0, 2], 2),
            ] {
                for claim in claims() {
                    let body = [before, &claim].concat();
                    for count_rows in [1, 70] {
                        let rows = vec![Payload::with_key(KEYS[0], &body); count_rows];
                        let mut decoder = case.open();
                        // The bitmap of bad slots and the placeholders have their room then.
                        for _ in 0..3 {
                            decoder.decode(&rows, &mut |_| {});
                            decoder.flush().expect("a flush");
                        }
                        let mut errors = Vec::with_capacity(count_rows);
                        let (_, counts) = count(|| decoder.decode(&rows, &mut |error| errors.push(error)));
                        let what = format!("{} of {list}: {body:02x?}, {count_rows} times", case.name);
                        assert_eq!(errors.len(), count_rows, "{what}");
                        let heads = before.len() as u32..before.len() as u32 + 11;
                        assert!(heads.contains(&errors[0].byte_offset), "{:?}: {what}", errors[0]);
                        assert!(
                            counts.allocations <= 4 + per_message * count_rows,
                            "{counts:?}: {what}"
                        );
                        assert!(counts.bytes <= 1024 + 64 * count_rows, "{counts:?}: {what}");
                    }
                }
            }
        }
    }
}
