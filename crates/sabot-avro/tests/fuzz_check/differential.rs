//! Random writer schema, values and reader schema: Sabot, apache-avro and a model of the
//! specification agree.
//!
//! The model ([`super::model`]) says what the specification asks for. Sabot has to do just that,
//! for every row. apache-avro has to agree with the model too, which keeps the model honest, but
//! for the rows that meet one of its known [`Deviation`]s; those are noted where a value meets them
//! and not by schema.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::util::max_allocation_bytes;
use arrow_array::RecordBatch;
use sabot_avro::AvroFactory;
use sabot_decode::{
    Decoder, DecoderFactory, OutputSchema, Payload, RowErrorKind, SchemaKey, Stop, Target, WriterSchema,
};

use super::MAX_ALLOCATION_BYTES;
use super::columns::is_row;
use super::dice::Dice;
use super::encode::{Bad, decode};
use super::evolve::Evolution;
use super::input::{bodies, mapping, projection, spoil};
use super::model::{Model, is_resolvable, sources};
use super::theirs;
use super::types::{Base, Ty, Types};
use super::values::MAX_ITEMS;

const KEY: SchemaKey = SchemaKey::Id(1);

/// What was compared, so that a test can tell that the exceptions stay exceptions.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Rows that all three read or refused alike.
    pub(crate) agreed: usize,
    /// Rows that the model alone could judge, since apache-avro deviates in them.
    pub(crate) deviating: usize,
    /// Rows that were refused.
    pub(crate) refused: usize,
    /// Pairs of schemas that cannot be resolved.
    pub(crate) unresolvable: usize,
}

/// One input: choices of a writer schema, a reader schema, a target and bodies.
pub(crate) fn check(input: &[u8]) -> Tally {
    let mut dice = Dice::new(input);
    let mut types = Types::new(&mut dice);
    let writer = types.root(&mut dice);
    let reader = if dice.once_in(4) {
        None
    } else {
        let root = Evolution::new(&mut dice, &mut types).root(&mut dice, &writer);
        Some(root)
    };
    let mut target = Target::default();
    target.mapping = mapping(&mut dice);
    target.limits.row_items = MAX_ITEMS;
    let full = reader.clone().unwrap_or_else(|| writer.clone());
    let mut seen = full.clone();
    if dice.once_in(5) {
        let (projected, paths) = projection(&mut dice, &full);
        (seen, target.projection) = (projected, Some(paths));
    }
    if let Some(reader) = &reader {
        target.output = OutputSchema::Reader(WriterSchema::avro(reader.json()));
    }
    let pair = Pair {
        schemas: format!(
            "writer: {}\nreader: {}\n{:?}",
            writer.json(),
            full.json(),
            target.projection
        ),
        is_skipping: is_skipping(&writer, &seen),
        has_projection: target.projection.is_some(),
        has_reader: reader.is_some(),
        writer,
        full,
        seen,
        target,
    };
    pair.check(&mut dice)
}

struct Pair {
    schemas: String,
    writer: Ty,
    /// The reader's type, and what the projection leaves of it.
    full: Ty,
    seen: Ty,
    has_reader: bool,
    has_projection: bool,
    /// Whether some of what is written is not read: that is not checked as strictly.
    is_skipping: bool,
    target: Target,
}

impl Pair {
    fn check(&self, dice: &mut Dice<'_>) -> Tally {
        let schemas = &self.schemas;
        let mut tally = Tally::default();
        let mut decoder = match AvroFactory.open(&self.target) {
            Ok(decoder) => decoder,
            Err(error) => panic!("{error}\n{schemas}"),
        };
        let prepared = decoder.prepare(KEY, &WriterSchema::avro(self.writer.json()));
        let is_resolvable = is_resolvable(&self.writer, &self.seen);
        match prepared {
            Ok(()) => assert!(is_resolvable, "compiled, which the model is not\n{schemas}"),
            Err(error) => {
                assert!(!is_resolvable, "{error}\n{schemas}");
                tally.unresolvable += 1;
                return tally;
            }
        }
        let theirs = Theirs::new(&self.writer, self.has_reader.then_some(&self.full));
        let mut written = Vec::new();
        let is_spoiling = dice.once_in(2);
        for (val, mut body) in bodies(dice, &self.writer) {
            if let Some(bytes) = theirs::write(&theirs.writer, &self.writer, &val) {
                written.push(bytes);
            }
            if is_spoiling && dice.once_in(2) {
                spoil(dice, &mut body);
            }
            written.push(body);
        }
        // Whole blocks of rows, and what is left over.
        let rows = dice.pick(&[1, 2, 64, 70, 130]).max(written.len());
        let cycle: Vec<_> = written.iter().cycle().take(rows).collect();
        let (batch, refused) = read(&mut *decoder, &cycle, schemas);
        for (row, body) in cycle.iter().enumerate() {
            self.compare_ours(body, &batch, row, refused.get(&row).copied());
        }
        for (row, body) in written.iter().enumerate() {
            tally.refused += usize::from(refused.contains_key(&row));
            self.compare_theirs(body, &theirs, &mut tally);
        }
        tally
    }

    fn compare_ours(&self, body: &[u8], batch: &RecordBatch, row: usize, refused: Option<RowErrorKind>) {
        let schemas = &self.schemas;
        let val = match decode(&self.writer, body) {
            Ok(val) => val,
            Err(bad) => {
                let is_unchecked = bad == Bad::Utf8 && is_text_as_bytes(&self.writer, &self.seen);
                assert!(
                    refused.is_some() || self.is_skipping || is_unchecked,
                    "{bad:?}, but it was read\n{body:02x?}\n{schemas}\n{:?}",
                    batch.slice(row, 1)
                );
                return;
            }
        };
        let expected = Model::default().resolve(&self.writer, &self.seen, &val);
        match (&expected, refused) {
            (Some(expected), None) => assert!(
                is_row(&self.seen, expected, batch, row),
                "the model reads {expected:?}\n{body:02x?}\n{schemas}\n{:?}",
                batch.slice(row, 1)
            ),
            (None, Some(_)) => {}
            (Some(expected), Some(kind)) => {
                panic!("{kind:?}, but the model reads {expected:?}\n{body:02x?}\n{schemas}")
            }
            (None, None) => panic!(
                "the model refuses {val:?}\n{body:02x?}\n{schemas}\n{:?}",
                batch.slice(row, 1)
            ),
        }
    }

    fn compare_theirs(&self, body: &[u8], theirs: &Theirs, tally: &mut Tally) {
        let schemas = &self.schemas;
        let plain = theirs::read(&theirs.writer, None, body);
        let val = match (decode(&self.writer, body), plain) {
            (Ok(val), Ok(value)) => {
                assert!(
                    theirs::is_same(&self.writer, &val, &value),
                    "apache-avro reads {value:?}, the model {val:?}\n{body:02x?}\n{schemas}"
                );
                val
            }
            (Ok(val), Err(error)) => {
                // A text that is no UUID, which a reader may want as text.
                let is_uuid = error.contains("UUID") || error.contains("uuid");
                assert!(
                    is_uuid,
                    "apache-avro: {error}, the model {val:?}\n{body:02x?}\n{schemas}"
                );
                return;
            }
            (Err(bad), plain) => {
                assert!(
                    plain.is_err() || theirs::reads(bad),
                    "{bad:?}, but apache-avro reads {plain:?}\n{body:02x?}\n{schemas}"
                );
                return;
            }
        };
        let mut model = Model::default();
        let expected = model.resolve(&self.writer, &self.full, &val);
        let Some(reader) = &theirs.reader else {
            *(if self.has_reader {
                &mut tally.deviating
            } else {
                &mut tally.agreed
            }) += 1;
            return;
        };
        // A field that the projection drops may lack a default, or never be readable.
        if self.has_projection && !is_resolvable(&self.writer, &self.full) {
            return;
        }
        let value = theirs::read(&theirs.writer, Some(reader), body);
        let is_agreed = match (&expected, &value) {
            (Some(expected), Ok(value)) => theirs::is_same(&self.full, expected, value),
            (None, Err(_)) => true,
            _ => false,
        };
        if is_agreed {
            tally.agreed += 1;
        } else {
            assert!(
                !model.deviations.is_empty(),
                "apache-avro reads {value:?}\nthe model {expected:?}\n{body:02x?}\n{schemas}"
            );
            tally.deviating += 1;
        }
    }
}

/// The schemas as apache-avro has them.
struct Theirs {
    writer: Schema,
    /// `None` too where apache-avro refuses a default that the specification allows.
    reader: Option<Schema>,
}

impl Theirs {
    fn new(writer: &Ty, reader: Option<&Ty>) -> Self {
        max_allocation_bytes(MAX_ALLOCATION_BYTES);
        // It checks a writer's defaults, which mean nothing, and not always as the specification
        // says.
        let writer = writer.clone().without_defaults().json();
        Self {
            writer: Schema::parse_str(&writer).unwrap_or_else(|error| panic!("{error}\n{writer}")),
            reader: reader.and_then(|ty| Schema::parse_str(&ty.json()).ok()),
        }
    }
}

fn read(
    decoder: &mut dyn Decoder,
    bodies: &[&Vec<u8>],
    schemas: &str,
) -> (RecordBatch, HashMap<usize, RowErrorKind>) {
    let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
    let mut refused = HashMap::new();
    let progress = decoder.decode(&rows, &mut |error| {
        let body = bodies[error.slot as usize];
        assert!(
            error.byte_offset as usize <= body.len(),
            "{error:?} lies behind {body:02x?}\n{schemas}"
        );
        refused.insert(error.slot as usize, error.kind);
    });
    assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
    let slots = decoder.flush().expect("because no message can make a flush fail");
    for row in 0..rows.len() {
        let is_valid = slots.valid.as_ref().is_none_or(|valid| valid.value(row));
        assert_eq!(is_valid, !refused.contains_key(&row), "row {row}\n{schemas}");
    }
    (slots.batch, refused)
}

/// Whether the reader leaves out anything that the writer writes.
fn is_skipping(writer: &Ty, reader: &Ty) -> bool {
    any_pair(
        writer,
        reader,
        &|writer, reader| match (&writer.base, &reader.base) {
            (Base::Record(_, written), Base::Record(_, read)) => {
                let sources = sources(written, read);
                (0..written.len()).any(|at| !sources.contains(&Some(at)))
            }
            _ => false,
        },
    )
}

/// Whether text is read as bytes, which do not have to be UTF-8.
fn is_text_as_bytes(writer: &Ty, reader: &Ty) -> bool {
    any_pair(writer, reader, &|writer, reader| {
        writer.base == Base::Text && reader.base == Base::Bytes
    })
}

/// Whether `test` holds for any types that may meet each other. Neither is a union then.
fn any_pair(writer: &Ty, reader: &Ty, test: &dyn Fn(&Ty, &Ty) -> bool) -> bool {
    if let Some(branches) = writer.branches() {
        return branches.iter().any(|branch| any_pair(branch, reader, test));
    }
    if let Some(branches) = reader.branches() {
        return branches.iter().any(|branch| any_pair(writer, branch, test));
    }
    let is_below = match (&writer.base, &reader.base) {
        (Base::Array(written), Base::Array(read)) | (Base::Map(written), Base::Map(read)) => {
            any_pair(written, read, test)
        }
        (Base::Record(_, written), Base::Record(_, read)) => {
            let mut fields = read.iter().zip(sources(written, read));
            fields.any(|(field, source)| source.is_some_and(|at| any_pair(&written[at].ty, &field.ty, test)))
        }
        _ => false,
    };
    is_below || test(writer, reader)
}
