//! In steady state, a message allocates nothing.

use sabot_avro::AvroFactory;
use sabot_decode::{DecoderFactory, Payload, SchemaKey, Shape, Stop, Target, WriterSchema};
use sabot_testkit::alloc::{CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

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
            target.shape = Shape::Reader(WriterSchema::avro(reader));
        }
        let mut decoder = AvroFactory.open(&target).unwrap();
        for key in keys {
            decoder.prepare(key, &WriterSchema::avro(WRITER)).unwrap();
        }
        // The columns leave room for as many rows again when they are flushed.
        for _ in 0..2 {
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
