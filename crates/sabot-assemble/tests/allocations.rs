//! The assembler allocates for columns that grow, and not for each message.

use std::sync::Arc;

use sabot_assemble::{
    Assembler, AssemblerOptions, Headers, Metadata, OnError, PushStop, Record, Timestamp, TimestampKind,
};
use sabot_decode::{DecoderFactory, Payload, SchemaKey, Target};
use sabot_testkit::Schemas;
use sabot_testkit::alloc::{CountingAllocator, count};
use sabot_testkit::toy::ToyFactory;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROWS: usize = 10_000;

#[test]
fn a_batch_in_steady_state_allocates_for_growth_alone() {
    let mut options = AssemblerOptions::default();
    options.metadata = Metadata::ALL;
    options.on_error = OnError::Skip;
    let open = || ToyFactory::default().open(&Target::default()).unwrap();
    let mut assembler = Assembler::new(options, Some(open()), open());
    let mut schemas = Schemas::new([(SchemaKey::Id(1), ToyFactory::writer(0))]);

    let topics: [Arc<str>; 2] = ["a".into(), "b".into()];
    let body = ToyFactory::body(1, "name");
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"trace", Some(b"1234")), (b"none", None)];
    let headers: &dyn Headers = &headers;
    let records: Vec<_> = (0..ROWS)
        .map(|row| Record {
            topic: &topics[row / 5000 % 2],
            partition: 0,
            offset: row as i64,
            timestamp: Some(Timestamp {
                ms: 7,
                kind: TimestampKind::Create,
            }),
            key: Payload::with_key(SchemaKey::Id(1), &body),
            value: Payload::with_key(SchemaKey::Id(1), &body),
            raw_key: Some(&body),
            raw_value: Some(&body),
            headers: Some(headers),
        })
        .collect();

    let mut batch = || {
        let (rows, counts) = count(|| {
            for some in records.chunks(500) {
                let pushed = assembler.push(some, &mut schemas, &mut |_, _| {});
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
