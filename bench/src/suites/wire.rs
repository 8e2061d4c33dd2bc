//! One frame split: from a message's bytes to its schema id and body.

use std::hint::black_box;

use sabot_wire::{Framing, SchemaKey};

use crate::harness::{Measured, System, Workload, measure};
use crate::options::Options;
use crate::workloads::SHAPES;

pub fn run(options: &Options, results: &mut Vec<Measured>) -> Result<(), String> {
    let name = "wire/parse";
    if !options.wants(name) {
        return Ok(());
    }
    let messages = SHAPES[0].messages(options.messages);
    let workload = Workload {
        suite: "wire",
        name,
        messages: messages.len(),
        bytes_per_message: messages.mean_bytes(),
    };
    let systems = vec![
        System::new("sabot", || {
            for message in messages.iter() {
                // Hidden from the optimiser on both sides: no work is hoisted or left out. What comes out stays in
                // registers, as it does where a driver uses it.
                if let Ok(frame) = Framing::Confluent.split(None, black_box(message))
                    && let SchemaKey::Id(id) = frame.key
                {
                    black_box(id);
                    black_box(frame.body.as_ptr());
                    black_box(frame.body.len());
                }
            }
        }),
        System::new("touching the bytes", || {
            for message in messages.iter() {
                black_box(black_box(message)[0]);
            }
        }),
    ];
    results.extend(measure(&workload, systems, options.rounds));
    Ok(())
}
