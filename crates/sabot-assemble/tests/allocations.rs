//! The assembler allocates for columns that grow, and not for each message.

use std::sync::Arc;

use sabot_assemble::{
    Assembler, AssemblerOptions, Headers, Metadata, OnError, PushStop, Run, RunHeaders, RunPart,
    TimestampKind, Timestamps,
};
use sabot_decode::{DecoderFactory, Framing, SchemaKey, Target};
use sabot_testkit::Schemas;
use sabot_testkit::alloc::{CountingAllocator, count};
use sabot_testkit::toy::ToyFactory;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROWS: usize = 10_000;
const RUN: usize = 500;

struct TwoHeaders;

impl Headers for TwoHeaders {
    fn visit(&self, _: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        each(b"trace", Some(b"1234"));
        each(b"none", None);
    }
}

#[test]
fn a_batch_in_steady_state_allocates_for_growth_alone() {
    let mut options = AssemblerOptions::default();
    options.metadata = Metadata::ALL;
    options.on_error = OnError::Skip;
    let open = || ToyFactory::default().open(&Target::default()).unwrap();
    let mut assembler = Assembler::new(options, Some(open()), open());
    let mut schemas = Schemas::new([(SchemaKey::Id(1), ToyFactory::writer(0))]);

    let topics: [Arc<str>; 2] = ["a".into(), "b".into()];
    let message = [&[0, 0, 0, 0, 1][..], &ToyFactory::body(1, "name")].concat();
    let offsets: Vec<i64> = (0..RUN as i64).collect();
    let part = RunPart {
        framing: Framing::Confluent,
        bytes: &[Some(&message[..]); RUN],
        schema_headers: &[],
    };
    let runs = topics.each_ref().map(|topic| Run {
        topic,
        partition: 0,
        offsets: &offsets,
        timestamps: Some(Timestamps {
            ms: &[7; RUN],
            kind: TimestampKind::Create,
        }),
        keys: part,
        values: part,
        headers: Some(RunHeaders {
            headers: &TwoHeaders,
            first: 0,
        }),
    });

    let mut batch = || {
        let (rows, counts) = count(|| {
            for run in 0..ROWS / RUN {
                let pushed = assembler.push(&runs[run % 2..][..1], &mut schemas, &mut |_, _| {});
                assert!(matches!(pushed.stop, PushStop::Done));
            }
            assembler.finish().unwrap().batch.num_rows()
        });
        assert_eq!(rows, ROWS);
        counts.allocations
    };
    batch();
    let steady = batch();
    assert!(steady > 0, "the allocator counts");
    assert!(steady < ROWS / 40, "{steady} allocations for {ROWS} rows");
}
