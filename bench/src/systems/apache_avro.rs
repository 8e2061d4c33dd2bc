//! apache-avro, which makes a `Value` of each message and no columns.

use std::hint::black_box;

use apache_avro::{Schema, from_avro_datum};

use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;

pub struct ApacheAvro(Schema);

impl ApacheAvro {
    pub fn new(writer: &str) -> Result<Self, String> {
        Schema::parse_str(writer)
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

impl Run for ApacheAvro {
    fn run(&mut self, messages: &Messages, _: &mut dyn FnMut(Batch)) -> Result<(), String> {
        for message in messages.iter() {
            let mut body = message.get(5..).ok_or("a message without a frame")?;
            black_box(from_avro_datum(&self.0, &mut body, None).map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}
