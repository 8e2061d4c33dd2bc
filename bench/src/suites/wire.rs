//! One frame split: from a message's bytes to its schema id and body.

use std::hint::black_box;

use sabot_wire::{Framing, SchemaKey};

use super::{Case, Rows, System, Workload};
use crate::avro;
use crate::batch::Batch;
use crate::buffer::Messages;

pub fn workloads() -> Vec<Workload> {
    vec![Workload {
        suite: "wire",
        name: "wire/parse",
        cores: 1,
        counted: true,
        build: Box::new(build),
    }]
}

fn build(count: usize) -> Result<Case, String> {
    let messages = avro::flat_messages(count);
    Ok(Case {
        count: messages.len(),
        bytes_per_message: messages.mean_bytes(),
        messages,
        held_batches: 0,
        systems: vec![
            System::new("sabot", split).making(Rows::None),
            System::new("touching the bytes", touch).making(Rows::None),
        ],
        expected: None,
    })
}

/// Hidden from the optimiser on both sides: no work is hoisted or left out. What comes out stays in
/// registers, as it does where a driver uses it.
fn split(messages: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
    for message in messages.iter() {
        if let Ok(frame) = Framing::Confluent.split(None, black_box(message))
            && let SchemaKey::Id(id) = frame.key
        {
            black_box(id);
            black_box(frame.body.as_ptr());
            black_box(frame.body.len());
        }
    }
    Ok(())
}

fn touch(messages: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
    for message in messages.iter() {
        black_box(black_box(message)[0]);
    }
    Ok(())
}
