//! Framed Avro messages to record batches.

use std::hint::black_box;

use crate::buffer::Messages;
use crate::equal;
use crate::harness::{Measured, System, Workload, measure};
use crate::options::Options;
use crate::peers::{ArrowAvro, Peer, Sabot, copy_bodies, decode_all};
use crate::workloads::{SCHEMA_ID, SHAPES, Shape};

pub fn run(options: &Options, results: &mut Vec<Measured>) -> Result<(), String> {
    for shape in SHAPES.iter().filter(|shape| options.wants(shape.name)) {
        measure_shape(shape, options, results).map_err(|reason| format!("{}: {reason}", shape.name))?;
    }
    Ok(())
}

fn measure_shape(shape: &Shape, options: &Options, results: &mut Vec<Measured>) -> Result<(), String> {
    let messages = shape.messages(options.messages);
    let mut ours = Sabot::new(SCHEMA_ID, (shape.schema)())?;
    let mut arrow_avro = ArrowAvro::new(SCHEMA_ID, (shape.schema)())?;
    let (expected, found) = (
        decode_all(&mut arrow_avro, &messages)?,
        decode_all(&mut ours, &messages)?,
    );
    equal::check(["arrow-avro", "sabot"], [&expected, &found])?;
    drop((expected, found));
    let workload = Workload {
        suite: "decode",
        name: shape.name,
        messages: messages.len(),
        bytes_per_message: messages.mean_bytes(),
    };
    let systems = vec![
        System::new("sabot", || run_once(&mut ours, &messages)),
        System::new("arrow-avro", || run_once(&mut arrow_avro, &messages)),
        System::new("copying the bytes", || copy_bodies(&messages)),
    ];
    results.extend(measure(&workload, systems, options.rounds));
    Ok(())
}

/// Batches are dropped as they come, as a consumer that is done with them does.
fn run_once(peer: &mut dyn Peer, messages: &Messages) {
    let decoded = peer.decode(messages, &mut |batch| {
        black_box(batch);
    });
    decoded.expect("because the same messages were decoded before");
}
