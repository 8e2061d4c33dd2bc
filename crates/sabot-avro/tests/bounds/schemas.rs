//! Schemas that take more than their texts, and what stays of schemas that are forgotten.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use sabot_decode::{Decoder, OutputSchema, Payload, SchemaKey, Target, WriterSchema};

use crate::{open, prepare};

/// The least schema that has a type.
fn record(field: &str, ty: &str) -> String {
    format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "{field}", "type": {ty}}}]}}"#)
}

fn onto(field: Field) -> Target {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(vec![field])));
    target
}

#[test]
fn namespaces_repeat_in_every_name() {
    /// All names of a schema in full.
    const LIMIT_BYTES: usize = 64 << 20;
    /// A name is kept in its type and in the table of names; a reference to it is looked up in
    /// full.
    const PEAK_MULTIPLE: usize = 3;

    let namespace = "n".repeat(100_000);
    let aliases = |count: usize| {
        let aliases: Vec<_> = (0..count).map(|at| format!("\"a{at}\"")).collect();
        format!(
            r#"{{"type": "fixed", "name": "F", "namespace": "{namespace}", "size": 1, "aliases": [{}]}}"#,
            aliases.join(", ")
        )
    };
    let types = |count: usize| {
        let fixed =
            |at| format!(r#"{{"name": "f{at}", "type": {{"type": "fixed", "name": "F{at}", "size": 1}}}}"#);
        let fields: Vec<_> = (0..count).map(fixed).collect();
        format!(
            r#"{{"type": "record", "name": "R", "namespace": "{namespace}", "fields": [{}]}}"#,
            fields.join(", ")
        )
    };
    for (writer, is_good) in [
        (aliases(10), true),
        (aliases(10_000), false),
        (types(10), true),
        (types(5000), false),
    ] {
        let (result, counts) = prepare(&mut *open(&Target::default()), 1, writer);
        assert_eq!(result.is_ok(), is_good, "{result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("names take more than"), "{error}");
        }
        assert!(counts.peak_bytes <= PEAK_MULTIPLE * LIMIT_BYTES, "{counts:?}");
    }
}

#[test]
fn aliases_are_looked_at_for_every_use() {
    // A given Arrow schema has no aliases, so that the writer's are asked.
    let field = |name, data_type| Field::new(name, data_type, true);
    let inner = DataType::Struct(vec![field("y", DataType::Int32)].into());
    let target = onto(field("a", DataType::Struct(vec![field("x", inner)].into())));
    let aliases: Vec<_> = (0..200_000).map(|at| format!("\"a{at}\"")).collect();
    let used = format!(
        r#"{{"type": "record", "name": "W", "fields": [{{"name": "q", "type": "int", "aliases": ["y", {}]}}]}}"#,
        aliases.join(", ")
    );
    for (uses, is_good) in [(4, true), (4000, false)] {
        let branches = (0..uses).map(|at| {
            let ty = if at == 0 { &used } else { r#""W""# };
            format!(r#"{{"type": "record", "name": "R{at}", "fields": [{{"name": "x", "type": {ty}}}]}}"#)
        });
        let branches: Vec<_> = branches.collect();
        let writer = record("a", &format!("[{}]", branches.join(", ")));
        let (result, _) = prepare(&mut *open(&target), 1, writer);
        assert_eq!(result.is_ok(), is_good, "{result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("to resolve"), "{error}");
        }
    }
}

#[test]
fn symbols_are_kept_for_a_decoder_s_life() {
    /// All symbols of the dictionaries that gather them.
    const LIMIT_BYTES: usize = 64 << 20;
    /// A symbol is kept in the table and in the dictionary.
    const HELD_MULTIPLE: usize = 2;
    const SYMBOL_BYTES: usize = 15 << 20;

    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut target = onto(Field::new("e", dictionary, true));
    target.limits.plans = 1;
    let mut decoder = open(&target);
    let writer = |id: u32, symbol_bytes| {
        let symbol = format!("x{id}{}", "y".repeat(symbol_bytes));
        record(
            "e",
            &format!(r#"{{"type": "enum", "name": "E", "symbols": ["{symbol}"]}}"#),
        )
    };
    let mut held_bytes = 0;
    let mut add = |decoder: &mut dyn Decoder, id, symbol_bytes| {
        let (result, counts) = prepare(decoder, id, writer(id, symbol_bytes));
        held_bytes += counts.held_bytes;
        let is_within = held_bytes <= (HELD_MULTIPLE * LIMIT_BYTES) as isize;
        assert!(is_within, "{held_bytes} bytes are held");
        result
    };
    for id in 0..5 {
        let has_room = id as usize * SYMBOL_BYTES < LIMIT_BYTES - SYMBOL_BYTES;
        let result = add(&mut *decoder, id, SYMBOL_BYTES);
        assert_eq!(result.is_ok(), has_room, "{id}: {result:?}");
        if let Err(error) = result {
            assert!(error.to_string().contains("enum symbols"), "{error}");
        }
    }
    // What has room still comes in.
    add(&mut *decoder, 5, 10).unwrap();
    let progress = decoder.decode(&[Payload::with_key(SchemaKey::Id(5), &[0])], &mut |error| {
        panic!("{error:?}")
    });
    assert_eq!(progress.taken, 1);
}

#[test]
fn paths_are_kept_for_a_decoder_s_life() {
    /// What the names of fields may take, of which there is room for one here.
    const LIMIT_BYTES: usize = 16 << 20;
    const NAME_BYTES: usize = 9 << 20;
    /// A name is kept once, however many tables have it.
    const HELD_BYTES: usize = LIMIT_BYTES + (1 << 20);

    let mut target = Target::default();
    target.limits.plans = 1;
    let reader = r#"{"type": "record", "name": "R", "fields": []}"#;
    target.output = OutputSchema::Reader(WriterSchema::avro(reader));
    target.check_tail = true;
    let mut decoder = open(&target);
    let mut held_bytes = 0;
    for (id, name_bytes) in [(0, NAME_BYTES), (1, NAME_BYTES), (2, 1)] {
        let name = format!("x{id}{}", "y".repeat(name_bytes));
        let (result, counts) = prepare(&mut *decoder, id, record(&name, r#""string""#));
        result.unwrap();
        held_bytes += counts.held_bytes;
        assert!(held_bytes <= HELD_BYTES as isize, "{held_bytes} bytes are held");
        let mut node = None;
        decoder.decode(&[Payload::with_key(SchemaKey::Id(id), &[2])], &mut |error| {
            node = Some(error.path);
        });
        let path = decoder.field_path(node.expect("the message is cut off"));
        // Without room the path above serves, which is the message's.
        let is_known = id != 1;
        assert_eq!(path, if is_known { &name } else { "" }, "{id}");
    }
}
