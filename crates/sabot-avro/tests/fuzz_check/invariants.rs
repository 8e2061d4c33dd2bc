//! The invariants of every decoder, of random schemas: the suite of `sabot-testkit` spoils, splits
//! and interleaves.
//!
//! The suite takes many rows for each body, so that there are few bodies, and short ones.

use sabot_avro::AvroFactory;
use sabot_decode::{DecoderFactory, OutputSchema, Payload, SchemaKey, Stop, Target, WriterSchema};
use sabot_testkit::conformance::{self, Corpus};

use super::dice::Dice;
use super::evolve::Evolution;
use super::input::{any_projection, big_mapping, bodies, mapping, spoil};
use super::types::{Ty, Types};

/// Bytes of one body at most: each is cut at every position.
const MAX_BODY_BYTES: usize = 60;
/// Good bodies of each writer at most.
const MAX_BODIES: usize = 2;

/// One input: choices of writer schemas, a target and bodies. Says how many good bodies were
/// checked.
pub(crate) fn check(input: &[u8]) -> usize {
    let mut dice = Dice::new(input);
    let mut types = Types::with_big(&mut dice);
    let first = types.root(&mut dice);
    let mut writers = vec![first.clone()];
    if dice.once_in(2) {
        writers.push(Evolution::new(&mut dice, &mut types).root(&mut dice, &first));
    }
    let mut target = Target::default();
    target.mapping = mapping(&mut dice);
    big_mapping(&mut dice, &mut target.mapping);
    target.limits.row_items = 1000;
    target.output = OutputSchema::Reader(WriterSchema::avro(first.json()));
    if dice.once_in(4) {
        target.projection = Some(any_projection(&mut dice, &first));
        target.check_tail = dice.once_in(2);
        if AvroFactory.open(&target).is_err() {
            target.projection = None;
        }
    }
    let corpus = corpus(&mut dice, &target, &writers);
    let count = corpus.good.len();
    if count == 0 {
        return 0;
    }
    if let Err(violation) = conformance::verify(&AvroFactory, &target, &corpus) {
        panic!("{violation}\n{target:#?}\n{corpus:02x?}");
    }
    count
}

/// Bodies that are good and bad on their own, by the writers that can be read.
fn corpus(dice: &mut Dice<'_>, target: &Target, writers: &[Ty]) -> Corpus {
    let mut corpus = Corpus::new();
    for (id, writer) in writers.iter().enumerate() {
        let key = SchemaKey::Id(id as u32);
        let schema = WriterSchema::avro(writer.json());
        let mut decoder = match AvroFactory.open(target) {
            Ok(decoder) => decoder,
            Err(error) => panic!("{error}\n{target:#?}"),
        };
        if decoder.prepare(key, &schema).is_err() {
            continue;
        }
        let mut is_good = |body: &[u8]| {
            let mut errors = 0;
            let progress = decoder.decode(&[Payload::with_key(key, body)], &mut |_| errors += 1);
            assert_eq!((progress.taken, progress.stop), (1, Stop::Done));
            decoder.flush().expect("because no message can make a flush fail");
            errors == 0
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (_, body) in bodies(dice, writer) {
            let mut spoilt = body.clone();
            spoil(dice, &mut spoilt);
            for body in [body, spoilt] {
                if body.len() > MAX_BODY_BYTES {
                    continue;
                }
                if is_good(&body) { &mut good } else { &mut bad }.push(body);
            }
        }
        if good.is_empty() {
            continue;
        }
        corpus = corpus.schema(key, schema);
        for body in good.into_iter().take(MAX_BODIES) {
            corpus = corpus.good(key, body);
        }
        for body in bad.into_iter().take(MAX_BODIES) {
            corpus = corpus.bad(key, body);
        }
    }
    corpus
}
