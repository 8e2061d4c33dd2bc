//! Any text as a schema: it is compiled or refused, and what is compiled can be read as itself.

use sabot_avro::{AvroFactory, canonical_form, fingerprint};
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, Payload, SchemaKey, Target, WriterSchema};

const KEY: SchemaKey = SchemaKey::Id(1);
/// What parts a writer's schema from a reader's; no schema has it.
const SEPARATOR: char = '\0';

/// One input: the text of a writer's schema, and perhaps that of a reader's after a zero. Says
/// whether it could be compiled.
pub(crate) fn check(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let (writer, reader) = match text.split_once(SEPARATOR) {
        Some((writer, reader)) => (writer, Some(reader)),
        None => (&*text, None),
    };
    check_forms(writer);
    let target = Target::default();
    let decoder = compile(&target, writer);
    if let Some(decoder) = &decoder {
        // As itself, as the columns that come of it, and both of them once more.
        let columns = decoder.schema().expect("because a schema was prepared").clone();
        let onto = |shape| {
            let mut target = Target::default();
            target.output = shape;
            target
        };
        let mut itself = compile(&onto(OutputSchema::Reader(WriterSchema::avro(writer))), writer)
            .unwrap_or_else(|| panic!("it is not read as itself: {writer}"));
        assert_eq!(itself.schema(), Some(&columns), "{writer}");
        drain(&mut *itself);
    }
    if let Some(reader) = reader {
        let mut target = Target::default();
        target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        if let Some(mut decoder) = compile(&target, writer) {
            drain(&mut *decoder);
        }
    }
    let is_compiled = decoder.is_some();
    if let Some(mut decoder) = decoder {
        drain(&mut *decoder);
    }
    is_compiled
}

/// The decoder, or nothing where an error says why.
fn compile(target: &Target, writer: &str) -> Option<Box<dyn Decoder>> {
    let compiled = AvroFactory.open(target).and_then(|mut decoder| {
        decoder.prepare(KEY, &WriterSchema::avro(writer))?;
        Ok(decoder)
    });
    match compiled {
        Ok(decoder) => Some(decoder),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty(), "{writer}");
            None
        }
    }
}

/// A few messages, which are good or bad: empty, zeros, ones, and one that begins a list of
/// everything.
fn drain(decoder: &mut dyn Decoder) {
    let bodies: [&[u8]; 5] = [
        &[],
        &[0; 8],
        &[2; 40],
        &[0x80; 11],
        &[1, 2, 0, 0, 2, 0, 0, 4, 1, 1],
    ];
    for count in [1, 20] {
        let rows: Vec<_> = bodies
            .iter()
            .flat_map(|body| vec![Payload::with_key(KEY, body); count])
            .collect();
        let progress = decoder.decode(&rows, &mut |_| {});
        let slots = decoder.flush().expect("because no message can make a flush fail");
        assert_eq!(slots.batch.num_rows(), progress.taken);
    }
}

/// A canonical form is its own canonical form, and has the same fingerprint.
fn check_forms(text: &str) {
    let schema = WriterSchema::avro(text);
    if let Ok(form) = canonical_form(&schema) {
        let again = WriterSchema::avro(form.as_str());
        let second = canonical_form(&again).unwrap_or_else(|error| panic!("{error}: {form}\n{text}"));
        assert_eq!(form, second, "{text}");
        assert_eq!(fingerprint(&schema).ok(), fingerprint(&again).ok(), "{text}");
    }
}
