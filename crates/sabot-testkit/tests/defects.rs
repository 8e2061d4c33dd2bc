//! The conformance suite can fail: each way to break a decoder is caught, under the invariant that
//! it breaks.

use sabot_decode::{MessagePathBuf, SchemaKey, Target};
use sabot_testkit::conformance::{self, Corpus, Invariant};
use sabot_testkit::toy::{Defect, ToyFactory};

fn corpus() -> Corpus {
    let (a, b) = (SchemaKey::Id(1), SchemaKey::GlobalId(2));
    let second = MessagePathBuf::new(&[1]).expect("one index is a path");
    Corpus::new()
        .schema(a, ToyFactory::writer(7))
        .schema(b, ToyFactory::writer_of(&[100, -100]))
        .good(a, ToyFactory::body(1, "one"))
        .good(b, ToyFactory::body(-2, "zwölf"))
        .good(SchemaKey::Absent, ToyFactory::body(i32::MIN, ""))
        .good(b, ToyFactory::body(4, "a name that is somewhat longer"))
        .good((b, second), ToyFactory::body(5, "of another message"))
        .bad(a, b"\0\0\0")
        .bad(b, b"\0\0\0\0\x02\xc3\x28")
        .bad(SchemaKey::Absent, b"\0\0\0\0\0\0")
}

#[test]
fn a_right_decoder_passes() {
    conformance::check(&ToyFactory::default(), &Target::default(), &corpus());
}

#[test]
fn a_right_decoder_with_a_schema_from_the_start_passes() {
    let mut target = Target::default();
    target.output = sabot_decode::OutputSchema::Reader(ToyFactory::writer(0));
    conformance::check(&ToyFactory::default(), &target, &corpus());
}

#[test]
fn each_defect_is_caught() {
    use Invariant::{Atomicity, Bounded, Flush, Mapping, NoIo, OneSlot, Projection, Schemas, Splits};
    let expected = [
        (Defect::NoSlotForRefused, OneSlot),
        (Defect::TombstoneIsBad, OneSlot),
        (Defect::TombstoneIsNotNull, OneSlot),
        (Defect::LeavesRemains, Atomicity),
        (Defect::MarksBadRowValid, Atomicity),
        (Defect::ReportsNothing, Atomicity),
        (Defect::ReportsInReverse, Atomicity),
        (Defect::ReportsBehindTheEnd, Atomicity),
        (Defect::ChecksUtf8InFlush, Flush),
        (Defect::SplitsBySchema, Schemas),
        (Defect::ChangesSchema, Schemas),
        (Defect::GuessesSchema, NoIo),
        (Defect::IgnoresMessages, Atomicity),
        (Defect::SlotForUnknownSchema, OneSlot),
        (Defect::RemembersUnusableSchema, NoIo),
        (Defect::IgnoresBatchRows, Bounded),
        (Defect::IgnoresBatchBytes, Bounded),
        (Defect::IgnoresRowBytes, Bounded),
        (Defect::LeaksBuffered, Bounded),
        (Defect::CountsNothing, Bounded),
        (Defect::Panics, Bounded),
        (Defect::FullWhenEmpty, Bounded),
        (Defect::AddsUpWithinCalls, Splits),
        (Defect::LeavesOutRepeats, Splits),
        (Defect::IgnoresProjection, Projection),
        (Defect::IgnoresOrder, Projection),
        (Defect::IgnoresUnknownPaths, Projection),
        (Defect::NamesNoFields, Projection),
        (Defect::IgnoresMapping, Mapping),
        (Defect::RefusesWithoutName, Mapping),
    ];
    let mut wrong = Vec::new();
    for (defect, invariant) in expected {
        match conformance::verify(&ToyFactory::broken(defect), &Target::default(), &corpus()) {
            Ok(()) => wrong.push(format!("{defect:?} is not caught")),
            Err(violation) if violation.invariant != Some(invariant) => {
                wrong.push(format!("{defect:?} is not caught as {invariant:?}:\n{violation}"));
            }
            Err(violation) => println!("{defect:?}: {violation}\n"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_corpus_that_does_not_fit_is_named() {
    let good = (SchemaKey::Absent, ToyFactory::body(1, "one"));
    for (corpus, message) in [
        (Corpus::new(), "no good payload"),
        (Corpus::new().good(SchemaKey::Absent, b"\0"), "should be good"),
        (
            Corpus::new().good(SchemaKey::Id(1), good.1.clone()),
            "schema 1, which the corpus does not have",
        ),
        (
            Corpus::new()
                .good(good.0, good.1.clone())
                .bad(good.0, good.1.clone()),
            "taken for a good one",
        ),
    ] {
        let violation = conformance::verify(&ToyFactory::default(), &Target::default(), &corpus).unwrap_err();
        assert_eq!(violation.invariant, None);
        assert!(violation.to_string().contains(message), "{violation}");
    }
}
