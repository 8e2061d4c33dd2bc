//! What hostile messages and schemas may cost: memory is held to a multiple of a limit, whatever
//! came in.
//!
//! A few bytes may claim, or stand for, gigabytes. Each test is a way in which they once did.

mod messages;
mod schemas;

use sabot_avro::AvroFactory;
use sabot_decode::{Decoder, DecoderFactory, PlanError, SchemaKey, Target, WriterSchema};
use sabot_testkit::alloc::{CountingAllocator, Counts, count};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const KEY: SchemaKey = SchemaKey::Id(1);

fn open(target: &Target) -> Box<dyn Decoder> {
    AvroFactory.open(target).expect("the target is supported")
}

/// Prepares a writer schema, and counts.
fn prepare(decoder: &mut dyn Decoder, id: u32, writer: String) -> (Result<(), PlanError>, Counts) {
    let writer = WriterSchema::avro(writer);
    count(|| decoder.prepare(SchemaKey::Id(id), &writer))
}
